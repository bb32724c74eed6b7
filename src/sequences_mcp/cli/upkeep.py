"""The commands for whoever runs the product: due work, checks, the doctor, backups, the demo."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from sequences_mcp.cli.keyboard import (
    json_option,
    person_here,
    prove_passphrase,
    say,
    say_json,
    settings_here,
    text_of_file,
)
from sequences_mcp.ports.safekeeping import Safekeeping


def _work() -> click.Command:
    @click.command(help="Send what is due and make approved starts at vendors, until stopped.")
    @click.option("--once", is_flag=True, help="Do what is due now and end.")
    @json_option
    def work(once: bool, as_json: bool) -> None:
        from sequences_mcp.review.terminal import work_done
        from sequences_mcp.upkeep import work, work_once

        if as_json and not once:
            raise click.UsageError("--json is for --once: without it nothing is reported before the end.")
        if as_json:
            say_json(asdict(work_once(settings_here())))
        elif once:
            say(work_done(work_once(settings_here())))
        else:
            work(settings_here())

    return work


def _clock() -> click.Group:
    @click.group("clock", help="The timers on a Temporal server, where one keeps them.")
    def group() -> None:
        pass

    @group.command(help="Begin the workflows that runs lack, and end those whose run is over.")
    @json_option
    def reconcile(as_json: bool) -> None:
        from sequences_mcp.upkeep import reconcile_clock

        tally = reconcile_clock(settings_here())
        if as_json:
            say_json(asdict(tally))
        elif tally.missing is None:
            say([f"{tally.live:,} live runs, each with a workflow now. Temporal lists no workflows here."])
        else:
            say([f"{tally.live:,} live runs; {tally.missing:,} workflows begun, {tally.ended:,} ended."])

    @group.command(help="Register the search attributes by which people look for workflows.")
    @json_option
    def attributes(as_json: bool) -> None:
        from sequences_mcp.upkeep import register_clock_attributes

        new = register_clock_attributes(settings_here())
        if as_json:
            say_json({"registered": new})
        else:
            say([f"Registered: {', '.join(new)}." if new else "All search attributes are registered already."])

    @group.command(help="Have workers of this version get what is due, with temporal_versioning on.")
    @json_option
    def current(as_json: bool) -> None:
        from sequences_mcp.upkeep import make_version_current

        build = make_version_current(settings_here())
        if as_json:
            say_json({"current": build})
        else:
            say([f"Workers of {build} get what is due from now on."])

    return group


def _check() -> click.Command:
    @click.command(help="Run the guards on a blueprint file (JSON). Exit status 1 when one refuses.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @json_option
    def check(file: Path, as_json: bool) -> None:
        from sequences_mcp.bootstrap import law_of, policy_of
        from sequences_mcp.domain.findings import errors_in
        from sequences_mcp.review.terminal import findings
        from sequences_mcp.services.blueprints import check_file

        settings = settings_here()
        located = check_file(text_of_file(file), policy=policy_of(settings), law=law_of(settings)())
        if as_json:
            rows = [asdict(place.finding) | asdict(place.start) for place in located]
            say_json({"file": str(file), "findings": rows})
        else:
            say(findings(located, name=str(file)))
        sys.exit(1 if errors_in(place.finding for place in located) else 0)

    return check


def _audit() -> click.Command:
    @click.command(help="Verify the chain of the audit trail. Exit status 1 when a row was changed.")
    @click.argument("action", type=click.Choice(["verify"]))
    @json_option
    def audit(action: str, as_json: bool) -> None:
        from sequences_mcp.doctor import survey_store

        survey = survey_store(settings_here())
        holds = survey.broken_row is None
        if as_json:
            facts = {"rows": survey.audit_rows, "emptied_rows": survey.emptied_rows}
            say_json({**facts, "holds": holds, "broken_row": survey.broken_row})
        else:
            say([f"{survey.audit_rows:,} rows, {survey.chain}." if holds else f"{survey.chain.capitalize()}."])
        sys.exit(0 if holds else 1)

    return audit


def _doctor() -> click.Command:
    @click.command(help="Check settings, database, mail server and clock, and show what is waiting.")
    @json_option
    @click.option("--send-test", is_flag=True, help="Send each mailbox a message to itself, which has to arrive.")
    @click.option("--dns", is_flag=True, help="Say what the DNS has of the senders' domains.")
    def doctor(as_json: bool, send_test: bool, dns: bool) -> None:
        from sequences_mcp.doctor import as_object, as_table, examine, origins_of

        lines, healthy = examine(os.environ, sends_test=send_test, asks_dns=dns)
        if as_json:
            say_json({**as_object(lines, healthy=healthy), "settings": origins_of(os.environ)})
        else:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            say(as_table(lines, width=width))
        sys.exit(0 if healthy else 1)

    return doctor


def _backup() -> click.Command:
    @click.command(
        help="Back up the database, its journals and what approvals are checked with into a new private file."
    )
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    @json_option
    def backup(file: Path, as_json: bool) -> None:
        from sequences_mcp.upkeep import back_up_folder

        back_up_folder(settings_here(), file.absolute())
        if as_json:
            say_json({"file": file.absolute(), "bytes": file.stat().st_size})
            return
        say(
            [
                f"The backup is in {file}. It holds people's data and a hash of the passphrase: keep it private.",
                "Passwords and API keys are settings and are not in it.",
                f"Put it back with: sequences-mcp restore {file}",
            ]
        )

    return backup


def _restore() -> click.Command:
    @click.command(help="Put a backup back, while nothing uses the data folder. Nothing is sent twice.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @json_option
    def restore(file: Path, passphrase_file: Path | None, as_json: bool) -> None:
        from sequences_mcp.review.lock import passphrase
        from sequences_mcp.upkeep import restore

        def allow(safe: Safekeeping) -> None:
            if passphrase.is_set(safe):
                prove_passphrase(passphrase_file)

        put_back, unknown = restore(settings_here(), file, allow=allow, actor=person_here())
        if as_json:
            facts = {"made_at": put_back.made_at, "replaced": put_back.replaced}
            say_json({**facts, "unknown": unknown, "erased_again": put_back.erased_again})
            return
        say([f"The backup of {_instant_words(put_back.made_at)} is in place."])
        if put_back.replaced:
            say([f"The database of before is kept as {put_back.replaced}."])
        say([words_of_unknown(unknown), "Nobody who was suppressed since is forgotten."])
        if put_back.erased_again:
            number = put_back.erased_again
            who = "1 person was" if number == 1 else f"{number:,} people were"
            say([f"{who} erased since this backup, and {'is' if number == 1 else 'are'} erased from it too."])

    return restore


def _instant_words(text: str) -> str:
    """Return an instant of a backup as every command says one; what is no instant as it stands."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return text


def words_of_unknown(number: int) -> str:
    """Return a message about e-mails and requests that left and that the present database has no record of."""
    if not number:
        return "Nothing was sent that it does not know of."
    return (
        f"{number} e-mails or requests were sent, or may have been, that it does not know of: they are unknown, "
        "and nothing of them is sent before you say what became of each (sequences-mcp review list)."
    )


def _completion() -> click.Command:
    @click.command(help='Print a shell\'s completion; for bash: eval "$(sequences-mcp completion bash)"')
    @click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
    def completion(shell: str) -> None:
        from click.shell_completion import get_completion_class

        from sequences_mcp.cli import COMPLETE, command_line

        made = get_completion_class(shell)
        assert made is not None  # ``shell`` is one of click's own
        click.echo(made(command_line(), {}, "sequences-mcp", COMPLETE).source())

    return completion


def _demo() -> click.Command:
    @click.command(help="Show everything on this machine: a mail server, a client, five people.")
    def demo() -> None:
        from sequences_mcp.demo import demo

        asyncio.run(demo(click.echo))

    return demo


def _sandbox() -> click.Command:
    from sequences_mcp.vendors.registry import titles

    @click.command(help=f"{titles(owning=True)} APIs on loopback, to try them without an account.")
    @click.option(
        "--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="0: any free one."
    )
    def sandbox(port: int) -> None:
        from sequences_sandbox.serve import serve

        try:
            asyncio.run(serve(port, clock=lambda: datetime.now(UTC), say=click.echo))
        except KeyboardInterrupt:
            click.echo("The sandbox has ended; nothing was kept.")

    return sandbox


COMMANDS = {
    "work": _work,
    "clock": _clock,
    "check": _check,
    "audit": _audit,
    "doctor": _doctor,
    "backup": _backup,
    "restore": _restore,
    "completion": _completion,
    "demo": _demo,
    "sandbox": _sandbox,
}
