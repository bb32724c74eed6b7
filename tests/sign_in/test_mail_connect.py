"""``sequences-mcp mail connect`` at a real terminal: what it asks, tries, shows and writes."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from aiosmtpd.smtp import AuthResult, Envelope
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MARK, MISTYPED, SMTP_PASSWORD
from tests.sign_in.test_keychain import BACKEND
from tests.sign_in.typist import at_terminal
from tests.world.authorization import CLIENT, USER, AuthorizationServer
from tests.world.dovecot import Dovecot, dovecot, has_dovecot
from tests.world.loaded import product
from tests.world.mail_servers import Running, bytes_of, mail_server

from sequences_mcp.settings import read_settings

RESULTS = (
    b"Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=example.com;\r\n dkim=pass; dmarc=pass\r\n"
)


@dataclass
class MailHost:
    """A provider's two servers: what the one takes arrives at the other, with what it found of the sender."""

    smtp: Running
    imap: Dovecot
    folder: Path
    head: bytes = RESULTS
    loses: bool = False

    @property
    def servers(self) -> list[str]:
        """The two servers as options."""
        return ["--smtp", f"smtp://127.0.0.1:{self.smtp.port}", "--imap", f"imap://127.0.0.1:{self.imap.port}"]

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a command, with no keychain."""
        return {"SEQUENCES_DATA_DIR": str(self.folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}

    @property
    def file(self) -> Path:
        """The settings."""
        return self.folder / "settings.toml"

    def take(self, envelope: Envelope) -> None:
        """Deliver what the mail server took."""
        if not self.loses:
            self.imap.deliver(self.head + bytes_of(envelope), sender=USER)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command without a terminal."""
        done = subprocess.run(
            [*product(), *arguments],
            env={**_clean(), **self.environ},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        heard("what a command said", done.stdout + done.stderr)
        return done

    def password_file(self, text: str = SMTP_PASSWORD.value) -> str:
        """Write a file with the password."""
        path = self.folder.parent / "typed.secret"
        path.write_text(f"{text}\n")
        return str(path)


def _clean() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith("SEQUENCES_")}


def checks(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
    """Take the one account's password."""
    password = getattr(data, "password", b"")
    return AuthResult(success=password == SMTP_PASSWORD.value.encode(), handled=False)


@pytest.fixture
def host(authorization: AuthorizationServer, tmp_path: Path) -> Iterator[MailHost]:
    """A provider, and an empty data folder."""
    if not has_dovecot():
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
    with (
        dovecot(introspection=authorization.introspection) as imap,
        mail_server(auth_require_tls=False, authenticator=checks) as smtp,
    ):
        smtp.inbox.owner_of = authorization.owner
        found = MailHost(smtp, imap, tmp_path / "data")
        smtp.inbox.goes_on = lambda envelope: found.take(envelope)
        yield found


def test_a_person_connects_a_mailbox_and_the_test_message_arrives(host: MailHost) -> None:
    with at_terminal("mail", "connect", *host.servers, **host.environ) as typist:
        typist.answers("E-mail address", USER)
        typist.answers("Your name", "Your Name")
        typist.answers("Type the name that recipients are to read.", "Ada Lovelace")
        typist.answers("Password", SMTP_PASSWORD.value)
        typist.sees("[mailboxes.ada]")
        assert not host.file.exists()
        typist.answers("Write it?", "y")
        typist.sees("arrived: in INBOX")
        typist.sees("verdict: all is well")
        assert typist.ends() == 0
    settings = read_settings({"SEQUENCES_DATA_DIR": str(host.folder)})
    assert settings.mailbox.sender is not None and settings.mailbox.sender.name == "Ada Lovelace"
    assert settings.mailbox.smtp_url is not None and settings.mailbox.imap_url is not None and not settings.lacking
    assert MARK not in host.file.read_text()
    (secret,) = (host.folder / "sign_in").glob("*.secret")
    assert secret.stat().st_mode & 0o077 == 0
    (message,) = host.smtp.inbox.taken
    assert message.rcpt_tos == [USER]


@pytest.mark.parametrize("question", ["Your name", "Password", "Write it?"])
def test_ctrl_c_at_any_question_leaves_everything_as_it_was(host: MailHost, question: str) -> None:
    host.folder.mkdir()
    host.file.write_text("daily_cap = 20  # few\n")
    with at_terminal("mail", "connect", USER, *host.servers, **host.environ) as typist:
        answers = {"Your name": "Ada Lovelace", "Password": SMTP_PASSWORD.value, "Write it?": ""}
        for asked, answer in answers.items():
            if asked == question:
                typist.sees(asked)
                break
            typist.answers(asked, answer)
        assert typist.interrupts() == 1 and "Aborted!" in typist.shown
    assert host.file.read_text() == "daily_cap = 20  # few\n"
    assert [path.name for path in host.folder.iterdir()] == ["settings.toml"]


def test_without_a_terminal_every_secret_is_in_a_file_and_everything_else_an_option(host: MailHost) -> None:
    host.folder.mkdir()
    host.file.write_text('daily_cap = 20  # few\n\n[topo]\napi_key = { env = "TOPO" }\n')
    options = ["--name", "Ada Lovelace", "--password-file", host.password_file(), "--yes"]
    done = host.run("mail", "connect", USER, *host.servers, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    text = host.file.read_text()
    assert text.startswith("daily_cap = 20  # few\n") and '\n[topo]\napi_key = { env = "TOPO" }\n' in text
    (copy,) = host.folder.glob("settings.toml.*.bak")
    assert copy.read_text().startswith("daily_cap = 20  # few\n\n[topo]") and copy.stat().st_mode & 0o077 == 0
    again = host.run("mail", "connect", USER, *host.servers, *options, "--no-test")
    assert again.returncode == 0 and host.file.read_text() == text


MISSING = {
    "the name": ([], "Give --name."),
    "the password": (["--name", "Ada Lovelace"], "Give --password-file."),
    "a name": (["--name", "Your Name"], "The guards refuse it: "),
}


@pytest.mark.parametrize(("options", "words"), MISSING.values(), ids=MISSING.keys())
def test_without_a_terminal_what_is_missing_is_named(host: MailHost, options: list[str], words: str) -> None:
    done = host.run("mail", "connect", USER, *host.servers, *options)
    assert done.returncode == 2 and words in done.stderr
    assert not host.folder.exists()


def test_a_wrong_password_is_said_and_nothing_is_written(host: MailHost) -> None:
    options = ["--name", "Ada Lovelace", "--password-file", host.password_file(MISTYPED.value), "--yes"]
    done = host.run("mail", "connect", USER, *host.servers, *options)
    assert done.returncode == 2 and "Nothing was changed" in done.stderr
    assert "BAD " in done.stdout and "refuses to sign in" in done.stdout
    assert not host.file.exists() and MARK not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "url", [f"smtp://ada:{MISTYPED.value.replace(' ', '%20')}@127.0.0.1:1", "ftp://x", "127.0.0.1"]
)
def test_a_server_that_is_none_or_has_a_password_in_it_is_refused(host: MailHost, url: str) -> None:
    options = ["--smtp", url, "--imap", "none", "--name", "Ada", "--password-file", host.password_file(), "--yes"]
    done = host.run("mail", "connect", USER, *options)
    assert done.returncode == 2 and not host.file.exists()
    assert MARK not in done.stdout + done.stderr


def test_a_settings_file_that_is_wrong_is_not_touched(host: MailHost) -> None:
    host.folder.mkdir()
    host.file.write_text("this is no TOML")
    options = ["--name", "Ada Lovelace", "--password-file", host.password_file(), "--yes"]
    done = host.run("mail", "connect", USER, *host.servers, *options)
    assert done.returncode == 2 and "is not TOML" in done.stderr
    assert host.file.read_text() == "this is no TOML"


def test_a_message_that_does_not_arrive_is_said_in_time(host: MailHost) -> None:
    host.loses = True
    options = ["--name", "Ada Lovelace", "--password-file", host.password_file(), "--yes", "--within", "1"]
    done = host.run("mail", "connect", USER, *host.servers, *options)
    assert done.returncode == 1 and "arrived: not within 1 seconds" in done.stdout
    assert "verdict: the message was taken and did not arrive" in done.stdout


def test_the_doctor_sends_a_test_and_reads_what_the_receiving_server_found(host: MailHost) -> None:
    options = ["--name", "Ada Lovelace", "--password-file", host.password_file(), "--yes", "--no-test"]
    assert host.run("mail", "connect", USER, *host.servers, *options).returncode == 0
    host.head = b"Authentication-Results: mx.example.com; spf=fail; dkim=pass; dmarc=pass\r\n"
    done = host.run("doctor", "--send-test")
    assert done.returncode == 1
    assert "BAD  SPF: fail" in done.stdout and "BAD  verdict: it arrived, and SPF failed" in done.stdout


def test_a_mailbox_without_a_password_is_connected_by_a_code(
    host: MailHost, authorization: AuthorizationServer
) -> None:
    options = ["--oauth", "microsoft", "--client-id", CLIENT, "--authority", authorization.url]
    with at_terminal("mail", "connect", USER, *host.servers, *options, **host.environ) as typist:
        typist.answers("Your name", "Ada Lovelace")
        typist.sees("BDWD-HQPK")
        authorization.agree()
        typist.answers("Write it?", "")
        typist.sees("verdict: all is well")
        assert typist.ends() == 0
    text = host.file.read_text()
    assert 'oauth = "microsoft"' in text and "password" not in text
    assert host.run("doctor").stdout.count("signed in as ada@example.com") == 2


def test_a_mailbox_is_connected_in_the_browser(host: MailHost, authorization: AuthorizationServer) -> None:
    options = ["--oauth", "google", "--client-id", CLIENT, "--authority", authorization.url, "--yes"]
    with at_terminal("mail", "connect", USER, *host.servers, *options, **host.environ) as typist:
        typist.answers("Your name", "Ada Lovelace")
        typist.answers("Its client secret", "")
        typist.sees("&access_type=offline")
        (page,) = [line for line in typist.shown.split() if line.startswith(authorization.url)]
        with urlopen(page, timeout=60) as answer:
            assert b"You may close this window" in answer.read()
        typist.sees("verdict: all is well")
        assert typist.ends() == 0


def test_declining_at_the_provider_changes_nothing(host: MailHost, authorization: AuthorizationServer) -> None:
    options = ["--oauth", "microsoft", "--client-id", CLIENT, "--authority", authorization.url]
    with at_terminal("mail", "connect", USER, *host.servers, *options, **host.environ) as typist:
        typist.answers("Your name", "Ada Lovelace")
        typist.sees("BDWD-HQPK")
        authorization.decline()
        typist.sees("Nothing was granted: the sign-in was declined.")
        assert typist.ends() == 2
    assert not host.file.exists()


def test_signing_in_again_is_one_command(host: MailHost, authorization: AuthorizationServer) -> None:
    options = ["--name", "Ada", "--oauth", "microsoft", "--client-id", CLIENT, "--authority", authorization.url]
    agreeing = threading.Event()

    def person() -> None:
        while not agreeing.wait(0.05):
            authorization.agree()

    thread = threading.Thread(target=person)
    thread.start()
    try:
        assert host.run("mail", "connect", USER, *host.servers, *options, "--yes", "--no-test").returncode == 0
        authorization.revoke()
        bad = host.run("doctor")
        assert bad.returncode == 1 and "ada@example.com has to be signed in again at Microsoft" in bad.stdout
        again = host.run("mail", "sign-in")
        assert again.returncode == 0, again.stdout + again.stderr
    finally:
        agreeing.set()
        thread.join()
    assert "signed in again" not in host.run("doctor").stdout


def test_servers_are_typed_where_the_provider_is_not_known_and_asked_for_again(host: MailHost) -> None:
    smtp, imap = (url for url in host.servers if "://" in url)
    with at_terminal("mail", "connect", USER, "--no-test", **host.environ) as typist:
        typist.sees("is not known here")
        typist.answers("Server that sends", "ftp://127.0.0.1")
        typist.sees("Error: ")
        typist.answers("Server that sends", smtp.replace("127", "ada:typed-in-sight@127"))
        typist.sees("Leave it out there")
        assert typist.shown.count("typed-in-sight") == 1  # the terminal's own echo
        typist.answers("Server that sends", smtp.replace("127", "ada%40example.com@127"))
        typist.answers("Server that is read", imap.replace("127", "ada%40example.com@127"))
        typist.answers("Your name", "Ada Lovelace")
        typist.answers("Password", SMTP_PASSWORD.value)
        typist.answers("Write it?", "y")
        typist.sees("is connected, as ada")
        assert typist.ends() == 0
    assert f'imap = "{imap.replace("127", "ada%40example.com@127")}"' in host.file.read_text()


@pytest.mark.parametrize(("choice", "next_question"), [("1", "Password, or app"), ("2", "Its client id")])
def test_at_gmail_a_person_chooses_how_to_sign_in(tmp_path: Path, choice: str, next_question: str) -> None:
    with at_terminal("mail", "connect", "ada@gmail.com", SEQUENCES_DATA_DIR=str(tmp_path / "data")) as typist:
        typist.answers("Your name", "Ada Lovelace")
        typist.sees("1  with an app password")
        typist.answers("Sign in [1]", "3")
        typist.sees("Type 1 or 2.")
        typist.answers("Sign in [1]", choice)
        typist.sees(next_question)
        assert typist.interrupts() == 1
    assert not (tmp_path / "data").exists()


def test_a_password_goes_into_the_keychain_of_a_system_that_has_one(host: MailHost, tmp_path: Path) -> None:
    pytest.importorskip("keyring")
    (tmp_path / "chain.py").write_text(BACKEND)
    chain = {**host.environ, "PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "chain.Kept"}
    options = ["mail", "connect", USER, *host.servers, "--name", "Ada", "--password-file", host.password_file()]
    with at_terminal(*options, "--no-test", **chain) as typist:
        typist.sees("The secret is kept in the system's keychain.")
        typist.answers("Write it?", "y")
        typist.sees("is connected, as ada")
        assert typist.ends() == 0
    assert "password = {keyring = true}" in host.file.read_text()
    assert not (host.folder / "sign_in").exists()
    entries = (tmp_path / "entries.json").read_text()
    assert entries.count("sequences-mcp ") == 1 and "sequences-mcp mailboxes.ada.password" in entries
    with at_terminal("doctor", **chain) as typist:
        typist.ends()
        assert " ".join(typist.shown.split()).count("signed in as ada@example.com") == 2
