"""Reading queries and bodies: the value, or BadInput that names the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from sequences_mcp.sandbox.rest.refusal import BadInput


def integer(query: QueryParams, name: str, default: int, *, low: int, high: int | None = None) -> int:
    """Return a whole number of the query within its bounds."""
    text = query.get(name, str(default))
    number = int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else None
    if number is None or number < low or (high is not None and number > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise BadInput(f"{name} must be an integer {bounds}", field=name)
    return number


def choice(query: QueryParams, name: str, options: Iterable[str], *, default: str) -> str:
    """Return one of the options."""
    return one_of(query.get(name, default), options, field=name)


def one_of(value: object, options: Iterable[str], *, field: str) -> str:
    """Return the value if it is one of the options."""
    allowed = sorted(options)
    if not isinstance(value, str) or value not in allowed:
        raise BadInput(f"{field} must be one of {', '.join(allowed)}", field=field)
    return value


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a required string with something in it."""
    value = optional_text(fields, name)
    if value is None or not value.strip():
        raise BadInput(f"{name} is required", field=name)
    return value


def optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a string, or None where it is absent or null."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{name} must be a string", field=name)
    return value


def flag(fields: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return a boolean."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise BadInput(f"{name} must be a boolean", field=name)
    return value


def texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of strings; none where it is absent."""
    value = fields.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise BadInput(f"{name} must be an array of strings", field=name)
    return tuple(value)


def objects(fields: Mapping[str, Any], name: str, *, most: int) -> list[dict[str, Any]]:
    """Return a required list of 1 to ``most`` objects."""
    value = fields.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise BadInput(f"{name} must be an array of 1 to {most} items", field=name)
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise BadInput(f"{name}[{number}] must be an object", field=f"{name}[{number}]")
    return value


def only(fields: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse keys that do not exist."""
    unknown = sorted(set(fields) - set(names))
    if unknown:
        raise BadInput(f"Unrecognized key: {unknown[0]}", field=unknown[0])


def moment(value: object, *, field: str) -> datetime:
    """Return a point in time from ISO 8601; one without an offset is read as UTC."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is not None:
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInput(f"{field} must be an ISO 8601 datetime", field=field)


def optional_moment(query: Mapping[str, Any], name: str) -> datetime | None:
    """Return a point in time, or None where it is absent or null."""
    return None if query.get(name) is None else moment(query[name], field=name)


def stamp(at: datetime, *, millis: bool = False) -> str:
    """Return a time as the vendors write it: ``2026-01-05T09:00:00Z``."""
    written = at.astimezone(UTC).isoformat(timespec="milliseconds" if millis else "seconds")
    return written.replace("+00:00", "Z")


def optional_stamp(at: datetime | None) -> str | None:
    """Return a time as the vendors write it, or None."""
    return None if at is None else stamp(at)
