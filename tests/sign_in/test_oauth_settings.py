"""How settings.toml names a client to sign in with, what is wrong with one that does not, and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.secrecy.planted import SMTP_PASSWORD
from tests.sign_in.oauth_account import Account
from tests.world.authorization import USER

from sequences_mcp.doctor import examine
from sequences_mcp.errors import SettingsError
from sequences_mcp.mailbox import Mailbox
from sequences_mcp.settings import read_settings

MAILBOX = """
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@example.com"
smtp = "smtp://smtp.office365.com:587"
imap = "imaps://outlook.office365.com"
{more}
"""
GOOD = 'oauth = "microsoft"\noauth_client_id = "c"'


def mailbox_with(folder: Path, more: str, **environ: str) -> Mailbox:
    """Return the mailbox of a folder that has these lines in settings.toml."""
    (folder / "settings.toml").write_text(MAILBOX.format(more=more))
    return read_settings({"SEQUENCES_DATA_DIR": str(folder), **environ}).mailbox


def test_a_mailbox_names_its_client_and_no_password(tmp_path: Path) -> None:
    found = mailbox_with(tmp_path, f'{GOOD}\noauth_tenant = "organizations"')
    assert found.smtp_url is not None and found.imap_url is not None and found.sign_in is not None
    assert found.smtp_url.value == "smtp://ada%40example.com;AUTH=XOAUTH2@smtp.office365.com:587"
    assert found.imap_url.value == "imaps://ada%40example.com;AUTH=XOAUTH2@outlook.office365.com"
    client = found.sign_in.client
    assert client.token_url == "https://login.microsoftonline.com/organizations/oauth2/v2.0/token"
    assert found.sign_in.username == USER and found.can_send and found.reads_inbox


def test_a_mailbox_at_google_has_its_secret_by_reference(tmp_path: Path) -> None:
    more = 'oauth = "google"\noauth_client_id = "c"\noauth_client_secret = { env = "APP" }'
    found = mailbox_with(tmp_path, more, APP=SMTP_PASSWORD.value)
    assert found.oauth is not None and found.oauth.client_secret is not None
    assert found.oauth.token_url == "https://oauth2.googleapis.com/token"
    assert SMTP_PASSWORD.value not in heard("the settings", repr(found))
    without = mailbox_with(tmp_path, more)
    assert not without.can_send and "APP is not set" in without.lacking["SEQUENCES_SMTP_URL"]


def test_one_of_the_servers_may_have_a_password_beside_oauth(tmp_path: Path) -> None:
    sends = mailbox_with(tmp_path, f'{GOOD}\npassword = {{ env = "X" }}', X="secret")
    assert sends.smtp_url is not None and sends.imap_url is not None and sends.sign_in is not None
    assert sends.smtp_url.value == "smtp://ada%40example.com:secret@smtp.office365.com:587"
    assert sends.imap_url.value == "imaps://ada%40example.com;AUTH=XOAUTH2@outlook.office365.com"
    assert sends.sign_in.username == USER and sends.signs_in().endswith("with a password at the other server")
    reads = mailbox_with(tmp_path, f'{GOOD}\nimap_password = {{ env = "X" }}', X="secret")
    assert reads.smtp_url is not None and reads.imap_url is not None and reads.can_send
    assert reads.smtp_url.value == "smtp://ada%40example.com;AUTH=XOAUTH2@smtp.office365.com:587"
    assert reads.imap_url.value == "imaps://ada%40example.com:secret@outlook.office365.com"
    lacking = mailbox_with(tmp_path, f'{GOOD}\npassword = {{ env = "X" }}')
    assert not lacking.can_send and lacking.reads_inbox


WRONG = {
    "an unknown provider": (
        'oauth = "yahoo"\noauth_client_id = "c"',
        "oauth has to be one of 'microsoft', 'google'",
    ),
    "no client": ('oauth = "google"', "oauth_client_id is missing"),
    "a client without oauth": ('oauth_client_id = "c"', "oauth has to be one of"),
    "two passwords as well": (
        f'{GOOD}\npassword = {{ env = "X" }}\nimap_password = {{ env = "X" }}',
        "with oauth there is no password for every server",
    ),
    "the secret itself": (f'{GOOD}\noauth_client_secret = "canary"', "no secret stands in this file"),
    "a tenant that is a path": (f'{GOOD}\noauth_tenant = "../x"', "it is not the name or id of a tenant"),
    "an address in plain": (f'{GOOD}\noauth_authority = "http://login.example.com"', "https, or http on loopback"),
    "an address with a user": (f'{GOOD}\noauth_authority = "https://a@b.example"', "https, or http on loopback"),
}


@pytest.mark.parametrize(("more", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_client_is_said(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as told:
        mailbox_with(tmp_path, more)
    assert "canary" not in heard("an error", str(told.value))


@pytest.mark.parametrize("name", ["SMTP_URL", "IMAP_URL"])
def test_an_address_of_the_environment_that_wants_a_token_says_where_it_comes_from(
    tmp_path: Path, name: str
) -> None:
    scheme = name.partition("_")[0].lower()
    environ = {
        f"SEQUENCES_{name}": f"{scheme}s://ada;AUTH=XOAUTH2@mail.example",
        "SEQUENCES_DATA_DIR": str(tmp_path),
    }
    with pytest.raises(SettingsError, match=r"needs oauth in a mailbox of settings\.toml"):
        read_settings(environ)


def test_each_of_several_mailboxes_signs_in_by_itself(account: Account) -> None:
    bob = '[mailboxes.bob]\nname = "Bob Noyce"\naddress = "bob@example.com"\nsmtp = "smtp://127.0.0.1:1"\n'
    text = 'default_mailbox = "bob"\n' + bob + account.table(smtp="smtp://127.0.0.1:2")
    (account.folder / "settings.toml").write_text(text)
    first, second = read_settings({"SEQUENCES_DATA_DIR": str(account.folder)}).mailboxes
    assert first.sign_in is None and first.signs_in() == "nowhere"
    assert second.sign_in == account.sign_in and second.signs_in().startswith(
        "with Microsoft since 2026-11-23, until"
    )


def test_a_password_at_microsoft_is_told_to_end(tmp_path: Path) -> None:
    found = mailbox_with(tmp_path, 'password = { env = "ADA" }', ADA="pw")
    assert found.signs_in().startswith("with a password, which Microsoft 365 stops taking")


def test_the_doctor_says_how_a_mailbox_signs_in_and_that_somebody_has_to(account: Account) -> None:
    (account.folder / "settings.toml").write_text(account.table())
    environ = {"SEQUENCES_DATA_DIR": str(account.folder)}
    said = "\n".join(map(str, examine(environ)[0]))
    assert (
        "note sign-in: with Microsoft since 2026-11-23, until it is revoked, or after 90 days without use" in said
    )
    account.sign_in.path.unlink()
    lines, healthy = examine(environ)
    said = "\n".join(map(str, lines))
    assert not healthy and "BAD  sign in again: ada@example.com has to be signed in again at Microsoft" in said
