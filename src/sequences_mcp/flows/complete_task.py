"""Record what became of a step done by hand."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.sequence import TaskOutcome
from sequences_mcp.errors import NotSupportedError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import Task
from sequences_mcp.providers.provider import Provider
from sequences_mcp.providers.vendor_port import VendorTask


async def complete_task(desk: Desk, *, task_id: str, outcome: TaskOutcome) -> Task | VendorTask:
    """Return the task as it is now; ConflictError for one that is over, or accepted and no invitation.

    A vendor's can be skipped alone: NotSupportedError for any other outcome.
    """
    provider = desk.provider_of(task_id, Kind.TASK)
    if provider.vendor_tasks is not None:
        if outcome is not TaskOutcome.SKIPPED:
            raise _done_elsewhere(provider)
        return await provider.vendor_tasks.skip(task_id)
    return await offered(provider.tasks, provider, verb="complete tasks").complete_task(task_id, outcome=outcome)


def _done_elsewhere(provider: Provider) -> NotSupportedError:
    return NotSupportedError(
        f"{provider.title}'s API has a way to skip a task, and none to complete it.",
        next_step=f"Nothing was done. In {provider.title}'s own app the task is answered, called or approved, and "
        "closes by that; the outcome `skipped` closes it from here and lets its run go on.",
    )
