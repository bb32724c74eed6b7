"""What is connected, what each provider can do, who sends, and what is not set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sequences_mcp.context import AppContext
from sequences_mcp.domain.findings import Trouble
from sequences_mcp.domain.ids import LOCAL, UNVERSIONED, provider_of
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.records import WaitingTally
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.workers import WorkerPresence
from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.mailbox import Mailbox
from sequences_mcp.ports.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderReport:
    """One provider and its abilities, in words."""

    name: str
    can: tuple[str, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidersReport:
    """All providers, and the settings that decide who sends what, when and after whose approval.

    ``sender`` and ``terms`` are those of ``default_mailbox``; ``mailboxes`` has all, where there are several.
    ``broken`` has a line for each of ``troubles`` and for each write whose outcome nobody knows.
    """

    providers: tuple[ProviderReport, ...]
    sender: Sender | None
    terms: Terms
    default_mailbox: Mailbox
    mailboxes: tuple[Mailbox, ...]
    approval: tuple[str, ...]
    auto_approve: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    broken: tuple[str, ...]
    workers: tuple[WorkerPresence, ...]
    waiting: WaitingTally


async def list_providers(app: AppContext) -> ProvidersReport:
    """Return the state of this server."""
    providers = tuple([await _report(provider) for provider in app.providers.values()])
    with app.records.snapshot():
        return await _report_of(app, providers)


async def _report_of(app: AppContext, providers: tuple[ProviderReport, ...]) -> ProvidersReport:
    troubles = tuple(app.troubles())
    return ProvidersReport(
        providers=providers,
        sender=app.sender,
        terms=app.terms,
        default_mailbox=app.mailbox,
        mailboxes=app.mailboxes if len(app.mailboxes) > 1 else (),
        approval=tuple(_ways_to_approve(app)),
        auto_approve=tuple(map(_allowed, sorted(app.records.seen(app.auto_approve)))),
        troubles=troubles,
        broken=(*(trouble.line for trouble in troubles), *await _unknown(app)),
        workers=tuple(app.workers()),
        waiting=await app.records.waiting(),
    )


def _allowed(named: str) -> str:
    if "@" in named or provider_of(named) in UNVERSIONED:
        return named
    return f"{named}: no such blueprint when the setting was read, so it allows nothing"


def _ways_to_approve(app: AppContext) -> Iterator[str]:
    address, place = app.page_address("/"), f" {app.place}" if app.place else ""
    if address and address.startswith("https://"):
        signed = ", with a passkey" if app.must_sign() else ""
        yield f"review page, by an approver who signs in{signed}: {address}"
        return
    if app.must_sign():
        yield f"review page{place}, signed with a passkey: {address or 'sequences-mcp review --open'}"
        return
    if app.elicitation:
        yield "the chat's own dialog, for at most 10 people, where the client has one"
    if address:
        yield f"review page{place}: {address}"
    yield f"terminal{place}: sequences-mcp review"


async def _report(provider: Provider) -> ProviderReport:
    note = None
    if provider.offers(Provider.about_key):
        try:
            note = await provider.about_key()
        except SequencesError as error:
            note = str(error)
    return ProviderReport(name=provider.name, can=_abilities(provider), note=note)


async def _unknown(app: AppContext) -> list[str]:
    operations = await app.operations.unknown(size=10)
    return [
        f"{operation.tool} on {operation.subject}: outcome unknown; {_way_to_resolve(app, operation.id)}."
        for operation in operations
    ]


def _way_to_resolve(app: AppContext, operation_id: str) -> str:
    """Return how an unknown outcome is resolved: by asking the vendor, else by a person in a terminal."""
    asks = any(name != LOCAL for name in app.providers)
    return f"check_operation {operation_id}" if asks else f"sequences-mcp review resolve {operation_id}"


def _abilities(provider: Provider) -> tuple[str, ...]:
    starts = provider.name == LOCAL  # the embedded engine starts people itself, without handing them over
    return tuple(
        word for word, method in _ABILITIES.items() if provider.offers(method) or (starts and word == "starts")
    )


_ABILITIES: Mapping[str, Callable[..., object]] = {
    "starts": Provider.enrol,
    "blueprints": Provider.list_blueprints,
    "contacts": Provider.find_contacts,
    "sequences": Provider.get_sequence,
    "drafts": Provider.list_drafts,
    "tasks": Provider.list_tasks,
    "sourcings": Provider.list_sourcings,
}
