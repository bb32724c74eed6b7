"""The screens of single texts: read, edited with the guards' findings, approved, and resolved when unknown."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from sequences_mcp.domain.findings import Finding
from sequences_mcp.domain.ids import IdKind
from sequences_mcp.domain.invisible import is_showable
from sequences_mcp.domain.plain_words import as_shown, for_person
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.errors import ApprovalError, ApprovalPendingError, ConflictError, RefusedByGuardsError
from sequences_mcp.planning.warnings import draft_findings
from sequences_mcp.ports.embedded import Draft
from sequences_mcp.ports.provider import Provider
from sequences_mcp.review import consent
from sequences_mcp.review.page.request import LockFault, PageRequest, local_path, lock_facts, presence_fault
from sequences_mcp.services.reviews import approve_draft, check_draft, edit_draft, list_reviews
from sequences_mcp.services.sequences import PENDING

SIZE = 10
MOVED = "This text was changed by somebody else after you opened it; your version was not saved."


async def plan_texts_screen(page_request: PageRequest) -> Response:
    """Show the texts of a plan that were written for one person, in full, which counts as having opened them."""
    reviews = await list_reviews(
        page_request.app, plan_id=page_request.path_part("plan"), page=page_request.page, size=SIZE
    )
    for draft in reviews.drafts.items:
        if draft.run.content is not None:
            consent.show_text(page_request.unlocked, draft.sequence, draft.run)
    return page_request.render("texts.html", plan=reviews.plans.items[0], drafts=reviews.drafts)


async def text_screen(page_request: PageRequest) -> Response:
    """Show one text, to be edited, approved or resolved."""
    return await _shown(page_request, await _draft(page_request))


async def check_text_form(page_request: PageRequest) -> Response:
    """Return what the guards find in a text that is being edited, as JSON or as a page; stores nothing."""
    content, subject = _typed(page_request)
    draft = await _draft(page_request)
    new, findings = await check_draft(page_request.app, draft_id=draft.id, content=content, subject=subject)
    read = replace(draft.run, content=new.content).readable or ""
    if page_request.wants_json:
        facts = [_facts(finding) for finding in findings]
        return JSONResponse({"findings": facts, "content": as_shown(read), "subject": new.subject})
    return await _shown(page_request, draft, typed=(content, subject), findings=findings, checked=read)


async def save_text_form(page_request: PageRequest) -> Response:
    """Store a text, which voids the approval that covered it; a text changed meanwhile is not overwritten."""
    draft = await _draft(page_request)
    typed = _typed(page_request)
    if draft.digest not in (page_request.form.get("digest"), page_request.form.get("replaces")):
        if page_request.wants_json:
            return JSONResponse({"message": MOVED}, status_code=HTTPStatus.CONFLICT)
        return await _shown(page_request, draft, typed=typed, fault=LockFault(HTTPStatus.CONFLICT, MOVED))
    try:
        done = await edit_draft(page_request.app, draft_id=draft.id, content=typed[0], subject=typed[1])
    except RefusedByGuardsError as error:
        findings = list(error.data["findings"])
        if page_request.wants_json:
            facts = {"message": for_person(error.message), "findings": [_facts(finding) for finding in findings]}
            return JSONResponse(facts, status_code=HTTPStatus.CONFLICT)
        fault = LockFault(HTTPStatus.CONFLICT, error.message)
        return await _shown(page_request, draft, typed=typed, findings=findings, fault=fault)
    if done.sequence.status is SequenceStatus.FOUND:
        screen = f"/plans/{done.sequence.plan_id}/people/{done.sequence.id}"
        return page_request.redirect(local_path(page_request.form.get("then") or screen))
    return page_request.redirect(f"/texts/{done.id}")


async def approve_text_form(page_request: PageRequest) -> Response:
    """Approve exactly the text that was shown; it is sent when it is due."""
    draft = await _draft(page_request)
    _require_read(page_request, draft)
    if fault := await presence_fault(page_request):
        return await _shown(page_request, draft, fault=fault)
    digest = page_request.form.get("digest", "")
    try:
        await approve_draft(
            page_request.app,
            draft_id=draft.id,
            digest=digest,
            actor=page_request.actor,
            signature=page_request.signature,
        )
    except (RefusedByGuardsError, ApprovalPendingError) as error:
        return await _shown(page_request, draft, fault=LockFault(HTTPStatus.CONFLICT, error.message))
    return page_request.redirect(f"/sequences/{draft.sequence.id}")


async def resolve_text_form(page_request: PageRequest) -> Response:
    """Record what became of an e-mail of unknown outcome; "not sent" approves sending exactly it again."""
    draft, sent = await _draft(page_request), page_request.form.get("sent")
    if sent not in ("yes", "no"):
        raise ConflictError("Say whether it arrived.", next_step="Go back and choose one of the two.")
    if fault := await presence_fault(page_request):
        return await _shown(page_request, draft, fault=fault)
    if sent == "no":
        _require_read(page_request, draft)
    seen = page_request.form.get("digest") if sent == "no" else None
    done = await _provider(page_request).resolve_unknown(
        draft.id, sent=sent == "yes", actor=page_request.actor, digest=seen, signature=page_request.signature
    )
    return page_request.redirect(f"/sequences/{done.id}")


def _require_read(page_request: PageRequest, draft: Draft) -> None:
    """Raise ApprovalError unless exactly the text that is approved was shown, and all of it can be shown."""
    if page_request.unlocked.opened.get(draft.run.key) != page_request.form.get("digest", ""):
        raise ApprovalError(
            "This text was not on your screen as it is now.", next_step="Open it, then decide about it."
        )
    if not all(is_showable(part) for part in (draft.run.subject or "", draft.run.content or "")):
        raise ApprovalError("This text holds characters that cannot be shown.", next_step="Edit it.")


async def _shown(
    page_request: PageRequest,
    draft: Draft,
    *,
    typed: tuple[str, str | None] | None = None,
    findings: list[Finding] | None = None,
    checked: str | None = None,
    fault: LockFault | None = None,
) -> Response:
    if draft.run.content is not None:
        consent.show_text(page_request.unlocked, draft.sequence, draft.run)
        if findings is None:
            findings = list(await draft_findings(page_request.app, draft))
    content, subject = typed or (draft.run.content or "", draft.run.subject)
    return page_request.render(
        "text.html",
        **lock_facts(page_request, fault),
        draft=draft,
        content=content,
        subject=subject,
        findings=findings or [],
        checked=checked,
        editable=draft.run.state in PENDING and draft.sequence.status is not SequenceStatus.REFUSED,
        approvable=draft.why in ("edited", "held") and draft.sequence.status is not SequenceStatus.FOUND,
    )


def _typed(page_request: PageRequest) -> tuple[str, str | None]:
    return page_request.form.get("content", ""), page_request.form.get("subject")


async def _draft(page_request: PageRequest) -> Draft:
    return await _provider(page_request).get_draft(page_request.path_part("draft"))


def _provider(page_request: PageRequest) -> Provider:
    return page_request.app.provider_of(page_request.path_part("draft"), IdKind.DRAFT)


def _facts(finding: Finding) -> dict[str, str | None]:
    drawn = {"message": finding.message, "excerpt": finding.excerpt, "fix": finding.fix}
    shown = {name: None if value is None else as_shown(value, keep="") for name, value in drawn.items()}
    return {"severity": finding.severity.value, "rule": finding.rule, **shown}
