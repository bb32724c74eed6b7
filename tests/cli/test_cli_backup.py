"""``backup``, ``restore`` and what a person says about a database that was carried away, put back or lost."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.cli.terminal import Terminal, done
from tests.secrecy.hearing import heard
from tests.world.loaded import product
from tests.world.product import MAIL, people, yes


async def three_wait(terminal: Terminal) -> None:
    """Have three people under way whose e-mail is due, and one suppressed."""
    bureau = terminal.bureau
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))


async def suppressed(terminal: Terminal) -> None:
    """Suppress somebody."""
    async with terminal.bureau.client("auto") as desktop:
        await desktop.call("suppress_contact", contact="never@again.example", reason="asked")


def states(terminal: Terminal) -> list[str]:
    """Return the state of each e-mail."""
    return [state for (state,) in terminal.bureau.rows("SELECT state FROM step_run ORDER BY no")]


def recipients(terminal: Terminal) -> list[str]:
    """Return whom the outbox has an e-mail for."""
    return [str(mail["To"]) for mail in terminal.bureau.outbox]


def test_a_restored_backup_sends_nothing_twice_and_forgets_nobody_who_was_suppressed(terminal: Terminal) -> None:
    done(three_wait(terminal))
    secret = terminal.with_passphrase()
    file = terminal.folder / "kept.zip"
    assert terminal.run("backup", str(file)).status == 0
    terminal.bureau.work()
    done(suppressed(terminal))
    assert states(terminal) == ["sent"] * 3
    said = terminal.run("restore", str(file), "--passphrase-file", secret)
    assert (said.status, said.err) == (0, "")
    assert "3 e-mails or requests were sent, or may have been" in said.out
    assert states(terminal) == ["unknown"] * 3
    terminal.bureau.work()
    assert len(recipients(terminal)) == 3
    assert states(terminal) == ["unknown"] * 3
    assert terminal.bureau.rows("SELECT value FROM suppression") == [("never@again.example",)]
    assert "BAD" not in terminal.run("doctor").out.replace("BAD  left unseen", "")


def test_a_restore_writes_over_nothing_that_lies_beside_the_files_it_puts_back(terminal: Terminal) -> None:
    done(three_wait(terminal))
    secret = terminal.with_passphrase()
    file = terminal.folder / "kept.zip"
    assert terminal.run("backup", str(file)).status == 0
    beside = [terminal.bureau.folder / f"{name}.new" for name in ("sequences.db", "sent.log", "passphrase.json")]
    for path in beside:
        path.write_text("mine")
    assert terminal.run("restore", str(file), "--passphrase-file", secret).status == 0
    assert [path.read_text() for path in beside] == ["mine"] * 3


def test_a_backup_is_for_its_owner_alone_and_holds_the_journals_and_the_persons_files(terminal: Terminal) -> None:
    terminal.settings["SMTP_URL"] = "smtp://127.0.0.1:25"
    terminal.with_passphrase()
    file = terminal.folder / "kept.zip"
    said = terminal.run("backup", str(file))
    assert said.status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        assert names >= {"sequences.db", "sent.log", "suppressions.log", "passphrase.json", "backup.json"} - {
            "suppressions.log"
        }
        assert b'"delivery": "smtp://127.0.0.1:25"' in archive.read("backup.json")
    again = terminal.run("backup", str(file))
    assert (again.status, "exists already" in again.err) == (2, True)
    assert sorted(one.name for one in terminal.folder.iterdir()) == ["data", "kept.zip", "passphrase.txt"]


def test_what_left_after_the_backup_is_doubted_as_a_whole_where_no_journal_is_left(terminal: Terminal) -> None:
    done(three_wait(terminal))
    file = terminal.folder / "kept.zip"
    terminal.run("backup", str(file))
    terminal.bureau.work()
    shutil.rmtree(terminal.data)
    assert terminal.run("restore", str(file)).status == 0
    assert states(terminal) == ["unknown"] * 3


def test_a_restore_is_refused_while_another_process_uses_the_folder(terminal: Terminal, tmp_path: Path) -> None:
    done(three_wait(terminal))
    file = terminal.folder / "kept.zip"
    terminal.run("backup", str(file))
    before = (terminal.data / "sequences.db").read_bytes()
    environ = {
        **os.environ,
        "SEQUENCES_DATA_DIR": str(terminal.data),
        "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>",
        "SEQUENCES_WINDOW": "Mon 00:00-00:01",
        "SEQUENCES_LOG_LEVEL": "INFO",
        "SEQUENCES_REVIEW_PAGE": "off",
    }
    server = subprocess.Popen(product(), env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(
            b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",'
            b'"capabilities":{},"clientInfo":{"name":"t","version":"1"}}}\n'
            b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_tasks","arguments":{}}}\n'
        )
        server.stdin.flush()
        greeting, called = (heard("what the server said", server.stdout.readline()) for _ in range(2))
        assert b'"id":1' in greeting and b'"id":2' in called  # the database is open once a tool has been called
        said = terminal.run("restore", str(file))
        assert (said.status, "is using" in said.err) == (2, True)
        assert (terminal.data / "sequences.db").read_bytes()[:16] == before[:16]
        assert not list(terminal.data.glob("*.replaced-*"))
    finally:
        server.stdin.close() if server.stdin else None
        server.wait(30)
        server.stdout.close() if server.stdout else None
    assert terminal.run("restore", str(file)).status == 0


@pytest.mark.parametrize("content", [b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_backup_changes_nothing(terminal: Terminal, content: bytes) -> None:
    done(three_wait(terminal))
    file = terminal.folder / "other.zip"
    file.write_bytes(content)
    said = terminal.run("restore", str(file))
    assert (said.status, "is no backup" in said.err) == (2, True)
    assert states(terminal) == ["planned"] * 3


def test_the_passphrase_of_the_folder_is_asked_for_before_anything_is_restored(terminal: Terminal) -> None:
    done(three_wait(terminal))
    terminal.with_passphrase()
    file = terminal.folder / "kept.zip"
    terminal.run("backup", str(file))
    assert terminal.run("restore", str(file)).status == 2
    assert not list(terminal.data.glob("*.replaced-*"))


def test_a_copied_folder_is_taken_over_in_a_terminal_with_the_passphrase(terminal: Terminal) -> None:
    done(three_wait(terminal))
    secret = terminal.with_passphrase()
    shutil.copytree(terminal.data, terminal.folder / "copy")
    shutil.rmtree(terminal.data)
    shutil.copytree(terminal.folder / "copy", terminal.data)
    terminal.bureau.work()
    assert recipients(terminal) == []
    doctor = terminal.run("doctor")
    assert (doctor.status, "sequences-mcp review take-over" in doctor.out) == (1, True)

    assert terminal.run("review", "take-over").status == 2
    wrong = terminal.run("review", "begin-anew", "--passphrase-file", secret)
    assert (wrong.status, "take-over" in wrong.err) == (2, True)
    said = terminal.run("review", "take-over", "--nothing-left", "--passphrase-file", secret)
    assert (said.status, said.err) == (0, "")
    terminal.bureau.work()
    assert len(recipients(terminal)) == 3


def test_a_new_database_beside_an_old_passphrase_begins_anew_only_when_a_person_says_so(
    terminal: Terminal,
) -> None:
    secret = terminal.with_passphrase()
    for file in terminal.data.iterdir():
        if file.name not in ("passphrase.json", "proof.json"):
            file.unlink()
    done(three_wait(terminal))
    terminal.bureau.work()
    assert recipients(terminal) == []
    assert terminal.run("review", "begin-anew", "--passphrase-file", secret).status == 0
    terminal.bureau.work()
    assert len(recipients(terminal)) == 3
