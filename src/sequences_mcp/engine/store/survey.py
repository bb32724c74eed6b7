"""The state of the whole database in a few numbers, for whoever looks after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sequences_mcp.engine.store import audit
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros


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
    chain = _one(store, "survey.audit")
    next_at = _one(store, "survey.next")["at"]
    return Survey(
        path=str(store.path),
        journal=store.journal.mode,
        why=store.journal.why,
        audit_rows=chain["number"],
        broken_row=audit.verify(store),
        latest=None if chain["latest"] is None else from_micros(chain["latest"]),
        due=_one(store, "survey.due", now=to_micros(now))["number"],
        next_at=None if next_at is None else from_micros(next_at),
        unknown=_one(store, "survey.unknown")["number"],
    )


def _one(store: Store, name: str, **values: Any) -> Any:
    row = store.row(name, **values)
    assert row is not None  # an aggregate always has its row
    return row
