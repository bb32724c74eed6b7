"""A mailbox whose settings name a client at an authorization server on loopback, signed in or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.world.authorization import CLIENT, USER, AuthorizationServer
from tests.world.data_folder import Clock

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.sign_in.client import OAuthRegistration
from sequences_mcp.sign_in.tokens import (
    AccessTokens,
    MailSignIn,
    SignInState,
    keep_grant,
    state_of,
    token_answer,
)


@dataclass
class Account:
    """A mailbox that a person has signed in, its data folder, and the clock of whoever uses it."""

    server: AuthorizationServer
    folder: Path
    clock: Clock = field(default_factory=Clock)
    provider: str = "microsoft"

    @property
    def client(self) -> OAuthRegistration:
        """The operator's client."""
        return OAuthRegistration(provider=self.provider, client_id=CLIENT, authority=self.server.url)

    @property
    def sign_in(self) -> MailSignIn:
        """How the mailbox signs in."""
        return MailSignIn(client=self.client, mailbox="ada", username=USER, workspace=Workspace(self.folder))

    @property
    def state(self) -> SignInState:
        """What the file says."""
        state = state_of(self.sign_in)
        assert state is not None
        return state

    def agree(self) -> SignInState:
        """Sign in, as a person has."""
        grant = self.server.granted()
        given = {"access_token": grant.access[-1], "refresh_token": grant.refresh[-1], "expires_in": 3_600}
        answer = token_answer(given, now=self.clock())
        assert answer is not None
        return keep_grant(self.sign_in, answer, now=self.clock(), in_file=True)

    def process(self) -> AccessTokens:
        """Return the tokens as a process of its own has them, which remembers nothing."""
        return AccessTokens(self.sign_in, self.clock)

    def table(self, smtp: str = "", imap: str = "") -> str:
        """Return the mailbox as settings.toml has it."""
        ways = "".join(f'{name} = "{url}"\n' for name, url in (("smtp", smtp), ("imap", imap)) if url)
        return (
            f'[mailboxes.ada]\nname = "Ada Lovelace"\naddress = "{USER}"\n{ways}oauth = "{self.provider}"\n'
            f'oauth_client_id = "{CLIENT}"\noauth_authority = "{self.server.url}"\n'
        )
