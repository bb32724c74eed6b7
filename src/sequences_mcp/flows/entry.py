"""What a caller says about one person: an id, or facts to save, with variables and texts of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any

from sequences_mcp.domain.contact import FACTS, ContactFields, facts_of
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.variables import VARIABLES, is_blank
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.given import Given, require_sound
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.providers.port import ContactEntry, Text

EXTRAS = ("id", "note", "variables", "texts")
MAX_CONTACTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person of a start: either ``contact_id`` or facts to save."""

    contact_id: str | None
    contact: ContactEntry
    variables: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Text] = field(default_factory=dict)


def read_entries(raw: Items[object], *, policy: GuardPolicy, extras: bool = True) -> list[Entry]:
    """Return the entries of a call; ``extras`` allows id, variables and texts beside the facts.

    Raises InvalidArgumentsError that names the position (from 1) and what is wrong there, RefusedByGuardsError for
    values that are placeholders.
    """
    if not raw:
        raise _bad("contacts is empty", "Give at least one contact.")
    if len(raw) > MAX_CONTACTS:
        raise _bad(f"contacts has {len(raw):,} entries; the limit is {MAX_CONTACTS:,}", "Split the call.")
    entries = [_entry(item, position=index, extras=extras) for index, item in enumerate(raw, start=1)]
    require_sound(_values(entries), policy=policy)
    return entries


def _values(entries: Items[Entry]) -> Iterator[Given]:
    for position, entry in enumerate(entries, start=1):
        where = f"contact {position}"
        yield from (Given(where, name, value) for name, value in facts_of(entry.contact.fields).items())
        yield Given(where, "note", entry.contact.note)
        yield from (Given(where, name, value) for name, value in entry.variables.items())


def _entry(item: object, *, position: int, extras: bool) -> Entry:
    if isinstance(item, str) and extras:
        return Entry(contact_id=str(parse(item, Kind.CONTACT)), contact=ContactEntry(ContactFields()))
    if not isinstance(item, Mapping):
        raise _bad(f"contact {position} is not an object", f"Its fields are {', '.join(FACTS)}.")
    allowed = (*FACTS, *(EXTRAS if extras else ("id", "note")))
    for name in item:
        if name not in allowed:
            raise _bad(f"contact {position}: {name!r} is not a field", f"The fields are {', '.join(allowed)}.")
    known = ContactFields(**{name: _line(_text(item, name, position)) for name in FACTS})
    contact_id = _text(item, "id", position)
    note = _text(item, "note", position)
    if extras and contact_id and (note or known != ContactFields()):
        raise _bad(f"contact {position} has an id and facts beside it", "save_contacts changes what is stored.")
    if contact_id is None and not (known.email or known.phone):
        raise _bad(f"contact {position} has neither email nor phone", "One of the two says who it is.")
    return Entry(
        contact_id=str(parse(contact_id, Kind.CONTACT)) if contact_id else None,
        contact=ContactEntry(known, note, None if extras else contact_id),
        variables=read_variables(_given(item, "variables"), where=f"contact {position}"),
        texts=_texts(_given(item, "texts"), position),
    )


def _given(item: Mapping[str, Any], name: str) -> object:
    return {} if item.get(name) is None else item[name]


def read_variables(raw: object, *, where: str) -> dict[str, str]:
    """Return overrides of variables, by name; InvalidArgumentsError for unknown names and blank values."""
    if not isinstance(raw, Mapping):
        raise _bad(f"{where}: variables is not an object", "It maps a variable's name to its value.")
    for name, value in raw.items():
        if name not in VARIABLES:
            raise _bad(f"{where}: {name!r} is not a variable", f"The variables are {', '.join(VARIABLES)}.")
        if not isinstance(value, str) or is_blank(value):
            raise _bad(f"{where}: the value of {name} is blank or not text", "Leave it out, or give the text.")
    return {name: value.strip() for name, value in raw.items()}


def _text(item: Mapping[str, Any], name: str, position: int) -> str | None:
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _bad(f"contact {position}: {name} is not text", "Give it as a string.")
    return value.strip() or None


def _line(text: str | None) -> str | None:
    """Return a fact on one line with single spaces, as it is kept, so that a preview shows what a start sends."""
    return None if text is None else " ".join(text.split())


def _texts(raw: object, position: int) -> dict[str, Text]:
    if not isinstance(raw, Mapping):
        raise _bad(f"contact {position}: texts is not an object", "It maps a step id to the text for this person.")
    return {str(step_id): _one_text(value, step_id, position) for step_id, value in raw.items()}


def _one_text(value: object, step_id: object, position: int) -> Text:
    if isinstance(value, str):
        return Text(subject=None, content=value)
    if (
        isinstance(value, Mapping)
        and set(value) <= {"subject", "content"}
        and isinstance(value.get("content"), str)
    ):
        subject = value.get("subject")
        if subject is None or isinstance(subject, str):
            return Text(subject=subject, content=value["content"])
    raise _bad(
        f"contact {position}: the text of step {step_id!r} is not of the right form",
        "Give a string, or an object with content and, for an e-mail, subject.",
    )


def _bad(message: str, next_step: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{message}.", next_step=next_step)
