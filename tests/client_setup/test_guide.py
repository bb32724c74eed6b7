"""``sequences-mcp setup`` at a real terminal: the whole conversation, Ctrl-C at every question, and twice."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from aiosmtpd.smtp import AuthResult
from tests.client_setup.conftest import Home
from tests.secrecy.hearing import learnt
from tests.secrecy.planted import MARK, MISTYPED, PASSPHRASE, SMTP_PASSWORD
from tests.sign_in.typist import Typist, at_terminal
from tests.world.mail_servers import Running, mail_server

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.review.lock import passphrase
from sequences_mcp.store.safekeeping import FolderRecords

SHORT = "short"
OUTBOX_ANSWERS = {
    "Your name": "Ada Lovelace",
    "Your e-mail address": "ada@lovelace.example",
    "How e-mails leave": "2",
    "Time zone": "Europe/Paris",
    "When e-mails may leave": "",
    "How many e-mails": "20",
    "New passphrase": PASSPHRASE.value,
    "The same again": PASSPHRASE.value,
    "A passkey too": "n",
    "Which of them": "all",
    "Write all of this?": "y",
}


def takes(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
    """Take the one account's password."""
    return AuthResult(success=getattr(data, "password", b"") == SMTP_PASSWORD.value.encode(), handled=False)


@pytest.fixture
def server() -> Iterator[Running]:
    """The server that a mailbox sends by."""
    with mail_server(auth_require_tls=False, authenticator=takes) as running:
        yield running


def answer_all(typist: Typist, answers: dict[str, str]) -> None:
    """Answer each question in turn."""
    for question, line in answers.items():
        typist.answers(question, line)


def test_from_nothing_to_all_that_is_needed(home: Home, server: Running) -> None:
    desktop, codex = home.has("claude-desktop", '{"mcpServers": {}}'), home.has("codex", "# mine\n")
    with at_terminal("setup", **home.environ) as typist:
        answer_all(typist, {**dict(list(OUTBOX_ANSWERS.items())[:2]), "How e-mails leave": "1"})
        typist.answers("Server that sends", f"smtp://127.0.0.1:{server.port}")
        typist.answers("Server that is read", "none")
        typist.answers("Password", SMTP_PASSWORD.value)
        typist.sees("signed in as ada@lovelace.example")
        answer_all(typist, dict(list(OUTBOX_ANSWERS.items())[3:7]))
        typist.answers("The same again", PASSPHRASE.value)
        typist.answers("A passkey too", "n")
        typist.sees("1  Claude Desktop")
        typist.answers("Which of them", "2")
        typist.sees("[mailboxes.ada]")
        typist.sees("[mcp_servers.sequences]")
        assert not home.data.exists() and codex.read_text() == "# mine\n"
        typist.answers("Write all of this?", "y")
        typist.sees("Now a test message to yourself:")
        typist.sees("verdict: it sends")
        assert typist.ends() == 0
    (message,) = server.inbox.taken
    assert message.rcpt_tos == ["ada@lovelace.example"]
    settings = tomllib.loads((home.data / "settings.toml").read_text())
    assert settings["time_zone"] == "Europe/Paris" and settings["daily_cap"] == 20
    assert settings["window"] == "Mon-Fri 08:00-19:00"
    assert settings["mailboxes"]["ada"]["name"] == "Ada Lovelace"
    assert passphrase.is_set(FolderRecords(Workspace(home.data))) and MARK not in str(settings)
    assert "sequences" in codex.read_text() and desktop.read_text() == '{"mcpServers": {}}'
    assert home.run("doctor").status == 0


def test_twice_asks_nothing_and_changes_nothing(home: Home) -> None:
    home.has("cursor", "{}")
    with at_terminal("setup", **home.environ) as typist:
        answer_all(typist, OUTBOX_ANSWERS)
        typist.sees("What next:")
        assert typist.ends() == 0
    assert typist.shown.count("Switch it on in Cursor's settings") == 1
    before = home.all_files()
    with at_terminal("setup", **home.environ) as typist:
        typist.sees("Everything is set up. Nothing was changed.")
        assert typist.ends() == 0
    assert home.all_files() == before


@pytest.mark.parametrize("question", OUTBOX_ANSWERS)
def test_ctrl_c_at_any_question_leaves_everything_as_it_was(home: Home, question: str) -> None:
    home.has("cursor", '{"mcpServers": {"a": {"command": "b"}}}')
    before = home.all_files()
    with at_terminal("setup", **home.environ) as typist:
        for asked, line in OUTBOX_ANSWERS.items():
            if asked == question:
                typist.sees(asked)
                break
            typist.answers(asked, line)
        assert typist.interrupts() != 0
        assert "Nothing was changed." in typist.shown
    assert home.all_files() == before


@pytest.mark.parametrize("question", ["Server that sends", "Server that is read", "Password"])
def test_ctrl_c_while_the_mailbox_is_connected_leaves_everything_as_it_was(home: Home, question: str) -> None:
    answers = {
        **dict(list(OUTBOX_ANSWERS.items())[:2]),
        "How e-mails leave": "1",
        "Server that sends": "smtp://127.0.0.1:9",
        "Server that is read": "none",
    }
    before = home.all_files()
    with at_terminal("setup", **home.environ) as typist:
        for name, line in answers.items():
            if name == question:
                break
            typist.answers(name, line)
        typist.sees(question)
        assert typist.interrupts() != 0 and "Nothing was changed." in typist.shown
    assert home.all_files() == before


def test_a_passkey_is_registered_on_the_page_that_setup_opens(home: Home) -> None:
    answers = {**OUTBOX_ANSWERS, "A passkey too": "y"}
    del answers["Which of them"]
    with at_terminal("setup", **home.environ, BROWSER="true") as typist:
        answer_all(typist, answers)
        typist.sees("Code: ")
        typist.sees("It stays open until you press Ctrl-C.")
        typist.interrupts()
    assert passphrase.is_set(FolderRecords(Workspace(home.data)))


def test_the_page_asks_the_same_once_the_code_of_the_terminal_was_typed(home: Home) -> None:
    with at_terminal("setup", "--page", **home.environ, BROWSER="true") as typist:
        typist.sees("It stays open until you press Ctrl-C.")
        code = typist.shown.partition("Code: ")[2][:11]
        host = typist.shown.partition("http://")[2].partition("/")[0]
        connection = HTTPConnection("127.0.0.1", int(host.rpartition(":")[2]), timeout=60)
        form = {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/first", f"code={code}", form)
        answer = connection.getresponse()
        cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        learnt("the cookie of a first visit", cookie.partition("=")[2].strip('"'))
        answer.read()
        place = answer.getheader("location") or ""
        learnt("the token of a first visit", place.partition("visit=")[2])
        connection.request("GET", place, headers={"Host": host, "Cookie": cookie})
        first = connection.getresponse().read().decode()
        connection.close()
        assert answer.status == 303 and "Your e-mail address" in first
        typist.interrupts()
    assert not passphrase.is_set(FolderRecords(Workspace(home.data)))
    assert not (home.data / "settings.toml").exists()


def test_no_to_the_last_question_leaves_everything_as_it_was(home: Home) -> None:
    before = home.all_files()
    answers = {**OUTBOX_ANSWERS, "Write all of this?": "n"}
    del answers["Which of them"]
    with at_terminal("setup", **home.environ) as typist:
        answer_all(typist, answers)
        assert typist.ends() == 2 and "Nothing was changed." in typist.shown
    assert home.all_files() == before


def test_what_is_typed_wrong_is_asked_again(home: Home, server: Running) -> None:
    with at_terminal("setup", **home.environ) as typist:
        typist.answers("Your name", "Ada Lovelace <ada@lovelace.example>")
        typist.answers("Type the name alone", "Your Name")
        typist.answers("Type the name that recipients are to read.", "Ada Lovelace")
        typist.answers("Your e-mail address", "ada")
        typist.answers("Type one such as ada@lovelace.example.", "ada@lovelace.example")
        typist.answers("How e-mails leave", "3")
        typist.answers("Type 1 or 2.", "1")
        typist.answers("Server that sends", "my own server")
        typist.sees("Write it like smtps://smtp.example.com:465.")
        typist.answers("Server that sends", f"smtp://127.0.0.1:{server.port}")
        typist.answers("Server that is read", "none")
        typist.answers("Password", MISTYPED.value)
        typist.sees("cannot be signed in")
        typist.answers("try again", "2")
        typist.answers("Time zone", "Paris")
        typist.answers("is not an IANA time zone", "Europe/Paris")
        typist.answers("When e-mails may leave", "always")
        typist.sees("it is not days")
        typist.sees("Write it like `Mon-Fri 08:00-19:00`.")
        typist.answers("When e-mails may leave", "Mon-Sun 00:00-24:00")
        typist.answers("How many e-mails", "0")
        typist.answers("a whole number", "20")
        typist.answers("New passphrase", PASSPHRASE.value)
        typist.answers("The same again", MISTYPED.value)
        typist.sees("The two are not the same")
        typist.answers("New passphrase", SHORT)
        typist.answers("The same again", SHORT)
        typist.sees("8 characters or more")
        typist.answers("New passphrase", PASSPHRASE.value)
        typist.answers("The same again", PASSPHRASE.value)
        typist.answers("A passkey too", "n")
        typist.answers("Write all of this?", "y")
        typist.sees("What next:")
        assert typist.ends() == 0
    assert tomllib.loads((home.data / "settings.toml").read_text())["window"] == "Mon-Sun 00:00-24:00"


def test_what_the_environment_says_is_taken_and_not_asked(home: Home) -> None:
    said = {"SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>", "SEQUENCES_WINDOW": "Mon-Thu 09:00-17:00"}
    with at_terminal("setup", **home.environ, SEQUENCES_SENDER="Your Name <ada@lovelace.example>") as typist:
        typist.sees("The guards refuse the sender, ⟦Your Name⟧: ")
        typist.answers("Your name", "Ada Lovelace")
        typist.sees("How e-mails leave")
        assert typist.interrupts() != 0
    with at_terminal("setup", **home.environ, **said) as typist:
        typist.answers("How e-mails leave", "2")
        typist.answers("Time zone", "Europe/Paris")
        typist.answers("How many e-mails", "")
        typist.answers("New passphrase", PASSPHRASE.value)
        typist.answers("The same again", PASSPHRASE.value)
        typist.answers("A passkey too", "n")
        typist.answers("Write all of this?", "y")
        assert typist.ends() == 0
    settings = tomllib.loads((home.data / "settings.toml").read_text())
    assert settings["window"] == "Mon-Thu 09:00-17:00" and settings["daily_cap"] == 50
    assert settings["mailboxes"]["ada"] == {"name": "Ada Lovelace", "address": "ada@lovelace.example"}


def test_a_file_of_before_keeps_what_it_says(home: Home) -> None:
    home.data.mkdir(parents=True)
    file = home.data / "settings.toml"
    file.write_text('# ours\ndaily_cap = 7 # few\n\n[topo]\napi_key = { env = "TOPO" }\n')
    with at_terminal("setup", **home.environ) as typist:
        answer_all(
            typist,
            {
                key: line
                for key, line in OUTBOX_ANSWERS.items()
                if key not in ("How many e-mails", "Which of them")
            },
        )
        assert typist.ends() == 0
    text = file.read_text()
    assert text.startswith("# ours\ndaily_cap = 7 # few\n") and 'api_key = { env = "TOPO" }' in text
    assert tomllib.loads(text)["mailboxes"]["ada"]["name"] == "Ada Lovelace"


def test_colours_are_shown_unless_no_color_says_otherwise(home: Home) -> None:
    home.has("cursor", "{}")
    for environ, has in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        with at_terminal("setup", "--list", **home.environ, **environ) as typist:
            typist.sees("Cursor")
            assert typist.ends() == 0
            assert ("\x1b[" in typist.shown) is has


def test_without_a_terminal_it_says_what_to_do(home: Home) -> None:
    said = home.run("setup")
    assert said.status == 2 and "--client NAME --yes" in said.err
    home.has("cursor", "{}")
    assert home.run("setup", "--yes").status == 0
    assert "sequences" in json.loads(home.file("cursor").read_text())["mcpServers"]
