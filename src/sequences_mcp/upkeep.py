"""What commands do with a whole data folder: due work, backup, restore, and confirming a copied database."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequences_mcp.bootstrap import (
    keep_house,
    open_context,
    open_store,
    open_worker,
    utc_now,
    working,
)
from sequences_mcp.domain import actors
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine import temporal
from sequences_mcp.errors import SettingsError

if TYPE_CHECKING:
    from sequences_mcp.domain.records import WorkDone
    from sequences_mcp.engine.temporal.clock import ReconcileTally
    from sequences_mcp.mailbox import Mailbox
    from sequences_mcp.ports.safekeeping import Safekeeping
    from sequences_mcp.ports.vendor import EnrolmentTally
    from sequences_mcp.settings import Settings
    from sequences_mcp.sign_in.tokens import TokenAnswer
    from sequences_mcp.store.moving import MoveReport, Progress, Side
    from sequences_mcp.store.sqlite.backup import RestoreSummary


log = logging.getLogger("sequences_mcp")
NOBODY_WORKS = ("no_worker", "no_handing_over")  # troubles that ``work --once`` does not report: it is the worker


def work_once(settings: Settings) -> WorkDone:
    """Enrol the people of approved starts at vendors and do the due work, once; return the result."""
    from sequences_mcp.domain.records import WorkDone

    stop = _stopped_by_signals(settings)
    if settings.mailbox.sender is None and not settings.accounts:
        settings.mailbox.require_sending()
    handed = asyncio.run(_hand_over_once(settings)) if settings.accounts else None
    facts: dict[str, Any] = {"to_outbox": settings.mailbox.smtp_url is None}
    if settings.mailbox.sender is not None:
        facts = _sent_once(settings, stop)
    else:
        keep_house(settings)
    if handed is not None:
        facts |= {"handed_over": handed.done, "not_taken": handed.not_done, "unknown_at_vendor": handed.unknown}
    return asyncio.run(_work_done(settings, partial(WorkDone, **facts)))


def _sent_once(settings: Settings, stop: threading.Event) -> dict[str, Any]:
    """Do what is due of each mailbox; return what became of the e-mails, and when the next thing is due."""
    from sequences_mcp.engine.worker import FREE

    sent: Counter[str] = Counter()
    coming: list[datetime] = []
    _require_one_that_sends(settings)
    has_server = any(mailbox.smtp_url is not None for mailbox in settings.mailboxes)
    for mailbox in settings.mailboxes:
        # Without its password, which what is wrong tells, all is done that needs no server.
        queue = None if mailbox.can_send else FREE
        with open_worker(settings, mailbox=mailbox, queue=queue) as worker:
            if worker.read_answers is not None:
                worker.read_answers()
            while worker.run_due() and not stop.is_set():
                pass
            outcomes = Counter(worker.outcomes)
            if has_server and mailbox.smtp_url is None:
                outcomes["in_outbox"] = outcomes.pop("accepted", 0)
            sent.update(outcomes)
            if (at := worker.next_at()) is not None:
                coming.append(at)
    facts: dict[str, Any] = {"accepted": sent["accepted"], "refused": sent["refused"], "unknown": sent["lost"]}
    facts |= {"in_outbox": sent["in_outbox"], "to_outbox": not has_server}
    return facts | {"next_at": min(coming, default=None)}


def _require_one_that_sends(settings: Settings) -> None:
    """Raise SettingsError where this process can send from none of its mailboxes."""
    if settings.mailbox.sender is None or not any(mailbox.can_send for mailbox in settings.mailboxes):
        settings.mailbox.require_sending()


async def _hand_over_once(settings: Settings) -> EnrolmentTally:
    """Enrol the people who wait; return how many were enrolled, refused, or are of unknown outcome."""
    from sequences_mcp.ports.vendor import EnrolmentTally
    from sequences_mcp.services.enrolment import enrol_waiting

    async with open_context(settings, worker=False, actor=actors.WORKER) as app:
        ids = [plan.id for plan in await app.vendor_runs.waiting()]
        before = [await app.vendor_runs.outcome(item) for item in ids]
        await enrol_waiting(app)
        after = [await app.vendor_runs.outcome(item) for item in ids]

    def more(name: str) -> int:
        pairs = zip(before, after, strict=True)
        return sum(int(getattr(now, name)) - int(getattr(was, name)) for was, now in pairs)

    return EnrolmentTally(
        done=more("done"), unknown=more("unknown"), not_done=more("not_done"), waiting=more("waiting")
    )


async def _work_done(settings: Settings, made: Callable[..., WorkDone]) -> WorkDone:
    """Return the result, with what waits for a person now and the troubles that stop sending."""
    async with open_context(settings, worker=False, actor=actors.WORKER) as app:
        stops = tuple(
            trouble.line for trouble in app.troubles() if trouble.stops and trouble.code not in NOBODY_WORKS
        )
        return made(waiting=await app.records.waiting(), stops=stops)


def _stopped_by_signals(settings: Settings, *, log_level: str = "WARNING") -> threading.Event:
    """Return an event that SIGINT and SIGTERM set; set up logging too, on standard error and in UTC.

    Without a level set, ``log_level`` counts for what this product logs.
    """
    import signal

    is_set = settings.origins.get("SEQUENCES_LOG_LEVEL", "default") != "default"
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ"
    )
    log.setLevel(settings.log_level if is_set else log_level)
    settings.log_conflicts()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def work(settings: Settings) -> None:
    """Do the due work, and enrol the people of approved starts at vendors, until SIGINT or SIGTERM."""
    stop = _stopped_by_signals(settings, log_level="INFO")
    if settings.lacks_temporal:
        raise SettingsError(temporal.NOT_INSTALLED, next_step=temporal.INSTALL)
    if not settings.accounts:
        _require_one_that_sends(settings)
    senders = [f"{box.address} by {box.delivery}" for box in settings.mailboxes if box.can_send]
    log.info(
        "Work begins in %s: %s.", settings.data_dir, "; ".join([*senders, *settings.accounts]) or "nothing sends"
    )
    if settings.accounts:
        asyncio.run(_work_in_context(settings, stop))  # opened with ``worker=True`` it also runs the worker
    else:
        with working(settings, clock=utc_now):
            stop.wait()
    log.info("Work ends: it was told to stop.")


async def _work_in_context(settings: Settings, stop: threading.Event) -> None:
    async with open_context(settings, worker=True, actor=actors.WORKER):
        await asyncio.to_thread(stop.wait)


def _temporal_address(settings: Settings) -> temporal.TemporalAddress:
    """Return the Temporal server that keeps the timers; SettingsError where none does or its library lacks."""
    if settings.temporal is None:
        raise SettingsError("No Temporal server keeps the timers here.", next_step=temporal.HOW_TO_SET)
    if settings.lacks_temporal:
        raise SettingsError(temporal.NOT_INSTALLED, next_step=temporal.INSTALL)
    return settings.temporal


def reconcile_clock(settings: Settings) -> ReconcileTally:
    """Compare Temporal's workflows with the runs, once; SettingsError without it, ClockUnavailableError."""
    address = _temporal_address(settings)
    from sequences_mcp.engine.temporal.clock import reconcile

    with open_store(settings, now=utc_now()) as store:
        return asyncio.run(reconcile(address, store))


def register_clock_attributes(settings: Settings) -> list[str]:
    """Register with Temporal what people look for workflows by; return what is new. As ``reconcile_clock``."""
    address = _temporal_address(settings)
    from sequences_mcp.engine.temporal.clock import register_attributes

    return asyncio.run(register_attributes(address))


def make_version_current(settings: Settings) -> str:
    """Have Temporal give what is due to this program's version; return that. Raises ConflictError too."""
    address = _temporal_address(settings)
    from sequences_mcp.engine.temporal.calls import TaskQueues
    from sequences_mcp.engine.temporal.clock import make_current

    with open_store(settings, now=utc_now()) as store:
        return asyncio.run(make_current(address, TaskQueues.of_database(store)))


def back_up_folder(settings: Settings, target: Path) -> None:
    """Write a backup of the data folder, which may be in use, into a new file; ConflictError, StoreError.

    The database is opened before, so that whoever an older one has brought back is erased from it; one that this
    program cannot open is backed up as it is.
    """
    from sequences_mcp.errors import StoreDamagedError, StoreTooNewError
    from sequences_mcp.store.sqlite import backup

    _require_file(settings)
    if settings.workspace.database.is_file():
        with suppress(StoreTooNewError, StoreDamagedError):
            open_store(settings, now=utc_now(), examined=False).close()
    mailbox, sender = settings.mailbox, settings.mailbox.sender
    remaining = {
        "sender": f"{sender.name} <{sender.address}>" if sender else "",
        "delivery": mailbox.delivery,
        "window": mailbox.window,
        "time_zone": settings.time_zone,
        "daily_cap": str(mailbox.daily_cap),
        "spacing": str(mailbox.spacing),
        "ramp_up": str(mailbox.ramp_up),
        "vendors": ", ".join(settings.accounts),
    }
    backup.back_up(settings.data_dir, target, now=utc_now(), settings=remaining)


def _require_file(settings: Settings) -> None:
    """Raise ConflictError where the database is on a server: a backup of the folder would lack it."""
    from sequences_mcp.errors import ConflictError

    if settings.database is not None:
        raise ConflictError(
            "The database is on a PostgreSQL server, not in the data folder: this program does not back it up.",
            next_step="Use pg_dump or the server's own backups; after one was put back, what this host sent since "
            "is known from sent.log in its data folder.",
        )


def restore(
    settings: Settings, source: Path, *, allow: Callable[[Safekeeping], None], actor: actors.Actor
) -> tuple[RestoreSummary, int]:
    """Put a backup into a data folder that nothing uses; return a summary and the number of unknown outcomes.

    ``allow`` takes the records with the passphrase that counts, those of the backup where the folder has none, and
    raises ApprovalError for a wrong passphrase.
    """
    from sequences_mcp.domain.erasure import REPEATED
    from sequences_mcp.engine.recovery import mark_unseen, take_over_folder, unknown_due
    from sequences_mcp.store.safekeeping import safekeeping_in
    from sequences_mcp.store.sqlite import backup

    _require_file(settings)
    begun = utc_now()
    with backup.opened(source) as inside:
        is_here = settings.workspace.passphrase.exists()
        allow(safekeeping_in(settings.workspace if is_here else Workspace(inside), url=None))
        put_back = backup.put_back(settings.data_dir, inside, now=utc_now())
    with open_store(settings, now=utc_now()) as store, store.transaction() as work:
        now = utc_now()
        take_over_folder(work, now=now, actor=actor, nothing_left=True)
        if not put_back.journal_was_here:  # what was sent after the backup is not recorded anywhere
            unknown_due(work, now=now)
        mark_unseen(work, now=now)
        repeated = [entry for entry in work.audit.of_action(REPEATED) if entry.at >= begun]
        again = sum(int(entry.detail["people"]) for entry in repeated)
        return replace(put_back, erased_again=again), work.lineage.unseen_number()


def take_over_database(
    settings: Settings, *, actor: actors.Actor, nothing_left: bool, anew: bool
) -> tuple[list[str], int]:
    """End a standstill (``store.lineage``) for a person; return its kinds and how many outcomes are now unknown.

    ``anew`` ends only that of a new database, otherwise only the others end; ConflictError for the wrong kind.
    """
    from sequences_mcp.engine.recovery import take_over_folder
    from sequences_mcp.errors import ConflictError

    with open_store(settings, now=utc_now()) as store:
        kinds = [standstill.kind for standstill in store.lineage.standstills()]
        if not kinds or anew != ("begun_anew" in kinds):
            store.lineage.require_going()
            raise ConflictError("Nothing is held back here.", next_step="`sequences-mcp doctor` shows the state.")
        with store.transaction() as work:
            unknown = take_over_folder(work, now=utc_now(), actor=actor, nothing_left=nothing_left)
        return list(kinds), unknown


def after_complaints(mailbox: Mailbox) -> str:
    """Let a mailbox go on that was marked as spam too often, for a person; return that in words."""

    sender = mailbox.address
    with open_store(mailbox, now=utc_now()) as store, store.transaction() as work:
        complained = work.mailboxes.complaints(sender)
        if complained is None:
            return f"No e-mail of {sender} was marked as spam."
        work.mailboxes.clear_complaints(sender, actor=actors.TERMINAL, now=utc_now())
        work.audit.record(
            at=utc_now(),
            actor=actors.TERMINAL,
            action="mailbox.goes_on",
            subject=sender,
            detail={"complaints": complained.number},
        )
    return f"{sender} goes on; what was marked as spam before now no longer counts."


def after_sign_in(mailbox: Mailbox, answer: TokenAnswer, *, in_file: bool) -> str:
    """Keep what a person granted, let the mailbox try again at once, and return where it is kept."""
    from sequences_mcp.sign_in.tokens import keep_grant

    assert mailbox.sign_in is not None
    state = keep_grant(mailbox.sign_in, answer, now=utc_now(), in_file=in_file)
    if mailbox.sender and (mailbox.database or mailbox.workspace.database.exists()):
        with open_store(mailbox, now=utc_now()) as store, store.transaction() as work:
            work.mailboxes.free(mailbox.address, now=utc_now())
    return "the system's keychain" if state.kept_in == "keychain" else "a file that only you can read"


def make_database(settings: Settings) -> None:
    """Make the database where there is none yet; StoreError."""

    open_store(settings, now=utc_now()).close()


def move_database(
    settings: Settings, target: str | Path, *, actor: actors.Actor | None, progress: Progress
) -> tuple[MoveReport, str]:
    """Copy the whole database to a server's address or into a folder, and mark the one here as moved.

    Without ``actor`` nothing is changed: only what could stand in the way is looked at. Returns what was copied,
    and the place, for people to read. Raises ConflictError where anything works with the database or the target
    holds rows, InvalidArgumentsError for a move within one kind, StoreError and its kinds.
    """
    from sequences_mcp.engine.supervisor import host_name
    from sequences_mcp.errors import ConflictError
    from sequences_mcp.store import moving

    folder, url = settings.data_dir, settings.database_url
    place = moving.place_of(target, host=host_name())
    origin = moving.place_of(folder if url is None else url, host=host_name())
    _require_other_kind(settings, target)
    _require_at_rest(settings, place, actor=actor)
    is_elsewhere = isinstance(target, Path) and target.resolve() != folder.resolve()
    with moving.source_of(folder, url) as source:
        moving.require_here(source)
        opening = partial(moving.target_of, folder, target, source=origin, now=utc_now())
        if actor is None:
            with opening() as empty:
                return moving.checked(source, empty, progress=progress), place
        try:
            with opening() as empty:
                report = moving.copy_database(source, empty, keeps_place=not is_elsewhere, progress=progress)
        except ConflictError as error:
            if "target" not in error.data or not _is_there(source, opening):
                raise
            report = moving.checked(source, None, progress=progress)
        if isinstance(target, Path) and is_elsewhere:
            moving.copy_journals(folder, target)
        source.mark_moved(place, now=utc_now())
    return report, place


def _is_there(source: Side, opening: Callable[..., Any]) -> bool:
    """Say whether a target that holds rows is the copy of a move that ended before the source was marked."""
    from sequences_mcp.store import moving

    with opening(is_empty=False) as other:
        return moving.holds_the_same(source, other)


def _require_other_kind(settings: Settings, target: str | Path) -> None:
    from sequences_mcp.errors import ConflictError, InvalidArgumentsError

    if isinstance(target, Path) == (settings.database is None):
        present = "a file of the data folder" if settings.database is None else "on a PostgreSQL server"
        instead = (
            "Name a server: --to postgresql://user@host:5432/name. A folder is copied while nothing runs, then "
            "confirmed with `sequences-mcp review take-over`."
            if settings.database is None
            else "Name a folder. From one server to another move it with pg_dump and psql, while nothing runs."
        )
        raise InvalidArgumentsError(f"The database is {present} already.", next_step=instead)
    if settings.database is None and not settings.workspace.database.exists():
        raise ConflictError(
            f"There is no database in {settings.data_dir}.",
            next_step="Nothing has to be moved: name the server as `database` in settings.toml.",
        )


def _require_at_rest(settings: Settings, place: str, *, actor: actors.Actor | None) -> None:
    """Raise ConflictError while a worker lives or has outcomes to record; with ``actor``, audit the move."""
    from sequences_mcp.engine.supervisor import at_work
    from sequences_mcp.errors import ConflictError

    now, step = utc_now(), "database.move"
    with open_store(settings, now=now) as store:
        store.lineage.require_going()
        if workers := at_work(store, now=now):
            raise ConflictError(
                f"A worker runs: {workers[0].words}.",
                next_step="Nothing was moved. Stop every worker and server on every host; one that was killed "
                "counts as gone after three minutes.",
                data={"workers": len(workers)},
            )
        if any(settings.workspace.receipts.glob("*.json")):
            raise ConflictError(
                "Outcomes of e-mails are not in the database yet.",
                next_step="Nothing was moved. Run `sequences-mcp work --once`, which records them.",
            )
        if actor is None:
            return
        newest = store.audit.page(page=1, size=1).items
        if not newest or (newest[0].action, newest[0].detail.get("to")) != (step, place):
            store.audit.record(at=now, actor=actor, action=step, subject="database", detail={"to": place})
