"""Every command that reports has ``--json``: one object on one line, with the same exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import click
import pytest
from tests.cli.terminal import Terminal, done
from tests.cli.test_cli_start import started
from tests.secrecy.hearing import heard
from tests.world.product import MAIL, people

from sequences_mcp.cli import command_line

REPORTS = ["check", "audit", "doctor", "setup", "uninstall", "work", "report"]
BELOW = {"review": ["list", "show"], "mail": ["test"], "service": ["status"]}


def options(command: click.Command) -> set[str]:
    """Return the options of a command."""
    return {name for parameter in command.params for name in parameter.opts}


def test_every_command_that_reports_has_it() -> None:
    group = command_line()
    context = click.Context(group)
    for name in REPORTS:
        command = group.get_command(context, name)
        assert command is not None and "--json" in options(command), name
    for name, below in BELOW.items():
        inner = group.get_command(context, name)
        assert isinstance(inner, click.Group)
        assert all("--json" in options(inner.commands[one]) for one in below)


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
    command = [sys.executable, "-m", "sequences_mcp", "work"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    heard("what a command said", first + rest)
    assert first[10] == "T" and first[19] == "Z" and " INFO Work begins in " in first
    assert "ada@lovelace.example by outbox" in first and "Work ends: it was told to stop." in rest
    assert process.returncode == 0
