"""A plan is reviewed on one screen: by keys, edited in place, thinned out, and approved with few of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from benchmarks import review
from playwright.sync_api import Browser, Locator, Route, expect
from tests.review_page.page_browser import PHONE, Screen, screen
from tests.world.page import LINKEDIN, MAIL, PageWorld, Visitor

from sequences_mcp.context import AppContext
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.run import Run, SequenceStatus
from sequences_mcp.services.reviews import edit_draft

Opened: TypeAlias = Callable[[Plan], AbstractContextManager[Screen]]
MAILBOX = """\
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
spacing = 0
signature = "Ada Lovelace\\nAnalytical Engines"
reply_to = "team@lovelace.example"
"""
PRESS_AT_ONCE = """
(keys) => {
  for (const key of keys)
    document.getElementById("texts").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}
"""
LOADED_FILES = """
performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("/static/page.") || name.includes("/static/review."))
  .map((file) => [new URL(file.name).pathname.split("/").pop(), file.transferSize])
"""


def with_texts_of_their_own(world: PageWorld, plan: Plan, number: int) -> None:
    """Let an agent write a text of its own for so many people of a plan."""

    async def write(app: AppContext) -> None:
        people = (await app.plans.list_people(plan.id, page=1, size=number)).items
        for person in people:
            text = f"Hello {{{{firstname}}}}, your talk {person.sequence.ordinal} was good. Is a call worth it?"
            await edit_draft(app, draft_id=f"local:draft_{person.sequence.steps[0].key}", content=text)

    world.at_desk(write)


@pytest.fixture
def opened(world: PageWorld, browser: Browser, shots: Path) -> Opened:
    """Open the screen of a plan in a browser of its own, unlocked."""

    @contextmanager
    def opening(plan: Plan) -> Iterator[Screen]:
        with screen(browser, world, shots) as person:
            person.opens(f"/plans/{plan.id}")
            person.unlocks()
            yield person

    return opening


def presses(person: Screen, *keys: str) -> None:
    for key in keys:
        person.tab.keyboard.press(key)


def at(person: Screen, name: str) -> None:
    """Wait until somebody's texts are on the screen, nothing is on its way, and the script takes keys."""
    expect(person.tab.locator("#person")).to_contain_text(name)
    expect(person.tab.locator("main[aria-busy]")).to_have_count(0)
    expect(person.tab.locator(".keys")).to_be_visible()


def begins_to_edit(person: Screen) -> Locator:
    """Press ``e``, and return the text that can be edited then."""
    presses(person, "e")
    text = person.tab.get_by_role("textbox", name="Text")
    expect(text).to_be_focused()
    return text


@contextmanager
def held_back(person: Screen, path: str) -> Iterator[None]:
    """Answer requests for a path only once the block has ended."""
    waiting: list[Route] = []
    pass_on = waiting.append

    def meet(route: Route) -> None:
        pass_on(route)

    person.tab.route(path, meet)
    yield
    pass_on = Route.continue_
    for route in waiting:
        pass_on(route)


def name_now(person: Screen) -> str:
    return str(person.tab.locator("#person").inner_text())


def goes_on(person: Screen, key: str) -> None:
    """Press a key that leads to somebody else, and wait for them."""
    before = name_now(person)
    presses(person, key)
    expect(person.tab.locator("#person")).not_to_have_text(before)


def test_sixty_people_are_read_edited_thinned_out_and_approved_in_few_key_presses(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = review.planned(world)
    with screen(browser, world, shots) as person:
        review.open_watched(person, plan)
        person.photographs("review-60")
        walked = review.walk(person)
        person.photographs("review-60-approved")
    print(f"{walked.pressed} key presses, the slowest load took {walked.slowest:.0f} ms")
    assert walked.pressed <= review.MOST_KEYS
    assert world.present(plan.id).status is PlanStatus.APPROVED
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=review.PEOPLE)).items
    assert sum(one.sequence.status is SequenceStatus.STOPPED_EARLY for one in people) == 3
    assert sum("!Hello" in (one.sequence.steps[0].content or "") for one in people) == 2


@pytest.mark.alone
def test_a_screen_of_the_review_loads_in_a_few_times_what_the_smallest_file_takes(
    world: PageWorld, opened: Opened
) -> None:
    plan, walked = review.planned(world), review.Walked()
    with opened(plan) as person:
        review.load_one_by_one(person, world, plan, walked=walked)
    best, bare = min(load["whole"] for load in walked.loads), min(walked.bare)
    assert best <= review.TIMES_BARE * bare, f"{best:.0f} ms against {bare:.0f} ms"


def test_the_files_of_a_screen_are_kept_by_the_browser_under_the_hash_of_what_they_hold(
    world: PageWorld, opened: Opened
) -> None:
    plan = world.plan(people=1)
    with opened(plan) as person:
        person.tab.wait_for_load_state("load")  # what is still on its way is given up by whoever goes on
        person.opens(f"/plans/{plan.id}")
        kept = dict(person.tab.evaluate(LOADED_FILES))
        for path in re.findall(r"/static/[^\"]*", person.tab.content()):
            assert "immutable" in person.visitor.get(path).headers["cache-control"]
            assert person.visitor.get(path.partition("?")[0]).headers["cache-control"] == "no-store"
    assert kept == {"page.css": 0, "page.js": 0, "review.js": 0}  # bytes over the connection


def test_a_kept_file_that_is_not_what_the_screen_names_is_not_run(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    with screen(browser, world, shots) as person:
        person.tab.route("**/static/page.js*", lambda route: route.fulfill(body="document.title = 'taken over'"))
        person.opens("/unlock")
        expect(person.tab.get_by_role("button", name="Unlock")).to_be_visible()
        assert person.tab.title() != "taken over"


def test_a_plan_of_three_is_approved_with_one_click_after_unlocking(world: PageWorld, opened: Opened) -> None:
    plan = world.plan(MAIL, people=3)
    with opened(plan) as person:
        person.photographs("review-3")
        person.tab.get_by_role("button", name="Approve 3 people").click()
        expect(person.tab.get_by_text("Approved by page")).to_be_visible()
    assert world.present(plan.id).decided_by == "page"


def test_j_and_k_walk_through_everybody_and_back_leads_back(world: PageWorld, opened: Opened) -> None:
    plan = world.plan(people=52)
    with opened(plan) as person:
        at(person, "Grace Hopper0")
        goes_on(person, "j")
        goes_on(person, "j")
        at(person, "Barbara Hopper2")
        presses(person, "k")
        at(person, "Linus Hopper1")
        person.tab.go_back()
        at(person, "Barbara Hopper2")
        person.tab.get_by_role("link", name="Next", exact=True).click()
        at(person, "Grace Hopper50")
        presses(person, "k")
        at(person, "Radia Hopper49")
        goes_on(person, "j")
        goes_on(person, "j")
        at(person, "Linus Hopper51")
        presses(person, "j")
        at(person, "Linus Hopper51")
        assert f"/plans/{plan.id}/people/" in person.tab.url


@pytest.mark.parametrize("key", ["j", "Enter"])
def test_a_key_held_down_or_pressed_before_the_answer_is_there_leaves_one_screen(
    world: PageWorld, opened: Opened, key: str
) -> None:
    plan = world.plan(people=6)
    with_texts_of_their_own(world, plan, 6)
    with opened(plan) as person:
        at(person, "Grace Hopper0")
        expect(person.tab.locator(".walk .turn")).to_contain_text("5 to go")
        for _ in range(20):
            person.tab.keyboard.down(key)  # each after the first says that it is a repetition
        at(person, "Linus Hopper1")
        for _ in range(20):
            person.tab.keyboard.down(key)
        person.tab.keyboard.up(key)
        at(person, "Linus Hopper1")
        expect(person.tab.locator(".walk .turn")).to_contain_text("4 to go")
        person.tab.evaluate(PRESS_AT_ONCE, [key] * 5)
        at(person, "Barbara Hopper2")
        expect(person.tab.locator(".walk .turn")).to_contain_text("3 to go")
        left = person.tab.locator("#decide").inner_text()
    assert "3 people to go" in left


def test_e_pressed_before_the_next_screen_is_there_opens_the_editor_on_it(
    world: PageWorld, opened: Opened
) -> None:
    plan = world.plan(people=3)
    with opened(plan) as person:
        at(person, "Grace Hopper0")
        person.tab.evaluate(PRESS_AT_ONCE, ["j", "e"])
        at(person, "Linus Hopper1")
        expect(person.tab.get_by_role("textbox", name="Text")).to_be_focused()
        assert person.tab.locator(".edit[open]").count() == 1


def test_e_opens_no_editor_on_a_person_whom_a_key_has_left_when_the_next_does_not_come(
    world: PageWorld, opened: Opened
) -> None:
    plan = world.plan(people=3)
    with opened(plan) as person:
        at(person, "Grace Hopper0")
        person.tab.route("**/people/*", lambda route: route.abort())
        person.tab.evaluate(PRESS_AT_ONCE, ["j", "e"])
        expect(person.tab.get_by_role("alert")).to_contain_text("The server did not answer")
        at(person, "Grace Hopper0")
        assert person.tab.locator(".edit[open]").count() == 0
        person.tab.unroute("**/people/*")
        presses(person, "j")
        at(person, "Linus Hopper1")


def test_a_text_typed_while_a_slow_key_is_under_way_is_there_when_somebody_goes_back_and_not_once_saved(
    world: PageWorld, opened: Opened
) -> None:
    plan = world.plan(people=3)
    with opened(plan) as person:
        at(person, "Grace Hopper0")
        before = person.tab.get_by_role("textbox", name="Text")
        with held_back(person, "**/people/*"):
            presses(person, "j")
            person.tab.locator(".edit summary").first.click()
            before.fill("Hello {{firstname}}, half of a sen")
        at(person, "Linus Hopper1")
        expect(person.tab.get_by_role("alert")).to_contain_text("What you typed on the screen before is not saved")
        presses(person, "k")
        at(person, "Grace Hopper0")
        text = person.tab.get_by_role("textbox", name="Text")
        expect(text).to_have_value("Hello {{firstname}}, half of a sen")
        text.fill("Hello {{firstname}}, is a call worth it?")
        presses(person, "Control+Enter")
        expect(person.tab.locator(".texts .text").first).to_contain_text("is a call worth it?")
        assert person.tab.locator(".edit[open]").count() == 0
        goes_on(person, "j")
        assert person.tab.get_by_role("alert").count() == 0


def test_keys_are_offered_once_the_script_is_there_that_takes_them(world: PageWorld, opened: Opened) -> None:
    plan = world.plan(people=3)
    with opened(plan) as person:
        at(person, "Grace Hopper0")
        with held_back(person, "**/static/review.js*"):
            person.tab.goto(f"{person.visitor.origin}/plans/{plan.id}?show=", wait_until="commit")
            expect(person.tab.locator("#decide")).to_be_visible()
            expect(person.tab.locator(".keys")).to_be_hidden()
        at(person, "Grace Hopper0")
        presses(person, "j")
        at(person, "Linus Hopper1")
        assert f"/plans/{plan.id}/people/" in person.tab.url


def test_no_key_takes_a_form_away_that_is_on_its_way(world: PageWorld, opened: Opened) -> None:
    plan = world.plan(MAIL, people=3)
    with opened(plan) as person:
        at(person, "Grace Hopper0")
        with held_back(person, "**/static/icon.svg*"):
            person.tab.get_by_role("button", name="Approve 3 people").click()
            person.tab.evaluate(PRESS_AT_ONCE, ["j", "e"])
            at(person, "Grace Hopper0")
            assert person.tab.locator(".edit[open]").count() == 0
        expect(person.tab.get_by_text("Approved by page")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.APPROVED


def test_on_a_phone_the_texts_that_count_as_read_stand_before_the_list(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=12)
    with screen(browser, world, shots, viewport=PHONE) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        person.photographs("review-phone-opened")
        person.tab.evaluate("scrollTo(0, 0)")
        tops = [
            person.tab.locator(part).first.evaluate("(part) => part.getBoundingClientRect().top")
            for part in (".texts .text", ".side", "#decide")
        ]
    assert tops == sorted(tops)
    assert tops[0] < PHONE["height"]


@pytest.mark.parametrize("conditions", ["?q=hopper", "?show=own", "?page=1", "?q=&show="])
def test_searching_filtering_and_paging_count_nobody_as_read(
    world: PageWorld, person: Visitor, conditions: str
) -> None:
    plan = world.plan(MAIL, people=3)
    with_texts_of_their_own(world, plan, 3)
    shown = person.get(f"/plans/{plan.id}{conditions}")
    assert "not counted as read" in shown.text and "3 people to go" in shown.text
    refused = person.post(f"/plans/{plan.id}/approve", digest=shown.field("digest"))
    assert (refused.status, "3 people to go" in refused.text) == (409, True)
    back = shown.field("then")
    assert person.post(f"/plans/{plan.id}/take-out", then=back).status == 422
    assert "3 people to go" in person.get(back).text
    first = re.search(r'href="([^"]*)">Open to read<', shown.text)
    assert first and "2 people to go" in person.get(first[1].replace("&amp;", "&")).text


AHEAD = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "Prefetch"},
    {"X-Moz": "prefetch"},
    {"X-Purpose": "preview"},
]


@pytest.mark.parametrize("headers", AHEAD)
def test_what_a_browser_loads_ahead_is_refused_and_counts_nobody_as_read(
    world: PageWorld, person: Visitor, headers: dict[str, str]
) -> None:
    plan = world.plan(MAIL, people=2)
    with_texts_of_their_own(world, plan, 2)
    run = first_run(world, plan)
    for path in (f"/plans/{plan.id}", f"/plans/{plan.id}/people/{run.id}", f"/plans/{plan.id}/texts"):
        answer = person.send("GET", path, headers=headers)
        assert (answer.status, "Open it" in answer.text, "talk" in answer.text) == (503, True, False)
    assert "2 people to go" in person.get(f"/plans/{plan.id}?page=1").text


def test_an_answer_without_a_body_counts_nobody_as_read(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, people=2)
    with_texts_of_their_own(world, plan, 2)
    draft = f"/texts/local:draft_{first_run(world, plan).steps[0].key}"
    for path in (f"/plans/{plan.id}", f"/plans/{plan.id}/texts", draft):
        assert person.send("HEAD", path).status == 200
    digest = world.present(plan.id).digest
    assert "Open one person of this plan first" in person.post(f"/plans/{plan.id}/approve", digest=digest).text
    assert "1 person to go" in person.get(f"/plans/{plan.id}").text


def test_what_is_typed_is_checked_as_it_is_typed_and_a_refused_text_is_kept(
    world: PageWorld, opened: Opened
) -> None:
    plan = world.plan(people=2)
    with opened(plan) as person:
        at(person, "Grace")
        text = begins_to_edit(person)
        text.fill("Hi [first name], would a call suit you? jkex")
        expect(person.tab.locator(".live li.error")).to_be_visible()
        person.photographs("review-finding")
        presses(person, "Control+Enter")
        expect(person.tab.locator(".live")).to_contain_text("The guards refuse")
        expect(text).to_have_value("Hi [first name], would a call suit you? jkex")
        text.fill("Hello {{firstname}}, would a call suit you?")
        expect(person.tab.get_by_text("The guards find nothing.")).to_be_visible()
        person.tab.get_by_role("button", name="Save").click()
        expect(person.tab.locator(".text").first).to_have_text("Hello Grace, would a call suit you?")
        expect(person.tab.get_by_text("changed for this person")).to_be_visible()
    assert first_run(world, plan).steps[0].content == "Hello Grace, would a call suit you?"


def test_a_text_that_somebody_else_changed_meanwhile_is_not_taken_for_read(
    world: PageWorld, opened: Opened
) -> None:
    plan = world.plan(people=1)
    with opened(plan) as person:
        at(person, "Grace")
        text = begins_to_edit(person)
        with_texts_of_their_own(world, plan, 1)
        text.fill("My own words.")
        presses(person, "Control+Enter")
        expect(person.tab.locator(".live")).to_contain_text("changed by somebody else")
        digest = world.present(plan.id).digest
        person.tab.evaluate(
            "(digest) => { document.querySelector('#approve [name=digest]').value = digest }", digest
        )
        person.tab.get_by_role("button", name="Approve 1 person").click()
        expect(person.tab.get_by_role("alert")).to_contain_text("Open one person of this plan first")
    assert world.present(plan.id).status is PlanStatus.WAITING


def test_the_keys_can_be_turned_off_and_do_nothing_where_somebody_types(world: PageWorld, opened: Opened) -> None:
    plan = world.plan(people=3)
    with opened(plan) as person:
        person.tab.get_by_placeholder("Name, company, title").press_sequentially("jxk")
        expect(person.tab.locator("#person")).to_contain_text("Grace Hopper0")
        person.tab.get_by_label("use these keys").uncheck()
        person.tab.locator("#texts").focus()
        presses(person, "x", "j")
        person.tab.reload()
        expect(person.tab.get_by_label("use these keys")).not_to_be_checked()
        expect(person.tab.locator("#person")).to_contain_text("Grace Hopper0")
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=3)).items
    assert {one.sequence.status for one in people} == {SequenceStatus.FOUND}


def test_people_are_searched_selected_and_taken_out_together(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=12, company="Hopper Ltd")
    with screen(browser, world, shots, viewport=PHONE) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        person.tab.get_by_placeholder("Name, company, title").fill("linus")
        person.tab.keyboard.press("Enter")
        expect(person.tab.get_by_role("heading", name="People (3)")).to_be_visible()
        for box in person.tab.get_by_role("checkbox", name="Select").all():
            box.check()
        person.photographs("review-phone")
        person.tab.get_by_role("button", name="Take the selected out").click()
        expect(person.tab.get_by_text("3 taken out, 9 left")).to_be_visible()
        person.tab.get_by_role("button", name="Approve 9 people").click()
        expect(person.tab.get_by_text("Approved by page")).to_be_visible()
    assert len(world.mails_after_work()) == 9


def test_people_are_filtered_and_the_filter_goes_along(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=6)
    with_texts_of_their_own(world, plan, 2)
    shown = person.get(f"/plans/{plan.id}?show=own").text
    assert "People (2)" in shown and re.search(r'rel="next" href="[^"]*\?show=own"', shown)
    out = re.findall(r'name="(out\.[^"]*)"', shown)
    assert person.post(f"/plans/{plan.id}/take-out", **{out[0]: "on"}).status == 303
    assert "People (1)" in person.get(f"/plans/{plan.id}?show=out").text
    assert "People (0)" in person.get(f"/plans/{plan.id}?show=warned").text
    assert "People (6)" in person.get(f"/plans/{plan.id}?q=hopper.EXAMPLE").text
    assert "People (0)" in person.get(f"/plans/{plan.id}?q=%25").text
    assert person.get(f"/plans/{plan.id}?show=nonsense").status == 422
    assert person.post(f"/plans/{plan.id}/take-out").status == 422


def first_run(world: PageWorld, plan: Plan) -> Run:
    """Return the run of the first person of a plan."""
    run: Run = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0].sequence
    return run


def test_nobody_of_another_plan_is_taken_out_with_the_selected(world: PageWorld, person: Visitor) -> None:
    plans = world.plan(people=1), world.plan(LINKEDIN, people=1, first=5)
    fields = {f"out.{first_run(world, plan).id}": "on" for plan in plans}
    assert person.post(f"/plans/{plans[0].id}/take-out", **fields).status == 404
    assert {first_run(world, plan).status for plan in plans} == {SequenceStatus.FOUND}


def test_warnings_are_acknowledged_by_their_number_before_a_yes_counts(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, people=2, first_name="Hopper0", last_name="Hopper0")
    shown = person.get(f"/plans/{plan.id}")
    known = {name: shown.field(name) for name in ("digest", "pauses")}
    number = shown.field("warnings")
    assert f"I have seen the {number} warnings" in shown.text
    for stated in ("", "1", "200"):
        answer = person.post(f"/plans/{plan.id}/approve", **known, warnings=stated)
        assert (answer.status, "Say that you have seen what it warns of" in answer.text) == (409, True)
    done = person.post(f"/plans/{plan.id}/approve", **known, warnings=number)
    assert done.status == 303, re.findall(r"<p>[^<]*</p>", done.text)


def test_texts_are_shown_as_the_mail_program_will_with_what_closes_them(world: PageWorld) -> None:
    (world.folder / "settings.toml").write_text(MAILBOX)
    plan = world.plan(MAIL, LINKEDIN, people=1)
    with world.page() as person:
        person.unlock()
        shown = person.get(f"/plans/{plan.id}").text
    assert "<dt>From</dt><dd>Ada Lovelace &lt;ada@lovelace.example&gt;</dd>" in shown
    assert "<dt>Reply to</dt><dd>team@lovelace.example</dd>" in shown
    assert "<dt>To</dt><dd>person0@hopper.example</dd>" in shown
    assert '<span class="closing">\n\nAda Lovelace\nAnalytical Engines</span>' in shown
    assert shown.index("1. Hello") < shown.index("2. Message")
