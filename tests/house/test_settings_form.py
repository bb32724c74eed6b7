"""The form a host shows for the settings says what settings.py says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.house.house_tree import ROOT

from sequences_mcp.settings import TABLE, Setting


def form_offences(form: Mapping[str, Mapping[str, Any]], table: tuple[Setting, ...]) -> list[str]:
    """Return a sentence for each variable of server.json that settings.py tells otherwise."""
    wanted = {setting.name: setting for setting in table}
    odd = sorted(form.keys() ^ wanted.keys())
    lines = [f"server.json {'lacks' if name in wanted else 'invents'} {name}." for name in odd]
    return lines + [line for name in sorted(form.keys() & wanted) for line in _apart(form[name], wanted[name])]


def _apart(shown: Mapping[str, Any], setting: Setting) -> list[str]:
    meaning = setting.meaning.replace("`", "")
    checks = (
        (shown.get("description") == meaning, "description", meaning),
        (shown.get("isSecret", False) == setting.secret, "isSecret", setting.secret),
        (shown.get("default") in (None, setting.default), "default", setting.default),
        (not shown.get("isRequired", False), "isRequired", False),
    )
    wrong = [(field, value) for holds, field, value in checks if not holds]
    return [f"server.json {setting.name}: {field} should be {value!r}." for field, value in wrong]


def _form() -> dict[str, dict[str, Any]]:
    server = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    return {row["name"]: row for row in server["packages"][0]["environmentVariables"]}


def test_the_form_of_a_host_offers_the_settings_as_they_are() -> None:
    assert not (offences := form_offences(_form(), TABLE)), "\n".join(offences)


ONE = (Setting("SEQUENCES_CAP", "E-mails a `day`.", "50"),)
RIGHT = {"description": "E-mails a day.", "default": "50"}
WRONG = {
    "a missing one": {},
    "an invented one": {"SEQUENCES_CAP": RIGHT, "SEQUENCES_HAT": {}},
    "another meaning": {"SEQUENCES_CAP": {**RIGHT, "description": "Letters a day."}},
    "another default": {"SEQUENCES_CAP": {**RIGHT, "default": "60"}},
    "a secret that is none": {"SEQUENCES_CAP": {**RIGHT, "isSecret": True}},
    "one that is asked for": {"SEQUENCES_CAP": {**RIGHT, "isRequired": True}},
}


@pytest.mark.parametrize("form", WRONG.values(), ids=WRONG.keys())
def test_a_form_that_tells_otherwise_is_found(form: dict[str, dict[str, Any]]) -> None:
    assert form_offences(form, ONE)


def test_a_form_that_agrees_is_left_alone() -> None:
    assert not form_offences({"SEQUENCES_CAP": RIGHT}, ONE)
