"""Fork a child with the product loaded for each program that a launcher asks for.

``loaded_server.py SOCKET OWNER``: the latter is the process whose end is this one's, by its id."""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import io
import marshal
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from types import ModuleType
from typing import NamedTuple

LEFT_OUT = ("sequences_mcp.engine.temporal", "sequences_mcp.store.postgres", "sequences_mcp.__main__")
# What the product imports where it uses it.
USED_LATER = ("click", "httpx", "mcp.server.stdio", "uvicorn", "uvicorn.protocols.http.h11_impl")


class Request(NamedTuple):
    """A program to run: what comes after ``python`` in its command line, and what it inherits."""

    arguments: list[str]
    environ: dict[bytes, bytes]
    folder: bytes
    ignored: list[int]


class Server:
    """The programs that run, by process id, each with the connection of its launcher."""

    def __init__(self, path: str, owner: int) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(path)
        self._listening.listen(64)
        self._running: dict[int, socket.socket] = {}
        self._waiting = selectors.DefaultSelector()
        self._ended, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken.fileno())
        self._owner = os.pidfd_open(owner)
        for one in (self._listening, self._ended, self._owner):
            self._waiting.register(one, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """Return a request in the child that is to run it; None in the server, once its owner has gone."""
        while True:
            for key, _ in self._waiting.select():
                if key.fileobj == self._owner:
                    self._end()
                    return None
                if key.fileobj is self._listening:
                    if (request := self._start()) is not None:
                        return request
                elif key.fileobj is self._ended:
                    self._ended.recv(4096)
                    self._tell()
                elif key.data in self._running:
                    self._pass_on(key.data)

    def _start(self) -> Request | None:
        connection, _ = self._listening.accept()
        head, streams, _, _ = socket.recv_fds(connection, 8, 3)
        if len(head) < 8:  # killed before it asked
            connection.close()
            return None
        asked = connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
        if child := os.fork():
            self._running[child] = connection
            self._waiting.register(connection, selectors.EVENT_READ, child)
            for stream in streams:
                os.close(stream)
            return None
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        signal.set_wakeup_fd(-1)
        os.closerange(3, 4096)
        return Request(*marshal.loads(asked))

    def _pass_on(self, child: int) -> None:
        """Pass on a signal that a launcher was sent; a launcher that is gone was killed."""
        passed = self._running[child].recv(1)
        if passed:
            os.kill(child, passed[0])
        else:
            self._waiting.unregister(self._running[child])
            self._kill(child)

    def _tell(self) -> None:
        """Tell the launchers of programs that have ended how they did."""
        while self._running:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            connection = self._running.pop(child)
            if connection.fileno() in self._waiting.get_map():
                self._waiting.unregister(connection)
            with suppress(OSError):  # the launcher was killed
                connection.sendall(status.to_bytes(4, "big"))
            connection.close()

    def _end(self) -> None:
        for child in self._running:
            self._kill(child)
        rmtree(Path(self._listening.getsockname()).parent, ignore_errors=True)

    @staticmethod
    def _kill(child: int) -> None:
        """Kill a program and what it has started."""
        os.kill(child, signal.SIGKILL)
        with suppress(ProcessLookupError):  # it leads no group yet
            os.killpg(child, signal.SIGKILL)


def load() -> None:
    """Import all of the product that needs no extra, and what it imports where it is used."""
    package = importlib.import_module("sequences_mcp")
    for module in pkgutil.walk_packages(package.__path__, "sequences_mcp."):
        if not module.name.startswith(LEFT_OUT):
            importlib.import_module(module.name)
    for name in USED_LATER:
        importlib.import_module(name)
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork would leave threads behind"


def become(request: Request) -> None:
    """Take over what a program inherits. The standard streams are those of this process, which has used none."""
    os.environb.clear()
    os.environb.update(request.environ)
    time.tzset()
    os.chdir(request.folder)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in request.ignored:
        signal.signal(number, signal.SIG_IGN)
    os.setsid()
    if sys.stdin.isatty():
        with suppress(OSError):  # it is another program's already
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())
    if os.environ.get("PYTHONUNBUFFERED"):
        raw = io.FileIO(1, "wb", closefd=False)
        sys.stdout = io.TextIOWrapper(raw, sys.stdout.encoding, sys.stdout.errors, write_through=True)


def run(arguments: list[str]) -> None:
    """Run what comes after ``python`` in a command line."""
    way, what, *rest = arguments
    sys.argv = [way, *rest]
    more = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:1] = ["" if way == "-c" else str(Path.cwd()), *(one for one in more if one not in sys.path)]
    if way == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    sys.modules["__main__"] = program = ModuleType("__main__")
    exec(compile(what, "<string>", "exec"), program.__dict__)


class Ending:
    """The end of a program: what the interpreter does, but for taking apart all that is loaded, if all went well.

    That takes ten times as long as the rest of a start: each of its pages is copied first. It is registered before
    the program registers anything, and so called last, when no thread of the program runs any more.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        atexit.register(self._leave)

    def _leave(self) -> None:
        if self.status is None:
            return
        with suppress(OSError, ValueError):  # the interpreter tells that it cannot write
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.status)


def run_to_end(arguments: list[str]) -> None:
    """Run a program; a status that is no number, an exception and an interrupt are left to the interpreter."""
    ending = Ending()
    try:
        run(arguments)
        ending.status = 0
    except SystemExit as end:
        ending.status = 0 if end.code is None else end.code if isinstance(end.code, int) else None
        raise


if __name__ == "__main__":
    server = Server(sys.argv[1], int(sys.argv[2]))
    print("listening", flush=True)
    load()
    gc.collect()
    gc.freeze()  # what is here already is not gone through, and so not copied, in each child
    if (asked := server.serve()) is not None:
        become(asked)
        run_to_end(asked.arguments)
