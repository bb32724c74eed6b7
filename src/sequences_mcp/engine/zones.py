"""Which time zone a contact lives in, as far as the facts about the contact tell.

Data: the IANA time zone database as packaged in ``tzdata`` (``zones`` lists the names, ``zoneinfo/zone.tab`` the
zones of each country), so that every system gives the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sequences_mcp.domain.contact import ContactFields


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """The zones a contact may live in, and where that is known from.

    ``source`` is ``contact``, ``country FR``, ``phone number (FR)`` or ``default``.
    """

    zones: tuple[str, ...]
    source: str

    @property
    def names(self) -> str:
        """The zones as ``Sequence.time_zone`` holds them: names with commas, no spaces."""
        return ",".join(self.zones)


def zones_of(contact: ContactFields, *, default: str) -> ZoneChoice:
    """Return the contact's own zone, else those of the country, else of the phone number's, else the default."""
    if contact.time_zone and is_zone(contact.time_zone):
        return ZoneChoice((contact.time_zone,), "contact")
    country = (contact.country or "").upper()
    if zones := zones_of_country(country):
        return ZoneChoice(zones, f"country {country}")
    country = _country_of_phone(contact.phone) if contact.phone else ""
    if zones := zones_of_country(country):
        return ZoneChoice(zones, f"phone number ({country})")
    return ZoneChoice((default,), "default")


def is_zone(name: str) -> bool:
    """Say whether this is the exact name of an IANA time zone."""
    return name == "UTC" or name in _names()  # the default is known without the table


@lru_cache(maxsize=300)
def zones_of_country(country: str) -> tuple[str, ...]:
    """Return one zone for each clock kept in a country (ISO 3166 alpha-2), in the order of the table.

    Zones that differ in the past alone are one: Detroit keeps New York's time. None for an unknown country.
    """
    clocks: dict[str, str] = {}
    for zone in _table().get(country, ()):
        clocks.setdefault(_rule(zone), zone)
    return tuple(clocks.values())


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(_data("zones").decode("ascii").split())


@lru_cache(maxsize=1)
def _table() -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in _data("zoneinfo", "zone.tab").decode("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            table[country] = (*table.get(country, ()), zone)
    return table


def _rule(zone: str) -> str:
    """Return the rule a zone follows from now on: the last line of its file (RFC 9636, section 3.3)."""
    return _data("zoneinfo", *zone.split("/")).rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")


def _data(*path: str) -> bytes:
    from importlib.resources import files

    return files("tzdata").joinpath(*path).read_bytes()


def _country_of_phone(phone: str) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(number) or ""
