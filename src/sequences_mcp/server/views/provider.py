"""The state of this server."""

from __future__ import annotations

from sequences_mcp.domain.plan import Terms
from sequences_mcp.flows.at_vendor import vendor_words
from sequences_mcp.flows.list_providers import ProvidersReport
from sequences_mcp.server.view import View

NO_WORKER = "none runs: nothing leaves before one does (an open chat with this server, or sequences-mcp work)"


class ProviderView(View):
    """One provider and what it can do."""

    name: str
    can: tuple[str, ...]
    note: str | None = None


class ProvidersView(View):
    """What is connected, who sends how and when, after whose yes, and what is not set up or broken.

    ``server_reply`` is what the mail server says, where it refuses the mailbox: its words, not this program's.
    """

    providers: tuple[ProviderView, ...]
    sender: str | None = None
    delivery: str
    window: str
    daily_cap: int
    spacing_seconds: int
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
        providers=tuple(ProviderView(name=one.name, can=one.can, note=one.note) for one in report.providers),
        sender=f"{sender.name} <{sender.address}>" if sender else None,
        delivery=delivery_words(terms.delivery),
        window=terms.window,
        daily_cap=terms.daily_cap,
        spacing_seconds=terms.spacing,
        approval=report.approval,
        auto_approve=report.auto_approve,
        broken=report.broken,
        server_reply=next((one.server_reply for one in report.troubles if one.server_reply), None),
        workers=tuple(one.words for one in report.workers) or (NO_WORKER,),
        waiting_plans=waiting.plans.number,
        waiting_drafts=waiting.texts.number,
        waiting_changes=waiting.changes.number,
        open_tasks=waiting.tasks.number,
        waiting_since=waiting.since.isoformat(timespec="minutes") if waiting.since else None,
    )


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
