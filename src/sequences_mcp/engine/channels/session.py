"""A connection to a mail server: greeted, encrypted, signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sequences_mcp.engine.channels.faults import deferred, deferring, words
from sequences_mcp.engine.channels.mail_server import MailServer, Security, Timeouts, is_loopback

if TYPE_CHECKING:
    import smtplib
    import ssl


@contextmanager
def session(
    server: MailServer, *, timeouts: Timeouts, context: ssl.SSLContext | None, at: Callable[[str], None]
) -> Iterator[smtplib.SMTP]:
    """Yield a connection ready for MAIL; it is cut, not closed politely, when the block ends.

    ``context`` is the system's trust by default. ``at`` is told ``connect`` and ``auth`` when they are over.
    Raises DeliveryDeferredError for whatever stands in the way: at this point it is never about the recipient.
    """
    if server.security is Security.PLAIN and not is_loopback(server.host):
        raise deferred(f"plain SMTP is for this machine only, and {server.host} is another", phase="connect")
    with deferring("connect"):
        connection = _connected(server, timeouts=timeouts, context=context)
    try:
        at("connect")
        _secured(connection, server, context=context)
        _signed_in(connection, server)
        at("auth")
        yield connection
    finally:
        connection.close()


def _connected(server: MailServer, *, timeouts: Timeouts, context: ssl.SSLContext | None) -> smtplib.SMTP:
    import smtplib

    name = "[127.0.0.1]"  # given, so that the library does not look one up in the DNS; replaced below
    if server.security is Security.TLS:
        trust = context or _system_trust()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=name, timeout=timeouts.connect, context=trust
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=timeouts.connect)
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
        raise deferred(f"the server answered {code} {words(reply)} to EHLO", phase="greeting")


def _signed_in(connection: smtplib.SMTP, server: MailServer) -> None:
    if not server.username:
        return
    with deferring("sign in"):
        connection.login(server.username, server.password)
