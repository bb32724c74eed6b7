"""Access tokens: cached, renewed under a lock that processes share, and one clear end when the grant is over."""

from __future__ import annotations

import json
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MARK
from tests.sign_in.oauth_account import Account
from tests.world.authorization import CLIENT, AuthorizationServer
from tests.world.loaded import python
from tests.world.trickle import TRICKLED, trickling

from sequences_mcp.errors import SignInError
from sequences_mcp.private_files import write_private
from sequences_mcp.sign_in import keychain
from sequences_mcp.sign_in.tokens import access_tokens, signed_out, token_request, why_not_signed_in


def test_a_token_is_used_until_a_minute_before_its_end(account: Account) -> None:
    tokens = account.process()
    first = tokens.current()
    account.clock.forward(seconds=3_539)
    assert tokens.current() == first and account.server.asked == []
    account.clock.forward(seconds=2)
    assert tokens.current() != first and account.server.asked == ["refresh_token"]


def test_a_process_that_begins_uses_the_token_that_another_has_had(account: Account) -> None:
    account.clock.forward(hours=2)
    first = account.process().current()
    assert [account.process().current() for _ in range(5)] == [first] * 5
    assert account.server.asked == ["refresh_token"]


def test_a_refresh_token_that_was_replaced_is_kept_before_the_access_token_is_used(account: Account) -> None:
    for _ in range(5):
        account.clock.forward(hours=2)
        account.process().current()
    assert account.server.reused == 0 and account.state.renewed_at == account.clock()


def test_many_threads_and_processes_ask_once_each_time_it_ends(account: Account) -> None:
    account.server.lifetime = 86_400 * 365  # the processes below have the time of this machine
    account.clock.forward(hours=2)
    shared = account.process()
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda number: (shared if number % 2 else account.process()).current(), range(16)))
    assert len(got) == 1 and account.server.asked == ["refresh_token"]


PROCESS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sequences_mcp.sign_in.client import OAuthRegistration
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.sign_in.tokens import AccessTokens, MailSignIn
authority, folder, refused = sys.argv[1:]
client = OAuthRegistration(provider="microsoft", client_id="desk-client", authority=authority)
sign_in = MailSignIn(client=client, mailbox="ada", username="ada@example.com", workspace=Workspace(Path(folder)))
print(AccessTokens(sign_in, lambda: datetime.now(UTC)).current(refused))
"""


def test_processes_that_a_server_refused_the_same_token_renew_it_once(account: Account) -> None:
    account.server.lifetime = 86_400 * 3_650
    account.clock.forward(hours=2)
    refused = account.process().current()
    command = [*python(), "-c", PROCESS, account.server.url, str(account.folder), refused]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate()[0].strip() for process in running]
    assert len(set(said)) == 1 and said[0] not in ("", refused)
    assert account.server.asked == ["refresh_token"] * 2 and account.server.reused == 0


@pytest.mark.parametrize("code", ["invalid_grant", "interaction_required", "login_required", "consent_required"])
def test_a_grant_that_is_over_is_said_once_and_asked_about_no_more(account: Account, code: str) -> None:
    account.clock.forward(hours=2)
    words = f"AADSTS50173: The grant was revoked. {MARK}13z"
    account.server.script = [(400, {"error": code, "error_description": words})]
    for _ in range(3):
        with pytest.raises(SignInError, match=f"signed in again at Microsoft: .*{code} AADSTS50173") as told:
            account.process().current()
        assert told.value.data["again"] and "mail sign-in ada" in told.value.next_step
        assert MARK not in heard("an error", repr(told.value.data) + str(told.value))
    assert account.server.asked == ["refresh_token"]
    (trouble,) = signed_out(account.sign_in, sender="ada@example.com", now=account.clock())
    assert (trouble.code, trouble.stops, trouble.since) == ("sign_in_again", True, account.clock())


def test_signing_in_again_ends_it_for_processes_that_run(account: Account) -> None:
    tokens = access_tokens(account.sign_in, clock=account.clock)
    account.clock.forward(hours=2)
    account.server.revoke()
    with pytest.raises(SignInError):
        tokens("")
    account.agree()
    assert account.server.owner(tokens("")) == "ada@example.com"
    assert not why_not_signed_in(account.sign_in)


PASSING = {
    "an error of the server": ((500, {}), "HTTP 500"),
    "too many questions": ((429, {"error": "temporarily_unavailable"}), "temporarily_unavailable"),
    "no JSON object": ((200, {}), "HTTP 200"),
    "a token that is none": ((200, {"access_token": "a\r\nb"}), "HTTP 200"),
    "a client that is unknown": ((401, {"error": "invalid_client"}), "invalid_client"),
    "an error that is no code": ((400, {"error": f"x {MARK}13z"}), "HTTP 400"),
}


@pytest.mark.parametrize(("answer", "words"), PASSING.values(), ids=PASSING.keys())
def test_what_may_pass_is_tried_again_and_nobody_has_to_sign_in(
    account: Account, answer: tuple[int, dict[str, object]], words: str
) -> None:
    account.clock.forward(hours=2)
    account.server.script = [answer]
    with pytest.raises(SignInError, match=words) as told:
        account.process().current()
    assert not told.value.data["again"] and not why_not_signed_in(account.sign_in)
    assert account.process().current()


def test_a_server_that_is_gone_is_no_end_of_the_grant(account: Account) -> None:
    account.clock.forward(hours=2)
    account.server.port = 1  # nobody listens there
    with pytest.raises(SignInError, match="cannot be reached") as told:
        account.process().current()
    assert not told.value.data["again"]


def test_a_token_without_an_end_or_with_a_strange_one_is_not_renewed_at_every_use(account: Account) -> None:
    for strange in (0, -5, "soon", None, 10**30, True):
        account.clock.forward(hours=24 * 400 * 10)
        account.server.lifetime = strange  # type: ignore[assignment]
        before = len(account.server.asked)
        tokens = account.process()
        assert tokens.current() == tokens.current()
        assert len(account.server.asked) == before + 1


def test_nothing_that_is_written_or_shown_has_a_secret_but_the_one_private_file(account: Account) -> None:
    account.process().current()
    for path in (account.folder / "sign_in").iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert (MARK in path.read_text()) == path.name.endswith(".secret")
    shown = heard("values", repr((account.process(), account.state, account.sign_in)))
    assert MARK not in shown


def test_a_mailbox_nobody_has_signed_in_says_so(authorization: AuthorizationServer, tmp_path: Path) -> None:
    account = Account(authorization, tmp_path)
    with pytest.raises(SignInError, match="nobody has signed in on this machine yet"):
        account.process().current()
    assert authorization.asked == []


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"provider": "microsoft"}', "\x00" * 50])
def test_a_file_that_cannot_be_read_asks_for_a_new_sign_in(account: Account, broken: str) -> None:
    account.sign_in.path.write_text(broken)
    with pytest.raises(SignInError, match="signed in again"):
        account.process().current()


def test_a_secret_that_vanished_asks_for_a_new_sign_in(account: Account) -> None:
    (secret,) = (account.folder / "sign_in").glob("*.secret")
    secret.unlink()
    with pytest.raises(SignInError, match="not in the file any more"):
        account.process().current()


def test_another_client_in_the_settings_asks_for_a_new_sign_in(account: Account) -> None:
    account.provider = "google"
    with pytest.raises(SignInError, match="the settings name another client or account"):
        account.process().current()


def test_a_new_sign_in_leaves_nothing_of_the_earlier_one(account: Account) -> None:
    account.agree()
    folder = account.folder / "sign_in"
    assert len(list(folder.glob("*.secret"))) == 1
    state = account.state
    stored = keychain.read(state.kept_in, state.entry, folder=folder)
    assert (
        stored is not None and json.loads(stored.value)["refresh_token"] == account.server.grants[-1].refresh[-1]
    )


def test_an_end_that_the_provider_names_is_kept_and_told_from_fourteen_days_before(account: Account) -> None:
    account.clock.forward(hours=2)
    given = {"access_token": f"access-{MARK}13z", "refresh_token_expires_in": 30 * 86_400}
    account.server.script = [(200, given)]
    account.process().current()
    assert account.state.ends_at == account.clock() + timedelta(days=30)
    told = {}
    for days in (15, 1, 13, 2):
        account.clock.forward(hours=24 * days)
        told[account.clock() - account.state.renewed_at] = [
            (trouble.code, trouble.stops)
            for trouble in signed_out(account.sign_in, sender="ada@example.com", now=account.clock())
        ]
    soon = [("sign_in_ends", False)]
    assert list(told.values()) == [[], soon, soon, soon]
    account.agree()  # with an end that nobody knows
    assert not [*signed_out(account.sign_in, sender="ada@example.com", now=account.clock())]


LARGE = 10_000_000
ODD = {
    "a page": (200, b"<!doctype html>" + b"<p>Sign in to the network" * 1_000, "answered HTTP 200"),
    "ten megabytes": (200, b'{"access_token": "' + b"a" * LARGE + b'"}', "its answer has more than 256 KiB"),
    "deep brackets": (200, b"[" * 200_000, "answered HTTP 200"),
    "a number without end": (200, b'{"expires_in": ' + b"9" * 100_000 + b"}", "answered HTTP 200"),
    "no UTF-8": (500, b"\xff\xfe\x00", "answered HTTP 500"),
}


@pytest.mark.parametrize(("status", "body", "words"), ODD.values(), ids=ODD.keys())
def test_an_answer_that_is_none_is_a_passing_trouble(
    account: Account, status: int, body: bytes, words: str
) -> None:
    account.clock.forward(hours=2)
    account.server.raw = [(status, body)]
    with pytest.raises(SignInError, match=words) as told:
        account.process().current()
    assert not told.value.data["again"] and len(str(told.value)) < 300
    assert account.process().current()


@pytest.mark.parametrize("begun", TRICKLED.values(), ids=TRICKLED.keys())
def test_an_answer_that_does_not_end_is_cut_however_little_of_it_is_there(account: Account, begun: bytes) -> None:
    with trickling(begun) as url, pytest.raises(OSError, match="its answer did not end"):
        token_request(account.client, {"grant_type": "refresh_token"}, url=url, whole=0.6)


def test_a_new_secret_goes_into_no_file_that_somebody_laid_ready(account: Account, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.touch(mode=0o666)
    (account.folder / "sign_in" / "ada.new").symlink_to(theirs)
    loose = account.folder / "sign_in" / f"{account.state.entry}.new"
    loose.touch(mode=0o666)
    account.clock.forward(hours=2)
    account.process().current()
    assert theirs.read_text() == "" and loose.read_text() == ""
    (secret,) = (account.folder / "sign_in").glob("*.secret")
    assert secret.stat().st_mode & 0o077 == 0 and not account.sign_in.path.is_symlink()


def test_two_writers_of_one_private_file_leave_one_whole_text_and_nothing_beside_it(tmp_path: Path) -> None:
    texts, together = [letter * 100_000 for letter in "ab"], threading.Barrier(2)

    def write(text: str) -> None:
        for _ in range(20):
            together.wait(timeout=60)
            write_private(tmp_path / "key.json", text)

    with ThreadPoolExecutor(2) as writers:
        list(writers.map(write, texts))
    assert (tmp_path / "key.json").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["key.json"]


def test_what_lies_beside_a_private_file_stays_whatever_its_name(tmp_path: Path) -> None:
    beside = [tmp_path / name for name in ("settings.new", "settings.toml.new", "settings.bak", "settings.x.new")]
    for path in beside:
        path.write_text("mine")
    write_private(tmp_path / "settings.toml", "daily_cap = 20\n")
    assert [path.read_text() for path in beside] == ["mine"] * 4 and len(list(tmp_path.iterdir())) == 5


def test_only_the_client_of_the_settings_is_told_to_the_provider(account: Account) -> None:
    assert account.client.proof == {"client_id": CLIENT}
