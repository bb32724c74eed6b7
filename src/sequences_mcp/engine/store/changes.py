"""Changes at vendors that wait for a person."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import to_micros
from sequences_mcp.providers.record_port import AskedChange


def insert(store: Store, asked: AskedChange, *, now: datetime) -> None:
    """Keep one."""
    store.write(
        "changes.insert",
        id=asked.id,
        tool=asked.tool,
        subject=asked.subject,
        arguments=_text(asked.arguments),
        earlier=_text(asked.earlier),
        asked_at=to_micros(now),
    )


def find(store: Store, change_id: str) -> AskedChange | None:
    """Return one, or None."""
    row = store.row("changes.find", id=change_id)
    return _from_row(row) if row else None


def same(
    store: Store, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
) -> AskedChange | None:
    """Return the one that waits with these arguments, or None."""
    values = {"tool": tool, "subject": subject, "arguments": _text(arguments), "earlier": _text(earlier)}
    row = store.row("changes.same", **values)
    return _from_row(row) if row else None


def waiting(store: Store, *, size: int) -> tuple[AskedChange, ...]:
    """Return those that wait, the oldest first."""
    return tuple(map(_from_row, store.rows("changes.waiting", size=size)))


def approve(store: Store, change_id: str, *, actor: str) -> bool:
    """Record a person's yes; say whether it was the first."""
    return bool(store.write("changes.approve", id=change_id, actor=actor))


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False)


def _from_row(row: sqlite3.Row) -> AskedChange:
    return AskedChange(
        id=row["id"],
        tool=row["tool"],
        subject=row["subject"],
        arguments=json.loads(row["arguments"]),
        earlier=json.loads(row["earlier"]),
        approved_by=row["approved_by"],
    )
