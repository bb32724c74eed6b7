"""Corrections of stored instants after a clock was ahead, and the deletion of old answers and exports."""

from __future__ import annotations

from collections.abc import Sequence as Items
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sequences_mcp.domain import actors
from sequences_mcp.domain.plan import LIFETIME
from sequences_mcp.domain.run import IN_FLIGHT, LIVE, Run, StepRun, StepState
from sequences_mcp.engine.approvals import decide, resealed
from sequences_mcp.engine.context import keep_changes
from sequences_mcp.private_files import delete_exports
from sequences_mcp.store.unit_of_work import Store, UnitOfWork

TOLERANCE = timedelta(seconds=2)
BETWEEN_MACHINES = timedelta(minutes=1)  # how far their clocks may be apart
LOOKED_AT = 10_000
KEPT_FOR = timedelta(days=30)


def after_a_clock_that_was_ahead(
    store: Store, *, sender: str, now: datetime, longest_lease: timedelta
) -> timedelta | None:
    """Set every stored instant in the future from which a wait is counted to ``now``: the clock was ahead.

    Return by how much the clock was ahead, or None where nothing is to be put right. Where it is rather the
    present clock that is behind, nothing is touched: all waits are right again once it is set.
    """
    newest = store.upkeep.newest_instant(sender)
    if newest is None or newest <= now + (BETWEEN_MACHINES if store.is_shared else TOLERANCE):
        return None
    with store.transaction() as work:
        if not was_ahead(work.audit.instants(size=LOOKED_AT), now):
            return None
        work.attempts.pull_back(sender, now=now)
        for before in work.runs.by_ids(work.upkeep.runs_in_future(now=now)):
            after = pulled_back(before, now, longest_lease=longest_lease)
            keep_changes(work, before, after, action="sequence.clock_put_right", now=now, actor=actors.WORKER)
        work.upkeep.pull_back(now=now)
        for plan_id in work.upkeep.plans_waiting_too_long(latest=now + LIFETIME):
            _end_sooner(work, plan_id, now=now)
        detail = {"ahead_by_seconds": round((newest - now).total_seconds())}
        work.audit.record(at=now, actor=actors.WORKER, action="clock.put_right", subject="clock", detail=detail)
    return newest - now


def _end_sooner(work: UnitOfWork, plan_id: str, *, now: datetime) -> None:
    """Shorten the wait of an undecided plan to that of one made now; the digest of its approval has that end."""
    plan = work.plans.find(plan_id)
    if plan is not None:
        header = replace(plan.header, expires_at=now + LIFETIME)
        fresh = resealed(work, replace(plan, header=header), work.plans.text_digests(plan_id))
        decide(work, fresh, action="clock_put_right", now=now, actor=actors.WORKER)


def was_ahead(instants: Items[datetime], now: datetime) -> bool:
    """Say whether the clock was ahead when the newest of these were written (newest first), not that it is behind.

    A clock that was ahead leaves one gap between records, of about as much as it was ahead; where the present
    clock is behind, the records go on without such a gap.
    """
    later = [at for at in instants if at > now]
    earlier = next((at for at in instants if at <= now), None)
    if not later or earlier is None:
        return False
    return 2 * (min(later) - earlier) >= max(later) - now


def pulled_back(sequence: Run, now: datetime, *, longest_lease: timedelta) -> Run:
    """Return a sequence none of whose waits is counted from an instant after now.

    A hold that would end by itself ends now, and what it waited for is looked at afresh; a person's pause stays.
    """
    if sequence.status not in LIVE:
        return replace(sequence, updated_at=now)
    steps = tuple(_pulled_back(run, now, longest_lease=longest_lease) for run in sequence.steps)
    anchor, since = _earlier(sequence.anchor, now), _earlier(sequence.paused_since, now)
    return replace(sequence, steps=steps, anchor=anchor, paused_since=since, updated_at=now)


def _pulled_back(run: StepRun, now: datetime, *, longest_lease: timedelta) -> StepRun:
    run = replace(run, anchor=_earlier(run.anchor, now), accepted_at=_earlier(run.accepted_at, now))
    if run.state is StepState.HELD:
        return replace(run, until=_earlier(run.until, now))
    if run.state in IN_FLIGHT:
        return replace(run, lease_expires_at=_earlier(run.lease_expires_at, now + longest_lease))
    return run


def _earlier(at: datetime | None, latest: datetime) -> datetime | None:
    return at and min(at, latest)


def purge(store: Store, *, now: datetime) -> None:
    """Forget the answers of calls that nobody can repeat any more, and delete exports whose time is over.

    Both hold texts that people wrote.
    """
    with suppress(OSError):  # tried again when the exports are listed next
        delete_exports(store.workspace.exports, now=now)
    if store.upkeep.has_old_answers(before=now - KEPT_FOR):
        store.upkeep.forget_answers(before=now - KEPT_FOR)
