"""The review page under its own name: people sign in at a provider, and do there what their role lets them do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.world.issuer import rsa_key
from tests.world.page import PASSPHRASE, Answer, PageWorld
from tests.world.signing_in import (
    CLIENT_ID,
    Certificate,
    OpenIdProvider,
    Tab,
    certificate_in,
    page_under_its_name,
    providing,
)

from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.review.page import roles
from sequences_mcp.review.page.app import _routes
from sequences_mcp.server.http.oidc import access_hash

ADA = "reviewer:user-ada (Ada Lovelace)"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Return a certificate for the server under both of its names."""
    return certificate_in(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    """Yield a provider at which people sign in."""
    with providing() as provider:
        yield provider


@pytest.fixture
def tab(world: PageWorld, certificate: Certificate, provider: OpenIdProvider) -> Iterator[Tab]:
    """Yield a browser at the page, in which nobody has signed in."""
    with page_under_its_name(world, certificate, provider) as tab:
        yield tab


def another(tab: Tab) -> Tab:
    """Return a browser that has not been there."""
    return Tab(tab.served, tab.provider, tab.tls)


def approve(tab: Tab, plan: Plan, *, who: str = "", **fields: str) -> int:
    """Read a plan and press the button; return the status of the answer."""
    tab.reads(plan.id, who=who)
    return tab.post(
        f"/plans/{plan.id}/approve", **{"digest": plan.digest, "pauses": _pauses(tab, plan), **fields}
    ).status


def _pauses(tab: Tab, plan: Plan) -> str:
    found = re.search(r'name="pauses" value="([^"]*)"', tab.get(f"/plans/{plan.id}").text)
    return found[1] if found else ""


def csrf_of(shown: Answer, action: str) -> str:
    """Return the token of the first form of a screen whose action ends so."""
    found = re.search(rf'{action}"[^>]*>\s*<input type="hidden" name="csrf" value="([^"]+)"', shown.text)
    assert found is not None, shown.text
    return found[1]


def test_an_approver_who_signed_in_approves_and_the_record_names_them(world: PageWorld, tab: Tab) -> None:
    plan = world.plan(people=1)
    assert tab.get(f"/plans/{plan.id}").status == 401
    assert tab.signs_in("ada", f"/plans/{plan.id}").headers["location"] == f"/plans/{plan.id}"
    assert "Ada Lovelace, approver" in tab.get("/").text
    assert approve(tab, plan) == 303
    assert world.present(plan.id).status is PlanStatus.APPROVED
    assert world.rows("SELECT subject, digest, actor FROM approval") == [(plan.id, plan.digest, ADA)]
    assert world.rows("SELECT actor FROM audit WHERE action = 'plan.approved'") == [(ADA,)]
    assert f"Approved by {ADA}" in tab.get(f"/plans/{plan.id}").text
    assert len(world.mails_after_work()) == 1
    assert world.rows("SELECT actor, subject FROM audit WHERE action = 'sign_in.begun'") == [(ADA, "user-ada")]


def test_a_member_looks_and_holds_back_and_approves_nothing(world: PageWorld, tab: Tab) -> None:
    plan, other = world.plan(people=1), world.plan(people=1, first=1)
    tab.signs_in("bob")
    shown = tab.reads(plan.id)
    assert shown.status == 200 and "An approver decides about this" in shown.text
    assert f'action="/plans/{plan.id}/approve"' not in shown.text
    assert approve(tab, plan) == 403
    assert tab.post(f"/plans/{other.id}/refuse").status == 303
    assert [world.present(one.id).status for one in (plan, other)] == [PlanStatus.WAITING, PlanStatus.REFUSED]
    assert world.rows("SELECT actor FROM audit WHERE action = 'plan.refused'") == [
        ("reviewer:user-bob (Bob Lovelace)",)
    ]
    assert world.rows("SELECT * FROM approval") == []


@pytest.mark.parametrize("path", sorted(roles.APPROVERS))
def test_what_lets_anything_leave_is_refused_to_a_member(path: str, member: Tab) -> None:
    answer = member.post(re.sub(r"\{\w+\}", "local:x", path))
    assert (answer.status, "is no approver here" in answer.text) == (403, True)


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Tab]:
    """Yield the browser of a member, for tests that change nothing."""
    world = PageWorld(tmp_path_factory.mktemp("member") / "data")
    with providing() as provider, page_under_its_name(world, certificate, provider) as tab:
        tab.signs_in("bob")
        yield tab


def test_every_form_of_the_page_says_which_role_it_needs() -> None:
    listed = {route.path for route in _routes(has_sign_in=True) if "POST" in (route.methods or ())}
    known = roles.HOLD_BACK | roles.MEMBERS | roles.APPROVERS
    assert listed == known
    assert not roles.HOLD_BACK & roles.APPROVERS and not roles.MEMBERS & roles.APPROVERS


def test_whoever_has_no_role_sees_nothing(world: PageWorld, tab: Tab) -> None:
    plan = world.plan(people=1)
    answer = tab.signs_in("stranger")
    assert answer.status == 403 and "Nobody has given you a role here" in answer.text
    assert tab.cookies == {}
    assert tab.get(f"/plans/{plan.id}").status == 401 and "Hopper" not in tab.get(f"/plans/{plan.id}").text


OTHER = rsa_key("another")
TOKENS: dict[str, dict[str, Any]] = {
    "another sign-in's nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "another client": {"claims": {"aud": "another"}},
    "several clients and no party": {"claims": {"aud": [CLIENT_ID, "another"]}},
    "another party": {"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}},
    "another issuer": {"claims": {"iss": "https://login.example.com"}},
    "it is over": {"claims": {"exp": 1_700_000_000}},
    "it is not yet": {"claims": {"iat": 4_000_000_000}},
    "no time": {"claims": {"exp": None}},
    "nobody": {"claims": {"sub": None}},
    "a number": {"claims": {"sub": 7}},
    "a subject like two": {"claims": {"sub": "user-ada (Eve)"}},
    "another access token": {"claims": {"at_hash": access_hash("another", "RS256")}},
    "an access token's kind": {"head": {"typ": "at+jwt"}},
    "a critical extension": {"head": {"crit": ["x"], "x": 1}},
    "another key": {"key": OTHER},
    "a key nobody knows": {"head": {"kid": "second"}},
    "no key": {"head": {"kid": None}},
    "not signed": {"alg": "none", "key": ""},
    "a shared secret": {"alg": "HS256", "key": "x" * 64},
}


@pytest.mark.parametrize("bad", TOKENS.values(), ids=TOKENS.keys())
def test_an_id_token_that_does_not_hold_lets_nobody_in(bad: dict[str, Any], stranger: Tab) -> None:
    tab = another(stranger)
    for name, value in bad.items():
        setattr(tab.provider, name, value)
    try:
        answer = tab.signs_in("ada")
    finally:
        fresh = OpenIdProvider()
        for name in bad:
            setattr(tab.provider, name, getattr(fresh, name))
    assert answer.status == 403 and tab.cookies == {}
    assert tab.get("/").status == 401
    assert another(tab).signs_in("ada").status == 303


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Tab]:
    """Yield a browser at a page of this module, for tests in which nobody does anything there."""
    world = PageWorld(tmp_path_factory.mktemp("stranger") / "data")
    with providing() as provider, page_under_its_name(world, certificate, provider) as tab:
        yield tab


def test_an_answer_counts_once_and_in_the_browser_that_was_sent_alone(stranger: Tab) -> None:
    tab = another(stranger)
    back = tab.comes_back(tab.goes(), who="ada")
    elsewhere = another(tab)
    assert elsewhere.get(back).status == 403  # somebody was led to sign in as somebody else
    elsewhere.goes()
    assert elsewhere.get(back).status == 403  # with a sign-in of their own under way
    tampered = back.replace("state=", "state=x")
    assert tab.get(tampered).status == 403
    assert tab.get(f"{back}&state=x").status == 403
    departure = dict(tab.cookies)
    assert tab.get(back).status == 303
    again = another(tab)
    again.cookies = departure
    assert again.get(back).status == 403
    assert elsewhere.get("/").status == 401 and again.get("/").status == 401


def test_another_providers_answer_and_its_errors_let_nobody_in(stranger: Tab) -> None:
    for given in ({"iss": "https://evil.example"}, {"iss": ""}, {"error": "access_denied"}, {"code": ""}):
        tab = another(stranger)
        tab.provider.answer = given
        try:
            assert tab.signs_in("ada").status == 403 and tab.cookies == {}
        finally:
            tab.provider.answer = {}


def test_a_code_of_another_sign_in_is_not_taken(stranger: Tab) -> None:
    ada, eve = another(stranger), another(stranger)
    code = re.search(r"code=([^&]+)", ada.comes_back(ada.goes(), who="ada"))
    back = eve.comes_back(eve.goes(), who="bob")
    assert code is not None
    assert eve.get(re.sub(r"code=[^&]+", f"code={code[1]}", back)).status == 403  # PKCE: another verifier


def test_no_cookie_from_before_a_sign_in_is_any_good_after_it(stranger: Tab) -> None:
    tab = another(stranger)
    planted = {"__Host-sequences_sign_in": "x" * 43, "__Host-sequences_review": "y" * 43}
    tab.cookies = dict(planted)
    tab.signs_in("ada")
    assert tab.get("/").status == 200
    assert not set(planted.values()) & set(tab.cookies.values())
    first = dict(tab.cookies)
    tab.signs_in("ada")
    held = another(tab)
    held.cookies = first
    assert held.get("/").status == 401


def test_a_session_of_one_person_is_none_of_another_who_signs_in(stranger: Tab) -> None:
    tab = another(stranger)
    tab.signs_in("bob")
    before = tab.cookies["__Host-sequences_review"]
    tab.signs_in("ada")
    is_other = tab.cookies["__Host-sequences_review"] != before  # not compared in the assert, which would tell it
    assert is_other
    mixed = another(tab)
    mixed.cookies = {**tab.cookies, "__Host-sequences_review": before}
    assert mixed.get("/", Sec_Fetch_Mode="cors").status == 401


def test_its_cookies_and_headers_are_as_strict_as_a_browser_knows(stranger: Tab) -> None:
    tab = another(stranger)
    tab.signs_in("ada")
    for line in tab.set_cookies:
        assert line.startswith("__Host-")
        assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(line.split("; ")), line
    headers = tab.get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["cache-control"] == "no-store"
    assert tab.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="iframe").status == 403
    assert tab.send("POST", "/pause-all", headers={"Origin": "https://evil.example"}).status == 403


def test_each_host_name_answers_with_its_own(stranger: Tab) -> None:
    tab = another(stranger)
    assert stranger.served.ask("GET", "/sign-in", token="").status == 404
    assert stranger.served.ask("GET", "/plans/x", token="").status == 404
    for host in ("localhost", "evil.example", f"{tab.authority}.evil.example"):
        assert tab.get("/", Host=f"{host}:{tab.served.port}", Sec_Fetch_Site=None).status in (404, 421)
    assert tab.send("POST", "/mcp", body="{}").status in (404, 401)


def test_the_lock_of_the_page_stays_a_second_one(world: PageWorld, tab: Tab) -> None:
    world.lock_up()
    plan = world.plan(people=1)
    assert tab.send("POST", "/unlock", body=f"passphrase={PASSPHRASE}").status == 401  # nobody signed in
    tab.signs_in("ada")
    assert tab.get(f"/plans/{plan.id}").status == 401 and "Passphrase" in tab.get("/").text
    assert tab.send("POST", "/unlock", body="passphrase=wrong").status == 403
    unlocked = tab.send("POST", "/unlock", body=f"passphrase={PASSPHRASE}", headers={"Accept": "application/json"})
    key = json.loads(unlocked.text)["key"]
    assert approve(tab, plan, key="guess") == 403
    assert approve(tab, plan, key=key) == 303
    assert world.rows("SELECT actor FROM approval") == [(ADA,)]


def test_a_role_that_was_taken_away_counts_within_ten_minutes(world: PageWorld, tab: Tab) -> None:
    plan, other = world.plan(people=1), world.plan(people=1, first=1)
    tab.signs_in("ada")
    tab.reads(plan.id)
    tab.provider.groups["ada"] = ["can-look"]
    world.clock.forward(minutes=5)
    assert approve(tab, plan, who="ada") == 403  # a screen was opened, so the provider was asked
    assert tab.provider.asked[-1]["prompt"] == "none"
    tab.provider.groups["ada"] = ["can-approve"]
    tab.signs_in("ada")
    csrf = csrf_of(tab.reads(other.id), "/refuse")
    tab.provider.groups["ada"] = []
    world.clock.forward(minutes=10)
    late = tab.post(f"/plans/{other.id}/approve", digest=other.digest, csrf=csrf)
    assert late.status == 401 and "looked at too long ago" in late.text
    assert tab.follows("/", who="ada").status == 403
    assert world.rows("SELECT * FROM approval") == []


def test_a_person_who_is_gone_at_the_provider_is_signed_out_and_could_still_hold_back(
    world: PageWorld, tab: Tab
) -> None:
    plan = world.plan(people=1)
    tab.signs_in("ada")
    csrf = csrf_of(tab.get(f"/plans/{plan.id}"), "/refuse")
    tab.provider.away.add("ada")
    world.clock.forward(minutes=11)
    assert tab.post(f"/plans/{plan.id}/refuse", csrf=csrf).status == 303
    assert world.present(plan.id).status is PlanStatus.REFUSED
    assert tab.follows("/", who="ada").status == 403
    assert tab.cookies == {} and tab.get("/").status == 401


def test_a_sign_in_ends_after_an_hour_without_use_and_after_twelve_in_all(world: PageWorld, tab: Tab) -> None:
    tab.signs_in("ada")
    world.clock.forward(minutes=60)
    assert tab.get("/").status == 401
    tab.signs_in("ada")
    for _ in range(14):
        world.clock.forward(minutes=50)
        assert tab.follows("/", who="ada").status == 200
    world.clock.forward(minutes=20)
    assert tab.get("/").status == 401


def test_whoever_signs_out_is_out(world: PageWorld, tab: Tab) -> None:
    tab.signs_in("ada")
    held = dict(tab.cookies)
    assert tab.send("POST", "/sign-out", body="csrf=x").status == 403
    assert tab.get("/").status == 200
    csrf = csrf_of(tab.get("/"), "/sign-out")
    assert tab.send("POST", "/sign-out", body=f"csrf={csrf}").status == 303
    again = another(tab)
    again.cookies = held
    assert tab.cookies == {} and again.get("/").status == 401


def test_a_provider_that_is_down_lets_nobody_in_and_says_so(tab: Tab) -> None:
    tab.provider.metadata = {"issuer": "https://another.example"}
    answer = tab.get("/sign-in?next=/")
    assert answer.status == 503 and "cannot be reached" in answer.text
