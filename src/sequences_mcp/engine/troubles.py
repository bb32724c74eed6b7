"""What is wrong now, computed from the database and its folder, for doctor, page and tool results alike."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from sequences_mcp.domain.entries import QueueTally
from sequences_mcp.domain.erasure import REPEATED
from sequences_mcp.domain.findings import Trouble
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.workers import WorkerState
from sequences_mcp.engine import supervisor
from sequences_mcp.store.unit_of_work import Repositories, Store

RECENT = timedelta(days=7)
_CANNOT, _WAITS = "The worker cannot do its work", "Approved starts wait for their vendors"
PATIENCE = timedelta(minutes=5)  # how long something may be due before that is worth a word


def troubles(
    store: Store,
    *,
    now: datetime,
    mailboxes: Mapping[Terms, str | None],
    states: tuple[WorkerState, ...],
    knows_server: bool = True,
    freshness: timedelta | None = None,
    read_here: Collection[str] = (),
) -> list[Trouble]:
    """Return what is wrong, what stops everything first; ``states`` are all workers of the folder
    (``supervisor.worker_states``).

    ``mailboxes`` are the terms of this process's, the default one's first, each with what stands for the account
    on it: what another account was refused for is over. ``read_here`` are the addresses of those whose answers are
    read, and ``freshness`` is how long ago that may have been before a follow-up waits.

    ``knows_server``: it was told through which server e-mails leave.
    """
    alive = supervisor.awake(states, now=now)
    results = [*_standstills(store), *_disk(store), *_workers(store, now, states)]
    results += _other_settings(
        store, now, mailboxes=tuple(mailboxes), knows_server=knows_server, at_work=supervisor.served(alive)
    )
    for terms, account in mailboxes.items():
        if terms.sender_address:
            results += _resting(store, terms.sender_address, now, account=account)
            results += _complained(store, terms.sender_address, now)
        if terms.sender_address in read_here:
            results += _unread(store, terms.sender_address, now, freshness=freshness)
    return [*results, *_unseen(store), *_erased_again(store, now), *_unknown(store), *_failed(store, now)]


def _standstills(store: Repositories) -> Iterator[Trouble]:
    for standstill in store.lineage.standstills():
        yield Trouble(
            code=standstill.kind,
            what=f"Nothing is sent: {_small(standstill.what)}",
            remedy=standstill.remedy,
            since=standstill.since,
        )


def _disk(store: Store) -> Iterator[Trouble]:
    if not store.has_room():
        free = shutil.disk_usage(store.workspace.folder).free // 2**20
        yield Trouble(
            code="disk_full",
            what=f"No e-mail is sent: the disk of {store.workspace.folder} has {free} MiB left.",
            remedy="Make room; it goes on by itself.",
        )


def _other_settings(
    store: Repositories,
    now: datetime,
    *,
    mailboxes: tuple[Terms, ...],
    knows_server: bool,
    at_work: Collection[str],
) -> Iterator[Trouble]:
    """Yield what is due and was approved for other settings: another process's, or nobody's any more."""
    default, *_ = mailboxes
    for item in store.plans.other_settings(terms=default, now=now):
        if item.terms in mailboxes:
            continue
        terms = next((known for known in mailboxes if known.sender_address == item.terms.sender_address), default)
        due = _count(item.number, "run that is due was", "runs that are due were")
        wanted = f"{item.terms.sender_name} <{item.terms.sender_address}> through {item.terms.delivery}"
        is_lacking = terms.lacks(item.terms, knows_server=knows_server)
        has_worker = item.terms.fingerprint in at_work
        yield Trouble(
            code="other_settings",
            what=f"{due} approved for other settings ({wanted if is_lacking else item.terms.difference(terms)}).",
            remedy=_remedy(item.plan_id, is_lacking=is_lacking, has_worker=has_worker),
            since=item.since,
            stops=not has_worker,
        )


def _remedy(plan_id: str, *, is_lacking: bool, has_worker: bool) -> str:
    if has_worker:
        return "A worker that has those settings goes on with them; this process leaves them alone."
    alone = "This process leaves them alone, and no worker with those settings runs. They go on by themselves once"
    if is_lacking:
        return f"{alone} one does: put those settings into settings.toml, and keep a worker running."
    return f"{alone} one does; or a person approves the present settings: sequences-mcp review approve {plan_id}"


def _workers(store: Repositories, now: datetime, states: Iterable[WorkerState]) -> Iterator[Trouble]:
    """Yield that nobody does the due work, or that what does it is in difficulties."""
    alive, errors = supervisor.awake(states, now=now), set[tuple[bool, str]]()
    for worker in alive:
        waits = worker.queue == supervisor.VENDORS
        if (
            worker.error and (waits, worker.error) not in errors
        ):  # several queues of a process may have the same one
            errors.add((waits, worker.error))
            yield Trouble(
                code="handing_over_in_trouble" if waits else "worker_in_trouble",
                what=f"{_WAITS if waits else _CANNOT}: {worker.error.rstrip('.')}.",
                remedy="It tries again by itself; mend what it names.",
                since=worker.error_since,
            )
    yield from _nobody_does(
        store.upkeep.overdue(before=now - PATIENCE),
        code="no_worker",
        what="{} due and no worker runs.",
        counted=("thing is", "things are"),
        states=[state for state in states if state.queue != supervisor.VENDORS],
        is_alive=any(worker.queue == supervisor.MAILBOX for worker in alive),
    )
    yield from _nobody_does(
        store.upkeep.not_handed_over(before=now - PATIENCE),
        code="no_handing_over",
        what="{} for their vendors and no worker with these vendors' keys runs.",
        counted=("approved start waits", "approved starts wait"),
        states=[state for state in states if state.queue == supervisor.VENDORS],
        is_alive=any(worker.queue == supervisor.VENDORS for worker in alive),
    )


def _nobody_does(
    due: QueueTally,
    *,
    code: str,
    what: str,
    counted: tuple[str, str],
    states: Iterable[WorkerState],
    is_alive: bool,
) -> Iterator[Trouble]:
    """Yield that things are due which nobody does.

    ``due`` is how many and since when, ``counted`` the words for one and for many.
    """
    if is_alive or not due.number:
        return
    last = max((state.beat for state in states), default=None)
    seen = f" The last one was seen on {last:%Y-%m-%d %H:%M} UTC." if last else ""
    yield Trouble(
        code=code,
        what=what.format(_count(due.number, *counted)) + seen,
        remedy="Keep a chat with this server open, or run `sequences-mcp work`.",
        since=due.since,
    )


def _resting(store: Repositories, sender: str, now: datetime, *, account: str | None) -> Iterator[Trouble]:
    rest = store.mailboxes.resting(sender, now=now, account=account)
    if rest is not None:
        # Without a reply no mail server refused anything: it was not reached, or not even asked.
        so = f"The mail server refuses {sender}," if rest.reply else f"E-mails from {sender} wait, tried in vain"
        yield Trouble(
            code="mailbox_rests",
            what=f"{so} {_count(rest.refusals, 'time', 'times in a row')}: "
            f"{rest.why.removeprefix('The e-mail was not accepted: ').rstrip('.')}.",
            remedy=f"The next try is at {rest.until:%Y-%m-%d %H:%M} UTC, by itself; `sequences-mcp doctor` tries "
            "the sign-in now.",
            since=rest.since,
            server_reply=rest.reply,
            sender=sender,
        )


def _complained(store: Repositories, sender: str, now: datetime) -> Iterator[Trouble]:
    complained = store.mailboxes.complaints(sender)
    if complained is None or complained.opens(now) <= now:
        return
    goes_on = f"`sequences-mcp mail go-on {sender}` lets it go on"
    until = f"It goes on by itself at {complained.opens(now):%Y-%m-%d %H:%M} UTC; {goes_on} now."
    yield Trouble(
        code="marked_as_spam",
        what=f"No e-mail leaves from {sender}: {complained.words}.",
        remedy=f"Look at whom you write to and how. {f'Then {goes_on}.' if complained.is_stop else until}",
        since=complained.last,
        sender=sender,
    )


def _unread(store: Repositories, address: str, now: datetime, *, freshness: timedelta | None) -> Iterator[Trouble]:
    """Yield that the sender's mailbox is not read, and why, where it is to be; not before it was first tried."""
    known = store.inboxes.reading(address) if freshness is not None else None
    if known is None or freshness is None:
        return
    if known.left_out:
        yield Trouble(
            code="folders_unread",
            what=f"In the inbox of {address} these folders cannot be read: {known.left_out}.",
            remedy="The others are read; an answer that is moved there before it was read is not seen.",
            stops=False,
            sender=address,
        )
    is_fresh = known.is_fresh(now=now, freshness=freshness)
    if known.error is None and is_fresh:
        return
    since = known.read_up_to
    unread = f"was not read since {since:%Y-%m-%d %H:%M} UTC" if since else "was never read"
    why = f": {known.error.rstrip('.')}, last tried {known.tried_at:%Y-%m-%d %H:%M:%S} UTC" if known.error else ""
    so = "follow-ups still leave" if is_fresh else "no follow-up leaves before it is"
    yield Trouble(
        code="inbox_unread",
        what=f"The inbox of {address} {unread}{why}; {so}.",
        remedy="It is tried again by itself; keep a worker running, and correct the settings where it refuses.",
        stops=not is_fresh,
        sender=address,
        server_reply=known.reply,
    )


def _unseen(store: Repositories) -> Iterator[Trouble]:
    unseen = store.upkeep.unresolved()
    if unseen.number:
        yield Trouble(
            code="database_older",
            what="The database was put back or copied: "
            f"{_count(unseen.number, 'e-mail or request', 'e-mails or requests')} may have left without it "
            "knowing.",
            remedy="Find out what became of each and resolve it (`sequences-mcp review list`).",
            since=unseen.since,
            stops=False,
        )


def _erased_again(store: Repositories, now: datetime) -> Iterator[Trouble]:
    """Yield for some days that an older database was put back, and whoever it brought back is erased again."""
    recent = [row for row in store.audit.of_database() if row.action == REPEATED and row.at > now - RECENT]
    number = sum(int(row.detail.get("people", 0)) for row in recent)
    if number:
        yield Trouble(
            code="erased_again",
            what="The database was put back from before an erasure: "
            f"{_count(number, 'person was', 'people were')} in it again and {'is' if number == 1 else 'are'} "
            "erased again.",
            remedy="Delete the copies that were made before it: they hold what was erased.",
            since=recent[0].at,
            stops=False,
        )


def _unknown(store: Repositories) -> Iterator[Trouble]:
    unknown = store.upkeep.unknown()
    if unknown.number:
        yield Trouble(
            code="unknown_fate",
            what=f"Nobody knows whether {_count(unknown.number, 'e-mail', 'e-mails')} arrived.",
            remedy="A person looks into the mailbox and resolves each (`sequences-mcp review list`).",
            since=unknown.since,
            stops=False,
        )


def _failed(store: Repositories, now: datetime) -> Iterator[Trouble]:
    for failed in store.upkeep.failed(since=now - RECENT):
        provider, title = failed.provider, VENDORS.get(failed.provider)
        at, which = (f" at {title}", f"provider {provider} and ") if title else ("", "")
        again = (
            "what it answered is in get_sequence, and start_sequence with another idempotency_key begins anew."
            if title
            else "retry_failed plans what is left for them."
        )
        yield Trouble(
            code=f"failed_runs_{provider}" if title else "failed_runs",
            what=f"{_count(failed.number, 'sequence', 'sequences')} failed{at} in the last 7 days.",
            remedy=f"list_sequences with {which}status FAILED shows them; {again}",
            since=failed.since,
            stops=False,
        )


def _count(number: int, item: str, many: str) -> str:
    return f"{number:,} {item if number == 1 else many}"


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
