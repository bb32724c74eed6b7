"""A person at a real terminal: the command line on a pseudo-terminal, read and typed at."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.secrecy.hearing import heard
from tests.world.loaded import product

PATIENCE = 120.0  # seconds; it ends only what has failed


@dataclass
class Typist:
    """A command that runs on a terminal of its own."""

    child: subprocess.Popen[bytes]
    keyboard: int
    shown: str = ""
    status: int | None = None

    def sees(self, words: str) -> None:
        """Wait until the terminal shows this."""
        while words not in self.shown:
            assert self._read(), f"{words!r} never came: {self.shown}"

    def types(self, line: str) -> None:
        """Type a line."""
        os.write(self.keyboard, f"{line}\n".encode())

    def answers(self, question: str, line: str) -> None:
        """Wait for a question, then type."""
        self.sees(question)
        self.shown = self.shown.partition(question)[2]
        self.types(line)

    def interrupts(self) -> int:
        """Press Ctrl-C until the command ends, and return the exit status.

        One that comes just before Python begins to wait for a line is noticed with the next one.
        """
        while self.status is None:
            os.write(self.keyboard, b"\x03")
            ready, _, _ = select.select([self.keyboard], [], [], 1)
            while ready and self.status is None:
                if not self._read():
                    return self.ends()
                ready, _, _ = select.select([self.keyboard], [], [], 1)
        return self.status

    def ends(self) -> int:
        """Wait for the end, and return the exit status."""
        while self.status is None and self._read():
            pass
        if self.status is None:
            self.status = self.child.wait()
        return self.status

    def _read(self) -> bool:
        ready, _, _ = select.select([self.keyboard], [], [], PATIENCE)
        assert ready, f"nothing more came: {self.shown}"
        try:
            data = os.read(self.keyboard, 65_536)
        except OSError:  # the other end is closed
            return False
        self.shown += heard("what a terminal showed", data.decode(errors="replace"))
        return bool(data)


@contextmanager
def at_terminal(*arguments: str, **environ: str) -> Iterator[Typist]:
    """Run a command on a terminal; one that has not ended is killed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEQUENCES_")}
    keyboard, terminal = pty.openpty()
    command, environment = (*product(), *arguments), {**clean, "BROWSER": "true", **environ}
    child = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    try:
        yield Typist(child, keyboard)
    finally:
        child.kill()
        child.wait()
        os.close(keyboard)
