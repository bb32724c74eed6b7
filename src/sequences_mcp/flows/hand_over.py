"""Hand an approved start over to its vendor, request by request, each asked about again just before it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from typing import Any, Literal, Protocol

from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence
from sequences_mcp.errors import ConflictError, SequencesError, StoreError, UnexpectedAnswerError, error_facts
from sequences_mcp.flows.at_vendor import title_of
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.enrolment_port import Enrolment, Fate, HandedOver, Taken

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # seconds between two looks for approved starts
STOPPED_FOR = 30.0  # seconds before one that was stopped is gone on with
ANSWERED_WITHIN = 100.0  # seconds for a whole request: before its operation counts as left behind
WRITTEN_AFTER = (0.1, 0.5, 2.0)  # seconds between two tries to write down what became of a request
LOST = "whether they were enrolled could not be written down; it counts as unknown in two minutes."

_UNDER_WAY: dict[asyncio.Task[str | None], asyncio.Event] = {}  # the loop itself holds a task only weakly


def _nowhere(point: str) -> None:
    """Pass a point at which nothing is watched."""


async def hand_over(
    desk: Desk, *, plan_id: str, halt: asyncio.Event | None = None, at: Callable[[str], None] = _nowhere
) -> str | None:
    """Hand over everybody of an approved plan; return why it stopped before the end, or None.

    ``halt`` ends it between two requests. ``at`` is told the points at which a test may end the process: take,
    taken, answered, settled.
    """
    plan = await desk.plans.get_plan(plan_id)
    provider = desk.providers.get(plan.header.provider)
    enrolment = provider.enrolment if provider else None
    size = enrolment.people_a_call if enrolment else 1
    while people := await desk.vendor_runs.next_people(plan.id, size=size):
        if enrolment is None:
            return f"{title_of(plan)} is not connected to this process: a server that has its key goes on."
        if why := await desk.vendor_runs.left_alone(plan.id):
            return f"{plan.id} is left alone here: {why}."
        if halt is not None and halt.is_set():
            return "this process ends: another one goes on."
        if why := await _one_request(desk, enrolment, plan, people=people, at=at):
            return why
    return None


async def hand_over_soon(desk: Desk, *, plan_id: str, seconds: float) -> HandedOver:
    """Begin to hand over, wait so many seconds at most, and return how far it is; it goes on by itself."""
    # A caller that is cancelled must not take the request with it: its outcome would be unknown.
    await asyncio.wait({_begun(desk, plan_id)}, timeout=seconds)
    return await desk.vendor_runs.outcome(plan_id)


class Pulse(Protocol):
    """Where it is shown that approved starts are handed over, and what stands in the way."""

    def beat(self, *, acted: bool = False) -> None:
        """Show that all is well."""
        ...

    def trouble(self, error: str) -> None:
        """Show what stands in the way."""
        ...


async def hand_over_waiting(desk: Desk, *, alive: Callable[[], None] = lambda: None) -> dict[str, str]:
    """Go on with every approved plan whose people wait; return, by plan, why one stopped before its end.

    ``alive`` is called now and then, however long the vendors take.
    """
    stopped = {}
    for plan in await desk.vendor_runs.waiting():
        task = _begun(desk, plan.id)
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_EVERY)
            alive()
        why = str(task.exception()) if task.exception() else task.result()
        if why and plan.header.provider in desk.providers:
            stopped[plan.id] = why
    return stopped


async def hand_over_until_cancelled(desk: Desk, *, pulse: Pulse) -> None:
    """Look for approved starts, wherever they were approved, and hand them over; never returns."""
    wrong = ""

    def show() -> None:
        if wrong:
            pulse.trouble(wrong)
        else:
            pulse.beat()

    while True:
        stopped: dict[str, str] = {}
        show()
        try:
            stopped = await hand_over_waiting(desk, alive=show)
        except SequencesError as error:
            log.warning("Approved starts wait: %s", error)
            stopped = {"": str(error)}
        except Exception as error:  # whatever it is, approved starts must not wait for good because of it
            log.exception("Approved starts wait")
            stopped = {"": f"a fault, {type(error).__name__}; the log has it"}
        wrong = " ".join(dict.fromkeys(stopped.values()))
        show()
        await asyncio.sleep(STOPPED_FOR if stopped else LOOK_EVERY)


async def no_more_handing_over(*, seconds: float) -> None:
    """Let the requests that are under way end, for so many seconds at most, and begin no other."""
    mine = {task: halt for task, halt in _UNDER_WAY.items() if task.get_loop() is asyncio.get_running_loop()}
    for halt in mine.values():
        halt.set()
    if not mine:
        return
    _, late = await asyncio.wait(mine, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.wait(mine)


def _begun(desk: Desk, plan_id: str) -> asyncio.Task[str | None]:
    halt = asyncio.Event()
    task = asyncio.create_task(hand_over(desk, plan_id=plan_id, halt=halt))
    _UNDER_WAY[task] = halt
    task.add_done_callback(_ended_by_itself)
    return task


def _ended_by_itself(task: asyncio.Task[str | None]) -> None:
    del _UNDER_WAY[task]
    error = None if task.cancelled() else task.exception()
    if isinstance(error, SequencesError):
        log.warning("An approved start waits: %s", error)
    elif error is not None:  # one start's fault, whatever it is, must not stop all the others
        log.error("An approved start could not be handed over", exc_info=error)


async def _one_request(
    desk: Desk, enrolment: Enrolment, plan: Plan, *, people: Items[Sequence], at: Callable[[str], None]
) -> str | None:
    try:
        await enrolment.offer(plan.header.blueprint_id)  # what has changed since the approval voids it
        before = await enrolment.before(plan, people)
    except SequencesError as error:
        return await _not_asked(desk, plan, error)
    at("take")
    try:
        taken = await desk.vendor_runs.take(plan.id, [one.id for one in people], before=before)
    except ConflictError as error:  # another request on the same plan or blueprint is open
        return str(error)
    if taken is None:
        return None
    at("taken")
    why = await _asked(desk, enrolment, taken, at=at)
    at("settled")
    return why


async def _asked(desk: Desk, enrolment: Enrolment, taken: Taken, *, at: Callable[[str], None]) -> str | None:
    """Make the request, write down what became of everybody in it, and return why to go no further, or None."""
    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            fates = await enrolment.enrol(taken.order)
    except SequencesError as error:
        at("answered")
        return await _ended(desk, taken, error)
    except BaseException as error:  # even a request that was given up may have reached the vendor
        with contextlib.suppress(StoreError):
            await desk.vendor_runs.settle(taken.operation_id, _all(taken, "unknown", why="the request broke off"))
        if not isinstance(error, Exception):
            raise
        log.exception("A request to enrol broke off")
        return f"The request broke off. {_look(taken)}"
    at("answered")
    if lost := await _settled(desk, taken, fates):
        return lost
    doubtful = any(fate.outcome == "unknown" for fate in fates)
    return _look(taken) if doubtful else None


async def _settled(desk: Desk, taken: Taken, fates: Items[Fate]) -> str | None:
    """Write down what became of everybody; return that it could not be, or None."""
    for pause in (*WRITTEN_AFTER, None):
        try:
            await desk.vendor_runs.settle(taken.operation_id, fates)
        except StoreError as error:
            log.warning("What became of %s is not written down: %s", taken.operation_id, error)
            if pause is not None:
                await asyncio.sleep(pause)
        else:
            return None
    return f"{taken.operation_id}: {LOST}"


async def _not_asked(desk: Desk, plan: Plan, error: SequencesError) -> str:
    """Return why nothing was asked for: later, where that may help, or for good."""
    may_pass = error.retryable or isinstance(error, StoreError | UnexpectedAnswerError)
    if not may_pass:
        reason = f"not handed over: {error.message}"
        await desk.vendor_runs.give_up(plan.id, reason=reason, error=error_facts(error))
    elif not isinstance(error, StoreError):
        await desk.vendor_runs.put_off(plan.id, error=error_facts(error))
    return str(error)


async def _ended(desk: Desk, taken: Taken, error: SequencesError) -> str:
    """Record what a request that was refused, or whose answer was lost, means for everybody in it."""
    facts = error_facts(error)
    if error.outcome == "unknown":
        facts |= {"operation_id": taken.operation_id, "next": f"Do not start them again. {_look(taken)}"}
        fates = _all(taken, "unknown", why=error.message, error=facts)
        return await _settled(desk, taken, fates) or f"{error.message} {_look(taken)}"
    if error.retryable:
        await desk.vendor_runs.release(taken.operation_id, reason=error.message, error=facts)
        return str(error)
    if lost := await _settled(desk, taken, _all(taken, "not_done", why=error.message, error=facts)):
        return lost
    reason = f"not handed over: {error.message}"
    await desk.vendor_runs.give_up(taken.order.plan.id, reason=reason, error=facts)
    return str(error)


def _look(taken: Taken) -> str:
    return f"check_operation with {taken.operation_id} looks for what became of them."


def _all(
    taken: Taken, outcome: Literal["not_done", "unknown"], *, why: str, error: Mapping[str, Any] | None = None
) -> list[Fate]:
    return [Fate(sequence_id=one.id, outcome=outcome, why=why, error=error) for one in taken.order.people]
