"""``sequences-mcp mail``: connect a mailbox, sign it in again, and try it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from sequences_mcp.cli.keyboard import say, settings_here
from sequences_mcp.errors import InvalidArgumentsError

if TYPE_CHECKING:
    from sequences_mcp.settings import Settings
    from sequences_mcp.sign_in.tokens import MailSignIn, TokenAnswer


def _mail() -> click.Group:
    @click.group(help="Connect a mailbox, sign it in again, and try it.")
    def mail() -> None:
        pass

    for command in (_sign_in(),):
        mail.add_command(command)
    return mail


def _sign_in() -> click.Command:
    @click.command("sign-in", help="Sign a mailbox in again at Microsoft or Google. What waits is sent then.")
    @click.argument("mailbox", required=False)
    @click.option(
        "--browser/--code", default=None, help="Agree in this machine's browser, or with a code anywhere."
    )
    @click.option("--keep", type=click.Choice(["keychain", "file"]), help="Where what was granted is kept.")
    def sign_in(mailbox: str | None, browser: bool | None, keep: str | None) -> None:
        from sequences_mcp.upkeep import after_sign_in

        settings = mailbox_named(settings_here(), mailbox)
        if settings.sign_in is None:
            raise InvalidArgumentsError(
                f"{settings.mailbox or 'The mailbox'} signs in with a password.",
                next_step=f"Change the password where {settings.file} says it is kept.",
            )
        answer = granted_in_terminal(settings.sign_in, in_browser=browser)
        kept_in = after_sign_in(settings, answer, in_file=keep == "file")
        say([f"{settings.sign_in.username} is signed in; what was granted is kept in {kept_in}."])
        sys.exit(0 if _tried(settings) else 1)

    return sign_in


def mailbox_named(settings: Settings, name: str | None) -> Settings:
    """Return the settings of one mailbox, the default one without a name; InvalidArgumentsError."""
    each = settings.of_each_mailbox()
    for mailbox in each:
        if name in (None, mailbox.mailbox, mailbox.sender.address if mailbox.sender else ""):
            return mailbox
    known = ", ".join(mailbox.mailbox for mailbox in each if mailbox.mailbox) or "none"
    raise InvalidArgumentsError(f"There is no mailbox {name!r}.", next_step=f"{settings.file} has: {known}.")


def granted_in_terminal(sign_in: MailSignIn, *, in_browser: bool | None) -> TokenAnswer:
    """Have the person agree at the provider, and return what was granted; SignInError."""
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.sign_in.granting import BrowserGrant, device_grant

    client = sign_in.client
    if in_browser if in_browser is not None else not client.device_url:
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


def _tried(settings: Settings) -> bool:
    """Sign in at each server of a mailbox, say how far that got, and return whether all is well."""
    from sequences_mcp.doctor import probe_inbox_of, probe_mail_server

    probes = list(filter(None, (probe_mail_server(settings), probe_inbox_of(settings))))
    for probe in probes:
        say([f"{'ok  ' if probe.ok else 'BAD '} {probe.words}"])
        say([f"     server reply: “{probe.server_reply}”"] if probe.server_reply else ())
    return all(probe.ok for probe in probes)


COMMANDS = {"mail": _mail}
