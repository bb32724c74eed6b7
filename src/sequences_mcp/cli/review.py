"""``sequences-mcp review``: approve, reject and resolve what waits for a person, here or on the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from sequences_mcp.cli.keyboard import (
    chosen_passphrase,
    json_option,
    open_page,
    person_here,
    prove_passphrase,
    say,
    say_json,
    settings_here,
    typed_secret,
    with_context,
)
from sequences_mcp.cli.upkeep import words_of_unknown


def _review() -> click.Group:
    @click.group(help="Approve or reject what waits for you: on the page, or here.", invoke_without_command=True)
    @click.option("--open", "opens", is_flag=True, help="Open the review page in the browser.")
    @click.pass_context
    def review(context: click.Context, opens: bool) -> None:
        if opens:
            _open_page()
        elif context.invoked_subcommand is None:
            say(context.get_help().splitlines())

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
    from sequences_mcp.bootstrap import safekeeping_of, utc_now
    from sequences_mcp.review.lock import greeting

    # With this one-time ticket the browser is shown the person's word (review.lock.greeting). It approves nothing.
    ticket = greeting.new_ticket(safekeeping_of(settings_here()), now=utc_now())
    open_page(f"unlock?ticket={ticket}")


def _list() -> click.Command:
    @click.command("list", help="List what is waiting for you.")
    @click.option("--page", type=click.IntRange(1), default=1)
    @json_option
    def list_(page: int, as_json: bool) -> None:
        from sequences_mcp.review.terminal import review_list, review_rows
        from sequences_mcp.services.reviews import list_reviews

        waiting = with_context(lambda app: list_reviews(app, page=page, size=100))
        if as_json:
            say_json(review_rows(waiting))
        else:
            say(review_list(waiting))

    return list_


def _show() -> click.Command:
    @click.command(help="Show a plan: the first person in full, of others what differs. Or a text, or a change.")
    @click.argument("identifier", metavar="ID")
    @click.option("--full", is_flag=True, help="Every person in full.")
    @json_option
    def show(identifier: str, full: bool, as_json: bool) -> None:
        from sequences_mcp.review.decide import look_up

        lines = with_context(lambda app: look_up(app, identifier, full=full)).lines
        if as_json:
            say_json({"id": identifier, "lines": list(lines)})
        else:
            say(lines)

    return show


def _approve() -> click.Command:
    @click.command(help="Approve a plan, a single text or a change, after reading it.")
    @click.argument("identifier", metavar="ID")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--people", type=int, help="The number of people, for plans of more than 50.")
    def approve(identifier: str, passphrase_file: Path | None, people: int | None) -> None:
        from sequences_mcp.review import decide

        look = with_context(lambda app: decide.look_up(app, identifier, renew=True))
        say(look.lines)
        prove_passphrase(passphrase_file)
        say(
            [
                with_context(
                    lambda app: decide.approve_in_terminal(
                        app, identifier, seen=look, people=people, actor=person_here()
                    )
                )
            ]
        )

    return approve


def _reject() -> click.Command:
    @click.command("reject", help="Reject a plan or a change.")
    @click.argument("identifier", metavar="ID")
    @click.option("--reason", required=True)
    def reject(identifier: str, reason: str) -> None:
        from sequences_mcp.review import decide

        who = person_here()
        say([with_context(lambda app: decide.reject_in_terminal(app, identifier, reason=reason, actor=who))])

    return reject


def _resolve() -> click.Command:
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
        look = None if sent or not decide.is_email(draft) else with_context(lambda app: decide.look_up(app, draft))
        say(look.lines if look else ())
        prove_passphrase(passphrase_file)
        say(
            [
                with_context(
                    lambda app: decide.resolved_in_terminal(app, draft, sent=sent, actor=person_here(), seen=look)
                )
            ]
        )

    return resolve


def _waive() -> click.Command:
    @click.command(help="Accept a warning in a blueprint until a date.")
    @click.argument("blueprint")
    @click.argument("rule")
    @click.option("--reason", required=True)
    @click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day, in UTC.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def waive(blueprint: str, rule: str, reason: str, until: datetime, passphrase_file: Path | None) -> None:
        from sequences_mcp.services import blueprints as verb

        prove_passphrase(passphrase_file)
        end = until.replace(tzinfo=UTC) + timedelta(days=1)
        with_context(
            lambda app: verb.waive(
                app, blueprint_id=blueprint, rule=rule, reason=reason, until=end, actor=person_here()
            )
        )
        say([f"{rule} is waived in {blueprint} until {until:%Y-%m-%d}."])

    return waive


def _suppress() -> click.Command:
    @click.command(help="Never contact an address, a domain or a person again.")
    @click.argument("contact", metavar="ADDRESS|DOMAIN|ID")
    @click.option("--reason", required=True)
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def suppress(contact: str, reason: str, passphrase_file: Path | None) -> None:
        from sequences_mcp.review.decide import suppressed_in_terminal

        prove_passphrase(passphrase_file)
        say(with_context(lambda app: suppressed_in_terminal(app, contact, reason=reason)))

    return suppress


def _lift() -> click.Command:
    @click.command(help="Take an address, a domain or a person off the list of those never to contact.")
    @click.argument("contact", metavar="ADDRESS|DOMAIN|ID")
    @click.option("--reason", required=True)
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def lift(contact: str, reason: str, passphrase_file: Path | None) -> None:
        from sequences_mcp.review.decide import lifted_in_terminal

        prove_passphrase(passphrase_file)
        say(with_context(lambda app: lifted_in_terminal(app, contact, reason=reason, actor=person_here())))

    return lift


def _set_passphrase() -> click.Command:
    @click.command(
        "set-passphrase",
        help="Choose the passphrase that approving asks for. Typed twice. Forgotten: remove passphrase.json and "
        "proof.json from the data folder, then choose a new one; what was approved stays approved.",
    )
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--old-passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def set_passphrase(passphrase_file: Path | None, old_passphrase_file: Path | None) -> None:
        from sequences_mcp.bootstrap import safekeeping_of
        from sequences_mcp.review.lock import greeting, passphrase

        settings = settings_here()
        safe, old = safekeeping_of(settings), None
        if passphrase.is_set(safe):
            old = prove_passphrase(
                old_passphrase_file, prompt="Present passphrase", option="--old-passphrase-file"
            )
        from sequences_mcp.upkeep import make_database

        make_database(settings)  # so that a passphrase without a database later means that the database is lost
        passphrase.set_passphrase(safe, chosen_passphrase(passphrase_file), old=old)
        say(["The passphrase is set."])
        if greeting.greeting_word(safe) is None:
            chosen = greeting.set_word(safe, greeting.made_up())
            say(
                [
                    f"The review page shows you this word before you type the passphrase: {chosen}",
                    "Choose another one with: sequences-mcp review set-word.",
                ]
            )

    return set_passphrase


def _set_word() -> click.Command:
    @click.command("set-word", help="Choose the word that the review page shows you to prove that it is yours.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--word-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def set_word(passphrase_file: Path | None, word_file: Path | None) -> None:
        from sequences_mcp.bootstrap import safekeeping_of
        from sequences_mcp.review.lock import greeting

        prove_passphrase(passphrase_file)
        chosen = greeting.set_word(
            safekeeping_of(settings_here()), typed_secret("Word", word_file, option="--word-file")
        )
        say([f"The review page shows you this word from now on: {chosen}"])

    return set_word


def _add_passkey() -> click.Command:
    @click.command("add-passkey", help="Print a code with which the review page registers a passkey.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def add_passkey(passphrase_file: Path | None) -> None:
        from sequences_mcp.bootstrap import safekeeping_of, utc_now
        from sequences_mcp.ports.safekeeping import KeptRecord
        from sequences_mcp.review.lock import passkeys

        prove_passphrase(passphrase_file)
        code = passkeys.new_code(safekeeping_of(settings_here()), KeptRecord.PASSKEY_CODE, now=utc_now())
        say(
            [
                f"Code: {code}",
                "Type it within ten minutes on the review page, under Passkeys (sequences-mcp review --open).",
                "From then on every approval is signed. What was approved before has to be approved again.",
            ]
        )

    return add_passkey


def _take_over() -> click.Command:
    @click.command(
        "take-over",
        help="Confirm that a database copied from another folder or machine is the one to use, or that a host is "
        "lost whose journal would be compared. What the other may have sent by now counts as unknown.",
    )
    @click.option("--nothing-left", is_flag=True, help="The other sent nothing that is not known here.")
    @click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def take_over(nothing_left: bool, passphrase_file: Path | None) -> None:
        _end_standstill(passphrase_file, nothing_left=nothing_left, anew=False)

    return take_over


def _begin_anew() -> click.Command:
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

    settings = settings_here()
    prove_passphrase(passphrase_file)
    _, unknown = take_over_database(settings, actor=person_here(), nothing_left=nothing_left, anew=anew)
    say(
        [
            "A new database begins." if anew else "This database is the one to use from now on.",
            words_of_unknown(unknown),
        ]
    )


COMMANDS = {"review": _review}
