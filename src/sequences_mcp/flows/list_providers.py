"""What is connected, what each provider can do, who sends, and what is not set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sequences_mcp.domain.ids import LOCAL, UNVERSIONED, provider_of
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.record import Waiting
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.trouble import Trouble
from sequences_mcp.domain.workers import WorkerAtWork
from sequences_mcp.errors import SequencesError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderReport:
    """One provider and its abilities, in words."""

    name: str
    can: tuple[str, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidersReport:
    """All providers, and the settings that decide who sends what, when and after whose yes.

    ``broken`` has a line for each of ``troubles`` and for each write whose outcome nobody knows.
    """

    providers: tuple[ProviderReport, ...]
    sender: Sender | None
    terms: Terms
    approval: tuple[str, ...]
    auto_approve: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    broken: tuple[str, ...]
    workers: tuple[WorkerAtWork, ...]
    waiting: Waiting


async def list_providers(desk: Desk) -> ProvidersReport:
    """Return the state of this server."""
    troubles = tuple(desk.troubles())
    return ProvidersReport(
        providers=tuple([await _report(provider) for provider in desk.providers.values()]),
        sender=desk.sender,
        terms=desk.terms,
        approval=tuple(_ways_to_approve(desk)),
        auto_approve=tuple(map(_allowed, sorted(desk.auto_approve))),
        troubles=troubles,
        broken=(*(one.line for one in troubles), *await _unknown(desk)),
        workers=tuple(desk.workers()),
        waiting=await desk.records.waiting(),
    )


def _allowed(named: str) -> str:
    if "@" in named or provider_of(named) in UNVERSIONED:
        return named
    return f"{named}: no such blueprint when the setting was read, so it allows nothing"


def _ways_to_approve(desk: Desk) -> Iterator[str]:
    address = desk.page_address("/")
    if desk.must_sign():
        yield f"review page, signed with a passkey: {address or 'sequences-mcp review --open'}"
        return
    if desk.elicitation:
        yield "the chat's own dialog, for at most 10 people, where the client has one"
    if address:
        yield f"review page: {address}"
    yield "terminal: sequences-mcp review"


async def _report(provider: Provider) -> ProviderReport:
    note = None
    if provider.introduction is not None:
        try:
            note = await provider.introduction.about_key()
        except SequencesError as error:
            note = str(error)
    return ProviderReport(name=provider.name, can=_abilities(provider), note=note)


async def _unknown(desk: Desk) -> list[str]:
    found = await desk.operations.unknown(size=10)
    return [f"{one.tool} on {one.subject}: outcome unknown; {_way_to_settle(desk, one.id)}." for one in found]


def _way_to_settle(desk: Desk, operation_id: str) -> str:
    """Return how an outcome is found out: without a vendor connected nobody can ask it, and a person looks."""
    asks = any(name != LOCAL for name in desk.providers)
    return f"check_operation {operation_id}" if asks else f"sequences-mcp review settle {operation_id}"


def _abilities(provider: Provider) -> tuple[str, ...]:
    known = [_WORDS.get(name, name) for name in _CAPABILITIES if getattr(provider, name) is not None]
    return ("starts", *known) if provider.name == LOCAL else tuple(known)


_CAPABILITIES = (
    "enrolment",
    "blueprints",
    "contacts",
    "sequences",
    "drafts",
    "tasks",
    "vendor_tasks",
    "sourcings",
)
_WORDS = {"enrolment": "starts", "vendor_tasks": "tasks"}
