"""Calls of write tools and the answers they got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call; ``key`` stands for this answer until ``expires_at``."""

    id: str
    tool: str
    key: str | None
    fingerprint: str
    answer: str
    actor: str
    created_at: datetime
    expires_at: datetime | None


def insert(store: Store, operation: Operation) -> None:
    """Write a call down."""
    with store.joined():
        store.write("operations.free_key", key=operation.key, now=to_micros(operation.created_at))
        store.write(
            "operations.insert",
            id=operation.id,
            tool=operation.tool,
            key=operation.key,
            fingerprint=operation.fingerprint,
            answer=operation.answer,
            actor=operation.actor,
            created_at=to_micros(operation.created_at),
            expires_at=to_micros(operation.expires_at),
        )


def by_key(store: Store, key: str, *, now: datetime) -> tuple[str, str, str] | None:
    """Return tool, fingerprint and answer of the call this key belongs to, or None."""
    row = store.row("operations.by_key", key=key, now=to_micros(now))
    return (row["tool"], row["fingerprint"], row["answer"]) if row else None
