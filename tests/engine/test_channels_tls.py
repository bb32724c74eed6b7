"""Encryption and sign-in: verified, required, and never the recipient's fault."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.secrecy import planted
from tests.world.mail_servers import CALM, Running, mail_server

from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.mail_server import Deadline, MailServer, Password, Security, probe, session
from sequences_mcp.engine.channels.message import Receipt, compose
from sequences_mcp.engine.channels.smtp import deliver_by_smtp
from sequences_mcp.errors import DeliveryDeferredError

ACCOUNT = {"username": "ada", "password": Password(planted.SMTP_PASSWORD.value)}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def client_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def sign_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    known = data == LoginPassword(b"ada", planted.SMTP_PASSWORD.value.encode())
    return AuthResult(success=known, handled=known)


def send(server: MailServer, context: ssl.SSLContext | None = None) -> Receipt:
    date = datetime(2026, 11, 23, 9, tzinfo=UTC)
    mail = compose(
        sender=Sender("ada@example.com", "Ada", "Lovelace"),
        recipient="bob@example.org",
        subject="Hello",
        content="Hi Bob",
        message_id="<a@example.com>",
        date=date,
    )
    return deliver_by_smtp(server, mail, before_dot=lambda: None, timeouts=CALM, context=context)


def demanding(authority: trustme.CA) -> dict[str, Any]:
    """Return the options of a server that wants STARTTLS and a password."""
    return {
        "tls_context": server_side(authority),
        "require_starttls": True,
        "auth_required": True,
        "authenticator": sign_in,
    }


def test_an_e_mail_leaves_over_starttls_with_a_password(authority: trustme.CA) -> None:
    with mail_server(**demanding(authority)) as running:
        receipt = send(running.server(Security.STARTTLS, **ACCOUNT), client_side(authority))
    assert receipt.reply.startswith("250")
    assert len(running.inbox.taken) == 1


def test_an_e_mail_leaves_over_implicit_tls(authority: trustme.CA) -> None:
    with mail_server(ssl_context=server_side(authority)) as running:
        assert send(running.server(Security.TLS), client_side(authority)).reply.startswith("250")
    assert len(running.inbox.taken) == 1


def test_the_systems_trust_is_used_and_the_environment_may_add_to_it(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with mail_server(ssl_context=server_side(authority)) as running:
        with pytest.raises(DeliveryDeferredError, match="certificate verify failed"):
            send(running.server(Security.TLS))
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert send(running.server(Security.TLS)).reply.startswith("250")


@pytest.mark.parametrize("security", Security)
def test_the_final_dot_waits_for_no_acknowledgement_of_the_text(authority: trustme.CA, security: Security) -> None:
    kind = {Security.TLS: "ssl_context", Security.STARTTLS: "tls_context"}.get(security)
    options: dict[str, Any] = {kind: server_side(authority)} if kind else {}
    with (
        mail_server(**options) as running,
        Deadline(CALM.total) as deadline,
        session(
            running.server(security),
            timeouts=CALM,
            context=client_side(authority),
            at=lambda phase: None,
            deadline=deadline,
        ) as connection,
    ):
        assert connection.sock is not None
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_certificate_for_another_host_is_refused(authority: trustme.CA, security: Security) -> None:
    context = server_side(authority, host="mx.example.net")
    options: dict[str, Any] = {"ssl_context": context} if security is Security.TLS else {"tls_context": context}
    with mail_server(**options) as running, pytest.raises(DeliveryDeferredError, match="certificate"):
        send(running.server(security, **ACCOUNT), client_side(authority))
    assert running.inbox.seen == 0


def test_nothing_is_said_to_a_server_that_does_not_offer_starttls() -> None:
    with mail_server() as running, pytest.raises(DeliveryDeferredError, match="does not offer STARTTLS"):
        send(running.server(Security.STARTTLS, **ACCOUNT))
    assert running.inbox.seen == 0


def test_a_refused_starttls_defers(authority: trustme.CA) -> None:
    script = {"STARTTLS": "454 4.7.0 TLS not available"}
    refusing = mail_server(script, **demanding(authority))
    with refusing as running, pytest.raises(DeliveryDeferredError, match="454"):
        send(running.server(Security.STARTTLS, **ACCOUNT), client_side(authority))
    assert running.inbox.seen == 0


def test_plain_smtp_never_goes_to_another_machine() -> None:
    with mail_server() as running:
        elsewhere = MailServer(host="localhost.", port=running.port, security=Security.PLAIN)
        with pytest.raises(DeliveryDeferredError, match="this machine only"):
            send(elsewhere)
    assert running.inbox.seen == 0


def wrong_password(running: Running) -> MailServer:
    return running.server(Security.STARTTLS, username="ada", password=Password(planted.MISTYPED.value))


def test_a_wrong_password_defers_and_is_never_repeated_in_words(authority: trustme.CA) -> None:
    with mail_server(**demanding(authority)) as running:
        with pytest.raises(DeliveryDeferredError, match="535") as caught:
            send(wrong_password(running), client_side(authority))
        found = probe(wrong_password(running), timeouts=CALM, context=client_side(authority))
    assert not found.ok
    assert "535" in found.words
    for text in (str(caught.value), repr(caught.value.data), found.words, repr(wrong_password(running))):
        assert planted.MARK not in text


@pytest.mark.parametrize("answer", ["535 5.7.8 bad", "454 4.7.0 try later", "drop"])
def test_a_failed_sign_in_is_never_the_recipients_fault(authority: trustme.CA, answer: str) -> None:
    refusing = mail_server({"AUTH": answer}, **demanding(authority))
    with refusing as running, pytest.raises(DeliveryDeferredError, match="sign in"):
        send(running.server(Security.STARTTLS, **ACCOUNT), client_side(authority))


def test_a_server_without_sign_in_defers_when_there_is_an_account(authority: trustme.CA) -> None:
    with (
        mail_server({"EHLO": "250 mx.example.org"}) as running,
        pytest.raises(DeliveryDeferredError, match="no way to sign in"),
    ):
        send(running.server(Security.PLAIN, **ACCOUNT))


def test_the_probe_names_encryption_and_account(authority: trustme.CA) -> None:
    with mail_server(**demanding(authority)) as running:
        found = probe(running.server(Security.STARTTLS, **ACCOUNT), timeouts=CALM, context=client_side(authority))
    assert found.ok
    assert found.words.endswith("answers (STARTTLS, certificate verified; signed in as ada)")
    assert running.inbox.seen == 0
