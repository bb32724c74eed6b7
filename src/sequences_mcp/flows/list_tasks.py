"""Page through the steps that a person does by hand."""

from __future__ import annotations

from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import Task
from sequences_mcp.providers.vendor_port import VendorTask


async def list_tasks(
    desk: Desk, *, provider: str = LOCAL, page: int = 1, size: int = DEFAULT_SIZE
) -> Page[Task] | Page[VendorTask]:
    """Return the open tasks, oldest first; a vendor's are in its own words."""
    where = desk.named(provider)
    if where.vendor_tasks is not None:
        return await where.vendor_tasks.list_open(page=page, size=size)
    return await offered(where.tasks, where, verb="list tasks").list_tasks(page=page, size=size)
