"""What the tests of signing in stand on: a mailbox whose settings name a client at a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sign_in.oauth_account import Account
from tests.world.authorization import AuthorizationServer, authorization_server
from tests.world.product import bureau as bureau


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
