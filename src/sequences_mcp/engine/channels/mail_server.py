"""Where e-mails are handed over, and how long it may take."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from sequences_mcp.errors import SettingsError

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
    """A submission server and the account on it; without a ``username`` nobody signs in."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: Password = _NO_PASSWORD

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Return the server of ``smtps://user:password@host:465`` or ``smtp://…:587``.

        ``smtp`` requires STARTTLS, except on this very machine, where it is plain. User and password are
        percent-encoded. Raises SettingsError, which never repeats the URL: it may hold the password.
        """
        parts, port = _split(url)
        host = parts.hostname or ""
        if parts.scheme == "smtps":
            security = Security.TLS
        else:
            security = Security.PLAIN if is_loopback(host) else Security.STARTTLS
        username, password = (_credential(text) for text in (parts.username, parts.password))
        if bool(username) != bool(password):
            _bad("it has a user without a password, or a password without a user")
        return cls(host=host, port=port, security=security, username=username, password=Password(password))

    def without_password(self, text: str) -> str:
        """Return a text in which no form of the password, as it is sent, stands any more."""
        if not self.password:
            return text
        secret, user = self.password.encode(), self.username.encode()
        forms = [self.password, *(b64encode(one).decode() for one in (secret, b"\0" + user + b"\0" + secret))]
        for form in forms:
            if len(form) >= _TELLING:
                text = text.replace(form, "…")
        return text

    @property
    def where(self) -> str:
        """The server as ``smtp://host:port``, without the account."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.security is Security.TLS else 'smtp'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait: for the connection, for each answer, and for the one after the final dot.

    RFC 5321, section 4.5.3.2.6 asks for ten minutes there: giving up earlier makes an unknown out of a slow yes.
    ``total`` is for all up to the final dot; it ends before the claim on the e-mail does.
    """

    connect: float = 20
    command: float = 30
    final: float = 600
    total: float = 100


PATIENT = Timeouts()


def is_loopback(host: str) -> bool:
    """Say whether a host is this very machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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
    """Say whether something in the user or the password would be read as the end of the host."""
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
