"""Whose clock it is, as far as the facts tell."""

from __future__ import annotations

import pytest

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.engine.calendar import ZoneChoice, is_zone, zones_of, zones_of_country

FRENCH, AMERICAN = "+33612345678", "+12125550123"

CASES = {
    "its own zone first": ({"time_zone": "Asia/Tokyo", "country": "FR", "phone": FRENCH}, "Asia/Tokyo", "contact"),
    "a zone that is none is passed over": (
        {"time_zone": "Mars/Base", "country": "FR"},
        "Europe/Paris",
        "country FR",
    ),
    "the country": ({"country": "fr", "phone": AMERICAN}, "Europe/Paris", "country FR"),
    "the phone number's country": ({"phone": FRENCH}, "Europe/Paris", "phone number (FR)"),
    "a country without zones": ({"country": "XX", "phone": FRENCH}, "Europe/Paris", "phone number (FR)"),
    "a number of no country": ({"phone": "+80012345678"}, "Europe/Oslo", "default"),
    "a number that is none": ({"phone": "call me"}, "Europe/Oslo", "default"),
    "nothing": ({}, "Europe/Oslo", "default"),
}


@pytest.mark.parametrize(("facts", "names", "source"), CASES.values(), ids=CASES.keys())
def test_the_best_known_fact_decides_and_is_named(facts: dict[str, str], names: str, source: str) -> None:
    choice = zones_of(ContactFields(**facts), default="Europe/Oslo")
    assert (choice.names, choice.source) == (names, source)


def test_a_country_with_several_clocks_gives_each_of_them_once() -> None:
    zones = zones_of_country("US")
    assert {"America/New_York", "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu"} <= set(zones)
    assert "America/Phoenix" in zones  # no summer time there
    assert "America/Detroit" not in zones  # New York's clock
    assert len(zones) < 10


def test_several_zones_fit_into_one_field() -> None:
    assert ZoneChoice(("Asia/Shanghai", "Asia/Urumqi"), "country CN").names == "Asia/Shanghai,Asia/Urumqi"


@pytest.mark.parametrize("name", ["Europe/Paris", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_an_iana_name_is_a_zone(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name", ["", "Europe", "europe/paris", "localtime", "../etc/passwd", "CEST", "Europe/Paris,UTC", "+01:00"]
)
def test_anything_else_is_not(name: str) -> None:
    assert not is_zone(name)
