"""A write to a vendor, once: recorded before its request, its outcome stored before it is returned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, NoReturn

from sequences_mcp.errors import (
    ConflictError,
    OutcomeUnknownError,
    ProviderError,
    RequestError,
    SequencesError,
    error_facts,
)
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.vendor_port import LAST_ANSWER, Operation, Write

FIRST_LOOK = 0.02  # seconds; each look at a twin's progress comes twice as late as the one before
LATEST_LOOK = 0.5
LOOKS = 260  # about two minutes: longer than any call
CHECKED = "checked"
SAME_AGAIN = (
    "The very same call, with every argument as it was, may be made again: it does no harm and settles this."
)


async def carry_out(desk: Desk, write: Write, effect: Callable[[], Awaitable[str]]) -> str:
    """Return the result of this write, or the stored one of an earlier call with its key.

    Calls with one key at the same time have one effect and one answer. Raises OutcomeUnknownError, with the
    operation's id, when nobody can tell what became of the request; ConflictError while an earlier write on the
    same thing is not settled; and whatever the effect raises.
    """
    begun = await desk.operations.begin(write)
    if not begun.is_new:
        return await _answer_of_twin(desk, begun.operation)
    try:
        answer = await effect()
    except BaseException as error:  # even a call that was given up may have reached the vendor
        await _record(desk, begun.operation, error, repeatable=write.repeatable)
        raise
    await desk.operations.settle(begun.operation.id, state="done", answer=answer)
    return answer


async def _record(desk: Desk, operation: Operation, error: BaseException, *, repeatable: bool) -> None:
    is_repeat = operation.state == "unknown"  # of whose first call a refusal of the second says nothing
    if isinstance(error, ProviderError | RequestError) and error.outcome != "unknown" and not is_repeat:
        await desk.operations.settle(operation.id, state="not_done", answer=_told(error))
        return
    doubt = _doubt(operation, error, repeatable=repeatable)
    await desk.operations.doubt(operation.id, answer=_told(doubt))
    if isinstance(error, Exception):
        raise doubt from error


def _doubt(operation: Operation, error: BaseException, *, repeatable: bool = False) -> OutcomeUnknownError:
    known = error if isinstance(error, OutcomeUnknownError) else None
    look = f"check_operation with {operation.id} finds out."
    return OutcomeUnknownError(
        known.message if known else f"OUTCOME UNKNOWN: {operation.tool} on {operation.subject} broke off.",
        next_step=SAME_AGAIN if repeatable else f"Do not call this again. {look}",
        data={
            **(known.data if known else {"why": type(error).__name__, "something_may_have_happened": True}),
            "safe_to_call_again": repeatable,
            "operation_id": operation.id,
        },
    )


async def _answer_of_twin(desk: Desk, operation: Operation) -> str:
    delay = FIRST_LOOK
    for _ in range(LOOKS):
        if operation.state != "begun":
            return _answer(operation)
        await asyncio.sleep(delay)
        delay = min(2 * delay, LATEST_LOOK)
        operation = await desk.operations.get(operation.id)
    raise ConflictError(
        "The first call with this idempotency key is still under way.",
        next_step=f"check_operation with {operation.id} tells how it ended.",
        data={"operation_id": operation.id},
    )


def _answer(operation: Operation) -> str:
    if operation.state == "unknown":
        _raise(operation.answer or _told(_doubt(operation, TimeoutError())))
    facts = json.loads(operation.answer or "{}")
    if operation.state == "not_done":
        _raise(operation.answer or "{}")
    if CHECKED in facts:
        raise ConflictError(
            "This was done: its outcome was unknown at first and was found out since.",
            next_step=f"check_operation with {operation.id} shows it; nothing has to be called again.",
            data={"operation_id": operation.id},
        )
    return operation.answer or ""


def last_answer_of(operation: Operation) -> Mapping[str, Any] | None:
    """Return what the vendor answered last, where its answer was an error (``errors.error_facts``)."""
    try:
        facts = json.loads(operation.answer or "{}")
    except ValueError:
        return None
    found = facts.get(LAST_ANSWER) if isinstance(facts, dict) else None
    return found if isinstance(found, dict) else None


def _told(error: SequencesError) -> str:
    facts = {
        "code": error.code,
        "message": error.message,
        "next": error.next_step,
        "data": dict(error.data),
        LAST_ANSWER: error_facts(error) if isinstance(error, ProviderError) else None,
    }
    return json.dumps(facts, default=str)


def _raise(told: str) -> NoReturn:
    """Raise the error that an earlier call met."""
    facts = json.loads(told)
    if CHECKED in facts:
        raise ConflictError("This was found not to have been done.", next_step="Call again with a new key.")
    kind = next((one for one in _kinds(SequencesError) if one.code == facts["code"]), SequencesError)
    raise kind(facts["message"], next_step=facts["next"], data=facts["data"])


def _kinds(kind: type[SequencesError]) -> Iterator[type[SequencesError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)
