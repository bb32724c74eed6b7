"""A person in a real browser: by mouse, by keyboard, on a phone, in the dark, without JavaScript, under attack."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize, expect
from tests.review_page.page_browser import AXE, DESK, PHONE, WITHOUT_AXE, Screen, screen, violations
from tests.review_page.test_forgery_matrix import sql
from tests.world.answers import ADA, comes_in
from tests.world.inbound_mail import Sent, reply, report
from tests.world.page import LINKEDIN, MAIL, PASSPHRASE, PageWorld

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.ports.embedded import ReplyFilter

LATER = {
    **MAIL,
    "id": "later",
    "name": "Later",
    "temporalityType": "DELAYED",
    "delay": {"value": 3, "unit": "day"},
}


def test_a_start_is_reviewed_edited_thinned_out_and_approved(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(MAIL, LINKEDIN, LATER, people=8)
    with screen(browser, world, shots) as person:
        person.opens(f"/plans/{plan.id}")
        person.photographs("01-locked")
        person.unlocks()
        person.photographs("02-plan")
        person.tab.get_by_role("link", name="Linus Hopper1").click()
        expect(person.tab.get_by_role("heading", name="Linus Hopper1")).to_be_visible()
        person.photographs("03-person")
        edit_with_a_finding(person)
        for number in range(1, 4):
            person.tab.get_by_role("button", name=re.compile("Take .* out")).last.click()
            expect(person.tab.get_by_text(f"{number} taken out")).to_be_visible()
        expect(person.tab.get_by_text("3 taken out, 5 left")).to_be_visible()
        approve_what_is_left(person)
        person.photographs("05-approved")
    assert world.present(plan.id).status is PlanStatus.APPROVED
    world.work_until(lambda: len(world.mails) == 5)


def test_a_form_that_is_sent_when_the_server_is_gone_says_so_and_keeps_what_was_typed(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=1)
    with screen(browser, world, shots) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        person.tab.get_by_text("Reject all…").click()
        person.tab.get_by_label("Reason").fill("They left the company.")
        person.tab.context.set_offline(True)
        person.tab.get_by_role("button", name="Reject all").click()
        expect(person.tab.get_by_role("alert")).to_contain_text("The server did not answer")
        expect(person.tab.get_by_label("Reason")).to_have_value("They left the company.")
        assert world.present(plan.id).status is PlanStatus.WAITING
        person.tab.context.set_offline(False)
        person.tab.get_by_role("button", name="Reject all").click()
        expect(person.tab.get_by_text("Rejected by page")).to_be_visible()
    assert world.present(plan.id).reason == "They left the company."


def edit_with_a_finding(person: Screen) -> None:
    person.tab.get_by_text("Edit this text").first.click()
    person.tab.get_by_role("textbox", name="Text").fill("Hi [first name], would a call suit you?")
    expect(person.tab.locator(".live li.error")).to_be_visible()
    person.photographs("04-finding")
    person.tab.get_by_role("textbox", name="Text").fill("Hello {{firstname}}, would a call suit you?")
    expect(person.tab.get_by_text("The guards find nothing.")).to_be_visible()
    person.tab.get_by_role("button", name="Save").click()
    expect(person.tab.get_by_text("changed for this person")).to_be_visible()


def approve_what_is_left(person: Screen) -> None:
    person.tab.get_by_role("button", name="Approve 5 people").click()
    expect(person.tab.get_by_text("Approved by page")).to_be_visible()


def test_everything_works_by_keyboard_alone(world: PageWorld, browser: Browser, shots: Path) -> None:
    plan = world.plan(people=2)
    with screen(browser, world, shots) as person:
        person.opens(f"/plans/{plan.id}")
        expect(person.tab.get_by_label("Passphrase")).to_be_focused()
        person.tab.keyboard.type(PASSPHRASE)
        person.tab.keyboard.press("Enter")
        press_on(person, "Next person")
        expect(person.tab.get_by_role("heading", name="Linus Hopper1")).to_be_visible()
        press_on(person, "Previous person")
        expect(person.tab.get_by_role("heading", name="Grace Hopper0")).to_be_visible()
        press_on(person, "Approve 2 people")
        expect(person.tab.get_by_text("Approved by page")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.APPROVED


# Whether a link or a button of this name has the focus, and not a part of the screen with one in it.
ON = "name => document.activeElement.matches('a, button') && document.activeElement.textContent.includes(name)"


def press_on(person: Screen, name: str) -> None:
    """Go to something with the Tab key and press Enter."""
    person.tab.get_by_text(name).first.wait_for()
    person.tab.wait_for_load_state()  # the page's script has run by then
    for _ in range(60):
        person.tab.keyboard.press("Tab")
        if person.tab.evaluate(ON, name):
            person.tab.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} cannot be reached")


def test_everything_works_without_javascript(world: PageWorld, browser: Browser, shots: Path) -> None:
    plan = world.plan(people=2)
    with screen(browser, world, shots, java_script_enabled=False) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        person.tab.get_by_text("Edit this text").first.click()
        person.tab.get_by_role("textbox", name="Text").fill("Hi [first name],")
        person.tab.get_by_role("button", name="Check without saving").click()
        expect(person.tab.locator("#findings li.error")).to_be_visible()
        person.opens(f"/plans/{plan.id}")
        person.tab.get_by_label("Passphrase").fill(PASSPHRASE)
        person.tab.get_by_role("button", name="Approve 2 people").click()
        expect(person.tab.get_by_text("Approved by page")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.APPROVED


# How a screen looks: in which colours, and in a window of which size.
LOOKS: dict[str, tuple[Literal["light", "dark"], ViewportSize]] = {
    "light": ("light", DESK),
    "dark": ("dark", DESK),
    "phone": ("light", PHONE),
}


@pytest.mark.skipif(not AXE, reason=WITHOUT_AXE)
def test_no_screen_has_an_accessibility_violation(world: PageWorld, browser: Browser, shots: Path) -> None:
    plan = every_kind_of_thing(world)
    with screen(browser, world, shots) as person:
        person.opens("/unlock")
        found = looked_at(person, "unlock")
        person.unlocks()
        for name, path in paths(world, plan).items():
            person.opens(path)
            found |= looked_at(person, name)
    assert not any(found.values()), found


def looked_at(person: Screen, name: str) -> dict[tuple[str, str], list[str]]:
    """Look at one screen in every way, and return what is wrong with each; none is wider than its window."""
    found = {}
    for look, (colours, window) in LOOKS.items():
        person.tab.emulate_media(color_scheme=colours)
        person.tab.set_viewport_size(window)
        person.photographs(f"{look}-{name}")
        found[look, name] = violations(person.tab)
        wide = person.tab.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, f"{name} is wider than the screen: {look}"
    return found


def every_kind_of_thing(world: PageWorld) -> Plan:
    started = world.plan({**LINKEDIN, "temporalityType": "ASAP", "delay": None}, people=1)
    world.at_desk(lambda app: app.plans.approve_plan(started.id, digest=started.digest, actor=Actor("test")))
    sent = world.plan(MAIL, people=1, email="sent@hopper.example", linkedin_url="https://linkedin.com/in/sent")
    world.at_desk(lambda app: app.plans.approve_plan(sent.id, digest=sent.digest, actor=Actor("test")))
    world.work_until(lambda: len(world.mails) == 1)
    somebody_answers(world)
    world.at_desk(lambda app: app.suppressions.suppress("domain", "never.example", reason="asked"))
    plan = world.plan(MAIL, LINKEDIN, LATER, people=60)
    sql(world, "UPDATE contact SET company = ?", "O'Neil \u202e& <Sons>")  # at the door it is refused
    return plan


def somebody_answers(world: PageWorld) -> None:
    """Let a colleague of whoever got the first e-mail write, and a mail system and the person themselves."""
    mail = message_from_string(world.mails[0])
    sent = Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]))
    subject = "Re: " + "x" * 200
    comes_in(world, reply(sent, "He has left us. " * 100, sender="Eve <eve@hopper.example>", subject=subject))
    comes_in(world, report(sent, status="4.2.2"))
    comes_in(world, reply(sent, "Yes, gladly."))


def paths(world: PageWorld, plan: Plan) -> dict[str, str]:
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1))
    sequence = people.items[0].sequence
    answered = world.at_desk(lambda app: app.local.list_replies(ReplyFilter())).items[0].entry
    answered_run = world.at_desk(lambda app: app.local.get_sequence(answered.sequence_id)).sequence
    return {
        "thread": f"/sequences/{answered.sequence_id}",
        "front": "/",
        "campaigns": "/campaigns",
        "campaign": f"/campaigns/{answered_run.blueprint_id}",
        "contact": f"/contacts/{answered_run.contact_id}",
        "blueprints": "/blueprints",
        "import blueprint": "/import-blueprint",
        "blueprint": f"/blueprints/{plan.header.blueprint_id}",
        "search": "/search?q=hopper",
        "settings": "/settings",
        "filtered": f"/sequences?q=hopper&blueprint={plan.header.blueprint_id}",
        "plan": f"/plans/{plan.id}",
        "person": f"/plans/{plan.id}/people/{sequence.id}",
        "texts": f"/plans/{plan.id}/texts",
        "text": f"/texts/local:draft_{sequence.steps[0].key}",
        "sequences": "/sequences",
        "sequence": f"/sequences/{sequence.id}",
        "replies": "/replies",
        "tasks": "/tasks",
        "mails": "/mails",
        "suppressions": "/suppressions",
        "audit": "/audit",
        "nowhere": "/nowhere",
    }


class Evil(BaseHTTPRequestHandler):
    """Another site."""

    html = ""

    def do_GET(self) -> None:
        """Serve the trap."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.html.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def evil() -> Iterator[ThreadingHTTPServer]:
    """Serve another site, on another port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_another_site_can_neither_frame_the_page_nor_send_its_forms(
    world: PageWorld, browser: Browser, shots: Path, evil: ThreadingHTTPServer
) -> None:
    plan = world.plan(people=1)
    with screen(browser, world, shots) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        digest = person.tab.locator("input[name=digest]").get_attribute("value")
        csrf = person.tab.locator("input[name=csrf]").first.get_attribute("value")
        here = f"{person.visitor.origin}/plans/{plan.id}"
        Evil.html = (
            f'<iframe src="{here}"></iframe><form method="post" action="{here}/refuse">'
            f'<input name="csrf" value="{csrf}"><input name="digest" value="{digest}"><button>Win</button></form>'
        )
        for host in ("127.0.0.1", "localhost"):
            person.tab.goto(f"http://{host}:{evil.server_port}/")
            assert "Engineers" not in (person.tab.frames[1].content() if len(person.tab.frames) > 1 else "")
            person.tab.get_by_role("button", name="Win").click()
            expect(person.tab.get_by_text("comes from another site")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.WAITING


def test_a_link_from_another_site_finds_the_browser_unlocked(
    world: PageWorld, browser: Browser, shots: Path, evil: ThreadingHTTPServer
) -> None:
    plan = world.plan(people=1)
    with screen(browser, world, shots) as person:
        person.opens("/")
        person.unlocks()
        Evil.html = f'<a href="{person.visitor.origin}/plans/{plan.id}">Review</a>'
        person.tab.goto(f"http://127.0.0.1:{evil.server_port}/")
        person.tab.get_by_role("link", name="Review").click()
        expect(person.tab.get_by_role("button", name="Approve 1 person")).to_be_visible()
        assert person.tab.url == f"{person.visitor.origin}/plans/{plan.id}"
