"""``sequences-mcp service``: the due work done by the system itself, whether or not a chat is open."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sequences_mcp import service
from sequences_mcp.cli.keyboard import json_option, machine_here, say, say_json, settings_here
from sequences_mcp.cli.setup import YES, agree, server_command
from sequences_mcp.client_setup.clients import DATA_DIR, named_folder
from sequences_mcp.errors import InvalidArgumentsError, SettingsError

if TYPE_CHECKING:
    from sequences_mcp.service import SystemService
    from sequences_mcp.settings import Settings

PATIENCE = 60  # seconds for a program of the system


def _service() -> click.Group:
    @click.group("service", help="Have this system do the due work, whether or not a chat is open.")
    def group() -> None:
        pass

    for command in (_install(), _status(), _uninstall()):
        group.add_command(command)
    return group


def _install() -> click.Command:
    @click.command(
        "install", help="Begin it now and at each log-in. Shows the file that it writes before it does."
    )
    @YES
    @click.option("--print", "prints", is_flag=True, help="Print the file; write nothing.")
    def install(yes: bool, prints: bool) -> None:
        settings = settings_here()
        made = service_here(settings)
        if made.refused is not None:
            raise made.refused
        if prints:
            say(made.text.splitlines())
            return
        _require(settings, made)
        copy = made.copy_of_before
        if not made.is_current:
            say([f"{made.path}:", *(f"    {line}" for line in made.text.splitlines()), ""])
            if copy is not None:
                say([f"It replaces the file of that name, which is kept as {copy}.", ""])
            if not yes:
                agree("Write it and begin?")
        failures = list(service.begin_service(made, run=run_here))
        say(f"BAD  {line}" for line in failures)
        if failures:
            say([f"     {made.path} is written; begin it yourself once that is mended, or run this again."])
            sys.exit(1)
        say([f"ok   The {made.kind} {made.path} is in place, and was begun.", f"     {made.hint}"])
        say([] if copy is None else [f"note It replaced another file, which is kept as {copy}."])
        say(f"note {line}" for line in _secrets_missing_there(settings))

    return install


def _status() -> click.Command:
    @click.command(
        "status",
        help="Say whether it is installed and running, and who does the due work now.",
        short_help="Say whether it runs, and who works now.",
    )
    @json_option
    def status(as_json: bool) -> None:
        from sequences_mcp.doctor import workers_now

        settings = settings_here()
        made, working = service_here(settings), workers_now(settings)
        is_running = made.is_installed and run_here(made.ask)[0] == 0
        if as_json:
            say_json(
                {
                    "kind": made.kind,
                    "file": str(made.path),
                    "installed": made.is_installed,
                    "current": made.is_current,
                    "running": is_running,
                    "workers": [
                        {
                            "process": worker.process,
                            "host": worker.host,
                            "since": worker.since,
                            "seen": worker.seen,
                        }
                        | {"last_act": worker.last_act, "sends": worker.sends}
                        for worker in working
                    ],
                }
            )
        else:
            say(_status_lines(made, is_running=is_running))
            say(f"ok   worker: {worker.words}; seen {worker.seen:%Y-%m-%d %H:%M:%S} UTC" for worker in working)
            say([] if working else ["note worker: none runs; nothing leaves before one does"])
        sys.exit(0 if is_running else 1)

    return status


def _status_lines(made: SystemService, *, is_running: bool) -> list[str]:
    if not made.is_installed:
        return [f"note service: not installed ({made.path}); `sequences-mcp service install` does it"]
    lines = [f"ok   service: {made.kind} {made.path}"]
    if not made.is_current:
        lines.append(
            "note service: installed by another version or command; `sequences-mcp service install` renews it"
        )
    lines.append("ok   service: running" if is_running else "BAD  service: not running, says the system")
    return lines


def _uninstall() -> click.Command:
    @click.command("uninstall", help="End it and delete its file. What is due waits for another worker.")
    @YES
    def uninstall(yes: bool) -> None:
        made = service_here(settings_here())
        if not made.is_installed:
            say([f"No service is installed ({made.path}). Nothing was changed."])
            return
        if not yes:
            agree(f"End it and delete {made.path}?")
        sys.exit(0 if ended(made) else 1)

    return uninstall


def ended(made: SystemService) -> bool:
    """End a service and delete its file, say so, and return whether all went well."""
    failures = list(service.end_service(made, run=run_here))
    say(f"BAD  {line}" for line in failures)
    say([f"ok   The {made.kind} is ended, and {made.path} is deleted."])
    return not failures


def service_here(settings: Settings) -> SystemService:
    """Return the service of this system for a data folder; InvalidArgumentsError where none is known."""
    machine = machine_here()
    data_dir = named_folder(settings.data_dir, settings.origins)
    job = service.ServiceJob(
        command=_without_window(server_command(), is_windows=machine.system == "Windows"),
        environment={DATA_DIR: data_dir} if data_dir else {},
    )
    made = service.of_system(
        job,
        system=machine.system,
        home=machine.home,
        config=machine.folder("XDG_CONFIG_HOME", ".config"),
        workspace=settings.workspace,
        user_id=getattr(os, "getuid", lambda: 0)(),
    )
    if made is None:
        step = "Have it run `sequences-mcp work` in its own way."
        raise InvalidArgumentsError(f"{machine.system} has no service that is known here.", next_step=step)
    return made


def _without_window(command: tuple[str, ...], *, is_windows: bool) -> tuple[str, ...]:
    """Return a command that opens no window on Windows, where the Python for that is beside the usual one."""
    windowless = Path(sys.executable).with_name("pythonw.exe")
    return (str(windowless), "-m", "sequences_mcp") if is_windows and windowless.is_file() else command


def _require(settings: Settings, made: SystemService) -> None:
    """Raise an error where a service could not work, or cannot be begun here."""
    if shutil.which(made.program) is None:
        step = "Have the system run `sequences-mcp work` in its own way, such as a container's."
        raise InvalidArgumentsError(f"{made.program} is not on this machine.", next_step=step)
    if settings.mailbox.name is None and not settings.accounts:
        raise SettingsError(
            f"{settings.file} names no mailbox, and a service has no other settings.",
            next_step="Run `sequences-mcp setup` first.",
        )


def _secrets_missing_there(settings: Settings) -> list[str]:
    """Return the secrets that are set in this terminal's environment alone, which the service would lack."""
    from sequences_mcp.settings import read_settings

    alone = read_settings({"SEQUENCES_DATA_DIR": str(settings.data_dir)})
    lacking = [*alone.lacking.values(), *(why for mailbox in alone.mailboxes for why in mailbox.lacking.values())]
    return [f"The service lacks a secret: {why}." for why in dict.fromkeys(lacking)]


def run_here(command: tuple[str, ...]) -> tuple[int, str]:
    """Run a program of the system; return its exit status and what it said, or 127 where there is none."""
    program = shutil.which(command[0])
    if program is None:
        return 127, f"{command[0]} is not on this machine"
    try:
        done = subprocess.run(  # noqa: S603 - the commands are those of ``service.of_system``, without a shell
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 126, type(error).__name__
    return done.returncode, " ".join(f"{done.stdout} {done.stderr}".split())[:500]


COMMANDS = {"service": _service}
