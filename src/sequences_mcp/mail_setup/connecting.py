"""A mailbox that is being connected: tried with what a person typed, then written down with its secret, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sequences_mcp.domain.workspace import SIGN_INS_FOLDER, Workspace
from sequences_mcp.engine.channels.mail_server import XOAUTH2_URL, MailServer, Probe, Timeouts, Tokens, probe
from sequences_mcp.engine.inbound.imap import ImapServer, probe_inbox
from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.mail_setup.settings_text import SettingsChange, with_mailbox
from sequences_mcp.sign_in import keychain
from sequences_mcp.sign_in.client import OAuthRegistration
from sequences_mcp.sign_in.tokens import MailSignIn, TokenAnswer, keep_grant

QUICK = Timeouts(connect=15, command=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedMailbox:
    """A mailbox's table-to-be: name, address and servers, and the password or what was granted.

    ``imap_password`` is that of the inbox, where it has another; ``client`` goes with ``grant``, and then a
    ``password`` is that of the server that sends alone, and the other one of the two signs in with the token.
    ``in_file`` asks for a file although there is a keychain; ``of_folder`` has keys of the first level to write
    beside the table.
    """

    file: Path
    table: str
    name: str
    address: str
    smtp: str
    imap: str = ""
    password: str = field(default="", repr=False)
    imap_password: str = field(default="", repr=False)
    client: OAuthRegistration | None = None
    grant: TokenAnswer | None = field(default=None, repr=False)
    in_file: bool = False
    is_default: bool = False
    of_folder: Mapping[str, Any] = field(default_factory=dict)

    @property
    def username(self) -> str:
        """Who signs in: whom the server names, of two the one that takes the token, else the address."""
        url = self.imap if self.client and self.password else self.smtp
        return unquote(urlsplit(url).username or "") or self.address

    @property
    def sign_in(self) -> MailSignIn:
        """How it signs in with OAuth."""
        assert self.client is not None
        return MailSignIn(
            client=self.client, mailbox=self.table, username=self.username, workspace=Workspace(self.file.parent)
        )

    def probes(self) -> Iterator[Probe]:
        """Yield how far the sign-in gets at each server; SettingsError for what is no server's address."""
        tokens: Tokens | None = None
        if self.grant is not None:
            token = self.grant.access_token
            tokens = lambda refused: token  # noqa: E731 - there is no other token to give yet
        yield probe(MailServer.parse(self._whole(self.smtp, self.password)), timeouts=QUICK, tokens=tokens)
        if self.imap:
            beside = "" if self.client else self.password
            whole = self._whole(self.imap, self.imap_password or beside)
            yield probe_inbox(ImapServer.parse(whole), tokens=tokens)

    def _whole(self, url: str, password: str) -> str:
        """Return a server's address with the account; SettingsError where a password stands in it."""
        parts = urlsplit(url)
        if parts.password is not None:
            raise SettingsError(
                "A server's address has a password in it, which would be written into settings.toml.",
                next_step="Leave it out; it is asked for.",
            )
        user = quote(unquote(parts.username or "") or self.address, safe="")
        with_token = self.grant is not None and not password
        account = f"{user}{XOAUTH2_URL}" if with_token else f"{user}:{quote(password, safe='')}"
        return f"{parts.scheme}://{account}@{parts.netloc.rpartition('@')[2]}"

    def change(self, *, has_keychain: bool) -> SettingsChange:
        """Return what would be written into the settings; SettingsError where the file cannot be read."""
        values: dict[str, Any] = {"name": self.name, "address": self.address, "smtp": self.smtp}
        values |= {"imap": self.imap} if self.imap else {}
        if self.client is None or self.password:
            values["password"] = self._reference("password", has_keychain)
        if self.imap and self.imap_password:
            values["imap_password"] = self._reference("imap_password", has_keychain)
        if (client := self.client) is None:
            return self._changed(values)
        values |= {"oauth": client.provider, "oauth_client_id": client.client_id}
        if client.client_secret:
            values["oauth_client_secret"] = self._reference("oauth_client_secret", has_keychain)
        values |= {"oauth_tenant": client.tenant} if client.tenant != "common" else {}
        values |= {"oauth_authority": client.authority} if client.authority else {}
        return self._changed(values)

    def _changed(self, values: Mapping[str, Any]) -> SettingsChange:
        return with_mailbox(self.file, self.table, values, is_default=self.is_default, of_folder=self.of_folder)

    def _reference(self, key: str, has_keychain: bool) -> Mapping[str, Any]:
        if has_keychain and not self.in_file:
            return {"keyring": True}
        return {"file": f"{SIGN_INS_FOLDER}/{keychain.entry_file(self._entry(key))}"}

    def _entry(self, key: str) -> str:
        return f"mailboxes.{self.table}.{key}"

    def write(
        self, change: SettingsChange, *, now: datetime, has_keychain: bool, check: Callable[[], object]
    ) -> Path | None:
        """Write the settings, have them read by ``check``, keep the secrets; return the earlier settings' copy.

        Whatever goes wrong or interrupts it, settings.toml is afterwards as it was before.
        """
        copy = None
        done = False
        try:
            copy = change.write(now=now)
            check()
            self._keep_secrets(now=now, in_file=self.in_file or not has_keychain)
            done = True
            return copy
        finally:
            if not done:
                change.undo(copy)

    def _keep_secrets(self, *, now: datetime, in_file: bool) -> None:
        folder = Workspace(self.file.parent).sign_ins
        if self.grant is not None:
            keep_grant(self.sign_in, self.grant, now=now, in_file=in_file)
        secret = self.client.client_secret if self.client else None
        for key, text in (
            ("password", self.password),
            ("imap_password", self.imap_password if self.imap else ""),
            ("oauth_client_secret", secret.value if secret else ""),
        ):
            if not text:
                continue
            kept_in = keychain.keep(self._entry(key), text, folder=folder, in_file=in_file)
            if kept_in == keychain.FILE and not in_file:
                raise SettingsError("The system's keychain did not take the secret.", next_step="Use --keep file.")
