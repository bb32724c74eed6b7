"""What a caller says about one person: an id, or facts to save, with variables and texts of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sequences_mcp.domain.addresses import address_key, read_address
from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.contact import FACTS, ContactFields, facts_of
from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.phones import EXTENSION, read_phone
from sequences_mcp.domain.row_problems import LONGEST, NEXT, RowProblem, require_none
from sequences_mcp.domain.variables import VARIABLES, is_blank
from sequences_mcp.errors import InvalidArgumentsError, SequencesError, WrongIdError
from sequences_mcp.flows.given import Given, refused_value, require_none_unsound, unsound
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.providers.port import ContactEntry, Text

SEVERAL = ("emails", "phone_numbers")
EXTRAS = ("id", "note", "variables", "texts", *SEVERAL)
MAX_CONTACTS = 10_000
MOST_ADDRESSES = 20
NO_OBJECT = "variables is not an object"
LEAVE_OUT = "Leave it out, or give the text."
TEXTS_NO_OBJECT = "texts is not an object"
TEXT_MISSHAPEN = "the text is not of the right form"
TEXT_FORM = "Give a string, or an object with content and, for an e-mail, subject."


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


@dataclass(frozen=True, slots=True)
class Rows:
    """The people of a call as far as their rows could be read, and what is wrong with the rows so far.

    ``entries`` has every row that is an object, those with a problem as well, so that the facts in them are looked
    at before the call is refused; ``refused`` are the values that the guards refuse.
    """

    entries: tuple[Entry, ...]
    problems: tuple[RowProblem, ...]
    refused: tuple[tuple[Given, Finding], ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.problems and not self.refused

    def whole(self) -> list[Entry]:
        """Return the people of the rows with which nothing is wrong so far."""
        bad = {one.position for one in self.problems} | {one.position for one, _ in self.refused}
        return [entry for entry in self.entries if entry.contact.position not in bad]

    def require_sound(self, found: Iterable[RowProblem] = ()) -> None:
        """Raise one error with every problem of every row, those that were ``found`` later among them.

        InvalidArgumentsError, or RefusedByGuardsError where values refused by the guards are all there is. A
        problem with a field that has one already, and one with the whole of a row that has others, follow from
        the earlier ones and are left out.
        """
        problems = [*self.problems, *self._new(found)]
        if problems:
            problems += [refused_value(one, finding) for one, finding in self.refused]
            require_none(sorted(problems, key=lambda one: one.position), what="contact")
        require_none_unsound(self.refused)

    def _new(self, found: Iterable[RowProblem]) -> Iterator[RowProblem]:
        told = {(one.position, one.field) for one in self.problems}
        told |= {(one.position, one.name) for one, _ in self.refused}
        bad = {position for position, _ in told}
        for one in found:
            follows = one.position in bad if one.field is None else (one.position, one.field) in told
            if not follows:
                yield one


def read_rows(raw: Items[object], *, policy: GuardPolicy, extras: bool = True) -> Rows:
    """Return the rows of a call; ``extras`` allows id, variables and texts beside the facts.

    Raises InvalidArgumentsError only where there are none, or too many.
    """
    if not raw:
        raise _bad("contacts is empty", "Give at least one contact.")
    if len(raw) > MAX_CONTACTS:
        raise _bad(f"contacts has {len(raw):,} entries; the limit is {MAX_CONTACTS:,}", "Split the call.")
    rows = [_Row(position=index, extras=extras) for index in range(1, len(raw) + 1)]
    read = [row.entry(item) for row, item in zip(rows, raw, strict=True)]
    entries = tuple(entry for entry in read if entry is not None)
    return Rows(
        entries=entries,
        problems=tuple(problem for row in rows for problem in row.problems),
        refused=tuple(unsound(_values(entries), policy=policy)),
    )


@contextmanager
def told_of(rows: Rows) -> Iterator[None]:
    """Tell what is wrong with the rows in place of an error about the call as a whole."""
    try:
        yield
    except SequencesError:
        rows.require_sound()
        raise


def with_optional(entries: Iterable[Entry], optional: frozenset[str]) -> list[Entry]:
    """Return the entries with the facts that are left out where they are wrong."""
    return [replace(entry, contact=replace(entry.contact, optional=optional)) for entry in entries]


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
        """Return the person of a row as far as it can be read; None for a row that is no object."""
        if isinstance(item, str) and self.extras:
            item = {"email" if "@" in item else "id": item}
        if not isinstance(item, Mapping):
            self._wrong(None, item, f"it is not an object; its fields are {', '.join(FACTS)}")
            return None
        allowed = (*FACTS, *(EXTRAS if self.extras else ("id", "note")))
        for name in item:
            if name not in allowed:
                self._wrong(str(name), item[name], f"this is not a field; the fields are {', '.join(allowed)}")
        known = ContactFields(**{name: _line(self._text(item, name)) for name in FACTS})
        emails = self._each(item, "emails", lambda one: read_address(one).text)
        phones = self._each(item, "phone_numbers", _direct)
        known = replace(
            known,
            email=known.email or next(iter(emails), None),
            phone=known.phone or next(iter(phones), None),
        )
        contact_id, note = self._id(item), self._text(item, "note")
        if contact_id is None and not (known.email or known.phone) and not self.problems:
            self._wrong(None, None, "it has neither email nor phone; one of the two says who it is")
        return Entry(
            contact_id=contact_id,
            contact=ContactEntry(known, note, contact_id, position=self.position),
            emails=tuple(one for one in emails if address_key(one) != address_key(known.email or "")),
            phones=tuple(one for one in phones if one != known.phone),
            variables=self._variables(_given(item, "variables")),
            texts=self._texts(_given(item, "texts")),
        )

    def _each(self, item: Mapping[str, Any], name: str, read: Callable[[str], str]) -> tuple[str, ...]:
        """Return each address or number of a list in its one spelling."""
        found = []
        try:
            given = _list(item, name)
        except InvalidArgumentsError as error:
            self._wrong(name, None, error.message, remedy=error.next_step)
            return ()
        for one in given:
            try:
                found.append(read(one))
            except InvalidArgumentsError as error:
                self._wrong(name, one, error.message, remedy=error.next_step)
        return tuple(dict.fromkeys(found))

    def _variables(self, raw: object) -> dict[str, str]:
        for fault in variable_faults(raw):
            self._wrong(fault.field, fault.value, fault.why, remedy=fault.remedy)
        return _sound_variables(raw)

    def _texts(self, raw: object) -> dict[str, Text]:
        if not isinstance(raw, Mapping):
            self._wrong("texts", raw, TEXTS_NO_OBJECT, remedy="It maps a step id to the text for this person.")
            return {}
        found = {}
        for step_id, value in raw.items():
            text = _one_text(value)
            if text is None:
                self._wrong(f"texts.{str(step_id)[:LONGEST]}", None, TEXT_MISSHAPEN, remedy=TEXT_FORM)
            else:
                found[str(step_id)] = text
        return found

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

    def _wrong(self, name: str | None, value: object, why: str, *, remedy: str = NEXT) -> None:
        shown = value if isinstance(value, str) or value is None else repr(value)
        self.problems.append(RowProblem(self.position, name, shown, why.rstrip("."), remedy))


def several_addresses(entries: Iterable[Entry], *, title: str) -> list[RowProblem]:
    """Return the people with several addresses or numbers, where only one is used."""
    why = f"it has several e-mail addresses or phone numbers; {title} uses one of each"
    return [
        RowProblem(entry.contact.position or 0, "emails", None, why, "Give the one to use as email or phone.")
        for entry in entries
        if entry.emails or entry.phones
    ]


def _direct(phone: str) -> str:
    found = read_phone(phone, country=None)
    if EXTENSION in found:
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


@dataclass(frozen=True, slots=True)
class VariableFault:
    """What is wrong with one of the variables given, or with all of them: ``variables``."""

    field: str
    value: object
    why: str
    remedy: str


def variable_faults(raw: object) -> Iterator[VariableFault]:
    """Yield what is wrong with the form of variable overrides by name: unknown names, blank values."""
    if not isinstance(raw, Mapping):
        yield VariableFault(
            "variables", raw, "variables is not an object", "It maps a variable's name to its value."
        )
        return
    for name, value in raw.items():
        own = f"variables.{str(name)[:LONGEST]}"
        if name not in VARIABLES:
            names = f"The variables are {', '.join(VARIABLES)}."
            yield VariableFault(own, value, f"{str(name)[:LONGEST]!r} is not a variable", names)
        elif not isinstance(value, str) or is_blank(value):
            yield VariableFault(
                own, value, f"the value of {name} is blank or not text", "Leave it out, or give the text."
            )


def _sound_variables(raw: object) -> dict[str, str]:
    """Return the overrides that are variables with a text."""
    given = raw if isinstance(raw, Mapping) else {}
    return {
        name: value.strip()
        for name, value in given.items()
        if name in VARIABLES and isinstance(value, str) and not is_blank(value)
    }


def _line(text: str | None) -> str | None:
    """Return a fact on one line with single spaces, as it is kept, so that a preview shows what a start sends."""
    return None if text is None else " ".join(text.split())


def _one_text(value: object) -> Text | None:
    """Return a text written for one person; None where it has another form."""
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
    return None


def _bad(message: str, next_step: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{message}.", next_step=next_step)
