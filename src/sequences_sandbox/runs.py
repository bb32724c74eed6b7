"""The state machine of one person's run through some touches, which all three vendors share.

The embedded engine's machine is not used here. It waits for approved plans, hands e-mails over phase by phase and
opens a task for every LinkedIn step; a vendor does none of this, but generates, enrols and executes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class RunState(StrEnum):
    """The state of a run."""

    RUNNING = "running"
    PAUSED = "paused"
    BLOCKED = "blocked"
    REPLIED = "replied"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


RUN_OVER = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One thing to do. ``kind`` is the vendor's word for it; ``wait`` counts from the touch before.

    ``block`` says what a person must do first, ``skip`` that it is passed over; ``resolves_after`` marks an
    invitation and how long it stays open; ``after_invitation`` waits for that.
    """

    id: str
    kind: str
    wait: timedelta = timedelta()
    resolves_after: timedelta | None = None
    after_invitation: bool = False
    block: str | None = None
    skip: bool = False


@dataclass(frozen=True, slots=True)
class Executed:
    """A touch that was executed or skipped."""

    touch: Touch
    at: datetime
    skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRun:
    """The state of one person's run. ``anchor`` is the instant from which the next wait counts."""

    touches: tuple[Touch, ...]
    anchor: datetime
    executed: tuple[Executed, ...] = ()
    state: RunState = RunState.RUNNING
    accepted_at: datetime | None = None
    paused_since: datetime | None = None
    paused_until: datetime | None = None

    @property
    def current(self) -> Touch | None:
        """The next touch, or None."""
        return self.touches[len(self.executed)] if len(self.executed) < len(self.touches) else None

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen."""
        return self.state in RUN_OVER

    @property
    def last_executed_at(self) -> datetime | None:
        """When a touch was last sent, or None."""
        return max((executed.at for executed in self.executed if not executed.skipped), default=None)


def started(touches: tuple[Touch, ...], now: datetime) -> SandboxRun:
    """Return a run that begins now."""
    return SandboxRun(touches=touches, anchor=now)


def due_at(run: SandboxRun) -> datetime | None:
    """Return when the next touch is due, or None where there is none."""
    if (touch := run.current) is None:
        return None
    return max(run.anchor, _invitation_closed_at(run)) if touch.after_invitation else run.anchor + touch.wait


def _invitation_closed_at(run: SandboxRun) -> datetime:
    """Return when the invitation counts as settled: accepted, or left open for its whole time."""
    sent = [
        (executed.at, executed.touch.resolves_after)
        for executed in run.executed
        if executed.touch.resolves_after is not None
    ]
    if not sent:
        return run.anchor
    at, patience = sent[-1]
    timed_out = at + (patience or timedelta())
    return min(timed_out, run.accepted_at) if run.accepted_at else timed_out


def is_waiting_for_acceptance(run: SandboxRun) -> bool:
    """Say whether the next touch waits for an invitation."""
    return run.state is RunState.RUNNING and run.current is not None and run.current.after_invitation


def advance_run(run: SandboxRun, now: datetime) -> SandboxRun:
    """Return the run after everything that was due by ``now`` has happened, each at its own time."""
    if run.state is RunState.PAUSED and run.paused_until is not None and run.paused_until <= now:
        run = resumed(run, run.paused_until)
    while run.state is RunState.RUNNING:
        due = due_at(run)
        if due is None:
            return replace(run, state=RunState.COMPLETED)
        if due > now:
            return run
        run = _taken(run, due)
    return run


def _taken(run: SandboxRun, due: datetime) -> SandboxRun:
    touch = run.touches[len(run.executed)]
    if touch.block is not None and not touch.skip:
        return replace(run, state=RunState.BLOCKED)
    return replace(run, executed=(*run.executed, Executed(touch, due, touch.skip)), anchor=due)


def released(run: SandboxRun, now: datetime, *, skipped: bool) -> SandboxRun:
    """Return a blocked run after a person did or skipped the touch it waited for."""
    touch = run.touches[len(run.executed)]
    executed = (*run.executed, Executed(touch, now, skipped))
    return advance_run(replace(run, executed=executed, state=RunState.RUNNING, anchor=now), now)


def paused(run: SandboxRun, now: datetime, *, until: datetime | None) -> SandboxRun:
    """Return the run paused; pausing a paused run changes the end of the pause."""
    since = run.paused_since if run.state is RunState.PAUSED else now
    return replace(run, state=RunState.PAUSED, paused_since=since, paused_until=until)


def resumed(run: SandboxRun, now: datetime) -> SandboxRun:
    """Return the run resumed; the time of the pause does not count for its waits."""
    stood = now - (run.paused_since or now)
    return replace(run, state=RunState.RUNNING, anchor=run.anchor + stood, paused_since=None, paused_until=None)


def ended(run: SandboxRun, state: RunState) -> SandboxRun:
    """Return the run in a final or answered state."""
    return replace(run, state=state, paused_since=None, paused_until=None)


def accepted(run: SandboxRun, now: datetime) -> SandboxRun:
    """Return the run after the person accepted the invitation."""
    return advance_run(replace(run, accepted_at=now), now)
