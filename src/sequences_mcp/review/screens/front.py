"""The front page: what waits for a person."""

from __future__ import annotations

from starlette.responses import Response

from sequences_mcp.flows.asked_change import what_it_is
from sequences_mcp.flows.list_reviews import list_reviews
from sequences_mcp.flows.list_tasks import list_tasks
from sequences_mcp.review.visit import Visit

SIZE = 20


async def waiting(visit: Visit) -> Response:
    """Show plans, texts and how many tasks wait."""
    reviews = await list_reviews(visit.desk, page=visit.page, size=SIZE)
    tasks = await list_tasks(visit.desk, page=1, size=1)
    return visit.shows(
        "front.html",
        plans=reviews.plans,
        drafts=reviews.drafts,
        tasks=tasks.total_count,
        changes=[(one, what_it_is(one)) for one in reviews.changes],
        troubles=visit.desk.troubles(),
        warnings=reviews.warnings,
    )
