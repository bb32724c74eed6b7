"""Named SQL, and instants as the database keeps them: microseconds since 1970 in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
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


_NAME = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)
FOLDER = Path(__file__).parent / "queries"


def parse_statements(text: str) -> Mapping[str, str]:
    """Return statements by name; ValueError for a name used twice or a statement without its plain line."""
    parts = _NAME.split(text)[1:]
    results: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in results:
            raise ValueError(f"two statements are named {name}")
        if not body.lstrip().startswith("-- "):
            raise ValueError(f"{name} has no line that says what it does")
        results[name] = body.strip()
    return results


@cache
def _file(name: str) -> Mapping[str, str]:
    return parse_statements((FOLDER / f"{name}.sql").read_text("utf-8"))


@cache
def statement(name: str) -> str:
    """Return the statement called ``file.name``; KeyError."""
    file, _, statement_name = name.partition(".")
    return _file(file)[statement_name]


_PARAMETER = re.compile(r":([a-z_]+)")


@cache
def statement_by_place(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the statement called ``file.name`` with ``?1``, ``?2`` … for its parameters, and these in order.

    The driver looks a name up for each value of each row; for thousands of rows, places take half the time.
    """
    sql = statement(name)
    names = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
    return _PARAMETER.sub(lambda match: f"?{names.index(match[1]) + 1}", sql), names
