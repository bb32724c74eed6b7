"""The certificate of a server that speaks TLS itself: read again when its files change, without a restart.

Certificates hold for weeks, and what renews them writes the files from outside.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from sequences_mcp.errors import SettingsError
from sequences_mcp.server.http.options import ServeOptions

log = logging.getLogger(__name__)
FileState = tuple[tuple[int, int, int] | None, ...]


class RenewedCertificate:
    """A certificate with its chain, and its key, as PEM files; SettingsError where they cannot be used at first.

    ``context`` is what connections begin with. Each is then given the newest: one context would keep an old
    certificate beside a new one that has a key of another kind.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain, self._key = chain, key
        self._seen = self._state()
        try:
            self.context = self._loaded()
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"The certificate in {chain} with the key in {key} cannot be used: {error}.",
                next_step="--tls-cert and --tls-key are PEM files that belong together, without a password.",
            ) from error
        self._newest = self.context
        self.context.sni_callback = self._give

    def look(self) -> None:
        """Take the files if they changed; where they cannot be used, those before stay, and the log says why."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._newest = self._loaded()
        except (OSError, ValueError) as error:
            log.error("The new certificate in %s is not used, and the one before stays: %s", self._chain, error)
        else:
            log.warning("The new certificate in %s is used from now on", self._chain)

    def _give(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._newest

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._chain, self._key, password=_no_password)
        return context

    def _state(self) -> FileState:
        return tuple(_state_of(path) for path in (self._chain, self._key))


def certificate_of(options: ServeOptions) -> RenewedCertificate | None:
    """Return the certificate that the options name, None where a proxy speaks TLS or nobody; SettingsError."""
    if options.certificate is None or options.private_key is None:
        return None
    return RenewedCertificate(options.certificate, options.private_key)


def _no_password() -> str:
    raise ValueError("the key needs a password, which nobody is there to type")


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_ino, facts.st_size
