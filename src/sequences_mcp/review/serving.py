"""The page as part of a process: nothing is loaded before the first visitor comes."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sequences_mcp.errors import SequencesError
from sequences_mcp.review import seat
from sequences_mcp.review.seat import Seat

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from sequences_mcp.review.connections import Limits

RETRY, LONGEST_RETRY = 3.0, 60.0
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
        except (OSError, SequencesError) as error:
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
        wait = RETRY
        while not self._stopped.is_set():
            try:
                self._sit_and_serve()
                wait = RETRY  # it ended without being told to, for lack of a database say
            except Exception as error:  # noqa: BLE001 - whatever is missing, a file descriptor say, may be back later
                logging.getLogger(__name__).warning("The review page is away: %s", error)
                wait = min(2 * wait, LONGEST_RETRY)
            self._stopped.wait(wait)
        self._woken.close()

    def _sit_and_serve(self) -> None:
        self._seat = self._seat or seat.take(self._data_dir)
        if self._seat is None:
            return
        self.arrived.set()
        try:
            self._serve(self._seat)
        finally:
            self._seat.leave()
            self._seat = None

    def _serve(self, taken: Seat) -> None:
        with selectors.DefaultSelector() as first:  # select.select ends at file descriptor 1,024
            for one in (*taken.sockets, self._woken):
                first.register(one, selectors.EVENT_READ)
            first.select()
        if self._stopped.is_set():
            return
        self._server = server_for(self._make_app(taken.authority))
        if not self._stopped.is_set():
            self._server.run(sockets=list(taken.sockets))


def server_for(app: Starlette, *, limits: Limits | None = None) -> uvicorn.Server:
    """Return the server of an app, within ``limits``: quiet, without proxies, websockets or a banner."""
    import uvicorn

    from sequences_mcp.review import connections

    made = partial(connections.Connection, limits=limits or connections.Limits())

    return uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="on",
            http=cast(Any, made),  # uvicorn calls it and asks for nothing else
            ws="none",
            backlog=connections.BACKLOG,
            h11_max_incomplete_event_size=connections.HEAD_BYTES,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
    )
