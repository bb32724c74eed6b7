"""Where secrets are kept: in the keychain of a system that has one, else in a file that only its owner reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.world.authorization import CLIENT, USER, AuthorizationServer

BACKEND = '''
import json
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError


class Kept(KeyringBackend):
    """A keychain of a test: entries in a file, whose letters are turned round so that no secret stands in it."""

    priority = 1
    path = Path(__file__).with_name("entries.json")

    def _entries(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, name):
        text = self._entries().get(f"{service} {name}")
        return text[::-1] if text else None

    def set_password(self, service, name, password):
        if Path(__file__).with_name("locked").exists():
            raise PasswordSetError("locked")
        self.path.write_text(json.dumps({**self._entries(), f"{service} {name}": password[::-1]}))

    def delete_password(self, service, name):
        entries = self._entries()
        if f"{service} {name}" not in entries:
            raise PasswordDeleteError(name)
        del entries[f"{service} {name}"]
        self.path.write_text(json.dumps(entries))
'''
PROGRAM = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sequences_mcp.sign_in import keychain
from sequences_mcp.sign_in.client import OAuthRegistration
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.sign_in.tokens import AccessTokens, MailSignIn, TokenAnswer, keep_grant, state_of

authority, folder, refresh = sys.argv[1:]
client = OAuthRegistration(provider="microsoft", client_id="{client}", authority=authority)
sign_in = MailSignIn(client=client, mailbox="ada", username="{user}", workspace=Workspace(Path(folder)))
now = datetime.now(UTC)
print(keychain.is_there())
keep_grant(sign_in, TokenAnswer("old", now, refresh), now=now)
print(state_of(sign_in).kept_in)
print(AccessTokens(sign_in, lambda: datetime.now(UTC)).current() != "old")
print(*sorted(path.name for path in Path(folder, "sign_in").iterdir()))
"""


def run(authorization: AuthorizationServer, folder: Path) -> list[str]:
    """Keep a grant and renew it in a process whose system has that keychain; return what it printed."""
    (folder / "chain.py").write_text(BACKEND)
    refresh = authorization.granted().refresh[-1]
    program = PROGRAM.format(client=CLIENT, user=USER)
    done = subprocess.run(
        [sys.executable, "-c", program, authorization.url, str(folder / "data"), refresh],
        env={"PYTHONPATH": str(folder), "PYTHON_KEYRING_BACKEND": "chain.Kept", "PATH": ""},
        capture_output=True,
        text=True,
    )
    heard("what a process said", done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_grant_is_kept_in_the_systems_keychain_and_renewed_there(
    authorization: AuthorizationServer, tmp_path: Path
) -> None:
    pytest.importorskip("keyring")
    assert run(authorization, tmp_path) == ["True", "keychain", "True", "ada.json ada.lock"]
    entries = (tmp_path / "entries.json").read_text()
    assert entries.count("sequences-mcp mailboxes.ada.grant.") == 1 and "check." not in entries


def test_a_keychain_that_takes_nothing_is_none(authorization: AuthorizationServer, tmp_path: Path) -> None:
    pytest.importorskip("keyring")
    (tmp_path / "locked").touch()
    there, kept_in, renewed, names = run(authorization, tmp_path)
    assert (there, kept_in, renewed) == ("False", "file", "True")
    assert names.endswith(".secret")
