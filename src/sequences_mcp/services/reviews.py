"""Plans, single texts and changes at vendors that wait for a person: listed, edited, decided, withdrawn."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from sequences_mcp.context import AppContext, Decision
from sequences_mcp.domain import actors
from sequences_mcp.domain.erasure import ERASE
from sequences_mcp.domain.findings import Finding, errors_in
from sequences_mcp.domain.ids import LOCAL, IdKind, parse_id, provider_of
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.records import PlanTally
from sequences_mcp.errors import ApprovalError, ConflictError, OutcomeUnknownError, RefusedByGuardsError
from sequences_mcp.guards.senders import MENDED, SENDER, SIGNATURE
from sequences_mcp.lazy_dataclasses import asdict, dataclass, replace
from sequences_mcp.planning.warnings import draft_findings, number_of_warnings
from sequences_mcp.ports.embedded import Draft, PendingChange, StepText, ToolCall
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import VendorWrite
from sequences_mcp.services import changed_texts
from sequences_mcp.services.blueprints import blueprint_as_kept, present_blueprint, update_blueprint
from sequences_mcp.services.sequences import PENDING
from sequences_mcp.services.vendor_writes import VARIABLES, run_once

if TYPE_CHECKING:
    from sequences_mcp.domain.shown import PanelRequest, PanelShown

DONE = '{"outcome":"done"}'


async def approve_change(
    app: AppContext,
    *,
    change_id: str,
    digest: str,
    actor: actors.Actor,
    signature: str | None = None,
    effect: Callable[[AppContext], Awaitable[str]] | None = None,
) -> str:
    """Record the approval, carry the change out at its vendor and return the result; ``effect`` makes another one.

    A blueprint's change of unknown outcome may be approved again, which sends the same request once more.
    Raises ApprovalError when it is not what was shown or has to be signed, ConflictError when it is decided, too
    old, or what it changes is not what was shown any more, and whatever the vendor's refusal raises.
    """
    change = await app.changes.get(change_id)
    if change.tool == ERASE:
        return await _erased(app, change, digest=digest, actor=actor, signature=signature)
    is_variables = change.tool == VARIABLES
    again = change.came_to == "unknown" and not is_variables
    await _require_as_shown(app, change, digest=digest, again=again)
    await app.changes.keep_first_yes(change.id, digest=digest, actor=actor, signature=signature)
    approved, act = replace(app, is_approved=True), effect or _effect(change)
    write = VendorWrite(
        call=ToolCall(change.tool, None, digest),
        provider=provider_of(change.subject),
        subject=change.subject,
        arguments=change.arguments,
        repeatable=not is_variables,
    )

    async def approve_and_act() -> str:
        # Inside, so that a change which another open write keeps off is not approved without being carried out.
        if not again:
            await app.changes.approve(change.id, digest=digest, actor=actor, signature=signature)
        return await act(approved)

    if again:
        await app.changes.approve_again(change.id, digest=digest, actor=actor, signature=signature)
    try:
        return await run_once(app, write, approve_and_act)
    except OutcomeUnknownError as error:
        if is_variables:
            raise
        raise OutcomeUnknownError(
            error.message,
            next_step="Approving it once more sends the same change again: it does no harm and resolves this.",
            data=error.data,
        ) from error


async def _require_as_shown(app: AppContext, change: PendingChange, *, digest: str, again: bool) -> None:
    """Raise ApprovalError or ConflictError for a change that is not what was shown, or cannot be decided now."""
    if digest != change.digest:
        raise ApprovalError("This is not the change that was shown.", next_step="Look at it again.")
    if change.standing(app.clock()) != "waiting" and not again:
        raise ConflictError(
            f"This change is {change.state_words(app.clock())}.",
            next_step="A change that is still wanted is asked for again.",
        )
    if await _has_moved(app, change):
        raise ConflictError(
            "What this changes is not what it was when it was asked for; nothing was done.",
            next_step="Have it asked for again.",
        )


async def _erased(
    app: AppContext, change: PendingChange, *, digest: str, actor: actors.Actor, signature: str | None
) -> str:
    """Erase the person that a change is about, once approved; return what that came to as JSON."""
    from sequences_mcp.services.erasure import erase_approved

    report = await erase_approved(app, change, digest=digest, actor=actor, signature=signature)
    return json.dumps(asdict(report))


def _effect(change: PendingChange) -> Callable[[AppContext], Awaitable[str]]:
    async def act(app: AppContext) -> str:
        given = change.arguments
        if change.tool == VARIABLES:
            await changed_texts.update_sequence(app, sequence_id=change.subject, variables=given["variables"])
        else:
            await update_blueprint(app, blueprint_id=change.subject, **given)
        return DONE

    return act


async def _has_moved(app: AppContext, change: PendingChange) -> bool:
    """Say whether what a change would change is no longer what it was when it was asked for.

    An older program kept fewer facts of a blueprint: those are compared.
    """
    if change.tool == VARIABLES:
        return {
            **await changed_texts.present_variables(app, change.subject, change.arguments["variables"])
        } != change.earlier
    present, earlier = await present_blueprint(app, change.subject), blueprint_as_kept(change.earlier)
    return {name: present.get(name) for name in earlier} != earlier


async def approve_draft(
    app: AppContext, *, draft_id: str, digest: str, actor: actors.Actor, signature: str | None = None
) -> Draft:
    """Return the text as approved; ApprovalError when it is not, or no longer, what was shown.

    RefusedByGuardsError for an error of the guards: the check at the send would hold the text again.
    """
    provider = app.provider_of(draft_id, IdKind.DRAFT)
    provider.require(Provider.approve_draft)
    findings = await draft_findings(app, await provider.get_draft(draft_id))
    if errors := errors_in(findings):
        raise RefusedByGuardsError(
            f"The guards refuse this text, so it cannot be approved: {errors[0].message}",
            next_step=MENDED if errors[0].field in (SENDER, SIGNATURE) else "Edit the text, then approve it.",
            data={"findings": findings},
        )
    return await provider.approve_draft(draft_id, digest=digest, actor=actor, signature=signature)


async def approve_plan(
    app: AppContext,
    *,
    plan_id: str,
    digest: str,
    actor: actors.Actor,
    signature: str | None = None,
    pauses: str | None = None,
) -> Plan:
    """Return the plan under way; ApprovalError when it is not, or no longer, what was shown.

    ``pauses`` says who was shown as paused (``PlanTally.pauses``); None where nobody was shown anything.
    """
    return await app.plans.approve_plan(plan_id, digest=digest, actor=actor, signature=signature, pauses=pauses)


async def check_draft(
    app: AppContext, *, draft_id: str, content: str, subject: str | None = None
) -> tuple[StepText, list[Finding]]:
    """Return the text as it would leave, its variables filled in, and the findings; NotFoundError."""
    provider = app.provider_of(draft_id, IdKind.DRAFT)
    draft = await provider.get_draft(draft_id)
    text = StepText(subject=subject, content=content)
    return await changed_texts.require_allowed_texts(
        app, draft, draft.run, variables=draft.sequence.variables, text=text
    )


async def decide_plan(app: AppContext, *, plan_id: str, digest: str, decision: Decision, proof: str = "") -> Plan:
    """Return the plan as it was decided; ApprovalError for an approval that does not count."""
    parsed_id = str(parse_id(plan_id, IdKind.PLAN))
    return await app.panel().decide(app, parsed_id, digest=digest, decision=decision, proof=proof)


async def edit_draft(app: AppContext, *, draft_id: str, content: str, subject: str | None = None) -> Draft:
    """Return the draft with its new text; variables in it are filled in from the contact.

    Raises RefusedByGuardsError when the guards refuse the text, ConflictError when it has already left.
    """
    provider = app.provider_of(draft_id, IdKind.DRAFT)
    provider.require(Provider.rewrite_texts)
    draft = await provider.get_draft(draft_id)
    if draft.run.state not in PENDING:
        raise ConflictError(
            f"This text is {draft.run.state.value} and cannot change any more.",
            next_step="list_reviews shows the texts that still can.",
        )
    text = StepText(subject=subject, content=content)
    new = await changed_texts.render_texts(app, draft, draft.run, variables=draft.sequence.variables, text=text)
    await changed_texts.store_texts(app, draft, {draft.run.step.id: new})
    return await provider.get_draft(draft_id)


@dataclass(frozen=True, slots=True)
class Reviews:
    """Plans that wait, and texts that wait: of one plan, or of the sequences under way.

    ``warnings`` is, by plan id, how many an approval covers; ``changes`` are those asked for at vendors.
    ``obstacle`` is what keeps anything from leaving just now.
    """

    plans: Page[Plan]
    drafts: Page[Draft]
    warnings: Mapping[str, int]
    changes: Page[PendingChange]
    obstacle: str | None

    @property
    def has_more(self) -> bool:
        """Whether another page follows, of any of them."""
        return self.plans.has_more or self.drafts.has_more or self.changes.has_more


async def list_reviews(
    app: AppContext, *, plan_id: str | None = None, page: int = 1, size: int = DEFAULT_SIZE
) -> Reviews:
    """Return what waits; with ``plan_id`` only that plan and the texts in it to be written or read."""
    if plan_id is not None:
        parse_id(plan_id, IdKind.PLAN)
        plan = await app.plans.get_plan(plan_id)
        with app.records.snapshot():
            return await _reviews_of(app, Page((plan,), 1, 1, size), plan_id=plan_id, page=page, size=size)
    with app.records.snapshot():  # one for all, where nothing is pending: each further one takes its time
        if not app.plans.has_pending():
            return await _reviews_of(app, app.plans.waiting(page=page, size=size), page=page, size=size)
    plans = await app.plans.list_plans(page=page, size=size)
    with app.records.snapshot():
        return await _reviews_of(app, plans, page=page, size=size)


async def _reviews_of(
    app: AppContext, plans: Page[Plan], *, plan_id: str | None = None, page: int, size: int
) -> Reviews:
    return Reviews(
        plans=plans,
        drafts=await app.local.list_drafts(plan_id=plan_id, page=page, size=size),
        warnings={plan.id: await number_of_warnings(app, plan) for plan in plans.items},
        changes=Page((), 0, page, size) if plan_id else await app.changes.waiting(page=page, size=size),
        obstacle=app.obstacle(),
    )


async def refuse_plan(app: AppContext, *, plan_id: str, reason: str, actor: actors.Actor) -> Plan:
    """Return the refused plan; its people become REFUSED."""
    return await app.plans.refuse_plan(plan_id, reason=reason, actor=actor)


async def show_plan(app: AppContext, *, plan_id: str, request: PanelRequest, seen: str = "") -> PanelShown:
    """Return a plan's people beside the texts of one, each as it would leave; NotFoundError.

    ``seen`` has the marks, with commas, of the texts that a panel has had on screen from top to bottom.
    """
    return await app.panel().show(app, str(parse_id(plan_id, IdKind.PLAN)), seen=seen, request=request)


CHANGE = f"{LOCAL}:{IdKind.OPERATION}_"
UNSAID = "no reason was given"
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A plan after it was taken back, its people as they are now, and how many a vendor was still to be given."""

    plan: Plan
    tally: PlanTally
    kept_from_vendor: int = 0


async def withdraw_plan(app: AppContext, *, plan_id: str, reason: str | None = None) -> Withdrawal:
    """Return the plan that waits no longer: nobody of it is written to. ConflictError for one that is decided.

    Of an approved start at a vendor, those who are still to be handed over are kept back; the others are there.
    """
    local_id, why = str(parse_id(plan_id, IdKind.PLAN)), (reason or "").strip()[:LONGEST] or UNSAID
    plan = await app.plans.get_plan(local_id)
    if plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
        waiting = (await app.vendor_runs.outcome(local_id)).waiting
        if waiting:
            await app.vendor_runs.give_up(local_id, reason=f"withdrawn: {why}")
            left = (await app.vendor_runs.outcome(local_id)).waiting
            return Withdrawal(plan, await app.records.tally(local_id), kept_from_vendor=waiting - left)
    plan = await app.plans.withdraw_plan(local_id, reason=why, actor=app.for_user(actors.WITHDRAW_PLAN))
    return Withdrawal(plan, await app.records.tally(local_id))


async def withdraw_change(app: AppContext, *, change_id: str, reason: str | None = None) -> PendingChange:
    """Return the change at a vendor that waits no longer: nothing is changed. ConflictError for a decided one."""
    local_id, why = str(parse_id(change_id, IdKind.OPERATION)), (reason or "").strip()[:LONGEST] or UNSAID
    return await app.changes.refuse(local_id, reason=why, actor=app.for_user(actors.WITHDRAW_PLAN))
