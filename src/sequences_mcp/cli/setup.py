"""``sequences-mcp setup`` and ``uninstall``: all that sending needs, and the files of the chat clients."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sequences_mcp.cli.keyboard import json_option, machine_here, open_page, say, say_json, settings_here
from sequences_mcp.client_setup import changes
from sequences_mcp.client_setup.changes import WrittenChange
from sequences_mcp.client_setup.clients import CLIENTS, ENTRY, clients_here, named_folder, start_command
from sequences_mcp.errors import ConflictError, InvalidArgumentsError

if TYPE_CHECKING:
    from sequences_mcp.client_setup.changes import ClientChange
    from sequences_mcp.settings import Settings

CLIENT = click.option(
    "--client",
    "names",
    multiple=True,
    type=click.Choice([*CLIENTS, "all"]),
    help="Only this client's file, and no other question; may be given several times.",
)
YES = click.option("--yes", is_flag=True, help="Write without asking.")
NOTHING = "Nothing was changed."


def _setup() -> click.Command:
    @click.command(
        help="Set everything up: who sends, the mailbox, when and how much, the passphrase, and the files of the "
        "chat clients here. Asks only for what is not known yet, and shows what it writes before it does."
    )
    @CLIENT
    @YES
    @click.option("--print", "prints", is_flag=True, help="Print what each client's file needs; write nothing.")
    @click.option("--list", "lists", is_flag=True, help="List the clients on this machine; write nothing.")
    @click.option("--page", "on_page", is_flag=True, help="Ask on the review page; print the code that begins it.")
    @json_option
    def setup(names: tuple[str, ...], yes: bool, prints: bool, lists: bool, on_page: bool, as_json: bool) -> None:
        if on_page:
            _begin_on_page()
            return
        settings = settings_here()
        planned = changes.planned_entries(
            machine_here(),
            server_command(),
            data_dir=named_folder(settings.data_dir, settings.origins),
            names=names or ("all",),
        )
        if lists or prints:
            _report(planned, as_json=as_json, shows=prints)
        elif names or yes:
            write_clients(settings, planned, is_agreed=yes, as_json=as_json)
        else:
            from sequences_mcp.cli.guide import guided

            sys.exit(0 if guided(settings, planned) else 1)

    return setup


def _begin_on_page() -> None:
    """Print the code of a first visit and open the page for it; ConflictError where a passphrase is chosen."""
    from sequences_mcp.bootstrap import safekeeping_of, utc_now
    from sequences_mcp.ports.safekeeping import KeptRecord
    from sequences_mcp.review.lock import passkeys, passphrase

    safe = safekeeping_of(settings_here())
    if passphrase.is_set(safe):
        step = "Open it with: sequences-mcp review --open. What else is missing: sequences-mcp setup."
        raise ConflictError("A passphrase is chosen already, so the page asks for that.", next_step=step)
    safe.workspace.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    code = passkeys.new_code(safe, KeptRecord.SETUP_CODE, now=utc_now())
    say(
        [
            f"Code: {code}",
            "Type it on the page within ten minutes. It is for you alone: it chooses the passphrase.",
        ]
    )
    open_page("first")


def _uninstall() -> click.Command:
    @click.command(
        help="Take out of the clients' files exactly what setup wrote into them. The data folder stays."
    )
    @CLIENT
    @YES
    @json_option
    def uninstall(names: tuple[str, ...], yes: bool, as_json: bool) -> None:
        settings = settings_here()
        planned = _planned_removals(settings, names)
        if not names:
            _end_service(settings, is_agreed=yes, is_quiet=as_json)
        write_clients(settings, planned, is_agreed=yes, as_json=as_json)
        if not as_json:
            say(_what_stays(settings))

    return uninstall


def _end_service(settings: Settings, *, is_agreed: bool, is_quiet: bool) -> None:
    """End the service of this system and delete its file, where one is installed."""
    from sequences_mcp.cli import service
    from sequences_mcp.service import end_service

    try:
        made = service.service_here(settings)
    except InvalidArgumentsError:  # this system has none
        return
    if not made.is_installed:
        return
    if not is_agreed:
        agree(f"End the {made.kind} {made.path} and delete it?")
    if is_quiet:
        list(end_service(made, run=service.run_here))
    else:
        service.ended(made)


def server_command() -> tuple[str, ...]:
    """Return how a client starts this server on this machine."""
    return start_command(Path(sys.executable), which=shutil.which, is_windows=machine_here().system == "Windows")


def _planned_removals(settings: Settings, names: Sequence[str]) -> list[ClientChange]:
    machine, memory = machine_here(), changes.remembered(settings.workspace)
    files = {(record.client, Path(path)) for path, record in memory.items() if record.client in CLIENTS}
    files |= {(client.name, path) for client, path in clients_here(machine)}
    wanted = set(CLIENTS) if not names or "all" in names else set(names)
    return [
        changes.planned_removal(CLIENTS[name], path, memory=memory)
        for name, path in sorted(files)
        if name in wanted
    ]


def _report(planned: Iterable[ClientChange], *, as_json: bool, shows: bool = False) -> None:
    planned = list(planned)
    if as_json:
        say_json({"clients": [_row(change) | ({"block": change.block} if shows else {}) for change in planned]})
        return
    if not planned:
        say([f"No client was found on this machine; known are {', '.join(CLIENTS)}."])
    for change in planned:
        say([_line(change)])
        say(f"    {line}" for line in (change.block.splitlines() if shows else ()))


def _row(change: ClientChange, copy: Path | None = None) -> dict[str, str | None]:
    return {
        "client": change.client.name,
        "file": str(change.path),
        "state": change.state,
        "problem": change.problem or None,
        "copy": str(copy) if copy else None,
    }


def _line(change: ClientChange) -> str:
    """Return one line on the state of a client's file."""
    where = f"{change.client.title:<15} {change.path}"
    if change.problem:
        return f"BAD  {where}: {change.problem}"
    if change.is_change:
        return f"->   {where}: not yet" if change.block else f"->   {where}: has it"
    return f"ok   {where}: has it" if change.block else f"ok   {where}: has nothing of it"


def show_change(change: ClientChange) -> None:
    """Say what would be written into a client's file, or why nothing is."""
    say(["", f"{change.client.title}: {change.path}"])
    if change.is_other:
        say([f'note "{ENTRY}" starts another program there now, and is replaced.'] if change.block else ())
    say(f"    {line}" for line in change.block.splitlines())
    if change.before is None and change.block:
        say(["    (a new file)"])
    elif change.block:
        say(["    (everything else in the file stays; a copy of it is kept beside it)"])
    elif change.after is None:
        say(["    (the file, which setup made, is deleted)"])
    else:
        say([f'    "{ENTRY}" is taken out; everything else in the file stays'])


def say_refused(change: ClientChange) -> None:
    """Say why a file is left as it is, and what to put into it by hand."""
    say([f"BAD  {change.client.title}: {change.path} is left as it is: {change.problem}."])
    if change.block:
        say(["     Correct it and run setup again, or put this into it yourself:"])
        say(f"    {line}" for line in change.block.splitlines())
    else:
        say([f'     Take "{ENTRY}" out of it yourself.'])


def write_clients(settings: Settings, planned: Sequence[ClientChange], *, is_agreed: bool, as_json: bool) -> None:
    """Show and write the changes once a person agrees; exit with 1 where a file was left as it is."""
    to_write = [change for change in planned if change.is_change]
    if not as_json:
        if not planned:
            _report(planned, as_json=False)
        for change in planned:
            if not change.is_change and not change.problem:
                other = f'; "{ENTRY}" in it starts another program and stays' if change.is_other else ""
                say([f"{_line(change)}{other}"])
        for change in to_write:
            show_change(change)
    if to_write and not is_agreed:
        agree("Write it?" if to_write[0].block else "Take it out?")
    rows = []
    for change in planned:
        written = next(written_changes(settings, [change])) if change.is_change else WrittenChange(change)
        rows.append(_row(written.change, written.copy))
        if not as_json:
            say_written(written)
    if as_json:
        say_json({"clients": rows})
    if any(row["problem"] for row in rows):
        sys.exit(1)


def written_changes(settings: Settings, planned: Iterable[ClientChange]) -> Iterator[WrittenChange]:
    """Write each of these changes, and yield what came of it."""
    from sequences_mcp.bootstrap import utc_now

    return changes.write_changes(planned, now=utc_now(), workspace=settings.workspace)


def say_written(written: WrittenChange, *, says_next: bool = True) -> None:
    """Say what was written into a client's file, or why it is left as it is; nothing where it is right already.

    ``says_next``: what the person then does with the client is said as well.
    """
    change = written.change
    if change.problem:
        say_refused(change)
    elif change.is_change:
        then = f" {change.client.then}" if change.block and says_next else ""
        say([f"ok   {change.client.title}: {ENTRY} {'is written' if change.block else 'is taken out'}.{then}"])
        say([f"     The file of before is kept as {written.copy}."] if written.copy else ())


def agree(question: str) -> None:
    """Return once a person agrees; InvalidArgumentsError where they do not, or without a terminal."""
    if not sys.stdin.isatty():
        raise InvalidArgumentsError(f"Nobody is there to agree. {NOTHING}", next_step="Give --yes.")
    if not click.confirm(question, default=True):
        raise InvalidArgumentsError(NOTHING, next_step="Run it again when it should be.")


def _what_stays(settings: Settings) -> list[str]:
    return [
        "",
        f"What stays: the data folder {settings.data_dir}, with the people, what was sent, who must never be",
        "contacted, the settings and what approvals are checked with. Delete it yourself when nothing of it is",
        "needed any more; passwords in the system's keychain are under the name sequences-mcp.",
        "The program itself goes the way it came: with uv tool uninstall, pipx uninstall or pip uninstall.",
    ]


COMMANDS = {"setup": _setup, "uninstall": _uninstall}
