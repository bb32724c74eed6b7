"""Writes to vendors, as they are written down."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros
from sequences_mcp.providers.vendor_port import Operation, Write


def insert(store: Store, operation_id: str, write: Write, *, actor: str, now: datetime, lease: datetime) -> None:
    """Write down that a request is about to leave; StoreError when another one on the same thing is open."""
    store.write(
        "vendor_operations.insert",
        id=operation_id,
        provider=write.provider,
        tool=write.call.tool,
        subject=write.subject,
        key=write.call.key,
        fingerprint=write.call.fingerprint,
        request=json.dumps(dict(write.arguments), default=str),
        actor=actor,
        now=to_micros(now),
        lease_expires_at=to_micros(lease),
    )


def by_id(store: Store, operation_id: str, *, now: datetime) -> Operation | None:
    """Return one operation, or None."""
    row = store.row("vendor_operations.by_id", id=operation_id)
    return _from_row(row, now) if row else None


def by_key(store: Store, key: str, *, now: datetime) -> Operation | None:
    """Return the operation a key belongs to, or None."""
    row = store.row("vendor_operations.by_key", key=key)
    return _from_row(row, now) if row else None


def open_on(store: Store, subject: str, *, now: datetime) -> list[Operation]:
    """Return what is not settled on one thing."""
    return [_from_row(row, now) for row in store.rows("vendor_operations.open_on", subject=subject)]


def open_starts_of(store: Store, blueprint_id: str, *, now: datetime) -> list[Operation]:
    """Return starts of a blueprint that are not settled."""
    return [
        _from_row(row, now) for row in store.rows("vendor_operations.open_starts_of", blueprint_id=blueprint_id)
    ]


def unknown(store: Store, *, now: datetime, size: int) -> list[Operation]:
    """Return operations whose outcome nobody knows, oldest first."""
    rows = store.rows("vendor_operations.unknown", now=to_micros(now), size=size)
    return [_from_row(row, now) for row in rows]


def last_paces(store: Store, subjects: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return, by run at a vendor, the last pause, resumption or stop made through here: its tool and arguments."""
    rows = store.rows("vendor_operations.last_paces", subjects=json.dumps(list(subjects)))
    return {row["subject"]: (row["tool"], json.loads(row["request"])) for row in rows}


def doubt(store: Store, operation_id: str, *, answer: str) -> bool:
    """Write down that nobody knows what became of it; False when that, or what became of it, is known already."""
    return store.write("vendor_operations.doubt", id=operation_id, answer=answer) == 1


def settle(store: Store, operation_id: str, *, state: str, answer: str, actor: str, now: datetime) -> bool:
    """Write down what became of it; False when that was settled already."""
    changed = store.write(
        "vendor_operations.settle", id=operation_id, state=state, answer=answer, actor=actor, now=to_micros(now)
    )
    return changed == 1


def _from_row(row: sqlite3.Row, now: datetime) -> Operation:
    lost = row["state"] == "begun" and from_micros(row["lease_expires_at"]) <= now
    return Operation(
        id=row["id"],
        provider=row["provider"],
        tool=row["tool"],
        subject=row["subject"],
        fingerprint=row["fingerprint"],
        arguments=json.loads(row["request"]),
        state="unknown" if lost else row["state"],  # whoever made the request has died since
        answer=row["answer"],
        created_at=from_micros(row["created_at"]),
    )
