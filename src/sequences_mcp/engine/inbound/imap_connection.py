"""A connection over IMAP that whoever may end it knows of from its first moment.

IMAPClient gives its socket only once the server has greeted and told what it can do. Until then a server that
sends one byte at a time would be waited for without end, because a time-out of a socket begins anew at each byte.
"""

from __future__ import annotations

import imaplib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from imapclient import IMAPClient, SocketTimeout

if TYPE_CHECKING:
    import ssl

Watch = Callable[[socket.socket], None]
"""Is given a socket before TLS is put around it; raises OSError where the connection is not wanted any more."""


class WatchedImap(IMAPClient):  # type: ignore[misc]  # it has no types
    """IMAPClient whose socket is watched before it is connected; without ``context`` it is unencrypted."""

    def __init__(
        self, host: str, port: int, *, context: ssl.SSLContext | None, timeout: SocketTimeout, watch: Watch
    ) -> None:
        self._watch = watch
        super().__init__(host, port=port, ssl=context is not None, ssl_context=context, timeout=timeout)
        self.normalise_times = False

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - a name of IMAPClient's
        return _Connection(
            self.host, self.port, context=self.ssl_context, within=self._timeout.connect, watch=self._watch
        )


class _Connection(imaplib.IMAP4):
    """What IMAPClient speaks through, in place of two classes of its own that differ in the same way."""

    def __init__(
        self, host: str, port: int, *, context: ssl.SSLContext | None, within: float, watch: Watch
    ) -> None:
        self._context, self._watch = context, watch
        super().__init__(host, port, timeout=within)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        sock = _connected(self.host, self.port, within=timeout, watch=self._watch)
        try:
            # A message is appended in two writes, the second of which would wait for the first to be acknowledged.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._context.wrap_socket(sock, server_hostname=self.host) if self._context else sock
        except BaseException:
            sock.close()
            raise


def _connected(host: str, port: int, *, within: float | None, watch: Watch) -> socket.socket:
    """Connect to the first address that answers, as ``socket.create_connection`` does. Raises OSError."""
    failed = OSError("the host has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            watch(sock)
            sock.settimeout(within)
            sock.connect(address)
            watch(sock)  # again: what cut it before it began to connect had no effect
            return sock
        except OSError as error:  # of ``watch`` too, which then takes no other address either
            failed = error
            if sock is not None:
                sock.close()
    raise failed
