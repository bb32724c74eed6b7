"""The audit: a chain of rows, each with the hash of the one before.

A row that told of somebody who was erased is emptied: it keeps its number, instant, action and hash, so that the
chain goes on over it. A later row of the chain, ``audit.redacted``, has the hash of what is left of it. An emptied
row fits the chain only where it is exactly that and tells nothing, so nothing else can be put in its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.digests import canonical, canonical_text
from sequences_mcp.domain.entries import AuditEntry, AuditRow
from sequences_mcp.domain.erasure import REDACTED
from sequences_mcp.domain.page import Page
from sequences_mcp.store.database import BEGINNING, CHAINED, Database, Row, linked, page_of
from sequences_mcp.store.statements import from_micros, to_micros

DATABASE = "database"  # the subject of what happened to the database as a whole
_EMPTIED = canonical({"erased": True}).decode()
_NEW = canonical({"created": True}).decode()
_BATCH = 1000
_HASHED = CHAINED[:-2]  # what the hash of a row is over, in this order


class AuditRepository:
    """The audit chain: rows that can only be added, each with the hash of the one before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, *, at: datetime, actor: Actor, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Add one row, in the transaction of the act that it describes."""
        self.append([AuditRow(at=at, actor=actor, action=action, subject=subject, detail=detail)])

    def append(self, entries: Iterable[AuditRow]) -> None:
        """Add rows, in the transaction of the acts that they describe."""
        with self._database.joined():
            self._database.write_last(tuple(entries), self._write)

    def _write(self, entries: Sequence[AuditRow]) -> None:
        rows: list[tuple[Any, ...]] = []
        details: dict[int, str] = {}  # an import's hundreds of thousands of rows share one
        for entry in entries:
            if (detail := details.get(id(entry.detail))) is None:
                detail = details[id(entry.detail)] = canonical(entry.detail).decode()
            rows.append((to_micros(entry.at), entry.actor, entry.action, entry.subject, detail))
        self._database.write_chained(rows, _covered)

    def verify(self) -> int | None:
        """Return the number of the first row that does not fit the chain, or None when all do."""
        expected, previous, emptied = 1, BEGINNING, self.redactions()
        for row in self._rows():
            if row["no"] != expected or row["previous"] != previous:
                return expected
            if row["hash"] != _hash(previous, *map(row.__getitem__, _HASHED)) and not _is_as_left(
                row, emptied.get(expected)
            ):
                return expected
            expected, previous = expected + 1, bytes(row["hash"])
        return None

    def last_number(self) -> int:
        """Return the number of the last row, 0 where there is none."""
        head = self._database.row("audit.head")
        return head["no"] if head else 0

    def made_after(self, number: int, *, most: int) -> list[str] | None:
        """Return the ids of the people who are new since the row of this number.

        None where somebody was changed or erased since, or more than ``most`` are new. Whatever does one of these
        writes a row of the audit in the same transaction.
        """
        rows = self._database.rows("audit.of_people_after", no=number, size=most + 1)
        is_new = all(row["action"] == "contact.saved" and row["detail"] == _NEW for row in rows)
        return [row["subject"] for row in rows] if is_new and len(rows) <= most else None

    def of_action(self, action: str) -> list[AuditEntry]:
        """Return everything of one kind that happened, in order."""
        return [_entry(row) for row in self._database.rows("audit.of_action", action=action)]

    def redactions(self) -> dict[int, str]:
        """Return, by the number of each row that was emptied, the hash of what is left of it."""
        results: dict[int, str] = {}
        for row in self._database.rows("audit.of_action", action=REDACTED):
            rows = json.loads(row["detail"]).get("rows", {})
            results |= {int(number): digest for number, digest in rows.items() if int(number) < row["no"]}
        return results

    @staticmethod
    def emptied(row: Row, *, subject: str, actor: Actor) -> dict[str, Any]:
        """Return a row without what it told."""
        return {**dict(row), "subject": subject, "actor": actor, "detail": _EMPTIED}

    @staticmethod
    def hash_of_emptied(row: Mapping[str, Any]) -> str:
        """Return the hash of what is left of an emptied row."""
        return _hash(b"redacted\n", *map(row.__getitem__, _HASHED)).hex()

    def entries(self, *, subject: str | None = None) -> Iterator[AuditRow]:
        """Yield rows in order, of one subject or of all."""
        rows = self._rows() if subject is None else self._database.rows("audit.of_subject", subject=subject)
        for row in rows:
            yield AuditRow(
                at=from_micros(row["at"]),
                actor=Actor(row["actor"]),
                action=row["action"],
                subject=row["subject"],
                detail=json.loads(row["detail"]),
            )

    def of_database(self) -> Sequence[AuditRow]:
        """Return, in order, what happened to the database itself, which is little."""
        return self._database.remembered("audit of the database", lambda: tuple(self.entries(subject=DATABASE)))

    def after(self, number: int, *, size: int) -> tuple[list[AuditEntry], int]:
        """Return what happened after the row of this number, a part of it, and the last one's number."""
        entries = [_entry(row) for row in self._database.rows("audit.after", no=number, size=size)]
        return entries, entries[-1].number if entries else number

    def page(self, *, page: int, size: int, reader: str = "") -> Page[AuditEntry]:
        """Return what happened, the newest first.

        ``reader``: without what is about blueprints that are somebody else's alone; empty: all.
        """
        return page_of(self._database, "records.audit", _entry, page=page, size=size, reader=reader)

    def instants(self, *, size: int) -> list[datetime]:
        """Return the recorded instants of the last rows, the newest first."""
        return [from_micros(row["at"]) for row in self._database.rows("audit.instants", size=size)]

    def _rows(self) -> Iterator[Row]:
        number = 0
        while rows := self._database.rows("audit.after", no=number, size=_BATCH):
            yield from rows
            number = rows[-1]["no"]


def _is_as_left(row: Row, digest: str | None) -> bool:
    return digest is not None and row["detail"] == _EMPTIED and AuditRepository.hash_of_emptied(row) == digest


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        number=row["no"],
        at=from_micros(row["at"]),
        actor=Actor(row["actor"]),
        action=row["action"],
        subject=row["subject"],
        detail=json.loads(row["detail"]),
    )


def _hash(previous: bytes, number: int, *facts: Any) -> bytes:
    return linked(previous, number, _covered(*facts))


def _covered(at: int, *texts: str) -> str:
    """Return what a row's hash covers behind its number."""
    # The canonical JSON of a list, put together here: a start writes two rows for each of ten thousand people.
    return f",{at},{','.join(map(canonical_text, texts))}]"
