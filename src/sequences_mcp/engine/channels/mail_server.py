"""A mail server: its address, a connection to it, and whether e-mails could leave."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from sequences_mcp.engine.channels import replies
from sequences_mcp.errors import DeliveryDeferredError, DeliveryError, SettingsError, SignInError
from sequences_mcp.hosts import is_loopback
from sequences_mcp.lazy_dataclasses import dataclass, replace

if TYPE_CHECKING:
    import smtplib
    import ssl


T = TypeVar("T")
Tokens = Callable[[str], str]  # gives an access token that is not the one refused; SignInError
_TELLING = 3  # letters: a shorter password stands in every word
_ENCODE = (
    "a `/`, `?`, `#` or `@` in a user or password has to be percent-encoded: %2F for `/`, %3F for `?`, %23 for "
    "`#`, %40 for `@`"
)
_PORTS = {"smtp": 587, "smtps": 465}


class Security(StrEnum):
    """How the connection is protected; ``plain`` never leaves this machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"


class Password(str):
    """A password whose ``repr`` does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Password(…)"


_NO_PASSWORD = Password("")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A submission server and the account on it; without a ``username`` nobody signs in.

    ``with_token``: the password is an access token of OAuth 2.0, which is given at each sign-in.
    """

    host: str
    port: int
    security: Security
    username: str = ""
    password: Password = _NO_PASSWORD
    with_token: bool = False

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Return the server of ``smtps://user:password@host:465`` or ``smtp://…:587``.

        ``smtp`` requires STARTTLS, except on this very machine, where it is plain. User and password are
        percent-encoded; ``user;AUTH=XOAUTH2`` in place of both signs in with an access token (as RFC 5092 writes
        it). Raises SettingsError, which never repeats the URL: it may hold the password.
        """
        parts, port = _split(url)
        host = parts.hostname or ""
        if parts.scheme == "smtps":
            security = Security.TLS
        else:
            security = Security.PLAIN if is_loopback(host) else Security.STARTTLS
        user, with_token = user_of_url(parts.username or "")
        username, password = (_credential(text) for text in (user, parts.password))
        if with_token and (password or not username):
            _bad(f"with {XOAUTH2_URL} it has a user and no password")
        if bool(username) != bool(password) and not with_token:
            _bad("it has a user without a password, or a password without a user")
        return cls(
            host=host,
            port=port,
            security=security,
            username=username,
            password=Password(password),
            with_token=with_token,
        )

    def without_password(self, text: str) -> str:
        """Return a text in which no form of the password, as it is sent, stands any more."""
        return without_credential(text, username=self.username, password=self.password)

    @property
    def where(self) -> str:
        """The server as ``smtp://host:port``, without the account."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.security is Security.TLS else 'smtp'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait: for the connection, for each answer, and for the one after the final dot.

    RFC 5321, section 4.5.3.2.6 asks for ten minutes there: giving up earlier would make a slow answer unknown.
    ``total`` is for all up to the final dot; it ends before the claim on the e-mail does.
    """

    connect: float = 20
    command: float = 30
    final: float = 600
    total: float = 100


PATIENT = Timeouts()


XOAUTH2_URL = ";AUTH=XOAUTH2"


def user_of_url(text: str) -> tuple[str, bool]:
    """Return the user of a mail server's address, still encoded, and whether they sign in with an access token."""
    is_token = text.upper().endswith(XOAUTH2_URL)
    return (text[: -len(XOAUTH2_URL)] if is_token else text), is_token


def token_proof(username: str, token: str) -> str:
    """Return what XOAUTH2 signs in with.

    https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
    """
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


def without_credential(text: str, *, username: str, password: str) -> str:
    """Return a text in which a password or token stands in none of the forms that SMTP and IMAP send it in.

    They are: as it is, between the quotes of IMAP (RFC 9051, section 9), and in Base64 alone, with PLAIN
    (RFC 4616) and with XOAUTH2. A form of fewer than three letters stays: other words have it by chance.
    """
    if not password:
        return text
    secret, user = password.encode(), username.encode()
    sent = (secret, b"\0" + user + b"\0" + secret, token_proof(username, password).encode())
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    for form in (quoted, password, *(b64encode(item).decode() for item in sent)):
        if len(form) >= _TELLING:
            text = text.replace(form, "…")
    return text


def _split(url: str) -> tuple[SplitResult, int]:
    if any(not " " < letter <= "~" for letter in url):
        _bad("it contains a space or a letter outside ASCII; write those percent-encoded")
    if _has_raw_sign(url):
        _bad(_ENCODE)
    parts, port = _read(url)
    if parts is None:
        _bad("its host or port cannot be read")
    if parts.scheme not in _PORTS:
        _bad("it does not start with smtp:// or smtps://")
    if not parts.hostname or port == 0:
        _bad("it names no host, or port 0")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        _bad(f"something follows the host; {_ENCODE}")
    _refuse_crossed(parts.scheme, port, parts.hostname)
    return parts, port or _PORTS[parts.scheme]


def _has_raw_sign(url: str) -> bool:
    """Say whether user or password contain a character that urlsplit would take for the end of the host."""
    _, _, rest = url.partition("://")
    account, at, _ = rest.rpartition("@")
    return bool(at) and any(sign in account for sign in "#/?")


def _refuse_crossed(scheme: str, port: int | None, host: str) -> None:
    """Raise for a scheme on the port of the other one, where no server understands it."""
    if (scheme, port) == ("smtps", 587) and not is_loopback(host):
        _bad("smtps:// begins with TLS and port 587 in plain: write smtp://…:587, or smtps://…:465")
    if (scheme, port) == ("smtp", 465) and not is_loopback(host):
        _bad("port 465 begins with TLS and smtp:// in plain: write smtps://…:465, or smtp://…:587")


def _read(url: str) -> tuple[SplitResult | None, int | None]:
    """Return the parts, or None; the library's own error is dropped, because it may quote the password."""
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        return parts, parts.port
    except ValueError:
        return None, None


def _credential(text: str | None) -> str:
    plain = unquote(text or "")
    if not plain.isascii() or not plain.isprintable():
        _bad("its user or password has letters outside printable ASCII, which Python's SMTP cannot sign in with")
    return plain


def _bad(why: str) -> NoReturn:
    raise SettingsError(
        f"This is not the address of a mail server: {why}.",
        next_step="Write it like `smtps://user:password@smtp.example.com:465`.",
    )


class Deadline:
    """Closes a connection after a total time, which a socket's time-out does not: that begins anew at each byte.

    A context manager around all that is done on the connection, with a thread of its own that does the cutting.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = self._made(seconds)
        self._socket: socket.socket | None = None
        self.is_over = False

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
        """Close this connection, and none before it, when the time is over, also after TLS was put around it."""
        before, self._socket = self._socket, sock.dup()
        if before is not None:
            before.close()
        if self.is_over:  # while there was none yet, as in looking for the host
            self._cut()

    def extend(self, seconds: float) -> None:
        """Begin the total time anew."""
        self._timer.cancel()
        self._timer = self._made(seconds)
        self._timer.start()

    def _made(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        return timer

    def _cut(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def without_secrets(server: MailServer) -> Iterator[None]:
    """Take the password out of the server's words in every delivery error that leaves the block."""
    try:
        yield
    except DeliveryError as error:
        clean = server.without_password
        data = {name: clean(value) if isinstance(value, str) else value for name, value in error.data.items()}
        if reply := error.data.get("server_reply"):
            data["server_reply"] = replies.server_words_shown(str(reply), clean=clean)
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

    ``context`` is the system's trust by default. ``at`` is called with ``connect`` and ``auth`` when these are
    done. Every failure is a DeliveryDeferredError: none can be about the recipient before RCPT.
    """
    if server.security is Security.PLAIN and not is_loopback(server.host):
        raise replies.deferred_error(
            f"plain SMTP is for this machine only, and {server.host} is another", phase="connect"
        )
    with replies.deferring("connect"):
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
            # The final dot is a write of its own and would wait until the receiver says it has the text, which
            # many put off for 40 ms (RFC 896; RFC 1122, section 4.2.3.2).
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
    """Return an address literal (RFC 5321, section 4.1.3): so that the host's name is not sent to servers."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _secured(connection: smtplib.SMTP, server: MailServer, *, context: ssl.SSLContext | None) -> None:
    _greet(connection)
    if server.security is not Security.STARTTLS:
        return
    if not connection.has_extn("starttls"):
        raise replies.deferred_error(
            "the server does not offer STARTTLS, and nothing is sent unencrypted", phase="starttls"
        )
    with replies.deferring("starttls"):
        connection.starttls(context=context or _system_trust())
    _greet(connection)


def _greet(connection: smtplib.SMTP) -> None:
    with replies.deferring("greeting"):
        code, reply = connection.ehlo()
    if not 200 <= code <= 299:
        raise replies.deferred_error(
            f"the server answered {code} to EHLO", phase="greeting", reply=replies.server_words(code, reply)
        )


_UNABLE = frozenset({500, 501, 502, 504, 534})  # of the mechanism, not of the password
_MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")


def _signed_in(connection: smtplib.SMTP, server: MailServer) -> None:
    """Sign in with one mechanism only: servers count failed sign-ins and lock the account after a few."""
    if not server.username:
        return
    offered = connection.esmtp_features.get("auth", "").upper().split()
    known = ("XOAUTH2",) if server.with_token else _MECHANISMS
    ways = [name for name in known if name in offered]
    if not ways:
        none = "the server offers no way to sign in that is known here"
        without = "the server does not offer XOAUTH2, so no access token signs in there"
        raise replies.deferred_error(without if server.with_token else none, phase="sign in")
    connection.user, connection.password = server.username, server.password
    for way in ways:
        code, reply = _tried(connection, way)
        if code in (235, 503):  # 503: signed in already
            return
        if code not in _UNABLE:
            break
    raise replies.refused_error(code, reply, phase="sign in")


def _tried(connection: smtplib.SMTP, way: str) -> tuple[int, bytes]:
    import smtplib

    proof: dict[str, Any] = {
        "PLAIN": connection.auth_plain,
        "LOGIN": connection.auth_login,
        "CRAM-MD5": connection.auth_cram_md5,
        # A server that refuses says why in a challenge, and waits for an empty line before its answer.
        "XOAUTH2": lambda challenge=None: "" if challenge else token_proof(connection.user, connection.password),
    }
    with replies.deferring("sign in"):
        try:
            return connection.auth(way, proof[way], initial_response_ok=way != "CRAM-MD5")
        except smtplib.SMTPAuthenticationError as error:
            reply = error.smtp_error
            return error.smtp_code, reply if isinstance(reply, bytes) else reply.encode()
        except ValueError as error:  # a challenge that is no base64
            raise replies.deferred_error("the server's challenge cannot be read", phase="sign in") from error


def with_fresh_token(server: MailServer, tokens: Tokens | None, act: Callable[[MailServer], T]) -> T:
    """Return the result of ``act`` at a server; an access token that the server refuses is renewed once.

    Raises what ``act`` raises, and DeliveryDeferredError where there is no token.
    """
    if not server.with_token:
        return act(server)
    token = _token(tokens)
    try:
        return act(replace(server, password=token))
    except DeliveryDeferredError as error:
        is_refused = error.data.get("phase") == "sign in" and str(error.data.get("code", "")).startswith("5")
        if not is_refused:
            raise
    return act(replace(server, password=_token(tokens, refused=token)))


def _token(tokens: Tokens | None, *, refused: str = "") -> Password:
    if tokens is None:
        raise replies.deferred_error("the settings name no client to sign in with", phase="sign in")
    try:
        return Password(tokens(refused))
    except SignInError as error:
        why = error.message.rstrip(".")
        raise replies.deferred_error(why, phase="sign in", next_step=error.next_step) from error


_PROTECTION = {
    Security.TLS: "TLS, certificate verified",
    Security.STARTTLS: "STARTTLS, certificate verified",
    Security.PLAIN: "unencrypted, on this machine",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of a probe, in this program's words; ``server_reply`` is the answer of a server that refused."""

    ok: bool
    words: str
    server_reply: str = ""


def probe(
    server: MailServer,
    *,
    timeouts: Timeouts = PATIENT,
    context: ssl.SSLContext | None = None,
    tokens: Tokens | None = None,
) -> Probe:
    """Connect, greet, encrypt and sign in, and say how far that went."""

    def look(server: MailServer) -> Probe:
        with (
            without_secrets(server),
            Deadline(timeouts.total) as deadline,
            session(server, timeouts=timeouts, context=context, at=lambda phase: None, deadline=deadline),
        ):
            account = f"signed in as {server.username}" if server.username else "no account"
            return Probe(True, f"{server.where} answers ({_PROTECTION[server.security]}; {account})")

    try:
        return with_fresh_token(server, tokens, look)
    except DeliveryDeferredError as error:
        reply = str(error.data.get("server_reply", ""))
        return Probe(False, f"{server.where}: {error.data['why']}", reply)
