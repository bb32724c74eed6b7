"""Single texts: what waits for a person, and that only a yes to exactly this text lets it go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.world.engine import EMAIL, LATER, MESSAGE, EngineWorld, FakeDelivery

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import ContentSource
from sequences_mcp.domain.run import SequenceStatus, StepState, TaskOutcome
from sequences_mcp.errors import (
    ApprovalError,
    ConflictError,
    DeliveryUnknownError,
    InvalidArgumentsError,
    NotFoundError,
)
from sequences_mcp.ports.embedded import Draft, StepText

WRITTEN = LATER.model_copy(update={"content_source": ContentSource.SUGGESTED})
NEW = {"s2": StepText(subject="Hi again", content="A better text.")}


async def drafts_of(world: EngineWorld, plan_id: str | None = None) -> tuple[Draft, ...]:
    return (await world.local.list_drafts(plan_id=plan_id, page=1, size=10)).items


async def test_a_plan_lists_its_missing_texts_and_those_written_for_one_person(world: EngineWorld) -> None:
    blueprint = await world.blueprint(EMAIL, WRITTEN)
    person = await world.contact("a@example.org")
    missing = await world.plan(person, blueprint=blueprint, texts={"s2": None})
    written = await world.plan(person, blueprint=blueprint)
    assert [(one.why, one.run.step.id) for one in await drafts_of(world, missing.id)] == [("missing", "s2")]
    assert [(one.why, one.run.step.id) for one in await drafts_of(world, written.id)] == [("written", "s2")]
    assert await drafts_of(world) == ()
    with pytest.raises(NotFoundError):
        await drafts_of(world, "local:plan_none")


async def test_an_edited_text_of_a_started_run_waits_until_exactly_it_is_approved(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(EMAIL, LATER))
    world.worker().run_due()
    (run,) = await world.runs()
    await world.local.rewrite_texts(run.id, NEW)
    (draft,) = await drafts_of(world)
    assert (draft.why, draft.run.content, draft.run.generation) == ("edited", "A better text.", 1)
    world.clock.forward(days=4)
    assert world.worker().run_due() == 0
    with pytest.raises(ApprovalError, match="digest"):
        await world.local.approve_draft(draft.id, digest="0" * 64, actor=Actor("terminal"))
    await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))
    assert world.worker().run_due() == 1
    assert "A better text." in world.mails[0].read_text() + world.mails[1].read_text()
    assert await drafts_of(world) == ()


async def test_an_approval_of_an_older_text_does_not_cover_a_newer_one(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(EMAIL, LATER))
    world.worker().run_due()
    (run,) = await world.runs()
    await world.local.rewrite_texts(run.id, NEW)
    (draft,) = await drafts_of(world)
    await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))
    await world.local.rewrite_texts(run.id, {"s2": StepText(subject=None, content="Another one.")})
    world.clock.forward(days=4)
    assert world.worker().run_due() == 0
    with pytest.raises(ApprovalError, match="digest"):
        await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))


async def test_a_text_in_flight_or_over_cannot_be_rewritten(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(EMAIL, LATER))
    world.worker().run_due()
    (run,) = await world.runs()
    with pytest.raises(ConflictError):
        await world.local.rewrite_texts(run.id, {"s1": StepText(subject="Hi", content="Too late.")})
    with pytest.raises(InvalidArgumentsError, match="'s9'"):
        await world.local.rewrite_texts(run.id, {"s9": StepText(subject="Hi", content="Where?")})
    assert (await world.runs())[0] == run


async def test_variables_are_replaced_and_need_no_new_text(world: EngineWorld) -> None:
    await world.plan(await world.contact("a@example.org"))
    (run,) = await world.runs()
    after = await world.local.rewrite_texts(run.id, {}, variables={"firstname": "Ann"})
    assert (await world.runs())[0] == after
    assert after.variables == {"firstname": "Ann"}


async def test_a_text_of_a_waiting_plan_is_approved_with_its_plan_only(world: EngineWorld) -> None:
    plan = await world.plan(await world.contact("a@example.org"), blueprint=await world.blueprint(EMAIL, WRITTEN))
    (draft,) = await drafts_of(world, plan.id)
    with pytest.raises(ApprovalError, match=plan.id):
        await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))


async def test_what_a_void_approval_holds_is_not_among_the_texts_to_approve(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    later = world.under(daily_cap=5)
    later.worker().run_due()
    (run,) = await later.runs()
    assert run.steps[0].state is StepState.HELD
    assert await drafts_of(later) == ()


async def unknown_draft(world: EngineWorld) -> Draft:
    await world.approved(await world.contact("a@example.org"))
    lost = DeliveryUnknownError("The connection was lost.", next_step="Look.")
    world.worker(FakeDelivery(after=lost)).run_due()
    (draft,) = await drafts_of(world)
    return draft


async def test_an_unknown_email_is_settled_as_sent_by_a_person(world: EngineWorld) -> None:
    draft = await unknown_draft(world)
    assert (draft.why, draft.sequence.status) == ("unknown", SequenceStatus.WAITING_FOR_USER)
    with pytest.raises(ConflictError, match="nothing to approve"):
        await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))
    settled = await world.local.resolve_unknown(draft.id, sent=True, actor=Actor("terminal"))
    assert (settled.status, settled.steps[0].state) == (SequenceStatus.COMPLETED, StepState.SENT)
    with pytest.raises(ConflictError):
        await world.local.resolve_unknown(draft.id, sent=True, actor=Actor("terminal"))


async def test_an_unknown_email_that_was_not_sent_goes_out_once_a_person_says_so(world: EngineWorld) -> None:
    draft = await unknown_draft(world)
    world.clock.forward(days=1)
    assert world.worker().run_due() == 0
    await world.local.resolve_unknown(draft.id, sent=False, actor=Actor("terminal"))
    world.worker().run_due()
    assert len(world.mails) == 1
    assert world.mails[0].name.startswith((draft.run.message_id or "?")[1:20])


async def test_a_task_is_listed_completed_once_and_moves_the_run_on(world: EngineWorld) -> None:
    message = MESSAGE.model_copy(update={"id": "s0"})
    person = await world.contact("a@example.org", linkedin_url="https://linkedin.com/in/a")
    await world.approved(person, blueprint=await world.blueprint(message, EMAIL))
    world.worker().run_due()
    (task,) = (await world.local.list_tasks(page=1, size=10)).items
    assert (task.run.content, task.contact) == ("Hello there.", person)
    done = await world.local.complete_task(task.id, outcome=TaskOutcome.DONE)
    assert (done.run.state, done.sequence.status) == (StepState.DONE, SequenceStatus.ACTIVE)
    with pytest.raises(ConflictError, match="no open task"):
        await world.local.complete_task(task.id, outcome=TaskOutcome.DONE)
    with pytest.raises(NotFoundError, match="list_tasks"):
        await world.local.complete_task("local:task_none", outcome=TaskOutcome.DONE)
    world.worker().run_due()
    assert len(world.mails) == 1


async def test_tasks_are_listed_the_oldest_first(world: EngineWorld) -> None:
    blueprint = await world.blueprint(MESSAGE)
    opened = []
    for name in "cab":
        person = await world.contact(f"{name}@example.org", linkedin_url=f"https://linkedin.com/in/{name}")
        await world.approved(person, blueprint=blueprint)
        world.worker().run_due()
        opened.append(person.id)
        world.clock.now += timedelta(minutes=1)
    first = await world.local.list_tasks(page=1, size=2)
    second = await world.local.list_tasks(page=2, size=2)
    assert [one.contact.id for one in (*first.items, *second.items)] == opened
    assert first.total_count == 3
