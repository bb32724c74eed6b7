"""A provider is connected when it is first asked for, once."""

from __future__ import annotations

import pytest

from sequences_mcp.vendors.connecting import LazyMapping


def test_names_are_known_and_values_made_once_when_asked_for() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    providers = LazyMapping(["topo", "kalent"], make)
    assert (list(providers), len(providers)) == (["topo", "kalent"], 2)
    assert "topo" in providers and "clarky" not in providers
    assert made == []
    assert [providers["topo"], providers["topo"]] == ["TOPO", "TOPO"]
    assert list(providers.values()) == ["TOPO", "KALENT"]
    assert made == ["topo", "kalent"]


def test_a_name_that_is_none_is_not_made() -> None:
    providers = LazyMapping(["local"], lambda name: 2)
    with pytest.raises(KeyError):
        providers["topo"]
    assert providers.get("topo") is None
