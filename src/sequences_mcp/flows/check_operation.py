"""Find out what became of a write to a vendor whose outcome is unknown, by reading back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sequences_mcp.domain.ids import LOCAL, Kind, parse
from sequences_mcp.errors import WrongIdError
from sequences_mcp.flows.carry_out import CHECKED, last_answer_of
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.read_back import READERS
from sequences_mcp.providers.vendor_port import LAST_ANSWER, Operation

IN_FLIGHT_AT_MOST = timedelta(seconds=60)  # until then a request that seems lost may still be acted on
IN_WORDS = {"done": "enrolled", "not_done": "not enrolled", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class CheckedOperation:
    """An operation as it is now, one line about how that is known, and what to do where that is not the usual."""

    operation: Operation
    why: str
    next_step: str | None = None

    @property
    def last_answer(self) -> Mapping[str, Any] | None:
        """What the vendor answered last, where its answer was an error."""
        return last_answer_of(self.operation)


async def check_operation(desk: Desk, *, operation_id: str) -> CheckedOperation:
    """Return the operation, settled where the vendor's present state shows what became of it."""
    operation = await desk.operations.get(await _operation_of(desk, operation_id))
    if operation.state == "begun":
        return CheckedOperation(operation, "Its request is still under way.")
    if operation.state != "unknown":
        return CheckedOperation(operation, "It was settled before.")
    if operation.tool == "start_sequence":
        return await _started(desk, operation)
    return await _read(desk, operation)


async def _operation_of(desk: Desk, given: str) -> str:
    """Return an operation's id, also for our id of the run whose request it is; WrongIdError says what helps."""
    if not given.startswith(f"{LOCAL}:{Kind.SEQUENCE}_"):
        return str(parse(given, Kind.OPERATION))
    sequences = offered(desk.local.sequences, desk.local, verb="read sequences")
    run = (await sequences.get_sequence(given)).sequence
    if run.operation_id is None or not run.is_in_doubt:
        raise WrongIdError(
            f"{given} is a sequence, and nothing about it is unknown: it is {run.status}.",
            next_step="get_sequence shows how it stands and why.",
            data={"expected": "operation", "sequence": given},
        )
    return run.operation_id


async def _started(desk: Desk, operation: Operation) -> CheckedOperation:
    """Return a start after a look at everybody in it; people who are certainly not in it wait a minute first."""
    provider = desk.named(operation.provider)
    enrolment = offered(provider.enrolment, provider, verb="start sequences")
    order = await desk.vendor_runs.order_of(operation.id)
    fates = await enrolment.read_back(order)
    shown = Counter(fate.outcome for fate in fates)
    told = ", ".join(f"{number} {IN_WORDS[outcome]}" for outcome, number in sorted(shown.items()))
    # A request may leave long after its operation was written down: what counts is when its answer was given up.
    lost_at = max((one.updated_at for one in order.people), default=operation.created_at)
    is_early = desk.clock() - lost_at < IN_FLIGHT_AT_MOST
    if shown["unknown"]:
        why = next(fate.why for fate in fates if fate.outcome == "unknown")
        show = f"find_contacts with provider {provider.name} shows the person. " if provider.contacts else ""
        return CheckedOperation(
            operation,
            f"{provider.title}: {told}. {why}",
            f"Do not start them again. {show}A person looks in {provider.title}'s app and settles it, in a "
            f"terminal: sequences-mcp review settle {operation.id}",
        )
    if shown["not_done"] and is_early:
        return CheckedOperation(operation, f"{told}. The request may still arrive: ask again in a minute.")
    await desk.vendor_runs.settle(operation.id, fates, actor="check_operation")
    return CheckedOperation(await desk.operations.get(operation.id), f"{provider.title}: {told}.")


async def _read(desk: Desk, operation: Operation) -> CheckedOperation:
    found = await READERS[operation.tool](desk, operation)
    if found.happened is None:
        return CheckedOperation(operation, found.why, found.next_step)
    return await _settled(desk, operation, happened=found.happened, why=found.why)


async def _settled(desk: Desk, operation: Operation, *, happened: bool, why: str) -> CheckedOperation:
    if not happened and desk.clock() - operation.created_at < IN_FLIGHT_AT_MOST:
        return CheckedOperation(operation, f"{why} The request may still arrive: ask again in a minute.")
    settled = await desk.operations.settle(
        operation.id,
        state="done" if happened else "not_done",
        answer=json.dumps({CHECKED: why, LAST_ANSWER: last_answer_of(operation)}),
        actor="check_operation",
    )
    return CheckedOperation(settled, why)
