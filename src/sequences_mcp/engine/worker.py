"""The scheduler: takes what is due, sends e-mails, writes down what became of them. For one thread of its own.

Several workers may share one database. Each claim is one transaction; each report names the lease of its claim,
so that a worker that was frozen, or whose run was stopped meanwhile, cannot pass the point of no return.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.engine import deciding, events
from sequences_mcp.engine.change import action_of, change
from sequences_mcp.engine.channels.message import Message, Receipt
from sequences_mcp.engine.claim import ACTOR, Claim, Rules, take
from sequences_mcp.engine.events import Event, SuppressAddress
from sequences_mcp.engine.stopping import suppress
from sequences_mcp.engine.store import attempts, lineage, schedule, sequences
from sequences_mcp.engine.store.audit import Entry, append
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.unseen import take_in
from sequences_mcp.errors import (
    ConflictError,
    DeliveryDeferredError,
    DeliveryRejectedError,
    DeliveryUnknownError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreUnwritableError,
)

log = logging.getLogger(__name__)

FREE, MAILBOX = "free", "mailbox"
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
AFTER_A_STORE_ERROR = 5.0
REPORT_TRIES = 6


class Deliver(Protocol):
    """A channel for e-mail: calls ``before_dot`` once, when only the final dot is missing."""

    def __call__(self, message: Message, *, before_dot: Callable[[], None]) -> Receipt:
        """Return proof of acceptance; DeliveryError and its kinds, and whatever ``before_dot`` raises."""
        ...


def _nowhere(point: str) -> None:
    """Pass a point at which nothing is watched."""


@dataclass(slots=True, kw_only=True)
class Worker:
    """Takes due work from one store.

    ``handover`` is how long the server's answer to the final dot may take before the e-mail counts as unknown;
    ``tell`` tells the operator what waits for a person, when there is news.
    ``at`` is told the points at which a test may end the process: claim, claimed, before_handed_over,
    handed_over, before_sent, sent (the channel tells its own).
    """

    store: Store
    clock: Callable[[], datetime]
    rules: Rules
    deliver: Deliver
    handover: timedelta = timedelta(seconds=660)
    tell: Callable[[], bool] | None = None
    poll: float = 1.0
    at: Callable[[str], None] = _nowhere
    _faulty: set[str] = field(default_factory=set, init=False)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, sleeping until something is due."""
        while not stop.is_set():
            try:
                self.run_due()
                pause = self._pause()
            except StoreError as error:
                log.warning("The worker cannot use the database: %s", error)
                pause = AFTER_A_STORE_ERROR
            stop.wait(pause)

    def run_due(self, limit: int = 100) -> int:
        """Do what is due now, at most ``limit`` things; return how many that were. Raises StoreError."""
        if not self._is_at_home():
            return 0
        self._guarded(self._catch_up)
        self._guarded(self._tell)
        done = 0
        while done < limit and (lane := self._due_lane()) is not None:
            self._guarded(partial(self._take_and_send, lane=lane))
            done += 1
        return done

    def _is_at_home(self) -> bool:
        """Say whether this is the database that sent last, after taking in what it has missed."""
        lineage.look(self.store, now=self.clock())
        take_in(self.store, now=self.clock())
        return not lineage.standstills(self.store)

    def _due_lane(self) -> str | None:
        """Return the lane in which something can be done now: what the mailbox does not limit comes first."""
        now = self.clock()
        free = schedule.next_due(self.store, FREE)
        if free is not None and free[1] <= now:
            return FREE
        at = self._mailbox_at()
        return MAILBOX if at is not None and at <= now and self.store.has_room() else None

    def _mailbox_at(self) -> datetime | None:
        """Return when the next e-mail can leave: when it is due and the mailbox's limits allow it."""
        due = schedule.next_due(self.store, MAILBOX)
        if due is None:
            return None
        terms = self.rules.terms
        opens = attempts.mailbox_opens(
            self.store, terms.sender_address, daily_cap=terms.daily_cap, spacing=terms.spacing
        )
        return max(due[1], opens[0]) if opens else due[1]

    def _pause(self) -> float:
        """Return for how many seconds nothing is due, at most ``poll``: another process may add work."""
        if not self.store.has_room():
            return self.poll
        free = schedule.next_due(self.store, FREE)
        coming = [at for at in (free and free[1], self._mailbox_at()) if at is not None]
        soonest = min(((at - self.clock()).total_seconds() for at in coming), default=self.poll)
        return min(max(soonest, 0.0), self.poll)

    def _guarded(self, work: Callable[[list[str]], None]) -> None:
        """Do some work; a fault in it is logged and sets aside the runs that it has named."""
        named: list[str] = []
        try:
            work(named)
        except (StoreBusyError, StoreUnwritableError, StoreDamagedError):
            raise  # the database's trouble, not a run's
        except Exception:  # one run's fault, whatever it is, must not stop all the others
            log.exception("The worker failed on %s", named or "what was left to be carried out")
            self._set_aside(named)

    def _catch_up(self, named: list[str]) -> None:
        deciding.catch_up(self.store, now=self.clock())

    def _tell(self, named: list[str]) -> None:
        if self.tell:
            self.tell()

    def _take_and_send(self, named: list[str], *, lane: str) -> None:
        self.at("claim")
        claim = self._claim(lane, named)
        if claim is not None:
            named.clear()  # from here its lease decides: before the final dot it is tried again, after it unknown
            self.at("claimed")
            self._send(claim)

    def _claim(self, lane: str, named: list[str]) -> Claim | None:
        """Take the first due run of a lane, if nobody was quicker; its id is added to ``named``."""
        with self.store.transaction():
            now = self.clock()
            lineage.look(self.store, now=now)  # the file may have been exchanged since the last one was taken
            if lineage.standstills(self.store):
                return None
            due = schedule.next_due(self.store, lane)
            if due is None or due[1] > now or (lane == MAILBOX and (self._mailbox_at() or now) > now):
                return None
            named.append(due[0])
            fault = "the engine failed on it; see the log" if due[0] in self._faulty else None
            claim = take(self.store, due[0], rules=self.rules, now=now, fault=fault)
        self._faulty.discard(due[0])
        return claim

    def _set_aside(self, named: list[str]) -> None:
        """Have a run held for a person at its next turn; one on which even that fails leaves the schedule."""
        for sequence_id in named:
            if sequence_id in self._faulty:
                self._park(sequence_id, "the engine failed on it twice; see the log")
            self._faulty.add(sequence_id)

    def _park(self, sequence_id: str, reason: str) -> None:
        with self.store.transaction():
            schedule.park(self.store, sequence_id, reason)
            self._audit("sequence.parked", sequence_id, reason=reason)

    def _send(self, claim: Claim) -> None:
        """Deliver one claimed e-mail and write down what became of it."""

        def before_dot() -> None:
            self.at("before_handed_over")
            self._report(claim, events.HandedOver(claim.lease, self.clock() + self.handover))
            self._note(claim)
            self.at("handed_over")

        try:
            receipt = self.deliver(claim.message, before_dot=before_dot)
            outcome: Event = events.Delivered(claim.lease, receipt.reply)
        except DeliveryDeferredError as error:
            outcome = events.Deferred(claim.lease, error.message, self.clock() + retry_after(claim.tries))
        except DeliveryRejectedError as error:
            outcome = events.Rejected(claim.lease, error.message, bool(error.data.get("bounced")))
        except DeliveryUnknownError as error:
            outcome = events.Lost(claim.lease, error.message)
        except ConflictError:  # the lease was lost before the final dot: nothing was accepted, and it is not ours
            attempts.give_back(self.store, claim.lease)
            return
        self.at("before_sent")
        self._report_surely(claim, outcome)
        self.at("sent")

    def _note(self, claim: Claim) -> None:
        """Write the hand-over into the journal beside the database; DeliveryDeferredError where that fails."""
        message = claim.message
        try:
            lineage.note_email(
                self.store,
                lease=claim.lease,
                key=claim.key,
                message_id=message.message_id,
                sender=self.rules.terms.sender_address,
                recipient=address_key(message.recipient),
                now=self.clock(),
            )
        except StoreUnwritableError as error:
            raise DeliveryDeferredError(error.message, next_step=error.next_step) from error

    def _report_surely(self, claim: Claim, outcome: Event) -> None:
        """Write down what became of an e-mail, patiently: what is not written down becomes unknown."""
        for _ in range(REPORT_TRIES - 1):
            try:
                return self._report_late(claim, outcome)
            except StoreBusyError as error:
                log.warning("The outcome of lease %s waits: %s", claim.lease, error)
        return self._report_late(claim, outcome)

    def _report_late(self, claim: Claim, outcome: Event) -> None:
        try:
            self._report(claim, outcome)
        except ConflictError as error:  # a person or another worker has decided meanwhile; the audit keeps ours
            log.warning("The outcome of lease %s comes too late: %s", claim.lease, error)
            detail = {"lease": claim.lease, "outcome": action_of(outcome), "why": error.message}
            self._audit("sequence.too_late", claim.sequence_id, **detail)

    def _report(self, claim: Claim, event: Event) -> None:
        """Write down one event of a claimed e-mail; ConflictError when its lease is lost."""
        with self.store.transaction():
            now = self.clock()
            before = sequences.by_ids(self.store, [claim.sequence_id])[0]
            _, effects = change(self.store, before, event, now=now, actor=ACTOR)
            if isinstance(event, events.Deferred):
                attempts.give_back(self.store, claim.lease)
            for effect in effects:
                if isinstance(effect, SuppressAddress):
                    mark = ("address", address_key(effect.address))
                    suppress(self.store, mark, reason=f"bounced: {effect.reason}", now=now, actor=ACTOR)

    def _audit(self, action: str, subject: str, **detail: object) -> None:
        append(
            self.store,
            [Entry(at=self.clock(), actor=ACTOR, action=action, subject=subject, detail=detail)],
        )


def retry_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries: a minute, then twice as long each time, at most an hour."""
    return min(FIRST_RETRY * (1 << min(tries - 1, 10)), LONGEST_RETRY)
