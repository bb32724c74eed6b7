"""A server whose answers never end: a byte at a time, each soon enough for a time-out that begins anew with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

TRICKLED = {
    "its headers": b"HTTP/1.1 200 OK\r\nX-Word: ",
    "a body of which it says the length": b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
    "a body that ends with its connection": b"HTTP/1.1 200 OK\r\n\r\n",
}
PAUSE = 0.02


@contextmanager
def trickling(begun: bytes) -> Iterator[str]:
    """Answer one client after the other with these bytes and then without end; yield the server's address."""
    is_over = threading.Event()

    def answer(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(begun)
        while not is_over.wait(PAUSE):
            client.sendall(b"1")

    def serve() -> None:
        while not is_over.is_set():
            with suppress(TimeoutError, ConnectionError):  # whoever has had enough hangs up
                client, _ = listening.accept()
                with client:
                    answer(client)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PAUSE)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            is_over.set()
            thread.join()
