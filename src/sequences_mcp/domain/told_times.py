"""Instants in sentences of this program, for whoever shows them on the reader's own clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sequences_mcp.lazy_dataclasses import dataclass

_WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_TIME = re.compile(
    rf"(?:\b{_WEEKDAY} )?(\d{{4}}-\d\d-\d\d)[ T](\d\d:\d\d)(?::\d\d)?"
    r"(?:\+00:00| ((?:Etc/)?UTC|[A-Z]\w+(?:/[A-Z][\w+-]+)+))"
)
"""An instant as this program writes it: in UTC, or on the clock of a zone by its name."""


@dataclass(frozen=True, slots=True)
class ToldTime:
    """An instant that a sentence tells: its ``words``, and the same in UTC.

    ``local`` is the time of day with the zone where it was told on somebody's own clock, else empty.
    """

    words: str
    at: datetime
    local: str = ""


def parts_with_times(sentence: str) -> Iterator[str | ToldTime]:
    """Yield a sentence in parts, each instant in it as one; what is no day or has no known zone stays words."""
    begin = 0
    for match in _TIME.finditer(sentence):
        instant = _instant(match)
        if instant is not None:
            yield sentence[begin : match.start()]
            yield instant
            begin = match.end()
    yield sentence[begin:]


def _instant(match: re.Match[str]) -> ToldTime | None:
    zone = match[3] or "UTC"
    try:
        at = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError):
        return None
    return ToldTime(match[0], at.astimezone(UTC), "" if zone.endswith("UTC") else f"{match[2]} {zone}")
