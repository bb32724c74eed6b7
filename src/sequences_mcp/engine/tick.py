"""What the passing of time does to a sequence: one thing a Tick, the most pressing first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.sequence import IN_FLIGHT, Sequence, SequenceStatus, StepRun, StepState
from sequences_mcp.engine import timing
from sequences_mcp.engine.events import SendEmail, Tick
from sequences_mcp.engine.flight import Result, lease_expired
from sequences_mcp.engine.steps import ended, grounded, settled, waits_for_person, with_run

OUTSIDE_WINDOW = "outside the sending window"
TEXT_MISSING = "the text for this person is still to be written"
NO_ADDRESS = "the contact has no address for this channel"


def ticked(sequence: Sequence, tick: Tick, now: datetime) -> Result:
    """End a dead lease, end a pause, or move the current step if it is due; else change nothing."""
    run = sequence.current
    if run is None:
        return sequence, ()
    if run.state in IN_FLIGHT and run.lease_expires_at is not None and now >= run.lease_expires_at:
        return lease_expired(sequence, run, now), ()
    if sequence.paused_until is not None:
        over = now >= sequence.paused_until
        return settled(timing.resumed(sequence, now), now) if over else sequence, ()
    if run.state in IN_FLIGHT or waits_for_person(run) or now < timing.due_at(sequence, run):
        return sequence, ()
    return _due(sequence, run, tick=tick, now=now)


def _due(sequence: Sequence, run: StepRun, *, tick: Tick, now: datetime) -> Result:
    if tick.forbidden is not None:
        return ended(sequence, SequenceStatus.STOPPED_EARLY, now=now, reason=tick.forbidden), ()
    if not tick.has_contact:
        return _without_contact(sequence, run, now), ()
    blocked = TEXT_MISSING if run.content is None else tick.blocked
    if blocked is not None:
        return settled(with_run(sequence, grounded(run, StepState.HELD, reason=blocked)), now), ()
    if run.step.type is Channel.EMAIL:
        return _email(sequence, run, tick=tick, now=now)
    return settled(with_run(sequence, grounded(run, StepState.OPEN)), now), ()


def _without_contact(sequence: Sequence, run: StepRun, now: datetime) -> Sequence:
    if run.step.policy.skip_step_if_no_contact:
        skipped = grounded(run, StepState.SKIPPED, reason=NO_ADDRESS)
        return settled(with_run(sequence, skipped, anchor=now), now)
    return settled(with_run(sequence, grounded(run, StepState.HELD, reason=NO_ADDRESS)), now)


def _email(sequence: Sequence, run: StepRun, *, tick: Tick, now: datetime) -> Result:
    if tick.opens_at is not None and tick.opens_at > now:
        held = grounded(run, StepState.HELD, reason=OUTSIDE_WINDOW, until=tick.opens_at)
        return settled(with_run(sequence, held), now), ()
    claimed = grounded(run, StepState.CLAIMED)
    claimed = replace(claimed, lease=tick.lease, lease_expires_at=tick.lease_expires_at, server_reply=None)
    return settled(with_run(sequence, claimed), now), (SendEmail(run.key, tick.lease),)
