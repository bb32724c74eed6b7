"""Single texts: those of a plan that have to be read or written."""

from __future__ import annotations

from starlette.responses import Response

from sequences_mcp.flows.list_reviews import list_reviews
from sequences_mcp.review import consent
from sequences_mcp.review.visit import Visit

SIZE = 10


async def of_plan(visit: Visit) -> Response:
    """Show the texts of a plan that were written for one person, in full, which counts as having opened them."""
    reviews = await list_reviews(visit.desk, plan_id=visit.named("plan"), page=visit.page, size=SIZE)
    for draft in reviews.drafts.items:
        if draft.run.content is not None:
            consent.show(visit.own, draft.sequence, [draft.run])
    return visit.shows("texts.html", plan=reviews.plans.items[0], drafts=reviews.drafts)
