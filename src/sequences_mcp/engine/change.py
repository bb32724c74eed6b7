"""The one way a run changes: the machine decides, the store keeps it, the audit tells who did it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.engine.events import Effect, Event
from sequences_mcp.engine.machine import advance, next_run_at
from sequences_mcp.engine.store import audit, sequences
from sequences_mcp.engine.store.database import Store


def change(
    store: Store, sequence: Sequence, event: Event, *, now: datetime, actor: str
) -> tuple[Sequence, tuple[Effect, ...]]:
    """Return the run after an event, stored and audited, and the effects to see to.

    Raises what the machine raises, and then nothing is stored.
    """
    after, effects = advance(sequence, event, now)
    if after != sequence:
        keep(store, sequence, after, action=action_of(event), now=now, actor=actor)
    return after, effects


def keep(store: Store, before: Sequence, after: Sequence, *, action: str, now: datetime, actor: str) -> None:
    """Store and audit what became of a run."""
    with store.joined():
        sequences.save(store, before, after, next_run_at=next_run_at(after), now=now)
        detail = difference(before, after)
        audit.append(store, [audit.Entry(at=now, actor=actor, action=action, subject=after.id, detail=detail)])


def action_of(event: Event) -> str:
    """Return an event's name as the audit writes it: ``sequence.handed_over``."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
    return f"sequence.{words}"


def difference(before: Sequence, after: Sequence) -> dict[str, Any]:
    """Return what changed, without anybody's texts: they are in the database, by step and generation."""
    told: dict[str, Any] = {}
    if after.status is not before.status:
        told["status"] = [before.status.value, after.status.value]
    told |= {
        name: getattr(after, name)
        for name in ("reason", "stop_reason", "paused_until", "variables")
        if getattr(after, name) != getattr(before, name)
    }
    steps = [_step(old, new) for old, new in zip(before.steps, after.steps, strict=True) if old != new]
    return told | ({"steps": steps} if steps else {})


def _step(old: StepRun, new: StepRun) -> dict[str, Any]:
    told: dict[str, Any] = {"id": new.step.id, "state": [old.state.value, new.state.value]}
    return told | {
        name: getattr(new, name)
        for name in ("generation", "reason", "until", "lease", "message_id", "server_reply", "accepted_at")
        if getattr(new, name) != getattr(old, name)
    }
