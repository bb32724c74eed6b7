"""``erase`` and ``export-contact``: one person's data, shown, given and erased at a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli.terminal import Terminal, done
from tests.services.test_erasing import traces_of
from tests.world.product import GRACE

from sequences_mcp.store.sqlite.backup import back_up, opened, put_back

ADDRESS = GRACE["email"]


async def _saved(terminal: Terminal) -> None:
    async with terminal.bureau.client() as model:
        await model.contact()


def test_a_person_is_shown_and_erased_with_the_passphrase_and_not_without(terminal: Terminal) -> None:
    done(_saved(terminal))
    secret = terminal.with_passphrase()
    unproved = terminal.run("erase", ADDRESS)
    assert unproved.status != 0
    assert ADDRESS in unproved.out, "who it is stands there before anything is asked"
    said = terminal.run("erase", ADDRESS, "--passphrase-file", secret)
    assert said.status == 0, said.err
    assert "Erased: 0 sequences" in said.out
    assert "Backups" in said.out
    again = terminal.run("erase", ADDRESS, "--passphrase-file", secret)
    assert "erased here before" in again.err
    verified = terminal.run("audit", "verify")
    assert (verified.status, "rows were emptied by an erasure" in verified.out) == (0, True), verified.out
    assert "emptied by an erasure" in terminal.run("doctor").out
    assert json.loads(terminal.run("audit", "verify", "--json").out)["emptied_rows"] > 0


def test_a_restored_backup_has_whoever_was_erased_since_erased_again_and_says_so(terminal: Terminal) -> None:
    done(_saved(terminal))
    secret = terminal.with_passphrase()
    file = terminal.folder / "kept.zip"
    assert terminal.run("backup", str(file)).status == 0
    assert terminal.run("erase", ADDRESS, "--passphrase-file", secret).status == 0
    said = terminal.run("restore", str(file), "--passphrase-file", secret)
    assert (said.status, "1 person was erased since this backup" in said.out) == (0, True), said.out + said.err
    assert re.search(r"The backup of \d{4}-\d\d-\d\d \d\d:\d\d UTC is in place", said.out), said.out
    assert "Nobody here" not in terminal.run("erase", ADDRESS, "--passphrase-file", secret).err
    assert terminal.bureau.rows("SELECT count(*) FROM contact WHERE email IS NOT NULL") == [(0,)]


@pytest.mark.parametrize(
    "command", ["doctor", "audit verify", "export contacts", "report", "blueprints list", "backup made.zip"]
)
def test_whatever_command_meets_an_older_database_first_shows_writes_and_leaves_nobody_erased(
    terminal: Terminal, command: str
) -> None:
    done(_saved(terminal))
    secret = terminal.with_passphrase()
    kept, made = terminal.folder / "kept.zip", terminal.folder / "made.zip"
    back_up(terminal.bureau.folder, kept, now=terminal.bureau.clock(), settings={})
    assert terminal.run("erase", ADDRESS, "--passphrase-file", secret).status == 0
    with opened(kept) as inside:
        put_back(terminal.bureau.folder, inside, now=terminal.bureau.clock())
    for path in terminal.bureau.folder.glob("*.replaced-*"):
        path.unlink()
    assert traces_of(terminal.bureau.folder, ADDRESS)
    said = terminal.run(*(str(made) if part == made.name else part for part in command.split()))
    assert ADDRESS not in said.out + said.err
    kept.unlink()
    assert traces_of(terminal.folder, ADDRESS) == traces_of(terminal.bureau.folder, ADDRESS) == []
    assert made.exists() is command.startswith("backup"), said.err


def test_one_persons_data_is_written_to_a_private_file(terminal: Terminal) -> None:
    done(_saved(terminal))
    said = json.loads(terminal.run("export-contact", ADDRESS, "--json").out)
    file = Path(said["file"])
    assert json.loads(file.read_text("utf-8"))["contact"][0]["email"] == ADDRESS
    assert file.stat().st_mode & 0o077 == 0
    nobody = terminal.run("export-contact", "nobody@example.com")
    assert (nobody.status != 0, "Nobody here" in nobody.err) == (True, True)
