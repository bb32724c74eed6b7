"""Reading a vendor's JSON: the base and the field types of its models, and quoting its texts.

An answer may be newer than this program, damaged or hostile. So a field of another type than documented reads as
None and loses neither its object nor the list around it. Only what a model gives no default must be there and
right: ``VendorObject.read`` makes one UnreadableError of whatever pydantic says. Two names for one field are two
fields, of which ``to_domain`` takes the first that could be read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Self, TypeGuard, TypeVar

from pydantic import AliasPath, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from sequences_mcp.domain.invisible import PRIVATE, strip

NAME = 200
CODE = 80
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


class VendorObject(BaseModel):
    """A JSON object of a vendor, as far as it is read. Its schema is built when the first one is."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @classmethod
    def read(cls, value: object) -> Self:
        """Return the object that a value is; UnreadableError names what it must have and has not."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            place = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
            what = f"there is no {place[0]}" if place else "the answer is not an object"
            raise UnreadableError(what) from None


M = TypeVar("M", bound=VendorObject)


def reader(model: type[M], to_domain: Callable[[M], T]) -> Callable[[object], T]:
    """Return a function that reads an object as a model and returns what ``to_domain`` makes of it."""
    return lambda value: to_domain(model.read(value))


def is_row(value: object) -> TypeGuard[Row]:
    """Say whether a value is a JSON object."""
    return isinstance(value, dict)


def row_at(value: object, what: str) -> Row:
    """Return a value that must be a JSON object."""
    if not is_row(value):
        raise UnreadableError(f"{what} is not an object")
    return value


def row_or_empty(value: object) -> Row:
    """Return a value that should be a JSON object, or an empty one."""
    return value if is_row(value) else {}


def id_or_none(value: object, *, of: str = "") -> str | None:
    """Return a value that is an id (text, or a whole number), as a whole id with the vendor's name, or None."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST:
        value = str(value)
    is_id = isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()
    return f"{of}{value}" if is_id and not any(map(str.isspace, str(value))) else None


def needed_id(value: object, *, of: str = "") -> str:
    """Return the same; UnreadableError for what is no id."""
    return present(id_or_none(value, of=of), "id")


def present(value: T | None, what: str) -> T:
    """Return a value that an answer must have; UnreadableError for None."""
    if value is None:
        raise UnreadableError(f"there is no {what}")
    return value


def line(value: object, limit: int = NAME) -> str | None:
    """Return a value that is text and not blank, on one line and cut, or None."""
    return (on_one_line(value, limit) or None) if isinstance(value, str) else None


def prose(value: object, limit: int = BODY) -> str | None:
    """Return a value that is text and not blank, with its line ends, or None."""
    return (quoted_text(value, limit).strip() or None) if isinstance(value, str) else None


def texts(value: object, *, of: Callable[[object], object] = lambda item: item) -> tuple[str, ...]:
    """Return the items of a list that are text; ``of`` takes an item to its text."""
    return tuple(filter(None, (line(of(item)) for item in list_or_empty(value)[:MOST_ROWS])))


def number(value: object) -> int | None:
    """Return a value that is a whole number from 0 to 2^53, or None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST:
        return value
    return None


def flag(value: object) -> bool | None:
    """Return a value that is true or false, or None."""
    return value if isinstance(value, bool) else None


def instant(value: object) -> datetime | None:
    """Return a value that is an ISO 8601 time, aware (UTC where no offset is given), or None."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def list_or_empty(value: object) -> list[object]:
    """Return a JSON list, or an empty one."""
    return value if isinstance(value, list) else []


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


# The types of the models' fields. All but Id take any value, so that a wrong one becomes None and costs no object.

Id = Annotated[str, PlainValidator(needed_id)]
IdOrNone = Annotated[str | None, PlainValidator(id_or_none)]
Line = Annotated[str | None, PlainValidator(line)]
Code = Annotated[str | None, PlainValidator(partial(line, limit=CODE))]
Message = Annotated[str | None, PlainValidator(partial(line, limit=MESSAGE))]
Prose = Annotated[str | None, PlainValidator(prose)]
Lines = Annotated[tuple[str, ...], PlainValidator(texts)]
Number = Annotated[int | None, PlainValidator(number)]
Flag = Annotated[bool | None, PlainValidator(flag)]
Instant = Annotated[datetime | None, PlainValidator(instant)]
Object = Annotated[Row, PlainValidator(row_or_empty)]


def at(*path: str, default: object = None) -> Any:
    """Return what a model's field is read from: a vendor's name, or several, each inside of the one before."""
    return Field(default=default, validation_alias=AliasPath(*path))


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
