"""Serving the page from whichever process is first: a lock file per workspace, the port, a background thread."""

from __future__ import annotations

import errno
import json
import logging
import os
import selectors
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ConflictError, SequencesError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.private_files import write_private

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from sequences_mcp.http_connection import ConnectionLimits


TRIES = 8
_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


@dataclass(frozen=True, slots=True)
class PageLock:
    """Listening sockets, and the lock file whose holder alone serves the page of a workspace."""

    sockets: tuple[socket.socket, ...]
    port: int
    lock: IO[bytes]

    @property
    def authority(self) -> str:
        """Host and port as a browser sends them."""
        return f"localhost:{self.port}"

    def release(self) -> None:
        """Stop listening and release the lock, so that another process can serve the page."""
        for listener in self.sockets:
            listener.close()
        self.lock.close()


def take_page_lock(workspace: Workspace) -> PageLock | None:
    """Lock the page of a workspace and listen, on the last port if it is free; None if another process does."""
    workspace.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _opened(workspace.page_lock)
    if not _locked(lock.fileno()):
        lock.close()
        return None
    with ExitStack() as undone:  # nobody listens at an address that cannot be kept
        undone.callback(lock.close)
        sockets = _listening(_last_port(workspace))
        page_lock = PageLock(sockets, sockets[0].getsockname()[1], lock)
        undone.callback(page_lock.release)
        # The port is kept, because a browser's localStorage and passkey origins belong to it.
        write_private(workspace.page_port, json.dumps({"port": page_lock.port}))
        undone.pop_all()
    return page_lock


def address(workspace: Workspace, path: str = "/") -> str | None:
    """Return the URL of a path of the page, without any credential; None where the page was never served."""
    port = _last_port(workspace)
    return f"http://localhost:{port}{path}" if port else None


def held_address(workspace: Workspace) -> str:
    """Return the page's URL; ConflictError when no process listens."""
    where = address(workspace) if is_held(workspace) else None
    if where is None:
        raise ConflictError(
            "The review page cannot listen on this machine.", next_step="Decide here: sequences-mcp review list."
        )
    return where


def is_held(workspace: Workspace) -> bool:
    """Say whether some process serves the page of this workspace."""
    try:
        lock = os.open(workspace.page_lock, os.O_WRONLY | os.O_APPEND)
    except OSError:  # a lock file that is not there, or cannot be opened, cannot be held either
        return False
    try:
        return not _locked(lock)
    finally:
        os.close(lock)


def _opened(lock: Path) -> IO[bytes]:
    return os.fdopen(os.open(lock, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def _last_port(workspace: Workspace) -> int:
    path = workspace.page_port
    try:
        known = path.stat()
    except OSError:
        return 0
    return _port_in(path, (known.st_ino, known.st_mtime_ns, known.st_size))


@lru_cache(maxsize=8)
def _port_in(path: Path, version: tuple[int, int, int]) -> int:
    """Return the port in a file, 0 where there is none; ``version`` differs once the file was written anew."""
    try:
        port = int(json.loads(path.read_text(encoding="utf-8"))["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return port if 0 < port < 2**16 else 0


def _listening(port: int) -> tuple[socket.socket, ...]:
    # A free port for IPv4 may be taken for IPv6, so another one is tried.
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
            # Not on Windows, where this would let another process take the same port.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # IPv4 has a socket of its own.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
        made.listen(32)
    except OSError:
        made.close()
        raise
    return made


def _locked(file: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


RETRY, LONGEST_RETRY = 3.0, 60.0
SHUTDOWN_WITHIN = 2.0
MakeApp = Callable[[str], "Starlette"]
"""Builds the page for the authority (``localhost:4000``) under which it is visited."""


class ReviewPage:
    """The page of a workspace, as one process serves it: it listens when no other process does.

    A thread tries to take the lock, and starts the app at the first connection. ``listening`` is set once it holds
    the lock.
    """

    def __init__(self, workspace: Workspace, make_app: MakeApp) -> None:
        self._workspace = workspace
        self._make_app = make_app
        self._stopped = threading.Event()
        self.listening = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._page_lock: PageLock | None = None
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._run, name="review-page", daemon=True)

    def start(self) -> None:
        """Listen at once if nobody does; go on trying in the background otherwise."""
        try:
            self._page_lock = take_page_lock(self._workspace)
        except (OSError, SequencesError) as error:
            logging.getLogger(__name__).info("The review page cannot listen: %s", error)
            return
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and release the lock."""
        self._stopped.set()
        self._wake.close()
        if self._thread.ident is None:  # it never began; otherwise it closes this end, once it looks at it no more
            self._woken.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(SHUTDOWN_WITHIN)

    @property
    def is_listening(self) -> bool:
        """Whether this process serves the page."""
        return self._page_lock is not None

    def wait(self) -> None:
        """Return when the page has stopped."""
        while self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        wait = RETRY
        while not self._stopped.is_set():
            try:
                self._lock_and_serve()
                wait = RETRY  # the app ended by itself, for example because the database cannot be opened
            except Exception as error:  # noqa: BLE001 - whatever is missing, a file descriptor say, may be back later
                logging.getLogger(__name__).warning("The review page is away: %s", error)
                wait = min(2 * wait, LONGEST_RETRY)
            self._stopped.wait(wait)
        self._woken.close()

    def _lock_and_serve(self) -> None:
        self._page_lock = self._page_lock or take_page_lock(self._workspace)
        if self._page_lock is None:
            return
        self.listening.set()
        try:
            self._serve(self._page_lock)
        finally:
            self._page_lock.release()
            self._page_lock = None

    def _serve(self, taken: PageLock) -> None:
        # The app, uvicorn included, is only loaded for a first connection: most processes never serve a page.
        # ``_woken`` ends this wait when the process stops.
        with selectors.DefaultSelector() as first:  # select.select ends at file descriptor 1,024
            for listener in (*taken.sockets, self._woken):
                first.register(listener, selectors.EVENT_READ)
            first.select()
        if self._stopped.is_set():
            return
        self._server = server_for(self._make_app(taken.authority))
        if not self._stopped.is_set():
            self._server.run(sockets=list(taken.sockets))


def server_for(app: Starlette, *, limits: ConnectionLimits | None = None) -> uvicorn.Server:
    """Return the uvicorn server of an app: HTTP/1.1 within ``limits``, no log, proxy headers or websockets."""
    import uvicorn

    from sequences_mcp import http_connection

    made = partial(http_connection.LimitedConnection, limits=limits or http_connection.ConnectionLimits())

    return uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="on",
            http=cast(Any, made),  # uvicorn calls it and asks for nothing else
            ws="none",
            backlog=http_connection.BACKLOG,
            h11_max_incomplete_event_size=http_connection.HEAD_BYTES,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
    )
