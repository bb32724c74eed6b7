"""What a caller says about people for a vendor to take in: facts, or the vendor's own id of somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any

from sequences_mcp.domain.addresses import address_key, read_host, wire_address
from sequences_mcp.domain.contact import FACTS, ContactFields, facts_of
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.phones import dialled, read_phone
from sequences_mcp.domain.profiles import read_profile
from sequences_mcp.domain.row_problems import NEXT, RowProblem, require_none
from sequences_mcp.errors import InvalidArgumentsError, WrongIdError
from sequences_mcp.flows.given import Given, refused_value, require_none_unsound, unsound
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.providers.vendor_port import Misfit, Newcomer

ALLOWED = (*FACTS, "id", "note")  # a note is known, and refused with the reason


def read_newcomers(
    raw: Items[object], *, most: int, misfit: Callable[[Newcomer], Misfit | None], policy: GuardPolicy | None
) -> list[Newcomer]:
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
    rows = [_Row(position) for position in range(1, len(raw) + 1)]
    people = [row.newcomer(item, misfit) for row, item in zip(rows, raw, strict=True)]
    problems = [problem for row in rows for problem in row.problems]
    problems += _named_twice([None if row.problems else one for row, one in zip(rows, people, strict=True)])
    refused = [] if policy is None else unsound(_values(people), policy=policy)
    if problems:
        problems += [refused_value(one, found) for one, found in refused]
        require_none(sorted(problems, key=lambda one: one.position), what="contact")
    require_none_unsound(refused)
    return [one for one in people if one is not None]


def _values(people: Items[Newcomer | None]) -> Iterator[Given]:
    for position, one in enumerate(people, start=1):
        named = facts_of(one.fields) if one else {}
        yield from (Given(f"contact {position}", name, value, position) for name, value in named.items())


@dataclass(slots=True)
class _Row:
    """Reads one row and collects what is wrong with it."""

    position: int
    problems: list[RowProblem] = field(default_factory=list)

    def newcomer(self, item: object, misfit: Callable[[Newcomer], Misfit | None]) -> Newcomer | None:
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
        given = self._text(item, "id")
        facts = {name: self._text(item, name) for name in FACTS}
        country = facts["country"]
        facts["email"] = self._read("email", facts["email"], wire_address)
        facts["phone"] = self._read("phone", facts["phone"], lambda text: _number(text, country=country))
        facts["company_domain"] = self._read("company_domain", facts["company_domain"], read_host)
        facts["linkedin_url"] = self._read("linkedin_url", facts["linkedin_url"], read_profile)
        own = self._read("id", given, lambda text: str(parse(text, Kind.CONTACT)))
        person = Newcomer(id=own, fields=ContactFields(**facts))
        if not self.problems and (found := misfit(person)) is not None:
            self._wrong(None, None, found.problem, remedy=found.remedy)
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


def _named_twice(people: Items[Newcomer | None]) -> Iterator[RowProblem]:
    places: dict[str, int] = {}
    for position, one in enumerate(people, start=1):
        if one is None:
            continue
        email = address_key(one.fields.email) if one.fields.email else None
        known = one.id or email or one.fields.linkedin_url
        if known and (earlier := places.setdefault(known, position)) != position:
            problem = f"contacts {earlier} and {position} are the same person"
            yield RowProblem(position, None, None, problem, "Name each person once.")
