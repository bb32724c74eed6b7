"""What happened, in a chain that shows any later change.

Each row's hash is a SHA-256 over the hash before it and the row itself, so that a changed, removed or inserted
row breaks every hash after it. It cannot show that the end of the chain was cut off.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sequences_mcp.domain.digests import canonical
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros

BEGINNING = bytes(32)
_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened: who did what to which id."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def append(store: Store, entries: Iterable[Entry]) -> None:
    """Write entries down, in the transaction that carries out what they tell."""
    with store.joined():
        head = store.row("audit.head")
        last, previous = (head["no"], bytes(head["hash"])) if head else (0, BEGINNING)
        rows = []
        for number, entry in enumerate(entries, start=last + 1):
            row = _to_row(number, entry)
            row |= {"previous": previous, "hash": _hash(previous, row)}
            previous = row["hash"]
            rows.append(row)
        store.write_many("audit.insert", rows)


def verify(store: Store) -> int | None:
    """Return the number of the first row that is not as it was written, or None when the chain holds."""
    expected, previous = 1, BEGINNING
    for row in _rows(store):
        if row["no"] != expected or row["previous"] != previous or row["hash"] != _hash(previous, dict(row)):
            return expected
        expected, previous = expected + 1, bytes(row["hash"])
    return None


def entries(store: Store, *, subject: str | None = None) -> Iterator[Entry]:
    """Yield what happened, to one thing or to everything, in order."""
    rows = _rows(store) if subject is None else store.rows("audit.of_subject", subject=subject)
    for row in rows:
        yield Entry(
            at=from_micros(row["at"]),
            actor=row["actor"],
            action=row["action"],
            subject=row["subject"],
            detail=json.loads(row["detail"]),
        )


def instants(store: Store, *, size: int) -> list[datetime]:
    """Return when the last things happened, the newest first, as the clock said then."""
    return [from_micros(row["at"]) for row in store.rows("audit.instants", size=size)]


def _to_row(number: int, entry: Entry) -> dict[str, Any]:
    return {
        "no": number,
        "at": to_micros(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": canonical(entry.detail).decode(),
    }


def _hash(previous: bytes, row: Mapping[str, Any]) -> bytes:
    facts = [row["no"], row["at"], row["actor"], row["action"], row["subject"], row["detail"]]
    return sha256(previous + canonical(facts)).digest()


def _rows(store: Store) -> Iterator[sqlite3.Row]:
    number = 0
    while rows := store.rows("audit.after", no=number, size=_BATCH):
        yield from rows
        number = rows[-1]["no"]
