"""Who may knock: other hosts, other sites, forged forms and strangers see nothing and change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from tests.world.page import PASSPHRASE, PageWorld, Visitor

from sequences_mcp.domain.plan import Plan, PlanStatus

HOSTS = (
    "evil.example",
    "localhost",
    "localhost:1",
    "127.0.0.1:{port}",
    "[::1]:{port}",
    "localhost:{port}.evil.example",
    "localhost.evil.example:{port}",
    "evil.example:{port}",
    "LOCALHOST:{port}",
    "",
)
ORIGINS = (None, "http://evil.example", "{own}")
BAD_ORIGINS = (
    "null",
    "http://evil.example",
    "https://localhost:{port}",
    "http://localhost",
    "http://localhost:1",
    "http://127.0.0.1:{port}",
    "http://localhost:{port}.evil.example",
    "http://user@localhost:{port}",
    "{own}/",
    "{own}, http://evil.example",
)
SITES = ("cross-site", "same-site", "none", None, "same-origin")


class Waiting(NamedTuple):
    """A world with a plan that waits, a person who unlocked its page, and somebody who did not."""

    world: PageWorld
    plan: Plan
    person: Visitor
    stranger: Visitor


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    """Yield one plan for all the tests that must not change it."""
    world = PageWorld(tmp_path_factory.mktemp("gate") / "data")
    world.lock_up()
    with world.page() as person:
        person.unlock()
        yield Waiting(world, world.plan(), person, Visitor(person.page_lock))


def filled(text: str | None, visitor: Visitor) -> str | None:
    return text and text.replace("{port}", str(visitor.page_lock.port)).replace("{own}", visitor.origin)


@pytest.mark.parametrize(("host", "origin"), list(product(HOSTS, ORIGINS)))
def test_thirty_wrong_pairs_of_host_and_origin_see_nothing(
    waiting: Waiting, host: str, origin: str | None
) -> None:
    _, plan, person, _ = waiting
    headers = {"Host": filled(host, person), "Origin": filled(origin, person)}
    answer = person.send("GET", f"/plans/{plan.id}", headers=headers)
    assert answer.status in (400, 421)
    assert "Engineers" not in answer.text


@pytest.mark.parametrize(("origin", "site"), list(product(BAD_ORIGINS, SITES)))
def test_fifty_forms_of_other_sites_change_nothing(waiting: Waiting, origin: str, site: str | None) -> None:
    world, plan, person, _ = waiting
    person.get(person.get(f"/plans/{plan.id}/sample").headers["location"])
    page = person.get(f"/plans/{plan.id}")
    body = urlencode({"csrf": page.field("csrf"), "digest": page.field("digest")})
    headers = {"Origin": filled(origin, person), "Sec-Fetch-Site": site}
    for act in ("approve", "refuse"):
        assert person.send("POST", f"/plans/{plan.id}/{act}", body=body, headers=headers).status == 403
    assert world.present(plan.id).status is PlanStatus.WAITING


CALLS = (
    ("GET", "/"),
    ("GET", "/plans/{plan}"),
    ("GET", "/plans/{plan}/sample"),
    ("GET", "/plans/{plan}/texts"),
    ("GET", "/plans/{plan}/people/{sequence}"),
    ("POST", "/plans/{plan}/approve"),
    ("POST", "/plans/{plan}/refuse"),
    ("POST", "/plans/{plan}/renew"),
    ("POST", "/plans/{plan}/people/{sequence}/refuse"),
    ("POST", "/lock"),
)


@pytest.mark.parametrize("cookie", ["", "sequences_review=forged"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_twenty_calls_without_a_session_see_the_lock_alone(
    waiting: Waiting, method: str, path: str, cookie: str
) -> None:
    world, plan, _, visitor = waiting
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1))
    path = path.format(plan=plan.id, sequence=people.items[0].sequence.id)
    body = urlencode({"digest": plan.digest, "csrf": "x"}) if method == "POST" else ""
    answer = visitor.send(method, path, body=body, headers={"Cookie": cookie or None})
    assert answer.status == 401
    assert "Engineers" not in answer.text
    assert world.present(plan.id).status is PlanStatus.WAITING


def test_a_form_without_the_sessions_own_token_changes_nothing(waiting: Waiting) -> None:
    world, plan, person, _ = waiting
    other = Visitor(person.page_lock)
    other.unlock()
    theirs = other.get("/").field("csrf")
    for csrf in ("", "x", theirs):
        assert person.post(f"/plans/{plan.id}/refuse", csrf=csrf).status == 403
    assert world.present(plan.id).status is PlanStatus.WAITING


@pytest.mark.parametrize("destination", ["iframe", "frame", "image", "script", "empty", "object"])
def test_another_site_cannot_use_a_screen(waiting: Waiting, destination: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": destination}
    assert waiting.person.send("GET", "/", headers=headers).status == 403


def test_a_link_from_a_chat_leads_in_by_one_step_of_our_own(waiting: Waiting) -> None:
    _, plan, person, _ = waiting
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    step = person.send("GET", f"/plans/{plan.id}", headers=headers)
    assert step.status == 200
    assert "Engineers" not in step.text
    assert 'http-equiv="refresh"' in step.text


@pytest.mark.parametrize("path", ["/", "/unlock", "/static/page.css", "/nowhere", "/plans/local:plan_1"])
def test_every_answer_keeps_the_browser_strict(waiting: Waiting, path: str) -> None:
    answer = waiting.person.get(path)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_no_screen_has_a_script_or_a_style_of_its_own(waiting: Waiting) -> None:
    _, plan, person, _ = waiting
    for path in ("/", "/unlock", f"/plans/{plan.id}", f"/plans/{plan.id}/texts"):
        text = person.get(path).text
        assert text.count("<script") == text.count('<script src="/static/')
        assert " style=" not in text
        assert " onclick" not in text
        assert '="https://' not in text  # a person's profile is a word, and nothing is loaded from elsewhere


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(waiting: Waiting, method: str) -> None:
    assert waiting.person.send(method, "/").status == 405


def test_what_is_not_a_form_is_refused(waiting: Waiting) -> None:
    _, plan, person, _ = waiting
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", None):
        answer = person.send("POST", f"/plans/{plan.id}/refuse", body="{}", headers={"Content-Type": kind})
        assert answer.status == 415


def test_a_form_that_is_too_long_is_refused_unread(waiting: Waiting) -> None:
    answer = waiting.person.send("POST", "/lock", body="x", headers={"Content-Length": "600000"})
    assert answer.status == 413


def test_the_lock_never_sends_anybody_to_another_site(visitor: Visitor) -> None:
    for path in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"):
        answer = visitor.unlock(PASSPHRASE, script=False, next=path)
        assert answer.status == 303
        assert answer.headers["location"] == "/"
        assert json.loads(visitor.unlock(PASSPHRASE, next=path).text)["next"] == "/"


def test_a_path_longer_than_any_of_the_page_is_not_gone_on_to(visitor: Visitor) -> None:
    for length, goes_there in ((1024, True), (1025, False)):
        path = "/people?search=".ljust(length, "a")
        answer = visitor.unlock(PASSPHRASE, script=False, next=path)
        assert answer.headers["location"] == (path if goes_there else "/")
