"""The maximum length of each argument and field, in characters, checked before any other work on a call.

The numbers are far above what people write and far below what would be slow. Names are those of arguments and of
fields inside them; a name that is not in the table has the general limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sequences_mcp.errors import InvalidArgumentsError

GENERAL = 500
KEY = 200
LIMITS: Mapping[str, int] = {
    # What is known about a person.
    "email": 320,
    "phone": 60,
    "first_name": 100,
    "last_name": 100,
    "company": 200,
    "company_domain": 300,
    "job_title": 300,
    "location": 200,
    "country": 60,
    "time_zone": 60,
    "language": 40,
    "linkedin_url": 500,
    "note": 10_000,
    "notes": 100_000,
    # What is written: the guards have limits of their own below these.
    "content": 100_000,
    "text": 1_000_000,  # of a file with people
    "subject": 2_000,
    "texts": 100_000,
    "variables": 1_000,
    # Whole lists that some callers give as JSON text; what is in them has its own limits.
    "contacts": 8_000_000,
    "steps": 2_000_000,
    "contacts[]": 400_000,
    "steps[]": 200_000,
    # What the panel sends back.
    "proof": 4_000,
}
_MAPPINGS = ("texts", "variables")
_ROWS = (list, tuple)
_NESTED = (dict, list, tuple)  # what JSON is made of: asking for any Mapping takes several times as long
_MOST_NAMED = 10
_SHOWN = 60
_DEEPEST = 32
PART = 10_000  # values looked at in one piece: about 5 ms
LONGEST_WAIT = timedelta(days=10 * 365)


def limit_of(name: str) -> int:
    """Return how many characters a field may have."""
    return LIMITS.get(name, GENERAL)


def require_short(name: str, value: str | None) -> None:
    """Raise InvalidArgumentsError, naming the limit, for a value that is too long for its field."""
    if value is not None and len(value) > limit_of(name):
        raise InvalidArgumentsError(
            f"{name} {_size(len(value), limit_of(name))}.", next_step="Give what a person would write there."
        )


def future(name: str, at: datetime | None, *, now: datetime) -> datetime:
    """Return the end of a pause in UTC.

    InvalidArgumentsError for None, a time without an offset, one in the past, and one more than LONGEST_WAIT
    ahead.
    """
    if at is None or at.tzinfo is None or at <= now:
        raise InvalidArgumentsError(
            f"A pause has to end in the future: {name} needs such a time, with its offset from UTC.",
            next_step="Give it like 2026-12-01T09:00:00+01:00.",
        )
    if at > now + LONGEST_WAIT:
        raise InvalidArgumentsError(
            f"{name} is more than {LONGEST_WAIT.days // 365} years ahead.",
            next_step="Give the time that is meant. stop_sequence ends a sequence for good.",
        )
    return at.astimezone(UTC)


def require_limits(arguments: Mapping[str, object]) -> None:
    """Raise InvalidArgumentsError that names the first places in a call's arguments beyond their limits."""
    for _ in checking_limits(arguments):
        pass


def checking_limits(arguments: Mapping[str, object]) -> Iterator[None]:
    """Do what ``require_limits`` does; yields after so many values, for other work in between."""
    results: list[str] = []
    for problem in problems(arguments):
        if problem is None:
            yield
            continue
        results.append(problem)
        if len(results) == _MOST_NAMED:
            break
    if results:
        raise InvalidArgumentsError(
            f"{'; '.join(results)}.", next_step="Shorten it, and call again.", data={"too_long": results}
        )


def problems(arguments: Mapping[str, object]) -> Iterator[str | None]:
    """Yield a clause, with its place, for each value that is too long or nested too deeply.

    None comes after every ``PART`` values or so.
    """
    # A stack instead of recursion: arguments may be nested deeper than Python's recursion limit.
    waiting: list[tuple[str, str, object, int]] = [("", "", dict(arguments), 0)]
    seen = 0
    while waiting:
        place, name, value, depth = waiting.pop()
        if depth > _DEEPEST:
            yield f"{place} is nested more than {_DEEPEST} deep"
        elif isinstance(value, dict):
            for key, child in value.items():
                field_name = key if isinstance(key, str) else str(key)
                if len(field_name) > KEY:
                    yield f"a name of a field in {place or 'the arguments'} {_size(len(field_name), KEY)}"
                    continue
                # The values of these mappings (names chosen by the caller) have the limit of the mapping.
                field = name if name in _MAPPINGS and field_name not in LIMITS else field_name
                if isinstance(child, _NESTED):
                    waiting.append((f"{place}.{field_name}" if place else field_name, field, child, depth + 1))
                elif sentence := _limit_exceeded(field, child):
                    yield f"{_short(f'{place}.{field_name}' if place else field_name)} {sentence}"
            seen += len(value)
        elif isinstance(value, _ROWS):
            field = f"{name}[]"
            for index, child in enumerate(value):
                if isinstance(child, _NESTED):
                    waiting.append((f"{place}[{index}]", field, child, depth + 1))
                elif sentence := _limit_exceeded(field, child):
                    yield f"{_short(f'{place}[{index}]')} {sentence}"
                if index % PART == PART - 1:
                    yield None
            seen += len(value) % PART
        if seen >= PART:
            seen = 0
            yield None


def _limit_exceeded(name: str, value: object) -> str | None:
    if isinstance(value, str):
        return _size(len(value), limit) if len(value) > (limit := LIMITS.get(name, GENERAL)) else None
    # SQLite's integers have 64 bits.
    if isinstance(value, int) and value.bit_length() > 64:
        return "is a number beyond 64 bits"
    return None


def _short(place: str) -> str:
    return place if len(place) <= _SHOWN else f"…{place[-_SHOWN:]}"


def _size(length: int, limit: int) -> str:
    return f"is {length:,} characters long; the limit is {limit:,}"
