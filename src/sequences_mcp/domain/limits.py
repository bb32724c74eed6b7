"""How long each thing that is given and stored may be, in characters: one table, asked before any other work.

The numbers are far above what people write and far below what slows anything down. Names are those of arguments and
of fields inside them; a name that is not here has the general limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
    "subject": 2_000,
    "texts": 100_000,
    "variables": 1_000,
    # Whole lists that some callers give as JSON text; what is in them has its own limits.
    "contacts": 8_000_000,
    "steps": 2_000_000,
    # What the panel sends back.
    "proof": 4_000,
}
_MOST_NAMED = 10
_SHOWN = 60
_DEEPEST = 32


def limit_of(name: str) -> int:
    """Return how many characters a field may have."""
    return LIMITS.get(name, GENERAL)


def require_short(name: str, value: str | None) -> None:
    """Raise InvalidArgumentsError, naming the limit, for a value that is too long for its field."""
    if value is not None and len(value) > limit_of(name):
        raise InvalidArgumentsError(
            f"{_too_long(name, len(value), limit_of(name))}.", next_step="Give what a person would write there."
        )


def require_limits(arguments: Mapping[str, object]) -> None:
    """Raise InvalidArgumentsError that names the first places in a call's arguments that are too long or too deep."""
    found = []
    for problem in problems(arguments):
        found.append(problem)
        if len(found) == _MOST_NAMED:
            break
    if found:
        raise InvalidArgumentsError(
            f"{'; '.join(found)}.", next_step="Shorten it, and call again.", data={"too_long": found}
        )


def problems(arguments: Mapping[str, object]) -> Iterator[str]:
    """Yield what is too long or too deep, with its place; nothing of a long value is read."""
    waiting: list[tuple[str, str, object, int]] = [("", "", arguments, 0)]
    while waiting:
        place, name, value, depth = waiting.pop()
        if isinstance(value, str):
            if len(value) > (limit := limit_of(name)):
                yield _too_long(place, len(value), limit)
        elif isinstance(value, int) and not isinstance(value, bool):
            if value.bit_length() > 64:
                yield f"{place} is a number beyond 64 bits"
        elif depth > _DEEPEST:
            yield f"{place} is nested more than {_DEEPEST} deep"
        elif isinstance(value, Mapping):
            for key, child in reversed(list(value.items())):
                own = str(key)
                if len(own) > KEY:
                    yield f"a name of a field in {place or 'the arguments'} {_size(len(own), KEY)}"
                    continue
                # What stands below a mapping from names to texts has the mapping's limit.
                inherited = name if name in ("texts", "variables") and own not in LIMITS else own
                waiting.append((f"{place}.{own}" if place else own, inherited, child, depth + 1))
        elif isinstance(value, list | tuple):
            for index in range(len(value) - 1, -1, -1):
                waiting.append((f"{place}[{index}]", name, value[index], depth + 1))


def _too_long(place: str, length: int, limit: int) -> str:
    shown = place if len(place) <= _SHOWN else f"…{place[-_SHOWN:]}"
    return f"{shown} {_size(length, limit)}"


def _size(length: int, limit: int) -> str:
    return f"is {length:,} characters long; the limit is {limit:,}"
