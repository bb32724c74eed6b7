"""What every verb works with: providers, records, settings."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, cast

from sequences_mcp.domain.actors import AGENT, Actor
from sequences_mcp.domain.ids import LOCAL, VENDORS, IdKind, parse_id
from sequences_mcp.errors import InvalidArgumentsError, NotSupportedError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from sequences_mcp.domain.blueprint import Step
    from sequences_mcp.domain.contact import ContactFields
    from sequences_mcp.domain.findings import Trouble
    from sequences_mcp.domain.plan import Plan, Terms
    from sequences_mcp.domain.run import Run
    from sequences_mcp.domain.sender import Sender
    from sequences_mcp.domain.shown import PanelShown
    from sequences_mcp.domain.workers import WorkerPresence
    from sequences_mcp.domain.workspace import Workspace
    from sequences_mcp.engine.blueprints import LocalChanges, LocalWaivers
    from sequences_mcp.engine.erasure import LocalErasures
    from sequences_mcp.engine.operations import LocalLedger, LocalOperations
    from sequences_mcp.engine.plans import LocalPlans
    from sequences_mcp.engine.provider import LocalRecords
    from sequences_mcp.engine.suppressions import LocalSuppressions
    from sequences_mcp.engine.vendor_runs import LocalVendorRuns
    from sequences_mcp.guards.law import Law
    from sequences_mcp.guards.policy import GuardPolicy
    from sequences_mcp.mailbox import Mailbox
    from sequences_mcp.ports.embedded import AnswerDraft
    from sequences_mcp.ports.provider import Provider
    from sequences_mcp.ports.safekeeping import Safekeeping

T = TypeVar("T")
# Where a person decides at a page under its own name, in words.
AT_PAGE = "on the review page, by an approver who signs in there"


Decision = Literal["approve", "refuse"]


class Zone(NamedTuple):
    """A contact's time zone or zones (names with commas) and where that is known from."""

    names: str
    source: str


class PlanPanel(NamedTuple):
    """What the view of a plan inside a chat calls.

    ``show`` takes the context, a plan's id, ``page`` and ``seen``, the marks of the texts that were on screen; it
    returns some people of the plan with their exact texts. ``decide`` takes the context, a plan's id, ``digest``,
    ``decision`` and ``proof``: it rejects the plan, or approves it with a proof of the passphrase, which is bound
    to the plan, its digest, the decision and, for many people, their number as typed; ApprovalError where the
    proof is wrong.
    """

    show: Callable[..., Awaitable[PanelShown]]
    decide: Callable[..., Awaitable[Plan]]


def _built_in_law() -> Law:
    from sequences_mcp.guards.law import Law, built_in

    return Law(table=built_in())


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """Everything a verb may use.

    ``workspace`` is the data folder it was opened on. ``mailboxes`` are those that this process sends from; the
    first is the one in use. ``vendor_terms`` has the terms of each connected vendor by its name. ``auto_approve``
    are the versions (``id@version``) and templates that start without a person's approval; with ``unread_drafts``
    a blueprint may leave texts written for one person unread.

    Called when they are needed: ``zone_of`` returns a contact's time zone, ``page_address`` the URL of a path of
    the review page or None while nobody serves it, ``must_sign`` whether an approval has to be a passkey's,
    ``panel`` what shows plans inside a chat, ``safekeeping`` what approvals are checked with, ``troubles`` what
    is wrong now, ``workers`` who does the due work;
    ``put_draft`` puts an answer into a mailbox's folder of drafts and returns that folder's name.

    ``is_approved``: a person has approved what the verb changes at a vendor. ``import_folders`` are
    those from which the tools may read files with people. ``law`` tells what first messages
    need, by country; ``profile`` what the person wrote in ``profile.md`` for drafts. ``enrolments`` are the tasks
    that give people to vendors now, each with the event that ends it between two requests; a copy of the context
    shares them, and the event loop alone would hold them only weakly. ``place`` says in words where page and
    terminal are, where whoever calls may be at another machine; they then open no address of them. ``member`` is
    the user of a server over HTTP whom this is for.
    """

    providers: Mapping[str, Provider]
    plans: LocalPlans
    suppressions: LocalSuppressions
    waivers: LocalWaivers
    changes: LocalChanges
    erasures: LocalErasures
    ledger: LocalLedger
    records: LocalRecords
    operations: LocalOperations
    vendor_runs: LocalVendorRuns
    clock: Callable[[], datetime]
    workspace: Workspace
    mailboxes: tuple[Mailbox, ...]
    vendor_terms: Mapping[str, Terms]
    policy: GuardPolicy
    zone_of: Callable[[ContactFields], Zone]
    auto_approve: frozenset[str]
    unread_drafts: bool
    elicitation: bool
    page_address: Callable[[str], str | None]
    must_sign: Callable[[], bool]
    panel: Callable[[], PlanPanel]
    safekeeping: Callable[[], Safekeeping]
    put_draft: Callable[[Mailbox, AnswerDraft], Awaitable[str]]
    troubles: Callable[[], Items[Trouble]] = tuple
    workers: Callable[[], Items[WorkerPresence]] = tuple
    is_approved: bool = False
    law: Callable[[], Law] = _built_in_law
    import_folders: tuple[Path, ...] = ()
    place: str = ""
    profile: Callable[[], str] = str
    member: str | None = None
    enrolments: dict[asyncio.Task[str | None], asyncio.Event] = field(default_factory=dict)

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox in use."""
        return self.mailboxes[0]

    @property
    def sender(self) -> Sender | None:
        """Who sends by the mailbox in use."""
        return self.mailbox.sender

    @property
    def terms(self) -> Terms:
        """What an approval of a start by the mailbox in use covers."""
        return self.mailbox.terms

    def next_open(self, zone: str, at: datetime) -> datetime | None:
        """Return the next instant at which an e-mail may leave, or None when it may leave then."""
        return self.mailbox.next_open(zone, at)

    def countries_of(self, contact: ContactFields) -> tuple[str, ...]:
        """Return the countries that somebody may be in: one where it is known, none where nothing is."""
        from sequences_mcp.engine.calendar import countries_of

        return countries_of(contact)

    def next_text(self, zone: str, at: datetime) -> datetime | None:
        """Return the next instant at which somebody may be called or texted, or None when they may be then."""
        from sequences_mcp.engine.calendar import CALLING_HOURS, next_open

        return next_open(CALLING_HOURS, zone, at)

    def sending(self, steps: Items[Step]) -> AppContext:
        """Return this with the mailbox that these steps name in use, or the default one where they name none.

        The guards have seen to it that they name no other, and one at most.
        """
        named = next((step.config.user_id for step in steps if step.config and step.config.user_id), None)
        return self._with(lambda mailbox: mailbox.name == named)

    @property
    def sender_names(self) -> list[str]:
        """The names of the mailboxes that whoever this is for may begin with."""
        return [mailbox.name for mailbox in self.mailboxes if mailbox.name and self.may_begin_with(mailbox)]

    def may_begin_with(self, mailbox: Mailbox) -> bool:
        """Say whether a mailbox is nobody's own, or that of whoever this is for; on this machine each may be."""
        return self.member is None or mailbox.member in (None, self.member)

    def require_own_mailbox(self) -> None:
        """Raise InvalidArgumentsError where the mailbox in use is another member's."""
        if not self.may_begin_with(self.mailbox):
            raise InvalidArgumentsError(
                "There is no mailbox of yours here, and none that is everybody's.",
                next_step="Whoever runs the server adds one, with member = and the name that you sign in under.",
            )

    def for_member(self, subject: str) -> AppContext:
        """Return this for a user of a server over HTTP, with their own mailbox in use, or else everybody's."""
        usable = sorted(
            self.mailboxes, key=lambda mailbox: (mailbox.member != subject, mailbox.member not in (None, subject))
        )
        return replace(self, mailboxes=tuple(usable), member=subject)

    def sending_as(self, name: str) -> AppContext:
        """Return this with the mailbox of this name in use; InvalidArgumentsError with the names there are."""
        names = self.sender_names
        if name not in names:
            known = f"there are {', '.join(names)}" if names else "the one mailbox of this server has no name"
            raise InvalidArgumentsError(
                f"No mailbox is called {name[:80]!r}; {known}.",
                next_step="Name one of them as sender, or leave it out." if names else "Leave sender out.",
            )
        return self._with(lambda mailbox: mailbox.name == name)

    def sending_under(self, terms: Terms) -> AppContext:
        """Return this with the mailbox in use that has the address of these terms, where this process has it."""
        return self._with(lambda mailbox: mailbox.terms.sender_address == terms.sender_address)

    async def sending_for(self, run: Run) -> AppContext:
        """Return this with the mailbox in use that a run began with, where this process has it."""
        if len(self.mailboxes) == 1:
            return self
        return self.sending_under((await self.plans.get_plan(run.plan_id)).header.terms)

    def _with(self, is_wanted: Callable[[Mailbox], bool]) -> AppContext:
        chosen = next(filter(is_wanted, self.mailboxes), self.mailboxes[0])
        return replace(self, mailboxes=(chosen, *(other for other in self.mailboxes if other is not chosen)))

    @property
    def local(self) -> Provider:
        """The embedded engine."""
        return self.providers[LOCAL]

    def acting_as(self, actor: Actor, *, reader: str | None = None, names_told: bool = False) -> AppContext:
        """Return this with everything done here as somebody else, on the same connection to the database.

        ``reader`` is whose private blueprints are seen, by default the actor's own where they had signed in;
        empty: everybody's. ``names_told``: plans and runs tell the names of the others.
        """
        from sequences_mcp.engine import provider

        seen = actor.subject if reader is None else reader
        local = provider.local_provider(
            replace(self.records.engine, actor=actor, reader=seen, names_told=names_told)
        )
        return replace(
            self,
            providers=ChainMap({LOCAL: local}, cast("dict[str, Provider]", self.providers)),  # nothing is written
            plans=local.plans,
            suppressions=local.suppressions,
            waivers=local.waivers,
            changes=local.changes,
            erasures=local.erasures,
            ledger=local.ledger,
            records=local.records,
            operations=local.operations,
            vendor_runs=local.vendor_runs,
        )

    def for_user(self, means: Actor) -> Actor:
        """Return means of an agent with the user that it acts for, where callers are told apart."""
        acting = self.records.engine.actor
        return means.with_detail(acting.detail) if acting.means == AGENT.means and acting.detail else means

    async def apart(self, act: Callable[[AppContext], Awaitable[T]]) -> T:
        """Return what a verb comes to in another thread on a connection of its own.

        It is given this context on that connection, for people, suppressions and the record of calls alone, and
        must not wait for anything else.
        """
        from sequences_mcp.engine import provider

        async def within(local: provider.LocalProvider) -> T:
            alone = replace(self, providers={LOCAL: local}, suppressions=local.suppressions)
            return await act(replace(alone, erasures=local.erasures, ledger=local.ledger))

        return await provider.apart(self.records.engine, within)

    def ways_to_review(self, *, path: str = "/", command: str = "") -> str:
        """Return where a person decides, in words: on the page while it is served, and in a terminal."""
        address = self.page_address(path)
        if address and address.startswith("https://"):  # people sign in there, from wherever they are
            return f"{AT_PAGE}, at {address}"
        if self.place:
            terminal = f"in a terminal there: sequences-mcp review {command}".rstrip()
            return f"{self.place}, at {address} or {terminal}" if address else f"{self.place}, {terminal}"
        terminal = f"in a terminal: sequences-mcp review {command}".rstrip()
        return f"at {address} or {terminal}" if address else terminal

    def obstacle(self, plan: Plan | None = None) -> str | None:
        """Return, on one line, what keeps anything, or anything of a plan, from leaving just now, or None."""
        is_one_of_several = len(self.mailboxes) > 1
        for trouble in self.troubles():
            of = trouble.sender if is_one_of_several else ""
            if trouble.stops and (not of or plan is None or plan.header.terms.sender_address == of):
                return f"Nothing leaves{f' from {of}' if of else ''} now: {trouble.line}"
        return None

    def waits_for_worker(self, plan: Plan) -> str | None:
        """Return that nothing of an approved plan leaves before a worker with its settings runs, or None."""
        from sequences_mcp.domain.plan import PlanStatus

        if plan.status is not PlanStatus.APPROVED or plan.header.is_at_vendor:
            return None
        working = self.workers()
        if any(not worker.serves.isdisjoint(plan.settings) for worker in working):
            return None
        start = "keep a chat with this server open, or run `sequences-mcp work`"
        if any(plan.header.terms == mailbox.terms for mailbox in self.mailboxes):
            return f"Nothing of it leaves before a worker runs: {start}."
        terms = plan.header.terms
        who = f"{terms.sender_name} <{terms.sender_address}> through {terms.delivery}"
        return f"Nothing of it leaves before a worker with its settings runs ({who}): with them, {start}."

    def provider_of(self, text: str, kind: IdKind) -> Provider:
        """Return the provider an id belongs to; WrongIdError, or NotSupportedError when it is not connected."""
        return self.named(parse_id(text, kind).provider)

    def named(self, name: str) -> Provider:
        """Return a provider by its name; NotSupportedError when it is not connected."""
        vendor, colon, _ = name.partition(":")
        if colon and vendor in self.providers:
            raise InvalidArgumentsError(
                f"provider is a name here, not the id {name[:80]!r}.", next_step=f"Give {vendor} as the provider."
            )
        if name not in self.providers:
            raise NotSupportedError(
                f"{VENDORS.get(vendor, name[:80])} is not connected to this server.",
                next_step="list_providers shows what is connected.",
            )
        return self.providers[name]
