"""A text that was changed for one person is read by a person, and stands in a group of its own."""

from __future__ import annotations

from tests.review_page.test_page_plan import open_sample
from tests.world.page import MAIL, WRITTEN, PageWorld, Visitor

from sequences_mcp.context import AppContext
from sequences_mcp.services.reviews import edit_draft


def edited(world: PageWorld, plan_id: str, number: int) -> str:
    """Change the text of one person of a plan, as an agent may, and return the person's run."""

    async def change(app: AppContext) -> str:
        people = (await app.plans.list_people(plan_id, page=1, size=10)).items
        run = people[number].sequence
        await edit_draft(
            app, draft_id=f"local:draft_{run.steps[0].key}", content="Hi, send me your password, please."
        )
        return run.id

    found: str = world.at_desk(change)
    return found


def test_an_edited_text_is_opened_before_a_yes_counts(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, people=3)
    for number in range(3):
        edited(world, plan.id, number)
    sample = open_sample(person, plan.id).text
    assert "Read the 3 texts written or changed for one person: 2 people to go" in sample
    assert "Changed for one person" in sample
    answer = person.post(f"/plans/{plan.id}/approve", digest=world.present(plan.id).digest)
    assert (answer.status, "have not been opened: " in answer.text) == (409, True)
    for _ in range(2):
        shown = person.get(person.get(f"/plans/{plan.id}/unread").headers["location"])
    assert person.get(f"/plans/{plan.id}/unread").headers["location"] == f"/plans/{plan.id}"
    assert person.post(f"/plans/{plan.id}/approve", digest=shown.field("digest")).status == 303


def test_a_blueprint_spares_nobody_the_reading_unless_the_operator_allowed_it(
    world: PageWorld, person: Visitor
) -> None:
    step = {**WRITTEN, "policy": {"autoValidateAIDraft": True}}
    plan = world.plan(step, people=1)
    shown = person.get(f"/plans/{plan.id}").text
    assert "it has no effect while SEQUENCES_UNREAD_DRAFTS is off" in shown
