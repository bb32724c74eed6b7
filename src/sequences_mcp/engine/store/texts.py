"""Which steps wait for a person: tasks to do, texts to read, fates to find out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import to_micros
from sequences_mcp.engine.store.sequences import of_keys


def open_tasks(store: Store, *, now: datetime, page: int, size: int) -> Page[tuple[Sequence, StepRun]]:
    """Return steps to be done by hand, the oldest first; nobody's whose pause lasts beyond ``now``'s minute."""
    minute = now.replace(second=0, microsecond=0)  # a page is remembered under its values
    return _page_of(store, "open_tasks", {"now": to_micros(minute)}, page=page, size=size)


def waiting(store: Store, *, not_because: str, page: int, size: int) -> Page[tuple[Sequence, StepRun]]:
    """Return held or unknown steps of started runs, but for holds whose reason begins with ``not_because``."""
    return _page_of(store, "waiting_texts", {"plan_reason": f"{not_because}%"}, page=page, size=size)


def in_plan(
    store: Store, plan_id: str, *, read_steps: Collection[int], page: int, size: int
) -> Page[tuple[Sequence, StepRun]]:
    """Return texts of a plan that are missing, or were written for one person, in order."""
    values = {"plan_id": plan_id, "read_steps": json.dumps(list(read_steps))}
    return _page_of(store, "texts_in_plan", values, page=page, size=size)


def _page_of(
    store: Store, what: str, values: Mapping[str, str | int | None], *, page: int, size: int
) -> Page[tuple[Sequence, StepRun]]:
    def read() -> Page[tuple[Sequence, StepRun]]:
        rows = store.rows(f"sequences.{what}", **values, size=size, skip=(page - 1) * size)
        total = store.rows(f"sequences.count_{what}", **values)[0]["found"]
        return Page(tuple(of_keys(store, [row["key"] for row in rows])), total, page, size)

    return store.remembered((what, *values.values(), page, size), read)
