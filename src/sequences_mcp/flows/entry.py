"""What a caller says about one person: an id, or facts to save, with variables and texts of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sequences_mcp.domain.addresses import address_key, read_address
from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.contact import FACTS, ContactFields, facts_of
from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.phones import EXTENSION, read_phone
from sequences_mcp.domain.row_problems import LONGEST, NEXT, RowProblem, require_none
from sequences_mcp.domain.variables import VARIABLES, is_blank
from sequences_mcp.errors import InvalidArgumentsError, WrongIdError
from sequences_mcp.flows.given import Given, require_none_unsound, unsound
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.providers.port import ContactEntry, Text

SEVERAL = ("emails", "phone_numbers")
EXTRAS = ("id", "note", "variables", "texts", *SEVERAL)
MAX_CONTACTS = 10_000
MOST_ADDRESSES = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person of a start: ``contact_id``, facts to save, or both: facts about the one who has that id.

    ``emails`` and ``phones`` are further ones.
    """

    contact_id: str | None
    contact: ContactEntry
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Text] = field(default_factory=dict)

    @property
    def has_facts(self) -> bool:
        """Whether it tells something to save."""
        return self.contact.note is not None or self.contact.fields != ContactFields()


def read_entries(raw: Items[object], *, policy: GuardPolicy, extras: bool = True) -> list[Entry]:
    """Return the entries of a call; ``extras`` allows id, variables and texts beside the facts.

    Raises InvalidArgumentsError that names every row (from 1) with what is wrong there, RefusedByGuardsError for
    values that are placeholders.
    """
    if not raw:
        raise _bad("contacts is empty", "Give at least one contact.")
    if len(raw) > MAX_CONTACTS:
        raise _bad(f"contacts has {len(raw):,} entries; the limit is {MAX_CONTACTS:,}", "Split the call.")
    rows = [_Row(position=index, extras=extras) for index in range(1, len(raw) + 1)]
    entries = [row.entry(item) for row, item in zip(rows, raw, strict=True)]
    whole = [entry for entry in entries if entry is not None]
    problems = [problem for row in rows for problem in row.problems]
    refused = unsound(_values(whole), policy=policy)
    if problems or refused:  # One answer names every row; alone, a bad address is told with its row's other facts.
        problems += _addresses(whole)
    if problems:
        problems += [_unsound(one, found) for one, found in refused]
        require_none(sorted(problems, key=lambda one: one.position), what="contact")
    require_none_unsound(refused)
    return whole


def _addresses(entries: Items[Entry]) -> list[RowProblem]:
    """Return what is wrong with the e-mail addresses: no start, save or preview takes one that is none."""
    problems = []
    for entry in entries:
        if email := entry.contact.fields.email:
            try:
                read_address(email)
            except InvalidArgumentsError as error:
                place = entry.contact.position or 0
                problems.append(RowProblem(place, "email", email, error.message.rstrip("."), error.next_step))
    return problems


def _unsound(given: Given, found: Finding) -> RowProblem:
    return RowProblem(given.position, given.name, given.value, found.message.rstrip("."))


# What the local engine needs of a person whatever the steps are: who it is, and when e-mails may leave.
_ALWAYS_USED = frozenset({"email"})
_OF_CHANNEL = {
    Channel.EMAIL: frozenset({"time_zone", "country"}),
    Channel.LINKEDIN: frozenset({"linkedin_url"}),
    Channel.WHATSAPP: frozenset({"phone"}),
    Channel.SMS: frozenset({"phone"}),
}
_IN_TEXTS = frozenset({"first_name", "last_name", "company", "job_title", "location"})


def optional_facts(steps: Iterable[Step]) -> frozenset[str]:
    """Return the facts that these steps make no use of: one that is wrong is left out, and said."""
    used = _ALWAYS_USED | _IN_TEXTS
    for step in steps:
        used |= _OF_CHANNEL[step.type]
    return frozenset(FACTS) - used


def not_saved(problem: RowProblem) -> Finding:
    """Return the warning about a fact that was left out."""
    return Finding(
        rule="person.fact_not_saved",
        severity=Severity.WARNING,
        field=problem.field,
        excerpt=(problem.value or "")[:LONGEST],
        message=f"{problem.field} was not saved: {problem.problem}. This sequence does not use it.",
    )


def _values(entries: Items[Entry]) -> Iterator[Given]:
    for entry in entries:
        position = entry.contact.position or 0
        where = f"contact {position}"
        named = [*facts_of(entry.contact.fields).items(), ("note", entry.contact.note), *entry.variables.items()]
        yield from (Given(where, name, value, position) for name, value in named)


@dataclass(slots=True)
class _Row:
    """Reads one row and collects what is wrong with it."""

    position: int
    extras: bool
    problems: list[RowProblem] = field(default_factory=list)

    def entry(self, item: object) -> Entry | None:
        """Return the person of a row; None where something is wrong."""
        if isinstance(item, str):
            item = {"email" if "@" in item else "id": item}
            if not self.extras:
                self._wrong(None, item, "it is not an object")
        if not isinstance(item, Mapping):
            self._wrong(None, item, f"it is not an object; its fields are {', '.join(FACTS)}")
            return None
        allowed = (*FACTS, *(EXTRAS if self.extras else ("id", "note")))
        for name in item:
            if name not in allowed:
                self._wrong(str(name), item[name], f"this is not a field; the fields are {', '.join(allowed)}")
        known = ContactFields(**{name: _line(self._text(item, name)) for name in FACTS})
        emails = self._read(lambda: _emails(item), "emails") or ()
        phones = self._read(lambda: _phones(item), "phone_numbers") or ()
        known = replace(
            known,
            email=known.email or next(iter(emails), None),
            phone=known.phone or next(iter(phones), None),
        )
        contact_id, note = self._id(item), self._text(item, "note")
        if contact_id is None and not (known.email or known.phone) and not self.problems:
            self._wrong(None, None, "it has neither email nor phone; one of the two says who it is")
        variables = self._read(lambda: read_variables(_given(item, "variables"), where="variables"), "variables")
        texts = self._read(lambda: _texts(_given(item, "texts")), "texts")
        if self.problems:
            return None
        return Entry(
            contact_id=contact_id,
            contact=ContactEntry(known, note, contact_id, position=self.position),
            emails=tuple(one for one in emails if address_key(one) != address_key(known.email or "")),
            phones=tuple(one for one in phones if one != known.phone),
            variables=variables or {},
            texts=texts or {},
        )

    def _id(self, item: Mapping[str, Any]) -> str | None:
        given = self._text(item, "id")
        try:
            return str(parse(given, Kind.CONTACT)) if given else None
        except WrongIdError as error:
            self._wrong("id", given, error.message, remedy=error.next_step)
            return None

    def _text(self, item: Mapping[str, Any], name: str) -> str | None:
        value = item.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong(name, value, "this is not text")
            return None
        return value.strip() or None

    def _read(self, read: Callable[[], T], name: str) -> T | None:
        try:
            return read()
        except InvalidArgumentsError as error:
            self._wrong(name, None, error.message, remedy=error.next_step)
            return None

    def _wrong(self, name: str | None, value: object, why: str, *, remedy: str = NEXT) -> None:
        shown = value if isinstance(value, str) or value is None else repr(value)
        self.problems.append(RowProblem(self.position, name, shown, why.rstrip("."), remedy))


def require_one_address(entries: Items[Entry], *, title: str) -> None:
    """Raise InvalidArgumentsError for a person with several addresses or numbers, where only one is used."""
    why = f"it has several e-mail addresses or phone numbers; {title} uses one of each"
    remedy = "Give the one to use as email or phone."
    require_none(
        [
            RowProblem(position, None, None, why, remedy)
            for position, entry in enumerate(entries, start=1)
            if entry.emails or entry.phones
        ],
        what="contact",
    )


def _emails(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read_address(one).text for one in _list(item, "emails")))


def _phones(item: Mapping[str, Any]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(read_phone(one, country=None) for one in _list(item, "phone_numbers")))
    if any(EXTENSION in one for one in found):
        raise _bad("no vendor takes a number with an extension", "Leave it out, or give a direct number.")
    return found


def _list(item: Mapping[str, Any], name: str) -> list[str]:
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise _bad("this is not a list of texts", 'Give it as ["…", "…"].')
    if len(value) > MOST_ADDRESSES:
        raise _bad(f"it has {len(value):,} entries", f"Give {MOST_ADDRESSES} at most.")
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


def _line(text: str | None) -> str | None:
    """Return a fact on one line with single spaces, as it is kept, so that a preview shows what a start sends."""
    return None if text is None else " ".join(text.split())


def _texts(raw: object) -> dict[str, Text]:
    if not isinstance(raw, Mapping):
        raise _bad("texts is not an object", "It maps a step id to the text for this person.")
    return {str(step_id): _one_text(value, step_id) for step_id, value in raw.items()}


def _one_text(value: object, step_id: object) -> Text:
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
        f"the text of step {str(step_id)[:80]!r} is not of the right form",
        "Give a string, or an object with content and, for an e-mail, subject.",
    )


def _bad(message: str, next_step: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{message}.", next_step=next_step)
