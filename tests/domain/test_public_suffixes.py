"""The public suffix list is read for one top-level domain at a time, and says what it says as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from publicsuffixlist import PSLFILE, PublicSuffixList

from sequences_mcp.domain.addresses import host_key, shown_host
from sequences_mcp.domain.companies import is_owned_suffix, is_public_suffix, registered_domain

ODD = (
    "",
    ".",
    "com",
    "COM",
    "com.",
    "a..com",
    ".com",
    "a.",
    "xn--p1ai",
    "x.unlisted",
    "unlisted",
    "a b.com",
    "*.com",
    "acme.\ud800",
)


def rules() -> Iterator[str]:
    """Return the rules of several labels: a name of one is a public suffix with and without the list."""
    lines = map(str.strip, Path(PSLFILE).read_text(encoding="utf-8").splitlines())
    return (line for line in lines if "." in line and not line.startswith("//"))


def hosts_about(rule: str) -> Iterator[str]:
    """Return the host that a rule names, one below it, and one that only ends in the same letters."""
    plain = rule.removeprefix("!").replace("*.", "any.")
    yield from (plain, f"acme.{plain}", f"x{plain}")


@pytest.fixture(scope="module")
def whole() -> tuple[PublicSuffixList, PublicSuffixList]:
    return (
        PublicSuffixList(accept_encoded_idn=False),
        PublicSuffixList(accept_encoded_idn=False, only_icann=True),
    )


def test_every_rule_counts_as_in_the_whole_list(whole: tuple[PublicSuffixList, PublicSuffixList]) -> None:
    every, registries = whole
    hosts = {host for rule in rules() for host in hosts_about(rule)} | set(ODD)
    assert len(hosts) > 20_000
    for host in hosts:
        shown = shown_host(host)
        is_public = bool(every.is_public(shown))
        own = every.privatesuffix(shown)
        assert is_public_suffix(host) == is_public, host
        assert is_owned_suffix(host) == (is_public and not registries.is_public(shown)), host
        assert registered_domain(host) == (host_key(own) if own else None), host
