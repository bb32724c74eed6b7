"""Plans: what was approved is exactly what was shown, once, in time, under the same settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.world.engine import EMAIL, LATER, EngineWorld, planned

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import ContentSource, Sourcing
from sequences_mcp.domain.plan import Plan, PlanHeader, PlanStatus
from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.engine.approvals import decide, voided
from sequences_mcp.errors import ApprovalError, ConflictError, InvalidArgumentsError, NotFoundError
from sequences_mcp.ports.embedded import StepText

WRITTEN = EMAIL.model_copy(update={"content_source": ContentSource.SUGGESTED})


async def approve(world: EngineWorld, plan: Plan) -> Plan:
    return await world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))


async def test_nothing_is_scheduled_before_the_yes_and_everything_after_it(world: EngineWorld) -> None:
    people = [await world.contact(f"p{number}@example.org") for number in range(3)]
    plan = await world.plan(*people)
    assert (plan.status, plan.people, len(plan.digest)) == (PlanStatus.WAITING, 3, 64)
    assert world.worker().run_due() == 0
    approved = await approve(world, plan)
    assert (approved.status, approved.decided_by) == (PlanStatus.APPROVED, "terminal")
    assert {one.status for one in await world.runs()} == {SequenceStatus.ACTIVE}
    assert world.worker().run_due() == 3
    assert len(world.mails) == 3


async def test_people_keep_the_order_in_which_they_were_added(world: EngineWorld) -> None:
    people = [await world.contact(f"p{number}@example.org") for number in range(5)]
    plan = await world.plan(*reversed(people))
    page = await world.local.plans.list_people(plan.id, page=2, size=2)
    assert [one.contact.id for one in page.items] == [people[2].id, people[1].id]
    assert page.total_count == 5


async def test_another_digest_is_not_an_approval(world: EngineWorld) -> None:
    plan = await world.plan(await world.contact("a@example.org"))
    with pytest.raises(ApprovalError, match="digest"):
        await world.local.plans.approve_plan(plan.id, digest="0" * 64, actor=Actor("terminal"))
    assert (await world.local.plans.get_plan(plan.id)).status is PlanStatus.WAITING


async def test_a_plan_can_be_approved_once(world: EngineWorld) -> None:
    plan = await world.approved(await world.contact("a@example.org"))
    with pytest.raises(ApprovalError, match="approved"):
        await approve(world, plan)


async def test_a_plan_that_nobody_approved_in_a_day_is_expired_and_its_people_refused(world: EngineWorld) -> None:
    plan = await world.plan(await world.contact("a@example.org"))
    world.clock.forward(hours=24)
    with pytest.raises(ApprovalError, match="nobody approved it in time"):
        await approve(world, plan)
    assert (await world.local.plans.get_plan(plan.id)).status is PlanStatus.EXPIRED
    assert (await world.local.plans.list_plans(page=1, size=10)).total_count == 0
    (run,) = await world.runs()
    assert (run.status, run.reason) == (SequenceStatus.REFUSED, "nobody approved it in time")


async def test_a_plan_that_was_never_finished_is_cleared_away_after_an_hour(world: EngineWorld) -> None:
    blueprint = await world.blueprint(EMAIL)
    header = PlanHeader(
        blueprint_id=blueprint.id,
        blueprint_version=1,
        blueprint_name="Test",
        terms=world.terms,
        expires_at=world.clock.now + timedelta(hours=24),
    )
    plan = await world.local.plans.open_plan(header)
    await world.local.plans.add_people(plan.id, [planned(await world.contact("a@example.org"), blueprint, {})])
    with pytest.raises(ApprovalError, match="drafting"):
        await approve(world, plan)
    world.clock.forward(minutes=61)
    assert (await world.local.plans.get_plan(plan.id)).status is PlanStatus.EXPIRED
    assert (await world.runs())[0].status is SequenceStatus.REFUSED


@pytest.mark.parametrize(
    "other", [{"sender_address": "eve@example.com"}, {"sender_address": "", "sender_name": ""}]
)
async def test_a_plan_is_approved_as_it_was_made_whatever_the_settings_where_a_person_sits(
    world: EngineWorld, other: dict[str, str]
) -> None:
    plan = await world.plan(await world.contact("a@example.org"))
    elsewhere = world.under(**other)
    await approve(elsewhere, plan)
    assert (await world.local.plans.get_plan(plan.id)).status is PlanStatus.APPROVED
    assert elsewhere.worker().run_due() == 0
    world.worker().run_due()
    assert len(world.mails) == 1


async def test_a_newer_blueprint_voids_the_plan_which_cannot_be_renewed(world: EngineWorld) -> None:
    blueprint = await world.blueprint(EMAIL)
    plan = await world.plan(await world.contact("a@example.org"), blueprint=blueprint)
    await world.local.update_blueprint(
        blueprint.id, expected_version=1, name="Test", steps=[LATER], sourcing=Sourcing()
    )
    [shown] = (await world.local.plans.list_plans(page=1, size=9)).items
    assert shown.is_outdated and (await world.local.plans.get_plan(plan.id)).is_outdated  # before anybody decides
    with pytest.raises(ApprovalError, match="newer version"):
        await approve(world, plan)
    with pytest.raises(ConflictError, match="newer version"):
        await world.local.plans.renew_plan(plan.id)


async def test_a_newer_blueprint_does_not_touch_who_is_under_way(world: EngineWorld) -> None:
    blueprint = await world.blueprint(EMAIL)
    await world.approved(await world.contact("a@example.org"), blueprint=blueprint)
    await world.local.update_blueprint(
        blueprint.id, expected_version=1, name="Test", steps=[LATER], sourcing=Sourcing()
    )
    world.worker().run_due()
    (run,) = await world.runs()
    assert (run.status, run.blueprint_version) == (SequenceStatus.COMPLETED, 1)


async def test_an_edited_text_changes_the_digest_so_that_the_old_one_approves_nothing(world: EngineWorld) -> None:
    plan = await world.plan(await world.contact("a@example.org"))
    (run,) = await world.runs()
    await world.local.rewrite_texts(run.id, {"s1": StepText(subject="Hi", content="Something else.")})
    with pytest.raises(ApprovalError, match="digest"):
        await approve(world, plan)
    assert (await approve(world, await world.local.plans.get_plan(plan.id))).status is PlanStatus.APPROVED


async def test_missing_texts_hold_the_approval_until_they_are_written(world: EngineWorld) -> None:
    blueprint = await world.blueprint(WRITTEN)
    person = await world.contact("a@example.org")
    plan = await world.plan(person, blueprint=blueprint, texts={"s1": None})
    assert (plan.missing_texts, plan.to_read) == (1, 0)
    with pytest.raises(ApprovalError, match="still to be written"):
        await approve(world, plan)
    (run,) = await world.runs()
    await world.local.rewrite_texts(run.id, {"s1": StepText(subject="Hi", content="Just for you.")})
    plan = await world.local.plans.get_plan(plan.id)
    assert (plan.missing_texts, plan.to_read) == (0, 1)
    assert (await world.runs())[0].steps[0].generation == 0
    await approve(world, plan)
    world.worker().run_due()
    assert (await world.runs())[0].steps[0].state is StepState.SENT


async def test_a_missing_text_no_longer_counts_once_its_person_is_stopped(world: EngineWorld) -> None:
    blueprint = await world.blueprint(WRITTEN)
    people = [await world.contact("a@example.org"), await world.contact("b@example.org")]
    plan = await world.plan(*people, blueprint=blueprint, texts={"s1": None})
    await world.local.suppressions.suppress("address", "a@example.org", reason="asked")
    assert (await world.local.plans.get_plan(plan.id)).missing_texts == 1


async def test_who_is_suppressed_busy_or_moved_by_the_time_of_the_yes_is_refused_with_the_reason(
    world: EngineWorld,
) -> None:
    blueprint = await world.blueprint(EMAIL)
    names = ("a", "b", "c", "d")
    people = {
        name: await world.contact(f"{name}@example.org", phone=f"+3361234567{ord(name) % 10}") for name in names
    }
    plan = await world.plan(*people.values(), blueprint=blueprint)
    mark = ("address", "d@example.org")
    world.store.suppressions.add(mark, reason="asked", actor=Actor("tester"), now=world.clock.now)
    await world.approved(people["b"], blueprint=await world.blueprint(LATER))
    await world.contact("moved@example.org", of=people["c"].id)
    await approve(world, plan)
    runs = {one.contact_id: one for one in await world.runs() if one.plan_id == plan.id}
    assert runs[people["a"].id].status is SequenceStatus.ACTIVE
    assert all(runs[people[name].id].status is SequenceStatus.REFUSED for name in "bcd")
    assert runs[people["d"].id].reason == "suppressed: asked"
    assert "another sequence is under way" in (runs[people["b"].id].reason or "")
    assert "moved@example.org" in (runs[people["c"].id].reason or "")


async def test_one_person_twice_in_a_plan_is_started_once(world: EngineWorld) -> None:
    person = await world.contact("a@example.org")
    await world.approved(person, person)
    assert [one.status for one in await world.runs()] == [SequenceStatus.ACTIVE, SequenceStatus.REFUSED]


async def test_a_refusal_ends_everybody_with_its_reason(world: EngineWorld) -> None:
    plan = await world.plan(await world.contact("a@example.org"))
    refused = await world.local.plans.refuse_plan(plan.id, reason="wrong list", actor=Actor("terminal"))
    assert (refused.status, refused.reason) == (PlanStatus.REFUSED, "wrong list")
    assert [(one.status, one.reason) for one in await world.runs()] == [(SequenceStatus.REFUSED, "wrong list")]
    with pytest.raises(ConflictError):
        await world.local.plans.refuse_plan(plan.id, reason="again", actor=Actor("terminal"))
    with pytest.raises(ApprovalError, match="rejected"):
        await approve(world, plan)


async def test_a_renewed_plan_needs_a_new_yes_and_then_lets_go_what_was_held(world: EngineWorld) -> None:
    plan = await world.approved(await world.contact("a@example.org"))
    later = world.under(spacing=30)
    later.worker().run_due()
    renewed = await later.local.plans.get_plan(plan.id)
    assert (renewed.status, renewed.header.terms.spacing) == (PlanStatus.WAITING, 30)
    (run,) = await later.runs()
    assert (run.status, run.steps[0].state) == (SequenceStatus.WAITING_FOR_USER, StepState.HELD)
    assert renewed.digest != plan.digest
    assert later.worker().run_due() == 0
    with pytest.raises(ApprovalError, match="another one"):
        await approve(later, plan)
    await approve(later, renewed)
    later.worker().run_due()
    assert len(later.mails) == 1


async def test_a_renewal_that_is_refused_stops_who_was_under_way(world: EngineWorld) -> None:
    plan = await world.approved(await world.contact("a@example.org"))
    later = world.under(spacing=30)
    later.worker().run_due()
    await later.local.plans.refuse_plan(plan.id, reason="enough", actor=Actor("terminal"))
    assert [one.status for one in await later.runs()] == [SequenceStatus.STOPPED_EARLY]


async def test_a_renewal_that_nobody_approves_is_void_again_and_can_be_renewed(world: EngineWorld) -> None:
    plan = await world.approved(await world.contact("a@example.org"))
    with world.store.transaction() as work:
        decide(work, voided(plan, "it is late"), action="void", now=world.clock.now, actor=Actor("engine"))
    await world.local.plans.renew_plan(plan.id)
    world.clock.forward(hours=25)
    assert (await world.local.plans.get_plan(plan.id)).status is PlanStatus.VOID
    assert (await world.local.plans.renew_plan(plan.id)).status is PlanStatus.WAITING


async def test_settings_that_nobody_approves_leave_the_approval_as_it_was(world: EngineWorld) -> None:
    plan = await world.approved(await world.contact("a@example.org"))
    later = world.under(spacing=30)
    later.worker().run_due()
    later.clock.forward(days=3)
    assert (await later.local.plans.get_plan(plan.id)).status is PlanStatus.WAITING
    assert (await world.local.plans.get_plan(plan.id)).digest == plan.digest
    world.worker().run_due()
    assert len(world.mails) == 1


async def test_a_process_that_lacks_the_settings_offers_no_others(world: EngineWorld) -> None:
    plan = await world.approved(await world.contact("a@example.org"))
    bare = world.under(sender_address="", sender_name="")
    assert await bare.local.plans.get_plan(plan.id) == plan
    assert (await bare.local.plans.list_plans(page=1, size=10)).items == ()
    (detail,) = await bare.details()
    assert "approved for other settings (Ada Lovelace <ada@example.com> through outbox)" in detail.outlook.why


async def test_a_crash_between_the_decision_and_the_people_is_made_good(world: EngineWorld) -> None:
    people = [await world.contact(f"p{number}@example.org") for number in range(3)]
    plan = await world.plan(*people)
    decided = replace(plan, status=PlanStatus.APPROVED, decided_at=world.clock.now, decided_by=Actor("terminal"))
    world.store.approvals.record(plan.id, digest=plan.digest, actor=Actor("terminal"), now=world.clock.now)
    world.store.plans.update(decided, unsettled=True)
    assert world.worker().run_due() == 3
    assert len(world.mails) == 3
    assert world.store.plans.unfinished() == []


async def test_a_plan_without_people_unknown_people_or_other_steps_is_refused(world: EngineWorld) -> None:
    blueprint, other = await world.blueprint(EMAIL), await world.blueprint(LATER)
    person = await world.contact("a@example.org")
    with pytest.raises(InvalidArgumentsError, match="no people"):
        await world.plan(blueprint=blueprint)
    plan = (await world.approved(person, blueprint=blueprint)).id
    with pytest.raises(ConflictError, match="approved"):
        await world.local.plans.add_people(plan, [planned(person, blueprint, {})])
    header = (await world.local.plans.get_plan(plan)).header
    fresh = await world.local.plans.open_plan(header)
    with pytest.raises(InvalidArgumentsError, match="steps"):
        await world.local.plans.add_people(fresh.id, [planned(person, other, {})])
    with pytest.raises(NotFoundError, match="local:ct_none"):
        await world.local.plans.add_people(fresh.id, [planned(replace(person, id="local:ct_none"), blueprint, {})])
    with pytest.raises(NotFoundError, match="version 7"):
        await world.local.plans.open_plan(replace(header, blueprint_version=7))


async def test_the_audit_says_who_approved_what(world: EngineWorld) -> None:
    plan = await world.approved(await world.contact("a@example.org"))
    entry = next(one for one in world.store.audit.entries(subject=plan.id) if one.action == "plan.approved")
    assert (entry.actor, entry.detail["digest"]) == ("terminal", plan.digest)
