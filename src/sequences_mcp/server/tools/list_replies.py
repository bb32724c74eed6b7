"""The tool ``list_replies``."""

from __future__ import annotations

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.inbound import ReceivedKind
from sequences_mcp.ports.embedded import ReplyFilter
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, Id, Instant, PageNumber, PageSize
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.replies import RepliesPage, replies_page
from sequences_mcp.services import replies as verb


async def list_replies(
    app: AppContext,
    provider: str = LOCAL,
    kind: ReceivedKind | None = None,
    contact: Id | None = None,
    blueprint_id: str | None = None,
    sequence_id: str | None = None,
    since: Instant | None = None,
    needs_person: bool = False,
    page: PageNumber = FIRST_PAGE,
    size: PageSize = PAGE_SIZE,
) -> RepliesPage:
    """Who answered, newest first, what that stopped, and when each mailbox was read."""
    wanted = ReplyFilter(
        kind=kind,
        contact=contact,
        blueprint_id=blueprint_id,
        sequence_id=sequence_id,
        since=since,
        waiting=needs_person,
        page=page,
        size=size,
    )
    return replies_page(await verb.list_replies(app, wanted=wanted, provider=provider))


TOOL = Definition(list_replies, title="List replies", hints=READ)
