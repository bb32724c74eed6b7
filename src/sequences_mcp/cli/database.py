"""``sequences-mcp database``: the whole database moved to a PostgreSQL server, or back into a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from sequences_mcp.cli.keyboard import (
    json_option,
    person_here,
    prove_passphrase,
    say,
    say_json,
    settings_here,
    text_of_file,
    variable_here,
)
from sequences_mcp.domain import database_address
from sequences_mcp.errors import InvalidArgumentsError, SequencesError

if TYPE_CHECKING:
    from sequences_mcp.settings import Settings

SETTING = "SEQUENCES_DATABASE_URL"
KEY, PASSWORD_KEY = "database", "database_password"
SCHEMES = ("postgresql", "postgres")


def _database() -> click.Group:
    @click.group(help="Move the database to a PostgreSQL server, or back into a folder.")
    def database() -> None:
        pass

    database.add_command(_move())
    return database


def _move() -> click.Command:
    @click.command(
        help="Copy everything to an empty database, compare every row, and go on there. Nothing may run "
        "meanwhile. What is here stays as a copy that opens no more."
    )
    @click.option(
        "--to",
        "target",
        required=True,
        metavar="URL|FOLDER",
        help="postgresql://user@host:5432/name without the password, or a folder.",
    )
    @click.option("--password-env", metavar="NAME", help="The environment variable with the server's password.")
    @click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--check", "only_check", is_flag=True, help="Only look whether it could be moved.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @json_option
    def move(
        target: str,
        password_env: str | None,
        password_file: Path | None,
        *,
        only_check: bool,
        passphrase_file: Path | None,
        as_json: bool,
    ) -> None:
        from sequences_mcp.bootstrap import safekeeping_of
        from sequences_mcp.review.lock import passphrase
        from sequences_mcp.upkeep import move_database

        settings = settings_here()
        place, reference = _target(target, env=password_env, file=password_file)
        if not only_check and passphrase.is_set(safekeeping_of(settings)):
            prove_passphrase(passphrase_file)
        actor = None if only_check else person_here()
        report, where = move_database(settings, place, actor=actor, progress=_progress(as_json=as_json))
        facts: dict[str, Any] = {
            "from": report.source,
            "to": where,
            "moved": not only_check,
            "rows": dict(report.rows),
            "records": list(report.records),
            "dump": report.digest,
            "audit_rows": report.audit_rows,
        }
        steps = [] if only_check else _noted_in_settings(settings, place, where, reference=reference)
        if as_json:
            say_json({**facts, "next": steps})
            return
        number = f"{report.total:,} rows of {len(report.rows)} tables"
        done = f"{number} are in {where}: each was compared, and the chain of the audit holds."
        sentence = f"{number} can be moved to {where}. Nothing was changed." if only_check else done
        say([sentence, f"Their dump has the SHA-256 {report.digest}.", *steps])

    return move


def _progress(*, as_json: bool) -> Callable[[str, int], None]:
    """Return a callback that prints the progress of the copy on standard error."""

    def show(table: str, rows: int) -> None:
        if rows and not as_json:
            click.echo(f"  {table}: {rows:,} rows", file=sys.stderr)

    return show


def _target(text: str, *, env: str | None, file: Path | None) -> tuple[str | Path, dict[str, str] | None]:
    """Return the folder, or the server's whole address, and how settings.toml refers to its password."""
    if "://" not in text:
        if env or file:
            raise InvalidArgumentsError("A folder has no password.", next_step="Leave the password out.")
        return Path(text).expanduser().absolute(), None
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("none://")
    if database_address.has_password(text):
        raise InvalidArgumentsError(
            "The address has a password in it, which other programs of this machine can read in a command.",
            next_step="Leave it out, and name where it is: --password-env NAME or --password-file FILE.",
        )
    if parts.scheme not in SCHEMES or not parts.path.strip("/"):
        raise InvalidArgumentsError(
            f"{as_given(text)} is no address of a database.",
            next_step="Give postgresql://user@host:5432/name, or a folder.",
        )
    if env and file:
        raise InvalidArgumentsError("The password is named twice.", next_step="Name one: a variable or a file.")
    if env:
        if not (secret := variable_here(env)):
            raise InvalidArgumentsError(f"{env} is not set.", next_step="Set it to the server's password.")
        return _with_password(text, secret), {"env": env}
    if file:
        return _with_password(text, text_of_file(file).strip()), {"file": str(file.absolute())}
    return text, None


def as_given(text: str) -> str:
    """Return an argument of the command for a message, shortened."""
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def _with_password(address: str, password: str) -> str:
    if not urlsplit(address).username:
        raise InvalidArgumentsError(
            "The address names no user, whose password it could be.",
            next_step="Write postgresql://user@host/name.",
        )
    return database_address.with_password(address, password)


def _noted_in_settings(
    settings: Settings, place: str | Path, where: str, *, reference: dict[str, str] | None
) -> list[str]:
    """Have settings.toml name the new place, and return in words what was written and what is left to do."""
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.mail_setup.settings_text import with_keys

    if isinstance(place, Path):
        if place.resolve() != settings.data_dir.resolve():
            return [
                f"Set SEQUENCES_DATA_DIR to {place}.",
                f"Copy settings.toml there without `{KEY}` and `{PASSWORD_KEY}`.",
                "What else belongs to the mailboxes (`sign_in`, `outbox`, `profile.md`) is copied by hand.",
            ]
        change = with_keys(settings.file, {}, without=(KEY, PASSWORD_KEY))
    else:
        values: dict[str, Any] = {KEY: where}
        without = () if reference else (PASSWORD_KEY,)
        change = with_keys(
            settings.file, values | ({PASSWORD_KEY: reference} if reference else {}), without=without
        )
    shown = change.table.rstrip() or f"no line `{KEY}`"
    if settings.origins.get(SETTING) == "environment":
        return [f"{SETTING} is set in the environment: change it there. In settings.toml it would be: {shown}"]
    try:
        copy = change.write(now=utc_now()) if change.after != (change.before or "") else None
    except (OSError, SequencesError) as error:
        return [f"{settings.file} could not be written ({error}). Write there: {shown}"]
    return [f"{settings.file} has now: {shown}", *([f"What it was: {copy}"] if copy else [])]


COMMANDS = {"database": _database}
