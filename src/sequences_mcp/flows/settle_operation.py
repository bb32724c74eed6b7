"""A person tells what became of a write to a vendor."""

from __future__ import annotations

import json

from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.errors import ConflictError
from sequences_mcp.flows.carry_out import CHECKED, last_answer_of
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.enrolment_port import Fate
from sequences_mcp.providers.vendor_port import LAST_ANSWER, Operation


async def settle_operation(desk: Desk, *, operation_id: str, done: bool, actor: str) -> Operation:
    """Return the settled operation; ConflictError when its outcome is not unknown."""
    parse(operation_id, Kind.OPERATION)
    operation = await desk.operations.get(operation_id)
    if operation.state != "unknown":
        raise ConflictError(
            f"This operation is {operation.state} and cannot be settled.",
            next_step="list_providers names the operations whose outcome is unknown.",
        )
    if operation.tool == "start_sequence":
        return await _start_settled(desk, operation, done=done, actor=actor)
    answer = json.dumps({CHECKED: f"{actor} looked.", LAST_ANSWER: last_answer_of(operation)})
    return await desk.operations.settle(
        operation_id, state="done" if done else "not_done", answer=answer, actor=actor
    )


async def _start_settled(desk: Desk, operation: Operation, *, done: bool, actor: str) -> Operation:
    """Return a start as a person found it: everybody in it was enrolled, or nobody."""
    order = await desk.vendor_runs.order_of(operation.id)
    fates = [
        Fate(sequence_id=one.id, outcome="done" if done else "not_done", why=f"{actor} looked.")
        for one in order.people
    ]
    await desk.vendor_runs.settle(operation.id, fates, actor=actor)
    return await desk.operations.get(operation.id)
