"""Delivery over SMTP, phase by phase, so that the caller can commit between the text and the final dot.

``smtplib.sendmail`` does not show that moment. An e-mail that fails before the dot was certainly not accepted;
after the dot only the server's answer tells (RFC 5321, section 4.2.5; RFC 1047).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from sequences_mcp.engine.channels import mail_server, replies
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt, require_sound_message

if TYPE_CHECKING:
    import smtplib
    import ssl


def deliver_by_smtp(
    server: mail_server.MailServer,
    message: ComposedMessage,
    *,
    before_dot: Callable[[], None],
    timeouts: mail_server.Timeouts = mail_server.PATIENT,
    context: ssl.SSLContext | None = None,
    at: Callable[[str], None] = lambda phase: None,
    tokens: mail_server.Tokens | None = None,
) -> Receipt:
    """Hand one e-mail to the server and return the server's acceptance.

    ``before_dot`` is called once, when all but the final dot has been written; if it raises, the connection is cut
    and nothing was accepted. ``at`` is called with each phase that is done: connect, auth, rcpt, data, half, body,
    dot, reply. All up to the dot takes ``timeouts.total`` at most, the answer to the dot ``timeouts.final``,
    however slowly the server answers. Raises DeliveryDeferredError, DeliveryWithheldError, DeliveryRejectedError
    (``data["bounced"]``) or DeliveryUnknownError; none of them, nor the receipt, repeats the password. ``tokens``
    gives the access token where the server asks for one; one that it refuses is renewed, once.
    """
    require_sound_message(message)

    def deliver(server: mail_server.MailServer) -> Receipt:
        return _delivered(server, message, before_dot=before_dot, timeouts=timeouts, context=context, at=at)

    return mail_server.with_fresh_token(server, tokens, deliver)


def _delivered(
    server: mail_server.MailServer,
    message: ComposedMessage,
    *,
    before_dot: Callable[[], None],
    timeouts: mail_server.Timeouts,
    context: ssl.SSLContext | None,
    at: Callable[[str], None],
) -> Receipt:
    with (
        mail_server.without_secrets(server),
        mail_server.Deadline(timeouts.total) as deadline,
        mail_server.session(server, timeouts=timeouts, context=context, at=at, deadline=deadline) as connection,
    ):
        _address(connection, message)
        at("rcpt")
        _open_text(connection)
        at("data")
        _write_text(connection, message.data, at=at)
        at("body")
        before_dot()
        deadline.extend(timeouts.final)
        return Receipt(
            replies.server_words_shown(_finish(connection, timeouts, at=at), clean=server.without_password)
        )


def _address(connection: smtplib.SMTP, message: ComposedMessage) -> None:
    options = []
    if message.smtputf8:
        if not connection.has_extn("smtputf8"):
            raise replies.withheld_error(
                "the server does not offer SMTPUTF8, which this address needs",
                phase="MAIL",
                next_step="An address in ASCII letters (save_contacts) and a new start, or another mail server.",
            )
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    with replies.deferring("MAIL"):
        code, reply = connection.mail(message.sender, options)
    if code != 250:
        raise replies.refused_error(code, reply, phase="MAIL")
    with replies.deferring("RCPT"):
        code, reply = connection.rcpt(message.recipient)
    if code not in (250, 251):
        raise replies.refused_error(code, reply, phase="RCPT")


def _open_text(connection: smtplib.SMTP) -> None:
    with replies.deferring("DATA"):
        code, reply = connection.docmd("DATA")
    if code != 354:
        raise replies.refused_error(code, reply, phase="DATA")


def _write_text(connection: smtplib.SMTP, data: bytes, *, at: Callable[[str], None]) -> None:
    """Write the text, dot-stuffed, up to and with the CRLF that the final dot follows."""
    stuffed = re.sub(rb"(?m)^\.", b"..", data if data.endswith(b"\r\n") else data + b"\r\n")
    middle = len(stuffed) // 2
    with replies.deferring("text"):
        connection.send(stuffed[:middle])
    at("half")
    with replies.deferring("text"):
        connection.send(stuffed[middle:])
        _require_silence(connection)


def _require_silence(connection: smtplib.SMTP) -> None:
    """Raise where the server answered or closed the connection before the dot: neither is an acceptance."""
    early = _early_words(connection)
    if early is not None:
        why = "the server ended it before the text was complete"
        raise replies.deferred_error(why, phase="text", reply=replies.server_words("", early))


def _early_words(connection: smtplib.SMTP) -> bytes | None:
    """Return an answer that came too early, empty where the connection is closed; None where nothing came."""
    import ssl

    sock, answers = connection.sock, connection.file
    if sock is None or answers is None:
        return b""
    patience = sock.gettimeout()
    sock.settimeout(0)
    try:
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            return sock.recv(512)
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            return answers.peek(1) or None  # came in one packet with the answer before, and was read with it
    finally:
        sock.settimeout(patience)
    return None


def _finish(connection: smtplib.SMTP, timeouts: mail_server.Timeouts, *, at: Callable[[str], None]) -> str:
    try:
        if connection.sock is not None:
            connection.sock.settimeout(timeouts.final)
        connection.send(b".\r\n")
        at("dot")
        code, reply = connection.getreply()
    except OSError as error:  # every error of smtplib is one too
        raise replies.unknown_error(
            f"the connection was lost before the server's answer ({replies.described(error)})"
        ) from error
    at("reply")
    with suppress(OSError):
        connection.send(b"QUIT\r\n")  # its answer tells nothing and could only keep us from writing down this one
    if 200 <= code <= 299:
        return replies.server_words(code, reply)
    if 400 <= code <= 599:
        raise replies.refused_error(code, reply, phase="the final dot")
    raise replies.unknown_error(f"the server's answer was none: {code}", reply=replies.server_words(code, reply))
