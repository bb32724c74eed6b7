"""``doctor`` and ``audit``: what an operator looks at when something seems wrong."""

from __future__ import annotations

import json
import re
import stat
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from tests.cli.terminal import Terminal, done
from tests.secrecy import planted
from tests.world.mail_servers import free_port, mail_server
from tests.world.product import GRACE, LINKEDIN, MAIL, people, yes

from sequences_mcp.doctor import DoctorLine, as_table
from sequences_mcp.settings import TABLE


async def started(terminal: Terminal) -> None:
    """Have one plan that waits, one under way, and one task that is open."""
    bureau = terminal.bureau
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(LINKEDIN | {"temporalityType": "ASAP", "delay": None})
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        bureau.work()
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(2))


def line(text: str, word: str) -> str:
    """Return the one line about a thing."""
    [found] = [one for one in text.splitlines() if one[5:].startswith(f"{word}:")]
    return found


def below(text: str, word: str) -> list[str]:
    """Return what is listed below the line about a thing."""
    lines = iter(text.splitlines())
    next(one for one in lines if one[5:].startswith(f"{word}:"))
    return [one.strip() for one in takewhile(lambda one: one[:5] == "     ", lines)]


def test_a_healthy_set_up_is_told_line_by_line_with_exit_status_0(terminal: Terminal) -> None:
    done(started(terminal))
    terminal.with_passphrase()
    with mail_server() as running:
        terminal.settings["SMTP_URL"] = f"smtp://127.0.0.1:{running.port}"
        said = terminal.run("doctor")
    assert (said.status, said.err, "BAD" in said.out) == (0, "", False)
    assert line(said.out, "sender") == "ok   sender: Ada Lovelace <ada@lovelace.example>"
    assert line(said.out, "delivery").startswith(f"ok   delivery: smtp://127.0.0.1:{running.port}")
    since = r" \(the oldest since 20\d\d-\d\d-\d\d \d\d:\d\d UTC\)"
    # The plan under way was approved for the outbox, which is not where this terminal's e-mails would go.
    waiting = rf"note waiting for you: 2 plans{since}, 0 texts, 1 tasks{since}"
    assert re.fullmatch(waiting, line(said.out, "waiting for you"))
    assert line(said.out, "audit").endswith("the chain holds")
    assert "passes its own checks; journal: " in line(said.out, "database")
    assert any("in the terminal, by passphrase" in one for one in said.out.splitlines() if "approval:" in one)
    assert said.out.endswith("\n\nNothing is wrong.\n")


def test_a_new_folder_is_healthy_but_for_what_is_not_set(terminal: Terminal) -> None:
    assert terminal.run("doctor").status == 0
    terminal.settings["SENDER"] = ""
    said = terminal.run("doctor")
    assert said.status == 1
    assert line(said.out, "sender").startswith("BAD  sender: SEQUENCES_SENDER is not set")
    assert said.out.endswith("\n\nWrong: 1, the lines that begin with BAD.\n")


def test_every_bad_setting_is_told(terminal: Terminal) -> None:
    terminal.settings |= {
        "WINDOW": "always",
        "SPACING": "x",
        "SMTP_URL": f"smtp://ada:{planted.BAD_SETTING.value}@h:p",
    }
    said = terminal.run("doctor")
    assert (said.status, said.err) == (1, "")
    assert all(name in said.out for name in ("SEQUENCES_WINDOW", "SEQUENCES_SPACING", "SEQUENCES_SMTP_URL"))
    assert planted.BAD_SETTING.value not in said.out
    assert not terminal.data.exists()


def test_a_mail_server_that_is_away_or_says_no_is_told(terminal: Terminal) -> None:
    terminal.settings["SMTP_URL"] = f"smtp://127.0.0.1:{free_port()}"
    assert line(terminal.run("doctor").out, "delivery").startswith("BAD  delivery: ")
    with mail_server({"greeting": "554 go away"}) as running:
        terminal.settings["SMTP_URL"] = planted.url_with_password(f"127.0.0.1:{running.port}")
        said = terminal.run("doctor")
    assert said.status == 1
    assert line(said.out, "delivery").endswith("the server answered 554 (connect)")
    assert line(said.out, "server reply") == "note server reply: “554 go away”"
    assert planted.MARK not in said.out


def test_a_broken_guards_file_is_one_bad_line_among_the_others(terminal: Terminal) -> None:
    assert terminal.run("doctor").status == 0
    (terminal.data / "guards.toml").write_text("max_steps = 'many'", encoding="utf-8")
    said = terminal.run("doctor")
    assert (said.status, said.err) == (1, "")
    assert "max_steps must be a whole number" in line(said.out, "guards")
    assert line(said.out, "database").startswith("ok ")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("PRAGMA user_version = 99", "has schema 99; this program knows schemas up to"),
        ("PRAGMA application_id = 7", "belongs to another program"),
    ],
)
def test_a_database_that_is_not_ours_to_use_is_told(terminal: Terminal, sql: str, words: str) -> None:
    assert terminal.run("doctor").status == 0
    terminal.change(sql)
    said = terminal.run("doctor")
    assert (said.status, said.err) == (1, "")
    assert words in line(said.out, "database")


def test_a_file_that_is_no_database_is_told(terminal: Terminal) -> None:
    terminal.data.mkdir(mode=0o700)
    (terminal.data / "sequences.db").write_bytes(b"not a database, but a long enough file\n" * 100)
    said = terminal.run("doctor")
    assert (said.status, "is not a sound database" in line(said.out, "database")) == (1, True)
    assert terminal.run("review", "list").err.count("\n") == 1


def test_a_folder_that_others_could_read_is_for_its_owner_alone_after_a_start(terminal: Terminal) -> None:
    terminal.run("doctor")
    terminal.data.chmod(0o755)
    assert terminal.run("doctor").status == 0
    assert stat.S_IMODE(terminal.data.stat().st_mode) == 0o700


async def tomorrow(terminal: Terminal) -> None:
    """Have something recorded by a clock that was a day ahead."""
    bureau = terminal.bureau
    bureau.clock.now = datetime.now(UTC) + timedelta(days=1)
    async with bureau.client("auto") as desktop:
        await desktop.contact()


def test_a_clock_that_was_set_back_is_told(terminal: Terminal) -> None:
    done(tomorrow(terminal))
    said = terminal.run("doctor")
    assert said.status == 1
    assert line(said.out, "clock").endswith("before the last thing that was recorded")


def test_an_edited_row_of_the_audit_is_found(terminal: Terminal) -> None:
    done(started(terminal))
    holds = terminal.run("audit", "verify")
    [(rows,)] = terminal.bureau.rows("SELECT count(*) FROM audit")
    assert holds == (0, f"{rows} rows, the chain holds.\n", "")
    terminal.change("DROP TRIGGER audit_is_never_changed", "UPDATE audit SET actor = 'somebody else' WHERE no = 3")
    assert terminal.run("audit", "verify") == (1, "Row 3 does not fit the chain.\n", "")
    said = terminal.run("doctor")
    assert (said.status, line(said.out, "audit")) == (1, f"BAD  audit: {rows} rows, row 3 does not fit the chain")


@pytest.mark.parametrize(
    "sql",
    [
        ("DROP TRIGGER audit_is_never_deleted", "DELETE FROM audit WHERE no = 4"),
        ("DROP TRIGGER audit_is_never_changed", "UPDATE audit SET at = at + 1 WHERE no = 4"),
        ("DROP TRIGGER audit_is_never_changed", "UPDATE audit SET detail = '{}' WHERE no = 4"),
    ],
    ids=["removed", "moved", "emptied"],
)
def test_whatever_is_done_to_a_row_its_place_is_found(terminal: Terminal, sql: tuple[str, ...]) -> None:
    done(started(terminal))
    terminal.change(*sql)
    assert terminal.run("audit", "verify") == (1, "Row 4 does not fit the chain.\n", "")


def test_the_texts_of_people_are_not_in_the_audit(terminal: Terminal) -> None:
    done(started(terminal))
    told = " ".join(detail for (detail,) in terminal.bureau.rows("SELECT detail FROM audit"))
    assert "would a short call" not in told


FILE = """\
daily_cap = 20
[mailboxes.ada]
name = "Ada King"
address = "ada@king.example"
smtp = "smtp://127.0.0.1:{port}"
password = {{ env = "ADA_PASSWORD" }}
"""


def test_where_each_setting_is_from_is_told_and_where_two_differ(terminal: Terminal) -> None:
    terminal.run("doctor")
    (terminal.data / "settings.toml").write_text(FILE.format(port=free_port()), encoding="utf-8")
    said = terminal.run("doctor")
    assert line(said.out, "settings file").startswith(f"note settings file: {terminal.data / 'settings.toml'};")
    from_file = [one.split() for one in below(said.out, "from settings.toml")]
    assert ["SEQUENCES_DAILY_CAP", "daily_cap"] in from_file
    assert ["SEQUENCES_SMTP_URL", "mailboxes.ada.smtp"] in from_file
    assert "SEQUENCES_SPACING" in below(said.out, "from the environment")
    # Those that nobody set are counted for a person, and named for a program.
    assert "SEQUENCES_TIME_ZONE" not in said.out
    origins = json.loads(terminal.run("doctor", "--json").out)["settings"]
    assert origins.keys() == {setting.name for setting in TABLE}
    by_default = sum(origin == "default" for origin in origins.values())
    assert line(said.out, "by default") == f"note by default: {by_default} other settings; --json names each"
    assert origins["SEQUENCES_SENDER"] == "settings.toml, mailboxes.ada.name"
    differ = [one for one in said.out.splitlines() if one[5:].startswith("settings differ:")]
    assert [one.split("variable ")[1].split()[0] for one in differ] == [
        "SEQUENCES_SENDER",
        "SEQUENCES_DAILY_CAP",
    ]
    assert line(said.out, "sender") == "ok   sender: Ada King <ada@king.example>"


def test_what_is_refused_in_a_name_or_a_signature_is_told_before_a_start_is_refused_for_it(
    terminal: Terminal,
) -> None:
    terminal.run("doctor")
    text = FILE.format(port=free_port()).replace("Ada King", "Ada [Last Name]")
    text += 'signature = "Ada King\\n[Your Company]"\n'
    (terminal.data / "settings.toml").write_text(text, encoding="utf-8")
    said = terminal.run("doctor")
    bad = "\n".join(one for one in said.out.splitlines() if one.startswith("BAD "))
    assert said.status == 1 and "sender: 'Ada ⟦[Last Name]⟧'" in bad and "⟦[Your Company]⟧" in bad
    (terminal.data / "settings.toml").write_text(text.replace("Ada [Last Name]", "John Doe"), encoding="utf-8")
    assert "note sender: John Doe is a name of examples" in terminal.run("doctor").out


def test_a_file_of_settings_that_is_wrong_is_told_with_its_line(terminal: Terminal) -> None:
    terminal.run("doctor")
    (terminal.data / "settings.toml").write_text("daily_cap = 20\nwindw = 'x'\n", encoding="utf-8")
    for command in (["doctor"], ["review", "list"], ["work"]):
        said = terminal.run(*command)
        assert said.status != 0
        assert "settings.toml, line 2, windw: there is no such key; did you mean window?" in said.out + said.err
        assert f"Correct {terminal.data}/settings.toml" in said.out + said.err


def test_at_a_terminal_the_words_stand_in_one_column_and_long_ones_go_on_below_them() -> None:
    lines = [
        DoctorLine(True, "sender: Ada Lovelace", group="Mailbox"),
        DoctorLine(None, "window: " + "of each contact " * 10, group="Mailbox"),
        DoctorLine(False, "a sentence about what is wrong with it: no colon begins it", group="Due work"),
    ]
    wide, narrow = [*as_table(lines, width=200)], [*as_table(lines, width=60)]
    headings = [one for one in wide if one and not one.startswith((" ", "ok", "note", "BAD"))]
    assert headings[1:] == ["Mailbox", "Due work", "Wrong: 1, the lines that begin with BAD."]
    assert {one.index(word) for one in wide for word in ("Ada", "of each", "a sentence") if word in one} == {13}
    assert max(map(len, narrow)) <= 60
    assert all(one.startswith(" " * 13) for one in narrow if "contact" in one and "window" not in one)
    assert " ".join(" ".join(narrow).split()) == " ".join(" ".join(wide).split())
    piped = [*as_table(lines)]
    assert "ok   sender: Ada Lovelace" in piped
    assert "BAD  a sentence about what is wrong with it: no colon begins it" in piped
