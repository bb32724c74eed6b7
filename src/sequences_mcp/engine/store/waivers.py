"""Standing yeses to warnings."""

from __future__ import annotations

from datetime import datetime

from sequences_mcp.domain.waiver import Waiver
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros


def insert(store: Store, waiver: Waiver, *, now: datetime) -> None:
    """Keep one."""
    store.write(
        "waivers.insert",
        blueprint_id=waiver.blueprint_id,
        rule=waiver.rule,
        reason=waiver.reason,
        actor=waiver.actor,
        created_at=to_micros(now),
        until=to_micros(waiver.until),
    )


def in_force(store: Store, blueprint_id: str, *, now: datetime) -> tuple[Waiver, ...]:
    """Return those of a blueprint that hold now, one a rule: the one that holds longest."""
    rows = store.rows("waivers.in_force", blueprint_id=blueprint_id, now=to_micros(now))
    by_rule = {
        row["rule"]: Waiver(
            blueprint_id=row["blueprint_id"],
            rule=row["rule"],
            reason=row["reason"],
            actor=row["actor"],
            until=from_micros(row["until"]),
        )
        for row in rows
    }
    return tuple(by_rule.values())
