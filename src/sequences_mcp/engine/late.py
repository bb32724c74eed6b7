"""Whether a step would leave so late that whoever approved it has to be asked again.

What late means: a person approved a step for a time, which its timing gives: the start or the step before, plus
the delay. Counted from then on is

- time in which nothing moved: no worker, a computer that was off, a mail server that took nothing;
- a pause, whoever asked for it: it moves the step, and the yes was to the time before it. A yes to the text, or to
  the plan again, that was given afterwards is to the time after it.

Not counted is time in which the mailbox was busy with other e-mails: that a long queue takes weeks at a daily cap
is what the plan said. Nothing is lost by being held: an outage voids the plan's approval, which is renewed once
for everybody (page, ``review --renew``); a pause holds the one text, which is approved like any other held text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.engine.store import attempts, blueprints
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.timing import due_at

_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Approved:
    """The current step of a run, and when this very text was last approved by itself, if it was."""

    sequence: Sequence
    run: StepRun
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Late:
    """Why a step is held as late; ``is_everybodys``: the plan as a whole waited, not this person alone."""

    why: str
    is_everybodys: bool


def late(store: Store, plan: Plan, *, text: Approved, limit: timedelta, now: datetime) -> Late | None:
    """Return why the current step is more than ``limit`` too late for its approval, or None."""
    sequence, run = text.sequence, text.run
    due = due_at(sequence, replace(run, until=None))
    yes = max(filter(None, (text.at, plan.decided_at)), default=sequence.created_at)
    meant = max(due - _paused(sequence, run, plan), yes)
    since = max(due, meant)
    was_paused = due - meant > limit
    if not was_paused and now - since <= limit:
        return None
    if not was_paused and run.step.type is Channel.EMAIL:
        sender = plan.header.terms.sender_address
        if attempts.longest_rest(store, sender, since=since, until=now) <= limit:
            return None  # it stood in the mailbox's queue
    days = (now - meant).days
    why = f"approved on {yes:%Y-%m-%d} for {meant:%Y-%m-%d %H:%M} UTC, {days} days ago; approve again"
    return Late(why, is_everybodys=text.at is None and not was_paused and _is_newest(store, plan))


def _paused(sequence: Sequence, run: StepRun, plan: Plan) -> timedelta:
    """Return by how much pauses have moved the step since the one before it, or since the start."""
    earlier = sequence.steps[: sequence.steps.index(run)]
    last = next((one for one in reversed(earlier) if one.executed_at and one.anchor), None)
    if last is not None and last.executed_at and last.anchor:
        return last.anchor - last.executed_at
    started = plan.decided_at or sequence.created_at
    return max(_NO_TIME, (sequence.anchor or started) - started)


def _is_newest(store: Store, plan: Plan) -> bool:
    """Say whether the plan can be renewed: one on an older version of its blueprint cannot."""
    newest = blueprints.find(store, plan.header.blueprint_id)
    return newest is not None and newest.version == plan.header.blueprint_version
