"""A Python that has the product loaded already: what a test starts in it is a process of its own, a second sooner.

Most of what a start of the product takes is importing it. ``python`` is the beginning of a command line that
takes what the interpreter takes (``-m MODULE`` or ``-c CODE``, then arguments). The process it starts is a
launcher, which passes its arguments, environment, folder and standard streams to the server of this run of the
tests, and stays for as long as the program runs: it passes signals on, and ends as the program ends. The server
has imported the product, opened nothing and started no thread; it forks a child for each program.

``tests/house/test_loaded.py`` holds such a program against one of a plain interpreter. A test of what differs
starts ``sys.executable`` itself: nothing is imported any more (times, options of the interpreter, what an import
does), the program's process id is not the launcher's, it leads a session of its own, objects that it leaves behind
are not taken apart at its end, and where the launcher is killed with SIGKILL the program is a moment later.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from tests.secrecy.hearing import heard

HERE = Path(__file__).parent
_started: list[subprocess.Popen[bytes]] = []  # each ends by itself, once the run has


def python() -> tuple[str, ...]:
    """Return the beginning of a command line that runs a program in a Python with the product loaded."""
    if sys.platform != "linux":  # forking is unsafe, or unknown, elsewhere
        return (sys.executable,)
    return (sys.executable, "-I", "-S", str(HERE / "loaded_launcher.py"), _server())


def product() -> tuple[str, ...]:
    """Return the command line that starts the product, without arguments."""
    return (*python(), "-m", "sequences_mcp")


@cache
def _server() -> str:
    """Return the path of the server's socket: one for all of a run, started by the first that needs it."""
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(gettempdir(), f"loaded-{os.getuid()}-{owner}")
    folder.mkdir(mode=0o700, exist_ok=True)
    socket = folder / "socket"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not socket.exists():
            _start(str(socket), owner)
    return str(socket)


def _start(socket: str, owner: int) -> None:
    command = [sys.executable, str(HERE / "loaded_server.py"), socket, str(owner)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    server = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdout is not None
    assert heard("a server of loaded Pythons", server.stdout.readline()) == b"listening\n"
    server.stdout.close()
    _started.append(server)
