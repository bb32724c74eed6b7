"""The audit chain, the state of the database in numbers, and rows that time itself changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sequences_mcp.domain.digests import canonical
from sequences_mcp.store.database import Store
from sequences_mcp.store.statements import from_micros, to_micros

BEGINNING = bytes(32)
_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One thing that happened: who did what to which id."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def append_audit(store: Store, entries: Iterable[AuditRow]) -> None:
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


def verify_audit(store: Store) -> int | None:
    """Return the number of the first row that is not as it was written, or None when the chain holds."""
    expected, previous = 1, BEGINNING
    for row in _rows(store):
        if row["no"] != expected or row["previous"] != previous or row["hash"] != _hash(previous, dict(row)):
            return expected
        expected, previous = expected + 1, bytes(row["hash"])
    return None


def audit_entries(store: Store, *, subject: str | None = None) -> Iterator[AuditRow]:
    """Yield what happened, to one thing or to everything, in order."""
    rows = _rows(store) if subject is None else store.rows("audit.of_subject", subject=subject)
    for row in rows:
        yield AuditRow(
            at=from_micros(row["at"]),
            actor=row["actor"],
            action=row["action"],
            subject=row["subject"],
            detail=json.loads(row["detail"]),
        )


def audit_instants(store: Store, *, size: int) -> list[datetime]:
    """Return when the last things happened, the newest first, as the clock said then."""
    return [from_micros(row["at"]) for row in store.rows("audit.instants", size=size)]


def _to_row(number: int, entry: AuditRow) -> dict[str, Any]:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is in the database.

    ``broken_row`` is the first row of the audit that does not fit its chain, ``latest`` the chain's last instant.
    """

    path: str
    journal: str
    why: str
    audit_rows: int
    broken_row: int | None
    latest: datetime | None
    due: int
    next_at: datetime | None
    unknown: int


def survey(store: Store, *, now: datetime) -> Survey:
    """Examine the file and the audit's chain and count what waits; StoreDamagedError when it is not sound."""
    store.check()
    chain = _aggregate(store, "survey.audit")
    next_at = _aggregate(store, "survey.next")["at"]
    return Survey(
        path=str(store.path),
        journal=store.journal.mode,
        why=store.journal.why,
        audit_rows=chain["number"],
        broken_row=verify_audit(store),
        latest=None if chain["latest"] is None else from_micros(chain["latest"]),
        due=_aggregate(store, "survey.due", now=to_micros(now))["number"],
        next_at=None if next_at is None else from_micros(next_at),
        unknown=_aggregate(store, "survey.unknown")["number"],
    )


def _aggregate(store: Store, name: str, **values: Any) -> Any:
    row = store.row(name, **values)
    assert row is not None  # an aggregate always has its row
    return row


_PULLED_BACK = ("over", "open_texts", "held_texts", "vendor_operations", "plans", "decisions", "operations")


def newest_instant(store: Store, sender: str) -> datetime | None:
    """Return the latest instant at which a run changed or a mailbox was used."""
    row = store.rows("upkeep.newest", sender=sender)[0]
    results = [row[name] for name in ("run", "attempt") if row[name] is not None]
    return from_micros(max(results)) if results else None


def instants_in_future(store: Store, *, now: datetime) -> list[str]:
    """Return the live runs that changed after now."""
    return [row["id"] for row in store.rows("upkeep.of_the_future", now=to_micros(now))]


def waiting_too_long(store: Store, *, latest: datetime) -> list[str]:
    """Return the plans that would wait for a person until after an instant."""
    return [row["id"] for row in store.rows("upkeep.waiting_too_long", latest=to_micros(latest))]


def pull_back_instants(store: Store, *, now: datetime) -> None:
    """Let what else lies after now, and is waited for or compared with, lie at now."""
    for name in _PULLED_BACK:
        store.write(f"upkeep.pull_back_{name}", now=to_micros(now))


def has_old_answers(store: Store, *, before: datetime) -> bool:
    """Say whether answers are kept from before an instant."""
    return bool(store.rows("upkeep.has_old_answers", before=to_micros(before))[0]["found"])


def forget_answers(store: Store, *, before: datetime) -> None:
    """Forget the answers from before an instant, and the keys under which they were repeated."""
    with store.transaction():
        store.write("upkeep.forget_operations", before=to_micros(before))
        store.write("upkeep.forget_vendor_answers", before=to_micros(before))
