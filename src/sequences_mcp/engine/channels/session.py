"""A connection to a mail server: greeted, encrypted, signed in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sequences_mcp.engine.channels.faults import deferred, deferring, refused, said, shown
from sequences_mcp.engine.channels.mail_server import MailServer, Security, Timeouts, is_loopback
from sequences_mcp.errors import DeliveryError

if TYPE_CHECKING:
    import smtplib
    import ssl


class Deadline:
    """Cuts a connection when its time is over: a time-out of the socket begins anew with every byte that drips in.

    A context manager around all that is done on the connection, with a thread of its own that does the cutting.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = self._made(seconds)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def watch(self, sock: socket.socket) -> None:
        """Cut this connection when time is over, however it is wrapped later."""
        self._socket = sock.dup()

    def extend(self, seconds: float) -> None:
        """Begin to count anew."""
        self._timer.cancel()
        self._timer = self._made(seconds)
        self._timer.start()

    def _made(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        return timer

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def without_secrets(server: MailServer) -> Iterator[None]:
    """Make the server's words in every delivery error that leaves the block fit to keep: without the password."""
    try:
        yield
    except DeliveryError as error:
        clean = server.without_password
        data = {name: clean(value) if isinstance(value, str) else value for name, value in error.data.items()}
        if reply := error.data.get("server_reply"):
            data["server_reply"] = shown(str(reply), clean=clean)
        if data == dict(error.data):
            raise
        raise type(error)(clean(error.message), next_step=error.next_step, data=data) from None


@contextmanager
def session(
    server: MailServer,
    *,
    timeouts: Timeouts,
    context: ssl.SSLContext | None,
    at: Callable[[str], None],
    deadline: Deadline,
) -> Iterator[smtplib.SMTP]:
    """Yield a connection ready for MAIL; it is cut, not closed politely, when the block ends.

    ``context`` is the system's trust by default. ``at`` is told ``connect`` and ``auth`` when they are over.
    Raises DeliveryDeferredError for whatever stands in the way: at this point it is never about the recipient.
    """
    if server.security is Security.PLAIN and not is_loopback(server.host):
        raise deferred(f"plain SMTP is for this machine only, and {server.host} is another", phase="connect")
    with deferring("connect"):
        connection = _connected(server, timeouts=timeouts, context=context, deadline=deadline)
    try:
        at("connect")
        _secured(connection, server, context=context)
        _signed_in(connection, server)
        at("auth")
        yield connection
    finally:
        connection.close()


def _connected(
    server: MailServer, *, timeouts: Timeouts, context: ssl.SSLContext | None, deadline: Deadline
) -> smtplib.SMTP:
    import smtplib

    class Watched(smtplib.SMTP):
        """A connection that the deadline knows of before the first byte comes, and before it is encrypted."""

        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # as SMTP_SSL does
            sock = socket.create_connection((host, port), timeout)
            deadline.watch(sock)
            if server.security is not Security.TLS:
                return sock
            try:
                return (context or _system_trust()).wrap_socket(sock, server_hostname=host)
            except BaseException:
                sock.close()
                raise

    name = "[127.0.0.1]"  # given, so that the library does not look one up in the DNS; replaced below
    connection = Watched(server.host, server.port, local_hostname=name, timeout=timeouts.connect)
    if connection.sock is not None:
        connection.sock.settimeout(timeouts.command)
        connection.local_hostname = _literal(connection.sock.getsockname()[0])
    return connection


def _system_trust() -> ssl.SSLContext:
    import ssl

    return ssl.create_default_context()


def _literal(address: str) -> str:
    """Return an address literal (RFC 5321, section 4.1.3): the host's name is nobody's business."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _secured(connection: smtplib.SMTP, server: MailServer, *, context: ssl.SSLContext | None) -> None:
    _greet(connection)
    if server.security is not Security.STARTTLS:
        return
    if not connection.has_extn("starttls"):
        raise deferred("the server does not offer STARTTLS, and nothing is sent unencrypted", phase="starttls")
    with deferring("starttls"):
        connection.starttls(context=context or _system_trust())
    _greet(connection)


def _greet(connection: smtplib.SMTP) -> None:
    with deferring("greeting"):
        code, reply = connection.ehlo()
    if not 200 <= code <= 299:
        raise deferred(f"the server answered {code} to EHLO", phase="greeting", reply=said(code, reply))


_UNABLE = frozenset({500, 501, 502, 504, 534})  # of the mechanism, not of the password
_MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")


def _signed_in(connection: smtplib.SMTP, server: MailServer) -> None:
    """Try the password once: a server counts, and locks the account of whoever tries it in every way there is."""
    if not server.username:
        return
    offered = connection.esmtp_features.get("auth", "").upper().split()
    ways = [name for name in _MECHANISMS if name in offered]
    if not ways:
        raise deferred("the server offers no way to sign in that is known here", phase="sign in")
    connection.user, connection.password = server.username, server.password
    for way in ways:
        code, reply = _tried(connection, way)
        if code in (235, 503):  # 503: signed in already
            return
        if code not in _UNABLE:
            break
    raise refused(code, reply, phase="sign in")


def _tried(connection: smtplib.SMTP, way: str) -> tuple[int, bytes]:
    import smtplib

    proof: dict[str, Any] = {
        "PLAIN": connection.auth_plain,
        "LOGIN": connection.auth_login,
        "CRAM-MD5": connection.auth_cram_md5,
    }
    with deferring("sign in"):
        try:
            return connection.auth(way, proof[way], initial_response_ok=way != "CRAM-MD5")
        except smtplib.SMTPAuthenticationError as error:
            reply = error.smtp_error
            return error.smtp_code, reply if isinstance(reply, bytes) else reply.encode()
