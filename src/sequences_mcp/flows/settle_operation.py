"""A person tells what became of a write to a vendor."""

from __future__ import annotations

import json

from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.errors import ConflictError
from sequences_mcp.flows.carry_out import CHECKED
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.vendor_port import Operation


async def settle_operation(desk: Desk, *, operation_id: str, done: bool, actor: str) -> Operation:
    """Return the settled operation; ConflictError when its outcome is not unknown."""
    parse(operation_id, Kind.OPERATION)
    operation = await desk.operations.get(operation_id)
    if operation.state != "unknown":
        raise ConflictError(
            f"This operation is {operation.state} and cannot be settled.",
            next_step="list_providers names the operations whose outcome is unknown.",
        )
    answer = json.dumps({CHECKED: f"{actor} looked."})
    return await desk.operations.settle(
        operation_id, state="done" if done else "not_done", answer=answer, actor=actor
    )
