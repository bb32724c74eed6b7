"""A change at a vendor that an agent asked for: old and new side by side, and a person's yes or no."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from sequences_mcp.domain.invisible import is_showable
from sequences_mcp.errors import ApprovalError, ConflictError, ProviderError
from sequences_mcp.flows.approve_change import approve_change
from sequences_mcp.flows.asked_change import differences, vendor_of, what_it_is
from sequences_mcp.providers.record_port import AskedChange
from sequences_mcp.review.presence import Fault, doubt, facts_for
from sequences_mcp.review.visit import ACTOR, Visit

UNSEEN = "This change was not on your screen as it is now. Read it, then decide."


async def change(visit: Visit) -> Response:
    """Show one change, which counts as having read it."""
    return await _shown(visit, await visit.desk.changes.get(visit.named("change")))


async def approve(visit: Visit) -> Response:
    """Say yes to exactly what was shown, and have it carried out."""
    found = await visit.desk.changes.get(visit.named("change"))
    if visit.own.opened.get(found.id) != found.digest or visit.form.get("digest") != found.digest:
        return await _shown(visit, found, fault=Fault(HTTPStatus.CONFLICT, UNSEEN))
    if not all(is_showable(part) for one in differences(found) for part in one):
        told = "It holds characters that cannot be shown, so it cannot be approved."
        return await _shown(visit, found, fault=Fault(HTTPStatus.CONFLICT, told))
    if fault := await doubt(visit):
        return await _shown(visit, found, fault=fault)
    try:
        await approve_change(
            visit.desk, change_id=found.id, digest=found.digest, actor=visit.actor, signature=visit.signature
        )
    except (ApprovalError, ConflictError, ProviderError) as error:
        present = await visit.desk.changes.get(found.id)
        return await _shown(visit, present, fault=Fault(HTTPStatus.CONFLICT, str(error)))
    return visit.goes(f"/changes/{found.id}")


async def refuse(visit: Visit) -> Response:
    """Say no."""
    reason = visit.form.get("reason", "").strip() or "refused on the review page"
    done = await visit.desk.changes.refuse(visit.named("change"), reason=reason, actor=ACTOR)
    return visit.goes(f"/changes/{done.id}")


async def _shown(visit: Visit, found: AskedChange, *, fault: Fault | None = None) -> Response:
    visit.own.opened[found.id] = found.digest
    now = visit.now
    return visit.shows(
        "change.html",
        **facts_for(visit, fault),
        change=found,
        what=what_it_is(found),
        vendor=vendor_of(found),
        rows=differences(found),
        standing=found.standing(now),
        how=found.told(now),
        again=found.came_to == "unknown" and found.tool != "update_sequence",
    )
