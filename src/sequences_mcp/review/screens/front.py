"""The front page: what waits for a person."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sequences_mcp.domain.page import Page
from sequences_mcp.flows.asked_change import what_it_is
from sequences_mcp.flows.list_reviews import list_reviews
from sequences_mcp.flows.list_tasks import list_tasks
from sequences_mcp.review.visit import Visit

SIZE = 20


async def waiting(visit: Visit) -> Response:
    """Show plans, changes and texts, and how many of each and of tasks wait."""
    reviews = await list_reviews(visit.desk, page=visit.page, size=SIZE)
    tasks = await list_tasks(visit.desk, page=1, size=1)
    kinds: list[tuple[Page[Any], str]] = [
        (reviews.plans, "starts"),
        (reviews.changes, "changes"),
        (reviews.drafts, "texts"),
    ]
    return visit.shows(
        "front.html",
        plans=reviews.plans,
        drafts=reviews.drafts,
        tasks=tasks.total_count,
        longest=max(kinds, key=lambda kind: kind[0].total_pages),
        counted=(await visit.desk.records.waiting()).words,
        changes=reviews.changes.map(lambda one: (one, what_it_is(one))),
        troubles=visit.desk.troubles(),
        workers=visit.desk.workers(),
        warnings=reviews.warnings,
    )
