"""Notifications of commits by other processes: ``LISTEN`` in a thread of its own.

Every transaction that changes something notifies, with its commit, all who listen: a worker that sleeps begins at
once what a person has just approved on another host, and what was read before is known to be still true without
the server being asked. Nothing depends on it: whoever is not told, behind a pooler that gives each transaction
another connection or while the wire is cut, looks for work as often as with a file, and asks the server each time
what it has committed since (https://www.postgresql.org/docs/15/sql-notify.html).
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg

Connection: TypeAlias = psycopg.Connection[Any]

CHANNEL = "sequences_mcp"
WORK = "work"
"""The notification of a transaction after which something may be due."""
STEP = "step"
"""The notification of any other change."""
ECHO_EVERY = 10.0  # seconds between two notifications to oneself, without which the wire counts as cut
AGAIN_AFTER = 5.0  # seconds before the next try to listen
A_LOOK = 0.2  # seconds between two looks whether a sleeper is to stop
log = logging.getLogger(__name__)


class ServerNews:
    """The notifications of one database, for all threads of this process.

    ``connect`` opens a connection for the listening thread, which begins when somebody sleeps for the first time.
    """

    def __init__(self, connect: Callable[[], Connection], *, can_listen: bool) -> None:
        self._connect = connect
        self._can_listen = can_listen
        self._condition = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._hears = False
        self._changes = 0
        self._work = 0

    @property
    def hears(self) -> bool:
        """Whether the server tells this process of changes now."""
        return self._hears

    @property
    def changes(self) -> int | None:
        """A number that is the same as before only if nothing was committed since; None while nobody tells."""
        with self._condition:
            return self._changes if self._hears else None

    @property
    def work(self) -> int:
        """How many notifications of new work have come so far."""
        return self._work

    def changed(self) -> None:
        """Know of a commit of this process at once, before its notification comes back."""
        with self._condition:
            self._changes += 1

    def sleep(self, stop: threading.Event, seconds: float, *, known: int) -> int:
        """Sleep until ``seconds`` have passed, ``stop`` is set, or there was more news of work than ``known``.

        Return how much news of work there was.
        """
        self._begin()
        give_up = time.monotonic() + seconds
        with self._condition:
            while not stop.is_set() and self._work == known:
                left = give_up - time.monotonic()
                if left <= 0:
                    break
                self._condition.wait(min(left, A_LOOK))
            return self._work

    def close(self) -> None:
        """Have the thread end; it does so within a moment."""
        self._closed.set()

    def _begin(self) -> None:
        with self._condition:
            if self._thread is None and self._can_listen and not self._closed.is_set():
                self._thread = threading.Thread(target=self._listen, name="database news", daemon=True)
                self._thread.start()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {CHANNEL}".encode())
                    while self._is_echoed(connection) and not self._closed.is_set():
                        pass
            except psycopg.Error as error:
                log.debug("The database tells nothing now: %s", type(error).__name__)
            self._note(hears=False)
            self._closed.wait(AGAIN_AFTER)

    def _is_echoed(self, connection: Connection) -> bool:
        """Listen for ``ECHO_EVERY`` seconds; return whether a notification to oneself came back meanwhile."""
        echo, is_back = secrets.token_hex(8), False
        connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, echo))
        give_up = time.monotonic() + ECHO_EVERY
        while (left := give_up - time.monotonic()) > 0 and not self._closed.is_set():
            for note in connection.notifies(timeout=min(left, A_LOOK)):
                if note.payload == echo:
                    is_back = True
                    self._note(hears=True)
                elif note.payload in (WORK, STEP):
                    self._note(is_work=note.payload == WORK, is_change=True)
        return is_back

    def _note(self, *, hears: bool | None = None, is_work: bool = False, is_change: bool = False) -> None:
        """Count a notification and wake sleeping threads; called when listening begins too: some may be missed."""
        with self._condition:
            if hears is not None and hears is not self._hears:
                self._hears, is_work, is_change = hears, True, True
            self._work += is_work
            self._changes += is_change
            if is_work:
                self._condition.notify_all()
