"""Hand an approved start over to its vendor, request by request, each asked about again just before it leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence as Items
from typing import Literal

from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence
from sequences_mcp.errors import ConflictError, SequencesError
from sequences_mcp.flows.at_vendor import title_of
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.enrolment_port import Enrolment, Fate, HandedOver, Taken

LOOK_EVERY = 2.0  # seconds between two looks for approved starts
STOPPED_FOR = 30.0  # seconds before one that was stopped is gone on with
_UNDER_WAY: set[asyncio.Task[str | None]] = set()  # the loop itself holds a task only weakly


async def hand_over(desk: Desk, *, plan_id: str) -> str | None:
    """Hand over everybody of an approved plan; return why it stopped before the end, or None."""
    plan = await desk.plans.get_plan(plan_id)
    provider = desk.providers.get(plan.header.provider)
    if provider is None or provider.enrolment is None:
        return f"{title_of(plan)} is not connected to this process: a server that has its key goes on."
    while people := await desk.vendor_runs.next_people(plan.id, size=provider.enrolment.people_a_call):
        if why := await _one_request(desk, provider.enrolment, plan, people=people):
            return why
    return None


async def hand_over_soon(desk: Desk, *, plan_id: str, seconds: float) -> HandedOver:
    """Begin to hand over, wait so many seconds at most, and return how far it is; it goes on by itself."""
    task = asyncio.create_task(hand_over(desk, plan_id=plan_id))
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    # A caller that is cancelled must not take the request with it: its outcome would be unknown.
    done, _ = await asyncio.wait({task}, timeout=seconds)
    for one in done:
        one.result()
    return await desk.vendor_runs.outcome(plan_id)


async def hand_over_waiting(desk: Desk) -> dict[str, str]:
    """Go on with every approved plan whose people wait; return, by plan, why one stopped before its end."""
    stopped = {}
    for plan in await desk.vendor_runs.waiting():
        if plan.header.provider in desk.providers and (why := await hand_over(desk, plan_id=plan.id)):
            stopped[plan.id] = why
    return stopped


async def hand_over_until_cancelled(desk: Desk) -> None:
    """Look for approved starts, wherever they were approved, and hand them over; never returns."""
    log = logging.getLogger(__name__)
    while True:
        stopped: dict[str, str] = {}
        try:
            stopped = await hand_over_waiting(desk)
        except SequencesError as error:
            log.warning("Approved starts wait: %s", error)
        await asyncio.sleep(STOPPED_FOR if stopped else LOOK_EVERY)


async def _one_request(desk: Desk, enrolment: Enrolment, plan: Plan, *, people: Items[Sequence]) -> str | None:
    try:
        await enrolment.offer(plan.header.blueprint_id)  # what has changed since the approval voids it
        before = await enrolment.before(plan, people)
    except SequencesError as error:
        return await _not_asked(desk, plan, error)
    try:
        taken = await desk.vendor_runs.take(plan.id, [one.id for one in people], before=before)
    except ConflictError as error:  # another request on the same plan or blueprint is open
        return str(error)
    if taken is None:
        return None
    try:
        fates = await enrolment.enrol(taken.order)
    except SequencesError as error:
        await _ended(desk, taken, error)
        return str(error)
    except BaseException:  # even a request that was given up may have reached the vendor
        await desk.vendor_runs.settle(taken.operation_id, _all(taken, "unknown", why="the request broke off"))
        raise
    await desk.vendor_runs.settle(taken.operation_id, fates)
    doubtful = any(fate.outcome == "unknown" for fate in fates)
    return f"check_operation with {taken.operation_id} finds out what became of some." if doubtful else None


async def _not_asked(desk: Desk, plan: Plan, error: SequencesError) -> str:
    """Return why nothing was asked for: later, where that may help, or for good."""
    if not error.retryable:
        await desk.vendor_runs.give_up(plan.id, reason=f"not handed over: {error.message}")
    return str(error)


async def _ended(desk: Desk, taken: Taken, error: SequencesError) -> None:
    """Record what a request that was refused, or whose answer was lost, means for everybody in it."""
    runs = desk.vendor_runs
    if error.outcome == "unknown":
        await runs.settle(taken.operation_id, _all(taken, "unknown", why=error.message))
    elif error.retryable:
        await runs.release(taken.operation_id, reason=error.message)
    else:
        await runs.settle(taken.operation_id, _all(taken, "not_done", why=error.message))
        await runs.give_up(taken.order.plan.id, reason=f"not handed over: {error.message}")


def _all(taken: Taken, outcome: Literal["not_done", "unknown"], *, why: str) -> list[Fate]:
    return [Fate(sequence_id=one.id, outcome=outcome, why=why) for one in taken.order.people]
