"""Every command that reports has ``--json``: one object on one line, with the same exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from tests.cli.terminal import Terminal, done
from tests.cli.test_cli_start import started
from tests.secrecy.hearing import heard
from tests.world.loaded import product
from tests.world.product import GRACE, MAIL, people

from sequences_mcp.cli import command_line

CONFIRMS = {  # these say in a sentence that what they were told to do is done, and their exit status says it too
    *(f"review {name}" for name in ("approve", "reject", "resolve", "waive", "lift", "suppress")),
    *(f"review {name}" for name in ("take-over", "begin-anew", "set-passphrase", "set-word", "add-passkey")),
    *(f"blueprints {name}" for name in ("archive", "unarchive", "share")),
    *(f"service {name}" for name in ("install", "uninstall")),
    *(f"mail {name}" for name in ("connect", "sign-in", "go-on")),
}
ELSE = {
    "blueprints export": "prints the blueprint itself, as JSON by default",
    "completion": "prints a shell's script",
    "demo": "a show to look at",
    "sandbox": "a server, until it is stopped",
    "serve": "a server, until it is stopped",
}


def commands(command: click.Command, *, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its name as one types it; hidden ones are earlier names."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        if not inner.hidden:
            yield from commands(inner, path=f"{path} {name}".strip())


def options(command: click.Command) -> set[str]:
    """Return the options of a command."""
    return {name for parameter in command.params for name in parameter.opts}


def test_every_command_that_reports_has_it() -> None:
    without = {path for path, command in commands(command_line()) if "--json" not in options(command)}
    assert without == CONFIRMS | ELSE.keys()


def test_a_backup_a_restore_and_an_erasure_are_told_to_a_program(terminal: Terminal) -> None:
    async def save() -> None:
        async with terminal.bureau.client("auto") as desktop:
            await desktop.contact()

    done(save())
    secret, kept = terminal.with_passphrase(), terminal.folder / "kept.zip"
    backup = said(terminal, "backup", str(kept))
    assert backup == {"file": str(kept), "bytes": kept.stat().st_size}
    erased = said(terminal, "erase", GRACE["email"], "--passphrase-file", secret)
    assert (erased["people"], erased["at_vendors"], erased["copies"]) == (1, {}, [])
    assert GRACE["email"] not in json.dumps(erased)
    restored = said(terminal, "restore", str(kept), "--passphrase-file", secret)
    assert (restored["unknown"], restored["erased_again"]) == (0, 1)
    assert Path(restored["replaced"]).exists()


def said(terminal: Terminal, *arguments: str, status: int = 0) -> dict[str, Any]:
    """Return what a command says as JSON."""
    answer = terminal.run(*arguments, "--json")
    assert answer.status == status and answer.out.count("\n") == 1, answer
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_what_waits_is_told_to_a_program(terminal: Terminal) -> None:
    assert said(terminal, "review", "list") == {"changes": [], "plans": [], "texts": [], "has_more": False}

    async def wait() -> None:
        async with terminal.bureau.client("auto") as desktop:
            blueprint = await desktop.blueprint(MAIL)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(2))

    done(wait())
    (plan,) = said(terminal, "review", "list")["plans"]
    assert plan["people"] == 2
    shown = said(terminal, "review", "show", plan["id"])
    assert shown["id"] == plan["id"] and shown["lines"]
    assert said(terminal, "audit", "verify")["holds"] is True


def test_findings_and_due_work_are_told_to_a_program(terminal: Terminal) -> None:
    file = terminal.write("bad.json", json.dumps([{**MAIL, "content": "Hello {{nobody}}"}]))
    found = said(terminal, "check", file, status=1)["findings"]
    assert {"rule", "severity", "message", "line"} <= found[0].keys()
    once = started(terminal.data, "work", "--once", "--json")
    assert json.loads(once.stdout)["accepted"] == 0
    assert terminal.run("work", "--json").status == 2


def test_a_mailbox_without_a_server_is_told_to_a_program(terminal: Terminal) -> None:
    assert "none was sent" in said(terminal, "mail", "test")["lines"][0]["text"]


@pytest.mark.skipif(os.name != "posix", reason="it is stopped by a signal")
def test_work_logs_what_it_does_with_the_time(terminal: Terminal) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SEQUENCES_")}
    environ |= {"SEQUENCES_DATA_DIR": str(terminal.data), "SEQUENCES_SENDER": "Ada <ada@lovelace.example>"}
    command = [*product(), "work"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    heard("what a command said", first + rest)
    assert first[10] == "T" and first[19] == "Z" and " INFO Work begins in " in first
    assert "ada@lovelace.example by outbox" in first and "Work ends: it was told to stop." in rest
    assert process.returncode == 0
