"""Small sequences for the tests of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sequences_mcp.domain.blueprint import Channel, Delay, DelayUnit, LinkedInType, Policy, Step, Temporality
from sequences_mcp.domain.run import Run, SequenceStatus, StepRun
from sequences_mcp.engine.events import Delivered, Event, HandedToServer, PlanApproved, Tick
from sequences_mcp.engine.machine import advance

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
LEASE = timedelta(minutes=2)
INVITATION = {"type": Channel.LINKEDIN, "linked_in_type": LinkedInType.INVITATION}
SETTLED = {"temporality_type": Temporality.AFTER_INVITATION_SETTLED}


def after(**span: float) -> datetime:
    """Return an instant after the start."""
    return START + timedelta(**span)


def email(**fields: Any) -> dict[str, Any]:
    """Return the fields of an e-mail step that is due at once."""
    return {"type": Channel.EMAIL, "temporality_type": Temporality.ASAP, "subject": "Hello"} | fields


def delayed(days: int, **fields: Any) -> dict[str, Any]:
    """Return the fields of an e-mail step that is due days after the one before it."""
    timing = {"temporality_type": Temporality.DELAYED, "delay": Delay(value=days, unit=DelayUnit.DAY)}
    return email(**timing | fields)


def invitation(**fields: Any) -> dict[str, Any]:
    """Return the fields of a plain LinkedIn invitation that is due at once."""
    return email(subject=None, **INVITATION | fields)


def skipping(**policy: Any) -> dict[str, Any]:
    """Return a policy as the field of a step."""
    return {"policy": Policy(**policy)}


def sequence(*steps: dict[str, Any], **fields: Any) -> Run:
    """Return a sequence in FOUND with these steps: ids s1, s2, …, keys K1, K2, …"""
    runs = tuple(_run(number, fields) for number, fields in enumerate(steps, start=1))
    known: dict[str, Any] = {
        "id": "local:seq_1",
        "plan_id": "local:plan_1",
        "blueprint_id": "local:bp_1",
        "blueprint_version": 1,
        "contact_id": "local:ct_1",
        "status": SequenceStatus.FOUND,
        "ordinal": 0,
        "steps": runs,
        "created_at": START,
        "updated_at": START,
    }
    return Run(**known | fields)


def _run(number: int, fields: dict[str, Any]) -> StepRun:
    step = Step(id=f"s{number}", name=f"Step {number}", content="Hi", **fields)
    return StepRun(key=f"K{number}", step=step, recipient="bob@example.org", subject=step.subject, content="Hi")


def tick(now: datetime, *, lease: int = 1, **facts: Any) -> Tick:
    """Return a Tick that would claim for two minutes."""
    return Tick(lease=lease, lease_expires_at=now + LEASE, **facts)


def after_events(state: Run, *events: Event, now: datetime = START) -> Run:
    """Return the sequence after events that all happen at one instant."""
    for event in events:
        state, _ = advance(state, event, now)
    return state


def active(*steps: dict[str, Any]) -> Run:
    """Return a sequence that was approved at the start."""
    return after_events(sequence(*steps), PlanApproved())


def ticked(state: Run, now: datetime = START, *, lease: int = 1, **facts: Any) -> Run:
    """Return the sequence after a Tick."""
    return after_events(state, tick(now, lease=lease, **facts), now=now)


def claimed(*steps: dict[str, Any]) -> Run:
    """Return an active sequence whose first e-mail is claimed under lease 1."""
    return ticked(active(*steps or (email(),)))


def handed_over(*steps: dict[str, Any]) -> Run:
    """Return an active sequence whose first e-mail is past the point of no return, under lease 1."""
    return after_events(claimed(*steps), HandedToServer(1, after(minutes=11)))


def sent(state: Run, now: datetime, *, lease: int = 1) -> Run:
    """Return the sequence after its due e-mail went out at ``now``."""
    report = (HandedToServer(lease, now + LEASE), Delivered(lease, "250 ok"))
    return after_events(ticked(state, now, lease=lease), *report, now=now)
