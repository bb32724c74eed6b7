"""Instants as the database keeps them: whole microseconds since 1970 in UTC, so that they sort and compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# A day from the ends of the calendar, so that any zone can show it.
_FIRST = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST = (datetime(9999, 12, 30, tzinfo=UTC) - EPOCH) // _MICROSECOND


@overload
def to_micros(at: datetime) -> int: ...
@overload
def to_micros(at: None) -> None: ...
def to_micros(at: datetime | None) -> int | None:
    """Return microseconds for an aware instant; TypeError for a naive one."""
    return None if at is None else (at - EPOCH) // _MICROSECOND


@overload
def from_micros(micros: int) -> datetime: ...
@overload
def from_micros(micros: None) -> None: ...
def from_micros(micros: int | None) -> datetime | None:
    """Return the instant in UTC; the first or last one that there is for what lies beyond it."""
    if micros is None:
        return None
    return EPOCH + timedelta(microseconds=min(max(micros, _FIRST), _LAST))
