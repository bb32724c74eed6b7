"""Find out what became of a write to a vendor whose outcome is unknown, by reading back."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.sequence import TERMINAL, SequenceStatus
from sequences_mcp.flows.carry_out import CHECKED
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.read_back import READERS
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.providers.vendor_port import Operation

IN_FLIGHT_AT_MOST = timedelta(seconds=60)  # until then a request that seems lost may still be acted on
READ_BACK = frozenset({"pause_sequence", "resume_sequence", "stop_sequence", "update_sequence"})


@dataclass(frozen=True, slots=True)
class CheckedOperation:
    """An operation as it is now, one line about how that is known, and what to do where that is not the usual."""

    operation: Operation
    why: str
    next_step: str | None = None


async def check_operation(desk: Desk, *, operation_id: str) -> CheckedOperation:
    """Return the operation, settled where the vendor's present state shows what became of it."""
    parse(operation_id, Kind.OPERATION)
    operation = await desk.operations.get(operation_id)
    if operation.state == "begun":
        return CheckedOperation(operation, "Its request is still under way.")
    if operation.state != "unknown":
        return CheckedOperation(operation, "It was settled before.")
    if operation.tool == "start_sequence":
        return await _started(desk, operation)
    if operation.tool in READERS:
        return await _read(desk, operation)
    if operation.tool not in READ_BACK:
        return CheckedOperation(operation, _look(desk, operation))
    sequences = desk.provider_of(operation.subject, Kind.SEQUENCE).sequences
    assert sequences is not None  # the operation went through it
    detail = await sequences.get_sequence(operation.subject)
    return await _judged(desk, operation, detail)


async def _started(desk: Desk, operation: Operation) -> CheckedOperation:
    """Return a start after a look at everybody in it; people who are certainly not in it wait a minute first."""
    provider = desk.named(operation.provider)
    enrolment = offered(provider.enrolment, provider, verb="start sequences")
    order = await desk.vendor_runs.order_of(operation.id)
    fates = await enrolment.read_back(order)
    shown = Counter(fate.outcome for fate in fates)
    told = ", ".join(f"{number} {_IN[outcome]}" for outcome, number in sorted(shown.items()))
    # A request may leave long after its operation was written down: what counts is when its answer was given up.
    lost_at = max((one.updated_at for one in order.people), default=operation.created_at)
    is_early = desk.clock() - lost_at < IN_FLIGHT_AT_MOST
    if shown["unknown"]:
        why = next(fate.why for fate in fates if fate.outcome == "unknown")
        return CheckedOperation(operation, f"{provider.title}: {told}. {why} A person looks: review settle.")
    if shown["not_done"] and is_early:
        return CheckedOperation(operation, f"{told}. The request may still arrive: ask again in a minute.")
    await desk.vendor_runs.settle(operation.id, fates, actor="check_operation")
    return CheckedOperation(await desk.operations.get(operation.id), f"{provider.title}: {told}.")


_IN = {"done": "enrolled", "not_done": "not enrolled", "unknown": "unknown"}


async def _read(desk: Desk, operation: Operation) -> CheckedOperation:
    found = await READERS[operation.tool](desk, operation)
    if found.happened is None:
        return CheckedOperation(operation, found.why, found.next_step)
    return await _settled(desk, operation, happened=found.happened, why=found.why)


async def _judged(desk: Desk, operation: Operation, detail: SequenceDetail) -> CheckedOperation:
    happened, shown = _happened(operation, detail), detail.provider_status or detail.sequence.status.value
    why = f"The sequence is {shown}."
    if happened is None:
        return CheckedOperation(operation, f"{why} That does not tell; a person has to look.")
    return await _settled(desk, operation, happened=happened, why=why)


async def _settled(desk: Desk, operation: Operation, *, happened: bool, why: str) -> CheckedOperation:
    if not happened and desk.clock() - operation.created_at < IN_FLIGHT_AT_MOST:
        return CheckedOperation(operation, f"{why} The request may still arrive: ask again in a minute.")
    state = "done" if happened else "not_done"
    answer = json.dumps({CHECKED: why})
    settled = await desk.operations.settle(
        operation.id, state="done" if state == "done" else "not_done", answer=answer, actor="check_operation"
    )
    return CheckedOperation(settled, why)


def _happened(operation: Operation, detail: SequenceDetail) -> bool | None:
    """Say whether the present state shows the effect; None where it shows nothing."""
    status = detail.sequence.status
    if detail.provider_status != status.value:
        return None  # a word whose meaning nobody here knows
    if operation.tool == "stop_sequence":
        return None if operation.arguments.get("scope") == "COMPANY" else status in TERMINAL
    if operation.tool == "update_sequence":
        return _merged(operation.arguments.get("variables"), detail)
    if status in TERMINAL:
        return None
    is_paused = status is SequenceStatus.WAITING_FOR_LEAD
    return is_paused if operation.tool == "pause_sequence" else not is_paused


def _merged(wanted: Any, detail: SequenceDetail) -> bool:
    return all(detail.sequence.variables.get(name) == value for name, value in dict(wanted or {}).items())


def _look(desk: Desk, operation: Operation) -> str:
    title = desk.providers[operation.provider].title if operation.provider in desk.providers else "the vendor"
    return f"{title}'s API does not show it; a copy may exist. A person looks there, then: review settle."
