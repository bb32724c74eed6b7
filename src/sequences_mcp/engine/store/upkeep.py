"""Rows that time itself changes: instants after now, and answers that are kept no longer."""

from __future__ import annotations

from datetime import datetime

from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros

_PULLED_BACK = ("over", "open_texts", "held_texts", "vendor_operations", "plans", "decisions", "operations")


def newest(store: Store, sender: str) -> datetime | None:
    """Return the latest instant at which a run changed or a mailbox was used."""
    row = store.rows("upkeep.newest", sender=sender)[0]
    found = [row[name] for name in ("run", "attempt") if row[name] is not None]
    return from_micros(max(found)) if found else None


def of_the_future(store: Store, *, now: datetime) -> list[str]:
    """Return the live runs that changed after now."""
    return [row["id"] for row in store.rows("upkeep.of_the_future", now=to_micros(now))]


def waiting_too_long(store: Store, *, latest: datetime) -> list[str]:
    """Return the plans that would wait for a person until after an instant."""
    return [row["id"] for row in store.rows("upkeep.waiting_too_long", latest=to_micros(latest))]


def pull_back(store: Store, *, now: datetime) -> None:
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
