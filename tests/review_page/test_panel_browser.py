"""The panel in a real browser, inside a host's sandbox: shown, approved, refused, attacked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, expect
from tests.review_page.page_browser import AXE, WITHOUT_AXE, RunningBrowser, violations
from tests.review_page.panel_host import Panel, panel, shows
from tests.review_page.test_forgery_matrix import sql
from tests.review_page.test_page_vendor import planned
from tests.review_page.test_review_screen import PRESS_AT_ONCE, with_texts_of_their_own
from tests.world.data_folder import choose_passphrase
from tests.world.page import LINKEDIN, MAIL, PASSPHRASE, PageWorld, lock_up

from sequences_mcp.domain.plan import PlanStatus


@pytest.fixture
def world(world: PageWorld) -> PageWorld:
    """Return a world in which the passphrase can be proven in a chat."""
    lock_up(world, in_browser=True)
    return world


@pytest.fixture
def person(browser: Browser, world: PageWorld, shots: Path) -> Iterator[Panel]:
    """Yield a person whose chat has panels."""
    with panel(browser, world, shots) as found:
        yield found


def test_a_start_is_read_and_approved_inside_the_chat(world: PageWorld, person: Panel) -> None:
    choose_passphrase(world.workspace, PASSPHRASE, n=None)
    plan = world.plan(MAIL, LINKEDIN, people=3)
    shows(person, "list_reviews", plan_id=plan.id)
    expect(person.frame.get_by_text("Hi Grace, would a short call")).to_be_visible()
    expect(person.frame.get_by_text("Approving this starts 3 people")).to_be_visible()
    person.photographs("07-panel")
    person.types()
    expect(person.frame.get_by_text("Approved: 3 people.")).to_be_visible()
    person.photographs("08-panel-approved")
    assert world.present(plan.id).decided_by == "panel"
    assert any(one["method"] == "ui/update-model-context" for one in person.tab.evaluate("sent"))
    world.work_until(lambda: len(world.mails) == 3)


def test_the_panel_is_walked_edited_and_thinned_out_by_the_keys_of_the_review_page(
    world: PageWorld, person: Panel
) -> None:
    plan = world.plan(MAIL, LINKEDIN, people=6, company="Hopper Ltd", job_title="Admiral")
    with_texts_of_their_own(world, plan, 3)
    shows(person, "list_reviews", plan_id=plan.id)
    expect(person.frame.locator("#texts h2")).to_contain_text("Grace Hopper0")
    left, right = (person.frame.locator(part).bounding_box() for part in (".side", "#texts"))
    assert left and right and left["x"] + left["width"] <= right["x"]
    person.reads()
    person.photographs("panel-columns")
    person.frame.locator("#texts").focus()
    person.tab.keyboard.press("Enter")
    expect(person.frame.locator("#texts h2")).to_contain_text("Linus Hopper1")
    person.tab.keyboard.press("e")
    text = person.frame.get_by_role("textbox", name="Text")
    text.fill("Hello {{firstname}}, [your name] jkex")
    person.tab.keyboard.press("Control+Enter")
    expect(person.frame.locator(".live [role=alert]")).to_be_visible()
    expect(text).to_have_value("Hello {{firstname}}, [your name] jkex")
    text.fill("Hello {{firstname}}, would a call suit you?")
    person.tab.keyboard.press("Control+Enter")
    expect(person.frame.locator("#texts .text").first).to_have_text("Hello Linus, would a call suit you?")
    person.tab.keyboard.press("k")
    expect(person.frame.locator("#texts h2")).to_contain_text("Grace Hopper0")
    person.tab.keyboard.press("j")
    expect(person.frame.locator("#texts h2")).to_contain_text("Linus Hopper1")
    person.reads()
    person.tab.keyboard.press("x")
    expect(person.frame.get_by_text("One person was taken out.")).to_be_visible()
    expect(person.frame.locator("#texts h2")).to_contain_text("Barbara Hopper2")
    person.types()
    expect(person.frame.get_by_text("Approved: 5 people.")).to_be_visible()
    assert world.present(plan.id).decided_by == "panel"


def test_e_opens_no_editor_in_the_panel_when_the_next_person_does_not_come(
    world: PageWorld, person: Panel
) -> None:
    plan = world.plan(people=3)
    shows(person, "list_reviews", plan_id=plan.id)
    expect(person.frame.locator("#texts h2")).to_contain_text("Grace Hopper0")
    press_at_once = f"(_, keys) => ({PRESS_AT_ONCE})(keys)"
    person.tab.route("**/rpc", lambda route: route.abort())
    person.frame.locator("#texts").evaluate(press_at_once, ["j", "e"])
    expect(person.frame.get_by_role("alert")).to_be_visible()
    expect(person.frame.locator("#texts h2")).to_contain_text("Grace Hopper0")
    assert person.frame.locator(".edit[open]").count() == 0
    person.tab.unroute("**/rpc")
    person.frame.locator("#texts").evaluate(press_at_once, ["j", "e"])
    expect(person.frame.locator("#texts h2")).to_contain_text("Linus Hopper1")
    expect(person.frame.get_by_role("textbox", name="Text")).to_be_focused()


def test_people_are_searched_and_selected_in_the_panel_and_a_narrow_one_has_one_column(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=9)
    with panel(browser, world, shots, width=390) as person:
        shows(person, "list_reviews", plan_id=plan.id)
        right, left = (person.frame.locator(part).bounding_box() for part in ("#texts", ".side"))
        assert left and right and right["y"] < left["y"] and right["x"] == left["x"]
        person.frame.get_by_label("Search people").fill("linus")
        person.frame.get_by_label("Search people").press("Enter")
        expect(person.frame.get_by_role("heading", name="People (2)")).to_be_visible()
        for box in person.frame.get_by_role("checkbox", name="Select").all():
            box.check()
        person.photographs("panel-narrow")
        person.button("Take the selected out").click()
        expect(person.frame.get_by_text("2 people were taken out.")).to_be_visible()
        expect(person.button("Approve 7 people")).to_be_visible()
        assert person.frame.locator("html").evaluate("(html) => html.scrollWidth <= html.clientWidth")


def test_a_reader_sees_times_of_their_own_zone_in_the_panel_and_the_clock_of_whoever_is_elsewhere(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    elsewhere = world.plan(MAIL, people=1, time_zone="Asia/Tokyo")
    here = world.plan(MAIL, people=1, first=9, time_zone="Europe/Paris")
    with panel(browser, world, shots, locale="en-GB", timezone_id="Europe/Berlin") as person:
        shows(person, "list_reviews", plan_id=elsewhere.id)
        theirs, mine = "24 Nov 2026, 00:00 (08:00 Asia/Tokyo)", "23 Nov 2026, 13:00"
        expect(person.frame.locator(".consequence")).to_contain_text(f"the first about {theirs};")
        expect(person.frame.locator(".steps li")).to_contain_text(f"about {theirs}, after waiting")
        expect(person.frame.locator(".letter")).to_contain_text(f"To person0@hopper.example, about {theirs}")
        shows(person, "list_reviews", plan_id=here.id)
        expect(person.frame.locator(".letter")).to_contain_text("To person9@hopper.example")
        expect(person.frame.locator(".consequence")).to_contain_text(f"the first about {mine};")
        told = person.frame.locator(".letter time")
        assert told.inner_text() == mine
        assert str(told.get_attribute("title")).endswith("13:00 Europe/Paris")


def test_a_text_counts_as_read_once_all_of_it_was_on_the_screen(world: PageWorld, person: Panel) -> None:
    long = "\n".join(f"Line {number} of a text that is longer than any screen." for number in range(200))
    plan = world.plan({**MAIL, "content": f"Hi {{{{firstname}}}},\n{long}\nIs a call worth it?"}, people=1)
    shows(person, "list_reviews", plan_id=plan.id)
    first = person.frame.locator(".duties li").first
    expect(first).to_have_class("")
    person.frame.get_by_label("Your passphrase").scroll_into_view_if_needed()  # a jump over the middle
    person.frame.get_by_label("Your passphrase").fill(PASSPHRASE)
    person.frame.get_by_label("Your passphrase").press("Enter")
    expect(person.frame.get_by_role("alert")).to_contain_text("Open one person of this plan first")
    assert world.present(plan.id).status is PlanStatus.WAITING
    pieces = person.frame.locator(".letter .piece")
    for place in (*range(0, pieces.count(), 8), pieces.count() - 1):
        pieces.nth(place).scroll_into_view_if_needed()
        expect(first).to_be_attached()
    expect(first).to_have_class("done")
    person.types()
    expect(person.frame.get_by_text("Approved: 1 person.")).to_be_visible()


@pytest.mark.usefixtures("clarky")
def test_what_a_vendor_is_given_counts_as_read_once_it_was_on_the_screen(world: PageWorld, person: Panel) -> None:
    plan = planned(world, note="Likes tea.")
    shows(person, "list_reviews", plan_id=plan.id)
    expect(person.frame.get_by_text("its API does not show them").first).to_be_visible()
    person.types()
    expect(person.frame.get_by_text("Approved: 2 people.")).to_be_visible()
    marks = [one["arguments"].get("seen") for one in person.bridge.calls if one["name"] == "show_plan"]
    assert any(marks)


def test_warnings_are_acknowledged_in_the_panel_before_a_yes(world: PageWorld, person: Panel) -> None:
    plan = world.plan(people=1, first_name="Hopper0", last_name="Hopper0")
    shows(person, "list_reviews", plan_id=plan.id)
    person.reads()
    person.frame.get_by_label("Your passphrase").fill(PASSPHRASE)
    person.frame.get_by_label("Your passphrase").press("Enter")
    expect(person.frame.get_by_role("alert")).to_contain_text("Say that you have seen what it warns of")
    assert world.present(plan.id).status is PlanStatus.WAITING
    person.types()
    expect(person.frame.get_by_text("Approved: 1 person.")).to_be_visible()


def test_a_wrong_passphrase_is_told_the_right_one_counts_once_and_neither_leaves_the_panel(
    world: PageWorld, person: Panel
) -> None:
    plan, other = world.plan(people=1), world.plan(LINKEDIN, people=1, first=1)
    shows(person, "list_reviews", plan_id=plan.id)
    wrong = "wrong horse battery"
    person.types(wrong)
    expect(person.frame.get_by_role("alert")).to_contain_text("The passphrase is wrong")
    assert world.present(plan.id).status is PlanStatus.WAITING
    person.photographs("09-panel-wrong")
    person.types()
    expect(person.frame.get_by_text("Approved: 1 person.")).to_be_visible()
    for typed in (wrong, PASSPHRASE):
        assert typed not in str(person.tab.evaluate("JSON.stringify(sent)"))
        assert typed not in str(person.bridge.calls)
    used = [one["arguments"] for one in person.bridge.calls if one["name"] == "decide_plan"][-1]
    shows(person, "list_reviews", plan_id=other.id)
    person.reads()
    for again in (used, {**used, "plan_id": other.id, "digest": other.digest}):  # the host has seen that proof
        refused = person.bridge.ask("tools/call", {"name": "decide_plan", "arguments": again})
        assert refused["isError"] and "this question was answered before" in str(refused)
    assert world.present(other.id).status is PlanStatus.WAITING


def test_a_no_is_one_click(world: PageWorld, person: Panel) -> None:
    plan = world.plan(people=2)
    shows(person, "list_reviews", plan_id=plan.id)
    person.button("Reject all").click()
    expect(person.frame.get_by_text("Rejected: nothing of it is sent.")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.REFUSED


def test_hostile_texts_are_text_in_the_panel(world: PageWorld, person: Panel) -> None:
    hostile = "<img src=x onerror=parent.hacked=1><script>parent.hacked=1</script>\u202egnp"
    plan = world.plan(people=1)
    sql(world, "UPDATE contact SET first_name = ?", hostile)  # the guards let neither in
    sql(world, "UPDATE step_run SET content = ?", f"Hi {hostile}, <b>bold</b>")
    shows(person, "list_reviews", plan_id=plan.id)
    expect(person.frame.get_by_role("heading", name="<img src=x").first).to_be_visible()
    expect(person.frame.locator(".text").first).to_contain_text("⟨U+202E⟩gnp, <b>bold</b>")
    assert person.frame.locator("img, b").count() == 0
    assert person.tab.evaluate("window.hacked === undefined")
    person.photographs("10-panel-hostile")


def test_more_than_fifty_people_are_approved_by_their_number_alone(world: PageWorld, person: Panel) -> None:
    plan = world.plan(people=60)
    shows(person, "list_reviews", plan_id=plan.id)
    person.frame.get_by_label("People it reaches").fill("6")
    person.types()
    expect(person.frame.get_by_role("alert")).to_contain_text("State that number")
    person.frame.get_by_label("People it reaches").fill("60")
    person.types()
    expect(person.frame.get_by_text("Approved: 60 people.")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.APPROVED


def test_the_pages_of_a_plan_are_turned_and_the_review_page_is_opened(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=45)
    with world.page() as page, panel(browser, world, shots) as person:
        shows(person, "list_reviews", plan_id=plan.id)
        person.frame.get_by_role("button", name="Next", exact=True).click()
        expect(person.frame.get_by_text("Page 2 of 3")).to_be_visible()
        person.button("Open the review page").click()
        person.tab.wait_for_function("opened.length === 1")
        assert person.tab.evaluate("opened") == [f"{page.origin}/plans/{plan.id}"]


def test_several_starts_are_listed_and_one_is_chosen(world: PageWorld, person: Panel) -> None:
    world.plan(people=1)
    chosen = world.plan(LINKEDIN, people=2)
    shows(person, "list_reviews")
    expect(person.frame.get_by_role("heading", name="Starts to approve")).to_be_visible()
    person.photographs("11-panel-list")
    person.button("Engineers: 2 people").click()
    expect(person.frame.get_by_text("Approving this starts 2 people")).to_be_visible()
    assert {"name": "show_plan", "arguments": {"plan_id": chosen.id}} in person.bridge.calls


def test_without_a_verifier_the_panel_says_where_to_go(world: PageWorld, person: Panel) -> None:
    world.workspace.proof.unlink()
    plan = world.plan(people=1)
    shows(person, "list_reviews", plan_id=plan.id)
    expect(person.frame.get_by_text("Type it once on the review page or in a terminal")).to_be_visible()
    assert person.frame.get_by_label("Your passphrase").count() == 0


def test_the_panel_works_by_keyboard_alone(world: PageWorld, person: Panel) -> None:
    plan = world.plan(people=1)
    shows(person, "list_reviews", plan_id=plan.id)
    person.reads()
    for _ in range(40):
        person.tab.keyboard.press("Tab")
        if person.frame.locator("#passphrase:focus").count():
            break
    person.tab.keyboard.type(PASSPHRASE)
    person.tab.keyboard.press("Enter")
    expect(person.frame.get_by_text("Approved: 1 person.")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.APPROVED


@pytest.mark.skipif(not AXE, reason=WITHOUT_AXE)
def test_the_panel_has_no_accessibility_violation(world: PageWorld, person: Panel) -> None:
    plan = world.plan(MAIL, LINKEDIN, people=60, company="O'Neil & Sons")
    sql(world, "UPDATE step_run SET content = ?", "Hi \u202e<b>Sons</b>,")  # the guards let none in
    for theme in ("light", "dark"):
        shows(person, "list_reviews", plan_id=plan.id, theme=theme)
        expect(person.frame.get_by_label("Your passphrase")).to_be_visible()
        person.photographs(f"panel-{theme}")
        assert violations(person.tab.frames[1]) == [], theme


@pytest.fixture(scope="module")
def asking(running_browser: RunningBrowser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frame]:
    """Yield a panel that asks for the passphrase, opened once for all who only call its functions."""
    world = PageWorld(tmp_path_factory.mktemp("asking") / "data")
    lock_up(world, in_browser=True)
    plan = world.plan(people=1)
    with ExitStack() as opened:
        with running_browser.taken() as browser:
            person = opened.enter_context(panel(browser, world, world.folder))
            shows(person, "list_reviews", plan_id=plan.id)
            expect(person.frame.get_by_label("Your passphrase")).to_be_visible()
        yield person.tab.frames[1]
        with running_browser.taken():
            opened.close()


VECTORS = [  # RFC 7914, section 12
    ("", "", 16, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"),
    ("password", "NaCl", 1024, 8, 16, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"),
    (
        "pleaseletmein",
        "SodiumChloride",
        16384,
        8,
        1,
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2",
    ),
]


@pytest.mark.parametrize(("secret", "salt", "n", "r", "p", "key"), VECTORS)
def test_the_panel_derives_as_the_standard_says(
    asking: Frame, browser: Browser, secret: str, salt: str, n: int, r: int, p: int, key: str
) -> None:
    asked = "async ([secret, salt, how]) => hex(await scrypt(utf8(secret), utf8(salt), how))"
    assert asking.evaluate(asked, [secret, salt, {"n": n, "r": r, "p": p}]) == key


@pytest.mark.parametrize(
    "asked",
    [
        "scrypt:2:8:1:",
        "scrypt:16384:8:1:",
        "scrypt:65535:8:1:",
        "scrypt:65536:1:1:",
        "scrypt:1073741824:8:1:",
        "pbkdf2:65536:8:1:",
    ],
)
def test_a_cheap_derivation_that_somebody_asks_for_is_not_made(
    asking: Frame, browser: Browser, asked: str
) -> None:
    tried = "(asked) => { try { return derivation(asked).n } catch (error) { return error.message } }"
    assert "Your passphrase was not used" in str(asking.evaluate(tried, asked + "00" * 16))
    assert "Your passphrase was not used" in str(asking.evaluate(tried, "scrypt:65536:8:1:" + "00" * 8))
    assert asking.evaluate(tried, "scrypt:65536:8:1:" + "00" * 16) == 65536
