"""Single texts: read, edited with the guards' findings beside them, approved, settled."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from sequences_mcp.domain.finding import Finding
from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.invisible import is_showable
from sequences_mcp.domain.sequence import SequenceStatus
from sequences_mcp.errors import ApprovalError, ConflictError, RefusedByGuardsError
from sequences_mcp.flows.approve_draft import approve_draft
from sequences_mcp.flows.check_draft import check_draft
from sequences_mcp.flows.desk import offered
from sequences_mcp.flows.edit_draft import edit_draft
from sequences_mcp.flows.list_reviews import list_reviews
from sequences_mcp.flows.plan_warnings import draft_findings
from sequences_mcp.flows.rewrite import PENDING
from sequences_mcp.providers.port import Draft, Drafts
from sequences_mcp.review import consent
from sequences_mcp.review.presence import Fault, doubt, facts_for
from sequences_mcp.review.shown import as_shown
from sequences_mcp.review.visit import Visit

SIZE = 10
MOVED = "This text was changed by somebody else after you opened it; your version was not saved."


async def of_plan(visit: Visit) -> Response:
    """Show the texts of a plan that were written for one person, in full, which counts as having opened them."""
    reviews = await list_reviews(visit.desk, plan_id=visit.named("plan"), page=visit.page, size=SIZE)
    for draft in reviews.drafts.items:
        if draft.run.content is not None:
            consent.show_text(visit.own, draft.sequence, draft.run)
    return visit.shows("texts.html", plan=reviews.plans.items[0], drafts=reviews.drafts)


async def text(visit: Visit) -> Response:
    """Show one text, to be edited, approved or settled."""
    return await _shown(visit, await _draft(visit))


async def check(visit: Visit) -> Response:
    """Say what the guards find in a text that is being written; stores nothing."""
    content, subject = _typed(visit)
    new, found = await check_draft(visit.desk, draft_id=visit.named("draft"), content=content, subject=subject)
    if "application/json" in visit.request.headers.get("accept", ""):
        told = [_facts(one) for one in found]
        return JSONResponse({"findings": told, "content": as_shown(new.content), "subject": new.subject})
    return await _shown(visit, await _draft(visit), typed=(content, subject), findings=found, checked=new.content)


async def save(visit: Visit) -> Response:
    """Store a text; the approval that covered it is void."""
    draft = await _draft(visit)
    typed = _typed(visit)
    if draft.digest != visit.form.get("digest"):
        return await _shown(visit, draft, typed=typed, fault=Fault(HTTPStatus.CONFLICT, MOVED))
    try:
        done = await edit_draft(visit.desk, draft_id=draft.id, content=typed[0], subject=typed[1])
    except RefusedByGuardsError as error:
        found = list(error.data["findings"])
        told = Fault(HTTPStatus.CONFLICT, error.message)
        return await _shown(visit, draft, typed=typed, findings=found, fault=told)
    if done.sequence.status is SequenceStatus.FOUND:
        return visit.goes(f"/plans/{done.sequence.plan_id}/people/{done.sequence.id}")
    return visit.goes(f"/texts/{done.id}")


async def approve(visit: Visit) -> Response:
    """Say yes to exactly the text that was shown, and let it go."""
    draft = await _draft(visit)
    _require_read(visit, draft)
    if fault := await doubt(visit):
        return await _shown(visit, draft, fault=fault)
    digest = visit.form.get("digest", "")
    try:
        await approve_draft(
            visit.desk, draft_id=draft.id, digest=digest, actor=visit.actor, signature=visit.signature
        )
    except RefusedByGuardsError as error:
        return await _shown(visit, draft, fault=Fault(HTTPStatus.CONFLICT, error.message))
    return visit.goes(f"/sequences/{draft.sequence.id}")


async def settle(visit: Visit) -> Response:
    """Record what became of an e-mail whose fate was unknown; that it was not sent lets exactly it go again."""
    draft, sent = await _draft(visit), visit.form.get("sent")
    if sent not in ("yes", "no"):
        raise ConflictError("Say whether it arrived.", next_step="Go back and choose one of the two.")
    if fault := await doubt(visit):
        return await _shown(visit, draft, fault=fault)
    if sent == "no":
        _require_read(visit, draft)
    seen = visit.form.get("digest") if sent == "no" else None
    done = await _drafts(visit).settle_unknown(
        draft.id, sent=sent == "yes", actor=visit.actor, digest=seen, signature=visit.signature
    )
    return visit.goes(f"/sequences/{done.id}")


def _require_read(visit: Visit, draft: Draft) -> None:
    """Raise ApprovalError unless exactly the text that is let go was on this screen, and could be."""
    if visit.own.opened.get(draft.run.key) != visit.form.get("digest", ""):
        raise ApprovalError(
            "This text was not on your screen as it is now.", next_step="Open it, then decide about it."
        )
    if not all(is_showable(part) for part in (draft.run.subject or "", draft.run.content or "")):
        raise ApprovalError("This text holds characters that cannot be shown.", next_step="Edit it.")


async def _shown(
    visit: Visit,
    draft: Draft,
    *,
    typed: tuple[str, str | None] | None = None,
    findings: list[Finding] | None = None,
    checked: str | None = None,
    fault: Fault | None = None,
) -> Response:
    if draft.run.content is not None:
        consent.show_text(visit.own, draft.sequence, draft.run)
        if findings is None:
            findings = list(await draft_findings(visit.desk, draft))
    content, subject = typed or (draft.run.content or "", draft.run.subject)
    return visit.shows(
        "text.html",
        **facts_for(visit, fault),
        draft=draft,
        content=content,
        subject=subject,
        findings=findings or [],
        checked=checked,
        editable=draft.run.state in PENDING and draft.sequence.status is not SequenceStatus.REFUSED,
        approvable=draft.why in ("edited", "held") and draft.sequence.status is not SequenceStatus.FOUND,
    )


def _typed(visit: Visit) -> tuple[str, str | None]:
    return visit.form.get("content", ""), visit.form.get("subject")


async def _draft(visit: Visit) -> Draft:
    return await _drafts(visit).get_draft(visit.named("draft"))


def _drafts(visit: Visit) -> Drafts:
    provider = visit.desk.provider_of(visit.named("draft"), Kind.DRAFT)
    return offered(provider.drafts, provider, verb="read drafts")


def _facts(one: Finding) -> dict[str, str | None]:
    drawn = {"message": one.message, "excerpt": one.excerpt, "fix": one.fix}
    shown = {name: None if value is None else as_shown(value, keep="") for name, value in drawn.items()}
    return {"severity": one.severity.value, "rule": one.rule, **shown}
