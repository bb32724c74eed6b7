"""A mailbox: one sender, the servers their e-mails leave by and come back to, and when and how many may leave.

``settings`` reads it from the environment and ``settings.toml``; the default mailbox and the named ones are alike.
What needs a server's modules imports them when it is called, because every start of a process reads its mailboxes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sequences_mcp.domain.sender import Secret, Sender
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass, field

if TYPE_CHECKING:
    from sequences_mcp.domain.plan import Terms
    from sequences_mcp.engine.calendar import Window
    from sequences_mcp.engine.worker import Deliver
    from sequences_mcp.sign_in.client import OAuthRegistration
    from sequences_mcp.sign_in.tokens import MailSignIn

OUTBOX = "outbox"  # how an e-mail leaves, as terms tell it, where there is no mail server
SMTP_SETTING, IMAP_SETTING = "SEQUENCES_SMTP_URL", "SEQUENCES_IMAP_URL"
# https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online
_OF_MICROSOFT = (".office365.com", ".outlook.com")
_ENDS_THERE = ", which Microsoft 365 stops taking by itself at the end of December 2026: sign in with oauth"


class ServerAddress(NamedTuple):
    """A mail server's address as a person writes it, in parts; ``scheme`` and ``account`` may be empty."""

    scheme: str
    account: str
    host: str

    @classmethod
    def read(cls, url: str) -> ServerAddress:
        """Return the parts of an address; what stands before the last ``@`` is the account."""
        before, slashes, after = url.strip().partition("://")
        account, _, host = (after if slashes else before).rpartition("@")
        return cls(before if slashes else "", account, host)

    @property
    def has_password(self) -> bool:
        """Whether a password stands in the address, where none may."""
        return ":" in self.account


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """A sender with their way out, window and caps.

    ``name`` is that of its table in ``settings.toml``, None where the environment alone tells of the default
    mailbox, whose ``sender`` may be missing. Without ``smtp_url`` its e-mails are written to the outbox, without
    ``imap_url`` nobody reads its answers; each may hold a password, or name the user alone, who signs in with the
    client of ``oauth``. ``lacking`` says why one of them cannot be had in this process, by the variable's name.
    ``member`` is the user of a server over HTTP whose own it is: nobody else there begins anything with it.
    """

    name: str | None
    sender: Sender | None
    smtp_url: Secret | None
    imap_url: Secret | None
    window: str
    daily_cap: int
    spacing: int
    ramp_up: int
    workspace: Workspace
    oauth: OAuthRegistration | None = None
    lacking: Mapping[str, str] = field(default_factory=dict)
    database: Secret | None = None
    member: str | None = None

    @property
    def database_url(self) -> str | None:
        """The address of the database, where it is not a file of the data folder."""
        return self.database.value if self.database else None

    @property
    def file(self) -> Path:
        """Where the settings of its data folder stand, or would."""
        return self.workspace.settings_file

    @property
    def outbox(self) -> Path:
        """The folder its e-mails are written to where it has no mail server."""
        return self.workspace.outbox

    @property
    def address(self) -> str:
        """The sender's address, or an empty string."""
        return self.sender.address if self.sender else ""

    @property
    def below(self) -> str:
        """What stands below every text: the sender's signature and their line on how to say no."""
        return self.sender.below if self.sender else ""

    @property
    def knows_server(self) -> bool:
        """Whether somebody told this process through which mail server e-mails leave, or through none."""
        return self.smtp_url is not None or self.name is not None

    @property
    def can_send(self) -> bool:
        """Whether this process can send e-mails: it knows who sends, and has the password it would need."""
        return self.sender is not None and SMTP_SETTING not in self.lacking

    @property
    def reads_inbox(self) -> bool:
        """Whether answers are read, by this process or, where this one lacks the password, by another."""
        return self.imap_url is not None or IMAP_SETTING in self.lacking

    @property
    def is_deaf(self) -> bool:
        """Whether e-mails leave by it and nobody reads the answers."""
        return self.smtp_url is not None and not self.reads_inbox

    @cached_property
    def delivery(self) -> str:
        """How e-mails leave, as terms tell it: the mail server without the account, or the outbox."""
        from sequences_mcp.engine.channels.mail_server import MailServer

        return MailServer.parse(self.smtp_url.value).where if self.smtp_url else OUTBOX

    @cached_property
    def terms(self) -> Terms:
        """The settings that an approval of a start by this mailbox covers."""
        from sequences_mcp.domain.plan import Terms

        return Terms(
            sender_address=self.address,
            sender_name=self.sender.name if self.sender else "",
            delivery=self.delivery,
            window=self.window,
            daily_cap=self.daily_cap,
            spacing=self.spacing,
            reply_to=self.sender.reply_to if self.sender else "",
            ramp_up=self.ramp_up,
            signature_picture=self.sender.signature_picture if self.sender else "",
        )

    @cached_property
    def hours(self) -> Window:
        """The window, parsed."""
        from sequences_mcp.engine.calendar import Window

        return Window.parse(self.window)

    def next_open(self, zone: str, at: datetime) -> datetime | None:
        """Return the next instant at which an e-mail may leave, or None when it may leave at ``at``.

        ``zone`` has the names of the recipient's possible time zones, with commas.
        """
        from sequences_mcp.engine.calendar import next_open

        return next_open(self.hours, zone, at)

    def require_sender(self) -> Sender:
        """Return who sends; SettingsError where nobody is set."""
        if self.sender is None:
            raise SettingsError("SEQUENCES_SENDER is not set.", next_step=how_to_set_sender(self.file))
        return self.sender

    def require_sending(self) -> Sender:
        """Return who sends; SettingsError where this process does not know it, or lacks the password."""
        sender = self.require_sender()
        if not self.can_send:
            raise SettingsError(
                f"This process cannot sign in at the mail server: {self.lacking[SMTP_SETTING]}.",
                next_step="Give it the password, or leave the sending to a process that has it.",
            )
        return sender

    @property
    def sign_in(self) -> MailSignIn | None:
        """How it signs in with OAuth, or None where it has a password."""
        if self.oauth is None or self.name is None:
            return None
        from sequences_mcp.engine.channels.mail_server import MailServer
        from sequences_mcp.engine.inbound.imap import ImapServer
        from sequences_mcp.sign_in.tokens import MailSignIn

        username = self.address
        if self.smtp_url and (server := MailServer.parse(self.smtp_url.value)).with_token:
            username = server.username
        elif self.imap_url and (inbox := ImapServer.parse(self.imap_url.value)).with_token:
            username = inbox.username
        return MailSignIn(client=self.oauth, mailbox=self.name, username=username, workspace=self.workspace)

    def signs_in(self) -> str:
        """Return how it signs in and when that ends, in words, as far as it is known now."""
        if self.sign_in is not None:
            from sequences_mcp.sign_in.tokens import lasting

            beside = ", and with a password at the other server" if self._has_password else ""
            return f"{lasting(self.sign_in)}{beside}"
        urls = [url.value for url in (self.smtp_url, self.imap_url) if url and "@" in url.value]
        servers = [url.rpartition("@")[2] for url in urls]
        if not servers:
            return "nowhere"
        is_microsoft = any(server.partition(":")[0].endswith(_OF_MICROSOFT) for server in servers)
        return f"with a password{_ENDS_THERE if is_microsoft else ''}"

    @property
    def _has_password(self) -> bool:
        """Whether the password of a server stands in its address."""
        return any(";AUTH=" not in url.value.upper() for url in (self.smtp_url, self.imap_url) if url)

    def tokens(self, clock: Callable[[], datetime]) -> Callable[[str], str] | None:
        """Return what gives its access tokens, or None where it has a password."""
        if (sign_in := self.sign_in) is None:
            return None
        from sequences_mcp.sign_in.tokens import access_tokens

        return access_tokens(sign_in, clock=clock)

    def deliver(self, clock: Callable[[], datetime], *, hurried: bool = False) -> Deliver:
        """Return what delivers its e-mails; a message of another sender raises DeliveryWithheldError.

        ``hurried`` waits at most 30 seconds for a slow server, for e-mails that nobody misses.
        """
        from sequences_mcp.engine.channels import mail_server, outbox, smtp
        from sequences_mcp.engine.channels.message import require_sender

        if self.smtp_url is None:
            return require_sender(self.address, partial(outbox.deliver_to_outbox, self.outbox))
        timeouts = (
            mail_server.Timeouts(connect=5, command=5, final=30, total=30) if hurried else mail_server.Timeouts()
        )
        server = mail_server.MailServer.parse(self.smtp_url.value)
        by_smtp = partial(smtp.deliver_by_smtp, server, timeouts=timeouts, tokens=self.tokens(clock))
        return require_sender(self.address, by_smtp)

    def account_fingerprint(self, key: bytes) -> str:
        """Return four hexadecimal digits that change with the mail server and the account on it.

        They are of an HMAC with the data folder's ``key``, and too few to guess a password from.
        """
        import hmac

        url = self.smtp_url.value if self.smtp_url else OUTBOX
        return hmac.new(key, url.encode(), "sha256").hexdigest()[:4]


def how_to_set_sender(file: Path) -> str:
    """Return how a sender is set, in words; ``file`` is the data folder's settings.toml."""
    return f"Set it: `Ada Lovelace <ada@example.com>`, or name and address of a mailbox in {file}."
