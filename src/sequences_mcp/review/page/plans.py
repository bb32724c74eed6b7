"""Plans and changes at vendors: shown, approved, rejected."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from sequences_mcp.domain.erasure import ERASE
from sequences_mcp.domain.invisible import is_showable
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.errors import ApprovalError, ApprovalPendingError, ConflictError, ProviderError
from sequences_mcp.ports.embedded import PendingChange
from sequences_mcp.review import consent
from sequences_mcp.review.page import people
from sequences_mcp.review.page.request import (
    LockFault,
    PageRequest,
    lock_facts,
    presence_fault,
    whole_number,
)
from sequences_mcp.services.enrolment import enrol_soon
from sequences_mcp.services.reviews import approve_change, approve_plan, refuse_plan
from sequences_mcp.services.vendor_writes import differences, vendor_of, what_it_is

HAND_OVER_AT_MOST = 3.0  # seconds that the page waits for an enrolment at a vendor, which goes on afterwards


async def plan_screen(page_request: PageRequest) -> Response:
    """Show one plan."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    return await _shown(page_request, plan)


async def approve_plan_form(page_request: PageRequest) -> Response:
    """Approve exactly what was shown; a plan that has changed since is shown again with what happened to it."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    tally = await page_request.app.records.tally(plan.id)
    stated = consent.StatedNumbers(_stated(page_request, "people"), _stated(page_request, "warnings"))
    chosen = page_request.form.get("at") or None
    if why := await consent.objection(
        page_request.app, plan, tally=tally, reading=page_request.unlocked, stated=stated
    ):
        return await _shown(page_request, plan, chosen=chosen, fault=LockFault(HTTPStatus.CONFLICT, why))
    if fault := await presence_fault(page_request):
        return await _shown(page_request, plan, chosen=chosen, fault=fault)
    digest, pauses = page_request.form.get("digest", ""), page_request.form.get("pauses", "")
    try:
        done = await approve_plan(
            page_request.app,
            plan_id=plan.id,
            digest=digest,
            actor=page_request.actor,
            signature=page_request.signature,
            pauses=pauses,
        )
    except ApprovalPendingError:  # one of two people has: the plan says so
        return page_request.redirect(f"/plans/{plan.id}")
    except ApprovalError as error:
        present = await page_request.app.plans.get_plan(plan.id)
        since = page_request.unlocked.seen.get(consent.state_shown(digest, pauses))
        moved = [] if since is None else await consent.changes_since(page_request.app, present, since)
        fault = LockFault(HTTPStatus.CONFLICT, str(error))
        return await _shown(page_request, present, chosen=chosen, fault=fault, moved=moved)
    if done.header.is_at_vendor:
        await enrol_soon(page_request.app, plan_id=done.id, seconds=HAND_OVER_AT_MOST)
    return page_request.redirect(f"/plans/{done.id}")


def _stated(page_request: PageRequest, name: str) -> int | None:
    given = page_request.form.get(name, "")
    return whole_number(given, name=name) if given.strip() else None


async def reject_plan_form(page_request: PageRequest) -> Response:
    """Reject a plan, with the reason from the form."""
    reason = page_request.form.get("reason", "").strip() or "rejected on the review page"
    done = await refuse_plan(
        page_request.app, plan_id=page_request.path_part("plan"), reason=reason, actor=page_request.person
    )
    return page_request.redirect(f"/plans/{done.id}")


async def renew_plan_form(page_request: PageRequest) -> Response:
    """Give a void plan the present settings, to be read and approved again."""
    done = await page_request.app.plans.renew_plan(page_request.path_part("plan"))
    return page_request.redirect(f"/plans/{done.id}")


async def person_screen(page_request: PageRequest) -> Response:
    """Show one person of a plan, their texts in full beside the list, which counts as having opened them."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    return await _shown(page_request, plan, chosen=page_request.path_part("sequence"))


async def _shown(
    page_request: PageRequest,
    plan: Plan,
    *,
    chosen: str | None = None,
    fault: LockFault | None = None,
    moved: list[str] | None = None,
) -> Response:
    app = page_request.app.sending_under(plan.header.terms)
    # First the texts: having them on the screen is one of the conditions that are told with the plan.
    side, links = await people.side(page_request, plan, chosen=chosen)
    seen = await consent.show_plan_to(app, plan, reading=page_request.unlocked)
    return page_request.render(
        "plan.html",
        **lock_facts(page_request, fault),
        plan=plan,
        seen=seen,
        side=side,
        links=links,
        outcome=await app.vendor_runs.outcome(plan.id) if _is_handed_over(plan) else None,
        moved=moved or [],
        waits=app.waits_for_worker(plan) if seen.tally.live else None,
    )


def _is_handed_over(plan: Plan) -> bool:
    return plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED


UNSEEN = "This change was not on your screen as it is now. Read it, then decide."


async def change_screen(page_request: PageRequest) -> Response:
    """Show one change, which counts as having read it."""
    return await _changes_shown(page_request, await page_request.app.changes.get(page_request.path_part("change")))


async def approve_change_form(page_request: PageRequest) -> Response:
    """Approve exactly the change that was shown, and make it at the vendor."""
    change = await page_request.app.changes.get(page_request.path_part("change"))
    if (
        page_request.unlocked.opened.get(change.id) != change.digest
        or page_request.form.get("digest") != change.digest
    ):
        return await _changes_shown(page_request, change, fault=LockFault(HTTPStatus.CONFLICT, UNSEEN))
    if not all(is_showable(part) for difference in differences(change) for part in difference):
        message = "It holds characters that cannot be shown, so it cannot be approved."
        return await _changes_shown(page_request, change, fault=LockFault(HTTPStatus.CONFLICT, message))
    if fault := await presence_fault(page_request):
        return await _changes_shown(page_request, change, fault=fault)
    try:
        await approve_change(
            page_request.app,
            change_id=change.id,
            digest=change.digest,
            actor=page_request.actor,
            signature=page_request.signature,
        )
    except (ApprovalError, ConflictError, ProviderError) as error:
        present = await page_request.app.changes.get(change.id)
        return await _changes_shown(page_request, present, fault=LockFault(HTTPStatus.CONFLICT, str(error)))
    return page_request.redirect(f"/changes/{change.id}")


async def reject_change_form(page_request: PageRequest) -> Response:
    """Reject a change, with the reason from the form."""
    reason = page_request.form.get("reason", "").strip() or "rejected on the review page"
    done = await page_request.app.changes.refuse(
        page_request.path_part("change"), reason=reason, actor=page_request.person
    )
    return page_request.redirect(f"/changes/{done.id}")


async def _changes_shown(
    page_request: PageRequest, change: PendingChange, *, fault: LockFault | None = None
) -> Response:
    page_request.unlocked.opened[change.id] = change.digest
    now = page_request.now
    return page_request.render(
        "change.html",
        **lock_facts(page_request, fault),
        change=change,
        what=what_it_is(change),
        vendor=vendor_of(change),
        erases=change.tool == ERASE,
        rows=differences(change),
        standing=change.standing(now),
        how=change.state_words(now),
        again=change.came_to == "unknown" and change.tool != "update_sequence",
    )
