"""What a caller says about people for a vendor to take in: facts, or the vendor's own id of somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from typing import Any

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.contact import FACTS, ContactFields, facts_of
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.given import Given, require_sound
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.providers.vendor_port import Newcomer


def read_newcomers(raw: Items[object], *, most: int, policy: GuardPolicy | None) -> list[Newcomer]:
    """Return the people of a call; InvalidArgumentsError names the position (from 1) and what is wrong there.

    RefusedByGuardsError for facts that are placeholders. Without a ``policy`` the values are not looked at: those
    of a call that was made before, to be found again.
    """
    if not 1 <= len(raw) <= most:
        raise _bad(
            f"contacts has {len(raw):,} entries; this vendor takes from 1 to {most:,} a call", "Split the call."
        )
    people = [_newcomer(item, position) for position, item in enumerate(raw, start=1)]
    _require_different(people)
    if policy is not None:
        require_sound(_values(people), policy=policy)
    return people


def _values(people: Items[Newcomer]) -> Iterator[Given]:
    for position, one in enumerate(people, start=1):
        yield from (Given(f"contact {position}", *fact) for fact in facts_of(one.fields).items())


def _newcomer(item: object, position: int) -> Newcomer:
    if isinstance(item, str):
        item = {"id": item}
    if not isinstance(item, Mapping):
        raise _bad(f"contact {position} is not an object", f"Its fields are {', '.join(FACTS)}.")
    if item.get("note") is not None:
        raise _bad(f"contact {position} has a note", "Vendors take no notes here; leave it out.")
    for name in item:
        if name not in (*FACTS, "id", "note"):
            raise _bad(f"contact {position}: {name!r} is not a field", f"The fields are {', '.join(FACTS)}.")
    given = _fact(item, "id", position)
    known = ContactFields(**{name: _fact(item, name, position) for name in FACTS})
    return Newcomer(id=str(parse(given, Kind.CONTACT)) if given else None, fields=known)


def _fact(item: Mapping[str, Any], name: str, position: int) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise _bad(f"contact {position}: {name} is not text", "Give it as a string.")
    return " ".join((value or "").split()) or None


def _require_different(people: Items[Newcomer]) -> None:
    places: dict[str, int] = {}
    for position, one in enumerate(people, start=1):
        email = address_key(one.fields.email) if one.fields.email else None
        known = one.id or email or one.fields.linkedin_url
        if known and (earlier := places.setdefault(known, position)) != position:
            raise _bad(f"contacts {earlier} and {position} are the same person", "Name each person once.")


def _bad(message: str, next_step: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{message}.", next_step=next_step)
