"""Views of plans, drafts and changes that wait for a person, and of the server's state."""

from __future__ import annotations

from sequences_mcp.domain.erasure import ERASE
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Plan, PlanStatus, Terms
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.mailbox import Mailbox
from sequences_mcp.planning.vendor_texts import vendor_words
from sequences_mcp.ports.embedded import Draft, PendingChange
from sequences_mcp.server.text import cut, fair_limit, size
from sequences_mcp.server.view import PageView, ResultView, WrittenView, numbered
from sequences_mcp.server.views.contacts import WhoView, who
from sequences_mcp.server.views.sequences import REPLY_LIMIT, channel_of
from sequences_mcp.services.connections import ProvidersReport
from sequences_mcp.services.reviews import Reviews, Withdrawal
from sequences_mcp.services.vendor_writes import differences, what_it_is
from sequences_mcp.vendors.registry import DESCRIPTIONS

TEXT_BUDGET = 1_600
CHANGES_SHOWN = 5
REASON_LIMIT = 300
ANEW = "Another start of the same needs a new idempotency_key."


class PlanView(ResultView):
    """A plan that waits for a person's approval, or has it; ``digest`` covers exactly what is approved."""

    plan_id: str
    status: str
    blueprint_id: str | None = None
    blueprint_name: str
    blueprint_version: int | None = None
    people: int
    digest: str
    missing_texts: int
    to_read: int
    warnings: int
    expires_at: str
    reason: str | None = None


class DraftView(WhoView):
    """One text that waits, and why; ``content`` is as edit_draft takes it, cut where a page has much of it."""

    id: str
    why: str
    sequence_id: str
    step_id: str
    channel: str
    subject: str | None = None
    content: str | None = None
    format: str | None = None
    reason: str | None = None
    server_reply: str | None = None


class PlanPage(PageView):
    """Some plans, oldest first."""

    items: tuple[PlanView, ...]


class DraftPage(PageView):
    """Some texts."""

    items: tuple[DraftView, ...]


class ChangedView(ResultView):
    """One value that a vendor would have instead of another."""

    name: str
    before: str
    after: str


class ChangeView(ResultView):
    """A change that an agent asked for; long values are cut, ``more_changes`` are not shown."""

    change_id: str
    what: str
    id: str
    changes: tuple[ChangedView, ...]
    more_changes: int | None = None
    expires_at: str


class ChangePage(PageView):
    """Some changes, oldest first."""

    items: tuple[ChangeView, ...]


class ReviewsView(ResultView):
    """What waits for a person."""

    plans: PlanPage
    drafts: DraftPage
    changes: ChangePage | None = None
    next: str


class PlanWithdrawn(WrittenView):
    """A plan that was taken back: how many of its people will not be written to, how many runs were stopped."""

    plan_id: str
    status: str
    people_left_out: int
    runs_stopped: int


class DraftWritten(DraftView, WrittenView):
    """A text after a change."""


def plan_view(plan: Plan, *, warnings: int) -> PlanView:
    """Return a plan; ``warnings`` is how many an approval covers."""
    return PlanView(
        plan_id=plan.id,
        status=plan.status.value,
        blueprint_id=None if plan.is_nameless else plan.header.blueprint_id,
        blueprint_name=plan.header.blueprint_name,
        blueprint_version=None if plan.is_nameless else plan.header.version_told,
        people=plan.people,
        digest=plan.digest,
        missing_texts=plan.missing_texts,
        to_read=plan.to_read,
        warnings=warnings,
        expires_at=plan.header.expires_at.isoformat(timespec="seconds"),
        reason=cut(plan.reason, REASON_LIMIT) if plan.reason else None,
    )


def plan_withdrawn(withdrawal: Withdrawal) -> PlanWithdrawn:
    """Return a plan after it was taken back."""
    plan, counts = withdrawal.plan, withdrawal.tally.statuses
    began = plan.status is PlanStatus.APPROVED
    never = counts.get(SequenceStatus.REFUSED, 0) + counts.get(SequenceStatus.FAILED, 0)
    handed_over = sum(counts.values()) - never
    return PlanWithdrawn(
        plan_id=plan.id,
        status=plan.status.value,
        people_left_out=withdrawal.kept_from_vendor if began else counts.get(SequenceStatus.REFUSED, 0),
        runs_stopped=0 if began else counts.get(SequenceStatus.STOPPED_EARLY, 0),
        next=_once_begun(plan.header.provider, handed_over) if began else f"Nothing of it leaves. {ANEW}",
    )


def _once_begun(provider: str, handed_over: int) -> str:
    """Return what can be done about those of a withdrawn plan whom a vendor has, or may have."""
    if not handed_over:
        return f"Nobody of it had been handed over. {ANEW}"
    vendor = DESCRIPTIONS.get(provider)
    title = vendor.title if vendor else provider
    ends = "stop_sequence stops them" if vendor and vendor.ends_runs else f"only {title}'s own app stops them"
    return f"{handed_over} of its people were handed over to {title} before; {ends}."


def change_withdrawn(change: PendingChange) -> PlanWithdrawn:
    """Return a change, at a vendor or an erasure, after it was taken back."""
    return PlanWithdrawn(
        plan_id=change.id,
        status="refused",
        people_left_out=0,
        runs_stopped=0,
        next="Nothing was erased." if change.tool == ERASE else "Nothing was changed at the vendor.",
    )


def change_page(changes: Page[PendingChange]) -> ChangePage | None:
    """Return changes that wait, their values sharing one budget, or None where there are none at all."""
    if not changes.total_count:
        return None
    values = [differences(change)[:CHANGES_SHOWN] for change in changes.items]
    limit = fair_limit(
        (size(part) for parts in values for value in parts for part in value[1:]), budget=TEXT_BUDGET
    )
    return ChangePage(items=tuple(change_view(change, limit) for change in changes.items), **numbered(changes))


def change_view(change: PendingChange, limit: int) -> ChangeView:
    """Return a change that waits, with old and new, each cut to ``limit`` characters."""
    values = differences(change)
    return ChangeView(
        change_id=change.id,
        what=what_it_is(change),
        id=change.subject,
        changes=tuple(
            ChangedView(name=cut(value.name, 80), before=cut(value.before, limit), after=cut(value.after, limit))
            for value in values[:CHANGES_SHOWN]
        ),
        more_changes=max(0, len(values) - CHANGES_SHOWN) or None,
        expires_at=change.expires_at.isoformat(timespec="seconds"),
    )


def next_step(reviews: Reviews, *, ways: str, is_single: bool) -> str:
    """Return what comes next; for a single plan (``is_single``) that is decided, who decided what and when."""
    if is_single and (plan := reviews.plans.items[0]).decided_at is not None:
        when = f"{plan.decided_at:%Y-%m-%d %H:%M} UTC"
        reason = f": {plan.reason}" if plan.reason else ""
        return f"{plan.status.words.capitalize()} by {plan.decided_by}, {when}{reason}."
    return f"A person approves or rejects {ways}. edit_draft changes a text."


def reviews_view(reviews: Reviews, *, next_step: str) -> ReviewsView:
    """Return what waits, its texts sharing one budget."""
    limit = fair_limit((size(draft.run.content or "") for draft in reviews.drafts.items), budget=TEXT_BUDGET)
    return ReviewsView(
        plans=PlanPage(
            items=tuple(plan_view(plan, warnings=reviews.warnings[plan.id]) for plan in reviews.plans.items),
            **numbered(reviews.plans),
        ),
        drafts=DraftPage(
            items=tuple(draft_view(draft, limit) for draft in reviews.drafts.items), **numbered(reviews.drafts)
        ),
        changes=change_page(reviews.changes),
        next=next_step,
    )


def draft_view(draft: Draft, limit: int) -> DraftView:
    """Return one text, cut to ``limit`` characters."""
    return DraftView(
        id=draft.id,
        why=draft.why,
        sequence_id=draft.sequence.id,
        step_id=draft.run.step.id,
        channel=channel_of(draft.run.step),
        subject=draft.run.subject,
        content=None if draft.run.content is None else cut(draft.run.content, limit),
        format=draft.run.step.format if draft.run.step.is_markdown else None,
        reason=draft.run.reason,
        server_reply=draft.run.answer and cut(draft.run.answer, REPLY_LIMIT),
        **who(draft.contact),
    )


NO_WORKER = "none runs: nothing leaves before one does (an open chat with this server, or sequences-mcp work)"


class ProviderView(ResultView):
    """One provider and what it can do."""

    name: str
    can: tuple[str, ...]
    note: str | None = None


class ProvidersView(ResultView):
    """What is connected, who sends how and when, who approves, and what is not set up or broken.

    ``server_reply`` is what the mail server answered where it refused the mailbox: its words, not this program's.
    """

    providers: tuple[ProviderView, ...]
    sender: str | None = None
    delivery: str
    window: str
    daily_cap: int
    spacing_seconds: int
    limits: str
    mailboxes: tuple[str, ...] | None = None
    approval: tuple[str, ...]
    auto_approve: tuple[str, ...]
    broken: tuple[str, ...]
    server_reply: str | None = None
    workers: tuple[str, ...]
    waiting_plans: int
    waiting_drafts: int
    waiting_changes: int
    open_tasks: int
    waiting_since: str | None = None


def providers_view(report: ProvidersReport) -> ProvidersView:
    """Return the state of the server."""
    sender, terms, waiting = report.sender, report.terms, report.waiting
    return ProvidersView(
        providers=tuple(ProviderView(name=item.name, can=item.can, note=item.note) for item in report.providers),
        sender=f"{sender.name} <{sender.address}>" if sender else None,
        delivery=_with_sign_in(delivery_words(terms.delivery), report.default_mailbox),
        window=terms.window,
        daily_cap=terms.daily_cap,
        spacing_seconds=terms.spacing,
        limits=terms.limits.words,
        mailboxes=tuple(map(_mailbox_words, report.mailboxes)) or None,
        approval=report.approval,
        auto_approve=report.auto_approve,
        broken=report.broken,
        server_reply=next((item.server_reply for item in report.troubles if item.server_reply), None),
        workers=tuple(item.words for item in report.workers) or (NO_WORKER,),
        waiting_plans=waiting.plans.number,
        waiting_drafts=waiting.texts.number,
        waiting_changes=waiting.changes.number,
        open_tasks=waiting.tasks.number,
        waiting_since=waiting.since.isoformat(timespec="minutes") if waiting.since else None,
    )


def _mailbox_words(mailbox: Mailbox) -> str:
    """Return one of several mailboxes on a line, the name first that a step's ``config.userId`` takes."""
    terms = mailbox.terms
    way = "the outbox folder, which reaches nobody" if terms.delivery == "outbox" else terms.delivery
    limits = f"{terms.window}, {terms.limits.words}"
    return _with_sign_in(
        f"{mailbox.name}: {terms.sender_name} <{terms.sender_address}> through {way}; {limits}", mailbox
    )


def _with_sign_in(words: str, mailbox: Mailbox) -> str:
    """Return the words on a mailbox with how it signs in, where it does."""
    how = mailbox.signs_in()
    return words if how in ("", "nowhere") else f"{words}; signs in {how}"


def sender_words(terms: Terms) -> str:
    """Return who sends what is approved under these terms."""
    return (
        f"as set in {terms.sender_name}"
        if terms.are_a_vendors
        else f"{terms.sender_name} <{terms.sender_address}>"
    )


def way_out(terms: Terms) -> str:
    """Return how what is approved under these terms leaves."""
    return vendor_words(terms) if terms.are_a_vendors else delivery_words(terms.delivery)


def delivery_words(delivery: str) -> str:
    """Return how e-mail leaves, in words that cannot be mistaken."""
    if delivery == "outbox":
        return "outbox: e-mails are written to a folder and reach nobody (no mail server is set up)"
    return f"e-mails leave through {delivery}"
