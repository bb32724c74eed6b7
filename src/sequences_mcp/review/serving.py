"""The page as part of a process: nothing is loaded before the first visitor comes."""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sequences_mcp.review import seat
from sequences_mcp.review.seat import Seat

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

RETRY = 3.0
GOODBYE = 2.0
MakeApp = Callable[[str], "Starlette"]
"""Builds the page for the authority (``localhost:4000``) under which it is visited."""


class ReviewPage:
    """One process's share in the page of a data folder: it listens when nobody else does, and serves who comes.

    ``arrived`` is set once it listens.
    """

    def __init__(self, data_dir: Path, make_app: MakeApp) -> None:
        self._data_dir = data_dir
        self._make_app = make_app
        self._stopped = threading.Event()
        self.arrived = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._seat: Seat | None = None
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._run, name="review-page", daemon=True)

    def start(self) -> None:
        """Listen at once if nobody does; go on trying in the background otherwise."""
        try:
            self._seat = seat.take(self._data_dir)
        except OSError as error:
            logging.getLogger(__name__).info("The review page cannot listen: %s", error)
            return
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and give the seat up."""
        self._stopped.set()
        self._wake.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(GOODBYE)

    @property
    def is_here(self) -> bool:
        """Whether it is this process that listens."""
        return self._seat is not None

    def wait(self) -> None:
        """Return when the page has stopped."""
        while self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._seat = self._seat or seat.take(self._data_dir)
            if self._seat is None:
                self._stopped.wait(RETRY)
                continue
            self.arrived.set()
            try:
                self._serve(self._seat)
            finally:
                self._seat.leave()
                self._seat = None
            self._stopped.wait(RETRY)  # it ended without being told to, for lack of a database say
        self._woken.close()

    def _serve(self, taken: Seat) -> None:
        select.select([*taken.sockets, self._woken], [], [])
        if self._stopped.is_set():
            return
        self._server = server_for(self._make_app(taken.authority))
        if not self._stopped.is_set():
            self._server.run(sockets=list(taken.sockets))


def server_for(app: Starlette) -> uvicorn.Server:
    """Return the server of an app: quiet, without proxies, websockets or a banner."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="on",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=64,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
    )
