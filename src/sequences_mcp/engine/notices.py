"""An e-mail to the operator when something starts waiting for a person: how much, and where; never what or who.

At most one in fifteen minutes, and never twice for the same things. What was announced is a row of the audit,
written before the e-mail is sent, in the transaction that looks, so that only one of several workers sends it. An
e-mail that was surely not accepted is tried again after the same pause; whatever happens to it stops nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sequences_mcp.domain import actors
from sequences_mcp.domain.entries import NO_MARKS, QueueTally, WaitingMarks
from sequences_mcp.domain.records import WaitingTally
from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.message import ComposedMessage, compose, message_id
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.errors import DeliveryError, DeliveryUnknownError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.store.unit_of_work import Store

log = logging.getLogger(__name__)
SUBJECT = "notice"
PAUSE = timedelta(minutes=15)
MOST_LINKS = 5
Send = Callable[[ComposedMessage], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Who is told, how, and where the page is; for the thread of a worker."""

    store: Store
    clock: Callable[[], datetime]
    sender: Sender
    to: tuple[str, ...]
    page: Callable[[str], str | None]
    send: Send

    def tell(self) -> bool:
        """Tell the operator what waits, where there is news and it is time; say whether an e-mail went."""
        if not self._news() or (before := self._claimed()) is None:
            return False
        links = self._links(before)
        sent = [self._send_notice(address, links) for address in self.to]
        if not any(sent):
            self._write("notice.failed", before)
        return any(sent)

    def _send_notice(self, address: str, links: list[str]) -> bool:
        """Send one notice; say whether it may have arrived."""
        try:
            self.send(self._message(address, links))
        except DeliveryUnknownError as error:
            log.warning("The notice to the operator may not have arrived: %s", error)
        except DeliveryError as error:
            log.warning("The operator could not be told what waits: %s", error)
            return False
        return True

    def _links(self, before: WaitingMarks) -> list[str]:
        """Return where the starts and changes that are news are shown, or the front page: for none, or many."""
        ids = self.store.waiting.plan_ids(self._marks().plans - before.plans)
        changes = self.store.waiting.changes_after(before, now=self.clock())
        paths = [*(f"/plans/{item}" for item in ids), *(f"/changes/{item}" for item in changes)]
        paths = paths if 0 < len(paths) <= MOST_LINKS else ["/"]
        return [address for path in paths if (address := self.page(path)) is not None]

    def _claimed(self) -> WaitingMarks | None:
        """Write down that the operator is told of what waits now; return what they knew, or None without news."""
        with self.store.transaction() as work:
            if not self._news():
                return None
            last = work.waiting.last_told(SUBJECT)
            self._write("notice.sent", self._marks())
            return NO_MARKS if last is None else last.marks

    def _news(self) -> bool:
        last, now = self.store.waiting.last_told(SUBJECT), self.clock()
        if last is not None and last.at > now:
            last = None  # the clock was ahead: what was told then is told again, once
        if last is not None and now < last.at + PAUSE:
            return False
        return self._marks().has_news(last.marks if last else NO_MARKS)

    def _marks(self) -> WaitingMarks:
        return self.store.waiting.marks(now=self.clock(), not_because=APPROVAL)

    def _write(self, action: str, marks: WaitingMarks) -> None:
        detail = {"plans": sorted(marks.plans), "newest": marks.newest}
        self.store.audit.record(
            at=self.clock(), actor=actors.WORKER, action=action, subject=SUBJECT, detail=detail
        )

    def _message(self, to: str, links: list[str]) -> ComposedMessage:
        now = self.clock()
        waiting_tally = self.store.waiting.counts(now=now, not_because=APPROVAL)
        own_id = message_id(
            self.store.secret("message_id"),
            sequence_id=SUBJECT,
            step_key=f"{now.isoformat()}|{to}",
            generation=0,
            sender=self.sender.address,
        )
        return compose(
            sender=self.sender,
            recipient=to,
            subject=f"Waiting for you: {waiting_tally.words or 'nothing any more'}",
            content=notice_body(waiting_tally, links=links),
            message_id=own_id,
            date=now,
        )


def notice_body(waiting: WaitingTally, *, links: Sequence[str]) -> str:
    """Return the text of a notice: numbers, ages and addresses of pages, and nothing that anybody wrote."""
    lines = [
        _line(waiting.plans, "to approve: starts"),
        _line(waiting.texts, "to read: single texts"),
        _line(waiting.changes, "to decide about: changes"),
        _line(waiting.tasks, "to do by hand: tasks"),
    ]
    where = [_where(address) for address in links or ["sequences-mcp review --open"]]
    return "\n".join([*filter(None, lines), "", *where, "", "Nothing leaves before you have approved it."])


def _where(address: str) -> str:
    """Return an address with where it can be opened: one under a name of its own, from anywhere."""
    return address if address.startswith("https://") else f"On that machine: {address}"


def _line(queue: QueueTally, words: str) -> str:
    if not queue.number or queue.since is None:
        return ""
    return f"{queue.number:,} {words}, the oldest since {queue.since:%Y-%m-%d %H:%M} UTC"
