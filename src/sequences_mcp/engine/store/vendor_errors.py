"""What vendors answered about runs that they did not take, or may not have taken."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import to_micros

# What differs from answer to answer although it is the same refusal.
OF_ONE_ANSWER = frozenset({"request_id", "attempts", "retry_after"})


def keep(store: Store, sequence_id: str, told: Mapping[str, Any] | None, *, now: datetime) -> None:
    """Keep what was answered about a run; None: the vendor has taken it."""
    if told is None:
        store.write("vendor_errors.drop", id=sequence_id)
        return
    text = json.dumps(dict(told), ensure_ascii=False, default=str)
    store.write("vendor_errors.keep", id=sequence_id, told=text, now=to_micros(now))


def of_runs(store: Store, sequence_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return what was answered, by run."""
    ids = json.dumps(list(sequence_ids))
    return {row["id"]: json.loads(row["told"]) for row in store.rows("vendor_errors.of_runs", ids=ids)}


def of_plan(store: Store, plan_id: str) -> tuple[tuple[Mapping[str, Any], int], ...]:
    """Return the different answers about a plan's people, the first of each kind, with how many it is about."""
    groups: dict[str, tuple[Mapping[str, Any], int]] = {}
    for row in store.rows("vendor_errors.of_plan", plan_id=plan_id):
        told = json.loads(row["told"])
        kind = json.dumps({name: value for name, value in told.items() if name not in OF_ONE_ANSWER})
        first, people = groups.get(kind, (told, 0))
        groups[kind] = (first, people + row["people"])
    return tuple(groups.values())
