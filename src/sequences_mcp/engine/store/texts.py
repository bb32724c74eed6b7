"""Which steps wait for a person: tasks to do, texts to read, fates to find out."""

from __future__ import annotations

import json
from collections.abc import Collection

from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.sequences import of_keys


def open_tasks(store: Store, *, page: int, size: int) -> Page[tuple[Sequence, StepRun]]:
    """Return steps to be done by hand, the oldest first."""
    with store.snapshot():
        rows = store.rows("sequences.open_tasks", size=size, skip=(page - 1) * size)
        total = store.rows("sequences.count_open_tasks")[0]["found"]
        return Page(tuple(of_keys(store, [row["key"] for row in rows])), total, page, size)


def waiting(store: Store, *, not_because: str, page: int, size: int) -> Page[tuple[Sequence, StepRun]]:
    """Return held or unknown steps of started runs, but for holds whose reason begins with ``not_because``."""
    values = {"plan_reason": f"{not_because}%"}
    with store.snapshot():
        rows = store.rows("sequences.waiting_texts", **values, size=size, skip=(page - 1) * size)
        total = store.rows("sequences.count_waiting_texts", **values)[0]["found"]
        return Page(tuple(of_keys(store, [row["key"] for row in rows])), total, page, size)


def in_plan(
    store: Store, plan_id: str, *, read_steps: Collection[int], page: int, size: int
) -> Page[tuple[Sequence, StepRun]]:
    """Return texts of a plan that are missing, or were written for one person, in order."""
    values = {"plan_id": plan_id, "read_steps": json.dumps(list(read_steps))}
    with store.snapshot():
        rows = store.rows("sequences.texts_in_plan", **values, size=size, skip=(page - 1) * size)
        total = store.rows("sequences.count_texts_in_plan", **values)[0]["found"]
        return Page(tuple(of_keys(store, [row["key"] for row in rows])), total, page, size)
