"""What callers say about people: ids or facts, variables and texts of their own, each checked as it comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from typing import Any, NamedTuple

from sequences_mcp.domain.addresses import address_key, read_address, read_host, wire_address
from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.contact import (
    EXTENSION,
    FACTS,
    ContactFields,
    dialled,
    facts_given,
    facts_of,
    read_phone,
    read_profile,
)
from sequences_mcp.domain.findings import (
    LONGEST_PROBLEM,
    NEXT,
    Finding,
    RowProblem,
    Severity,
    errors_in,
    require_none,
)
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.domain.making import quickly_made
from sequences_mcp.domain.variables import VARIABLES, is_blank
from sequences_mcp.errors import InvalidArgumentsError, RefusedByGuardsError, WrongIdError
from sequences_mcp.guards.check import check_value
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.ports.embedded import ContactEntry, Matched, StepText
from sequences_mcp.ports.vendor import ContactInput, Misfit

MOST_GIVEN = 10
LONGEST_GIVEN = 80


class GivenValue(NamedTuple):
    """A value as a caller gave it: ``where`` is nothing or ``contact 3``, ``name`` the field, as it is called.

    ``position`` is that of its row, from 1; 0 where there are no rows.
    """

    where: str
    name: str
    value: str | None
    position: int = 0


def unsound(values: Iterable[GivenValue], *, policy: GuardPolicy) -> list[tuple[GivenValue, Finding]]:
    """Return the values that the guards refuse, each with the first reason. A blank value is none."""
    results = []
    for value in values:
        if value.value is None or not (findings := check_value(value.name, value.value, policy=policy)):
            continue  # as nearly every value, of which nothing at all is said
        if not is_blank(value.value) and (errors := errors_in(findings)):
            results.append((value, errors[0]))
    return results


def refused_value(value: GivenValue, finding: Finding) -> RowProblem:
    """Return a value that the guards refuse as a problem of its row."""
    return RowProblem(value.position, value.name, value.value, _why(value, finding).rstrip("."))


def require_sound_values(values: Iterable[GivenValue], *, policy: GuardPolicy) -> None:
    """Raise RefusedByGuardsError when a value is a placeholder, a template's token or holds invisible text.

    Its data names the first ten, each with its place, and how many more there are. A blank value is none.
    """
    require_none_unsound(unsound(values, policy=policy))


def require_none_unsound(bad: Items[tuple[GivenValue, Finding]]) -> None:
    """Raise RefusedByGuardsError when ``unsound`` found something."""
    if not bad:
        return
    rows = [_row(value, finding) for value, finding in bad[:MOST_GIVEN]]
    raise RefusedByGuardsError(
        f"The guards refuse {len(bad):,} {'value' if len(bad) == 1 else 'values'}: "
        f"{'; '.join(filter(None, dict.fromkeys(_place(value) for value, _ in bad[:MOST_GIVEN])))}.",
        next_step="Nothing was done. Give the real value, or leave the field out; `values` says what is wrong.",
        data={"values": rows, **({"more": len(bad) - MOST_GIVEN} if len(bad) > MOST_GIVEN else {})},
    )


def value_warnings(values: Iterable[GivenValue], *, policy: GuardPolicy) -> tuple[str, ...]:
    """Return what looks wrong about values that are not refused, each with its likely value where there is one."""
    return tuple(
        finding.message + (f" Likely: {finding.fix}." if finding.fix else "")
        for value in values
        if not is_blank(value.value)
        for finding in check_value(value.name, value.value or "", policy=policy)
    )


def _row(row: GivenValue, finding: Finding) -> dict[str, str]:
    value = row.value or ""
    shown = value if len(value) <= LONGEST_GIVEN else f"{value[:LONGEST_GIVEN]}…"
    return {
        "place": _place(row),
        "value": shown,
        "rule": finding.rule,
        "why": _why(row, finding),
    }


def _why(value: GivenValue, finding: Finding) -> str:
    """Return what is wrong, without the name of the fact: that stands beside it."""
    return finding.message.removeprefix(f"{{{{{value.name}}}}}: ")


def _place(value: GivenValue) -> str:
    return f"{value.where}: {value.name}" if value.where else value.name


SEVERAL = ("emails", "phone_numbers")
_FIELDS = (*FACTS, "id", "note", "variables", "texts", *SEVERAL)
ALLOWED = (*FACTS, "id", "note")  # at a vendor a note is known, and refused with the reason
MAX_CONTACTS = 10_000
MOST_ADDRESSES = 20
TEXTS_NO_OBJECT = "texts is not an object"
TEXT_MISSHAPEN = "the text is not of the right form"
TEXT_FORM = "Give a string, or an object with content and, for an e-mail, subject."


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person of a start: ``contact_id``, facts to save, or both: facts about the one who has that id.

    ``emails`` and ``phones`` are further ones.
    """

    contact_id: str | None
    contact: ContactEntry
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, StepText] = field(default_factory=dict)

    @property
    def has_facts(self) -> bool:
        """Whether it tells something to save."""
        return self.contact.note is not None or self.contact.fields != ContactFields()


@dataclass(frozen=True, slots=True)
class RecipientRows:
    """The people of a call as far as their rows could be read, and what is wrong with the rows so far.

    ``entries`` has every row that is an object, those with a problem as well, so that the facts in them are looked
    at before the call is refused; ``refused`` are the values that the guards refuse, ``uncertain`` those that only
    look wrong to them, each with the first reason.
    """

    entries: tuple[Recipient, ...]
    problems: tuple[RowProblem, ...]
    refused: tuple[tuple[GivenValue, Finding], ...]
    uncertain: tuple[RowProblem, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.problems and not self.refused

    def whole(self) -> list[Recipient]:
        """Return the people of the rows with which nothing is wrong so far."""
        bad = {problem.position for problem in self.problems} | {value.position for value, _ in self.refused}
        return [entry for entry in self.entries if entry.contact.position not in bad]

    def require_sound(self, results: Iterable[RowProblem] = ()) -> None:
        """Raise one error with every problem of every row, those that were ``results`` later among them.

        InvalidArgumentsError, or RefusedByGuardsError where values refused by the guards are all there is. A
        problem with a field that has one already, and one with the whole of a row that has others, follow from
        the earlier ones and are left out.
        """
        problems = [*self.problems, *self._new(results)]
        if problems:
            require_none(self.every_problem(problems), what="contact")
        require_none_unsound(self.refused)

    def every_problem(self, problems: Iterable[RowProblem]) -> list[RowProblem]:
        """Return these problems and the values that the guards refuse, in the order of the rows."""
        values = [refused_value(value, finding) for value, finding in self.refused]
        return sorted([*problems, *values], key=lambda problem: problem.position)

    def with_results(self, results: Iterable[RowProblem]) -> list[RowProblem]:
        """Return everything that is wrong with any row, what matching found among it."""
        return self.every_problem([*self.problems, *self._new(results)])

    def _new(self, problems: Iterable[RowProblem]) -> Iterator[RowProblem]:
        reported = {(problem.position, problem.field) for problem in self.problems}
        reported |= {(value.position, value.name) for value, _ in self.refused}
        bad = {position for position, _ in reported}
        for problem in problems:
            follows = (
                problem.position in bad if problem.field is None else (problem.position, problem.field) in reported
            )
            if not follows:
                yield problem


PART = 100  # rows between two chances for everything else on the event loop: some ten milliseconds each


async def read_many_recipients(raw: Items[object], *, policy: GuardPolicy, extras: bool = True) -> RecipientRows:
    """Return the rows of a call, and let everything else on the event loop go on meanwhile.

    ``extras`` allows id, variables and texts beside the facts. Raises InvalidArgumentsError only where there are
    no rows, or too many.
    """
    _require_some(raw)
    parts = []
    for start in range(0, len(raw), PART):
        parts.append(_read_part(raw, start, policy=policy, extras=extras))
        await asyncio.sleep(0)
    return _joined(parts)


async def matched_people(
    match: Callable[[Items[ContactEntry]], Awaitable[Matched]], rows: Items[ContactEntry]
) -> Matched:
    """Return what the engine's ``match`` does of all rows; everything else on the event loop goes on meanwhile."""
    parts: list[Matched] = []
    twice: list[RowProblem] = []
    first: dict[str, int] = {}
    for start in range(0, len(rows), PART):
        part = rows[start : start + PART]
        matched = await match(part)
        by_key = dict(zip(matched.identities, part, strict=True))  # who is named twice within a part is told by it
        for who, entry in by_key.items():
            if who in first:
                twice.append(named_again(first[who], entry.position or 0, who))
        first |= {who: entry.position or 0 for who, entry in by_key.items() if who and who not in first}
        parts.append(matched)
        await asyncio.sleep(0)
    return Matched(
        people=tuple(person for part in parts for person in part.people),
        problems=(*(problem for part in parts for problem in part.problems), *twice),
        entries=tuple(entry for part in parts for entry in part.entries),
    )


def named_again(earlier: int, position: int, who: str) -> RowProblem:
    """Return the problem of a row whose person an earlier one names."""
    problem = f"contacts {earlier} and {position} are the same person ({who})"
    return RowProblem(position, None, None, problem, "Name each person once.")


def _require_some(raw: Items[object]) -> None:
    if not raw:
        raise _bad("contacts is empty", "Give at least one contact.")
    if len(raw) > MAX_CONTACTS:
        raise _bad(f"contacts has {len(raw):,} entries; the limit is {MAX_CONTACTS:,}", "Split the call.")


def _read_part(raw: Items[object], start: int, *, policy: GuardPolicy, extras: bool) -> RecipientRows:
    return read_numbered_rows(enumerate(raw[start : start + PART], start=start + 1), policy=policy, extras=extras)


def read_numbered_rows(
    numbered: Iterable[tuple[int, object]], *, policy: GuardPolicy, extras: bool = False
) -> RecipientRows:
    """Return some rows, each given with its position; ``extras`` as in ``read_many_recipients``."""
    rows = [(_Row(position=position, extras=extras), item) for position, item in numbered]
    read = [row.entry(item) for row, item in rows]
    entries = tuple(entry for entry in read if entry is not None)
    remarked = tuple(_values(entries, policy))
    refused = tuple(unsound(remarked, policy=policy))
    sound = set(remarked) - {value for value, _ in refused}
    return RecipientRows(
        entries=entries,
        problems=tuple(problem for row, _ in rows for problem in row.problems),
        refused=refused,
        uncertain=tuple(_warning(value, policy) for value in remarked if value in sound),
    )


def _warning(value: GivenValue, policy: GuardPolicy) -> RowProblem:
    finding = check_value(value.name, value.value, policy=policy)[0]
    likely = f". Likely: {finding.fix}" if finding.fix else ""
    return RowProblem(value.position, value.name, value.value, f"{_why(value, finding).rstrip('.')}{likely}")


def _joined(parts: Items[RecipientRows]) -> RecipientRows:
    return RecipientRows(
        entries=tuple(entry for part in parts for entry in part.entries),
        problems=tuple(problem for part in parts for problem in part.problems),
        refused=tuple(refused for part in parts for refused in part.refused),
        uncertain=tuple(warning for part in parts for warning in part.uncertain),
    )


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
        excerpt=(problem.value or "")[:LONGEST_PROBLEM],
        message=f"{problem.field} was not saved: {problem.problem}. This sequence does not use it.",
    )


def _values(entries: Items[Recipient], policy: GuardPolicy) -> Iterator[GivenValue]:
    """Yield the values of which the guards say anything: of nearly every one, nothing."""
    for entry in entries:
        position, fields = entry.contact.position or 0, entry.contact.fields
        given = [*facts_given(fields).items(), *entry.variables.items()]
        if entry.contact.note is not None:
            given.append(("note", entry.contact.note))
        for name, value in given:
            if check_value(name, value, policy=policy):
                yield GivenValue(f"contact {position}", name, value, position)


@dataclass(slots=True)
class _Row:
    """Reads one row and collects what is wrong with it."""

    position: int
    extras: bool
    problems: list[RowProblem] = field(default_factory=list)

    def entry(self, item: object) -> Recipient | None:
        """Return the person of a row as far as it can be read; None for a row that is no object."""
        if isinstance(item, str) and self.extras:
            item = {"email" if "@" in item else "id": item}
        if not isinstance(item, Mapping):
            self._wrong(None, item, f"it is not an object; its fields are {', '.join(FACTS)}")
            return None
        allowed = _FIELDS if self.extras else ALLOWED
        for name in item:
            if name not in allowed:
                self._wrong(str(name), item[name], f"this is not a field; the fields are {', '.join(allowed)}")
        known = ContactFields(**{name: _line(self._text(item, name)) for name in FACTS if name in item})
        emails = self._each(item, "emails", lambda item: read_address(item).text)
        phones = self._each(item, "phone_numbers", _direct)
        if emails or phones:
            known = replace(
                known,
                email=known.email or next(iter(emails), None),
                phone=known.phone or next(iter(phones), None),
            )
        contact_id, note = self._id(item), self._text(item, "note")
        if contact_id is None and not (known.email or known.phone) and not self.problems:
            self._wrong(None, None, "it has neither email nor phone; one of the two says who it is")
        return Recipient(
            contact_id=contact_id,
            contact=ContactEntry(known, note, contact_id, position=self.position),
            emails=tuple(email for email in emails if address_key(email) != address_key(known.email or "")),
            phones=tuple(phone for phone in phones if phone != known.phone),
            variables=self._variables(_field_or_empty(item, "variables")),
            texts=self._texts(_field_or_empty(item, "texts")),
        )

    def _each(self, item: Mapping[str, Any], name: str, read: Callable[[str], str]) -> tuple[str, ...]:
        """Return each address or number of a list in its one spelling."""
        results = []
        try:
            given = _list(item, name)
        except InvalidArgumentsError as error:
            self._wrong(name, None, error.message, remedy=error.next_step)
            return ()
        for entry in given:
            try:
                results.append(read(entry))
            except InvalidArgumentsError as error:
                self._wrong(name, entry, error.message, remedy=error.next_step)
        return tuple(dict.fromkeys(results))

    def _variables(self, raw: object) -> dict[str, str]:
        for fault in variable_faults(raw):
            self._wrong(fault.field, fault.value, fault.why, remedy=fault.remedy)
        return _sound_variables(raw)

    def _texts(self, raw: object) -> dict[str, StepText]:
        if not isinstance(raw, Mapping):
            self._wrong("texts", raw, TEXTS_NO_OBJECT, remedy="It maps a step id to the text for this person.")
            return {}
        results = {}
        for step_id, value in raw.items():
            text = _one_text(value)
            if text is None:
                self._wrong(f"texts.{str(step_id)[:LONGEST_PROBLEM]}", None, TEXT_MISSHAPEN, remedy=TEXT_FORM)
            else:
                results[str(step_id)] = text
        return results

    def _id(self, item: Mapping[str, Any]) -> str | None:
        text = self._text(item, "id")
        try:
            return str(parse_id(text, IdKind.CONTACT)) if text else None
        except WrongIdError as error:
            self._wrong("id", text, error.message, remedy=error.next_step)
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


def several_addresses(entries: Iterable[Recipient], *, title: str) -> list[RowProblem]:
    """Return the people with several addresses or numbers, where only one is used."""
    why = f"it has several e-mail addresses or phone numbers; {title} uses one of each"
    return [
        RowProblem(entry.contact.position or 0, "emails", None, why, "Give the one to use as email or phone.")
        for entry in entries
        if entry.emails or entry.phones
    ]


def _direct(phone: str) -> str:
    result = read_phone(phone, country=None)
    if EXTENSION in result:
        raise _bad("no vendor takes a number with an extension", "Leave it out, or give a direct number.")
    return result


def _list(item: Mapping[str, Any], name: str) -> list[str]:
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise _bad("this is not a list of texts", 'Give it as ["…", "…"].')
    if len(value) > MOST_ADDRESSES:
        raise _bad(f"it has {len(value):,} entries", f"Give {MOST_ADDRESSES} at most.")
    return [item.strip() for item in value]


def _field_or_empty(item: Mapping[str, Any], name: str) -> object:
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
        place = f"variables.{str(name)[:LONGEST_PROBLEM]}"
        if name not in VARIABLES:
            names = f"The variables are {', '.join(VARIABLES)}."
            yield VariableFault(place, value, f"{str(name)[:LONGEST_PROBLEM]!r} is not a variable", names)
        elif not isinstance(value, str) or is_blank(value):
            yield VariableFault(
                place, value, f"the value of {name} is blank or not text", "Leave it out, or give the text."
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


def _one_text(value: object) -> StepText | None:
    """Return a text written for one person; None where it has another form."""
    if isinstance(value, str):
        return StepText(subject=None, content=value)
    if (
        isinstance(value, Mapping)
        and set(value) <= {"subject", "content"}
        and isinstance(value.get("content"), str)
    ):
        subject = value.get("subject")
        if subject is None or isinstance(subject, str):
            return StepText(subject=subject, content=value["content"])
    return None


def _bad(message: str, next_step: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{message}.", next_step=next_step)


def read_contact_inputs(
    raw: Items[object], *, most: int, misfit: Callable[[ContactInput], Misfit | None], policy: GuardPolicy | None
) -> list[ContactInput]:
    """Return the people of a call, with addresses and numbers as the vendor gets them.

    ``misfit`` says why the vendor cannot take one. Raises InvalidArgumentsError that names every row (from 1) with
    what is wrong there, and RefusedByGuardsError for facts that are placeholders. Without a ``policy`` the values
    are not looked at: those of a call that was made before, to be found again.
    """
    if not 1 <= len(raw) <= most:
        raise InvalidArgumentsError(
            f"contacts has {len(raw):,} entries; this vendor takes from 1 to {most:,} a call.",
            next_step="Split the call.",
        )
    rows = [_ContactInputRow(position) for position in range(1, len(raw) + 1)]
    people = [row.contact_input(item, misfit) for row, item in zip(rows, raw, strict=True)]
    problems = [problem for row in rows for problem in row.problems]
    problems += _named_twice(
        [None if row.problems else contact for row, contact in zip(rows, people, strict=True)]
    )
    refused = [] if policy is None else unsound(_contact_input_values(people), policy=policy)
    if problems:
        problems += [refused_value(value, finding) for value, finding in refused]
        require_none(sorted(problems, key=lambda problem: problem.position), what="contact")
    require_none_unsound(refused)
    return [person for person in people if person is not None]


def _contact_input_values(people: Items[ContactInput | None]) -> Iterator[GivenValue]:
    for position, contact in enumerate(people, start=1):
        named = facts_of(contact.fields) if contact else {}
        yield from (GivenValue(f"contact {position}", name, value, position) for name, value in named.items())


@dataclass(slots=True)
class _ContactInputRow:
    """Reads one row and collects what is wrong with it."""

    position: int
    problems: list[RowProblem] = field(default_factory=list)

    def contact_input(self, item: object, misfit: Callable[[ContactInput], Misfit | None]) -> ContactInput | None:
        """Return the person of a row, with the facts that can be read; None for a row that is no object."""
        if isinstance(item, str):
            item = {"id": item}
        if not isinstance(item, Mapping):
            self._wrong(None, item, f"it is not an object; its fields are {', '.join(FACTS)}")
            return None
        for name in item:
            if name not in ALLOWED:
                self._wrong(str(name), item[name], f"this is not a field; the fields are {', '.join(FACTS)}")
        if item.get("note") is not None:
            self._wrong("note", item["note"], "vendors take no notes here", remedy="Leave it out.")
        raw = self._text(item, "id")
        facts = {name: self._text(item, name) for name in FACTS}
        country = facts["country"]
        facts["email"] = self._read("email", facts["email"], wire_address)
        facts["phone"] = self._read("phone", facts["phone"], lambda text: _number(text, country=country))
        facts["company_domain"] = self._read("company_domain", facts["company_domain"], read_host)
        facts["linkedin_url"] = self._read("linkedin_url", facts["linkedin_url"], read_profile)
        parsed_id = self._read("id", raw, lambda text: str(parse_id(text, IdKind.CONTACT)))
        person = ContactInput(id=parsed_id, fields=ContactFields(**facts))
        if not self.problems and (result := misfit(person)) is not None:
            self._wrong(None, None, result.problem, remedy=result.remedy)
        return person

    def _text(self, item: Mapping[str, Any], name: str) -> str | None:
        value = item.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong(name, value, "this is not text")
            return None
        return " ".join(value.split()) or None

    def _read(self, name: str, text: str | None, read: Callable[[str], str]) -> str | None:
        try:
            return read(text) if text else None
        except (InvalidArgumentsError, WrongIdError) as error:
            self._wrong(name, text, error.message, remedy=error.next_step)
            return None

    def _wrong(self, name: str | None, value: object, why: str, *, remedy: str = NEXT) -> None:
        shown = value if isinstance(value, str) or value is None else repr(value)
        self.problems.append(RowProblem(self.position, name, shown, why.rstrip("."), remedy))


def _number(text: str, *, country: str | None) -> str:
    number = dialled(read_phone(text, country=country))
    if number is None:
        raise InvalidArgumentsError(
            "vendors take no number with an extension.", next_step="Leave it out, or give a direct number."
        )
    return number


def _named_twice(people: Items[ContactInput | None]) -> Iterator[RowProblem]:
    places: dict[str, int] = {}
    for position, contact in enumerate(people, start=1):
        if contact is None:
            continue
        email = address_key(contact.fields.email) if contact.fields.email else None
        known = contact.id or email or contact.fields.linkedin_url
        if known and (earlier := places.setdefault(known, position)) != position:
            problem = f"contacts {earlier} and {position} are the same person"
            yield RowProblem(position, None, None, problem, "Name each person once.")
