"""The only place where everything meets: settings become a context, a server, a worker."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sequences_mcp.context import AppContext, PlanPanel, Zone
from sequences_mcp.domain.actors import AGENT, Actor
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.prompting import profile_in
from sequences_mcp.vendors.connecting import LazyMapping, when_used

if TYPE_CHECKING:
    from sequences_mcp.domain.contact import ContactFields
    from sequences_mcp.domain.findings import Trouble
    from sequences_mcp.domain.plan import Terms
    from sequences_mcp.domain.workers import WorkerPresence
    from sequences_mcp.engine.inbound.reader import MailboxReader
    from sequences_mcp.engine.provider import LocalProvider
    from sequences_mcp.engine.supervisor import Heartbeat
    from sequences_mcp.engine.temporal.clock import TemporalClock
    from sequences_mcp.engine.worker import Worker
    from sequences_mcp.errors import StoreError
    from sequences_mcp.guards.law import Law
    from sequences_mcp.guards.policy import GuardPolicy
    from sequences_mcp.mailbox import Mailbox
    from sequences_mcp.ports.embedded import AnswerDraft
    from sequences_mcp.ports.provider import Provider
    from sequences_mcp.ports.safekeeping import Safekeeping
    from sequences_mcp.settings import Settings
    from sequences_mcp.store.unit_of_work import Store
    from sequences_mcp.vendors.pacing import Elapsed, Timing
    from sequences_mcp.vendors.vendor import BlueprintCache

LEASE = timedelta(seconds=120)
STOP_WORKERS_WITHIN = 2.0
DRAIN_WITHIN = 25.0  # seconds in which what Temporal has begun here may come to its end
CLOSE_WITHIN = 30.0  # seconds for a request to a vendor under way: given up, nobody knows what became of it
STARTS_WITHIN = timedelta(seconds=30)  # by then a worker has shown itself, or something is wrong with it
HANDSHAKE = 1.0  # seconds in which a host gets its first answers, before the due work begins beside them
Clock = Callable[[], datetime]
Connect = Callable[..., "Provider"]


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def address_of_page(settings: Settings, path: str) -> str | None:
    """Return where a path of the review page is, while some process serves it. It carries no credential."""
    if settings.hosted.review is not None:
        return f"{settings.hosted.review.url}{path}"
    from sequences_mcp.review.page import serving

    return serving.address(settings.workspace, path) if serving.is_held(settings.workspace) else None


def open_store(place: Settings | Mailbox, *, now: datetime, examined: bool = True) -> Store:
    """Open the database of these settings, wherever it is; StoreError and its kinds.

    Whoever was erased after the state that was put back is erased again before it is returned.
    """
    from sequences_mcp.store.unit_of_work import Store

    store = Store.open(place.workspace, now=now, examined=examined, url=place.database_url)
    if store.lineage.brings_back_erased():
        from sequences_mcp.engine.erasure import erase_again

        try:
            erase_again(store, now=now)
        except BaseException:
            store.close()
            raise
    return store


def safekeeping_of(place: Settings | Mailbox) -> Safekeeping:
    """Return the records that approvals are checked with: files, or rows of the database on a server."""
    from sequences_mcp.store.safekeeping import safekeeping_in

    return safekeeping_in(place.workspace, url=place.database_url)


@asynccontextmanager
async def open_context(
    settings: Settings,
    *,
    worker: bool,
    clock: Clock = utc_now,
    actor: Actor = AGENT,
    timing: Timing | None = None,
    elapsed: Elapsed | None = None,
    work_after: float = 0.0,
) -> AsyncIterator[AppContext]:
    """Open the database and yield the context; with ``worker`` the due work is done meanwhile in a thread.

    ``actor`` is who the audit names for what is done with it; ``timing`` is how long vendors are waited for
    and ``elapsed`` how the waits between calls to them pass, where they are not the usual. The due work begins
    after ``work_after`` seconds.
    """
    with open_store(settings, now=clock()) as store:
        if store.lineage.unseen():
            from sequences_mcp.engine.recovery import take_in

            take_in(store, now=clock())
        async with AsyncExitStack() as closing:
            connect = partial(
                _vendor, settings=settings, clock=clock, timing=timing, elapsed=elapsed, closing=closing
            )
            app = _context(settings, store, clock=clock, actor=actor, connect=connect)
            if worker and settings.mailbox.sender is not None and _served(settings):
                app = replace(app, workers=_with_own(settings, app.workers, clock))
            _log_troubles(app, on=worker)
            if worker:
                work = ExitStack()  # its end waits for threads, and not in the event loop's
                closing.push_async_callback(asyncio.to_thread, work.close)
                work.enter_context(working(settings, clock=clock, after=work_after))
            if not settings.accounts:
                yield app
                return
            async with _handing_over(settings, app, store, on=worker, clock=clock, after=work_after):
                yield app


@contextmanager
def open_worker(
    settings: Settings,
    *,
    mailbox: Mailbox | None = None,
    clock: Clock = utc_now,
    queue: str | None = None,
    pulse: Heartbeat | None = None,
) -> Iterator[Worker]:
    """Open the database and yield a worker on it, for the thread that does so; SettingsError without a sender.

    ``mailbox`` is the one it sends from, where that is not the default one; ``queue`` leaves the rest of the work
    to other workers of this process.
    """
    from sequences_mcp.engine.claim import SendPolicy
    from sequences_mcp.engine.inbound.appending import sent_copies
    from sequences_mcp.engine.supervisor import MAILBOX
    from sequences_mcp.engine.worker import FREE, QUEUES, Worker
    from sequences_mcp.planning.reminders import last_check

    mailbox = mailbox or settings.mailbox
    sender = mailbox.require_sender() if queue == FREE else mailbox.require_sending()
    rules = SendPolicy(
        terms=mailbox.terms,
        sender=sender,
        window=mailbox.hours,
        check=partial(last_check, sender=sender, policy=policy_of(settings), law=law_of(settings)),
        lease=LEASE,
        signature_check=partial(_signature_check, settings),
        late_after=timedelta(days=settings.late_days),
        also_here=frozenset(other.address for other in settings.mailboxes if other is not mailbox),
        reads_inbox=mailbox.reads_inbox,
        freshness=timedelta(seconds=settings.freshness),
        opt_out_url=settings.hosted.opt_out_url,
        approvers=settings.hosted.approvers,
    )
    with open_store(settings, now=clock(), examined=queue in (None, MAILBOX)) as store, ExitStack() as closing:
        closing.enter_context(_shown(pulse, store))
        copies = closing.enter_context(sent_copies(mailbox.imap_url, mailbox.smtp_url, mailbox.tokens(utc_now)))
        yield Worker(
            store=store,
            clock=clock,
            rules=replace(
                rules,
                account=mailbox.account_fingerprint(store.secret("message_id")),
                preapproved=_allowed(settings, store, now=clock()),
            ),
            deliver=mailbox.deliver(clock),
            tell=_tell(settings, mailbox, store, clock=clock),
            queues=QUEUES if queue is None else frozenset({queue}),
            pulse=pulse,
            read_answers=_reads(mailbox, clock=clock, closing=closing),
            keep_copy=copies.keep,
            keep_days=settings.erase_after_days,
        )


@contextmanager
def open_reader(
    mailbox: Mailbox, *, clock: Clock = utc_now, pulse: Heartbeat | None = None
) -> Iterator[MailboxReader]:
    """Open the database and yield a reader of the mailbox, for the thread that does so; SettingsError."""
    from sequences_mcp.engine.inbound.reader import mailbox_reader

    url, address = mailbox.imap_url.value if mailbox.imap_url else "", mailbox.require_sender().address
    with open_store(mailbox, now=clock(), examined=False) as store, _shown(pulse, store):
        reader = mailbox_reader(url, store, clock=clock, address=address, tokens=mailbox.tokens(clock))
        reader.pulse = pulse
        yield reader


def _reads(mailbox: Mailbox, *, clock: Clock, closing: ExitStack) -> Callable[[], None] | None:
    """Return what has the mailbox read at once; None where there is none, or this process lacks its password."""
    if mailbox.imap_url is None:
        return None
    from sequences_mcp.engine.inbound.reader import BackgroundReader

    reading = BackgroundReader(opened=partial(open_reader, mailbox, clock=clock))
    closing.callback(reading.close)
    return reading


@contextmanager
def _shown(pulse: Heartbeat | None, store: Store) -> Iterator[None]:
    """Let a worker show itself in the database while that is open."""
    if pulse is None:
        yield
        return
    pulse.store = store
    try:
        yield
    finally:
        pulse.end()
        pulse.store = None


def _tell(settings: Settings, mailbox: Mailbox, store: Store, *, clock: Clock) -> Callable[[], bool] | None:
    """Return what tells the operator that something waits, or None where nobody is to be told."""
    from sequences_mcp.engine.notices import Notices

    if not settings.notice or mailbox.sender is None:
        return None
    return Notices(
        store=store,
        clock=clock,
        sender=mailbox.sender,
        to=settings.notice,
        page=partial(address_of_page, settings),
        send=partial(mailbox.deliver(clock, hurried=True), before_dot=lambda: None),
    ).tell


def policy_of(settings: Settings) -> GuardPolicy:
    """Return the house policy of the guards, or the rules as they are where there is none; SettingsError."""
    from sequences_mcp.guards.policy import DEFAULT

    if not settings.guards.exists():
        return DEFAULT
    from sequences_mcp.guards.policy_file import load_policy

    return load_policy(settings.guards)


def law_of(settings: Settings) -> Callable[[], Law]:
    """Return what tells what first messages need by law; a house's own file is read at once: SettingsError."""

    @cache
    def tell() -> Law:
        from sequences_mcp.guards.law import law_in

        return law_in(settings.workspace, settings.law)

    if settings.workspace.law.exists():
        tell()
    return tell


def _vendor(
    name: str,
    *,
    settings: Settings,
    memory: BlueprintCache,
    clock: Clock,
    timing: Timing | None,
    elapsed: Elapsed | None,
    closing: AsyncExitStack,
) -> Provider:
    """Return a vendor that is connected; until it is asked for, nothing of it is even imported."""
    import random

    from sequences_mcp.vendors.connecting import provider, transport
    from sequences_mcp.vendors.pacing import Clockwork, Elapsed

    passes = elapsed or Elapsed(monotonic=time.monotonic, sleep=asyncio.sleep)
    clockwork = Clockwork(now=clock, monotonic=passes.monotonic, sleep=passes.sleep, random=random.random)
    account = settings.accounts[name]
    opened = transport(name, account.key, base_url=account.base_url, clockwork=clockwork, timing=timing)
    closing.push_async_callback(opened.aclose)
    return provider(name, opened, memory=memory, further=account.further)


def _local(
    settings: Settings, store: Store, *, clock: Clock, actor: Actor, vendor_terms: Mapping[str, Terms]
) -> LocalProvider:
    from sequences_mcp.engine.context import EngineContext
    from sequences_mcp.engine.provider import local_provider

    return local_provider(
        EngineContext(
            store=store,
            clock=clock,
            entropy=os.urandom,
            terms=settings.mailbox.terms,
            actor=actor,
            signature_check=partial(_signature_check, settings),
            preapproved=_allowed(settings, store, now=clock()),
            vendor_terms=vendor_terms,
            accounts=_vendor_accounts(settings, store),
            knows_server=settings.mailbox.knows_server,
            further_terms=tuple(mailbox.terms for mailbox in settings.mailboxes[1:]),
            approvers=settings.hosted.approvers,
        )
    )


def _vendor_accounts(settings: Settings, store: Store) -> Mapping[str, str]:
    """Return by vendor what changes with the key there. Eight digits: nobody can guess a key from them."""
    import hmac

    secret = store.secret("message_id") if settings.accounts else b""
    return {
        name: hmac.new(secret, f"{name} {account.key.value}".encode(), "sha256").hexdigest()[:8]
        for name, account in settings.accounts.items()
    }


def _allowed(settings: Settings, store: Store, *, now: datetime) -> frozenset[str]:
    """Return which versions of blueprints may start without a person's approval."""
    if not settings.auto_approve:
        return frozenset()
    return store.blueprints.pinned(settings.auto_approve, now=now)


def _vendor_terms(settings: Settings) -> Mapping[str, Terms]:
    """Return what a start at each connected vendor is approved for, each worked out when it is asked for."""

    def of(name: str) -> Terms:
        from sequences_mcp.vendors.connecting import terms

        account = settings.accounts[name]
        return terms(name, account.base_url, further=account.further)

    return LazyMapping(settings.accounts, of)


def _context(settings: Settings, store: Store, *, clock: Clock, actor: Actor, connect: Connect) -> AppContext:
    from sequences_mcp.engine.supervisor import at_work

    vendor_terms = _vendor_terms(settings)
    troubles = cache(partial(_troubles_of, settings, store, clock))
    local = cache(partial(_local, settings, store, clock=clock, actor=actor, vendor_terms=vendor_terms))

    def provider(name: str) -> Provider:
        return local() if name == LOCAL else connect(name, memory=when_used(local))

    return AppContext(
        providers=LazyMapping((LOCAL, *settings.accounts), provider),
        plans=when_used(lambda: local().plans),
        suppressions=when_used(lambda: local().suppressions),
        waivers=when_used(lambda: local().waivers),
        changes=when_used(lambda: local().changes),
        erasures=when_used(lambda: local().erasures),
        ledger=when_used(lambda: local().ledger),
        records=when_used(lambda: local().records),
        operations=when_used(lambda: local().operations),
        vendor_runs=when_used(lambda: local().vendor_runs),
        clock=clock,
        workspace=settings.workspace,
        vendor_terms=vendor_terms,
        policy=policy_of(settings),
        law=law_of(settings),
        import_folders=settings.import_folders,
        profile=partial(profile_in, settings.workspace),
        zone_of=partial(_zone_of, default=settings.time_zone),
        auto_approve=_allowed(settings, store, now=clock()),
        unread_drafts=settings.unread_drafts,
        mailboxes=settings.mailboxes,
        put_draft=partial(_put_draft, store),
        elicitation=settings.elicitation,
        troubles=lambda: troubles()(),
        workers=lambda: at_work(store, now=clock()),
        page_address=partial(address_of_page, settings),
        must_sign=lambda: _signature_check(settings, "", None) is not None,
        panel=cache(partial(_panel, settings, clock)),
        safekeeping=cache(partial(safekeeping_of, settings)),
    )


async def _put_draft(store: Store, mailbox: Mailbox, answer: AnswerDraft) -> str:
    """Put an answer into a mailbox's folder of drafts, and return that folder's name."""
    from sequences_mcp.engine.inbound.appending import put_answer

    url = mailbox.imap_url.value if mailbox.imap_url else ""
    return await put_answer(answer, url=url, tokens=mailbox.tokens(utc_now), key=store.secret("message_id"))


def _log_troubles(app: AppContext, *, on: bool) -> None:
    """Write what keeps anything from leaving into the log of a process that does the due work."""
    import logging

    for trouble in app.troubles() if on else ():
        if trouble.stops:
            logging.getLogger(__name__).warning("%s", trouble.line)


def _panel(settings: Settings, clock: Clock) -> PlanPanel:
    from sequences_mcp.review.panel import ChatPanel

    panel = ChatPanel(safekeeping_of(settings), clock)
    return PlanPanel(show=panel.show, decide=panel.decide)


def _signature_check(settings: Settings, digest: str, signature: str | None) -> str | None:
    """Return why a digest's approval is not a registered passkey's, where one is registered or it claims to be."""
    from sequences_mcp.review.lock import passkeys

    return passkeys.signature_problem(safekeeping_of(settings), digest, signature)


def _zone_of(contact: ContactFields, *, default: str) -> Zone:
    from sequences_mcp.engine.calendar import zones_of

    choice = zones_of(contact, default=default)
    return Zone(choice.names, choice.source)


def _troubles_of(settings: Settings, store: Store, clock: Clock) -> Callable[[], list[Trouble]]:
    from sequences_mcp.settings_troubles import Examination

    return Examination(settings, store, clock).troubles


def _with_own(
    settings: Settings, others: Callable[[], Items[WorkerPresence]], clock: Clock
) -> Callable[[], list[WorkerPresence]]:
    """Return who does the due work, this process's own worker too while it is only beginning to."""
    from sequences_mcp.domain.workers import WorkerPresence
    from sequences_mcp.engine.supervisor import host_name

    since, served = clock(), _served(settings)
    worker = WorkerPresence(
        host=host_name(),
        process=os.getpid(),
        since=since,
        seen=since,
        last_act=None,
        sends=" and as ".join(map(_sends, served)),
        hands_over=", ".join(settings.accounts),
        serves=frozenset(terms.fingerprint for terms in served),
    )

    def workers() -> list[WorkerPresence]:
        workers = list(others())
        shown = [item for item in workers if (item.host, item.process) == (worker.host, worker.process)]
        if any(worker.serves <= item.serves for item in shown) or clock() - since > STARTS_WITHIN:
            return workers
        return [*(item for item in workers if item not in shown), worker]

    return workers


def _served(settings: Settings) -> list[Terms]:
    """Return the terms of the mailboxes that this process can send from."""
    return [mailbox.terms for mailbox in settings.mailboxes if mailbox.can_send]


def _sends(terms: Terms) -> str:
    return f"{terms.sender_name} <{terms.sender_address}> through {terms.delivery}"


@contextmanager
def working(settings: Settings, *, clock: Clock, after: float = 0.0) -> Iterator[None]:
    """Do the due work meanwhile, in threads of its own; ``after`` so many seconds."""
    stop = threading.Event()
    served = None
    if settings.mailbox.sender is not None:
        if settings.temporal is not None and not settings.lacks_temporal:
            served = _temporal_clock(settings)
        works = [
            partial(_work_until, settings, mailbox, queue, served=served)
            for mailbox in settings.mailboxes
            for queue in _queues(settings, mailbox)
        ]
    else:  # what time alone asks for is otherwise done by a mailbox's worker
        works = [partial(_keep_house_until, settings)] if settings.erase_after_days else []
    if served is not None:  # its clock is the first to begin: without its end the others would have none
        works = [partial(served.serve), partial(_read_for_clock, settings, served), *works]
    threads = [
        threading.Thread(target=work, kwargs={"stop": stop, "clock": clock, "after": after}, daemon=True)
        for work in works
    ]
    try:
        for thread in threads:
            thread.start()
        yield
    finally:  # also where one could not be started: those before it are at work
        stop.set()
        # A worker that waits for a mail server's answer is left behind: its lease tells the next one.
        last = time.monotonic() + (STOP_WORKERS_WITHIN if served is None else DRAIN_WITHIN)
        for thread in threads:
            if thread.is_alive():
                thread.join(max(last - time.monotonic(), 0))


def _queues(settings: Settings, mailbox: Mailbox) -> list[str]:
    """Return what a worker of this process does: without the mail server's password all that needs no server.

    Notices leave by the default mailbox.
    """
    from sequences_mcp.engine.supervisor import READER

    sending = ["mailbox", *(["notice"] if settings.notice and mailbox is settings.mailbox else [])]
    if settings.lacks_temporal:  # nobody wakes what is due, and the settings forbid to look for it
        return [READER] if mailbox.imap_url else []
    return ["free", *(sending if mailbox.can_send else []), *([READER] if mailbox.imap_url else [])]


@asynccontextmanager
async def _handing_over(
    settings: Settings, app: AppContext, store: Store, *, on: bool, clock: Clock, after: float
) -> AsyncIterator[None]:
    """Hand approved starts over to their vendors meanwhile, wherever they were approved; only with ``on``."""
    from sequences_mcp.engine.supervisor import VENDORS, Heartbeat

    pulse = Heartbeat(settings.workspace, VENDORS, clock, sends=", ".join(settings.accounts), store=store)

    async def hand_over() -> None:
        await asyncio.sleep(after)
        from sequences_mcp.domain.plan import settings_fingerprints
        from sequences_mcp.services.enrolment import enrol_until_cancelled

        for name, account in _vendor_accounts(settings, store).items():
            pulse.serves += settings_fingerprints(name, app.vendor_terms[name], account=account)
        await enrol_until_cancelled(app, beat=pulse.beat, trouble=pulse.trouble)

    task = asyncio.create_task(hand_over()) if on else None
    try:
        yield
    finally:
        if task:
            task.cancel()
            await asyncio.wait({task})
            pulse.end()
        if app.enrolments:  # else nothing of it was loaded, which would take longer than all of the rest
            from sequences_mcp.services.enrolment import stop_enrolling

            await stop_enrolling(app, seconds=CLOSE_WITHIN)


def _temporal_clock(settings: Settings) -> TemporalClock:
    """Return this process's clock on Temporal, whose calls the threads of the mailboxes' queues carry out."""
    from sequences_mcp.engine.temporal.calls import ThreadCalls
    from sequences_mcp.engine.temporal.clock import TemporalClock

    assert settings.temporal is not None  # who asks has looked
    taking: dict[tuple[str, str], ThreadCalls[Worker]] = {
        (mailbox.terms.fingerprint, queue): ThreadCalls()
        for mailbox in settings.mailboxes
        for queue in _queues(settings, mailbox)
        if queue in TemporalClock.takes
    }
    return TemporalClock(address=settings.temporal, reading=ThreadCalls(), taking=taking, mark=os.urandom(8).hex())


def _read_for_clock(
    settings: Settings, served: TemporalClock, *, stop: threading.Event, clock: Clock, after: float
) -> None:
    """Keep a store open for the clock on Temporal, and show how that is, until it has ended."""
    if stop.wait(after):
        return
    from sequences_mcp.engine.supervisor import Heartbeat, keep_working

    pulse = Heartbeat(settings.workspace, "clock", clock)

    @contextmanager
    def opened() -> Iterator[Callable[[threading.Event], None]]:
        with open_store(settings, now=clock(), examined=False) as store, _shown(pulse, store):
            yield partial(served.serve_reading, store, pulse)

    keep_working(opened, served.ended, pulse=pulse)


def _work_until(
    settings: Settings,
    mailbox: Mailbox,
    queue: str,
    *,
    stop: threading.Event,
    clock: Clock,
    after: float,
    served: TemporalClock | None,
) -> None:
    """Do the due work of one queue, from ``after`` seconds, until told to stop, whatever happens meanwhile.

    With a clock on Temporal, what is due is taken as that calls for it, and until it has ended.
    """
    if stop.wait(after):
        return
    from sequences_mcp.engine.supervisor import READER, Heartbeat, keep_working

    terms = mailbox.terms
    shown_as = f"{queue}-{mailbox.name}" if len(settings.mailboxes) > 1 and mailbox.name else queue
    pulse = Heartbeat(settings.workspace, shown_as, clock, serves=(terms.fingerprint,), sends=_sends(terms))
    database = settings.workspace.database
    was_there = database.exists()

    @contextmanager
    def opened() -> Iterator[Callable[[threading.Event], None]]:
        nonlocal was_there
        if was_there and settings.database is None and not database.exists():
            raise _vanished(database)  # opening it would make an empty one, in the way of the one that comes back
        if queue == READER:
            with open_reader(mailbox, clock=clock, pulse=pulse) as reader:
                was_there = True
                yield reader.run
            return
        with open_worker(settings, mailbox=mailbox, clock=clock, queue=queue, pulse=pulse) as worker:
            was_there = True
            called = None if served is None else served.called(terms.fingerprint, queue)
            yield worker.run if called is None else partial(called, worker)

    keep_working(opened, stop if served is None or queue not in served.takes else served.ended, pulse=pulse)


def _keep_house_until(settings: Settings, *, stop: threading.Event, clock: Clock, after: float) -> None:
    """Do once an hour, from ``after`` seconds, what time alone asks of the records, until told to stop."""
    import logging

    from sequences_mcp.engine.worker import ERASE_EVERY
    from sequences_mcp.errors import SequencesError

    wait = after
    while not stop.wait(wait):
        try:
            keep_house(settings, clock=clock)
        except SequencesError as error:
            logging.getLogger(__name__).warning("Nobody was erased by time: %s", error)
        wait = ERASE_EVERY.total_seconds()


def keep_house(settings: Settings, *, clock: Clock = utc_now) -> None:
    """Erase whom the operator's setting lets nobody keep any longer, and forget old answers; StoreError.

    A mailbox's worker does it by itself; this is for a data folder without one.
    """
    from sequences_mcp.engine.cleanup import purge
    from sequences_mcp.engine.erasure import keep_no_longer

    with open_store(settings, now=clock(), examined=False) as store:
        purge(store, now=clock())
        while keep_no_longer(store, days=settings.erase_after_days, now=clock()):
            pass


def _vanished(database: Path) -> StoreError:
    from sequences_mcp.errors import StoreUnwritableError

    return StoreUnwritableError(
        f"{database} has vanished.", next_step="Put it back; the program goes on by itself once it is there."
    )
