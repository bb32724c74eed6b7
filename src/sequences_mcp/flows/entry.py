"""What a caller says about one person: an id, or facts to save, with variables and texts of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from typing import Any

from sequences_mcp.domain.addresses import address_key, read_address
from sequences_mcp.domain.contact import FACTS, ContactFields, facts_of
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.variables import VARIABLES, is_blank
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.given import Given, require_sound
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.providers.port import ContactEntry, Text

SEVERAL = ("emails", "phone_numbers")
EXTRAS = ("id", "note", "variables", "texts", *SEVERAL)
MAX_CONTACTS = 10_000
MOST_ADDRESSES = 20
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person of a start: ``contact_id`` or facts to save; ``emails`` and ``phones`` are further ones."""

    contact_id: str | None
    contact: ContactEntry
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
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
    if isinstance(item, str) and extras and "@" in item:
        item = {"email": item}
    if isinstance(item, str) and extras:
        return Entry(contact_id=str(parse(item, Kind.CONTACT)), contact=ContactEntry(ContactFields()))
    if not isinstance(item, Mapping):
        raise _bad(f"contact {position} is not an object", f"Its fields are {', '.join(FACTS)}.")
    allowed = (*FACTS, *(EXTRAS if extras else ("id", "note")))
    for name in item:
        if name not in allowed:
            raise _bad(f"contact {position}: {name!r} is not a field", f"The fields are {', '.join(allowed)}.")
    known = ContactFields(**{name: _line(_text(item, name, position)) for name in FACTS})
    emails, phones = _emails(item, position), _phones(item, position)
    known = replace(
        known,
        email=known.email or next(iter(emails), None),
        phone=known.phone or next(iter(phones), None),
    )
    contact_id = _text(item, "id", position)
    note = _text(item, "note", position)
    if extras and contact_id and (note or known != ContactFields()):
        raise _bad(f"contact {position} has an id and facts beside it", "save_contacts changes what is stored.")
    if contact_id is None and not (known.email or known.phone):
        raise _bad(f"contact {position} has neither email nor phone", "One of the two says who it is.")
    return Entry(
        contact_id=str(parse(contact_id, Kind.CONTACT)) if contact_id else None,
        contact=ContactEntry(known, note, None if extras else contact_id),
        emails=tuple(one for one in emails if address_key(one) != address_key(known.email or "")),
        phones=tuple(one for one in phones if one != known.phone),
        variables=read_variables(_given(item, "variables"), where=f"contact {position}"),
        texts=_texts(_given(item, "texts"), position),
    )


def require_one_address(entries: Items[Entry], *, title: str) -> None:
    """Raise InvalidArgumentsError for a person with several addresses or numbers, where only one is used."""
    for position, entry in enumerate(entries, start=1):
        if entry.emails or entry.phones:
            raise _bad(
                f"contact {position} has several e-mail addresses or phone numbers; {title} uses one of each",
                "Give the one to use as email or phone.",
            )


def _emails(item: Mapping[str, Any], position: int) -> tuple[str, ...]:
    found = []
    for one in _list(item, "emails", position):
        try:
            found.append(read_address(one).text)
        except InvalidArgumentsError as error:
            raise _bad(f"contact {position}: {error.message.rstrip('.')}", error.next_step) from error
    return tuple(dict.fromkeys(found))


def _phones(item: Mapping[str, Any], position: int) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_list(item, "phone_numbers", position)))
    for one in found:
        if not _E164.fullmatch(one):
            raise _bad(f"contact {position}: a phone number is not in E.164", "Write it like +33612345678.")
    return found


def _list(item: Mapping[str, Any], name: str, position: int) -> list[str]:
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise _bad(f"contact {position}: {name} is not a list of texts", 'Give it as ["…", "…"].')
    if len(value) > MOST_ADDRESSES:
        raise _bad(f"contact {position}: {name} has {len(value):,} entries", f"Give {MOST_ADDRESSES} at most.")
    return [one.strip() for one in value]


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
