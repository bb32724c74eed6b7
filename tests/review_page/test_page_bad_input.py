"""What goes wrong is told on a clear page, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.review_page.page_browser import screen
from tests.secrecy.hearing import heard
from tests.world.loaded import product
from tests.world.page import LINKEDIN, MAIL, PASSPHRASE, PageWorld, Visitor

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.review.page import serving
from sequences_mcp.services.blueprints import update_blueprint
from sequences_mcp.services.reviews import edit_draft


def read(person: Visitor, plan: Plan) -> str:
    """Open one person and the plan; return the digest that was on the screen."""
    person.get(person.get(f"/plans/{plan.id}/sample").headers["location"])
    return person.get(f"/plans/{plan.id}").field("digest")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/plans/local:plan_01ARZ3NDEKTSV4RRFFQ69G5FAV", "There is no plan"),
        ("/plans/local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV", "plan"),
        ("/plans/x", "plan"),
        ("/texts/local:draft_01ARZ3NDEKTSV4RRFFQ69G5FAV", "There is no"),
        ("/sequences/local:seq_01ARZ3NDEKTSV4RRFFQ69G5FAV", "There is no"),
    ],
)
def test_an_unknown_thing_is_told_with_a_way_on(person: Visitor, path: str, words: str) -> None:
    answer = person.get(path)
    assert answer.status == 404
    assert words in answer.text
    assert "What waits for you" in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e3", "99999999999"])
def test_a_page_that_is_no_number_is_told(world: PageWorld, person: Visitor, page: str) -> None:
    answer = person.get(f"/plans/{world.plan().id}?page={page}")
    assert answer.status == 422
    assert "Write it in digits" in answer.text


def test_a_page_beyond_the_last_is_empty_and_whole(world: PageWorld, person: Visitor) -> None:
    answer = person.get(f"/plans/{world.plan().id}?page=400")
    assert answer.status == 200
    assert "Approve 3 people" in answer.text


def test_a_form_of_somebody_elses_session_changes_nothing(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=1)
    other = Visitor(person.page_lock)
    other.unlock()
    theirs = other.get("/").field("csrf")
    answer = person.post(f"/plans/{plan.id}/refuse", csrf=theirs)
    assert answer.status == 403
    assert "not one of this browser" in answer.text
    assert world.present(plan.id).status is PlanStatus.WAITING


def test_an_expired_session_asks_for_the_passphrase_and_keeps_the_text(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=1)
    detail = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0]
    path = f"/texts/local:draft_{detail.sequence.steps[0].key}"
    csrf = person.get("/").field("csrf")
    world.clock.forward(hours=12)
    answer = person.post(path, csrf=csrf, content="An hour of work.")
    assert answer.status == 401
    assert "An hour of work." in answer.text
    assert world.present(plan.id).digest == plan.digest


async def new_version(app: AppContext, plan: Plan) -> None:
    """Change the blueprint."""
    steps = [{**MAIL, "content": "Another template."}]
    await update_blueprint(
        app,
        blueprint_id=plan.header.blueprint_id,
        expected_version=1,
        name="Engineers",
        steps=steps,
        job_title="Engineer",
    )


def test_a_stale_screen_approves_nothing_and_says_what_changed(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=1)
    digest = read(person, plan)
    detail = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0]
    draft = f"local:draft_{detail.sequence.steps[0].key}"
    world.at_desk(lambda app: edit_draft(app, draft_id=draft, content="Other words."))
    read(person, plan)
    answer = person.post(f"/plans/{plan.id}/approve", digest=digest)
    assert answer.status == 409
    assert "What changed since you read it" in answer.text
    assert "by agent: Grace Hopper0: rewritten (step hello)" in answer.text
    assert world.present(plan.id).status is PlanStatus.WAITING


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("SENDER", "Eve <eve@evil.example>", "sender address was"),
        ("DAILY_CAP", "7", "daily cap was 50 and is now 7"),
        ("WINDOW", "Mon-Fri 09:00-17:00", "window was"),
        ("SPACING", "60", "spacing was 0 and is now 60"),
        ("SMTP_URL", "smtp://127.0.0.1:2525", "delivery was"),
    ],
)
def test_a_plan_is_approved_as_it_was_made_and_a_changed_setting_holds_it_and_says_which(
    world: PageWorld, setting: str, value: str, words: str
) -> None:
    plan = world.plan(people=1)
    world.more[f"SEQUENCES_{setting}"] = value
    with world.page() as person:
        person.unlock()
        answer = person.post(f"/plans/{plan.id}/approve", digest=read(person, plan))
        shown = person.get(f"/plans/{plan.id}").text
    assert answer.status == 303
    assert f"approved for other settings: {words}" in shown
    assert world.present(plan.id).digest != plan.digest
    del world.more[f"SEQUENCES_{setting}"]
    found = world.present(plan.id)
    assert (found.status, found.digest) == (PlanStatus.APPROVED, plan.digest)


def test_a_new_version_voids_what_was_read_and_says_so(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=1)
    digest = read(person, plan)
    world.at_desk(lambda app: new_version(app, plan))
    shown = person.get(f"/plans/{plan.id}").text
    assert "it cannot be approved. Reject it" in shown and "/renew" not in shown and "/approve" not in shown
    answer = person.post(f"/plans/{plan.id}/approve", digest=digest)
    assert answer.status == 409
    assert "the blueprint has a newer version than the plan" in answer.text.replace("&#39;", "'")
    assert person.post(f"/plans/{plan.id}/refuse").status == 303
    assert world.present(plan.id).status is PlanStatus.REFUSED


def test_a_server_that_restarts_in_between_loses_nothing(world: PageWorld, browser: Browser, shots: Path) -> None:
    plan = world.plan(people=2)
    with screen(browser, world, shots) as person:
        person.opens(f"/plans/{plan.id}/sample")
        person.unlocks()
        state = person.tab.context.storage_state()
    with screen(browser, world, shots, storage_state=state) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        assert person.tab.url == f"{person.visitor.origin}/plans/{plan.id}"
        person.tab.get_by_role("button", name="Approve 2 people").click()
        expect(person.tab.get_by_text("Approved by page")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.APPROVED


def test_a_task_is_copied_with_one_button(world: PageWorld, browser: Browser, shots: Path) -> None:
    plan = world.plan({**LINKEDIN, "temporalityType": "ASAP", "delay": None}, people=1)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test")))
    waiting: list[int] = []

    def opened() -> bool:
        waiting.append(world.at_desk(lambda app: app.local.list_tasks(page=1, size=1)).total_count)
        return bool(waiting[-1])

    world.work_until(opened)
    with screen(browser, world, shots, permissions=["clipboard-read", "clipboard-write"]) as person:
        person.opens("/tasks")
        person.unlocks()
        person.tab.get_by_role("button", name="Copy").click()
        expect(person.tab.get_by_role("button", name="Copied")).to_be_visible()
        assert person.tab.evaluate("navigator.clipboard.readText()") == "Hi Grace, I wrote to you by e-mail."


def opened_in_a_terminal(folder: Path, **more: str) -> subprocess.Popen[str]:
    """Run ``sequences-mcp review --open`` where no browser can be started."""
    environment = {"PATH": "/nowhere", "HOME": str(folder), "SEQUENCES_DATA_DIR": str(folder / "data"), **more}
    return subprocess.Popen(
        [*product(), "review", "--open"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal there")
def test_without_a_browser_the_command_says_what_to_open_and_stays(tmp_path: Path) -> None:
    with opened_in_a_terminal(tmp_path) as process:
        assert process.stdout is not None
        lines = [heard("review --open", process.stdout.readline()) for _ in range(3)]
        assert "The review page is at http://localhost:" in lines[0]
        assert "No browser could be opened here" in lines[1]
        assert "until you press Ctrl-C" in lines[2]
        assert serving.is_held(Workspace(tmp_path / "data"))
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert not serving.is_held(Workspace(tmp_path / "data"))


def test_where_the_page_cannot_listen_the_command_says_how_to_decide(tmp_path: Path) -> None:
    Workspace(tmp_path / "data").page_lock.mkdir(parents=True)
    with opened_in_a_terminal(tmp_path) as process:
        out, err = (heard("review --open", text) for text in process.communicate(timeout=60))
    assert (process.returncode, out) == (2, "")
    assert "cannot listen" in err
    assert "sequences-mcp review list" in err


def test_a_passphrase_is_never_in_an_answer(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=1)
    answers = [person.unlock("wrong horse battery"), person.unlock(), person.get(f"/plans/{plan.id}")]
    assert not any(PASSPHRASE in answer.text or "wrong horse" in answer.text for answer in answers)
