"""A mailbox whose two servers are two providers': a service that sends, and an inbox with another password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MARK, MISTYPED, SMTP_PASSWORD
from tests.sign_in.test_mail_connect import MailHost
from tests.sign_in.typist import at_terminal
from tests.world.authorization import CLIENT, USER, AuthorizationServer
from tests.world.dovecot import dovecot, has_dovecot
from tests.world.mail_servers import mail_server

from sequences_mcp.doctor import examine
from sequences_mcp.errors import SettingsError
from sequences_mcp.mailbox import Mailbox
from sequences_mcp.settings import read_settings

SENDING = f"key-{MARK}13z-sending"  # the inbox has SMTP_PASSWORD


def knows_the_key(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
    """Take the key of the service that sends, for the user that such services have."""
    proof = (getattr(data, "login", b""), getattr(data, "password", b""))
    return AuthResult(success=proof == (b"apikey", SENDING.encode()), handled=False)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[MailHost]:
    """A service that sends and an inbox elsewhere, and an empty data folder."""
    if not has_dovecot():
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
    with dovecot() as imap, mail_server(auth_require_tls=False, authenticator=knows_the_key) as smtp:
        found = MailHost(smtp, imap, tmp_path / "data")
        smtp.inbox.goes_on = lambda envelope: found.take(envelope)
        yield found


def servers(host: MailHost) -> list[str]:
    """Return the two servers, at two hosts, as options."""
    return ["--smtp", f"smtp://apikey@localhost:{host.smtp.port}", *host.servers[2:]]


def private(path: Path, text: str) -> str:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)


def test_each_server_is_signed_in_at_with_its_own_password(host: MailHost) -> None:
    host.folder.mkdir()
    private(host.folder / "key.secret", SENDING)
    private(host.folder / "inbox.secret", SMTP_PASSWORD.value)
    host.file.write_text(
        f'[mailboxes.ada]\nname = "Ada Lovelace"\naddress = "{USER}"\n'
        f'smtp = "smtp://apikey@127.0.0.1:{host.smtp.port}"\nimap = "imap://127.0.0.1:{host.imap.port}"\n'
        'password = { file = "key.secret" }\nimap_password = { file = "inbox.secret" }\n'
    )
    lines, _ = examine({"SEQUENCES_DATA_DIR": str(host.folder)})
    said = heard("the doctor", "\n".join(map(str, lines)))
    assert "signed in as apikey" in said and f"signed in as {USER}" in said and MARK not in said


def test_a_person_is_asked_for_the_password_of_the_inbox_where_the_hosts_differ(host: MailHost) -> None:
    with at_terminal("mail", "connect", USER, *servers(host), **host.environ) as typist:
        typist.answers("Your name", "Ada Lovelace")
        typist.answers("which sends", SENDING)
        typist.answers("only Enter: the same", SMTP_PASSWORD.value)
        typist.answers("Write it?", "y")
        typist.sees("verdict: all is well")
        assert typist.ends() == 0
    assert "imap_password = {" in host.file.read_text() and MARK not in host.file.read_text()
    secrets = [*(host.folder / "sign_in").glob("*.secret")]
    assert len(secrets) == 2 and not any(path.stat().st_mode & 0o077 for path in secrets)


def test_without_a_terminal_the_inbox_has_the_password_of_its_file_or_the_same(host: MailHost) -> None:
    key, inbox = (private(host.folder.parent / f"{name}.secret", text) for name, text in PASSWORDS.items())
    options = [
        "mail",
        "connect",
        USER,
        *servers(host),
        "--name",
        "Ada",
        "--yes",
        "--no-test",
        "--password-file",
        key,
    ]
    alone = host.run(*options)
    assert alone.returncode == 2 and "refuses to sign in" in alone.stdout and not host.file.exists()
    done = host.run(*options, "--imap-password-file", inbox)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = private(host.folder.parent / "wrong.secret", MISTYPED.value)
    text = host.file.read_text()
    assert host.run(*options, "--imap-password-file", wrong).returncode == 2 and host.file.read_text() == text
    assert host.run("doctor").stdout.count("signed in as") == 2


# A password at one server, OAuth at the other


@pytest.fixture
def mixed(authorization: AuthorizationServer, tmp_path: Path) -> Iterator[MailHost]:
    """A service that sends with a key, an inbox that takes tokens and a password, and an empty data folder."""
    if not has_dovecot():
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
    with (
        dovecot(introspection=authorization.introspection) as imap,
        mail_server(auth_require_tls=False, authenticator=knows_the_key) as smtp,
    ):
        found = MailHost(smtp, imap, tmp_path / "data")
        smtp.inbox.goes_on = lambda envelope: found.take(envelope)
        yield found


def test_a_person_says_which_server_has_a_password_beside_oauth(
    mixed: MailHost, authorization: AuthorizationServer
) -> None:
    options = ["--oauth", "microsoft", "--client-id", CLIENT, "--authority", authorization.url]
    with at_terminal("mail", "connect", USER, *servers(mixed), *options, **mixed.environ) as typist:
        typist.answers("Your name", "Ada Lovelace")
        typist.sees("2  127.0.0.1:")
        typist.answers("Signed in there [1]", "4")
        typist.sees("Type 1, 2 or 3.")
        typist.answers("Signed in there [1]", "2")
        typist.answers("which sends", SENDING)
        typist.sees(f"sign in as {USER}")  # and not as the user of the service that sends
        authorization.agree()
        typist.answers("Write it?", "y")
        typist.sees("verdict: all is well")
        assert typist.ends() == 0
    text = mixed.file.read_text()
    assert 'oauth = "microsoft"' in text and "\npassword = {" in text and "imap_password" not in text
    assert MARK not in text
    said = mixed.run("doctor").stdout
    assert "signed in as apikey" in said and f"signed in as {USER}" in said


def test_an_inbox_may_have_a_password_where_the_token_sends(
    authorization: AuthorizationServer, tmp_path: Path
) -> None:
    if not has_dovecot():
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
    options = ["--name", "Ada", "--oauth", "microsoft", "--client-id", CLIENT, "--authority", authorization.url]
    with dovecot() as imap, mail_server(auth_require_tls=False) as smtp:
        smtp.inbox.owner_of = authorization.owner
        host = MailHost(smtp, imap, tmp_path / "data")
        inbox = private(tmp_path / "inbox.secret", SMTP_PASSWORD.value)
        with at_terminal(
            "mail",
            "connect",
            USER,
            *host.servers,
            *options,
            "--imap-password-file",
            inbox,
            "--no-test",
            **host.environ,
        ) as typist:
            typist.sees("type this code")
            authorization.agree()
            typist.answers("Write it?", "y")
            typist.sees("is connected, as ada")
            assert typist.ends() == 0
        text = host.file.read_text()
        assert 'oauth = "microsoft"' in text and "\nimap_password = {" in text and "\npassword" not in text
        assert host.run("doctor").stdout.count(f"signed in as {USER}") == 2


def test_two_passwords_beside_oauth_and_one_without_an_inbox_are_refused(mixed: MailHost) -> None:
    key = private(mixed.folder.parent / "key.secret", SENDING)
    options = ["--name", "Ada", "--oauth", "microsoft", "--client-id", CLIENT, "--yes", "--password-file", key]
    for more in ([*servers(mixed), "--imap-password-file", key], [*servers(mixed)[:2], "--imap", "none"]):
        done = mixed.run("mail", "connect", USER, *more, *options)
        assert done.returncode == 2 and "one of two servers has a password" in done.stderr, done.stderr
    assert not mixed.file.exists()


PASSWORDS = {"key": SENDING, "inbox": SMTP_PASSWORD.value}
TABLE = """
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@example.com"
smtp = "smtps://apikey@smtp.sendgrid.net:465"
{more}
"""


def mailbox_with(folder: Path, more: str, **environ: str) -> Mailbox:
    """Return the mailbox of a folder that has these lines in settings.toml."""
    (folder / "settings.toml").write_text(TABLE.format(more=more))
    return read_settings({"SEQUENCES_DATA_DIR": str(folder), **environ}).mailbox


def test_one_password_is_for_both_where_there_is_no_other(tmp_path: Path) -> None:
    more = 'imap = "imaps://imap.example.com"\npassword = { env = "KEY" }'
    urls = mailbox_with(tmp_path, more, KEY="one")
    assert urls.imap_url is not None and urls.imap_url.value == "imaps://ada%40example.com:one@imap.example.com"
    two = mailbox_with(tmp_path, more + '\nimap_password = { env = "INBOX" }', KEY="one", INBOX="two")
    assert two.imap_url is not None and two.imap_url.value == "imaps://ada%40example.com:two@imap.example.com"
    assert two.smtp_url is not None and two.smtp_url.value == "smtps://apikey:one@smtp.sendgrid.net:465"


def test_a_password_of_the_inbox_that_is_not_here_stops_no_sending(tmp_path: Path) -> None:
    more = 'imap = "imaps://i.example"\npassword = { env = "KEY" }\nimap_password = { env = "INBOX" }'
    found = mailbox_with(tmp_path, more, KEY="one")
    assert found.can_send and found.imap_url is None and found.reads_inbox
    assert "INBOX is not set" in found.lacking["SEQUENCES_IMAP_URL"]


WRONG = {
    "no inbox": ('password = { env = "KEY" }\nimap_password = { env = "KEY" }', "there is no imap beside it"),
    "the secret itself": ('imap = "imaps://i.example"\nimap_password = "canary"', "no secret stands in this file"),
    "with oauth": (
        'imap = "imaps://i.example"\noauth = "google"\noauth_client_id = "c"\npassword = { env = "KEY" }\n'
        'imap_password = { env = "KEY" }',
        "with oauth there is no password for every server",
    ),
}


@pytest.mark.parametrize(("more", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_password_of_the_inbox_is_said(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as told:
        mailbox_with(tmp_path, more, KEY="one")
    assert "canary" not in heard("an error", str(told.value))
