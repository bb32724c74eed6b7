"""The one address of a data folder's review page: whoever holds the lock listens, everybody else knows where.

The page listens on both loopback addresses, so that nobody else can answer for ``localhost`` on its port. The port
is kept for the next time: a page that is open in a browser goes on after a restart.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sequences_mcp.errors import ConflictError
from sequences_mcp.review.private import write_private

FILE_NAME = "review.json"
LOCK_NAME = "review.lock"
TRIES = 8
_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


@dataclass(frozen=True, slots=True)
class Seat:
    """Listening sockets, the lock that makes them the only ones, and the authority a visitor has to name."""

    sockets: tuple[socket.socket, ...]
    port: int
    lock: IO[bytes]

    @property
    def authority(self) -> str:
        """Host and port as a browser sends them."""
        return f"localhost:{self.port}"

    def leave(self) -> None:
        """Stop listening and let somebody else take the seat."""
        for one in self.sockets:
            one.close()
        self.lock.close()


def take(data_dir: Path) -> Seat | None:
    """Listen for this data folder, on the port of last time where it is free; None when somebody else does."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _opened(data_dir / LOCK_NAME)
    if not _locked(lock):
        lock.close()
        return None
    try:
        sockets = _listening(_last_port(data_dir))
        seat = Seat(sockets, sockets[0].getsockname()[1], lock)
        write_private(data_dir / FILE_NAME, json.dumps({"port": seat.port}))
    except BaseException:
        lock.close()
        raise
    return seat


def address(data_dir: Path, path: str = "/") -> str | None:
    """Return where a path of the page is, or None where no page has ever been open. It carries no credential."""
    port = _last_port(data_dir)
    return f"http://localhost:{port}{path}" if port else None


def held_address(data_dir: Path) -> str:
    """Return where the page is; ConflictError when nobody listens, this process included."""
    where = address(data_dir) if is_held(data_dir) else None
    if where is None:
        raise ConflictError(
            "The review page cannot listen on this machine.", next_step="Decide here: sequences-mcp review list."
        )
    return where


def is_held(data_dir: Path) -> bool:
    """Say whether some process listens for this data folder."""
    if not (data_dir / LOCK_NAME).exists():
        return False
    try:
        with (data_dir / LOCK_NAME).open("ab") as lock:
            return not _locked(lock)
    except OSError:  # what cannot be opened, nobody holds
        return False


def _opened(lock: Path) -> IO[bytes]:
    return os.fdopen(os.open(lock, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def _last_port(data_dir: Path) -> int:
    try:
        known = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        port = int(known["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return port if 0 < port < 2**16 else 0


def _listening(port: int) -> tuple[socket.socket, ...]:
    for wanted in (port, *[0] * TRIES):
        try:
            return _both(wanted)
        except OSError as error:
            last = error
    raise last


def _both(port: int) -> tuple[socket.socket, ...]:
    four = _bound(socket.AF_INET, "127.0.0.1", port)
    try:
        return four, _bound(socket.AF_INET6, "::1", four.getsockname()[1])
    except OSError as error:
        if error.errno in _NO_IPV6:
            return (four,)
        four.close()
        raise


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
        made.listen(32)
    except OSError:
        made.close()
        raise
    return made


def _locked(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
