"""``sequences-mcp mail``: connect a mailbox, sign it in again, and try it."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sequences_mcp.cli.keyboard import json_option, say, say_json, settings_here, text_of_file
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass, replace

if TYPE_CHECKING:
    from sequences_mcp.engine.channels.mail_server import Probe
    from sequences_mcp.guards.policy import GuardPolicy
    from sequences_mcp.mail_setup.autoconfig import MailProvider
    from sequences_mcp.mail_setup.connecting import ConnectedMailbox
    from sequences_mcp.mailbox import Mailbox
    from sequences_mcp.settings import Settings
    from sequences_mcp.sign_in.client import OAuthRegistration
    from sequences_mcp.sign_in.tokens import MailSignIn, TokenAnswer

CLIENT_PAGES = {
    "microsoft": "https://learn.microsoft.com/entra/identity-platform/quickstart-register-app",
    "google": "https://developers.google.com/workspace/guides/create-credentials",
}
A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
KEEP = click.option("--keep", type=click.Choice(["keychain", "file"]), help="Where the secret is kept.")
WITHIN = click.option(
    "--within", type=click.FloatRange(1, 3_600), default=120.0, show_default=True, help="Seconds for it to arrive."
)
HOW_TO_AGREE = click.option(
    "--browser/--code", default=None, help="Agree in the browser here, or with a code anywhere."
)
NOTHING_CHANGED = "Nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectRequest:
    """What the options say; what they leave out is asked for in a terminal, or has a default."""

    name: str | None = None
    table: str | None = None
    smtp: str | None = None
    imap: str | None = None
    oauth: str | None = None
    client_id: str | None = None
    client_secret_file: Path | None = None
    tenant: str | None = None
    authority: str | None = None
    password_file: Path | None = None
    imap_password_file: Path | None = None
    keep: str | None = None
    browser: bool | None = None
    default: bool = False
    yes: bool = False


def _mail() -> click.Group:
    @click.group(help="Connect a mailbox, sign it in again, and try it.")
    def mail() -> None:
        pass

    for command in (_connect(), _sign_in(), _test(), _go_on()):
        mail.add_command(command)
    return mail


def _connect() -> click.Command:
    @click.command(
        "connect",
        help="Connect the mailbox that you have: find its servers, sign in, write it into settings.toml, and send "
        "yourself a test message. Asks for what no option says, and shows what it writes before it does.",
    )
    @click.argument("address", required=False)
    @click.option("--name", help="Your name, as recipients see it.")
    @click.option("--as", "table", metavar="NAME", help="The name of the mailbox in settings.toml.")
    @click.option("--smtp", metavar="URL", help="The server that sends: smtps://host:465 or smtp://host:587.")
    @click.option(
        "--imap", metavar="URL", help="The server that is read: imaps://host:993; `none` for no reading."
    )
    @click.option("--password-file", type=A_FILE, help="A file with the password, instead of typing it.")
    @click.option("--imap-password-file", type=A_FILE, help="The same for the inbox, where it has another.")
    @click.option(
        "--oauth",
        type=click.Choice(["microsoft", "google"]),
        help="Sign in there, without a password, or with one at the server whose password file is given.",
    )
    @click.option("--client-id", help="The id of the app that you registered there.")
    @click.option("--client-secret-file", type=A_FILE, help="A file with the app's secret; Google asks for it.")
    @click.option("--tenant", help="Of Microsoft: organizations, consumers or your own.")
    @click.option("--authority", metavar="URL", help="Another authorization server, of a national cloud.")
    @HOW_TO_AGREE
    @KEEP
    @click.option("--default", is_flag=True, help="It sends what names no mailbox.")
    @click.option("--yes", is_flag=True, help="Write without asking.")
    @click.option("--no-test", is_flag=True, help="Send no test message.")
    @WITHIN
    def connect(address: str | None, no_test: bool, within: float, **options: Any) -> None:
        mailbox = connected(address, ConnectRequest(**options))
        if no_test:
            say([f"No test message was sent; `sequences-mcp mail test {mailbox.name}` sends one."])
            return
        sys.exit(0 if tried_out(mailbox, within=within) else 1)

    return connect


def _sign_in() -> click.Command:
    @click.command("sign-in", help="Sign a mailbox in again at Microsoft or Google. What waits is sent then.")
    @click.argument("mailbox", required=False)
    @HOW_TO_AGREE
    @KEEP
    def sign_in(mailbox: str | None, browser: bool | None, keep: str | None) -> None:
        from sequences_mcp.upkeep import after_sign_in

        signing_in = mailbox_named(settings_here(), mailbox)
        if signing_in.sign_in is None:
            raise InvalidArgumentsError(
                f"{signing_in.name or 'The mailbox'} signs in with a password.",
                next_step=f"Change it where {signing_in.file} says it is kept, "
                "or use `sequences-mcp mail connect`.",
            )
        answer = granted_in_terminal(signing_in.sign_in, in_browser=browser)
        kept_in = after_sign_in(signing_in, answer, in_file=keep == "file")
        say([f"{signing_in.sign_in.username} is signed in; what was granted is kept in {kept_in}."])
        sys.exit(0 if _tried(signing_in) else 1)

    return sign_in


def _test() -> click.Command:
    @click.command("test", help="Send a test message to yourself, wait until it has arrived, and look at it.")
    @click.argument("mailbox", required=False)
    @WITHIN
    @json_option
    def test(mailbox: str | None, within: float, as_json: bool) -> None:
        from sequences_mcp.doctor import as_object, test_lines

        tried = mailbox_named(settings_here(), mailbox)
        if not as_json:
            sys.exit(0 if tried_out(tried, within=within) else 1)
        lines = list(test_lines(tried, within=within))
        is_well = all(line.ok is not False for line in lines)
        say_json({"mailbox": tried.name, **as_object(lines, healthy=is_well)})
        sys.exit(0 if is_well else 1)

    return test


def _go_on() -> click.Command:
    @click.command("go-on", help="Let a mailbox send again that was marked as spam too often.")
    @click.argument("mailbox", required=False)
    def go_on(mailbox: str | None) -> None:
        from sequences_mcp.upkeep import after_complaints

        say([after_complaints(mailbox_named(settings_here(), mailbox))])

    return go_on


def mailbox_named(settings: Settings, name: str | None) -> Mailbox:
    """Return a mailbox by its name or address, the default one without either; InvalidArgumentsError."""
    for mailbox in settings.mailboxes:
        if name in (None, mailbox.name, mailbox.address):
            return mailbox
    known = ", ".join(mailbox.name for mailbox in settings.mailboxes if mailbox.name) or "none"
    raise InvalidArgumentsError(f"There is no mailbox {name!r}.", next_step=f"{settings.file} has: {known}.")


def connected(address: str | None, request: ConnectRequest) -> Mailbox:
    """Ask for what is missing, sign in, write the settings, and return the mailbox.

    Raises InvalidArgumentsError, SettingsError or SignInError; then, and after Ctrl-C, nothing was changed.
    """
    mailbox = asked_mailbox(address, request)
    _write(mailbox, is_agreed=request.yes)
    return mailbox_named(settings_here(), mailbox.table)


def asked_mailbox(address: str | None, request: ConnectRequest) -> ConnectedMailbox:
    """Ask for what is missing, sign in at each server, and return the mailbox; nothing is written."""
    from sequences_mcp.bootstrap import policy_of
    from sequences_mcp.first_visit import read_name
    from sequences_mcp.mail_setup.connecting import ConnectedMailbox
    from sequences_mcp.mail_setup.settings_text import table_name, tables_of

    settings = settings_here()
    file, policy = settings.file, policy_of(settings)
    name, read = read_name(request.name, policy) if request.name else "", partial(_typed_name, policy=policy)
    address = _address(address)
    provider = _provider(address, request)
    mailbox = ConnectedMailbox(
        file=file,
        table=request.table or table_name(address, taken=tables_of(file)),
        name=name or typed_answer("Your name, as recipients see it", option="--name", read=read),
        address=address,
        smtp=provider.smtp,
        imap=provider.imap,
        in_file=request.keep == "file",
        is_default=request.default,
    )
    if kind := request.oauth or _way_to_sign_in(provider, request):
        client = _registration(kind, request)
        mailbox = _with_password_beside(replace(mailbox, client=client), request)
        mailbox = replace(mailbox, grant=granted_in_terminal(mailbox.sign_in, in_browser=request.browser))
    else:
        mailbox = _with_passwords(mailbox, request, is_one_provider=bool(provider.known_by))
    _require_that_it_signs_in(mailbox)
    return mailbox


def _require_that_it_signs_in(mailbox: ConnectedMailbox) -> None:
    if not _all_sign_in(mailbox.probes()):
        step = "Correct what the lines above name, then connect it again."
        raise InvalidArgumentsError(f"{mailbox.address} cannot be signed in. {NOTHING_CHANGED}", next_step=step)


def _write(mailbox: ConnectedMailbox, *, is_agreed: bool) -> None:
    """Show what would be written, and write it once the person agrees."""
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.sign_in import keychain

    has_keychain = not mailbox.in_file and keychain.is_there()
    change = mailbox.change(has_keychain=has_keychain)
    place = "the system's keychain" if has_keychain else f"a file in {mailbox.file.parent} that only you can read"
    say(["", f"In {mailbox.file}:", *(f"    {line}" for line in change.table.splitlines())])
    say([f"The secret is kept in {place}.", ""])
    if not is_agreed and not _agrees("Write it?"):
        raise InvalidArgumentsError(NOTHING_CHANGED, next_step="Start again with other answers or options.")
    copy = mailbox.write(change, now=utc_now(), has_keychain=has_keychain, check=settings_here)
    say([f"{mailbox.address} is connected, as {mailbox.table}."])
    say([f"The settings of before are kept as {copy}."] if copy else ())


def _address(given: str | None) -> str:
    from sequences_mcp.domain.addresses import read_address

    return read_address(given or typed_answer("E-mail address", option="the address")).text


def typed_answer(
    question: str, *, option: str, default: str | None = None, read: Callable[[str], str] = str.strip
) -> str:
    """Return what a person types; InvalidArgumentsError where there is no terminal to ask in."""
    if not sys.stdin.isatty():
        raise InvalidArgumentsError(f"{question}: nobody is there to ask.", next_step=f"Give {option}.")
    return str(click.prompt(question, default=default, value_proc=read))


def _agrees(question: str) -> bool:
    if not sys.stdin.isatty():
        raise InvalidArgumentsError(f"Nobody is there to agree. {NOTHING_CHANGED}", next_step="Give --yes.")
    return click.confirm(question, default=True)


def _with_passwords(
    mailbox: ConnectedMailbox, request: ConnectRequest, *, is_one_provider: bool
) -> ConnectedMailbox:
    """Return the mailbox with its password and, where its two servers are not one provider's, the inbox's own."""
    from sequences_mcp.mail_setup.autoconfig import of_one_provider

    if is_one_provider or not mailbox.imap or of_one_provider(mailbox.smtp, mailbox.imap):
        inbox = _password(request.imap_password_file) if request.imap_password_file and mailbox.imap else ""
        return replace(mailbox, password=_password(request.password_file), imap_password=inbox)
    sends, reads = (url.rpartition("@")[2].rpartition("/")[2] for url in (mailbox.smtp, mailbox.imap))
    password = _password(request.password_file, of=f" at {sends}, which sends")
    inbox = ""
    if request.imap_password_file or (sys.stdin.isatty() and not request.password_file):
        of = f" of the inbox at {reads} (only Enter: the same)"
        inbox = _password(request.imap_password_file, of=of, may_be_empty=True)
    return replace(mailbox, password=password, imap_password=inbox)


def _with_password_beside(mailbox: ConnectedMailbox, request: ConnectRequest) -> ConnectedMailbox:
    """Return a mailbox with OAuth and the password of the one server that signs in with that, if one does.

    The options name it; a person is asked where the two servers are not one provider's. InvalidArgumentsError.
    """
    from sequences_mcp.mail_setup.autoconfig import of_one_provider

    files = (request.password_file, request.imap_password_file)
    if any(files) and (all(files) or not mailbox.imap):
        why = "one of two servers has a password; the other signs in with the token"
        raise InvalidArgumentsError(f"With --oauth {why}.", next_step="Give one of the files, and --imap.")
    if request.password_file:
        return replace(mailbox, password=_password(request.password_file))
    if request.imap_password_file:
        return replace(mailbox, imap_password=_password(request.imap_password_file))
    if not mailbox.imap or of_one_provider(mailbox.smtp, mailbox.imap) or not sys.stdin.isatty():
        return mailbox
    sends, reads = (url.rpartition("@")[2].rpartition("/")[2] for url in (mailbox.smtp, mailbox.imap))
    say(["1  both servers, without a password", f"2  {reads} alone; {sends}, which sends, has a password"])
    say([f"3  {sends} alone; {reads}, which is read, has a password"])
    choice = typed_answer("Signed in there", option="--password-file", default="1", read=partial(_one_of, "123"))
    if choice == "2":
        return replace(mailbox, password=_password(None, of=f" at {sends}, which sends"))
    return (
        replace(mailbox, imap_password=_password(None, of=f" of the inbox at {reads}"))
        if choice == "3"
        else mailbox
    )


def _password(file: Path | None, *, of: str = ", or app password", may_be_empty: bool = False) -> str:
    if file is not None:
        text = text_of_file(file).strip()
    elif sys.stdin.isatty():
        text = getpass.getpass(f"Password{of}: ").strip()
        if may_be_empty and not text:
            return ""
    else:
        raise InvalidArgumentsError("Nobody is there to type the password.", next_step="Give --password-file.")
    if not text or len(text.splitlines()) > 1 or not text.isascii() or not text.isprintable():
        raise InvalidArgumentsError("The password is empty, or has letters outside ASCII.", next_step="Try again.")
    return text


def _provider(address: str, request: ConnectRequest) -> MailProvider:
    """Return the servers: those that the options name, those of the provider that is recognised, or typed ones."""
    from sequences_mcp.mail_setup.autoconfig import MailProvider, recognised
    from sequences_mcp.mail_setup.domain_records import quiet_lookup

    by_hand = {"smtp": request.smtp, "imap": "" if request.imap == "none" else request.imap}
    given: dict[str, Any] = {kind: url for kind, url in by_hand.items() if url is not None}
    if len(given) == len(by_hand):
        return MailProvider(title="the servers given", known_by="", **given)
    if provider := recognised(address, lookup=quiet_lookup):
        say([f"{address} is at {provider.title}, by {provider.known_by}."])
        say([f"{provider.note} {provider.page}".strip()] if provider.note else ())
        return replace(provider, **given, known_by="" if given else provider.known_by)
    say([f"The provider of {address} is not known here; its help pages name the servers for mail programs."])
    if "smtp" not in given:
        question = "Server that sends, such as smtps://smtp.example.com:465"
        given["smtp"] = typed_answer(question, option="--smtp", read=partial(_typed_server, kind="smtp"))
    if "imap" not in given:
        question = "Server that is read, such as imaps://imap.example.com:993, or none"
        given["imap"] = typed_answer(question, option="--imap", read=partial(_typed_server, kind="imap"))
    return MailProvider(title="the servers given", known_by="", **given)


def _typed_name(text: str, *, policy: GuardPolicy) -> str:
    """Return a sender's name; UsageError, so that click asks again, for what names nobody or the guards refuse."""
    from sequences_mcp.first_visit import read_name

    try:
        return read_name(text, policy)
    except InvalidArgumentsError as error:
        raise click.UsageError(f"{error.message} {error.next_step}") from error


def _typed_server(text: str, *, kind: str) -> str:
    """Return a typed server as settings have it, encrypted where only a host was typed; UsageError asks again."""
    from sequences_mcp.errors import InvalidArgumentsError
    from sequences_mcp.first_visit import read_server

    if kind == "imap" and text.strip().lower() in ("none", "no"):
        return ""
    try:
        return read_server(text, kind=kind)
    except InvalidArgumentsError as error:
        raise click.UsageError(f"{error.message} {error.next_step}".strip()) from error


def _way_to_sign_in(provider: MailProvider, request: ConnectRequest) -> str:
    """Return at which provider the mailbox signs in without a password, or nothing where it has one."""
    if request.password_file or not provider.oauth:
        return ""
    if request.client_id or not provider.takes_password:
        return provider.oauth
    if not sys.stdin.isatty():
        return ""
    say(["1  with an app password", f"2  at {provider.title}, with an app (OAuth client) that you registered"])
    return provider.oauth if typed_answer("Sign in", option="--oauth", default="1", read=one_or_two) == "2" else ""


def one_or_two(text: str) -> str:
    """Return 1 or 2, as it was typed; UsageError asks again."""
    return _one_of("12", text)


def _one_of(digits: str, text: str) -> str:
    """Return one of these digits, as it was typed; UsageError asks again."""
    if len(text.strip()) != 1 or text.strip() not in digits:
        raise click.UsageError(f"Type {', '.join(digits[:-1])} or {digits[-1]}.")
    return text.strip()


def _registration(kind: str, request: ConnectRequest) -> OAuthRegistration:
    """Return the operator's client; InvalidArgumentsError for what is none."""
    from sequences_mcp.domain.sender import Secret
    from sequences_mcp.sign_in.client import OAuthRegistration, checked_authority, checked_tenant

    client_id = request.client_id
    if client_id is None:
        say([f"It signs in with an app that you register there once: {CLIENT_PAGES[kind]}"])
        client_id = typed_answer("Its client id", option="--client-id")
    secret = text_of_file(request.client_secret_file).strip() if request.client_secret_file else ""
    if not secret and kind == "google" and sys.stdin.isatty():
        secret = getpass.getpass("Its client secret: ").strip()
    try:
        return OAuthRegistration(
            provider=kind,
            client_id=client_id,
            client_secret=Secret(secret) if secret else None,
            tenant=checked_tenant(request.tenant or "common"),
            authority=checked_authority(request.authority) if request.authority else "",
        )
    except ValueError as error:
        raise InvalidArgumentsError(f"--tenant or --authority: {error}.", next_step="Correct it.") from error


def granted_in_terminal(sign_in: MailSignIn, *, in_browser: bool | None) -> TokenAnswer:
    """Have the person agree at the provider, and return what was granted; SignInError."""
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.sign_in.granting import BrowserGrant, device_grant

    client = sign_in.client
    if in_browser or (in_browser is None and not client.device_url):
        with BrowserGrant(client, username=sign_in.username) as grant:
            say([f"Sign in as {sign_in.username} in the browser. If none opens, open this page on this machine:"])
            click.echo(grant.page)
            click.launch(grant.page)
            return grant.wait(monotonic=time.monotonic, now=utc_now)
    code = device_grant(client)
    say(
        [
            f"Open {code.page} on any device, sign in as {sign_in.username}, and type this code there:",
            code.user_code,
            "Waiting. Ctrl-C ends it, and nothing is changed.",
        ]
    )
    return code.wait(monotonic=time.monotonic, sleep=time.sleep, now=utc_now)


def tried_out(mailbox: Mailbox, *, within: float) -> bool:
    """Send a test message to oneself, say what became of it, and return whether all is well."""
    from sequences_mcp.doctor import test_lines

    lines = []
    for line in test_lines(mailbox, within=within):
        say([str(line)])
        lines.append(line)
    return all(line.ok is not False for line in lines)


def _tried(mailbox: Mailbox) -> bool:
    """Sign in at each server of a mailbox, say how far that got, and return whether all is well."""
    from sequences_mcp.doctor import probe_inbox_of, probe_mail_server

    probes = (look(mailbox) for look in (probe_mail_server, probe_inbox_of))
    return _all_sign_in(probe for probe in probes if probe is not None)


def _all_sign_in(probes: Iterable[Probe]) -> bool:
    """Say how far the sign-in gets at each server; return whether it succeeds at all of them."""
    is_good = True
    for probe in probes:
        say([f"{'ok  ' if probe.ok else 'BAD '} {probe.words}"])
        say([f"     server reply: “{probe.server_reply}”"] if probe.server_reply else ())
        is_good = is_good and probe.ok
    return is_good


COMMANDS = {"mail": _mail}
