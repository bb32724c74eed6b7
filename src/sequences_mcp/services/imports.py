"""People from a file: first what would become of each row, then all of them or none.

Every row goes through what ``save_contacts`` goes through: the guards on its values, one spelling of its facts,
and the match with whom is stored. The first look changes nothing; the import itself is one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from sequences_mcp.context import AppContext
from sequences_mcp.domain.contact import FACTS, Contact, ContactFields, facts_of
from sequences_mcp.domain.findings import RowProblem
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotSupportedError
from sequences_mcp.importing import columns, people, tables
from sequences_mcp.planning import recipient_rows
from sequences_mcp.ports.embedded import ContactEntry, SavedTally

PART = 100  # rows between two chances for everything else on the event loop
SAVED_AT_ONCE = 500
MOST_KEPT = 1_000  # problems, and rows of each other kind, that are kept to be shown
RowBecomes = Literal["made", "changed", "unchanged", "refused"]


class FactChange(NamedTuple):
    """A fact that is stored and would be another one; ``earlier`` is None where nothing was known."""

    name: str
    earlier: str | None
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLine:
    """What would become of one row: who it is about, what changes, or why it is refused, and facts left out.

    ``never`` is why the person must never be contacted, where they must not; ``is_noted``: the row's note is among
    those of the person.
    """

    number: int
    becomes: RowBecomes
    who: str
    contact_id: str | None = None
    changes: tuple[FactChange, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    never: str | None = None
    is_noted: bool = False


@dataclass(slots=True, kw_only=True)
class ImportPreview:
    """What an import of a file would do: how many of each, and the first rows of each.

    ``partial``: what is refused is left out, instead of refusing the whole file. ``facts_left_out`` counts the
    facts that are left out of rows that are imported; ``skipped`` are the numbers of the rows of which nothing is
    saved, ``noted`` of those whose note is known. ``seen`` is the SHA-256 of every row's line.
    """

    file: people.PeopleFile
    partial: bool
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("made", "changed", "unchanged", "refused"), 0)
    )
    suppressed: int = 0
    facts_left_out: int = 0
    lines: dict[str, list[ImportLine]] = field(default_factory=dict)
    seen: Any = field(default_factory=sha256)
    skipped: set[int] = field(default_factory=set)
    noted: set[int] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """How many rows hold anything."""
        return sum(self.counts.values())

    @property
    def to_save(self) -> int:
        """How many people would be made or changed."""
        return self.counts["made"] + self.counts["changed"]

    @property
    def is_allowed(self) -> bool:
        """Whether the file can be imported as it is: nothing of it is refused, or what is refused is left out."""
        return not self.counts["refused"] or self.partial

    def add(self, line: ImportLine) -> None:
        """Count a row, and keep it while there are few of its kind."""
        self.seen.update(repr(line).encode("utf-8", "replace"))
        self.counts[line.becomes] += 1
        self.suppressed += line.never is not None
        if line.is_noted:
            self.noted.add(line.number)
        if line.becomes in ("refused", "unchanged"):
            self.skipped.add(line.number)
        else:
            self.facts_left_out += len(line.problems)
        few = self.lines.setdefault(line.becomes, [])
        if len(few) < MOST_KEPT:
            few.append(line)

    def shown(self, *kinds: RowBecomes) -> list[ImportLine]:
        """Return the kept rows of some kinds, in the order of the file."""
        chosen = [line for kind in kinds for line in self.lines.get(kind, [])]
        return sorted(chosen, key=lambda line: line.number)

    def require_same(self, confirmed: ImportPreview) -> None:
        """Raise ConflictError where this look shows something else than the one that somebody confirmed."""
        if self.seen.digest() != confirmed.seen.digest():
            raise ConflictError(
                "People were changed since this was shown, so the file would do something else now. "
                "Nothing was imported.",
                next_step="Run it again: it shows what would happen now.",
            )

    def require_allowed(self) -> None:
        """Raise InvalidArgumentsError with the first problems where the file cannot be imported as it is."""
        if self.is_allowed:
            return
        refused = self.lines["refused"]
        problems = [problem for line in refused for problem in line.problems]
        raise InvalidArgumentsError(
            f"{self.counts['refused']:,} of {self.rows:,} rows are refused, so nothing was imported.",
            next_step="Correct them (`problems` names the first), or leave them out with partial.",
            data={"problems": [_shown(problem) for problem in problems[:10]], "refused": self.counts["refused"]},
        )


def problem_rows(line: ImportLine) -> list[dict[str, object]]:
    """Return what is wrong with a row, for whoever gave it."""
    return [_shown(problem) for problem in line.problems]


def _shown(problem: RowProblem) -> dict[str, object]:
    row = problem.as_row()
    return {"row": row.pop("position"), **row}


async def read_people_file(
    source: bytes | str,
    *,
    chosen: Mapping[str, str] | None = None,
    fill: Mapping[str, str] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> people.PeopleFile:
    """Return a file with what its columns hold; InvalidArgumentsError where it is no table of people.

    ``chosen`` says what columns hold, by their names; ``fill`` has facts for rows that do not say them.
    """
    table = await asyncio.to_thread(tables.open_table, source, encoding=encoding, sheet=sheet)
    mapping = columns.mapped_columns(table.header, chosen=chosen)
    if unknown := sorted(set(fill or {}) - set(FACTS)):
        raise InvalidArgumentsError(
            f"{unknown[0][:60]!r} is no fact about a person.", next_step=f"The facts are {', '.join(FACTS)}."
        )
    return people.PeopleFile(table=table, mapping=mapping, fill=dict(fill or {}))


SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
_NOT_THERE = "There is no such file in a folder from which files may be imported."


def read_allowed_file(app: AppContext, path: str) -> bytes:
    """Return the bytes of a file in one of the folders that the operator allowed; a bare name is looked for there.

    Links and ``..`` are followed first: what counts is where the file is. What is elsewhere is answered as what is
    not there, so that nothing is told of other folders. InvalidArgumentsError, NotSupportedError.
    """
    if not app.import_folders:
        raise NotSupportedError(
            "No folder is allowed for imports.",
            next_step="Give the content as text. The operator allows folders in settings.toml: [people], with "
            'import_folders = ["~/Downloads"].',
        )
    allowed = [folder.resolve() for folder in app.import_folders]
    wanted = Path(path).expanduser()
    for folder in allowed:
        place = (folder / wanted).resolve()
        inside = any(place.is_relative_to(other) for other in allowed)
        if inside and place.suffix.casefold() in SUFFIXES and place.is_file():
            break
    else:
        names = ", ".join(str(folder) for folder in app.import_folders)
        raise InvalidArgumentsError(_NOT_THERE, next_step=f"Put it there as {', '.join(SUFFIXES)}: {names}.")
    with place.open("rb") as file:
        return file.read(tables.MOST_BYTES + 1)


async def look_through(app: AppContext, file: people.PeopleFile, *, partial: bool = False) -> ImportPreview:
    """Return what an import would do with each row, and change nothing.

    InvalidArgumentsError where a row cannot be read, or nobody can be told apart.
    """
    if not file.mapping.names_somebody:
        raise InvalidArgumentsError(
            "No column is known to hold an e-mail address or a phone number, by which people are told apart.",
            next_step="Say which column does; the file's are "
            f"{', '.join(repr(column.name[:60]) for column in file.mapping.columns[:30])}.",
        )
    preview = ImportPreview(file=file, partial=partial)
    seen = _Seen()
    rows = file.rows()
    while part := await asyncio.to_thread(lambda: list(islice(rows, PART))):
        for line in await _part_lines(app, part, seen=seen, partial=partial):
            preview.add(line)
        await asyncio.sleep(0)
    if not preview.rows:
        raise InvalidArgumentsError(
            "Below the names of the columns there is no row.", next_step="Add a row for each person."
        )
    return preview


async def import_people(app: AppContext, preview: ImportPreview) -> SavedTally:
    """Save what a look has shown, all or none; InvalidArgumentsError where rows are refused and not left out.

    Everybody is matched again in the transaction: what has changed since the look and would now be refused is
    raised, and then nothing is saved.
    """
    preview.require_allowed()
    if not preview.to_save:
        return SavedTally(0, 0)
    return await app.local.save_streamed(lambda: _parts(app, preview), optional=_optional(preview.partial))


def _optional(partial: bool) -> frozenset[str]:
    """Return the facts that are left out where they are wrong; an address never is."""
    return frozenset(FACTS) - {"email"} if partial else frozenset()


def _parts(app: AppContext, preview: ImportPreview) -> Iterator[Items[ContactEntry]]:
    """Yield the people to be saved, as the look has read them."""
    rows = (row for row in preview.file.rows() if row.number not in preview.skipped)
    while part := list(islice(rows, SAVED_AT_ONCE)):
        read = recipient_rows.read_numbered_rows(((row.number, row.facts) for row in part), policy=app.policy)
        entries = [entry.contact for entry in read.entries]
        yield [replace(entry, note=None) if entry.position in preview.noted else entry for entry in entries]


@dataclass(slots=True)
class _Seen:
    """Who was met in the rows before, by what tells them apart: their id or address, and their number."""

    marks: dict[str, int] = field(default_factory=dict)
    phones: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def again(self, number: int, mark: str, fields: ContactFields) -> RowProblem | None:
        """Note a person; return the problem of a row whose person an earlier one names."""
        earlier = self.marks.setdefault(mark, number) if mark else number
        if fields.phone and earlier == number:
            # A number alone tells two people apart where both have an address.
            row, has_address = self.phones.setdefault(fields.phone, (number, fields.email is not None))
            if row != number and not (has_address and fields.email):
                earlier = row
        if earlier == number:
            return None
        problem = f"rows {earlier} and {number} are the same person"
        return RowProblem(number, None, None, problem, "Join them into one row.")


async def _part_lines(
    app: AppContext, part: Items[people.FileRow], *, seen: _Seen, partial: bool
) -> list[ImportLine]:
    """Return what would become of some rows."""
    sound = [(row.number, row.facts) for row in part if not row.problems]
    read = recipient_rows.read_numbered_rows(sound, policy=app.policy)
    entries = [recipient.contact for recipient in read.entries]
    matched = await app.local.match_contacts(entries, optional=_optional(partial)) if entries else None
    problems: dict[int, list[RowProblem]] = {row.number: list(row.problems) for row in part}
    twice = [problem for problem in matched.problems if problem.problem.startswith("contacts ")] if matched else []
    others = [problem for problem in matched.problems if problem not in twice] if matched else []
    for problem in read.with_results(others):
        problems[problem.position].append(problem)
    stored: dict[int, tuple[Contact | None, ContactEntry]] = {}
    for place, entry in enumerate(matched.entries if matched else ()):
        number = entry.position or 0
        if not problems[number] and matched:
            again = seen.again(number, matched.identities[place], entry.fields)
            problems[number] += [again] if again else []
        stored[number] = ((matched.people[place] if matched else None), entry)
    never = await _never(app, stored)
    return [
        _line(row, stored.get(row.number), problems=problems[row.number], never=never.get(row.number))
        for row in part
    ]


async def _never(app: AppContext, stored: Mapping[int, tuple[Contact | None, ContactEntry]]) -> dict[int, str]:
    """Return, by row, why people must never be contacted, as they are stored or as their row tells of them."""
    now = app.clock()
    persons = {
        f"row {number}": replace(
            person or Contact(id="", created_at=now, updated_at=now),
            **{**_given(entry.fields), "id": f"row {number}"},
        )
        for number, (person, entry) in stored.items()
    }
    listed = await app.suppressions.suppressed_among(list(persons.values()))
    known = [person for person, _ in stored.values() if person is not None]
    listed_ids = await app.suppressions.suppressed_among(known) if known else {}
    return {
        number: why
        for number, (person, _) in stored.items()
        if (why := listed.get(f"row {number}") or (listed_ids.get(person.id) if person else None))
    }


def _given(fields: ContactFields) -> dict[str, Any]:
    return {name: value for name, value in facts_of(fields).items() if value is not None}


def _line(
    row: people.FileRow,
    match: tuple[Contact | None, ContactEntry] | None,
    *,
    problems: list[RowProblem],
    never: str | None,
) -> ImportLine:
    names = (row.facts.get("first_name"), row.facts.get("last_name"))
    who = " ".join(filter(None, names)) or row.facts.get("email") or row.facts.get("phone") or ""
    if problems or match is None:
        return ImportLine(number=row.number, becomes="refused", who=who, problems=tuple(problems))
    person, entry = match
    changes = [
        FactChange(name, getattr(person, name), value)
        for name, value in _given(entry.fields).items()
        if person is not None and getattr(person, name) != value
    ]
    is_noted = bool(entry.note and person and entry.note.strip() in person.notes)
    if entry.note and person is not None and not is_noted:
        changes.append(FactChange("note", None, entry.note))
    becomes: RowBecomes = "made" if person is None else "changed" if changes else "unchanged"
    return ImportLine(
        number=row.number,
        becomes=becomes,
        who=who,
        contact_id=person.id if person else None,
        changes=tuple(changes),
        problems=entry.checked or (),
        never=never,
        is_noted=is_noted,
    )


def import_json(preview: ImportPreview, *, saved: SavedTally | None, most: int | None) -> dict[str, Any]:
    """Return what an import does, or did, for programs; with ``most`` so many rows of each kind."""
    kinds: tuple[RowBecomes, ...] = get_args(RowBecomes)
    return {
        **people.file_json(preview.file),
        "rows": preview.rows,
        "would": preview.counts,
        "never_contact": preview.suppressed,
        "facts_left_out": preview.facts_left_out,
        "allowed": preview.is_allowed,
        "lines": [_line_json(line) for kind in kinds for line in preview.shown(kind)[:most]],
        "imported": None if saved is None else {"created": saved.created, "updated": saved.updated},
    }


def _line_json(line: ImportLine) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "row": line.number,
        "becomes": line.becomes,
        "who": line.who,
        "contact_id": line.contact_id,
        "changes": [change._asdict() for change in line.changes],
        "problems": [_shown(problem) for problem in line.problems],
        "never_contact": line.never,
    }
    return {name: value for name, value in facts.items() if value}
