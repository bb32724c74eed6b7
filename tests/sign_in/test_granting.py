"""A person's grant: by a device code that is asked about patiently, or in a browser that comes back here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MARK
from tests.world.authorization import CLIENT, DEVICE, USER, AuthorizationServer

from sequences_mcp.errors import SignInError
from sequences_mcp.sign_in.client import OAuthRegistration
from sequences_mcp.sign_in.granting import BrowserGrant, device_grant
from sequences_mcp.sign_in.tokens import TokenAnswer

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def client(server: AuthorizationServer, provider: str = "microsoft", client_id: str = CLIENT) -> OAuthRegistration:
    """Return a registration at the server."""
    return OAuthRegistration(provider=provider, client_id=client_id, authority=server.url)


class Waiting:
    """Time that passes by sleeping alone, and what happens meanwhile."""

    def __init__(self, then: Callable[[int], None] = lambda slept: None) -> None:
        self.now, self.slept, self.then = 0.0, list[float](), then

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.slept.append(seconds)
        self.then(len(self.slept))

    def for_grant(self, server: AuthorizationServer) -> TokenAnswer:
        """Ask for a code and wait for what becomes of it."""
        grant = device_grant(client(server))
        return grant.wait(monotonic=lambda: self.now, sleep=self.sleep, now=lambda: NOW)


def test_a_code_is_asked_about_until_the_person_has_agreed(authorization: AuthorizationServer) -> None:
    waiting = Waiting(lambda times: authorization.agree() if times == 3 else None)
    answer = waiting.for_grant(authorization)
    assert authorization.owner(answer.access_token) == USER and answer.refresh_token
    assert authorization.asked == [DEVICE] * 3 and waiting.slept == [1, 1, 1]
    assert MARK not in heard("an answer", repr(answer) + repr(device_grant(client(authorization))))


def test_whoever_is_told_to_slow_down_does(authorization: AuthorizationServer) -> None:
    authorization.script = [(400, {"error": "slow_down"}), (400, {"error": "slow_down"})]
    waiting = Waiting(lambda times: authorization.agree())
    waiting.for_grant(authorization)
    assert waiting.slept == [1, 6, 11]


def test_a_code_that_nobody_types_ends(authorization: AuthorizationServer) -> None:
    authorization.script = [(400, {"error": "slow_down"})] * 17  # each of them makes the waits longer
    with pytest.raises(SignInError, match="nobody agreed before the code ended"):
        Waiting().for_grant(authorization)


def test_a_service_that_fails_for_a_while_ends_no_code(authorization: AuthorizationServer) -> None:
    authorization.script = [(503, {}), (429, {"error": "temporarily_unavailable"})]
    waiting = Waiting(lambda times: authorization.agree())
    assert waiting.for_grant(authorization).refresh_token and waiting.slept == [1, 6, 11]


ENDS = {
    "declined": ({"error": "authorization_declined"}, "the sign-in was declined"),
    "denied": ({"error": "access_denied"}, "the sign-in was declined"),
    "expired": ({"error": "expired_token"}, "nobody agreed before the code ended"),
    "of another client": ({"error": "invalid_client"}, "the provider answered invalid_client"),
    "unreadable": ({}, "the provider answered HTTP 400"),
}


@pytest.mark.parametrize(("answer", "words"), ENDS.values(), ids=ENDS.keys())
def test_a_code_that_ends_is_said_plainly(
    authorization: AuthorizationServer, answer: dict[str, str], words: str
) -> None:
    authorization.script = [(400, dict(answer))]
    with pytest.raises(SignInError, match=words):
        Waiting().for_grant(authorization)


def test_a_grant_without_a_refresh_token_is_none(authorization: AuthorizationServer) -> None:
    authorization.script = [(200, {"access_token": f"access-{MARK}13z"})]
    with pytest.raises(SignInError, match="gave no refresh token") as told:
        Waiting().for_grant(authorization)
    assert MARK not in heard("an error", str(told.value))


def test_an_unknown_client_is_told_before_anybody_is_sent_anywhere(authorization: AuthorizationServer) -> None:
    with pytest.raises(SignInError, match="invalid_client AADSTS700016"):
        device_grant(client(authorization, client_id="other"))


def test_google_gives_no_access_to_e_mail_by_a_code(authorization: AuthorizationServer) -> None:
    with pytest.raises(SignInError, match="Use the browser"):
        device_grant(client(authorization, "google"))


@contextmanager
def in_browser(
    server: AuthorizationServer, provider: str = "google"
) -> Iterator[tuple[BrowserGrant, list[object]]]:
    """Wait for a browser in a thread; what comes of it is in the list once the block has ended."""
    results: list[object] = []
    with BrowserGrant(client(server, provider), username=USER) as grant:

        def wait() -> None:
            try:
                results.append(grant.wait(monotonic=time.monotonic, now=lambda: NOW))
            except SignInError as error:
                results.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        yield grant, results
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_browser_comes_back_with_a_code_that_is_exchanged(
    authorization: AuthorizationServer, provider: str
) -> None:
    with in_browser(authorization, provider) as (grant, results), urlopen(grant.page, timeout=60) as answer:
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    (answer,) = results
    assert isinstance(answer, TokenAnswer) and authorization.owner(answer.access_token) == USER
    asked = parse_qs(urlsplit(grant.page).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["login_hint"] == [USER]


def test_whoever_does_not_know_the_state_is_told_nothing_and_changes_nothing(
    authorization: AuthorizationServer,
) -> None:
    with in_browser(authorization) as (grant, results):
        asked = parse_qs(urlsplit(grant.page).query)
        (back,) = asked["redirect_uri"]
        for path in ("?code=x&state=wrong", "?code=x", "favicon.ico", "?error=access_denied&state="):
            with pytest.raises(HTTPError, match="404"):
                urlopen(back + path, timeout=60)
        assert results == [] and authorization.asked == []
        with urlopen(f"{back}?error=access_denied&state={asked['state'][0]}", timeout=60) as answer:
            assert b"The terminal says why" in answer.read()
    (error,) = results
    assert "the sign-in was declined" in str(error)


def test_a_connection_that_says_nothing_does_not_hold_up_the_answer_which_counts_once(
    authorization: AuthorizationServer,
) -> None:
    with in_browser(authorization) as (grant, results):
        (back,) = parse_qs(urlsplit(grant.page).query)["redirect_uri"]
        assert urlsplit(back).hostname == "127.0.0.1"
        with ExitStack() as silent:
            for _ in range(20):  # five seconds for each, one after the other, would be longer than the wait below
                silent.enter_context(socket.create_connection(("127.0.0.1", urlsplit(back).port or 0)))
            with urlopen(grant.page, timeout=60) as answer:
                again = answer.url
    (granted,) = results
    assert isinstance(granted, TokenAnswer)
    with pytest.raises(OSError, match=r"refused|404"):
        urlopen(again, timeout=60)


def test_a_code_that_was_made_for_another_verifier_is_refused(authorization: AuthorizationServer) -> None:
    with in_browser(authorization) as (grant, results):
        asked = {name: values[0] for name, values in parse_qs(urlsplit(grant.page).query).items()}
        with urlopen(authorization.page({**asked, "code_challenge": "other"}), timeout=60):
            pass
    (error,) = results
    assert "invalid_grant" in str(error)


def test_nobody_waits_for_a_browser_for_ever(authorization: AuthorizationServer) -> None:
    passing = iter((0.0, 601.0))
    with (
        BrowserGrant(client(authorization, "google"), username=USER) as grant,
        pytest.raises(SignInError, match="nobody agreed in the browser in time"),
    ):
        grant.wait(monotonic=lambda: next(passing), now=lambda: NOW)
