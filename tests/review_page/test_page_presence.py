"""A cookie alone approves nothing: browsers send it to every port of the machine."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.review_page.page_browser import screen
from tests.world.page import MAIL, PASSPHRASE, Answer, PageWorld, Visitor

from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.services.reviews import edit_draft


@pytest.fixture
def thief(person: Visitor) -> Visitor:
    """Return somebody who has the person's cookie and nothing else."""
    return Visitor(person.page_lock, person.cookie)


def approves(visitor: Visitor, plan: Plan, **fields: str) -> Answer:
    visitor.get(visitor.get(f"/plans/{plan.id}/sample").headers["location"])
    return visitor.post(f"/plans/{plan.id}/approve", digest=plan.digest, **fields)


def test_a_stolen_cookie_approves_no_plan(world: PageWorld, person: Visitor, thief: Visitor) -> None:
    plan = world.plan(people=1)
    for key in ("", "guess", person.cookie.partition("=")[2]):
        answer = approves(thief, plan, key=key)
        assert answer.status == 403
        assert "Type your passphrase again" in answer.text
        assert 'name="passphrase"' in answer.text
    assert world.present(plan.id).status is PlanStatus.WAITING
    assert approves(person, plan).status == 303


def test_the_second_secret_of_another_session_is_none_of_this_one(
    world: PageWorld, person: Visitor, thief: Visitor
) -> None:
    plan = world.plan(people=1)
    other = Visitor(person.page_lock)
    other.unlock()
    thief.key = other.key
    assert approves(thief, plan).status == 403


def test_a_stolen_cookie_approves_no_text_and_settles_nothing(
    world: PageWorld, person: Visitor, thief: Visitor
) -> None:
    plan = world.plan({**MAIL, "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}, people=1)
    assert approves(person, plan).status == 303
    detail = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0]
    path = f"/texts/local:draft_{detail.sequence.steps[0].key}"
    world.at_desk(lambda app: edit_draft(app, draft_id=path[7:], content="The agent's own words."))
    digest = thief.get(path).field("digest")
    assert thief.post(f"{path}/approve", digest=digest).status == 403
    assert thief.post(f"{path}/resolve", sent="no").status == 403
    assert person.post(f"{path}/approve", digest=person.get(path).field("digest")).status == 303


def test_without_the_script_the_passphrase_is_asked_for_with_each_yes(world: PageWorld, visitor: Visitor) -> None:
    plan = world.plan(people=1)
    visitor.unlock(script=False)
    assert 'name="passphrase"' in visitor.get(f"/plans/{plan.id}").text
    assert approves(visitor, plan).status == 403
    assert approves(visitor, plan, passphrase="wrong horse battery").status == 403
    assert approves(visitor, plan, passphrase=PASSPHRASE).status == 303


def test_guessing_the_passphrase_at_a_yes_soon_has_to_wait(world: PageWorld, thief: Visitor) -> None:
    plan = world.plan(people=1)
    statuses = [approves(thief, plan, passphrase=f"guess {number}").status for number in range(6)]
    assert statuses == [403] * 5 + [429]
    assert approves(thief, plan, passphrase=PASSPHRASE).status == 429
    assert world.present(plan.id).status is PlanStatus.WAITING


def test_what_holds_back_stays_one_click(world: PageWorld, person: Visitor, thief: Visitor) -> None:
    """Refusing, editing, pausing and stopping need the session alone."""
    plan, other = world.plan(people=1), world.plan({**MAIL, "content": "Something else."}, people=1)
    assert thief.post(f"/plans/{other.id}/refuse").status == 303
    assert approves(person, plan).status == 303
    run = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0].sequence
    assert thief.post(f"/sequences/{run.id}/pause", days="2").status == 303
    assert thief.post(f"/sequences/{run.id}/stop", reason="LOSE").status == 303


class Neighbour(BaseHTTPRequestHandler):
    """Another program that serves a page on this machine."""

    cookies: list[str] = []  # noqa: RUF012 - a handler is made anew for each request

    def do_GET(self) -> None:
        """Write down what the browser sends along."""
        self.cookies.append(self.headers.get("cookie", ""))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>Neighbour</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_neighbour_on_the_same_machine_sees_the_cookie_and_can_do_nothing_with_it(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Neighbour)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with screen(browser, world, shots) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        person.tab.goto(f"http://localhost:{server.server_port}/")
        assert person.tab.evaluate("localStorage.length") == 0
        thief = Visitor(person.visitor.page_lock, Neighbour.cookies[0])
        assert "sequences_review=" in thief.cookie
        assert thief.get("/").status == 200
        assert approves(thief, plan).status == 403
        person.opens(f"/plans/{plan.id}/sample")
        person.tab.get_by_role("button", name="Approve 1 person").click()
        expect(person.tab.get_by_text("Approved by page")).to_be_visible()
    server.shutdown()
    server.server_close()
    thread.join()
