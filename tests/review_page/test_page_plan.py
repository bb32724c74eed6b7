"""One plan on the page: what it shows, and when a yes counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.world.page import LINKEDIN, MAIL, WRITTEN, Answer, PageWorld, Visitor
from tests.world.product import plant

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.errors import ApprovalError
from sequences_mcp.review.decide import approve_in_terminal, look_up
from sequences_mcp.services.sequences import pause_sequence, resume_sequence


def test_the_front_page_shows_what_waits(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=3)
    page = person.get("/")
    assert page.status == 200
    assert f"/plans/{plan.id}" in page.text
    assert "3 people" in " ".join(page.text.split())


def test_a_plan_says_in_one_sentence_what_a_yes_causes(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, LINKEDIN, people=3)
    text = person.get(f"/plans/{plan.id}").text
    instant = '<time datetime="2026-11-23T12:00:00+00:00">Mon 2026-11-23 12:00 UTC</time>'
    assert f"starts 3 people: up to 3 e-mails and 3 LinkedIn tasks, the first about {instant}" in text
    assert "reach nobody" in text


def test_a_yes_counts_once_a_sample_was_opened(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=3)
    early = person.post(f"/plans/{plan.id}/approve", digest=plan.digest)
    assert early.status == 409
    assert "Open one person of this plan first" in early.text
    assert world.present(plan.id).status is PlanStatus.WAITING
    open_sample(person, plan.id)
    assert approve(person, plan.id).status == 303
    assert world.present(plan.id).status is PlanStatus.APPROVED


def test_more_than_fifty_people_are_approved_by_stating_their_number(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=51)
    open_sample(person, plan.id)
    for people in ("", "50", "510"):
        assert approve(person, plan.id, people=people).status == 409
    assert world.present(plan.id).status is PlanStatus.WAITING
    assert approve(person, plan.id, people="51").status == 303


def test_every_text_written_for_one_person_is_read_before_a_yes(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(WRITTEN, people=12, texts={"own": {"content": "Hi {{firstname}}, your talk was good."}})
    open_sample(person, plan.id)
    early = approve(person, plan.id)
    assert early.status == 409
    assert "have not been opened" in early.text
    for page in (1, 2):
        person.get(f"/plans/{plan.id}/texts?page={page}")
    assert approve(person, plan.id).status == 303


def test_one_person_is_taken_out_and_the_rest_are_approved(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(people=4)
    people = person.get(f"/plans/{plan.id}").text.split("/people/")[1:]
    out = people[0][: people[0].index('"')]
    assert person.post(f"/plans/{plan.id}/people/{out}/refuse").status == 303
    open_sample(person, plan.id)
    page = person.get(f"/plans/{plan.id}").text
    assert "1 taken out, 3 left" in page
    assert approve(person, plan.id).status == 303

    async def statuses(app: AppContext) -> list[SequenceStatus]:
        found = await app.plans.list_people(plan.id, page=1, size=10)
        return [one.sequence.status for one in found.items]

    assert sorted(world.at_desk(statuses)) == [SequenceStatus.ACTIVE] * 3 + [SequenceStatus.STOPPED_EARLY]


def test_a_plan_is_refused_in_one_click(world: PageWorld, person: Visitor) -> None:
    plan = world.plan()
    assert person.post(f"/plans/{plan.id}/refuse", reason="not now").status == 303
    found = world.present(plan.id)
    assert (found.status, found.reason, found.decided_by) == (PlanStatus.REFUSED, "not now", "page")


def test_a_hostile_name_and_text_are_shown_as_text(world: PageWorld, person: Visitor) -> None:
    hostile = "<script>alert(1)</script>\u202egnp\u200b"
    plan = world.plan({**MAIL, "content": "Hi, a bold idea."}, people=1, first_name="Hostile")
    plant(world.folder, "Hostile", hostile)
    plant(world.folder, "bold", "<b>bold</b>")
    sample = open_sample(person, plan.id).text
    for text in (sample, person.get(f"/plans/{plan.id}").text):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩gnp⟨U+200B⟩" in text
    assert "a &lt;b&gt;bold&lt;/b&gt; idea" in sample


def test_a_plan_without_problems_shows_no_finding(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, LINKEDIN)
    assert 'class="findings"' not in open_sample(person, plan.id).text


def test_what_differs_between_people_is_marked_by_its_field(world: PageWorld, person: Visitor) -> None:
    step = {**MAIL, "content": "Hi {{firstname}}, what {{candidateCompanyName}} does is close to it. A call?"}
    plan = world.plan(step, people=2, company="Hopper Ltd", job_title="Admiral")
    grace = open_sample(person, plan.id).text
    assert 'Hi <mark title="First name">Grace</mark>, what <mark title="Company">Hopper Ltd</mark> does' in grace
    told = " ".join(grace.partition("filled in for each person:")[2].partition("</p>")[0].split())
    assert told == "First name <mark>Grace</mark>, Company <mark>Hopper Ltd</mark>"
    assert grace.count("Admiral, Hopper Ltd") == 2
    assert 'Hi <mark title="First name">Linus</mark>' in next_person(person, grace).text


def next_person(person: Visitor, shown: str) -> Answer:
    """Go on to the next person of the list."""
    return person.get(shown.partition('rel="next" href="')[2].partition('"')[0])


def approve(person: Visitor, plan_id: str, **fields: str) -> Answer:
    """Press the button on the plan as it is shown now, the warnings of it seen."""
    shown = person.get(f"/plans/{plan_id}")
    known = {name: shown.field(name) for name in ("digest", "pauses")}
    if 'name="warnings"' in shown.text:
        known["warnings"] = shown.field("warnings")
    return person.post(f"/plans/{plan_id}/approve", **known, **fields)


def open_sample(person: Visitor, plan_id: str) -> Answer:
    """Open the first person of a plan."""
    return person.get(person.get(f"/plans/{plan_id}/sample").headers["location"])


def test_a_plan_that_is_void_because_it_is_late_says_so_and_is_renewed_read_and_approved(
    world: PageWorld, person: Visitor
) -> None:
    plan = world.plan(people=2)
    open_sample(person, plan.id)
    assert approve(person, plan.id).status == 303
    world.clock.forward(days=30)
    world.work_until(lambda: world.present(plan.id).status is PlanStatus.VOID)
    assert world.mails == []
    person.unlock()
    page = person.get(f"/plans/{plan.id}").text
    assert "approved on 2026-11-23" in page and "approve again" in page
    assert person.post(f"/plans/{plan.id}/renew").status == 303
    open_sample(person, plan.id)
    assert approve(person, plan.id).status == 303
    world.work_until(lambda: len(world.mails) == 2)


def test_who_was_paused_before_the_yes_is_marked_in_the_plan_and_starts_paused(
    world: PageWorld, person: Visitor
) -> None:
    plan = world.plan(MAIL, people=2)
    run = paused_in(world, plan.id)
    shown = person.get(f"/plans/{plan.id}").text
    assert shown.count("paused until <time") == 1 and "Wed 2026-11-25 12:00 UTC" in shown
    assert "Paused: once approved, nothing is sent before" in person.get(f"/plans/{plan.id}/people/{run}").text
    lines = world.at_desk(lambda app: look_up(app, plan.id)).lines
    assert sum("paused: after the approval nothing leaves before" in line for line in lines) == 1
    open_sample(person, plan.id)
    assert approve(person, plan.id).status == 303
    assert len(world.mails_after_work()) == 1
    assert world.at_desk(lambda app: app.local.get_sequence(run)).sequence.status is (
        SequenceStatus.WAITING_FOR_LEAD
    )
    world.clock.forward(days=3)
    assert len(world.mails_after_work()) == 2


def test_a_pause_taken_away_after_the_plan_was_read_is_told_before_a_yes_counts(
    world: PageWorld, person: Visitor
) -> None:
    plan = world.plan(MAIL, people=2)
    run = paused_in(world, plan.id)
    open_sample(person, plan.id)
    shown = person.get(f"/plans/{plan.id}")
    read = {name: shown.field(name) for name in ("digest", "pauses")}
    world.at_desk(lambda app: resume_sequence(app, sequence_id=run))
    late = person.post(f"/plans/{plan.id}/approve", **read)
    assert late.status == 409
    assert "people of it have been paused or resumed" in late.text
    told = late.text.partition("What changed since you read it:")[2].partition("</ul>")[0]
    assert "Grace Hopper" in told and "resumed" in told and "paused" not in told
    assert world.present(plan.id).status is PlanStatus.WAITING
    assert approve(person, plan.id).status == 303


def test_somebody_is_paused_on_their_own_page_before_the_yes_and_the_pause_is_taken_away_there(
    world: PageWorld, person: Visitor
) -> None:
    plan = world.plan(MAIL, people=1)
    run = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0].sequence.id
    before = person.get(f"/sequences/{run}").text
    assert "Pause for days" in before and "End the pause" not in before
    assert "They answered" not in before
    assert person.post(f"/sequences/{run}/pause", days="2").status == 303
    assert "End the pause" in person.get(f"/sequences/{run}").text
    assert "paused until <time" in person.get(f"/plans/{plan.id}").text
    assert person.post(f"/sequences/{run}/resume").status == 303
    assert "paused until <time" not in person.get(f"/plans/{plan.id}").text


def test_a_yes_in_a_terminal_to_other_pauses_than_were_shown_is_none(world: PageWorld) -> None:
    plan = world.plan(MAIL, people=2)
    run = paused_in(world, plan.id)

    async def too_late(app: AppContext) -> None:
        seen = await look_up(app, plan.id)
        await resume_sequence(app, sequence_id=run)
        with pytest.raises(ApprovalError, match="have been paused or resumed"):
            await approve_in_terminal(app, plan.id, seen=seen, people=None, actor=Actor("test"))
        await approve_in_terminal(app, plan.id, seen=await look_up(app, plan.id), people=None, actor=Actor("test"))

    world.at_desk(too_late)
    assert world.present(plan.id).status is PlanStatus.APPROVED


def paused_in(world: PageWorld, plan_id: str) -> str:
    """Pause the first person of a plan for two days; return their run."""

    async def pause(app: AppContext) -> str:
        first = (await app.plans.list_people(plan_id, page=1, size=1)).items[0].sequence
        await pause_sequence(app, sequence_id=first.id, paused_until=world.clock() + timedelta(days=2))
        return first.id

    return str(world.at_desk(pause))
