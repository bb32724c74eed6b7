"""The reader: walks a mailbox, takes in what is new, and says up to when its answers are known."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from sequences_mcp.domain.inbound import FolderMark
from sequences_mcp.engine.channels.mail_server import Tokens
from sequences_mcp.engine.inbound.effects import (
    Incoming,
    digest_of,
    hold_after_fault,
    incoming,
    resolve_named,
    take_in_message,
)
from sequences_mcp.engine.inbound.imap import FetchedMessage, FetchedPage, ImapServer, ImapWalker
from sequences_mcp.engine.supervisor import Heartbeat
from sequences_mcp.errors import InboxUnreadError, StoreError
from sequences_mcp.store.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_WALK = timedelta(days=30)
FORGOTTEN = timedelta(days=90)  # longer than any walk goes back
EVERY = 60.0  # seconds between two walks, whatever IDLE tells or does not
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
NOT_SOONER = timedelta(seconds=55)  # after a try that failed, whichever process it was


class Walked(Protocol):
    """A mailbox that can be walked through and waited for; ``imap.ImapWalker`` is one."""

    def walk(self, marks: Mapping[str, FolderMark], *, since: date) -> Iterator[FetchedPage]:
        """Yield what is new in every folder; InboxUnreadError."""
        ...

    def wait(self, stop: threading.Event, *, seconds: float) -> None:
        """Wait so long, or until something new is told of, or ``stop`` is set."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


@dataclass(slots=True, kw_only=True)
class MailboxReader:
    """Reads the mailbox of a sender's address; ``key`` is what its account is known by in the store."""

    store: Store
    clock: Callable[[], datetime]
    mailbox: Walked
    key: str
    address: str
    pulse: Heartbeat | None = None
    _forgot_at: datetime | None = field(default=None, init=False)

    def run(self, stop: threading.Event) -> None:
        """Read until told to stop; what stands in the way is tried again, ever more slowly. StoreError."""
        failures = 0
        try:
            while not stop.is_set():
                self.store.require_in_place()
                try:
                    done = self.read()
                    failures = 0
                    if self.pulse:
                        self.pulse.beat(acted=done > 0)
                    self.mailbox.wait(stop, seconds=EVERY)
                except InboxUnreadError as error:
                    failures += 1
                    if self.pulse:
                        self.pulse.beat()  # it works; what stands in the way is a trouble of its own
                    pause = pause_after(failures, refused=bool(error.data.get("refused")))
                    log.warning("%s It is tried again in %.0f s.", error.message, pause)
                    stop.wait(pause)
        finally:
            self.mailbox.close()

    def read(self) -> int:
        """Walk once, take in what is new, return from how many messages something followed. InboxUnreadError."""
        began, done = self.clock(), 0
        marks = self.store.inboxes.marks(self.key)
        try:
            for batch in self.mailbox.walk(marks, since=(began - FIRST_WALK).date()):
                done += self._take_in(batch)
        except InboxUnreadError as error:
            why, reply = str(error.data.get("why", error.message)), str(error.data.get("server_reply", ""))
            self.store.inboxes.unread(self.address, why=why, reply=reply, now=self.clock())
            raise
        self._together(partial(self._read_up_to, began))
        self._forget()
        return done

    def read_now(self) -> None:
        """Read for a step that waits for it; raise nothing, and try nothing again that failed a moment ago."""
        known, now = self.store.inboxes.reading(self.address), self.clock()
        if known is not None and known.error and timedelta(0) <= now - known.tried_at < NOT_SOONER:
            return
        try:
            self.read()
        except InboxUnreadError as error:
            log.warning("%s", error.message)

    def _together(self, act: Callable[[UnitOfWork], T]) -> T:
        """Return what ``act`` comes to, done whole or not at all; inside another such block it is undone alone."""
        with self.store.transaction() as work:
            return act(work)

    def _read_up_to(self, began: datetime, work: UnitOfWork) -> None:
        """Note that every folder has answered since ``began``, and what is known because of all that came in."""
        resolve_named(work, now=self.clock())
        work.inboxes.read(self.address, began=began, now=self.clock())

    def _take_in(self, page: FetchedPage) -> int:
        """Take in what was fetched and note how far its folder is read; return how many messages counted."""
        items = [item for fetched in page.messages for item in self._read_message(fetched)]

        def taken_in(work: UnitOfWork) -> int:
            done = sum(self._carried_out(item) is not None for item in items)
            work.inboxes.keep_mark(self.key, page.folder, mark=page.mark)
            return done

        return self._together(taken_in)

    def _read_message(self, fetched: FetchedMessage) -> Iterator[Incoming]:
        """Yield a message that was not looked at yet, read and judged."""
        if not self.store.inbound.was_seen(digest_of(fetched.data, size=fetched.size)):
            yield incoming(fetched.data, size=fetched.size, arrived_at=fetched.arrived_at or self.clock())

    def _carried_out(self, item: Incoming) -> str | None:
        now = self.clock()
        for act in (take_in_message, hold_after_fault):
            try:
                return self._together(partial(act, item=item, address=self.address, now=now))
            except StoreError:
                raise
            except Exception:  # a fault over one stranger's message must not keep all the others from being read
                log.exception("A message in the inbox could not be taken in (SHA-256 %s)", item.digest.hex())
        self.store.inbound.see(item.digest, now=now)
        return None

    def _forget(self) -> None:
        now = self.clock()
        if self._forgot_at is None or abs(now - self._forgot_at) > timedelta(days=1):
            self.store.inbound.forget(before=now - FORGOTTEN)
            self._forgot_at = now


def pause_after(failures: int, *, refused: bool) -> float:
    """Return for how many seconds to wait after so many failures in a row; it never gives up.

    A refused sign-in is tried every five minutes at once: servers count those, and lock the account.
    """
    return LONGEST_PAUSE if refused else min(FIRST_PAUSE * (1 << min(failures - 1, 10)), LONGEST_PAUSE)


def mailbox_reader(
    url: str, store: Store, *, clock: Callable[[], datetime], address: str, tokens: Tokens | None = None
) -> MailboxReader:
    """Return a reader of the mailbox at ``imaps://user:password@host``, not connected yet; SettingsError."""
    server = ImapServer.parse(url)
    walker = ImapWalker(server, tokens=tokens)
    return MailboxReader(store=store, clock=clock, mailbox=walker, key=server.key, address=address)


def reading_when_asked(made: Callable[[], MailboxReader], *, closing: ExitStack) -> Callable[[], None]:
    """Return what has a mailbox read at once, on a connection of its own that is made when it is first needed."""
    known: list[MailboxReader] = []

    def read() -> None:
        if not known:
            known.append(made())
            closing.callback(known[0].mailbox.close)
        known[0].read_now()

    return read
