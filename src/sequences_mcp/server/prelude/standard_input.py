"""Standard input: its lines are read in a thread, which answers the first of them and passes on all others.

The thread begins before the SDK is loaded. Its lines go to the opening of the conversation, then into a list, and
then to whoever serves: ``hand_over`` gives it what waits, in order, and from then on each line as it comes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from sequences_mcp.server.prelude.early_output import EarlyOutput
from sequences_mcp.server.prelude.opening import CANCELLED, Opening

LONGEST_LINE = (
    32 * 1024 * 1024
)  # bytes of one message; ten thousand contacts with every field take a third of that
AHEAD = 8  # lines read in advance: the thread waits while so many are not consumed
_SWITCHING = (
    0.0005  # seconds after which another thread that waits for its turn gets it, while imports take theirs
)
INTERRUPTED = 130  # as a shell counts an end by SIGINT
PassOn = Callable[[bytes | None], None]


class InputLines:
    """The lines of standard input. ``opening`` answers the first of them, if it is given."""

    def __init__(self, opening: Opening | None = None, *, leave: Callable[[int], object] = os._exit) -> None:
        """``leave`` ends the process with a status."""
        self._opening = opening
        self._leave_with = leave
        self._waiting: list[bytes | None] = []
        self._lock = threading.Lock()
        self._room = threading.Semaphore(AHEAD)
        self._pass_on: PassOn | None = None
        self._successor: PassOn | None = None
        self._vendors: Collection[str] = ()
        self._knows_vendors = threading.Event()
        self._leaving = threading.Lock()
        self._has_begun_work = False
        self._leaves_at_interrupt = False
        self._output: EarlyOutput | None = None
        self._switching = 0.0
        self.answered_before = 0

    def open(self, *, reading: int = 0, writing: int = 1) -> None:
        """Take the descriptor that is read over, so that nothing else reads from it, and begin."""
        self._replaced, self._descriptor = reading, os.dup(reading)
        # Child processes and libraries that read standard input must not take messages from the client.
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, reading)
        os.close(nothing)
        if self._opening is not None:
            self._output = EarlyOutput(writing)
            self._switching = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCHING)
        self._thread = threading.Thread(target=self._read, name="standard-input", daemon=True)
        self._thread.start()

    def leave_at_interrupt(self) -> None:
        """End the process at an interrupt, until ``heed_interrupts``; both are for the main thread.

        An exception in the middle of an import is not always passed on: importlib's callbacks print and drop it.
        """
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._leaves_at_interrupt = True
            signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))

    def heed_interrupts(self) -> None:
        """Have interrupts raise KeyboardInterrupt again, or do what an event loop makes of them."""
        if self._leaves_at_interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def close(self) -> None:
        """Give standard input back; its duplicate stays open while the thread may still block in a read of it."""
        os.dup2(self._descriptor, self._replaced)
        if not self._thread.is_alive():
            os.close(self._descriptor)

    def connected(self, vendors: Collection[str]) -> None:
        """Tell which vendors are connected, which some lists depend on."""
        self._vendors = tuple(vendors)
        self._knows_vendors.set()

    def begin_work(self) -> None:
        """Say that from here on the process has work to end; until then it ends as soon as nobody needs it."""
        with self._leaving:
            self._has_begun_work = True

    def hand_over(self, pass_on: PassOn) -> None:
        """Have all lines passed on from now on, those that wait first, None at the end; nothing is answered here.

        It never waits: while the thread is at a line, it hands over by itself after that.
        """
        self._successor = pass_on
        if self._lock.acquire(blocking=False):
            try:
                self._hand_over()
            finally:
                self._lock.release()

    def wait_for_early_answers(self) -> None:
        """Return once all answers that were given here are written."""
        if self._output is not None:
            self._output.is_written.wait()

    @property
    def has_early_answers(self) -> bool:
        """Whether answers that were given here are still being written."""
        return self._output is not None and not self._output.is_written.is_set()

    def consumed(self) -> None:
        """Say that a line was taken: so many more may be read ahead."""
        self._room.release()

    def _hand_over(self) -> None:
        if self._successor is None or self._pass_on is not None:
            return
        if self._opening is not None:
            self._end_opening(self._opening)
        for line in self._waiting:
            self._successor(line)
        self._waiting.clear()
        self._pass_on = self._successor

    def _end_opening(self, opening: Opening) -> None:
        self.answered_before = opening.answers
        self._waiting[:0] = opening.recorded
        self._opening = None
        if self._output is not None:
            self._output.end()
        sys.setswitchinterval(self._switching)

    def _read(self) -> None:
        """Read to the end, in a thread; not through ``sys.stdin``, whose lock blocks the exit."""
        with suppress(RuntimeError):  # the loop of whoever serves is closed
            with suppress(OSError):
                for line, later in split_lines(self._descriptor):
                    self._room.acquire()
                    self._take(line, later)
            self._take(None, [])

    def _take(self, line: bytes | None, later: list[bytes]) -> None:
        with self._lock:
            if self._pass_on is not None:
                self._pass_on(line)
            elif not self._is_answered(line, later):
                self._waiting.append(line)
        if self._successor is not None and self._pass_on is None:
            with self._lock:
                self._hand_over()

    def _is_answered(self, line: bytes | None, later: list[bytes]) -> bool:
        """Answer a line, unless anything before it waits already, or what came with it may take it back."""
        opening = self._opening
        if opening is None or self._waiting:
            return False
        if line is None:
            if opening.answers and self._successor is None:
                self._leave()
            return False
        if any(CANCELLED in other for other in later):
            return False
        recorded = len(opening.recorded)
        try:
            answer = opening.reply(line, self._connected_vendors)
            if answer is None:
                return False
            if self._output is not None and answer:
                self._output.write(answer)
        except Exception:  # noqa: BLE001 - whatever went wrong here, the SDK is there soon and answers
            return False
        if len(opening.recorded) == recorded:
            self._room.release()
        return True

    def _connected_vendors(self) -> Collection[str]:
        self._knows_vendors.wait()
        return self._vendors

    def _leave(self) -> None:
        """End the process of a client that has left with all its answers, before anything else was begun."""
        if self._output is not None:
            self._output.end()
            self._output.is_written.wait()
        with self._leaving:
            if not self._has_begun_work:
                self._leave_with(0)


def split_lines(descriptor: int) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield lines, each with those that were read together with it and come after it.

    Of a line longer than LONGEST_LINE comes its first part (longer than that), and the rest is discarded.
    """
    pending = bytearray()
    thrown = False
    while data := os.read(descriptor, 65_536):
        *ended, rest = data.split(b"\n")
        for number, piece in enumerate(ended, 1):
            pending += piece
            if not thrown:
                yield bytes(pending), ended[number:]
            pending.clear()
            thrown = False
        pending += rest
        if len(pending) > LONGEST_LINE:
            if not thrown:
                yield bytes(pending), []
            pending.clear()
            thrown = True
    if pending and not thrown:
        yield bytes(pending), []


@contextmanager
def input_lines(source: InputLines | None) -> Iterator[InputLines]:
    """Yield standard input, which is opened here where it is not already, and give it back."""
    if source is None:
        source = InputLines()
        source.open()
    try:
        yield source
    finally:
        source.close()
