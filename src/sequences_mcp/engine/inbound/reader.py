"""The reader: reads a mailbox, processes new messages, and records until when its replies are known."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

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
from sequences_mcp.errors import InboxUnreadError, SequencesError, StoreError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.store.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_WALK = timedelta(days=30)
FORGOTTEN = timedelta(days=90)  # longer than any walk goes back, but for runs that are older
EVERY = 60.0  # seconds between two walks, whatever IDLE tells or does not
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
PATIENCE = 10.0  # seconds that a worker waits for a reading before it goes on with what else is due
ENDS_WITHIN = 5.0
NOT_SOONER = timedelta(seconds=55)  # after a try that failed, whichever process it was


@dataclass(slots=True, kw_only=True)
class MailboxReader:
    """Reads the mailbox of a sender's address; ``key`` identifies its account in the store."""

    store: Store
    clock: Callable[[], datetime]
    mailbox: ImapWalker
    key: str
    address: str
    pulse: Heartbeat | None = None
    every: float = EVERY
    _forgot_at: datetime | None = field(default=None, init=False)

    def run(self, stop: threading.Event) -> None:
        """Read until told to stop; after a failure try again, with growing pauses. Raises StoreError."""
        failures = 0
        if self.pulse:
            self.pulse.beat()  # before the first walk, which may take its time
        with interrupted_by(stop, self.mailbox.interrupt):
            try:
                while not stop.is_set():
                    failures = self._walk_once(stop, failures)
            finally:
                self.mailbox.close()

    def _walk_once(self, stop: threading.Event, failures: int) -> int:
        """Walk once and wait for the next time; return how many walks in a row have failed by now."""
        self.store.require_in_place()
        try:
            done = self.read(stop)
            if self.pulse:
                self.pulse.beat(acted=done > 0)
            self.mailbox.wait(stop, seconds=self.every)
        except InboxUnreadError as error:
            if stop.is_set():
                return failures
            if self.pulse:
                self.pulse.beat()  # it works; what stands in the way is a trouble of its own
            pause = pause_after(failures + 1, refused=bool(error.data.get("refused")))
            log.warning("%s It is tried again in %.0f s.", error.message, pause)
            stop.wait(pause)
            return failures + 1
        return 0

    def read(self, stop: threading.Event | None = None) -> int:
        """Read all folders once, process new messages, return how many had an effect. Raises InboxUnreadError.

        A walk that is cut short by ``stop`` says nothing about the mailbox.
        """
        began, done = self.clock(), 0
        marks = self.store.inboxes.marks(self.key)
        try:
            for batch in self.mailbox.walk(marks, since=partial(self._horizon, began), alive=self._show_life):
                done += self._take_in(batch)
        except InboxUnreadError as error:
            if stop is None or not stop.is_set():
                why, reply = str(error.data.get("why", error.message)), str(error.data.get("server_reply", ""))
                self.store.inboxes.unread(self.address, why=why, reply=reply, now=self.clock())
            raise
        self._together(partial(self._read_up_to, began))
        self._forget()
        return done

    def _show_life(self) -> None:
        if self.pulse:
            self.pulse.beat()

    def _horizon(self, began: datetime) -> date:
        """Return from which day on a folder is read for the first time: a month, more where a run is older."""
        oldest = self.store.inbound.begun_first()
        return min(began - FIRST_WALK, (oldest or began) - timedelta(days=1)).date()

    def read_now(self) -> None:
        """Read because a step waits for it. Raises nothing; where it failed a moment ago nothing is tried."""
        known, now = self.store.inboxes.reading(self.address), self.clock()
        if known is not None and known.error and timedelta(0) <= now - known.tried_at < NOT_SOONER:
            return
        try:
            self.read()
        except InboxUnreadError as error:
            log.warning("%s", error.message)

    def _together(self, act: Callable[[UnitOfWork], T]) -> T:
        """Return the result of ``act`` in one transaction; inside another one it is rolled back alone."""
        with self.store.transaction() as work:
            return act(work)

    def _read_up_to(self, began: datetime, work: UnitOfWork) -> None:
        """Record that every folder has answered since ``began``, and resolve what the new messages resolve."""
        resolve_named(work, now=self.clock())
        work.inboxes.read(self.address, began=began, now=self.clock(), left_out=self.mailbox.left_out)

    def _take_in(self, page: FetchedPage) -> int:
        """Process fetched messages and record how far the folder is read; return how many had an effect."""
        items = [item for fetched in page.messages for item in self._read_message(fetched)]

        def taken_in(work: UnitOfWork) -> int:
            done = sum(self._carried_out(item) is not None for item in items)
            work.inboxes.keep_mark(self.key, page.folder, mark=page.mark, is_anew=page.is_anew)
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
            oldest = self.store.inbound.begun_first() or now
            self.store.inbound.forget(before=min(now - FORGOTTEN, oldest - timedelta(days=2)))
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


@contextmanager
def interrupted_by(stop: threading.Event, interrupt: Callable[[], None]) -> Iterator[None]:
    """Have ``interrupt`` called, in a thread of its own, once ``stop`` is set while the block runs."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if stop.wait(1.0):
                interrupt()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


@dataclass(slots=True, kw_only=True)
class BackgroundReader:
    """Reads a mailbox on demand for a waiting worker, with a thread, a store and a connection of its own.

    The worker waits ``patience`` seconds at most and then goes on with what else is due: until the reading is over
    nothing waits for it again. ``close`` ends it.
    """

    opened: Callable[[], AbstractContextManager[MailboxReader]]
    patience: float = PATIENCE
    _request: threading.Event = field(default_factory=threading.Event, init=False)
    _done: threading.Event = field(default_factory=threading.Event, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def __call__(self) -> None:
        """Ask for a reading; return when it is done, or after ``patience`` seconds."""
        if self._request.is_set():
            return
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._read_when_asked, daemon=True)
            self._thread.start()
        self._done.clear()
        self._request.set()
        self._done.wait(self.patience)

    def close(self) -> None:
        """End the connection and the thread."""
        self._stop.set()
        self._request.set()
        if self._thread is not None:
            self._thread.join(ENDS_WITHIN)

    def _read_when_asked(self) -> None:
        try:
            with self.opened() as reader, interrupted_by(self._stop, reader.mailbox.interrupt):
                try:
                    while self._request.wait() and not self._stop.is_set():
                        reader.read_now()
                        self._request.clear()
                        self._done.set()
                finally:
                    reader.mailbox.close()
        except SequencesError as error:  # the step stays held, and the next question begins anew
            log.warning("The mailbox cannot be read: %s", error)
        finally:
            self._request.clear()
            self._done.set()
