"""The conversation of ``sequences-mcp setup``: it asks for what is not known, shows everything, then writes it.

Nothing is written before the last question is answered with yes. Until then Ctrl-C leaves everything as it was;
the writing itself is short, is not interrupted, and puts everything back where one part of it fails.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sequences_mcp import first_visit
from sequences_mcp.cli import mail, setup
from sequences_mcp.cli.keyboard import chosen_passphrase, open_page, say, settings_here
from sequences_mcp.errors import InvalidArgumentsError, SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace

if TYPE_CHECKING:
    from sequences_mcp.client_setup.changes import ClientChange
    from sequences_mcp.domain.sender import Sender
    from sequences_mcp.guards.policy import GuardPolicy
    from sequences_mcp.mail_setup.connecting import ConnectedMailbox
    from sequences_mcp.mail_setup.settings_text import SettingsChange
    from sequences_mcp.settings import Settings

T = TypeVar("T")
QUESTIONS = {
    "time_zone": "Time zone of people whose own is not known",
    "window": "When e-mails may leave, on each person's own clock",
    "daily_cap": "How many e-mails at most in any 24 hours",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPlan:
    """What a person answered: all that will be written, each part empty where it is known already.

    ``mailbox`` signs in at its servers; ``outbox`` is a sender (name, address) whose e-mails become files.
    ``has_passkey``: the page is opened at the end, to register a passkey.
    """

    mailbox: ConnectedMailbox | None = None
    outbox: tuple[str, str] | None = None
    of_folder: Mapping[str, Any] = field(default_factory=dict)
    passphrase: str = field(default="", repr=False)
    has_passkey: bool = False
    clients: tuple[ClientChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.mailbox or self.outbox or self.of_folder or self.passphrase or self.clients)


def guided(settings: Settings, planned: Sequence[ClientChange]) -> bool:
    """Ask, show what would be written, write it; return whether nothing went wrong and nothing is left to do."""
    if not sys.stdin.isatty():
        step = "Run it in a terminal, or give --client NAME --yes for a client's file alone."
        raise InvalidArgumentsError("Nobody is there to answer.", next_step=step)
    say([f"The data folder is {settings.data_dir}. Ctrl-C ends this at any question, and nothing is changed.", ""])
    try:
        plan = ask_everything(settings, planned)
        if plan.is_empty:
            say(["", f"Everything is set up. {setup.NOTHING}"])
            return not any(change.problem for change in planned)
        changed = _shown(settings, plan)
        say([""])
        if not click.confirm("Write all of this?", default=True):
            raise InvalidArgumentsError(setup.NOTHING, next_step="Start again with other answers.")
    except (click.Abort, KeyboardInterrupt):
        say(["", setup.NOTHING])
        raise
    is_well = _written(settings, plan, changed)
    _compile_server()
    if plan.mailbox:
        say(["", "Now a test message to yourself:"])
        is_well = mail.tried_out(mail.mailbox_named(settings_here(), plan.mailbox.table), within=120.0) and is_well
    say(_what_next(plan))
    if plan.has_passkey:
        _register_on_page()
    return is_well


def ask_everything(settings: Settings, planned: Sequence[ClientChange]) -> SetupPlan:
    """Ask for everything that is not known yet, and return it."""
    plan = _with_sender(settings, SetupPlan())
    plan = replace(plan, of_folder=_of_folder(settings))
    if plan.mailbox:
        plan = replace(plan, mailbox=replace(plan.mailbox, of_folder=plan.of_folder))
    plan = replace(plan, passphrase=_passphrase(settings))
    if plan.passphrase:
        say(["With a passkey, such as a fingerprint or a security key, each approval is signed by it besides."])
        plan = replace(plan, has_passkey=click.confirm("A passkey too, registered on the page at the end"))
    return replace(plan, clients=_clients(planned))


def _with_sender(settings: Settings, plan: SetupPlan) -> SetupPlan:
    """Return the plan with who sends, and by what way."""
    from sequences_mcp.bootstrap import policy_of

    mailbox = settings.mailbox
    if mailbox.name is not None and mailbox.sender is not None:
        by = mailbox.delivery if mailbox.smtp_url else f"files in {mailbox.outbox}"
        lacks = mailbox.lacking.get("SEQUENCES_SMTP_URL", "")
        say([f"ok   Sender: {mailbox.sender.name} <{mailbox.address}>, by {lacks or by}"])
        say(_refused(mailbox.sender, policy_of(settings)))
        return plan
    sender, policy = mailbox.sender, policy_of(settings)
    refused = [*_refused(sender, policy)] if sender else []
    say(refused)
    name = (
        sender.name
        if sender and not refused
        else click.prompt(
            "Your name, as recipients see it", value_proc=_typed(partial(first_visit.read_name, policy=policy))
        )
    )
    address = (
        sender.address
        if sender
        else click.prompt("Your e-mail address", value_proc=_typed(first_visit.read_address_of))
    )
    if mailbox.smtp_url is not None:
        say(["note A mail server is set in this terminal's environment, which a client's server does not have."])
    say(["", "1  connect the mailbox now: sign in, then a test message to yourself"])
    say(["2  later: e-mails become files in the outbox folder, and reach nobody"])
    while click.prompt("How e-mails leave", default="1", value_proc=mail.one_or_two) == "1":
        try:
            return replace(plan, mailbox=mail.asked_mailbox(address, mail.ConnectRequest(name=name)))
        except SequencesError as error:
            say([f"BAD  {error}", "", "1  try again", "2  later, and files in the outbox folder until then"])
    return replace(plan, outbox=(name, address))


def _refused(sender: Sender, policy: GuardPolicy) -> Iterator[str]:
    """Yield what the guards refuse in the name and the signature that are in the settings."""
    from sequences_mcp.guards.senders import check_sender

    for error in check_sender(sender, policy):
        yield f"BAD  The guards refuse the {error.field}, {error.excerpt}: {error.message}"


def _of_folder(settings: Settings) -> dict[str, Any]:
    """Return time zone, window and cap as they are to be written; nothing that the file has already."""
    present = {
        "time_zone": settings.time_zone,
        "window": settings.mailbox.window,
        "daily_cap": settings.mailbox.daily_cap,
    }
    values: dict[str, Any] = {}
    for variable, key in first_visit.OF_FOLDER.items():
        origin = settings.origins.get(variable, "default")
        if origin == "environment":
            values[key] = present[key]
        elif origin == "default":
            default = first_visit.zone_of_system(Path("/etc/localtime")) if key == "time_zone" else present[key]
            values[key] = click.prompt(
                QUESTIONS[key], default=default, value_proc=_typed(first_visit.READERS[key])
            )
    if not values:
        say([f"ok   Window: {present['window']}; {present['time_zone']} where a person's zone is not known"])
        say([f"ok   Limit: {present['daily_cap']} e-mails in any 24 hours"])
    return values


def _passphrase(settings: Settings) -> str:
    """Return the passphrase that a person chose, or nothing where one is set or a passkey is registered."""
    from sequences_mcp.bootstrap import safekeeping_of
    from sequences_mcp.review.lock import passkeys, passphrase

    safe = safekeeping_of(settings)
    if passphrase.is_set(safe) or passkeys.registered(safe):
        say(["ok   Passphrase: is set"])
        return ""
    say(["", "Nothing leaves before you approve it, and approving asks for a passphrase that only you know."])
    while True:
        try:
            chosen = chosen_passphrase(None)
        except InvalidArgumentsError as error:
            say([f"BAD  {error}"])
            continue
        if len(chosen.strip()) >= passphrase.LEAST:
            return chosen
        say([f"BAD  A passphrase has {passphrase.LEAST} characters or more."])


def _clients(planned: Sequence[ClientChange]) -> tuple[ClientChange, ...]:
    """Return the clients whose files a person wants written."""
    for change in planned:
        if change.problem:
            setup.say_refused(change)
        elif not change.is_change:
            say([f"ok   {change.client.title}: {change.path} has it"])
    to_write = [change for change in planned if change.is_change]
    if not planned:
        say(["", "No chat client was found on this machine; `setup --client NAME` writes the file of one."])
    if not to_write:
        return ()
    say(["", "Chat clients on this machine:"])
    say(f"{number}  {change.client.title:<15} {change.path}" for number, change in enumerate(to_write, start=1))
    chosen: Sequence[int] = click.prompt(
        "Which of them use it (numbers, all or none)",
        default="all",
        value_proc=partial(read_numbers, most=len(to_write)),
    )
    return tuple(to_write[number - 1] for number in chosen)


def read_numbers(text: str, *, most: int) -> list[int]:
    """Return the numbers in a text from 1 to ``most``, all for `all`; UsageError makes click ask again."""
    words = text.replace(",", " ").split()
    if words in (["all"], ["none"]):
        return list(range(1, most + 1)) if words == ["all"] else []
    if not words or any(not word.isascii() or not word.isdigit() or not 1 <= int(word) <= most for word in words):
        raise click.UsageError(f"Type numbers from 1 to {most}, all or none.")
    return sorted({int(word) for word in words})


def _typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return ``read`` as click takes it: a text that it refuses is a UsageError, so that click asks again."""

    def reader(text: str) -> T:
        try:
            return read(str(text))
        except InvalidArgumentsError as error:
            raise click.UsageError(f"{error.message} {error.next_step}".strip()) from error

    return reader


def _shown(settings: Settings, plan: SetupPlan) -> SettingsChange | None:
    """Show everything that would be written; return the change of settings.toml, if there is one."""
    file = settings.file
    change = first_visit.settings_change(file, of_folder=plan.of_folder, mailbox=plan.mailbox, outbox=plan.outbox)
    if change:
        say(["", f"In {file}:", *(f"    {line}" for line in change.table.splitlines())])
    if plan.mailbox:
        say([f"The password, or what was granted, is kept in {first_visit.place_of_secret(file)}."])
    if plan.passphrase:
        say(["", "The passphrase, as a salted hash beside it."])
    for client in plan.clients:
        setup.show_change(client)
    return change


def _written(settings: Settings, plan: SetupPlan, change: SettingsChange | None) -> bool:
    """Write everything, or nothing where the settings or the passphrase cannot be; say what was written."""
    from sequences_mcp.bootstrap import utc_now

    say([""])
    with uninterrupted():
        copy, word = first_visit.written(
            settings,
            change=change,
            mailbox=plan.mailbox,
            passphrase=plan.passphrase,
            now=utc_now(),
            check=settings_here,
        )
        if change is not None:
            say([f"ok   Settings: {change.path}", *([f"     before: {copy}"] if copy else [])])
        if plan.passphrase:
            say(["ok   Passphrase: is set"])
        if word:
            say([f"     The review page shows you this word before you type the passphrase: {word}"])
        results = list(setup.written_changes(settings, plan.clients))
    for result in results:
        setup.say_written(result, says_next=False)  # ``_what_next`` does
    return not any(result.change.problem for result in results)


def _compile_server() -> None:
    """Import the server once, so that Python compiles it now: clients limit the time of its first start."""
    from importlib import import_module

    for name in ("server.app", "server.tool", "engine.provider", "engine.worker"):
        import_module(f"sequences_mcp.{name}")


def _register_on_page() -> None:
    """Print the code with which a passkey is registered, and open the page for it."""
    from sequences_mcp.bootstrap import safekeeping_of, utc_now
    from sequences_mcp.ports.safekeeping import KeptRecord
    from sequences_mcp.review.lock import greeting, passkeys

    safe = safekeeping_of(settings_here())
    code = passkeys.new_code(safe, KeptRecord.PASSKEY_CODE, now=utc_now())
    say(["", f"Code: {code}", "Unlock the page, and type the code there within ten minutes."])
    open_page(f"unlock?ticket={greeting.new_ticket(safe, now=utc_now())}&next=/passkeys")


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off until the block has ended, which takes a second or two."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _what_next(plan: SetupPlan) -> Iterator[str]:
    yield ""
    yield "What next:"
    for client in plan.clients:
        yield f"->   {client.client.title}: {client.client.then}"
    yield "->   Ask there for a sequence, such as: draft two e-mails to Grace Hopper and start them."
    yield "->   Read and approve what waits for you: sequences-mcp review --open"
    yield "->   Have e-mails leave while no chat is open: sequences-mcp service install"
    if plan.outbox:
        yield "->   Connect the mailbox when you have it: sequences-mcp mail connect"
