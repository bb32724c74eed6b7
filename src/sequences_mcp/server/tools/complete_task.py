"""The tool ``complete_task``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.run import TaskOutcome
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.views.sequences import TaskWritten, task_written
from sequences_mcp.services import sequences as verb


async def complete_task(
    app: AppContext,
    task_id: str,
    outcome: Annotated[
        TaskOutcome, Field(description="accepted: the invitation was; also after done. At Topo: skipped only")
    ],
) -> TaskWritten:
    """Record what a person did with a manual step; the run goes on to its next step."""
    return task_written(await verb.complete_task(app, task_id=task_id, outcome=outcome))


TOOL = Definition(complete_task, title="Close a manual step", hints=WRITE)
