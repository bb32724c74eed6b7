"""What the tests of signing in stand on: a mailbox whose settings name a client at a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.world.authorization import CLIENT, USER, AuthorizationServer, authorization_server
from tests.world.data_folder import Clock
from tests.world.product import bureau as bureau

from sequences_mcp.sign_in.client import OAuthClient
from sequences_mcp.sign_in.tokens import (
    AccessTokens,
    MailSignIn,
    SignInState,
    answer_of,
    keep_grant,
    state_of,
)


@dataclass
class Account:
    """A mailbox that a person has signed in, its data folder, and the clock of whoever uses it."""

    server: AuthorizationServer
    folder: Path
    clock: Clock = field(default_factory=Clock)
    provider: str = "microsoft"

    @property
    def client(self) -> OAuthClient:
        """The operator's client."""
        return OAuthClient(provider=self.provider, client_id=CLIENT, authority=self.server.url)

    @property
    def sign_in(self) -> MailSignIn:
        """How the mailbox signs in."""
        return MailSignIn(client=self.client, mailbox="ada", username=USER, data_dir=self.folder)

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
        answer = answer_of(given, now=self.clock())
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


@pytest.fixture
def authorization() -> Iterator[AuthorizationServer]:
    """An authorization server on loopback."""
    with authorization_server() as server:
        yield server


@pytest.fixture
def account(authorization: AuthorizationServer, tmp_path: Path) -> Account:
    """A mailbox whose person has signed in."""
    account = Account(authorization, tmp_path / "data")
    account.agree()
    return account
