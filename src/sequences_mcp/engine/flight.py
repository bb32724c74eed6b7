"""What happens to an e-mail between its claim and its fate.

A worker reports under the lease it claimed with. A report under any other lease is refused, which is what keeps
a worker that was frozen, or whose sequence was paused or stopped, from passing the point of no return.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from sequences_mcp.domain.sequence import LIVE, Sequence, SequenceStatus, StepRun, StepState
from sequences_mcp.engine.events import (
    Deferred,
    Delivered,
    Effect,
    HandedOver,
    Lost,
    Rejected,
    Settled,
    SuppressAddress,
)
from sequences_mcp.engine.legal import conflict
from sequences_mcp.engine.steps import ended, executed, find, grounded, settled, with_run

Result: TypeAlias = tuple[Sequence, tuple[Effect, ...]]

# Its own worker can settle an unknown e-mail too: the server's reply, however late, is proof.
_BEYOND_RECALL = frozenset({StepState.HANDED_OVER, StepState.UNKNOWN})
_OPEN_FATE = _BEYOND_RECALL | {StepState.CLAIMED}
_LEASE_LOST = "the program ended between the final dot and the server's answer"


def handed_over(sequence: Sequence, event: HandedOver, now: datetime) -> Result:
    """Pass the point of no return."""
    run = _leased(sequence, event.lease, {StepState.CLAIMED})
    run = replace(run, state=StepState.HANDED_OVER, lease_expires_at=event.lease_expires_at)
    return with_run(sequence, run, updated_at=now), ()


def delivered(sequence: Sequence, event: Delivered, now: datetime) -> Result:
    """Record the server's acceptance and start the clock of the next step."""
    run = _leased(sequence, event.lease, _BEYOND_RECALL)
    return _sent(sequence, replace(run, server_reply=event.reply), now), ()


def deferred(sequence: Sequence, event: Deferred, now: datetime) -> Result:
    """Put the e-mail back until the retry; where the sequence is over, there is none."""
    run = _answered(_leased(sequence, event.lease, _OPEN_FATE), event.reply)
    if sequence.status not in LIVE:
        return _cancelled(sequence, run, reason=event.reason, now=now), ()
    run = grounded(run, StepState.HELD, reason=event.reason, until=event.retry_at)
    return settled(with_run(sequence, run), now), ()


def rejected(sequence: Sequence, event: Rejected, now: datetime) -> Result:
    """Fail the step and with it the sequence; never write to an address that does not exist again."""
    run = _answered(_leased(sequence, event.lease, _OPEN_FATE), event.reply)
    run = grounded(run, StepState.FAILED, reason=event.reason)
    sequence = with_run(sequence, run, updated_at=now)
    if sequence.status in LIVE:
        sequence = ended(sequence, SequenceStatus.FAILED, now=now, reason=event.reason)
    dead = event.bounced and run.recipient is not None
    return sequence, (SuppressAddress(run.recipient or "", event.reason),) if dead else ()


def lost(sequence: Sequence, event: Lost, now: datetime) -> Result:
    """Record that nobody can tell."""
    run = _answered(_leased(sequence, event.lease, _BEYOND_RECALL), event.reply)
    return _unknown(sequence, run, reason=event.reason, now=now), ()


def lease_expired(sequence: Sequence, run: StepRun, now: datetime) -> Sequence:
    """Return what a dead worker leaves: before the final dot nothing happened, after it nobody can tell."""
    if run.state is StepState.HANDED_OVER:
        return _unknown(sequence, run, reason=_LEASE_LOST, now=now)
    return settled(with_run(sequence, grounded(run, StepState.PLANNED)), now)


def fate_settled(sequence: Sequence, event: Settled, now: datetime) -> Result:
    """Record what a person found out: it was sent, or it was not and is due again."""
    run = find(sequence, event.key)
    if run.state is not StepState.UNKNOWN:
        raise conflict(
            sequence,
            f"This is {sequence.place_of(run)}, which is {run.state}: there is no unknown outcome to settle.",
        )
    if event.sent:
        return _sent(sequence, run, now), ()
    if sequence.status not in LIVE:
        return _cancelled(sequence, run, reason=run.reason, now=now), ()
    return settled(with_run(sequence, grounded(run, StepState.PLANNED)), now), ()


def _leased(sequence: Sequence, lease: int, states: Container[StepState]) -> StepRun:
    for run in sequence.steps:
        if run.lease == lease and run.state in states:
            return run
    raise conflict(sequence, f"Lease {lease} no longer covers an e-mail of this sequence.")


def _answered(run: StepRun, reply: str) -> StepRun:
    return replace(run, server_reply=reply or None)


def _sent(sequence: Sequence, run: StepRun, now: datetime) -> Sequence:
    sequence = with_run(sequence, executed(run, StepState.SENT, now), anchor=now, updated_at=now)
    return settled(sequence, now) if sequence.status in LIVE else sequence


def _unknown(sequence: Sequence, run: StepRun, *, reason: str, now: datetime) -> Sequence:
    run = replace(run, state=StepState.UNKNOWN, reason=reason, lease_expires_at=None)
    sequence = with_run(sequence, run, updated_at=now)
    return settled(sequence, now) if sequence.status in LIVE else sequence


def _cancelled(sequence: Sequence, run: StepRun, *, reason: str | None, now: datetime) -> Sequence:
    return with_run(sequence, grounded(run, StepState.CANCELLED, reason=reason), updated_at=now)
