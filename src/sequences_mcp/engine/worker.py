"""The worker: claims what is due, sends e-mails, records their outcomes. It runs in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from sequences_mcp.domain import actors
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.digests import text_digest
from sequences_mcp.domain.entries import Answer, ScheduleEntry
from sequences_mcp.domain.run import LIVE, Run, StepRun, StepState
from sequences_mcp.engine import changed_settings, cleanup, events, plans
from sequences_mcp.engine.approvals import text_approved_at
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.channels.replies import Blame, provider_ids
from sequences_mcp.engine.claim import Claim, SendPolicy, claim_due, unread_because
from sequences_mcp.engine.context import apply_event, keep_changes
from sequences_mcp.engine.events import Event, SuppressAddress
from sequences_mcp.engine.machine import step_resolved, with_run
from sequences_mcp.engine.recovery import Outcome, Receipts, take_in
from sequences_mcp.engine.stopping import end_suppressed
from sequences_mcp.engine.supervisor import MAILBOX, Heartbeat, elapsed
from sequences_mcp.errors import (
    ConflictError,
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRejectedError,
    DeliveryUnknownError,
    DeliveryWithheldError,
    NotFoundError,
    SequencesError,
    StoreBusyError,
    StoreDamagedError,
    StoreTooNewError,
    StoreUnwritableError,
)
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.remembering import VALUES
from sequences_mcp.store.unit_of_work import Repositories, Store, UnitOfWork

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
SEVERAL = 3  # people refused alike: the reason is the mailbox, not they
OURS = "the same refusal of several people in a row says nothing about any of them"
ALONE = "It was refused again, although e-mails to others were accepted in between"


def record_outcome(
    store: Store, outcome: Outcome, *, rules: SendPolicy, now: datetime, line: tuple[int, int] | None = None
) -> None:
    """Write down how a delivery ended; ConflictError when its lease is lost, and then nothing is changed.

    ``line`` is where the journal has the e-mail, if this process has just written it there.
    """
    # What was refused may concern other runs and the whole mailbox.
    with store.transaction(beside=outcome.kind == "accepted", run=outcome.sequence_id) as work:
        work.claims.foresee_record(outcome.sequence_id, lease=outcome.lease)
        runs = work.runs.by_ids([outcome.sequence_id])
        run = next((run for item in runs for run in item.steps if run.key == outcome.key), None)
        if run is None:
            raise NotFoundError(f"There is no step {outcome.key}.", next_step="get_sequence shows what there is.")
        event = _event(work, outcome, sequence=runs[0], run=run, rules=rules, now=now)
        _, effects = apply_event(work, runs[0], event, now=now, actor=actors.WORKER)
        if line is not None:
            work.lineage.knows_line(line)
        for effect in effects:
            if isinstance(effect, SuppressAddress):
                listed = ("address", address_key(effect.address))
                end_suppressed(work, listed, reason=f"bounced: {effect.reason}", now=now, actor=actors.WORKER)


def retry_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries: a minute, then twice as long each time, at most an hour."""
    return min(FIRST_RETRY * (1 << min(tries - 1, 10)), LONGEST_RETRY)


def _event(
    work: UnitOfWork, outcome: Outcome, *, sequence: Run, run: StepRun, rules: SendPolicy, now: datetime
) -> Event:
    """Return what has happened to the e-mail, the attempt and the mailbox noted with it."""
    sender = _sender(work, outcome, rules)
    if outcome.kind == "lost":
        return events.Lost(outcome.lease, outcome.words, outcome.reply)
    if outcome.kind == "accepted":
        work.attempts.answered(outcome.lease, "accepted")
        work.mailboxes.accepted(sender)
        work.inbound.keep_provider_ids(outcome.key, provider_ids(outcome.words))
        return events.Delivered(outcome.lease, outcome.words)
    if not outcome.blame:  # no server's doing: nothing is learnt, and the next try is as good as this one
        work.mailboxes.free(sender, now=now)
        work.attempts.give_back(outcome.lease)
        return events.Deferred(outcome.lease, outcome.words, now + FIRST_RETRY)
    return _refused(work, outcome, sequence=sequence, run=run, rules=rules, now=now)


def _sender(work: UnitOfWork, outcome: Outcome, rules: SendPolicy) -> str:
    """Return the mailbox that an attempt was made from: any worker may record what another left unrecorded."""
    return work.attempts.sender_of(outcome.lease) or rules.terms.sender_address


def _refused(
    work: UnitOfWork, outcome: Outcome, *, sequence: Run, run: StepRun, rules: SendPolicy, now: datetime
) -> Event:
    sender = _sender(work, outcome, rules)
    since = text_approved_at(work, run, digest=text_digest(sequence, run))
    generation, blame = run.generation, Blame(outcome.blame)
    if blame is Blame.MAILBOX and not (
        outcome.is_uncertain
        and work.attempts.refused_alone(sender, key=run.key, generation=generation, since=since)
    ):
        return _of_mailbox(work, outcome, rules=rules, now=now)
    alike = work.attempts.refused_alike(sender, key=run.key, code=outcome.code) if outcome.code else set()
    if blame is not Blame.MAILBOX and len(alike) >= SEVERAL:
        _put_right(work, alike - {run.key}, now=now)
        return _of_mailbox(work, outcome, rules=rules, now=now)
    work.attempts.answered(outcome.lease, "recipient", code=outcome.code)
    work.mailboxes.free(sender, now=now)
    if blame in (Blame.GONE, Blame.REFUSES):
        return events.Rejected(outcome.lease, outcome.words, blame is Blame.GONE, outcome.reply)
    work.attempts.give_back(outcome.lease)
    if blame is Blame.LATER:
        tries = work.attempts.count(run.key, generation=generation, since=since)
        return events.Deferred(outcome.lease, outcome.words, now + retry_after(tries), outcome.reply)
    words = f"{ALONE}. {outcome.words}" if blame is Blame.MAILBOX else outcome.words
    return events.Deferred(outcome.lease, words, None, outcome.reply)


def _put_right(work: UnitOfWork, keys: Iterable[str], *, now: datetime) -> None:
    """Undo the effects of refusals on people, where the cause turns out to be this sender's own.

    Whoever is held for a person goes on by themselves; whom the engine put on the list is off it, while anybody
    else's entry stays. Their failed runs stay failed: a person decides about a new try (``retry_failed``).
    """
    for sequence, run in work.runs.of_keys(keys):
        if (
            sequence.status in LIVE
            and run == sequence.current
            and run.state is StepState.HELD
            and run.until is None
        ):
            freed = with_run(sequence, replace(run, until=now + FIRST_RETRY))
            keep_changes(
                work, sequence, step_resolved(freed, now), action="sequence.let_go", now=now, actor=actors.WORKER
            )
        listed = ("address", address_key(run.recipient or ""))
        if (was := work.suppressions.of_engine(listed)) is not None:
            work.suppressions.lift(listed, reason=OURS, actor=actors.WORKER, now=now)
            subject, detail = ":".join(listed), {"reason": OURS, "was": was}
            work.audit.record(
                at=now, actor=actors.WORKER, action="suppression.lifted", subject=subject, detail=detail
            )


def _of_mailbox(work: UnitOfWork, outcome: Outcome, *, rules: SendPolicy, now: datetime) -> Event:
    """Let the mailbox rest; the e-mail waits behind all others that are due, so that each of them has its try."""
    answer: Answer = "mailbox" if not outcome.is_uncertain and outcome.blame == Blame.MAILBOX else "doubtful"
    work.attempts.answered(outcome.lease, answer, code=outcome.code)
    work.attempts.give_back(outcome.lease)
    sender = _sender(work, outcome, rules)
    # An outcome that another mailbox's worker left unrecorded says nothing about the account of this one's.
    account = rules.account if sender == rules.terms.sender_address else ""
    work.mailboxes.refused(sender, why=outcome.words, reply=outcome.reply, account=account, now=now)
    return events.Deferred(outcome.lease, outcome.words, now + FIRST_RETRY, outcome.reply)


log = logging.getLogger(__name__)
# What became of an e-mail, in the words of the log.
LOGGED = {
    "accepted": "delivered",
    "refused": "not accepted",
    "lost": "given to the server, whose answer did not come",
}

FREE, NOTICE = "free", "notice"
ERASE_EVERY = timedelta(hours=1)
QUEUES = frozenset({FREE, MAILBOX, NOTICE})
AFTER_A_STORE_ERROR = 5.0
OF_THE_DATABASE = (StoreBusyError, StoreUnwritableError, StoreDamagedError, StoreTooNewError)
LOOK_BACK_EVERY = timedelta(minutes=1)
NOW, ALWAYS = timedelta(0), timedelta(days=36_500)
NO_ROOM = "The disk is full: no e-mail is begun, because what becomes of it could not be written down."
STOOD_STILL = "the program stood still between its last words to the server and the final dot"


class Deliver(Protocol):
    """A channel for e-mail: calls ``before_dot`` once, when only the final dot is missing."""

    def __call__(self, message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        """Return proof of acceptance; DeliveryError and its kinds, and whatever ``before_dot`` raises."""
        ...


def _nowhere(point: str) -> None:
    """Pass a point at which nothing is watched."""


@dataclass(slots=True, kw_only=True)
class Worker:
    """Takes due work from one store.

    ``queues`` is what it does: ``mailbox`` sends e-mails, ``notice`` tells the operator (with ``tell``) what waits
    for a person, ``free`` does all that needs no server. A process has a worker for each, so that a slow mail
    server holds up nothing else. ``answer_timeout`` is how long the server's answer to the final dot may take
    before the e-mail counts as unknown; ``monotonic`` is a clock that no one can set and that does not stand still
    with the machine. ``at`` is told the points at which a test may end the process: claim, claimed,
    before_handed_over, handed_over, answered, before_sent, sent (the channel tells its own). ``read_answers`` has
    the mailbox read, where there is one, before a step that must not go while somebody may have answered; it
    raises StoreError. After ``keep_days`` without a step or an answer people are erased; 0 keeps them.
    """

    store: Store
    clock: Callable[[], datetime]
    rules: SendPolicy
    deliver: Deliver
    answer_timeout: timedelta = timedelta(seconds=660)
    tell: Callable[[], bool] | None = None
    queues: frozenset[str] = QUEUES
    pulse: Heartbeat | None = None
    poll: float = 1.0
    at: Callable[[str], None] = _nowhere
    monotonic: Callable[[], float] = elapsed
    read_answers: Callable[[], None] | None = None
    keep_copy: Callable[[ComposedMessage], None] | None = None
    keep_days: int = 0
    outcomes: Counter[str] = field(default_factory=Counter, init=False)  # how many were accepted, refused, lost
    _faulty: set[str] = field(default_factory=set, init=False)
    _left_alone: set[str] = field(default_factory=set, init=False)
    _looked_back_at: datetime | None = field(default=None, init=False)
    _looked_for_old_at: datetime | None = field(default=None, init=False)
    _unrecorded: dict[int, Outcome] = field(default_factory=dict, init=False)
    _lying: frozenset[Path] = field(default_factory=frozenset, init=False)  # files of outcomes, at the last look
    _took_over_at: datetime | None = field(default=None, init=False)
    _lines: dict[int, tuple[int, int]] = field(default_factory=dict, init=False)  # of the journal, by lease
    _is_free_due: bool = field(default=False, init=False)  # at the last claim of an e-mail

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, sleeping until something is due.

        Raises StoreError where the database cannot be used and waiting does not help.
        """
        if self.pulse:
            self.pulse.beat()  # before the first e-mail, which may take its time
        while not stop.is_set():
            try:
                self.store.require_in_place()
                done = self.run_due()
                pause = self._pause()
                self.show(acted=done > 0)
            except StoreBusyError as error:
                log.warning("The worker cannot use the database: %s", error)
                self._trouble(str(error))
                pause = AFTER_A_STORE_ERROR
            self.store.sleep(stop, pause)

    def run_due(self, limit: int = 100) -> int:
        """Do what is due now, at most ``limit`` things; return how many that were. Raises StoreError."""
        if not self.keep_house():
            return 0
        done = 0
        while done < limit and self._is_due(FREE):
            self._guarded(partial(self._take_and_send, queue=FREE))
            done += 1
        if NOTICE in self.queues:
            self._guarded(self._tell)
        queue, is_quick = self._due_queue(), False
        while done < limit and queue is not None:
            is_taken = self._guarded(partial(self._take_and_send, queue=queue))
            done += is_taken or not is_quick
            is_quick = is_taken and queue == MAILBOX and self._goes_on()
            queue = MAILBOX if is_quick else self._due_queue()
        self._write_down()
        return done

    def _goes_on(self) -> bool:
        """Say whether an e-mail may be claimed at once: the claim asks for one, and the mailbox's limits."""
        # With spacing the mailbox is shut after each e-mail.
        return self.rules.terms.spacing <= 0 and not self._is_free_due and self.store.has_room()

    def keep_house(self) -> bool:
        """Do the work besides steps: record outcomes, apply decided plans, delete what is kept no longer.

        Whatever the worker's clock is, it comes by here between pieces of work, so that what was remembered of
        people's values in the last of them is let go of. False where this is not the database that sent last, so
        that nothing may be taken. Raises StoreError.
        """
        VALUES.let_go()
        if not self._is_at_home():
            return False
        self._guarded(self._put_right)
        self._write_down()
        if FREE in self.queues:
            self._guarded(self._catch_up)
        return True

    def take(self, sequence_id: str) -> bool:
        """Do what is due of one run, if anything is in its queues and the mailbox's limits allow it.

        Say whether something was tried. Raises StoreError.
        """
        if not self._is_at_home():
            return False
        self._guarded(self._put_right)
        self._write_down()
        is_tried = False
        for queue in self.queues & {FREE, MAILBOX}:
            due = self._next(queue, wanted=sequence_id)
            if due is not None and (queue == FREE or self._lets_leave(due[1])):
                self._guarded(partial(self._take_and_send, queue=queue, wanted=sequence_id))
                is_tried = True
        self._write_down()
        return is_tried

    def _lets_leave(self, at: datetime) -> bool:
        return self._opens(at) <= self.clock() and self.store.has_room()

    def opens(self, entry: ScheduleEntry) -> datetime:
        """Return when the mailbox comes to a run that waits for it, as far as that can be told."""
        now = self.clock()
        at = self._opens(entry.at or now)
        if at <= now:
            return now
        return at + timedelta(seconds=self.rules.terms.spacing) * self.store.schedule.ahead_of(entry, now=now)

    def _is_at_home(self) -> bool:
        """Say whether this is the database that sent last, after taking in what it has missed."""
        self.store.lineage.look(now=self.clock())
        take_in(self.store, now=self.clock())
        return not self.store.lineage.standstills()

    def _due_queue(self) -> str | None:
        """Return the queue in which something can be done now: what the mailbox does not limit comes first."""
        if self._is_due(FREE):
            return FREE
        now, at = self.clock(), self._mailbox_at()
        return MAILBOX if at is not None and at <= now and self.store.has_room() else None

    def _is_due(self, queue: str) -> bool:
        due = self._next(queue)
        return due is not None and due[1] <= self.clock()

    def _next(
        self, queue: str, *, within: timedelta = NOW, wanted: str | None = None, now: datetime | None = None
    ) -> tuple[str, datetime] | None:
        """Return what is due first in a queue of ours, of what this process's settings were approved for."""
        if queue not in self.queues:
            return None
        coming = (now or self.clock()) + within
        return self.store.runs.next_due(queue, terms=self.rules.terms, before=coming, wanted=wanted)

    def _mailbox_at(self, within: timedelta = NOW) -> datetime | None:
        """Return when the next e-mail can leave: when it is due and the mailbox's limits allow it."""
        due = self._next(MAILBOX, within=within)
        return None if due is None else self._opens(due[1])

    def _opens(self, at: datetime) -> datetime:
        """Return when an e-mail that is due at an instant can leave, by the mailbox's limits."""
        terms = self.rules.terms
        opens = self.store.mailboxes.opens(
            terms.sender_address,
            limits=terms.limits,
            now=self.clock(),
            account=self.rules.account,
        )
        return max(at, opens[0]) if opens else at

    def _pause(self) -> float:
        """Return for how many seconds nothing is due, bounded: another process may add work and not tell."""
        longest = self.store.longest_sleep(self.poll)
        coming = self.next_at(within=timedelta(seconds=longest)) if self.store.has_room() else None
        soonest = longest if coming is None else (coming - self.clock()).total_seconds()
        return min(max(soonest, 0.0), longest)

    def next_at(self, *, within: timedelta = ALWAYS) -> datetime | None:
        """Return when the next thing can be done in its queues, or None where nothing is planned for that time."""
        free = self._next(FREE, within=within)
        return min((at for at in (free and free[1], self._mailbox_at(within)) if at is not None), default=None)

    def show(self, *, acted: bool) -> None:
        """Show that it is alive, whether it did something, and what stands in its way."""
        if self.pulse and not self.store.has_room():
            self.pulse.trouble(NO_ROOM)
        elif self.pulse and self._unrecorded:
            self.pulse.trouble("What became of some e-mails is still to be written into the database.")
        elif self.pulse:
            self.pulse.beat(acted=acted)

    def _trouble(self, error: str) -> None:
        if self.pulse:
            self.pulse.trouble(error)

    def _guarded(self, work: Callable[[list[str]], bool | None]) -> bool:
        """Do some work, return what it says; a fault in it is logged and sets aside the runs that it has named."""
        named: list[str] = []
        try:
            return bool(work(named))
        except OF_THE_DATABASE:
            raise  # not a run's trouble
        except Exception:  # one run's fault, whatever it is, must not stop all the others
            log.exception("The worker failed on %s", named or "what was left to be carried out")
            self._set_aside(named)
        return False

    def _put_right(self, named: list[str]) -> None:
        cleanup.after_a_clock_that_was_ahead(
            self.store, sender=self.rules.terms.sender_address, now=self.clock(), longest_lease=self.answer_timeout
        )

    def _catch_up(self, named: list[str]) -> None:
        self._mind_other_settings()
        plans.apply_pending_decisions(self.store, now=self.clock())
        cleanup.purge(self.store, now=self.clock())
        self._erase_old()

    def _erase_old(self) -> None:
        """Erase whom the operator's setting lets nobody keep any longer, and finish erasures; hourly."""
        from sequences_mcp.engine.erasure import erase_again, keep_no_longer

        now = self.clock()
        erase_again(self.store, now=now)  # a database that was put back while this one was open
        if self._looked_for_old_at is not None and abs(now - self._looked_for_old_at) < ERASE_EVERY:
            return
        if keep_no_longer(self.store, days=self.keep_days, now=now) == 0:
            self._looked_for_old_at = now

    def _mind_other_settings(self) -> None:
        """Hold what was approved for settings that have changed since; log, once each, what is left alone."""
        terms, now = self.rules.terms, self.clock()
        if self._looked_back_at is None or abs(now - self._looked_back_at) > LOOK_BACK_EVERY:
            changed_settings.let_go(self.store, terms=terms, now=now)
            self._looked_back_at = now
        for item in changed_settings.hold_changed(self.store, terms=terms, now=now):
            is_seen_to = item.terms.sender_address in self.rules.also_here
            if item.plan_id not in self._left_alone and not is_seen_to:
                self._left_alone.add(item.plan_id)
                why = item.terms.difference(terms)
                log.warning("%s was approved for other settings (%s): its runs are left alone", item.plan_id, why)

    def _tell(self, named: list[str]) -> None:
        rest = self.store.mailboxes.resting(self.rules.terms.sender_address, now=self.clock())
        if self.tell and (rest is None or rest.until <= self.clock()):  # the same account would be refused again
            self.tell()

    def _take_and_send(self, named: list[str], *, queue: str, wanted: str | None = None) -> bool:
        """Claim what is due in a queue and send it; say whether there was an e-mail."""
        self.at("claim")
        if self.read_answers is not None and self._waits_for_answers(queue, wanted):
            self.read_answers()
        claim = self.store.anew(partial(self._claim, queue, named, wanted))
        if claim is not None:
            # A failure from here on is the delivery's, not the engine's: it must not set the run aside.
            named.clear()  # from here its lease decides: before the final dot it is tried again, after it unknown
            self.at("claimed")
            self._send(claim)
        return claim is not None

    def _waits_for_answers(self, queue: str, wanted: str | None) -> bool:
        """Say whether the next step must not go before the mailbox is read."""
        due, now = self._next(queue, wanted=wanted), self.clock()
        run = self.store.runs.find(due[0]) if due is not None and due[1] <= now else None
        return run is not None and unread_because(self.store, run, rules=self.rules, now=now) is not None

    def _claim(self, queue: str, named: list[str], wanted: str | None) -> Claim | None:
        """Claim a queue's first due run, or the one that is wanted; None if another worker was faster.

        Its id is added to ``named``.
        """
        # A mailbox's limits count what all workers of it have sent.
        sender = self.rules.terms.sender_address if queue == MAILBOX else None
        with self.store.transaction(beside=True, mailbox=sender) as work:
            now = self.clock()
            if sender is not None:
                work.lineage.hands_over(sender)
                queues = self.queues & {FREE, MAILBOX} if wanted is None else ()
                work.claims.foresee_limits(self.rules.terms, now=now, queues=queues)
            work.lineage.look(now=now)  # the file may have been exchanged since the last one was taken
            if work.lineage.standstills():
                return None
            if sender is not None:
                self._is_free_due = self._next(FREE, now=now) is not None
            due = self._next(queue, wanted=wanted, now=now)
            if due is None or due[1] > now or (queue == MAILBOX and self._opens(due[1]) > now):
                return None
            named[:] = [due[0]]
            fault = "the engine failed on it; see the log" if due[0] in self._faulty else None
            claim = claim_due(work, due[0], rules=self.rules, now=now, fault=fault)
        self._faulty.discard(due[0])
        return claim

    def _set_aside(self, named: list[str]) -> None:
        """Hold a run for a person at its next claim; one that fails even then is removed from the schedule."""
        for sequence_id in named:
            if sequence_id in self._faulty:
                self._park(sequence_id, "the engine failed on it twice; see the log")
            self._faulty.add(sequence_id)

    def _park(self, sequence_id: str, reason: str) -> None:
        with self.store.transaction() as work:
            work.runs.park(sequence_id, reason)
            self._audit("sequence.parked", sequence_id, reason=reason)

    def _send(self, claim: Claim) -> None:
        """Deliver one claimed e-mail and record its outcome."""

        def before_dot() -> None:
            self.at("before_handed_over")
            begun = self.monotonic()
            self.store.anew(partial(self._hand_over, claim))
            self._note(claim)
            self.at("handed_over")
            # On the monotonic clock, which a correction of the system's time does not move.
            if self.monotonic() - begun >= self.answer_timeout.total_seconds():
                raise _stood_still()  # the lease ended, others may have resolved it: no final dot

        try:
            receipt = self.deliver(claim.message, before_dot=before_dot)
            outcome = _outcome(claim, "accepted", receipt.reply)
        except DeliveryUnknownError as error:
            outcome = _outcome(claim, "lost", error.message, reply=str(error.data.get("server_reply", "")))
        except (DeliveryDeferredError, DeliveryWithheldError, DeliveryRejectedError) as error:
            outcome = _refusal(claim, error)
        except ConflictError:  # the lease was lost before the final dot: nothing was accepted, and it is not ours
            self.store.attempts.give_back(claim.lease)
            self.store.mailboxes.free(self.rules.terms.sender_address, now=self.clock())
            return
        self.at("answered")
        # Beside the database first: a crash or a lock between the two must not make the answer unknown.
        self._receipts.keep(outcome)
        self._unrecorded[claim.lease] = outcome
        self.at("before_sent")
        try:
            self._write_down()
        except StoreBusyError as error:
            log.warning("The outcome of lease %s waits: %s", claim.lease, error)
        finally:
            if claim.lease in self._unrecorded:  # the database has not taken it at once
                self._receipts.wait(claim.lease)
        self.at("sent")
        if self.keep_copy is not None and outcome.kind == "accepted":
            self.keep_copy(claim.message)

    def _note(self, claim: Claim) -> None:
        """Append the e-mail to the journal before the final dot; DeliveryDeferredError where that fails."""
        message = claim.message
        try:
            self._lines[claim.lease] = self.store.lineage.note_email(
                lease=claim.lease,
                key=claim.key,
                message_id=message.message_id,
                sender=self.rules.terms.sender_address,
                recipient=address_key(message.recipient),
                now=self.clock(),
            )
        except StoreUnwritableError as error:
            raise DeliveryDeferredError(error.message, next_step=error.next_step, data={"blame": ""}) from error

    def _hand_over(self, claim: Claim) -> None:
        """Pass the point of no return; ConflictError when the lease is lost."""
        with self.store.transaction(beside=True, run=claim.sequence_id) as work:
            now = self.clock()
            if work.line != claim.line:  # the server lacks commits: another host may have sent this meanwhile
                raise _replaced()
            work.claims.foresee_hand_over(claim.sequence_id, plan_id=claim.plan_id)
            before = work.runs.by_ids([claim.sequence_id])[0]
            self._require_mailbox(work, before.plan_id)
            apply_event(
                work,
                before,
                events.HandedToServer(claim.lease, now + self.answer_timeout),
                now=now,
                actor=actors.WORKER,
            )

    def _require_mailbox(self, work: UnitOfWork, plan_id: str) -> None:
        """Raise DeliveryDeferredError unless the plan is approved for the mailbox whose connection is open."""
        plan = work.plans.find(plan_id)
        if plan is None or plan.header.terms != self.rules.terms:
            raise DeliveryDeferredError(
                "The e-mail was not accepted: its plan is approved for another mailbox than this one.",
                next_step="It leaves from the mailbox of its plan, by itself.",
                data={"blame": ""},
            )

    @property
    def _receipts(self) -> Receipts:
        return Receipts(self.store.workspace.receipts)

    def _take_over(self) -> None:
        """Take over what other processes did not record: at first all, then each minute what still lies there."""
        now = self.clock()
        if self._took_over_at is not None and abs(now - self._took_over_at) <= LOOK_BACK_EVERY:
            return
        files = self._receipts.files()
        left = files if self._took_over_at is None else files & self._lying
        for outcome in self._receipts.unrecorded(left):
            self._unrecorded.setdefault(outcome.lease, outcome)
        self._lying, self._took_over_at = files, now

    def _write_down(self) -> None:
        """Record the outcomes of e-mails; what the database cannot take now stays for the next round."""
        if MAILBOX not in self.queues:
            return
        self._take_over()
        for lease, outcome in list(self._unrecorded.items()):
            self._report(outcome)
            self._receipts.forget(lease)
            del self._unrecorded[lease]

    def _report(self, outcome: Outcome, *, is_again: bool = False) -> None:
        try:
            line = self._lines.pop(outcome.lease, None)
            recorded = partial(record_outcome, self.store, outcome, rules=self.rules, now=self.clock(), line=line)
            self.store.anew(recorded)
            self.outcomes[outcome.kind] += 1
            log.info("%s, step %s: the e-mail was %s.", outcome.sequence_id, outcome.key, LOGGED[outcome.kind])
        except ConflictError as error:  # a person or another worker has decided meanwhile; the audit keeps ours
            if _stands_already(self.store, outcome):
                return
            if not is_again and self._was_forgotten(outcome):
                self._report(outcome, is_again=True)
                return
            log.warning("The outcome of lease %s comes too late: %s", outcome.lease, error)
            self._too_late(outcome, error)
        except OF_THE_DATABASE:
            raise
        except SequencesError as error:  # of another database, perhaps: it must not stand in the way of the rest
            log.exception("The outcome of lease %s fits nothing here", outcome.lease)
            self._too_late(outcome, error)

    def _was_forgotten(self, outcome: Outcome) -> bool:
        """Say whether only the hand-over had been lost, of which the journal has told the database by now."""
        self._is_at_home()
        steps = [run for _, run in self.store.runs.of_keys([outcome.key])]
        return any(run.state is StepState.UNKNOWN and run.lease == outcome.lease for run in steps)

    def _too_late(self, outcome: Outcome, error: SequencesError) -> None:
        detail = {"lease": outcome.lease, "outcome": outcome.kind, "said": outcome.words, "why": error.message}
        detail |= {"server_reply": outcome.reply} if outcome.reply else {}
        self._audit("sequence.too_late", outcome.sequence_id, **detail)

    def _audit(self, action: str, subject: str, **detail: object) -> None:
        self.store.audit.record(
            at=self.clock(), actor=actors.WORKER, action=action, subject=subject, detail=detail
        )


def _outcome(claim: Claim, kind: Literal["accepted", "refused", "lost"], words: str, **facts: Any) -> Outcome:
    return Outcome(
        sequence_id=claim.sequence_id, key=claim.key, lease=claim.lease, kind=kind, words=words, **facts
    )


def _refusal(claim: Claim, error: DeliveryError) -> Outcome:
    facts = error.data
    return _outcome(
        claim,
        "refused",
        error.message,
        blame=str(facts.get("blame", "")),
        code=str(facts.get("code", "")),
        is_uncertain=bool(facts.get("doubtful")),
        reply=str(facts.get("server_reply", "")),
    )


def _stood_still() -> DeliveryDeferredError:
    return DeliveryDeferredError(
        f"The e-mail was not accepted: {STOOD_STILL}.",
        next_step="It is tried again by itself.",
        data={"blame": ""},
    )


def _replaced() -> DeliveryDeferredError:
    return DeliveryDeferredError(
        "The e-mail was not accepted: the database server was replaced meanwhile.",
        next_step="It is tried again by itself, once every host has compared what it sent.",
        data={"blame": ""},
    )


def _stands_already(store: Repositories, outcome: Outcome) -> bool:
    """Say whether another process has recorded the same outcome: it reads all receipts when it starts."""
    for _, run in store.runs.of_keys([outcome.key]):
        return outcome.kind == "accepted" and run.server_reply == outcome.words
    return False
