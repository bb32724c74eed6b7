"""The command line; without a command it runs the MCP server over stdio.

click is imported inside the functions that build commands: the server does not need it, and starts faster without.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from sequences_mcp import __version__
from sequences_mcp.errors import SequencesError

if TYPE_CHECKING:
    import click

    from sequences_mcp.context import AppContext
    from sequences_mcp.settings import Settings

T = TypeVar("T")
BY_HAND = """\
sequences-mcp is an MCP server. An MCP client starts it and exchanges JSON with it over standard input and output;
nothing can be typed here. `sequences-mcp --help` lists the commands, `sequences-mcp demo` runs a demo, and
`sequences-mcp doctor` checks the set-up. Press Ctrl-C to end it.
"""
READ_FAILED = 2
INTERRUPTED = 130  # as a shell counts an end by SIGINT
COMPLETE = "_SEQUENCES_MCP_COMPLETE"  # how click is asked for completions


def main() -> None:
    """Run the server, or the command named; errors end in what to do next and exit with 2."""
    try:
        if len(sys.argv) == 1 and COMPLETE not in os.environ:
            _serve()
        else:
            _commands().main(prog_name="sequences-mcp")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SequencesError as error:
        _give_up(error)
    except BaseExceptionGroup as group:  # the server's task group wraps the exceptions of its start
        ours, others = group.split(SequencesError)
        if ours is None or others is not None:
            raise
        _give_up(_first(ours))


def _give_up(error: SequencesError) -> NoReturn:
    from sequences_mcp.domain.plain_words import as_shown, for_terminal

    sys.stderr.write(f"{as_shown(for_terminal(str(error)))}\n")
    sys.exit(READ_FAILED)


def _first(group: BaseExceptionGroup[SequencesError]) -> SequencesError:
    item = group.exceptions[0]
    return _first(item) if isinstance(item, BaseExceptionGroup) else item


def _settings() -> Settings:
    from sequences_mcp.settings import read_settings

    return read_settings(os.environ)


def _serve() -> None:
    from sequences_mcp.serve import serve_stdio

    if sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(BY_HAND)
    serve_stdio(_settings)


def _with_context(act: Callable[[AppContext], Awaitable[T]]) -> T:
    from sequences_mcp.bootstrap import open_context

    async def run() -> T:
        async with open_context(_settings(), worker=False) as app:
            return await act(app)

    return asyncio.run(run())


def _say(lines: Iterable[str]) -> None:
    import click

    from sequences_mcp.domain.plain_words import as_shown

    for line in lines:
        click.echo(as_shown(line, keep=""))  # stored text must not send control characters to the terminal


def _commands() -> click.Group:
    import click

    @click.group(help="Outreach sequences over MCP. Without a command: the server, over stdio.")
    @click.version_option(__version__)
    def group() -> None:
        pass

    for command in (
        _work(),
        _review(),
        _check(),
        _audit(),
        _doctor(),
        _backup(),
        _restore(),
        _demo(),
        _sandbox(),
        _completion(),
    ):
        group.add_command(command)
    return group


def _work() -> click.Command:
    import click

    @click.command(help="Send what is due and make approved starts at vendors, until stopped.")
    @click.option("--once", is_flag=True, help="Do what is due now and end.")
    def work(once: bool) -> None:
        from sequences_mcp.review.terminal import work_done
        from sequences_mcp.upkeep import work, work_once

        if once:
            _say(work_done(work_once(_settings())))
        else:
            work(_settings())

    return work


def _check() -> click.Command:
    import click

    @click.command(help="Run the guards on a blueprint file (JSON). Exit status 1 when one refuses.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def check(file: Path) -> None:
        from sequences_mcp.bootstrap import policy_of
        from sequences_mcp.domain.findings import errors_in
        from sequences_mcp.review.terminal import findings
        from sequences_mcp.services.blueprints import check_file

        located = check_file(_read_text(file), policy=policy_of(_settings()))
        _say(findings(located, name=str(file)))
        sys.exit(1 if errors_in(place.finding for place in located) else 0)

    return check


def _read_text(file: Path) -> str:
    from sequences_mcp.errors import InvalidArgumentsError

    try:
        return file.read_text(encoding="utf-8-sig")  # -sig: some editors write a byte order mark
    except UnicodeDecodeError as error:
        raise InvalidArgumentsError(
            f"{file} is not UTF-8 (byte {error.start}).", next_step="Save it as UTF-8, then check it again."
        ) from error


def _audit() -> click.Command:
    import click

    @click.command(help="Verify the chain of the audit trail. Exit status 1 when a row was changed.")
    @click.argument("action", type=click.Choice(["verify"]))
    def audit(action: str) -> None:
        from sequences_mcp.doctor import survey_store

        survey = survey_store(_settings())
        broken = f"Row {survey.broken_row} does not fit the chain."
        _say([f"{survey.audit_rows:,} rows, the chain holds." if survey.broken_row is None else broken])
        sys.exit(0 if survey.broken_row is None else 1)

    return audit


def _doctor() -> click.Command:
    import click

    @click.command(help="Check settings, database, mail server and clock, and show what is waiting.")
    @click.option("--json", "as_json", is_flag=True, help="As one JSON object, for programs.")
    def doctor(as_json: bool) -> None:
        from sequences_mcp.doctor import as_object, examine

        lines, healthy = examine(os.environ)
        if as_json:
            click.echo(json.dumps(as_object(lines, healthy=healthy)))  # JSON in ASCII has no control characters
        else:
            _say(str(line) for line in lines)
        sys.exit(0 if healthy else 1)

    return doctor


def _backup() -> click.Command:
    import click

    @click.command(
        help="Back up the database, its journals and what approvals are checked with into a new private file."
    )
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    def backup(file: Path) -> None:
        from sequences_mcp.upkeep import back_up_folder

        back_up_folder(_settings(), file.absolute())
        _say(
            [
                f"The backup is in {file}. It holds people's data and a hash of the passphrase: keep it private.",
                "Passwords and API keys are settings and are not in it.",
                f"Put it back with: sequences-mcp restore {file}",
            ]
        )

    return backup


def _restore() -> click.Command:
    import click

    @click.command(help="Put a backup back, while nothing uses the data folder. Nothing is sent twice.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def restore(file: Path, passphrase_file: Path | None) -> None:
        from sequences_mcp.review.lock import passphrase
        from sequences_mcp.upkeep import restore

        def allow(folder: Path) -> None:
            if passphrase.is_set(folder):
                _prove(passphrase_file)

        put_back, unknown = restore(_settings(), file, allow=allow, actor=_actor())
        _say([f"The backup of {put_back.made_at} is in place."])
        if put_back.replaced:
            _say([f"The database of before is kept as {put_back.replaced}."])
        _say([_unknown_words(unknown), "Nobody who was suppressed since is forgotten."])

    return restore


def _unknown_words(number: int) -> str:
    if not number:
        return "Nothing was sent that it does not know of."
    return (
        f"{number} e-mails or requests were sent, or may have been, that it does not know of: they are unknown, "
        "and nothing of them is sent before you say what became of each (sequences-mcp review list)."
    )


def _completion() -> click.Command:
    import click

    @click.command(help='Print a shell\'s completion; for bash: eval "$(sequences-mcp completion bash)"')
    @click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
    def completion(shell: str) -> None:
        from click.shell_completion import get_completion_class

        made = get_completion_class(shell)
        assert made is not None  # ``shell`` is one of click's own
        click.echo(made(_commands(), {}, "sequences-mcp", COMPLETE).source())

    return completion


def _take_over() -> click.Command:
    import click

    @click.command(
        "take-over",
        help="Confirm that a database copied from another folder or machine is the one to use. What the other may "
        "have sent by now counts as unknown.",
    )
    @click.option("--nothing-left", is_flag=True, help="The other sent nothing since the copy was made.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def take_over(nothing_left: bool, passphrase_file: Path | None) -> None:
        _end_standstill(passphrase_file, nothing_left=nothing_left, anew=False)

    return take_over


def _begin_anew() -> click.Command:
    import click

    @click.command(
        "begin-anew",
        help="Confirm that this folder's earlier database is gone and a new one begins. Suppressions are kept.",
    )
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def begin_anew(passphrase_file: Path | None) -> None:
        _end_standstill(passphrase_file, nothing_left=True, anew=True)

    return begin_anew


def _end_standstill(passphrase_file: Path | None, *, nothing_left: bool, anew: bool) -> None:
    from sequences_mcp.upkeep import take_over_database

    settings = _settings()
    _prove(passphrase_file)
    _, unknown = take_over_database(settings, actor=_actor(), nothing_left=nothing_left, anew=anew)
    _say(
        [
            "A new database begins." if anew else "This database is the one to use from now on.",
            _unknown_words(unknown),
        ]
    )


def _demo() -> click.Command:
    import click

    @click.command(help="Show everything on this machine: a mail server, a client, five people.")
    def demo() -> None:
        from sequences_mcp.demo import demo

        asyncio.run(demo(click.echo))

    return demo


def _sandbox() -> click.Command:
    import click

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


def _review() -> click.Group:
    import click

    @click.group(help="Approve or reject what waits for you: on the page, or here.", invoke_without_command=True)
    @click.option("--open", "opens", is_flag=True, help="Open the review page in the browser.")
    @click.pass_context
    def review(context: click.Context, opens: bool) -> None:
        if opens:
            _open_page()
        elif context.invoked_subcommand is None:
            _say(context.get_help().splitlines())

    for made in (
        _list,
        _show,
        _approve,
        _reject,
        _resolve,
        _waive,
        _suppress,
        _lift,
        _set_passphrase,
        _set_word,
        _add_passkey,
        _take_over,
        _begin_anew,
    ):
        review.add_command(made())
    # Names of earlier versions, which scripts may use.
    for earlier, command in (("refuse", _reject()), ("settle", _resolve())):
        command.hidden = True
        review.add_command(command, earlier)
    return review


def _open_page() -> None:
    import webbrowser

    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.review.lock import greeting
    from sequences_mcp.review.page import serving
    from sequences_mcp.serve import review_page

    settings = _settings()
    page = review_page(settings)
    page.start()
    where = serving.held_address(settings.data_dir)
    _say([f"The review page is at {where}"])
    # With this one-time ticket the browser is shown the person's word (review.lock.greeting). It approves nothing.
    introduced = f"{where}unlock?ticket={greeting.new_ticket(settings.data_dir, now=utc_now())}"
    if not webbrowser.open(introduced):
        _say([f"No browser could be opened here: open {introduced} yourself, on this machine."])
    try:
        if page.is_listening:
            _say(["It stays open until you press Ctrl-C."])
            page.wait()
    except KeyboardInterrupt:
        pass
    finally:
        page.stop()


def _list() -> click.Command:
    import click

    @click.command("list", help="List what is waiting for you.")
    @click.option("--page", type=click.IntRange(1), default=1)
    def list_(page: int) -> None:
        from sequences_mcp.review.terminal import review_list
        from sequences_mcp.services.reviews import list_reviews

        _say(review_list(_with_context(lambda app: list_reviews(app, page=page, size=100))))

    return list_


def _show() -> click.Command:
    import click

    @click.command(help="Show a plan: the first person in full, of others what differs. Or a text, or a change.")
    @click.argument("identifier", metavar="ID")
    @click.option("--full", is_flag=True, help="Every person in full.")
    def show(identifier: str, full: bool) -> None:
        from sequences_mcp.review.decide import look_up

        _say(_with_context(lambda app: look_up(app, identifier, full=full)).lines)

    return show


def _approve() -> click.Command:
    import click

    @click.command(help="Approve a plan, a single text or a change at a vendor, after reading it.")
    @click.argument("identifier", metavar="ID")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--people", type=int, help="The number of people, for plans of more than 50.")
    def approve(identifier: str, passphrase_file: Path | None, people: int | None) -> None:
        from sequences_mcp.review import decide

        look = _with_context(lambda app: decide.look_up(app, identifier, renew=True))
        _say(look.lines)
        _prove(passphrase_file)
        _say(
            [
                _with_context(
                    lambda app: decide.approve_in_terminal(
                        app, identifier, seen=look, people=people, actor=_actor()
                    )
                )
            ]
        )

    return approve


def _reject() -> click.Command:
    import click

    @click.command("reject", help="Reject a plan, or a change at a vendor.")
    @click.argument("identifier", metavar="ID")
    @click.option("--reason", required=True)
    def reject(identifier: str, reason: str) -> None:
        from sequences_mcp.review import decide

        _say(
            [_with_context(lambda app: decide.reject_in_terminal(app, identifier, reason=reason, actor=_actor()))]
        )

    return reject


def _resolve() -> click.Command:
    import click

    @click.command(
        "resolve", help="Say what became of an unknown e-mail, an unknown write to a vendor, or a run there."
    )
    @click.argument("draft", metavar="ID")
    @click.option("--sent/--not-sent", default=None, help="Not sent: the e-mail is sent again.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def resolve(draft: str, sent: bool | None, passphrase_file: Path | None) -> None:
        from sequences_mcp.review import decide

        if sent is None:
            raise click.UsageError("Say what became of it: --sent or --not-sent.")
        look = (
            None if sent or not decide.is_email(draft) else _with_context(lambda app: decide.look_up(app, draft))
        )
        _say(look.lines if look else ())
        _prove(passphrase_file)
        _say(
            [
                _with_context(
                    lambda app: decide.resolved_in_terminal(app, draft, sent=sent, actor=_actor(), seen=look)
                )
            ]
        )

    return resolve


def _waive() -> click.Command:
    import click

    @click.command(help="Accept a warning in a blueprint until a date.")
    @click.argument("blueprint")
    @click.argument("rule")
    @click.option("--reason", required=True)
    @click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day, in UTC.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def waive(blueprint: str, rule: str, reason: str, until: datetime, passphrase_file: Path | None) -> None:
        from sequences_mcp.services import blueprints as verb

        _prove(passphrase_file)
        end = until.replace(tzinfo=UTC) + timedelta(days=1)
        _with_context(
            lambda app: verb.waive(
                app, blueprint_id=blueprint, rule=rule, reason=reason, until=end, actor=_actor()
            )
        )
        _say([f"{rule} is waived in {blueprint} until {until:%Y-%m-%d}."])

    return waive


def _suppress() -> click.Command:
    import click

    @click.command(help="Never contact an address, a domain or a person again.")
    @click.argument("contact", metavar="ADDRESS|DOMAIN|ID")
    @click.option("--reason", required=True)
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def suppress(contact: str, reason: str, passphrase_file: Path | None) -> None:
        from sequences_mcp.review.decide import suppressed_in_terminal

        _prove(passphrase_file)
        _say(_with_context(lambda app: suppressed_in_terminal(app, contact, reason=reason)))

    return suppress


def _lift() -> click.Command:
    import click

    @click.command(help="Take an address, a domain or a person off the list of those never to contact.")
    @click.argument("contact", metavar="ADDRESS|DOMAIN|ID")
    @click.option("--reason", required=True)
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def lift(contact: str, reason: str, passphrase_file: Path | None) -> None:
        from sequences_mcp.review.decide import lifted_in_terminal

        _prove(passphrase_file)
        _say(_with_context(lambda app: lifted_in_terminal(app, contact, reason=reason, actor=_actor())))

    return lift


def _set_passphrase() -> click.Command:
    import click

    @click.command(
        "set-passphrase",
        help="Choose the passphrase that approving asks for. Typed twice. Forgotten: remove passphrase.json and "
        "proof.json from the data folder, then choose a new one; what was approved stays approved.",
    )
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--old-passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def set_passphrase(passphrase_file: Path | None, old_passphrase_file: Path | None) -> None:
        from sequences_mcp.review.lock import greeting, passphrase

        settings = _settings()
        folder = settings.data_dir
        old = None
        if passphrase.is_set(folder):
            old = _prove(old_passphrase_file, prompt="Present passphrase", option="--old-passphrase-file")
        from sequences_mcp.bootstrap import make_database

        make_database(settings)  # so that a passphrase without a database later means that the database is lost
        passphrase.set_passphrase(folder, _chosen(passphrase_file), old=old)
        _say(["The passphrase is set."])
        if greeting.greeting_word(folder) is None:
            chosen = greeting.set_word(folder, greeting.made_up())
            _say(
                [
                    f"The review page shows you this word before you type the passphrase: {chosen}",
                    "Choose another one with: sequences-mcp review set-word.",
                ]
            )

    return set_passphrase


def _set_word() -> click.Command:
    import click

    @click.command("set-word", help="Choose the word that the review page shows you to prove that it is yours.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--word-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def set_word(passphrase_file: Path | None, word_file: Path | None) -> None:
        from sequences_mcp.review.lock import greeting

        _prove(passphrase_file)
        chosen = greeting.set_word(_settings().data_dir, _typed("Word", word_file, option="--word-file"))
        _say([f"The review page shows you this word from now on: {chosen}"])

    return set_word


def _add_passkey() -> click.Command:
    import click

    @click.command("add-passkey", help="Print a code with which the review page registers a passkey.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def add_passkey(passphrase_file: Path | None) -> None:
        from sequences_mcp.bootstrap import utc_now
        from sequences_mcp.review.lock import passkeys

        folder = _settings().data_dir
        _prove(passphrase_file)
        _say(
            [
                f"Code: {passkeys.new_code(folder, now=utc_now())}",
                "Type it within ten minutes on the review page, under Passkeys (sequences-mcp review --open).",
                "From then on every approval is signed. What was approved before has to be approved again.",
            ]
        )

    return add_passkey


def _prove(file: Path | None, *, prompt: str = "Passphrase", option: str = "--passphrase-file") -> str:
    """Return the typed passphrase if it is right, else raise ApprovalError.

    A wrong one is audited. After five wrong ones each check is delayed, but none is refused: a program that types
    wrong passphrases must not keep the right person out.
    """
    import time

    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.errors import ApprovalError
    from sequences_mcp.review.lock import passphrase, sessions

    folder = _settings().data_dir
    text, counts = _typed(prompt, file, option=option), sessions.Tries(folder, utc_now)
    if wait := counts.pause(sessions.TERMINAL):
        wrong = counts.wrong(sessions.TERMINAL)
        _say([f"{wrong:,} wrong passphrases were typed in terminals lately: looking takes {wait:g} seconds."])
        time.sleep(wait)
    try:
        passphrase.check_passphrase(folder, text)
    except ApprovalError:
        if passphrase.is_set(folder):
            counts.was_wrong(sessions.TERMINAL)
            with suppress(
                SequencesError
            ):  # without a database there is no audit, and the passphrase is still wrong
                _with_context(lambda app: app.records.note("passphrase.wrong", _actor()))
        raise
    counts.was_right(sessions.TERMINAL)
    return text


def _typed(prompt: str, file: Path | None, *, option: str = "--passphrase-file") -> str:
    from sequences_mcp.errors import ApprovalError

    if file is not None:
        return _read_text(file).strip()
    if not sys.stdin.isatty():
        raise ApprovalError(f"There is no terminal to ask for the {prompt.lower()}.", next_step=f"Use {option}.")
    return getpass.getpass(f"{prompt}: ")


def _chosen(file: Path | None) -> str:
    """Return a new passphrase, typed twice where it is typed; InvalidArgumentsError when the two differ."""
    from sequences_mcp.errors import InvalidArgumentsError

    first = _typed("New passphrase", file)
    if file is None and _typed("The same again", None) != first:
        raise InvalidArgumentsError("The two are not the same; nothing was set.", next_step="Choose again.")
    return first


def _actor() -> str:
    return f"terminal:{getpass.getuser()}"
