"""Every screen, with everything on it: each id once, no tool named, nothing cut, whoever the people are."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect
from tests.house.house_tree import ROOT, SRC
from tests.review_page.page_browser import PHONE, screen
from tests.review_page.test_forgery_matrix import sql
from tests.review_page.test_page_browser import somebody_answers
from tests.world.page import LINKEDIN, MAIL, WRITTEN, PageWorld, Visitor

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plain_words import SAID, STATUSES, for_person, for_terminal
from sequences_mcp.domain.plan import Plan
from sequences_mcp.errors import SequencesError
from sequences_mcp.ports.embedded import SequenceDetail, SequenceFilter
from sequences_mcp.server import catalog

TOOLS = re.compile(r"\b(?:" + "|".join(SAID) + r")\b")
MANY = 60
WIDE = ViewportSize(width=1280, height=900)
LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-" * 3
LATER = {
    **MAIL,
    "id": "later",
    "name": "Later",
    "temporalityType": "DELAYED",
    "delay": {"value": 3, "unit": "day"},
}


async def _approve(plan: Plan, app: AppContext) -> None:
    await app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test"))


async def _first_person(plan: Plan, app: AppContext) -> Page[SequenceDetail]:
    return await app.plans.list_people(plan.id, page=1, size=1)


def furnished(world: PageWorld) -> list[Plan]:
    """Fill the world with a thing of each kind; return the plans that wait."""
    task = world.plan({**LINKEDIN, "temporalityType": "ASAP", "delay": None}, people=1, first=900)
    sent = world.plan(MAIL, LATER, people=1, first=901)
    for plan in (task, sent):
        world.at_desk(partial(_approve, plan))
    world.mails_after_work()
    somebody_answers(world)
    world.at_desk(lambda app: app.suppressions.suppress("domain", "never.example", reason="asked"))
    written = world.plan(WRITTEN, people=12, first=950)
    void = world.plan(MAIL, people=1, first=970)
    sql(world, "UPDATE plan SET status = 'void', reason = 'start_sequence begins a new one' WHERE id = ?", void.id)
    return [world.plan(MAIL, LINKEDIN, LATER, people=MANY), written, void]


# Whatever is looked for in vain is told on the same screen as "/nowhere".
NOTHING_THERE = (
    "/contacts/local:ct_1",
    "/campaigns/local:bp_1",
    "/blueprints/x",
    "/plans/local:plan_1",
    "/texts/local:draft_1",
    "/sequences/local:seq_1",
)


def addresses(world: PageWorld, plans: list[Plan]) -> list[str]:
    """Return every screen there is something on."""
    found = ["/", "/unlock", "/sequences", "/tasks", "/mails", "/suppressions", "/audit", "/passkeys", "/nowhere"]
    found += ["/replies", "/replies?kind=unmatched", "/replies?page=9"]
    found += [
        "/campaigns",
        "/campaigns?q=engin&page=9",
        "/blueprints",
        "/settings",
        "/search?q=hopper",
        "/search?q=%25",
    ]
    found += ["/sequences?q=hopper&status=ACTIVE", *NOTHING_THERE, "/sequences/kalent:1", "/?page=9"]
    for plan in plans:
        people = world.at_desk(partial(_first_person, plan)).items
        run = people[0].sequence
        found += [
            f"/campaigns/{run.blueprint_id}",
            f"/blueprints/{run.blueprint_id}",
            f"/contacts/{run.contact_id}",
        ]
        found += [f"/plans/{plan.id}", f"/plans/{plan.id}/texts", f"/plans/{plan.id}/people/{run.id}"]
        found += [f"/texts/local:draft_{run.steps[0].key}", f"/sequences/{run.id}"]
    runs = world.at_desk(lambda app: app.local.list_sequences(_everybody())).items
    found += [f"/contacts/{one.sequence.contact_id}" for one in runs[:3]]
    found += [f"/campaigns/{one.sequence.blueprint_id}" for one in runs[:3]]
    return found + [f"/sequences/{one.sequence.id}" for one in runs[:5]] + [f"{found[0]}?page=2"]


def _everybody() -> SequenceFilter:
    return SequenceFilter(page=1, size=20)


def test_no_screen_has_an_id_twice_or_a_link_into_nothing(world: PageWorld, person: Visitor) -> None:
    for path in addresses(world, furnished(world)):
        page = person.get(path).text
        ids = Counter(re.findall(r'\bid="([^"]*)"', page))
        assert [one for one, number in ids.items() if number > 1] == [], path
        named = re.findall(r'(?:for|aria-labelledby|aria-describedby)="([^"]*)"', page)
        named += re.findall(rf'href="(?:{re.escape(path.partition("?")[0])}[^"#]*)?#([^"]*)"', page)
        assert [one for one in named if one not in ids] == [], path


def test_no_screen_names_a_tool_to_a_person(world: PageWorld, person: Visitor) -> None:
    for path in addresses(world, furnished(world)):
        assert TOOLS.findall(person.get(path).text) == [], path
    plan = world.plan(people=1, first=980)
    for form in (
        f"/plans/{plan.id}/approve",
        f"/plans/{plan.id}/renew",
        "/tasks/local:task_1",
        "/suppressions/lift",
    ):
        assert TOOLS.findall(person.post(form, digest="0" * 64, contact="x@y.example", outcome="done").text) == []


def test_every_tool_has_a_persons_words() -> None:
    everything = catalog.tool_names(frozenset({"kalent", "clarky", "topo"}))
    plain = {"report"}  # a word of everyday, which names the command and the screens too
    assert set(everything) - plain == set(SAID) & set(everything)
    for name in set(everything) - plain:
        for told in (f"{name} shows it.", f"Call {name} again.", f"Do it with {name}.", f"Look; `{name}` helps"):
            assert not TOOLS.search(for_person(told))


def test_no_sentence_of_a_template_runs_into_the_next_one() -> None:
    """The line break behind a block's end is left out, unless that says ``+%}``."""
    for file in sorted((ROOT / SRC / "review" / "page" / "templates").glob("*.html")):
        assert not re.findall(r"[.!?]\{% end\w+ %\}\n(?=[A-Z])", file.read_text("utf-8")), file.name


def test_words_of_this_program_are_said_to_a_person() -> None:
    assert for_person("list_reviews shows what waits.") == "The review page shows what waits."
    assert (
        for_person("Write it with edit_draft, then approve it.")
        == "Write it on the page of the text, then approve it."
    )
    assert for_person("Call start_sequence to plan it again.") == "Ask your assistant to plan it again."
    assert for_person("Nothing was approved.") == "Nothing was approved."
    for status, words in STATUSES.items():
        for said in (for_person, for_terminal):
            told = said(f"list_sequences with provider topo and status {status} shows them.")
            assert status not in told and f'status "{words}" shows them.' in told
    assert for_person("Then call update_sequence again.") == "Then ask your assistant to try again."
    assert for_person("find_contacts shows who there is.") == "The search of the review page shows who there is."
    assert for_person("Call list_providers first.") == "Ask your assistant first."
    assert for_person("list_providers tells.") == "sequences-mcp doctor tells."
    assert (
        for_person("To start anew, call start_sequence with another idempotency_key.")
        == "To start anew, ask your assistant."
    )


def test_an_error_in_a_terminal_names_no_tool(world: PageWorld) -> None:
    with pytest.raises(SequencesError) as caught:
        world.at_desk(lambda app: app.plans.get_plan("local:plan_1"))
    assert TOOLS.search(str(caught.value))
    assert not TOOLS.search(for_person(str(caught.value)))


def test_above_fifty_people_next_goes_to_the_people_of_the_next_page(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=MANY)
    with screen(browser, world, shots) as person:
        person.opens(f"/plans/{plan.id}")
        person.unlocks()
        person.tab.get_by_role("link", name="Next", exact=True).click()
        expect(person.tab.locator(".pager")).to_contain_text("Page 2 of 2")
        expect(person.tab.get_by_role("heading", name=f"People ({MANY})")).to_be_in_viewport()
        assert "page=2" in person.tab.url


def test_no_word_of_a_table_is_broken_and_no_screen_is_wider_than_its_window(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plans = furnished(world)
    sql(world, "UPDATE contact SET first_name = ?, company = ?", LONG, "شركة الأمل للبرمجيات")
    with screen(browser, world, shots) as person:
        person.opens("/")
        person.unlocks()
        for number, path in enumerate(dict.fromkeys(addresses(world, plans))):
            if path in NOTHING_THERE:
                continue
            person.opens(path)
            for window in (WIDE, PHONE) if number % 2 else (PHONE, WIDE):  # half as many changes of the window
                person.tab.set_viewport_size(window)
                person.photographs(f"screens-{window['width']}-{number:02}")
                assert not person.tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"), path
                assert person.tab.evaluate(BROKEN) == [], path


# The cells of a table whose short words stand on more than one line.
BROKEN = """
[...document.querySelectorAll("td, th")].flatMap((cell) => {
  const found = [];
  const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  const isOnSeveralLines = (node, start, end) => {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, end);
    return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
  };
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!isOnSeveralLines(node, 0, node.length)) continue;
    for (const word of node.data.matchAll(/\\S+/g)) {
      const isBroken = word[0].length <= 48 && isOnSeveralLines(node, word.index, word.index + word[0].length);
      if (isBroken) found.push(word[0]);
    }
  }
  return found;
})
"""
