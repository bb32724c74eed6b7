"""Each variant of a step is read as somebody gets it before a yes counts, on the page and in a chat."""

from __future__ import annotations

from typing import Any

import pytest
from tests.review_page.test_forgery_matrix import sql
from tests.review_page.test_page_plan import approve
from tests.world.page import MAIL, Answer, PageWorld, Visitor, chat, lock_up, proven

from sequences_mcp.cli.report import report_lines
from sequences_mcp.context import AppContext
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.services.reports import report
from sequences_mcp.services.reviews import edit_draft

SUBJECTS = [{"subject": "A role"}, {"subject": "A question"}, {"subject": "{{firstname}}, a word"}]
TESTED = {**{name: value for name, value in MAIL.items() if name != "subject"}, "variants": SUBJECTS}
LATER = {**TESTED, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}


def runs(world: PageWorld, plan: Plan) -> dict[tuple[int, ...], list[str]]:
    """Return the runs of a plan by the variants of their steps."""

    async def read(app: AppContext) -> dict[tuple[int, ...], list[str]]:
        groups: dict[tuple[int, ...], list[str]] = {}
        for detail in (await app.plans.list_people(plan.id, page=1, size=100)).items:
            variants = tuple(-1 if step.variant is None else step.variant for step in detail.sequence.steps)
            groups.setdefault(variants, []).append(detail.sequence.id)
        return groups

    groups: dict[tuple[int, ...], list[str]] = world.at_desk(read)
    return groups


def at_once(world: PageWorld, person: Visitor, plan: Plan) -> Answer:
    """Say yes without looking at the plan once more, which would open whoever is next to be read."""
    return person.post(f"/plans/{plan.id}/approve", digest=world.present(plan.id).digest, pauses="")


def test_a_yes_counts_once_each_variant_was_opened_as_somebody_gets_it(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(TESTED, people=9)
    groups = runs(world, plan)
    assert {variants: len(people) for variants, people in groups.items()} == {(0,): 3, (1,): 3, (2,): 3}
    for number, letter in enumerate("AB"):
        person.get(f"/plans/{plan.id}/people/{groups[number,][0]}")
        early = at_once(world, person, plan)
        assert early.status == 409
        why = early.text.partition("Variants have not been opened as somebody gets them: ")[2].partition("</p>")[0]
        assert f"{letter} of step hello" not in why
        assert "C of step hello (3 people, such as" in why
        assert world.present(plan.id).status is PlanStatus.WAITING
    person.get(f"/plans/{plan.id}/people/{groups[2,][1]}")
    assert approve(person, plan.id).status == 303
    assert world.present(plan.id).status is PlanStatus.APPROVED


def test_read_next_goes_through_the_variants_and_the_list_has_a_group_of_each(
    world: PageWorld, person: Visitor
) -> None:
    plan = world.plan(TESTED, LATER, people=12)
    text = person.get(f"/plans/{plan.id}").text  # opens the first of them
    assert "Read each of the 6 variants as somebody gets it: " in text
    assert "12 people: variants A 4, B 4, C 4" in text
    for letter in "ABC":
        assert f"Variant {letter} of step 1, for 4 people" in text
    for _ in range(6):
        screen = person.get(f"/plans/{plan.id}/unread")
        if screen.headers["location"] == f"/plans/{plan.id}":
            break
        shown = person.get(screen.headers["location"]).text
        assert ", variant " in shown
    assert "✓" in person.get(f"/plans/{plan.id}").text
    assert approve(person, plan.id).status == 303


def test_whoever_has_a_text_of_their_own_does_not_stand_for_a_variant(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(TESTED, people=6)
    groups = runs(world, plan)

    async def write(app: AppContext) -> None:
        detail = await app.local.get_sequence(groups[1,][0])
        draft = f"local:draft_{detail.sequence.steps[0].key}"
        await edit_draft(app, draft_id=draft, content="Hello, your talk was good. Is a call worth it?")

    world.at_desk(write)
    for run in (groups[0,][0], groups[2,][0], groups[1,][0]):
        person.get(f"/plans/{plan.id}/people/{run}")
    early = at_once(world, person, plan)
    assert early.status == 409 and "B of step hello (1 person, such as" in early.text
    person.get(f"/plans/{plan.id}/people/{groups[1,][1]}")
    assert approve(person, plan.id).status == 303


def test_a_variant_is_read_again_where_its_text_has_changed_since(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(TESTED, people=3)
    for [run] in runs(world, plan).values():
        person.get(f"/plans/{plan.id}/people/{run}")
    sql(world, "UPDATE step_run SET content = 'Hi, another text altogether?' WHERE variant = 2")
    early = at_once(world, person, plan)
    assert early.status == 409
    assert "C of step hello" in early.text


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_the_panel_shows_each_variant_and_takes_no_yes_before_all_were_on_screen(
    world: PageWorld, era: str
) -> None:
    lock_up(world)
    plan = world.plan(TESTED, people=15)
    async with chat(world, mode=era) as host:
        for letter, left in (("A", "BC"), ("B", "C"), ("C", "")):
            shown = await host.show(plan)  # it opens with whose turn it is
            assert shown["person"]["texts"][0]["when"].endswith(f", variant {letter}")
            duty = next(duty for duty in shown["duties"] if "variants" in duty["words"])
            assert duty["done"] is not bool(left)
            assert [other for other in "ABC" if f"{other} of step hello" in duty["words"]] == list(left)
            if left:
                assert f"{left[0]} of step hello" in await host.refused(plan, proven(shown))
        assert shown["steps"][0]["told"] == "15 people: variants A 5, B 5, C 5"
        worked, facts = await host.approve(plan, proven(shown))
    assert worked, facts


def shown_lines(world: PageWorld, plan: Plan) -> tuple[str, ...]:
    from sequences_mcp.review.decide import look_up

    async def look(app: AppContext) -> Any:
        return (await look_up(app, plan.id)).lines

    lines: tuple[str, ...] = world.at_desk(look)
    return lines


def test_the_terminal_shows_each_variant_in_full_the_first_time_and_then_what_differs(world: PageWorld) -> None:
    plan = world.plan(TESTED, people=9)
    lines = shown_lines(world, plan)
    assert any(line.startswith("  hello: ") and line.endswith("; variants A 3, B 3, C 3") for line in lines)
    for letter in "ABC":
        assert sum(f", variant {letter}" in line for line in lines) == 1
    assert lines.count("  Subject: A role") == lines.count("  Subject: A question") == 1


def test_a_blueprints_page_shows_each_variant_filled_in(world: PageWorld, person: Visitor) -> None:
    named = {**TESTED, "variants": [{"name": "Short", "subject": "A role"}, {"subject": "{{firstname}}, a word"}]}
    plan = world.plan(named, people=2)
    text = " ".join(person.get(f"/blueprints/{plan.header.blueprint_id}").text.split())
    assert "2 variants: when people are started each of them gets one, in equal shares." in text
    assert "Variant A: Short" in text and "<dd>A role</dd>" in text
    assert "Variant B" in text and ", a word</dd>" in text and "{{firstname}}" not in text
    campaign = person.get(f"/campaigns/{plan.header.blueprint_id}").text
    assert "Variants of step hello" in campaign and "nobody yet" in campaign and "2 variants" in campaign

    async def at_terminal(app: AppContext) -> str:
        answer = await report(app, blueprint_id=plan.header.blueprint_id)
        return "\n".join(report_lines(answer))

    told: str = world.at_desk(at_terminal)
    assert "B “(first name), a word”: " in told and "{{" not in told
