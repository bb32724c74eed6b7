"""What every command uses: settings, the opened context, output on the terminal, secrets typed at it."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sequences_mcp.errors import SequencesError

if TYPE_CHECKING:
    from sequences_mcp.client_setup.clients import Machine
    from sequences_mcp.context import AppContext
    from sequences_mcp.domain.actors import Actor
    from sequences_mcp.review.lock.first_visit import FolderSetup
    from sequences_mcp.settings import Settings
    from sequences_mcp.tenants import TenantDirectory

T = TypeVar("T")


def settings_here() -> Settings:
    """Return the settings of this process; SettingsError."""
    from sequences_mcp.settings import read_settings

    return read_settings(os.environ)


def tenants_here(folder: Path) -> TenantDirectory:
    """Return the tenants in a folder, whose settings may refer to secrets in the environment of this process."""
    from sequences_mcp.tenants import TenantDirectory

    return TenantDirectory(folder, os.environ)


def variable_here(name: str) -> str:
    """Return the value of an environment variable that a command named, empty where it is not set."""
    return os.environ.get(name, "")


def with_context(act: Callable[[AppContext], Awaitable[T]]) -> T:
    """Open the product for the person at this terminal, without its worker, and return the result of ``act``."""
    import asyncio  # a server that answers at once has no time for it yet

    from sequences_mcp.bootstrap import open_context

    async def run() -> T:
        async with open_context(settings_here(), worker=False, actor=person_here()) as app:
            return await act(app)

    return asyncio.run(run())


# How a line may begin, and in which colour that is shown.
MARKS = {"ok  ": "green", "BAD ": "red", "note": "yellow", "->  ": "cyan"}


def say(lines: Iterable[str], *, aside: bool = False) -> None:
    """Print lines without anything in them that could control the terminal; a mark at the start has a colour.

    ``aside`` prints them to standard error, for a person, where a program reads the output.
    """
    import click

    from sequences_mcp.domain.plain_words import as_shown

    for line in lines:
        shown = as_shown(line, keep="")  # stored text must not send control characters to the terminal
        colour = MARKS.get(shown[:4]) if has_colours() else None
        click.echo(f"{click.style(shown[:4], fg=colour)}{shown[4:]}" if colour else shown, err=aside)


def has_colours() -> bool:
    """Return whether colours are shown: on a terminal that has them, unless NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say_json(value: object) -> None:
    """Print a value as one line of JSON, in ASCII, which has no control characters; times in ISO 8601."""
    import json

    import click

    click.echo(
        json.dumps(value, default=lambda item: item.isoformat() if hasattr(item, "isoformat") else str(item))
    )


def json_option(act: Callable[..., None]) -> Callable[..., None]:
    """Give a command that reports the option ``--json``."""
    import click

    return click.option("--json", "as_json", is_flag=True, help="As one JSON object, for programs.")(act)


def machine_here() -> Machine:
    """Return the system, the home folder and the environment of this process."""
    import platform

    from sequences_mcp.client_setup.clients import Machine

    return Machine(system=platform.system(), home=Path.home(), environ=dict(os.environ))


def page_setup_here() -> FolderSetup:
    """Return what a first visit of the review page needs on this machine."""
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.first_visit import PageInstaller

    return PageInstaller(settings_here, machine_here(), utc_now)


def open_page(path: str) -> None:
    """Serve the review page unless another process does, and open a path of it in the browser, until Ctrl-C."""
    import webbrowser

    from sequences_mcp.review.page import serving
    from sequences_mcp.serve import review_page

    settings = settings_here()
    page = review_page(settings, setup=page_setup_here)
    page.start()
    try:
        where = serving.held_address(settings.workspace)
        say([f"The review page is at {where}"])
        if not webbrowser.open(f"{where}{path}"):
            say([f"No browser could be opened here: open {where}{path} yourself, on this machine."])
        if page.is_listening:
            say(["It stays open until you press Ctrl-C."])
            page.wait()
    except KeyboardInterrupt:
        pass
    finally:
        page.stop()


def text_of_file(file: Path) -> str:
    """Return the text of a file; InvalidArgumentsError where it is not UTF-8."""
    from sequences_mcp.errors import InvalidArgumentsError

    try:
        return file.read_text(encoding="utf-8-sig")  # -sig: some editors write a byte order mark
    except UnicodeDecodeError as error:
        raise InvalidArgumentsError(
            f"{file} is not UTF-8 (byte {error.start}).", next_step="Save it as UTF-8, then check it again."
        ) from error


def prove_passphrase(file: Path | None, *, prompt: str = "Passphrase", option: str = "--passphrase-file") -> str:
    """Return the typed passphrase if it is right, else raise ApprovalError.

    A wrong one is audited. After five wrong ones each check is delayed, but none is refused: a program that types
    wrong passphrases must not keep the right person out.
    """
    import time

    from sequences_mcp.bootstrap import safekeeping_of, utc_now
    from sequences_mcp.errors import ApprovalError
    from sequences_mcp.review.lock import passphrase, sessions

    safe = safekeeping_of(settings_here())
    text, counts = typed_secret(prompt, file, option=option), sessions.Tries(safe, utc_now)
    if wait := counts.pause(sessions.TERMINAL):
        wrong = counts.wrong(sessions.TERMINAL)
        say([f"{wrong:,} wrong passphrases were typed in terminals lately: looking takes {wait:g} seconds."])
        time.sleep(wait)
    try:
        passphrase.check_passphrase(safe, text)
    except ApprovalError:
        if passphrase.is_set(safe):
            counts.was_wrong(sessions.TERMINAL)
            with suppress(
                SequencesError
            ):  # without a database there is no audit, and the passphrase is still wrong
                with_context(lambda app: app.records.note("passphrase.wrong", person_here()))
        raise
    counts.was_right(sessions.TERMINAL)
    return text


def typed_secret(prompt: str, file: Path | None, *, option: str = "--passphrase-file") -> str:
    """Return a secret from a file or typed unseen; ApprovalError without either. ``option`` names the file's."""
    from sequences_mcp.errors import ApprovalError

    if file is not None:
        return text_of_file(file).strip()
    if not sys.stdin.isatty():
        raise ApprovalError(f"There is no terminal to ask for the {prompt.lower()}.", next_step=f"Use {option}.")
    return getpass.getpass(f"{prompt}: ")


def chosen_passphrase(file: Path | None) -> str:
    """Return a new passphrase, typed twice where it is typed; InvalidArgumentsError when the two differ."""
    from sequences_mcp.errors import InvalidArgumentsError

    first = typed_secret("New passphrase", file)
    if file is None and typed_secret("The same again", None) != first:
        raise InvalidArgumentsError("The two are not the same; nothing was set.", next_step="Choose again.")
    return first


def person_here() -> Actor:
    """Return who the audit names for what is done in this terminal."""
    from sequences_mcp.domain.actors import TERMINAL

    return TERMINAL.with_detail(getpass.getuser())
