"""What is set up first, in a terminal or on the page: sender, mailbox, limits, passphrase, chat clients.

The conversation of ``cli.guide`` and the page's screens (``review.page.first``) ask; here it is read, checked and
written, for both. Nothing is written before everything was shown and agreed to, and where settings or passphrase
cannot be written everything is put back.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequences_mcp.errors import ConflictError, InvalidArgumentsError, SettingsError
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.review.lock.first_visit import (
    ClientShown,
    FirstAnswers,
    FirstPlan,
    FirstState,
    FolderSetup,
    RecognisedProvider,
)

if TYPE_CHECKING:
    from sequences_mcp.client_setup.changes import ClientChange
    from sequences_mcp.client_setup.clients import Machine
    from sequences_mcp.guards.policy import GuardPolicy
    from sequences_mcp.mail_setup.connecting import ConnectedMailbox
    from sequences_mcp.mail_setup.settings_text import SettingsChange
    from sequences_mcp.settings import Settings

# The first level of settings.toml, by the variables that may say the same.
OF_FOLDER = {"SEQUENCES_TIME_ZONE": "time_zone", "SEQUENCES_WINDOW": "window", "SEQUENCES_DAILY_CAP": "daily_cap"}
TRIED_WITHIN = 60.0  # seconds that the page waits for the test message


@dataclass(frozen=True, slots=True)
class PageInstaller(FolderSetup):
    """Sets a data folder up for somebody at its page; ``read`` returns the settings as they are now."""

    read: Callable[[], Settings]
    machine: Machine
    now: Callable[[], datetime]

    def state(self) -> FirstState:
        """Return what is known already, and what is proposed where it is not; SettingsError."""
        settings = self.read()
        mailbox = settings.mailbox
        is_sender = mailbox.name is not None and mailbox.sender is not None
        missing = [key for variable, key in OF_FOLDER.items() if self._origin(settings, variable) == "default"]
        zone = zone_of_system(Path("/etc/localtime")) if "time_zone" in missing else settings.time_zone
        return FirstState(
            folder=str(settings.data_dir),
            sender=f"{mailbox.sender.name} <{mailbox.address}>" if is_sender and mailbox.sender else "",
            name=mailbox.sender.name if mailbox.sender else "",
            address=mailbox.sender.address if mailbox.sender else "",
            time_zone=zone,
            window=mailbox.window,
            daily_cap=mailbox.daily_cap,
            missing=tuple(missing),
            clients=tuple(self._shown(change) for change in self._clients(settings)),
        )

    def require_sender(self, name: str, address: str) -> None:
        """Raise InvalidArgumentsError for a name or an address that are not a sender's; SettingsError."""
        from sequences_mcp.bootstrap import policy_of

        read_name(name, policy_of(self.read()))
        read_address_of(address)

    def provider(self, address: str) -> RecognisedProvider | None:
        """Return the provider of an address with its servers, None where it is not known."""
        from sequences_mcp.mail_setup.autoconfig import recognised
        from sequences_mcp.mail_setup.domain_records import quiet_lookup

        provider = recognised(address, lookup=quiet_lookup)
        if provider is None:
            return None
        return RecognisedProvider(
            title=provider.title,
            known_by=provider.known_by,
            smtp=provider.smtp,
            imap=provider.imap,
            note=provider.note,
            page=provider.page,
            takes_password=provider.takes_password,
        )

    def planned(self, answers: FirstAnswers) -> FirstPlan:
        """Return what would be written, and how far a sign-in gets; InvalidArgumentsError, SettingsError."""
        settings = self.read()
        mailbox, change = self._change(settings, answers)
        probes = tuple(
            (probe.ok, probe.words, probe.server_reply or "") for probe in (mailbox.probes() if mailbox else ())
        )
        chosen = self._chosen(settings, answers)
        return replace(self._to_write(settings, mailbox, change, chosen=chosen), probes=probes)

    def write(self, answers: FirstAnswers, *, shown: FirstPlan) -> tuple[str, ...]:
        """Write everything, and return what was written, in lines; where it raises, all is as it was before.

        ConflictError where settings or a client's file changed since, so that it would not be what was ``shown``.
        """
        from sequences_mcp.client_setup import changes

        settings = self.read()
        mailbox, change = self._change(settings, answers)
        chosen = self._chosen(settings, answers)
        if self._to_write(settings, mailbox, change, chosen=chosen) != replace(shown, probes=()):
            raise ConflictError(
                "What would be written is not what was shown any more: a file changed since. Nothing was written.",
                next_step="Go back to the answers and look at it again.",
            )
        copy, word = written(
            settings,
            change=change,
            mailbox=mailbox,
            passphrase=answers.passphrase,
            now=self.now(),
            check=self.read,
        )
        lines: list[str] = []
        if change is not None:
            lines.append(f"Settings: {change.path}" + (f"; what it was before: {copy}" if copy else ""))
        lines.append("The passphrase is set.")
        if word:
            lines.append(f"This page shows you this word before you type the passphrase: {word}")
        for result in changes.write_changes(chosen, now=self.now(), workspace=settings.workspace):
            client, path = result.change.client, result.change.path
            if result.change.problem:
                lines.append(f"{client.title}: {path} is left as it is: {result.change.problem}.")
            else:
                before = f" What it was before: {result.copy}." if result.copy else ""
                lines.append(f"{client.title}: {path} is written. {client.then}{before}")
        return tuple(lines)

    def tried(self) -> Iterator[tuple[bool | None, str]]:
        """Send a test message from the mailbox to itself, and yield what becomes of it, the verdict last."""
        from sequences_mcp.doctor import test_lines

        for line in test_lines(self.read().mailbox, within=TRIED_WITHIN):
            yield line.ok, line.words

    def _change(
        self, settings: Settings, answers: FirstAnswers
    ) -> tuple[ConnectedMailbox | None, SettingsChange | None]:
        from sequences_mcp.bootstrap import policy_of
        from sequences_mcp.mail_setup.settings_text import table_name, tables_of

        known = self.state()
        typed = {"time_zone": answers.time_zone, "window": answers.window, "daily_cap": answers.daily_cap}
        of_folder: dict[str, Any] = {key: READERS[key](typed[key]) for key in known.missing}
        for variable, key in OF_FOLDER.items():
            if self._origin(settings, variable) == "environment":  # a client's server has another environment
                of_folder[key] = getattr(known, key)
        if known.sender:
            return None, settings_change(settings.file, of_folder=of_folder)
        name, address = read_name(answers.name, policy_of(settings)), read_address_of(answers.address)
        if not answers.connects:
            return None, settings_change(settings.file, of_folder=of_folder, outbox=(name, address))
        mailbox = self._mailbox(settings, answers, table=table_name(address, taken=tables_of(settings.file)))
        mailbox = replace(mailbox, name=name, address=address, of_folder=of_folder)
        return mailbox, settings_change(settings.file, of_folder=of_folder, mailbox=mailbox)

    def _mailbox(self, settings: Settings, answers: FirstAnswers, *, table: str) -> ConnectedMailbox:
        from sequences_mcp.mail_setup.connecting import ConnectedMailbox

        for secret in filter(None, (answers.password, answers.imap_password)):
            if not secret.isascii() or not secret.isprintable():
                raise InvalidArgumentsError("The password has letters outside ASCII.", next_step="Type it again.")
        if not answers.password:
            raise InvalidArgumentsError(
                "The password is empty.", next_step="Type it, or connect the mailbox later."
            )
        return ConnectedMailbox(
            file=settings.file,
            table=table,
            name=answers.name,
            address=answers.address,
            smtp=read_server(answers.smtp, kind="smtp"),
            imap=read_server(answers.imap, kind="imap") if answers.imap.strip() else "",
            password=answers.password,
            imap_password=answers.imap_password,
        )

    def _clients(self, settings: Settings) -> list[ClientChange]:
        from sequences_mcp.client_setup import changes, clients

        executable, is_windows = Path(sys.executable), self.machine.system == "Windows"
        command = clients.start_command(executable, which=shutil.which, is_windows=is_windows)
        data_dir = clients.named_folder(settings.data_dir, settings.origins)
        return changes.planned_entries(self.machine, command, data_dir=data_dir)

    def _chosen(self, settings: Settings, answers: FirstAnswers) -> list[ClientChange]:
        """Return the changes of the clients' files that were agreed to, where there is one to make."""
        return [
            change
            for change in self._clients(settings)
            if change.client.name in answers.clients and change.is_change
        ]

    def _to_write(
        self,
        settings: Settings,
        mailbox: ConnectedMailbox | None,
        change: SettingsChange | None,
        *,
        chosen: list[ClientChange],
    ) -> FirstPlan:
        return FirstPlan(
            file=str(settings.file),
            table=change.table if change else "",
            secret_in=place_of_secret(settings.file) if mailbox else "",
            probes=(),
            clients=tuple(map(self._shown, chosen)),
        )

    def _shown(self, change: ClientChange) -> ClientShown:
        return ClientShown(
            name=change.client.name,
            title=change.client.title,
            path=str(change.path),
            block=change.block,
            problem=change.problem,
            is_change=change.is_change,
            is_new=change.before is None,
            is_other=change.is_other,
        )

    def _origin(self, settings: Settings, variable: str) -> str:
        return settings.origins.get(variable, "default")


def settings_change(
    file: Path,
    *,
    of_folder: Mapping[str, Any],
    mailbox: ConnectedMailbox | None = None,
    outbox: tuple[str, str] | None = None,
) -> SettingsChange | None:
    """Return the change of settings.toml, None where there is none.

    ``mailbox`` is one to connect, which has ``of_folder`` already; ``outbox`` the name and address of a sender
    whose e-mails become files.
    """
    from sequences_mcp.mail_setup.settings_text import table_name, tables_of, with_keys, with_mailbox
    from sequences_mcp.sign_in import keychain

    if mailbox is not None:
        return mailbox.change(has_keychain=keychain.is_there())
    if outbox is not None:
        name, address = outbox
        table = table_name(address, taken=tables_of(file))
        return with_mailbox(file, table, {"name": name, "address": address}, of_folder=of_folder)
    return with_keys(file, of_folder) if of_folder else None


def place_of_secret(file: Path) -> str:
    """Return in words where a mailbox's password is kept."""
    from sequences_mcp.sign_in import keychain

    return "the system's keychain" if keychain.is_there() else f"a file in {file.parent} that only you can read"


def written(
    settings: Settings,
    *,
    change: SettingsChange | None,
    mailbox: ConnectedMailbox | None,
    passphrase: str,
    now: datetime,
    check: Callable[[], object],
) -> tuple[Path | None, str]:
    """Write the settings and the passphrase; where it raises, all is as it was before.

    Return the copy of the settings of before, if there were any, and the page's word where it had none yet.
    ``check`` reads the settings anew.
    """
    from sequences_mcp.sign_in import keychain

    copy, word = None, ""
    with ExitStack() as undo:
        if change is not None:
            if mailbox is not None:
                copy = mailbox.write(change, now=now, has_keychain=keychain.is_there(), check=check)
            else:
                copy = change.write(now=now)
            undo.callback(change.undo, copy)
            check()
        if passphrase:
            word = _set_passphrase(settings, passphrase)
        undo.pop_all()
    return copy, word


def _set_passphrase(settings: Settings, chosen: str) -> str:
    """Set the passphrase; return the page's word where it had none yet. ApprovalError where one is set."""
    from sequences_mcp.bootstrap import safekeeping_of
    from sequences_mcp.review.lock import greeting, passphrase
    from sequences_mcp.upkeep import make_database

    make_database(settings)  # so that a passphrase without a database later means that the database is lost
    safe = safekeeping_of(settings)
    passphrase.set_passphrase(safe, chosen)
    if greeting.greeting_word(safe) is not None:
        return ""
    return greeting.set_word(safe, greeting.made_up())


def read_name(text: str, policy: GuardPolicy) -> str:
    """Return a sender's name; InvalidArgumentsError for what names nobody, or what the guards refuse in it."""
    from sequences_mcp.domain.sender import Sender
    from sequences_mcp.guards.senders import check_sender

    if "@" in text:
        raise InvalidArgumentsError(
            "An address stands in it.", next_step="Type the name alone; the address is asked next."
        )
    try:
        sender = Sender.of(text.strip(), "somebody@example.com")
    except ValueError as error:
        raise InvalidArgumentsError(f"It does not name a person: {error}.", next_step="Type your name.") from error
    for finding in check_sender(sender, policy):
        raise InvalidArgumentsError(
            f"The guards refuse it: {finding.message}", next_step="Type the name that recipients are to read."
        )
    return sender.name


def read_address_of(text: str) -> str:
    """Return a sender's address as it is written; InvalidArgumentsError for what is none."""
    from sequences_mcp.domain.addresses import is_address, read_address

    if not is_address(text.strip()):
        message = f"{text.strip()[:100]!r} is not one plain e-mail address."
        raise InvalidArgumentsError(message, next_step="Type one such as ada@lovelace.example.")
    return read_address(text.strip()).text


def read_window(text: str) -> str:
    """Return a sending window; InvalidArgumentsError."""
    from sequences_mcp.engine.calendar import Window

    try:
        Window.parse(text)
    except SettingsError as error:
        raise InvalidArgumentsError(error.message, next_step=error.next_step) from error
    return text.strip()


def read_zone(text: str) -> str:
    """Return a time zone; InvalidArgumentsError."""
    from sequences_mcp.engine.calendar import is_zone

    if not is_zone(text.strip()):
        message = f"{text.strip()[:100]!r} is not an IANA time zone, such as Europe/Paris."
        raise InvalidArgumentsError(message, next_step="Type one.")
    return text.strip()


def read_cap(text: object) -> int:
    """Return a daily limit; InvalidArgumentsError."""
    number = str(text).strip()
    if not number.isascii() or not number.isdigit() or len(number) > 6 or not 1 <= int(number) <= 10_000:
        raise InvalidArgumentsError("It is not a whole number from 1 to 10,000.", next_step="Type one.")
    return int(number)


def read_server(text: str, *, kind: str) -> str:
    """Return a typed server as settings have it, encrypted where only a host was typed; InvalidArgumentsError."""
    from sequences_mcp.engine.channels.mail_server import MailServer
    from sequences_mcp.engine.inbound.imap import ImapServer
    from sequences_mcp.mailbox import ServerAddress

    server = ServerAddress.read(text)
    if server.has_password:
        raise InvalidArgumentsError(
            "A password stands in the server's address.", next_step="Leave it out there; it is asked for."
        )
    whole = f"{server.scheme or f'{kind}s'}://{server.account or 'x'}:x@{server.host}"
    try:
        where = (ImapServer.parse(whole) if kind == "imap" else MailServer.parse(whole)).where
    except SettingsError as error:
        example = f"{kind}s://{kind}.example.com:{465 if kind == 'smtp' else 993}"
        raise InvalidArgumentsError(error.message, next_step=f"Write it like {example}.") from error
    account = server.account and f"{server.account}@"
    return f"{where.partition('://')[0]}://{account}{where.partition('://')[2]}"


READERS: dict[str, Callable[[Any], Any]] = {"time_zone": read_zone, "window": read_window, "daily_cap": read_cap}


def zone_of_system(link: Path) -> str:
    """Return the time zone of this machine, by where /etc/localtime leads; UTC where that tells none."""
    from sequences_mcp.engine.calendar import is_zone

    try:
        zone = str(link.resolve()).replace("\\", "/").partition("/zoneinfo/")[2]
    except (OSError, RuntimeError):
        zone = ""
    return zone if zone and is_zone(zone) else "UTC"
