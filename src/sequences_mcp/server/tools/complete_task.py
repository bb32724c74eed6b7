"""The tool ``complete_task``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.domain.sequence import TaskOutcome
from sequences_mcp.flows import complete_task as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.definition import WRITE, Definition
from sequences_mcp.server.views.task import TaskWritten, task_written


async def complete_task(
    desk: Desk,
    task_id: str,
    outcome: Annotated[
        TaskOutcome, Field(description="accepted: the invitation was; also after done. At Topo: skipped only")
    ],
) -> TaskWritten:
    """Record what a person did with a manual step; the run goes on to its next step."""
    return task_written(await verb.complete_task(desk, task_id=task_id, outcome=outcome))


TOOL = Definition(complete_task, title="Close a manual step", hints=WRITE)
