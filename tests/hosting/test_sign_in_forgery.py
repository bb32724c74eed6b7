"""Whatever anybody holds who is no approver at the page, nothing is approved with it: tokens, cookies, forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from urllib.parse import urlencode

import pytest
from tests.hosting.test_page_sign_in import another, approve, csrf_of
from tests.hosting.test_page_sign_in import certificate as certificate
from tests.hosting.test_page_sign_in import provider as provider
from tests.world.issuer import PUBLIC, RESOURCE, Issuer, issuing
from tests.world.page import PageWorld
from tests.world.signing_in import Certificate, OpenIdProvider, Tab, page_under_its_name

from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.server.http.access import SCOPES
from sequences_mcp.server.http.issuer import SignedTokenCheck

SIGN_IN, SESSION = "__Host-sequences_sign_in", "__Host-sequences_review"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Yield the issuer of access tokens."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def tab(world: PageWorld, certificate: Certificate, provider: OpenIdProvider, issuer: Issuer) -> Iterator[Tab]:
    """Yield a browser at the page, beside an endpoint for programs whose users have tokens."""
    keys = issuer.keys_for()
    verify = SignedTokenCheck(keys, RESOURCE).verify
    options = replace(certificate.options, public_url=PUBLIC)
    with page_under_its_name(world, certificate, provider, verify=verify, keys=keys, options=options) as tab:
        yield tab


def form_of(plan: Plan, csrf: str) -> str:
    """Return the form that approves a plan."""
    return urlencode({"digest": plan.digest, "pauses": "", "csrf": csrf, "key": ""})


def test_nothing_is_approved_over_the_whole_matrix_and_then_an_approver_does(
    world: PageWorld, tab: Tab, issuer: Issuer
) -> None:
    plan = world.plan(people=1)
    path = f"/plans/{plan.id}/approve"
    ada, bob = another(tab), another(tab)
    ada.signs_in("ada")
    bob.signs_in("bob")
    tokens = _tokens(issuer)
    _with_tokens(tab, plan, tokens)
    cookies = [{SIGN_IN: token, SESSION: token} for token in tokens] + [
        {SIGN_IN: bob.cookies[SIGN_IN], SESSION: bob.cookies[SESSION]},
        {SIGN_IN: bob.cookies[SIGN_IN], SESSION: ada.cookies[SESSION]},
        {SIGN_IN: ada.cookies[SIGN_IN], SESSION: bob.cookies[SESSION]},
        {SIGN_IN: ada.cookies[SESSION], SESSION: ada.cookies[SIGN_IN]},
        {SIGN_IN: ada.cookies[SIGN_IN]},
        {SESSION: ada.cookies[SESSION]},
        {"sequences_sign_in": ada.cookies[SIGN_IN], "sequences_review": ada.cookies[SESSION]},
        {},
    ]
    right = csrf_of(ada.reads(plan.id), "/approve")
    of_bob = csrf_of(bob.reads(plan.id), "/refuse")
    for held in cookies:
        for csrf in (right, of_bob, "", "x"):
            thief = another(tab)
            thief.cookies = dict(held)
            for bearer in (None, f"Bearer {tokens[-1]}"):
                answer = thief.send("POST", path, body=form_of(plan, csrf), headers={"Authorization": bearer})
                assert answer.status in (401, 403), answer.text
    for csrf in (of_bob, "", "x", ada.cookies[SESSION]):
        assert ada.send("POST", path, body=form_of(plan, csrf)).status == 403
    _from_elsewhere(ada, path, form_of(plan, right))
    assert world.rows("SELECT * FROM approval") == []
    assert world.present(plan.id).status is PlanStatus.WAITING
    assert approve(ada, plan) == 303
    assert world.rows("SELECT actor FROM approval") == [("reviewer:user-ada (Ada Lovelace)",)]


def _tokens(issuer: Issuer) -> list[str]:
    """Return a valid access token for each set of scopes, and one that names the approver and a role."""
    sets = [" ".join(chosen) for size in range(4) for chosen in combinations(SCOPES, size)]
    wide = " ".join((*SCOPES, "sequences:approve", "approver", "admin"))
    return [
        *(issuer.token(scope=scope) for scope in sets),
        issuer.token(scope=wide, sub="user-ada", groups=["can-approve"]),
    ]


def _with_tokens(tab: Tab, plan: Plan, tokens: list[str]) -> None:
    """Try to approve with each token, at the endpoint of programs and at the page."""
    decided = {"plan_id": plan.id, "digest": plan.digest, "decision": "approve", "proof": "x"}
    for token in tokens:
        answer = tab.served.tool("decide_plan", token=token, **decided)
        assert answer.status == 403 or answer.facts["result"]["isError"], answer.text
        page = tab.send("GET", f"/plans/{plan.id}", headers={"Authorization": f"Bearer {token}"})
        assert page.status == 401
    code = tab.comes_back(tab.goes(), who="ada").partition("code=")[2]
    tab.cookies.clear()
    asked = {**tab.provider.asked[-1], "who": "ada"}
    for token in (tab.provider.id_token(asked), code, "x"):
        assert tab.served.tool("decide_plan", token=token, **decided).status == 401


def _from_elsewhere(ada: Tab, path: str, body: str) -> None:
    """Send the approver's own form, with all they have, as another site's page would."""
    port = ada.served.port
    for headers in (
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": f"https://localhost:{port}", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": None, "Sec-Fetch-Site": None},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Host": f"localhost:{port}"},
        {"Host": "mcp.example.com"},
        {"Host": "evil.example"},
    ):
        assert ada.send("POST", path, body=body, headers=headers).status in (401, 403, 404, 405, 415, 421)
