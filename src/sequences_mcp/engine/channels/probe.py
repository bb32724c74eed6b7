"""Whether e-mails could leave, found out without sending one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sequences_mcp.engine.channels.mail_server import PATIENT, MailServer, Security, Timeouts
from sequences_mcp.engine.channels.session import Deadline, session, without_secrets
from sequences_mcp.errors import DeliveryDeferredError

if TYPE_CHECKING:
    import ssl

_PROTECTION = {
    Security.TLS: "TLS, certificate verified",
    Security.STARTTLS: "STARTTLS, certificate verified",
    Security.PLAIN: "unencrypted, on this machine",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found, in this program's words; ``server_reply`` is what a server said that refused."""

    ok: bool
    words: str
    server_reply: str = ""


def probe(server: MailServer, *, timeouts: Timeouts = PATIENT, context: ssl.SSLContext | None = None) -> Probe:
    """Connect, greet, encrypt and sign in, and say how far that went."""
    try:
        with (
            without_secrets(server),
            Deadline(timeouts.total) as deadline,
            session(server, timeouts=timeouts, context=context, at=lambda phase: None, deadline=deadline),
        ):
            account = f"signed in as {server.username}" if server.username else "no account"
            return Probe(True, f"{server.where} answers ({_PROTECTION[server.security]}; {account})")
    except DeliveryDeferredError as error:
        reply = str(error.data.get("server_reply", ""))
        return Probe(False, f"{server.where}: {error.data['why']}", reply)
