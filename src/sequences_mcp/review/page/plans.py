"""Plans, one person of a plan, and changes at vendors: shown, approved, rejected."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby

from starlette.responses import Response

from sequences_mcp.context import AppContext
from sequences_mcp.domain.invisible import is_showable
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.run import StopReason
from sequences_mcp.domain.shown import PersonShown, PlanShown
from sequences_mcp.errors import ApprovalError, ConflictError, NotFoundError, ProviderError
from sequences_mcp.planning.warnings import sourcing_of_plan
from sequences_mcp.ports.embedded import PendingChange, SequenceDetail
from sequences_mcp.review import consent
from sequences_mcp.review.page.request import (
    ACTOR,
    LockFault,
    PageRequest,
    lock_facts,
    presence_fault,
    whole_number,
)
from sequences_mcp.review.presentation import present_person, present_texts, text_changes
from sequences_mcp.services.enrolment import enrol_soon
from sequences_mcp.services.reviews import approve_change, approve_plan, refuse_plan
from sequences_mcp.services.sequences import get_sequence, stop_sequence
from sequences_mcp.services.vendor_writes import differences, vendor_of, what_it_is

SIZE = 50
HAND_OVER_AT_MOST = 3.0  # seconds that the page waits for an enrolment at a vendor, which goes on afterwards


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a plan in a list: ``differs`` None is a text of their own."""

    person: PersonShown
    group: str
    differs: tuple[str, ...] | None


async def plan_screen(page_request: PageRequest) -> Response:
    """Show one plan."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    return await _shown(page_request, plan)


async def approve_plan_form(page_request: PageRequest) -> Response:
    """Approve exactly what was shown; a plan that has changed since is shown again with what happened to it."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    tally = await page_request.app.records.tally(plan.id)
    stated = page_request.form.get("people", "")
    people = whole_number(stated, name="people") if stated.strip() else None
    if why := await consent.objection(
        page_request.app, plan, tally=tally, reading=page_request.unlocked, people=people
    ):
        return await _shown(page_request, plan, fault=LockFault(HTTPStatus.CONFLICT, why))
    if fault := await presence_fault(page_request):
        return await _shown(page_request, plan, fault=fault)
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
    except ApprovalError as error:
        present = await page_request.app.plans.get_plan(plan.id)
        since = page_request.unlocked.seen.get(consent.state_shown(digest, pauses))
        moved = [] if since is None else await consent.changes_since(page_request.app, present, since)
        return await _shown(page_request, present, fault=LockFault(HTTPStatus.CONFLICT, str(error)), moved=moved)
    if done.header.is_at_vendor:
        await enrol_soon(page_request.app, plan_id=done.id, seconds=HAND_OVER_AT_MOST)
    return page_request.redirect(f"/plans/{done.id}")


async def reject_plan_form(page_request: PageRequest) -> Response:
    """Reject a plan, with the reason from the form."""
    reason = page_request.form.get("reason", "").strip() or "rejected on the review page"
    done = await refuse_plan(page_request.app, plan_id=page_request.path_part("plan"), reason=reason, actor=ACTOR)
    return page_request.redirect(f"/plans/{done.id}")


async def renew_plan_form(page_request: PageRequest) -> Response:
    """Give a void plan the present settings, to be read and approved again."""
    done = await page_request.app.plans.renew_plan(page_request.path_part("plan"))
    return page_request.redirect(f"/plans/{done.id}")


async def _shown(
    page_request: PageRequest, plan: Plan, *, fault: LockFault | None = None, moved: list[str] | None = None
) -> Response:
    app = page_request.app.sending_under(plan.header.terms)
    seen = await consent.show_plan_to(app, plan, reading=page_request.unlocked)
    people = await app.records.list_people(plan.id, page=page_request.page, size=SIZE)
    return page_request.render(
        "plan.html",
        **lock_facts(page_request, fault),
        plan=plan,
        seen=seen,
        outcome=await app.vendor_runs.outcome(plan.id) if _is_handed_over(plan) else None,
        groups=_groups([present_person(app, detail, sourcing=seen.sourcing) for detail in people.items], seen),
        people=people,
        moved=moved or [],
        waits=app.waits_for_worker(plan) if seen.tally.live else None,
    )


def _is_handed_over(plan: Plan) -> bool:
    return plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED


def _groups(people: list[PersonShown], seen: PlanShown) -> list[tuple[str, list[Row]]]:
    if seen.first is None:
        return []
    rows = [Row(person, _group(person), text_changes(person.sequence, seen.first)) for person in people]
    return [(group, list(members)) for group, members in groupby(rows, key=lambda row: row.group)]


def _group(person: PersonShown) -> str:
    sequence = person.sequence
    if person.is_out:
        return "Taken out"
    if sequence.warnings:
        return "Look at these first"
    if sequence.is_at_vendor:
        return "Everybody"
    if any(run.text_generation for run in sequence.steps):
        return "Changed for one person"
    if any(run.step.is_written_per_contact for run in sequence.steps):
        return "With texts of their own"
    if any(run.recipient is None for run in sequence.steps):
        return "With a step left out"
    return "The same text for everybody"


async def sample_screen(page_request: PageRequest) -> Response:
    """Go to the first person of a plan who waits."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    people = await page_request.app.records.list_people(plan.id, page=1, size=1)
    if not people.items:
        raise NotFoundError("This plan has nobody in it.", next_step="Refuse it.")
    return page_request.redirect(f"/plans/{plan.id}/people/{people.items[0].sequence.id}")


async def person_screen(page_request: PageRequest) -> Response:
    """Show one person's texts in full, which counts as having opened them."""
    plan, detail = await _of_plan(page_request)
    other = await _other(page_request.app, plan, detail)
    consent.show_person(page_request.unlocked, detail.sequence)
    app = page_request.app.sending_under(plan.header.terms)
    sourcing = await sourcing_of_plan(app, plan)
    return page_request.render(
        "person.html",
        plan=plan,
        person=present_texts(app, detail, other.sequence if other else None, sourcing=sourcing),
        other=other,
    )


async def reject_person_form(page_request: PageRequest) -> Response:
    """Take one person out of a plan; the others stay."""
    plan, detail = await _of_plan(page_request)
    await stop_sequence(page_request.app, sequence_id=detail.sequence.id, reason=StopReason.LOSE)
    return page_request.redirect(f"/plans/{plan.id}#people")


async def _of_plan(page_request: PageRequest) -> tuple[Plan, SequenceDetail]:
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    detail = await get_sequence(page_request.app, sequence_id=page_request.path_part("sequence"))
    if detail.sequence.plan_id != plan.id:
        raise NotFoundError("This person is not in this plan.", next_step="The plan's list shows who is.")
    return plan, detail


async def _other(app: AppContext, plan: Plan, detail: SequenceDetail) -> SequenceDetail | None:
    """Return somebody of the plan to compare with: the first person, or the second for the first."""
    people = await app.records.list_people(plan.id, page=1, size=2)
    return next((candidate for candidate in people.items if candidate.sequence.id != detail.sequence.id), None)


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
    done = await page_request.app.changes.refuse(page_request.path_part("change"), reason=reason, actor=ACTOR)
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
        rows=differences(change),
        standing=change.standing(now),
        how=change.state_words(now),
        again=change.came_to == "unknown" and change.tool != "update_sequence",
    )
