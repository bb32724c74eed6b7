"""The tool ``list_tasks``."""

from __future__ import annotations

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, PageNumber, PageSize
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.sequences import TaskPage, task_page
from sequences_mcp.services import sequences as verb


async def list_tasks(
    app: AppContext, provider: str = LOCAL, page: PageNumber = FIRST_PAGE, size: PageSize = PAGE_SIZE
) -> TaskPage:
    """Steps a person does by hand (LinkedIn, WhatsApp, SMS), oldest first, with the text ready to copy."""
    return task_page(await verb.list_tasks(app, provider=provider, page=page, size=size))


TOOL = Definition(list_tasks, title="List manual steps", hints=READ)
