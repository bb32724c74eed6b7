"""People from a file: first what would become of each row, then all of them or none.

Every row goes through what ``save_contacts`` goes through: the guards on its values, one spelling of its facts,
and the match with whom is stored. The first look changes nothing and keeps what it has read of each row,
compressed. The import runs in another thread: every row is matched anew without a lock, and where one would become
something else than was shown, nothing is saved. Then one short transaction finds that no person and no suppression
was changed since, and writes the rows that are ready.
"""

from __future__ import annotations

import asyncio
import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from contextlib import suppress
from functools import partial as bound
from hashlib import blake2b, sha256
from itertools import islice
from mmap import mmap
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from sequences_mcp.context import AppContext
from sequences_mcp.domain import erasure
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.contact import FACTS, Contact, ContactFields, facts_of
from sequences_mcp.domain.findings import RowProblem
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotSupportedError
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.importing import columns, people, tables
from sequences_mcp.importing.kept_rows import FoldedList, PartsOnDisk
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.planning import recipient_rows
from sequences_mcp.ports.embedded import ContactEntry, Matched, SavedTally
from sequences_mcp.remembering import VALUES

MOST_WARNINGS = 20  # values that look wrong which a preview names
PART = 100  # rows between two chances for everything else on the event loop
MOST_MATCHES = 5  # how often rows are matched anew because somebody was changed before they were written
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


class _ReadRow(NamedTuple):
    """A row that was read: its person in words and as they are saved, and the problems of its own values.

    ``warnings`` are about values that look wrong and are imported; they are not kept with the row.
    """

    number: int
    who: str
    entry: ContactEntry | None
    problems: tuple[RowProblem, ...] = ()
    warnings: tuple[RowProblem, ...] = ()


def _folded_problem(problem: RowProblem) -> list[Any]:
    return [problem.position, problem.field, problem.value, problem.problem, problem.remedy]


def _folded_line(line: ImportLine) -> list[Any]:
    problems = [_folded_problem(problem) for problem in line.problems]
    more = (line.contact_id, [list(change) for change in line.changes], problems, line.never, line.is_noted)
    return [line.number, line.becomes, line.who, *more]


def _unfolded_line(row: list[Any]) -> ImportLine:
    number, becomes, who, contact_id, changes, problems, never, is_noted = row
    return ImportLine(
        number=number,
        becomes=becomes,
        who=who,
        contact_id=contact_id,
        changes=tuple(FactChange(*change) for change in changes),
        problems=tuple(RowProblem(*problem) for problem in problems),
        never=never,
        is_noted=is_noted,
    )


def _folded_row(row: _ReadRow) -> list[Any]:
    entry = row.entry
    assert entry is not None  # a row without it is refused, and not kept
    facts = [getattr(entry.fields, name) for name in FACTS]
    return [row.number, row.who, facts, entry.note, [_folded_problem(problem) for problem in entry.checked or ()]]


def _unfolded_row(row: list[Any]) -> _ReadRow:
    number, who, facts, note, checked = row
    fields = ContactFields(**dict(zip(FACTS, facts, strict=True)))
    checked = tuple(RowProblem(*problem) for problem in checked)
    return _ReadRow(number, who, ContactEntry(fields, note, position=number, checked=checked))


@dataclass(slots=True, kw_only=True)
class ImportPreview:
    """What an import of a file would do: how many of each, and what would become of each row.

    ``partial``: what is refused is left out, instead of refusing the whole file. ``facts_left_out`` counts the
    facts that are left out of rows that are imported, ``uncertain`` the values that look wrong to the guards and
    are imported, of which ``warnings`` has the first. ``rows_read`` are the rows that are not refused, as they
    were read, and ``seen`` the SHA-256 of what would become of them.
    """

    file: people.PeopleFile
    partial: bool
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("made", "changed", "unchanged", "refused"), 0)
    )
    suppressed: int = 0
    facts_left_out: int = 0
    uncertain: int = 0
    warnings: list[RowProblem] = field(default_factory=list)
    lines: dict[str, FoldedList[ImportLine]] = field(default_factory=dict)
    rows_read: FoldedList[_ReadRow] = field(default_factory=lambda: FoldedList(_folded_row, _unfolded_row))
    seen: Any = field(default_factory=sha256)

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

    @property
    def digest(self) -> str:
        """What stands for all that the import would do."""
        counts = f"{self.partial} {self.counts}"
        return sha256(self.seen.digest() + counts.encode()).hexdigest()

    def add(self, line: ImportLine, row: _ReadRow) -> None:
        """Count and keep a row."""
        text = self.lines.setdefault(line.becomes, FoldedList(_folded_line, _unfolded_line)).add(line)
        self.counts[line.becomes] += 1
        self.suppressed += line.never is not None
        if line.becomes != "refused":
            self.facts_left_out += len(line.problems)
            self.uncertain += len(row.warnings)
            self.warnings += row.warnings[: max(0, MOST_WARNINGS - len(self.warnings))]
            self.rows_read.add(row)
            self.seen.update(text.encode("ascii"))

    def shown(self, *kinds: RowBecomes, most: int | None = None) -> list[ImportLine]:
        """Return the rows of some kinds in the order of the file, or the first ``most`` of each kind."""
        chosen = [line for kind in kinds if kind in self.lines for line in islice(self.lines[kind], most)]
        return sorted(chosen, key=lambda line: line.number)

    def require_allowed(self) -> None:
        """Raise InvalidArgumentsError with the first problems where the file cannot be imported as it is."""
        if self.is_allowed:
            return
        problems = [row for line in self.shown("refused", most=10) for row in problem_rows(line)]
        raise InvalidArgumentsError(
            f"{self.counts['refused']:,} of {self.rows:,} rows are refused, so nothing was imported.",
            next_step="Correct them (`problems` names the first), or leave them out with partial.",
            data={"problems": problems[:10], "refused": self.counts["refused"]},
        )


def problem_rows(line: ImportLine) -> list[dict[str, object]]:
    """Return what is wrong with a row, for whoever gave it."""
    return [_shown(problem) for problem in line.problems]


def warning_rows(preview: ImportPreview) -> list[dict[str, object]]:
    """Return the first values that look wrong and are imported, for whoever gave them."""
    return [_shown(warning) for warning in preview.warnings]


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
    data: bytes | None = None
    # No path of such a length, with such a character, of such a user, without such a right.
    with suppress(OSError, RuntimeError, ValueError):
        data = _inside([folder.resolve() for folder in app.import_folders], Path(path).expanduser())
    if data is None:
        names = ", ".join(str(folder) for folder in app.import_folders)
        raise InvalidArgumentsError(_NOT_THERE, next_step=f"Put it there as {', '.join(SUFFIXES)}: {names}.")
    return data


def _inside(allowed: Items[Path], wanted: Path) -> bytes | None:
    """Return the bytes of a file in one of these folders, or None."""
    for folder in allowed:
        place = (folder / wanted).resolve()
        inside = any(place.is_relative_to(other) for other in allowed)
        if inside and place.suffix.casefold() in SUFFIXES and place.is_file():
            with place.open("rb") as file:
                return file.read(tables.MOST_BYTES + 1)
    return None


@VALUES.needed_by
async def look_through(
    app: AppContext,
    file: people.PeopleFile,
    *,
    partial: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> ImportPreview:
    """Return what an import would do with each row, and change nothing; ``progress`` is told how many were read.

    InvalidArgumentsError where a row cannot be read, or nobody can be told apart.
    """
    if not file.mapping.names_somebody:
        raise InvalidArgumentsError(
            "No column is known to hold an e-mail address or a phone number, by which people are told apart.",
            next_step="Say which column does; the file's are "
            f"{', '.join(repr(column.name[:60]) for column in file.mapping.columns[:30])}.",
        )
    preview = ImportPreview(file=file, partial=partial)
    named = _Named()
    rows = file.rows()
    while part := await asyncio.to_thread(lambda: list(islice(rows, PART))):
        await asyncio.sleep(0)
        read = await asyncio.to_thread(_read_rows, part, app.policy)
        for line, row in (await _match(app, read, partial=partial, named=named)).rows:
            preview.add(line, row)
        progress(preview.rows)
    # What is kept of the rows is enough from here on: the file itself need not be in memory any longer.
    preview.file = replace(file, table=replace(file.table, read=lambda: iter(())))
    if not preview.rows:
        raise InvalidArgumentsError(
            "Below the names of the columns there is no row.", next_step="Add a row for each person."
        )
    return preview


@VALUES.needed_by
async def import_people(app: AppContext, preview: ImportPreview) -> SavedTally:
    """Save what a look has shown, all or none; InvalidArgumentsError where rows are refused and not left out.

    Everybody is matched anew: where a row would become anything else than the look has shown, ConflictError is
    raised and nothing is saved. All rows are written by one transaction, which finds first that nobody was changed
    since they were matched; else they are matched once more, ``MOST_MATCHES`` times at most. While it writes,
    nobody else can; for operations that only ever hold back it steps aside.
    """
    preview.require_allowed()
    if not preview.to_save:
        return SavedTally(0, 0)
    tally: SavedTally = await app.apart(bound(_saved, preview))
    return tally


async def _saved(preview: ImportPreview, app: AppContext) -> SavedTally:
    """Save the rows of a look as they are matched now."""
    for _ in range(MOST_MATCHES):
        since = await app.local.place_in_audit()
        known_by = _KnownBy()
        parts = await _prepared(preview, app, known_by)
        tally = await app.local.save_prepared(parts, since=since, concerns=known_by.sorted().has)
        if tally is not None:
            return tally
    raise ConflictError(
        f"People were changed {MOST_MATCHES} times while this was being saved, so it could not be compared with "
        "what was shown. Nothing was imported.",
        next_step="Run it again when no other import or synchronisation is under way.",
    )


async def _prepared(preview: ImportPreview, app: AppContext, known_by: _KnownBy) -> PartsOnDisk:
    """Return the rows of a look, matched anew and ready to be saved; ConflictError where one would differ now.

    ``known_by`` is given what their people are known by.
    """
    again = sha256()
    parts = PartsOnDisk()
    for part in preview.rows_read.parts():
        matched = await _match(app, part, partial=preview.partial)
        for line, _ in matched.rows:
            again.update(json.dumps(_folded_line(line), separators=(",", ":")).encode("ascii"))
        known_by.add(entry.fields for entry in matched.matched.entries)
        parts.append(await app.local.prepare_matched(matched.to_save()))
    if again.digest() != preview.seen.digest():
        raise ConflictError(
            "People were changed since this was shown, so the file would do something else now. "
            "Nothing was imported.",
            next_step="Run it again: it shows what would happen now.",
        )
    return parts


def _optional(partial: bool) -> frozenset[str]:
    """Return the facts that are left out where they are wrong; an address never is."""
    return frozenset(FACTS) - {"email"} if partial else frozenset()


def _read_rows(part: Items[people.FileRow], policy: GuardPolicy) -> list[_ReadRow]:
    """Return rows of a file with what is wrong with them, whoever is stored: in their form, and by the guards."""
    read = recipient_rows.read_numbered_rows(
        ((row.number, row.facts) for row in part if not row.problems), policy=policy
    )
    entries = {entry.contact.position: entry.contact for entry in read.entries}
    problems: dict[int, list[RowProblem]] = {row.number: list(row.problems) for row in part}
    for problem in read.with_results(()):
        problems[problem.position].append(problem)
    warnings: dict[int, list[RowProblem]] = {}
    for warning in read.uncertain:
        warnings.setdefault(warning.position, []).append(warning)
    return [
        _ReadRow(
            row.number,
            _who(row.facts),
            entries.get(row.number),
            tuple(problems[row.number]),
            tuple(warnings.get(row.number, ())),
        )
        for row in part
    ]


def _who(facts: Mapping[str, str]) -> str:
    names = (facts.get("first_name"), facts.get("last_name"))
    return " ".join(filter(None, names)) or facts.get("email") or facts.get("phone") or ""


@dataclass(slots=True)
class _Named:
    """Who was named by the rows before, by the hash of their id or address, or of their number.

    A place is the row's number; that of a number is negative where its row has an address too.
    """

    people: _Places = field(default_factory=lambda: _Places())
    phones: _Places = field(default_factory=lambda: _Places())

    def again(self, number: int, who: str, fields: ContactFields) -> RowProblem | None:
        """Record a row's person; return the problem where an earlier row names the same one, else None."""
        earlier = self.people.setdefault(_short(who), number) if who else number
        if fields.phone and earlier == number:
            # A number alone tells two people apart where both have an address.
            place = self.phones.setdefault(_short(fields.phone), -number if fields.email else number)
            if abs(place) != number and not (place < 0 and fields.email):
                earlier = abs(place)
        if earlier == number:
            return None
        problem = f"rows {earlier} and {number} are the same person"
        return RowProblem(number, None, None, problem, "Join them into one row.")


class _Places:
    """A map of eight-byte hashes to places other than 0: some 30 bytes an entry, a quarter of a dict's.

    In memory of its own, which the system has back at once: the saving needs all there is.
    """

    def __init__(self, size: int = 1024) -> None:
        self._hashes = memoryview(mmap(-1, 8 * size)).cast("Q")
        self._places = memoryview(mmap(-1, 8 * size)).cast("q")
        self._used = 0

    def setdefault(self, key: int, place: int) -> int:
        """Return the place of a hash; one that has none gets this one."""
        size = len(self._places)
        at = key % size
        while (known := self._places[at]) and self._hashes[at] != key:
            at = (at + 1) % size
        if known:
            return known
        self._hashes[at], self._places[at] = key, place
        self._used += 1
        if self._used * 3 > size * 2:
            self._grow()
        return place

    def _grow(self) -> None:
        larger = _Places(2 * len(self._places))
        for key, place in zip(self._hashes, self._places, strict=True):
            if place:
                larger.setdefault(key, place)
        self._hashes, self._places = larger._hashes, larger._places


class _KnownBy:
    """Hashes of the addresses and numbers of a file: eight bytes each."""

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self._hashes = array("Q", hashes)

    def add(self, people: Iterable[ContactFields]) -> None:
        """Add what these people are known by."""
        self._hashes.extend(_short(text) for fields in people for text in _marks(fields))

    def sorted(self) -> _KnownBy:
        """Return them in order, so that one can be looked for."""
        return _KnownBy(sorted(self._hashes))

    def has(self, person: Contact) -> bool:
        """Say whether a row has the address or the number of somebody."""
        places = ((value, bisect_left(self._hashes, value)) for value in map(_short, _marks(person)))
        return any(place < len(self._hashes) and self._hashes[place] == value for value, place in places)


def _marks(person: Contact | ContactFields) -> list[str]:
    return [mark for mark in (person.email and address_key(person.email), person.phone) if mark]


def _short(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


class _MatchedRows(NamedTuple):
    """What would become of rows, each with the row as it is kept, and whom saving them would update."""

    rows: list[tuple[ImportLine, _ReadRow]]
    matched: Matched

    def to_save(self) -> Matched:
        """Return those of the people who would be made or changed."""
        lines = {line.number: line for line, _ in self.rows if line.becomes in ("made", "changed")}
        pairs = [
            (person, replace(entry, note=None) if entry.note and lines[number].is_noted else entry)
            for person, entry in zip(self.matched.people, self.matched.entries, strict=True)
            if (number := entry.position or 0) in lines
        ]
        return Matched(
            people=tuple(person for person, _ in pairs), problems=(), entries=tuple(entry for _, entry in pairs)
        )


async def _match(
    app: AppContext, part: Items[_ReadRow], *, partial: bool, named: _Named | None = None
) -> _MatchedRows:
    """Return what would become of rows; ``named`` are the people of the rows before, where those are not saved."""
    entries = [row.entry for row in part if row.entry is not None]
    matched = await app.local.match_contacts(entries, optional=_optional(partial))
    problems = {row.number: list(row.problems) for row in part}
    for problem in matched.problems:
        # Within a part the engine tells of people named twice by its own words; ``named`` tells of all of them.
        known = problems[problem.position]
        follows = problem.field in {other.field for other in known} if problem.field else bool(known)
        if not follows and not problem.problem.startswith("contacts "):
            known.append(problem)
    stored: dict[int, tuple[Contact | None, ContactEntry]] = {}
    for person, entry, who in zip(matched.people, matched.entries, matched.identities, strict=True):
        number = entry.position or 0
        if named is not None and not problems[number] and (again := named.again(number, who, entry.fields)):
            problems[number].append(again)
        stored[number] = person, entry
    now = app.clock()
    persons = {
        number: replace(
            person or Contact(id="", created_at=now, updated_at=now), **_given(entry.fields), id=f"row {number}"
        )
        for number, (person, entry) in stored.items()
    }
    erased = await app.erasures.known_people(persons.values())
    for number, person in persons.items():
        if not problems[number] and person.id in erased:
            problems[number].append(RowProblem(number, None, None, erasure.WHY, erasure.LEAVE_OUT))
    never = await _never(app, persons, stored)
    rows = []
    for row in part:
        match = stored.get(row.number)
        line = _line(row, match, problems=problems[row.number], never=never.get(row.number))
        rows.append((line, row if match is None else row._replace(entry=match[1])))
    return _MatchedRows(rows, matched)


async def _never(
    app: AppContext, persons: Mapping[int, Contact], stored: Mapping[int, tuple[Contact | None, ContactEntry]]
) -> dict[int, str]:
    """Return, by row, why people must never be contacted, as they are stored or as their row tells of them."""
    known = [person for person, _ in stored.values() if person is not None]
    listed = await app.suppressions.suppressed_among([*persons.values(), *known])
    return {
        number: why
        for number, (person, _) in stored.items()
        if (why := listed.get(f"row {number}") or (listed.get(person.id) if person else None))
    }


def _given(fields: ContactFields) -> dict[str, Any]:
    return {name: value for name, value in facts_of(fields).items() if value is not None}


def _line(
    row: _ReadRow,
    match: tuple[Contact | None, ContactEntry] | None,
    *,
    problems: list[RowProblem],
    never: str | None,
) -> ImportLine:
    if problems or match is None:
        return ImportLine(number=row.number, becomes="refused", who=row.who, problems=tuple(problems))
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
        who=row.who,
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
        "uncertain": preview.uncertain,
        "warnings": warning_rows(preview),
        "allowed": preview.is_allowed,
        "lines": [line_json(line) for kind in kinds for line in preview.shown(kind, most=most)],
        "imported": None if saved is None else {"created": saved.created, "updated": saved.updated},
    }


def line_json(line: ImportLine) -> dict[str, Any]:
    """Return what would become of a row, for programs; what there is nothing of is left out."""
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
