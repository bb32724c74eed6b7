"""When e-mails may leave, on the contact's own clock, and which clock that is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sequences_mcp.errors import InvalidArgumentsError, SettingsError
from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from sequences_mcp.domain.contact import ContactFields


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FORM = re.compile(r"(?P<days>\S+)\s+(?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d)")
_DAY = 24 * 60
# A window repeats every week; the second week covers a week in which a clock change takes its only opening.
_HORIZON = 15
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Weekdays (0 is Monday) and the minutes of the day from ``start`` up to, not including, ``end``."""

    days: frozenset[int]
    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """Return the window of a text such as ``Mon-Fri 08:00-19:00`` or ``Mon,Wed,Fri-Sun 00:00-24:00``.

        Raises SettingsError, saying what is wrong with the text.
        """
        form = _FORM.fullmatch(text.strip())
        if form is None:
            raise _bad(text, "it is not days, a space, and hours from-to")
        start, end = (_minutes(text, form[name]) for name in ("from", "to"))
        if start >= end:
            raise _bad(text, "it ends before it begins")
        return cls(frozenset(_days(text, form["days"])), start, end)

    def is_open(self, local: datetime) -> bool:
        """Say whether a time on the contact's clock is inside."""
        return local.weekday() in self.days and self.start <= local.hour * 60 + local.minute < self.end


CALLING_HOURS = Window(frozenset(range(7)), 8 * 60, 21 * 60)
"""When somebody may be called or texted, on their own clock: 47 CFR 64.1200(c)(1), kept for everybody."""


def next_open(window: Window, zone: str, now: datetime) -> datetime | None:
    """Return the first instant from ``now`` on at which the window is open in every zone; None when it is now.

    The result is in UTC. Raises InvalidArgumentsError when the window is never open in all the zones at once.
    """
    zones = [ZoneInfo(name) for name in zone.split(",")]
    start = at = now.astimezone(UTC)
    while at - start < timedelta(days=_HORIZON):
        latest = max(_opening(window, zone, at) for zone in zones)
        if latest == at:
            return None if at == start else at
        at = latest
    raise InvalidArgumentsError(
        f"The sending window is never open in all of {zone.replace(',', ', ')} at once.",
        next_step="Save the contact's own time_zone with save_contacts, or widen SEQUENCES_WINDOW.",
    )


def _opening(window: Window, zone: ZoneInfo, at: datetime) -> datetime:
    """Return the first instant from ``at`` on that is open in one zone."""
    local = at.astimezone(zone)
    if window.is_open(local):
        return at
    for days in range(_HORIZON):
        for instant in _candidates(window, zone, local.date() + timedelta(days=days)):
            if instant > at and window.is_open(instant.astimezone(zone)):
                return instant
    return at + timedelta(days=_HORIZON)


def _candidates(window: Window, zone: ZoneInfo, day: date) -> list[datetime]:
    """Return the instants of a day at which a closed window can open, in order.

    That is its opening hour, which a clock set back shows twice, and the change of the clock itself: it can skip
    the opening hour, or fall back into the window.
    """
    opening = datetime.combine(day, time(window.start // 60, window.start % 60), tzinfo=zone)
    instants = {opening.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    changes = {instant for instant in _change(zone, day) if instant.astimezone(zone).date() == day}
    return sorted(instants | changes)


def _change(zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """Yield the minute at which the zone's clock changes within a day of this one, if it does."""
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    before, after = noon - timedelta(days=1), noon + timedelta(days=1)
    old = before.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == old:
        return
    while after - before > _MINUTE:
        middle = before + (after - before) // 2 // _MINUTE * _MINUTE
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    yield after


def _days(text: str, days: str) -> Iterator[int]:
    for part in days.split(","):
        first, dash, last = part.partition("-")
        names = (first, last) if dash else (first, first)
        if not set(names) <= set(WEEKDAYS):
            raise _bad(text, f"{part!r} is not a weekday or a span of weekdays ({', '.join(WEEKDAYS)})")
        start, end = (WEEKDAYS.index(name) for name in names)
        yield from ((start + step) % 7 for step in range((end - start) % 7 + 1))


def _minutes(text: str, clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    if minutes > 59 or hours * 60 + minutes > _DAY:
        raise _bad(text, f"{clock} is not a time of day from 00:00 to 24:00")
    return hours * 60 + minutes


def _bad(text: str, why: str) -> SettingsError:
    return SettingsError(
        f"{text!r} is not a sending window: {why}.", next_step="Write it like `Mon-Fri 08:00-19:00`."
    )


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


def countries_of(contact: ContactFields) -> tuple[str, ...]:
    """Return the countries that a contact may be in: their own, else their phone number's, else by their clock.

    One is known for certain; of a time zone they are all that keep its clock. None where nothing is known.
    """
    if contact.country:
        return (contact.country.upper(),)
    if country := _country_of_phone(contact.phone) if contact.phone else "":
        return (country,)
    return _countries_on(contact.time_zone) if contact.time_zone and is_zone(contact.time_zone) else ()


@lru_cache(maxsize=300)
def _countries_on(zone: str) -> tuple[str, ...]:
    if zone == "UTC":
        return ()
    clock = _rule(zone)
    return tuple(country for country, zones in _table().items() if any(_rule(other) == clock for other in zones))


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


@lru_cache(maxsize=1_000)
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
