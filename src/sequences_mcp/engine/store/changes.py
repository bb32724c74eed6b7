"""Changes at vendors that wait for a person."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros
from sequences_mcp.providers.record_port import CHANGE_LASTS, AskedChange


def insert(store: Store, asked: AskedChange) -> None:
    """Keep one."""
    store.write(
        "changes.insert",
        id=asked.id,
        tool=asked.tool,
        subject=asked.subject,
        arguments=_text(asked.arguments),
        earlier=_text(asked.earlier),
        asked_at=to_micros(asked.asked_at),
        digest_version=asked.digest_version,
    )


def find(store: Store, change_id: str) -> AskedChange | None:
    """Return one, or None."""
    row = store.row("changes.find", id=change_id)
    return _from_row(row) if row else None


def of_request(store: Store, subject: str, fingerprint: str) -> AskedChange | None:
    """Return the approved change of this whose approval is for this digest, or None."""
    row = store.row("changes.of_request", subject=subject, fingerprint=fingerprint)
    return find(store, row["id"]) if row else None


def same(
    store: Store,
    tool: str,
    subject: str,
    *,
    arguments: Mapping[str, object],
    earlier: Mapping[str, object],
    now: datetime,
) -> str | None:
    """Return the id of the one that waits with these arguments, or None."""
    values = {"tool": tool, "subject": subject, "arguments": _text(arguments), "earlier": _text(earlier)}
    row = store.row("changes.same", **values, since=to_micros(now - CHANGE_LASTS))
    return str(row["id"]) if row else None


def waiting(store: Store, *, skip: int, size: int, now: datetime) -> tuple[AskedChange, ...]:
    """Return those that wait, the oldest first."""
    found = store.rows("changes.waiting", skip=skip, size=size, since=to_micros(now - CHANGE_LASTS))
    return tuple(one for row in found if (one := find(store, row["id"])) is not None)


def approve(store: Store, change_id: str, *, actor: str, now: datetime) -> bool:
    """Record a person's yes; say whether nothing was decided before."""
    return bool(store.write("changes.approve", id=change_id, actor=actor, now=to_micros(now)))


def refuse(store: Store, change_id: str, *, actor: str, reason: str, now: datetime) -> bool:
    """Record a no; say whether nothing was decided before."""
    return bool(store.write("changes.refuse", id=change_id, actor=actor, reason=reason, now=to_micros(now)))


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False)


def _from_row(row: sqlite3.Row) -> AskedChange:
    return AskedChange(
        id=row["id"],
        tool=row["tool"],
        subject=row["subject"],
        arguments=json.loads(row["arguments"]),
        earlier=json.loads(row["earlier"]),
        asked_at=from_micros(row["asked_at"]),
        digest_version=row["digest_version"],
        approved_by=row["approved_by"],
        refused_by=row["refused_by"],
        reason=row["reason"],
        decided_at=from_micros(row["decided_at"]),
        came_to=row["came_to"],
    )
