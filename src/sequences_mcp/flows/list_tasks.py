"""Page through the steps that a person does by hand."""

from __future__ import annotations

from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import Task


async def list_tasks(desk: Desk, *, page: int = 1, size: int = DEFAULT_SIZE) -> Page[Task]:
    """Return the open tasks, oldest first."""
    return await offered(desk.local.tasks, desk.local, verb="list tasks").list_tasks(page=page, size=size)
