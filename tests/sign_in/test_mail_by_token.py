"""Mail with an access token: XOAUTH2 at a mail server and at Dovecot, and a grant that ends while mail waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from aiosmtpd.smtp import AuthResult
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MARK, SMTP_PASSWORD
from tests.sign_in.oauth_account import Account
from tests.world.authorization import USER, AuthorizationServer
from tests.world.dovecot import Dovecot, dovecot, has_dovecot
from tests.world.mail_servers import CALM, Running, free_port, mail_server
from tests.world.product import GRACE, MAIL, Bureau, yes

from sequences_mcp.engine.channels.mail_server import MailServer, probe
from sequences_mcp.engine.inbound.imap import ImapServer, ImapWalker, probe_inbox
from sequences_mcp.errors import InboxUnreadError, SettingsError
from sequences_mcp.settings import read_settings


@contextmanager
def submission(authorization: AuthorizationServer) -> Iterator[Running]:
    """Run a mail server that wants an access token of that authorization server."""
    with mail_server(auth_require_tls=False) as running:
        running.inbox.owner_of = authorization.owner
        yield running


def smtp(port: int) -> MailServer:
    """Return that server as a setting has it."""
    return MailServer.parse(f"smtp://ada%40example.com;AUTH=XOAUTH2@127.0.0.1:{port}")


def imap(server: Dovecot) -> ImapServer:
    """Return Dovecot as a setting has it."""
    return ImapServer.parse(f"imap://ada%40example.com;auth=xoauth2@127.0.0.1:{server.port}")


def test_a_token_signs_in_at_the_mail_server(account: Account) -> None:
    with submission(account.server) as running:
        found = probe(smtp(running.port), timeouts=CALM, tokens=account.process().current)
    assert found.ok and "signed in as ada@example.com" in found.words


def test_a_token_that_the_server_refuses_is_renewed_once(account: Account) -> None:
    with submission(account.server) as running:
        tokens = account.process()
        tokens.current()
        account.server.expire()
        assert probe(smtp(running.port), timeouts=CALM, tokens=tokens.current).ok
        assert account.server.asked == ["refresh_token"]


def test_a_server_that_refuses_every_token_is_not_asked_for_ever(account: Account) -> None:
    account.server.user = "somebody@example.com"  # who agreed has another mailbox
    account.agree()
    with submission(account.server) as running:
        found = probe(smtp(running.port), timeouts=CALM, tokens=account.process().current)
    assert not found.ok and found.words.endswith("the server answered 535 5.7.8 to sign in")
    assert account.server.asked == ["refresh_token"]
    assert running.inbox.commands.count("AUTH") == 2
    assert MARK not in heard("a probe", repr(found))


def test_a_server_without_xoauth2_is_told_so_and_nothing_is_shown_to_it(account: Account) -> None:
    with mail_server(auth_require_tls=False, auth_exclude_mechanism=["XOAUTH2"]) as running:
        found = probe(smtp(running.port), timeouts=CALM, tokens=account.process().current)
    assert not found.ok and "does not offer XOAUTH2" in found.words
    assert "AUTH" not in running.inbox.commands


@pytest.mark.parametrize("url", ["smtp://ada;AUTH=XOAUTH2:pw@127.0.0.1:1", "smtp://;AUTH=XOAUTH2@127.0.0.1:1"])
def test_a_url_with_a_token_has_a_user_and_no_password(url: str) -> None:
    with pytest.raises(SettingsError):
        MailServer.parse(url)
    with pytest.raises(SettingsError):
        ImapServer.parse(url.replace("smtp:", "imap:"))


@pytest.fixture
def inbox(authorization: AuthorizationServer) -> Iterator[Dovecot]:
    """A Dovecot that asks the authorization server about each token."""
    if not has_dovecot():
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
    with dovecot(introspection=authorization.introspection) as server:
        yield server


def test_a_token_signs_in_at_dovecot(account: Account, inbox: Dovecot) -> None:
    found = probe_inbox(imap(inbox), tokens=account.process().current)
    assert found.ok, found


def test_a_token_that_dovecot_refuses_is_renewed_on_the_same_connection(account: Account, inbox: Dovecot) -> None:
    tokens = account.process()
    tokens.current()
    account.server.expire()
    walker = ImapWalker(imap(inbox), tokens=tokens.current)
    assert "INBOX" in walker.folders()
    walker.close()
    assert walker.logins == 1 and account.server.asked == ["refresh_token"]


def test_a_grant_that_is_over_is_said_by_the_reader_too(account: Account, inbox: Dovecot) -> None:
    account.server.revoke()
    walker = ImapWalker(imap(inbox), tokens=account.process().current)
    with pytest.raises(InboxUnreadError, match=r"ada@example\.com has to be signed in again at Microsoft") as told:
        walker.folders()
    assert told.value.data["refused"] and "mail sign-in ada" in told.value.next_step
    assert MARK not in heard("an error", repr(told.value.data) + str(told.value))


def knows_the_password(
    server: object, session: object, envelope: object, mechanism: str, data: object
) -> AuthResult:
    """Take the password of the mailbox for its user."""
    proof = (getattr(data, "login", b""), getattr(data, "password", b""))
    return AuthResult(success=proof == (USER.encode(), SMTP_PASSWORD.value.encode()), handled=False)


def test_a_mailbox_sends_with_a_password_and_is_read_with_a_token(account: Account, inbox: Dovecot) -> None:
    with mail_server(auth_require_tls=False, authenticator=knows_the_password) as running:
        (account.folder / "smtp.secret").touch(mode=0o600)
        (account.folder / "smtp.secret").write_text(SMTP_PASSWORD.value)
        servers = {"smtp": f"smtp://127.0.0.1:{running.port}", "imap": f"imap://127.0.0.1:{inbox.port}"}
        table = f'{account.table(**servers)}\npassword = {{ file = "smtp.secret" }}\n'
        (account.folder / "settings.toml").write_text(table)
        mailbox = read_settings({"SEQUENCES_DATA_DIR": str(account.folder)}).mailbox
        assert mailbox.smtp_url is not None and mailbox.imap_url is not None
        tokens = mailbox.tokens(account.clock)
        sending = probe(MailServer.parse(mailbox.smtp_url.value), timeouts=CALM, tokens=tokens)
        reading = probe_inbox(ImapServer.parse(mailbox.imap_url.value), tokens=tokens)
    assert sending.ok, sending.words
    assert reading.ok, reading
    assert MARK not in heard("two probes", f"{sending!r} {reading!r}")


OUTAGES = {
    "nobody listens": ("gone", "its sign-in service cannot be reached"),
    "an error": ("500", "its sign-in service answered HTTP 500"),
    "a page": ("page", "its sign-in service answered HTTP 200"),
}


@pytest.mark.parametrize(("kind", "words"), OUTAGES.values(), ids=OUTAGES.keys())
async def test_while_the_sign_in_service_fails_mail_waits_and_no_mail_server_is_blamed(
    account: Account, bureau: Bureau, kind: str, words: str
) -> None:
    with submission(account.server) as running:
        account = replace(account, clock=bureau.clock)
        port = account.server.port
        if kind == "gone":
            account.server.port = free_port()
        table = account.table(smtp=f"smtp://127.0.0.1:{running.port}")
        (bureau.folder / "settings.toml").write_text(table)
        if kind == "500":
            account.server.script = [(500, {})] * 3
        elif kind == "page":
            account.server.raw = [(200, b"<!doctype html><title>Sign in to the network</title>")] * 3
        bureau.forward(hours=2)
        async with bureau.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
            for _ in range(3):
                bureau.work()
                bureau.forward(hours=1)
            bureau.forward(hours=-1)
            told = " ".join((await desktop.call("list_providers"))["broken"])
            assert f"E-mails from ada@example.com wait, tried in vain 3 times in a row: {USER} cannot be" in told
            assert words in told and "by itself" in told and "refuse" not in told
            [run] = (await desktop.call("list_sequences"))["items"]
            assert run["status"] == "ACTIVE" and "EHLO" not in running.inbox.commands
            account.server.port = port
            (bureau.folder / "settings.toml").write_text(account.table(smtp=f"smtp://127.0.0.1:{running.port}"))
            bureau.forward(hours=1)
            bureau.work()
            [run] = (await desktop.call("list_sequences"))["items"]
    assert len(running.inbox.taken) == 1 and run["status"] == "COMPLETED"


async def test_no_step_fails_when_a_grant_ends_and_signing_in_again_sends_what_waited(
    account: Account, bureau: Bureau
) -> None:
    with submission(account.server) as running:
        account = replace(account, clock=bureau.clock)
        table = account.table(smtp=f"smtp://127.0.0.1:{running.port}")
        (bureau.folder / "settings.toml").write_text(table)
        account.server.revoke()
        bureau.forward(hours=2)
        async with bureau.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
            assert started["outcome"] == "done"
            for _ in range(6):
                bureau.forward(hours=1)
                bureau.work()
            [run] = (await desktop.call("list_sequences"))["items"]
            told = " ".join((await desktop.call("list_providers"))["broken"])
            assert run["status"] == "ACTIVE", run
            assert "ada@example.com has to be signed in again at Microsoft" in told
            assert "sequences-mcp mail sign-in ada" in told and MARK not in told
            assert "The mail server refuses" not in told
            assert account.server.asked == ["refresh_token"] and not running.inbox.taken
            account.agree()
            bureau.forward(hours=1)
            bureau.work()
            [run] = (await desktop.call("list_sequences"))["items"]
            state = await desktop.call("list_providers")
            told = " ".join(state["broken"])
    assert state["delivery"].endswith(
        "signs in with Microsoft since 2026-11-23, until it is revoked, or after 90 days without use"
    )
    assert len(running.inbox.taken) == 1 and "signed in again" not in told
    assert run["status"] == "COMPLETED"
