"""The tool ``list_tasks``."""

from __future__ import annotations

from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.flows import list_tasks as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, PageNumber, PageSize
from sequences_mcp.server.definition import READ, Definition
from sequences_mcp.server.views.task import TaskPage, task_page


async def list_tasks(
    desk: Desk, provider: str = LOCAL, page: PageNumber = FIRST_PAGE, size: PageSize = PAGE_SIZE
) -> TaskPage:
    """Steps a person does by hand (LinkedIn, WhatsApp, SMS), oldest first, with the text ready to copy."""
    return task_page(await verb.list_tasks(desk, provider=provider, page=page, size=size))


TOOL = Definition(list_tasks, title="List manual steps", hints=READ)
