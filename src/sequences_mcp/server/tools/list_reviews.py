"""The tool ``list_reviews``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, PageNumber, PageSize
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.panel import SHOWN
from sequences_mcp.server.views.reviews import ReviewsView, next_step, reviews_view
from sequences_mcp.services import reviews as verb


async def list_reviews(
    app: AppContext,
    plan_id: Annotated[str | None, Field(description="Only this plan and its texts")] = None,
    page: PageNumber = FIRST_PAGE,
    size: PageSize = PAGE_SIZE,
) -> ReviewsView:
    """Plans and single texts that wait for a person's approval, and texts still to be written."""
    reviews = await verb.list_reviews(app, plan_id=plan_id, page=page, size=size)
    path = f"/plans/{plan_id}" if plan_id else "/"
    ways = app.ways_to_review(path=path)
    coming = next_step(reviews, ways=ways, is_single=plan_id is not None)
    first = next((change.id for change in reviews.changes.items), None)
    more = ""
    if first is not None:
        where = app.ways_to_review(path=f"/changes/{first}", command=f"approve {first}")
        number = f"{reviews.changes.total_count:,}"
        more = f"Changes wait: {number}. A person decides about {first} {where}."
    return reviews_view(reviews, next_step=" ".join(filter(None, (coming, more, reviews.obstacle))))


TOOL = Definition(list_reviews, title="List what waits for a person", hints=READ, meta=SHOWN)
