"""A review page for each tenant: its people sign in there and approve, and nobody else's can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.hosting.test_one_click import BODY, listed
from tests.hosting.test_page_sign_in import approve, csrf_of
from tests.hosting.test_page_sign_in import certificate as certificate
from tests.hosting.test_page_sign_in import provider as provider
from tests.hosting.test_tenants_work import Seconds, until, workers
from tests.world.page import Answer
from tests.world.signing_in import Certificate, OpenIdProvider, Tab
from tests.world.stores import shell
from tests.world.tenant_pages import NAMES, Pages, PagesWorld, pages_of, two_tenants
from tests.world.tenants import ACME, HOPPER

from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.errors import SettingsError
from sequences_mcp.review.page.app import _routes
from sequences_mcp.serve_sites import require_one_issuer
from sequences_mcp.server.http.access import SCOPES
from sequences_mcp.server.http.tenancy import LOOKS

ADA = "reviewer:user-ada (Ada Lovelace)"
SIGN_IN, SESSION, DEPARTURE = (f"__Host-sequences_{name}" for name in ("sign_in", "review", "departure"))


@pytest.fixture
def world(tmp_path: Path, provider: OpenIdProvider) -> PagesWorld:
    """Two tenants, each with a page of its own; Ada approves at one, Eve at the other, Root at both."""
    provider.groups |= {"root": ["runs-it", "hopper-approves"], "eve": ["hopper-approves"]}
    return two_tenants(tmp_path, provider.url)


@pytest.fixture
def pages(world: PagesWorld, certificate: Certificate, provider: OpenIdProvider) -> Iterator[Pages]:
    """Serve them."""
    with pages_of(world, certificate, provider) as pages:
        yield pages


def test_an_approver_of_a_tenant_approves_at_its_page_what_a_members_program_started(pages: Pages) -> None:
    started = pages.started(ACME)
    told = re.search(rf"https://{re.escape(NAMES[ACME])}:\d+(/plans/[\w:]+)", str(started))
    assert told is not None, started
    acme = pages.world.data_folder(ACME)
    plan = acme.present(started["plan_id"])
    assert told[1] == f"/plans/{plan.id}"
    ada = pages.tab(ACME, "ada")
    assert approve(ada, plan) == 303
    assert acme.present(plan.id).status is PlanStatus.APPROVED
    assert acme.rows("SELECT subject, digest, actor FROM approval") == [(plan.id, plan.digest, ADA)]
    assert acme.rows("SELECT actor, subject FROM audit WHERE action = 'sign_in.begun'") == [(ADA, "user-ada")]
    assert pages.world.data_folder(HOPPER).rows("SELECT * FROM audit") == []


# Every route of the page, with a path that it has.
ROUTES = sorted(
    (method, re.sub(r"\{\w+\}", "local:x", route.path))
    for route in _routes(has_sign_in=True)
    for method in (route.methods or set()) - {"HEAD"}
)


def told(answer: Answer) -> tuple[int, str, list[tuple[str, str]]]:
    """Return all of an answer but what is new each time."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "set-cookie")}
    if "location" in headers:  # to the provider, with a state of its own
        headers["location"] = re.sub(r"(state|nonce|code_challenge)=[^&]+", r"\1=", headers["location"])
    return answer.status, answer.text, sorted(headers.items())


def sent(tab: Tab, method: str, path: str, *, csrf: str = "", bearer: str = "") -> Answer:
    """Send a request of a route, as the browser does that has a session."""
    body = urlencode({"csrf": csrf, "passphrase": "x", "digest": "0" * 64}) if method == "POST" else ""
    return tab.send(method, path, body=body, headers={"Authorization": f"Bearer {bearer}" if bearer else None})


def test_a_session_of_one_tenant_is_nothing_at_the_page_of_another_whatever_is_asked_for(pages: Pages) -> None:
    ada, root = pages.tab(ACME, "ada"), pages.tab(ACME, "root")
    csrf = csrf_of(ada.get("/"), "/sign-out")
    ada.goes()
    held = [
        dict(ada.cookies),
        dict(root.cookies),
        {SIGN_IN: ada.cookies[SESSION], SESSION: ada.cookies[SIGN_IN], DEPARTURE: ada.cookies[SIGN_IN]},
    ]
    assert len(ROUTES) > 50
    for method, path in ROUTES:
        nobody = told(sent(pages.tab(HOPPER), method, path))
        assert nobody[0] in (303, 401, 403, 404, 415, 200), (method, path)
        for cookies in held:
            there = pages.tab(HOPPER)
            there.cookies = dict(cookies)
            assert told(sent(there, method, path, csrf=csrf)) == nobody, (method, path)
        with_token = sent(pages.tab(HOPPER), method, path, bearer=pages.token(HOPPER, sub="user-eve"))
        assert told(with_token) == nobody, (method, path)
    assert ada.get("/").status == 200
    assert pages.world.data_folder(HOPPER).rows("SELECT * FROM audit") == []


def test_whoever_approves_for_one_tenant_has_no_role_at_another(pages: Pages) -> None:
    there = pages.tab(HOPPER)
    answer = there.signs_in("ada")
    assert answer.status == 403 and "Nobody has given you a role here" in answer.text and there.cookies == {}
    assert pages.world.data_folder(HOPPER).rows("SELECT * FROM audit") == []  # nor is it opened to note that
    assert pages.tab(HOPPER, "eve").get("/").status == 200


def test_a_sign_in_that_began_at_one_tenant_does_not_end_at_another(pages: Pages) -> None:
    here, there = pages.tab(ACME), pages.tab(HOPPER)
    back = here.comes_back(here.goes(), who="root")
    there.cookies = dict(here.cookies)
    assert there.get(back).status == 403
    own = there.goes()
    there.cookies = {**here.cookies, **there.cookies}
    assert there.get(back).status == 403  # the state is the other tenant's
    code = re.search(r"code=([^&]+)", back)
    assert code is not None
    mixed = re.sub(r"code=[^&]+", f"code={code[1]}", there.comes_back(own, who="root"))
    assert there.get(mixed).status == 403  # the code is
    assert there.get("/").status == 401 and here.signs_in("root").status == 303


def test_nothing_is_approved_with_what_another_tenants_people_and_programs_hold(pages: Pages) -> None:
    hopper = pages.world.data_folder(HOPPER)
    plan = hopper.present(pages.started(HOPPER)["plan_id"])
    path = f"/plans/{plan.id}/approve"
    ada, root, eve = pages.tab(ACME, "ada"), pages.tab(ACME, "root"), pages.tab(HOPPER, "eve")
    right = csrf_of(eve.reads(plan.id), "/approve")
    forms = [right, csrf_of(ada.get("/"), "/sign-out"), csrf_of(root.get("/"), "/sign-out"), ""]
    sets = [" ".join(chosen) for size in range(4) for chosen in combinations(SCOPES, size)]
    tokens = [
        pages.token(tenant, scope=f"{scope} sequences:approve", sub=f"user-{who}", groups=["hopper-approves"])
        for tenant in (ACME, HOPPER)
        for scope in sets
        for who in ("ada", "eve")
    ]
    cookies = [
        {SIGN_IN: one.cookies[SIGN_IN], SESSION: other.cookies[SESSION]}
        for one in (ada, root, eve)
        for other in (ada, root, eve)
        if (one, other) != (eve, eve)
    ]
    attempts = 0
    for held in [*cookies, *({SIGN_IN: token, SESSION: token} for token in tokens[::4]), {}]:
        for csrf in forms:
            for bearer in ("", tokens[-1]):
                thief = pages.tab(HOPPER)
                thief.cookies = dict(held)
                body = urlencode({"digest": plan.digest, "pauses": "", "csrf": csrf, "key": ""})
                header = {"Authorization": f"Bearer {bearer}" if bearer else None}
                assert thief.send("POST", path, body=body, headers=header).status in (401, 403)
                attempts += 1
    decided = {"plan_id": plan.id, "digest": plan.digest, "decision": "approve", "proof": "x"}
    for token in tokens:
        answer = replace(pages.served, path=f"/t/{HOPPER}/mcp").tool("decide_plan", token=token, **decided)
        assert answer.status in (401, 403) or answer.facts["result"]["isError"]
        attempts += 1
    for own in (ada, root):  # at their own page, where there is no such plan
        body = urlencode({"digest": plan.digest, "csrf": csrf_of(own.get("/"), "/sign-out")})
        assert own.send("POST", path, body=body).status in (403, 404)
    assert attempts > 100
    assert hopper.rows("SELECT * FROM approval") == []
    assert hopper.present(plan.id).status is PlanStatus.WAITING
    assert approve(eve, plan) == 303
    assert hopper.rows("SELECT actor FROM approval") == [("reviewer:user-eve (Eve Lovelace)",)]


def test_who_signed_in_and_what_they_read_outlasts_the_closing_and_nobody_else_opens_anything(
    world: PagesWorld, certificate: Certificate, provider: OpenIdProvider
) -> None:
    acme, seconds = world.data_folder(ACME), Seconds()
    plan = acme.plan(people=1)
    with pages_of(
        world, certificate, provider, elapsed=seconds, options=replace(certificate.options, tenant_idle=10.0)
    ) as pages:

        def closes() -> None:
            seconds.now += LOOKS + 10
            until(lambda: workers(acme) == 0)

        until(lambda: workers(acme))
        closes()
        stranger = pages.tab(ACME)
        stranger.cookies = {SIGN_IN: "x" * 43, SESSION: "y" * 43}
        for method, path in ROUTES:
            sent(stranger, method, path)
        assert workers(acme) == 0
        ada = pages.tab(ACME, "ada")
        ada.reads(plan.id)
        form = csrf_of(ada.get(f"/plans/{plan.id}"), "/approve")
        until(lambda: workers(acme))
        closes()
        answer = ada.post(f"/plans/{plan.id}/approve", digest=plan.digest, csrf=form)
        assert answer.status == 303, answer.text
        until(lambda: workers(acme))
    assert acme.rows("SELECT actor FROM approval") == [(ADA,)]


def test_whoever_is_taken_off_the_list_of_members_is_out_at_the_next_request(pages: Pages) -> None:
    file = pages.world.folder / ACME / "settings.toml"
    written = file.read_text()
    file.write_text(f'members = ["user-ada", "user-bob"]\n{written}')
    ada = pages.tab(ACME, "ada")
    assert ada.get("/").status == 200
    file.write_text(f'members = ["user-bob"]\n{written}')
    assert ada.get("/").status == 401
    assert pages.tab(ACME).signs_in("ada").status == 403
    assert pages.tab(ACME, "bob").get("/").status == 200
    file.write_text(f'members = ["user-bob", "user-ada"]\n{written}')
    assert ada.get("/").status == 200


def test_other_roles_sign_everybody_out_and_other_settings_nobody(pages: Pages) -> None:
    file = pages.world.folder / ACME / "settings.toml"
    ada = pages.tab(ACME, "ada")
    file.write_text(file.read_text().replace("spacing = 0", "spacing = 1"))
    assert ada.get("/").status == 200
    file.write_text(file.read_text().replace("can-approve=approver", "can-approve=member"))
    assert ada.get("/").status == 401
    again = pages.tab(ACME, "ada")
    assert "Ada Lovelace, member" in again.get("/").text


def test_a_name_that_two_tenants_claim_or_the_server_has_is_nobodys(pages: Pages) -> None:
    file = pages.world.folder / HOPPER / "settings.toml"
    assert pages.tab(ACME).get("/").status == 401
    file.write_text(file.read_text().replace(NAMES[HOPPER], NAMES[ACME]))
    assert pages.tab(HOPPER).get("/").status == 421
    assert pages.tab(ACME).get("/").status == 421
    file.write_text(file.read_text().replace(NAMES[ACME], "localhost"))
    server = pages.tab(HOPPER)
    server.name = "localhost"
    assert server.get("/sign-in").status == 404


def test_a_tenant_that_cannot_be_opened_says_so_to_its_people_and_not_why(pages: Pages) -> None:
    ada, root = pages.tab(ACME), pages.tab(HOPPER, "root")
    file = pages.world.folder / ACME / "settings.toml"
    back = ada.comes_back(ada.goes(), who="ada")
    file.write_text(file.read_text().replace("spacing = 0", "spacing = 'soon'"))
    answer = ada.get(back)
    assert answer.status == 503 and "cannot be opened now" in answer.text, answer.text
    assert str(pages.world.root) not in answer.text and "soon" not in answer.text
    assert root.get("/").status == 200


def test_two_people_approve_for_a_tenant_at_its_page(
    tmp_path: Path, certificate: Certificate, provider: OpenIdProvider
) -> None:
    with pages_of(two_tenants(tmp_path, provider.url, "approvers = 2"), certificate, provider) as pages:
        acme = pages.world.data_folder(ACME)
        plan = acme.present(pages.started(ACME)["plan_id"])
        assert approve(pages.tab(ACME, "ada"), plan) == 303
        assert acme.present(plan.id).status is PlanStatus.WAITING
        assert approve(pages.tab(ACME, "ada"), plan) != 303
        assert acme.present(plan.id).status is PlanStatus.WAITING
        assert approve(pages.tab(ACME, "root"), plan) == 303
        assert acme.present(plan.id).status is PlanStatus.APPROVED


def test_two_people_are_not_looked_for_where_nobody_can_tell_them_from_who_planned(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    world = two_tenants(tmp_path, "https://login.example.com", "approvers = 2")
    with pytest.raises(SettingsError, match="one issuer"):
        require_one_issuer(world.settings(provider), world.folders.settings(ACME))


def test_of_two_servers_each_knows_its_own_people_and_one_yes_is_kept(
    world: PagesWorld, certificate: Certificate, provider: OpenIdProvider
) -> None:
    acme = world.data_folder(ACME)
    plan = acme.plan(people=1)
    with (
        pages_of(world, certificate, provider) as first,
        pages_of(world, certificate, provider, port=0) as second,
    ):
        ada, root = first.tab(ACME, "ada"), second.tab(ACME, "root")
        elsewhere = second.tab(ACME)
        elsewhere.cookies = dict(ada.cookies)
        assert elsewhere.get("/").status == 401
        for tab in (ada, root):
            tab.reads(plan.id)
        forms = [csrf_of(tab.get(f"/plans/{plan.id}"), "/approve") for tab in (ada, root)]
        for tab, csrf in zip((ada, root), forms, strict=True):
            tab.post(f"/plans/{plan.id}/approve", digest=plan.digest, csrf=csrf)
        assert "Approved by reviewer:user-ada" in root.get(f"/plans/{plan.id}").text
    assert acme.rows("SELECT actor FROM approval") == [(ADA,)]


def test_a_person_opts_out_of_the_tenant_who_wrote_and_of_no_other(
    world: PagesWorld, certificate: Certificate, provider: OpenIdProvider
) -> None:
    hosts = {ACME: "mail.acme.example", HOPPER: "mail.hopper.example"}
    for name, host in hosts.items():
        world.lines = [f'opt_out_url = "https://{host}"']
        world.with_page(name)
    acme, hopper = (world.data_folder(name) for name in hosts)
    with pages_of(world, certificate, provider) as pages:
        plan = acme.present(pages.started(ACME)["plan_id"])
        assert approve(pages.tab(ACME, "ada"), plan) == 303
        until(lambda: acme.mails)
        found = re.search(rf"<https://{re.escape(hosts[ACME])}(/u/[\w-]+)>", acme.mails[0])
        assert found is not None, acme.mails

        def post(host: str) -> int:
            form = "application/x-www-form-urlencoded"
            return pages.served.ask("POST", found[1], token="", body=BODY, Host=host, Content_Type=form).status

        with shell(hopper.folder) as database:  # both began as copies of one database
            database.execute("UPDATE secret SET value = randomblob(32)")
        assert post(hosts[HOPPER]) == 200  # as for any token that is none
        assert listed(acme) == [] and listed(hopper) == []
        assert post(NAMES[ACME]) == 421 and post("localhost") == 421
        assert post(hosts[ACME]) == 200
        assert [value for value, _ in listed(acme)] == ["grace@hopper.example"] and listed(hopper) == []
