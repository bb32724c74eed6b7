"""What early answers are written to: at once while that does not block, else by a thread of its own.

A client that does not read its answers must not keep the server from reading, nor from being loaded.
"""

from __future__ import annotations

import os
import select
import threading
from queue import SimpleQueue

# POSIX has a pipe that is ready take so many bytes without blocking; a socket that is ready takes more.
_WHOLE = getattr(select, "PIPE_BUF", 512)


class EarlyOutput:
    """A duplicate of a descriptor, which is closed once all early answers are written."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._later: SimpleQueue[bytes | memoryview | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._has_ended = False
        self.is_written = threading.Event()
        """Set once everything is written after ``end``: whoever answers then may begin."""

    def write(self, answer: bytes) -> None:
        """Write an answer after all others; OSError where nobody reads any longer, as far as that is known."""
        rest = memoryview(answer)
        if self._thread is None:
            rest = self._written_at_once(rest)
        if rest:
            self._later.put(rest)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_later, name="early-answers", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Say that no answer follows."""
        if self._has_ended:
            return
        self._has_ended = True
        if self._thread is None:
            self._close()
        else:
            self._later.put(None)

    def _written_at_once(self, rest: memoryview) -> memoryview:
        """Write as much as does not block, and return what is left."""
        if not hasattr(select, "poll"):
            return rest
        ready = select.poll()
        ready.register(self._descriptor, select.POLLOUT)
        while rest and ready.poll(0):
            rest = rest[os.write(self._descriptor, rest[:_WHOLE]) :]
        return rest

    def _write_later(self) -> None:
        try:
            while (rest := self._later.get()) is not None:
                left = memoryview(rest)
                while left:
                    left = left[os.write(self._descriptor, left) :]
        except OSError:  # the client is gone, which the server notices by itself
            pass
        finally:
            self._close()

    def _close(self) -> None:
        os.close(self._descriptor)
        self.is_written.set()
