"""Reading a vendor's JSON and quoting its texts: values are checked; a missing one is None or UnreadableError."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from datetime import UTC, datetime
from typing import TypeGuard, TypeVar

from sequences_mcp.domain.invisible import PRIVATE, strip

NAME = 200
MESSAGE = 500
NOTES = 2_000
BODY = 4_000
_SEPARATORS = re.compile("[\u2028\u2029]")
_DROPPED = re.compile(f"[\r{PRIVATE}]")


def quoted_text(text: str, limit: int = NAME) -> str:
    """Return at most ``limit`` characters without control, bidirectional, tag and lone surrogate characters."""
    shown = strip(_DROPPED.sub("", _SEPARATORS.sub(" ", text[: limit * 2])))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def on_one_line(text: str, limit: int = NAME) -> str:
    """Return the same on one line."""
    return " ".join(quoted_text(text, limit).split())


Row = Mapping[str, object]
T = TypeVar("T")

LONGEST_ID = 200
MOST_ROWS = 1_000
REST_KEYS = 40
REST_DEPTH = 4
REST_ITEMS = 50
REST_TEXT = 500
LARGEST = 2**53


class UnreadableError(ValueError):
    """An answer does not say what it must say; the text is ours and may be shown."""


def is_row(value: object) -> TypeGuard[Row]:
    """Say whether a value is a JSON object."""
    return isinstance(value, dict)


def row_at(value: object, what: str) -> Row:
    """Return a value that must be a JSON object."""
    if not is_row(value):
        raise UnreadableError(f"{what} is not an object")
    return value


def inner_row(parent: Row, name: str) -> Row:
    """Return a field that should be an object, or an empty one."""
    value = parent.get(name)
    return value if is_row(value) else {}


def ident(parent: Row, *names: str) -> str:
    """Return the first of these fields that is an id; UnreadableError when none is."""
    result = ident_or_none(parent, *names)
    if result is None:
        raise UnreadableError(f"there is no {names[0]}")
    return result


def ident_or_none(parent: Row, *names: str) -> str | None:
    """Return the first of these fields that is an id (text, or a whole number), or None."""
    for name in names:
        value = parent.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST:
            value = str(value)
        if isinstance(value, str) and _is_id(value):
            return value
    return None


def _is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and text.isprintable() and not any(map(str.isspace, text))


def text_at(parent: Row, *names: str, limit: int = NAME) -> str | None:
    """Return the first of these fields that is text and not blank, on one line and cut, or None."""
    return next((line for name in names if (line := _one_line(parent.get(name), limit))), None)


def prose_at(parent: Row, *names: str, limit: int = BODY) -> str | None:
    """Return the first of these fields that is text and not blank, with its line ends, or None."""
    texts = (value for name in names if isinstance(value := parent.get(name), str))
    return next((quoted for value in texts if (quoted := quoted_text(value, limit).strip())), None)


def texts_at(parent: Row, name: str, *, of: Callable[[object], object] = lambda item: item) -> tuple[str, ...]:
    """Return the items of a list that are text; ``of`` takes an item to its text."""
    lines = (_one_line(of(item), NAME) for item in list_at(parent.get(name))[:MOST_ROWS])
    return tuple(line for line in lines if line)


def _one_line(value: object, limit: int) -> str | None:
    return (on_one_line(value, limit) or None) if isinstance(value, str) else None


def number_at(parent: Row, *names: str) -> int | None:
    """Return the first of these fields that is a whole number from 0 to 2^53, or None."""
    for name in names:
        value = parent.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST:
            return value
    return None


def flag_at(parent: Row, name: str) -> bool | None:
    """Return a field that is true or false, or None."""
    value = parent.get(name)
    return value if isinstance(value, bool) else None


def instant_at(parent: Row, *names: str) -> datetime | None:
    """Return the first of these fields that is an ISO 8601 time, aware (UTC where no offset is given), or None."""
    return next((at for name in names if (at := _instant(parent.get(name)))), None)


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def list_at(value: object) -> Items[object]:
    """Return a JSON list, or an empty one."""
    return value if isinstance(value, list) else ()


def rows_of(value: object, what: str, read: Callable[[Row], T]) -> tuple[tuple[T, ...], int]:
    """Return what could be read of a list of objects, and how many could not; UnreadableError if it is no list."""
    if not isinstance(value, list):
        raise UnreadableError(f"{what} is not a list")
    rows = [_attempt(item, read) for item in value[:MOST_ROWS]]
    good = tuple(row for row in rows if row is not None)
    return good, len(value) - len(good)


def _attempt(item: object, read: Callable[[Row], T]) -> T | None:
    try:
        return read(item) if is_row(item) else None
    except UnreadableError:
        return None


def rest(parent: Row, known: Iterable[str]) -> dict[str, object]:
    """Return the fields that are not ``known``, made fit to be shown: cut in length, depth and number."""
    skip = frozenset(known)
    return _object({key: value for key, value in parent.items() if key not in skip}, REST_DEPTH)


def as_json(fields: Row) -> str | None:
    """Return some fields of an answer, made fit to be shown, as JSON text; None for none."""
    shown = rest({key: value for key, value in fields.items() if value is not None}, ())
    return json.dumps(shown, ensure_ascii=False) if shown else None


def _object(value: Row, depth: int) -> dict[str, object]:
    items = list(value.items())[:REST_KEYS]
    return {on_one_line(str(key)): _plain(item, depth - 1) for key, item in items}


def _plain(value: object, depth: int) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return quoted_text(value, REST_TEXT)
    if depth <= 0:
        return "…"
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value[:REST_ITEMS]]
    return _object(value, depth) if is_row(value) else "…"
