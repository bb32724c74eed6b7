"""Record what became of a step done by hand."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.sequence import TaskOutcome
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import Task


async def complete_task(desk: Desk, *, task_id: str, outcome: TaskOutcome) -> Task:
    """Return the task as it is now; ConflictError for one that is over, or accepted and no invitation."""
    provider = desk.provider_of(task_id, Kind.TASK)
    return await offered(provider.tasks, provider, verb="complete tasks").complete_task(task_id, outcome=outcome)
