"""Runs: listed by any filter, paced, and stopped for one person or a whole company."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.world.engine import EMAIL, LATER, START, EngineWorld

from sequences_mcp.domain.run import SequenceStatus, StopReason, StopScope
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError, WrongIdError
from sequences_mcp.ports.embedded import SequenceFilter


async def start_many(world: EngineWorld, count: int) -> list[str]:
    blueprint = await world.blueprint(LATER)
    for number in range(count):
        await world.approved(await world.contact(f"p{number}@example.org"), blueprint=blueprint)
        world.clock.forward(minutes=1)
    return [one.id for one in await world.runs()]


async def listed(world: EngineWorld, **wanted: object) -> list[str]:
    page = await world.local.list_sequences(SequenceFilter(**wanted))  # type: ignore[arg-type]
    return [one.sequence.id for one in page.items]


async def test_a_list_is_filtered_by_status_blueprint_and_strict_dates(world: EngineWorld) -> None:
    ids = await start_many(world, 4)
    await world.local.pause_sequence(ids[1], until=START + timedelta(days=9))
    other = await world.blueprint(EMAIL)
    await world.approved(await world.contact("x@example.org"), blueprint=other)
    assert await listed(world, status=SequenceStatus.WAITING_FOR_LEAD) == [ids[1]]
    assert len(await listed(world, blueprint_id=other.id)) == 1
    dates = {"created_after": START + timedelta(minutes=1), "created_before": START + timedelta(minutes=3)}
    assert await listed(world, **dates) == [ids[2]]
    assert await listed(world, status=SequenceStatus.REFUSED) == []


async def test_a_list_is_sorted_and_paged(world: EngineWorld) -> None:
    ids = await start_many(world, 5)
    await world.local.pause_sequence(ids[0], until=START + timedelta(days=9))
    assert await listed(world, sort_order="desc", size=2) == [ids[4], ids[3]]
    assert await listed(world, size=2, page=3) == [ids[4]]
    assert await listed(world, sort_by="updated_at", size=5) == [*ids[1:], ids[0]]
    assert await listed(world, sort_by="status", sort_order="desc", size=1) == [ids[0]]
    page = await world.local.list_sequences(SequenceFilter(size=2, page=3))
    assert (page.total_count, page.total_pages, page.has_more) == (5, 3, False)


@pytest.mark.parametrize(
    "wanted",
    [{"page": 0}, {"size": 0}, {"created_after": datetime(2026, 1, 1)}, {"created_before": datetime(2026, 1, 1)}],  # noqa: DTZ001
    ids=["page", "size", "naive after", "naive before"],
)
async def test_a_filter_that_cannot_be_right_is_refused(world: EngineWorld, wanted: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentsError):
        await listed(world, **wanted)


async def test_a_pause_and_its_end_are_told_by_the_outlook(world: EngineWorld) -> None:
    (run,) = await start_many(world, 1)
    until = world.clock.now + timedelta(days=1)
    paused = await world.local.pause_sequence(run, until=until)
    assert (paused.sequence.status, paused.outlook.next_at) == (SequenceStatus.WAITING_FOR_LEAD, until)
    resumed = await world.local.resume_sequence(run)
    assert resumed.sequence.status is SequenceStatus.ACTIVE
    with pytest.raises(ConflictError, match="ACTIVE"):
        await world.local.resume_sequence(run)
    with pytest.raises(InvalidArgumentsError, match="future"):
        await world.local.pause_sequence(run, until=datetime(2020, 1, 1, tzinfo=UTC))


async def test_a_pause_says_when_the_step_after_it_is_due_whose_delay_stood_still(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(EMAIL, LATER))
    world.worker().run_due()
    (run,) = await world.runs()
    paused = await world.local.pause_sequence(run.id, until=world.clock.now + timedelta(days=1))
    due = world.clock.now + timedelta(days=4)
    assert paused.outlook.why.endswith(f"; then step 2 of 2 (EMAIL), which is due {due:%Y-%m-%d %H:%M} UTC")


async def test_a_pause_ends_by_itself(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    (run,) = await world.runs()
    await world.local.pause_sequence(run.id, until=START + timedelta(hours=1))
    assert world.worker().run_due() == 0
    world.clock.forward(hours=1)
    world.worker().run_due()
    assert (await world.runs())[0].status is SequenceStatus.COMPLETED


async def test_the_outlook_names_the_mailbox_limit_that_holds_an_email_back(world: EngineWorld) -> None:
    spaced = world.under(spacing=90)
    await spaced.approved(await world.contact("a@example.org"), await world.contact("b@example.net"))
    spaced.worker().run_due()
    waiting = (await spaced.details())[1]
    [first] = [run for run in await spaced.runs() if run.status is SequenceStatus.COMPLETED]
    pause = spaced.terms.limits.pause_after(first.steps[0].key)
    assert waiting.outlook.next_at == START + pause
    assert f"{int(pause.total_seconds())} s between two e-mails" in waiting.outlook.why
    capped = world.under(daily_cap=1)
    await capped.approved(await world.contact("c@example.org"))
    outlook = (await capped.details())[2].outlook
    assert outlook.next_at == START + timedelta(hours=24)
    assert "1 e-mails in 24 hours" in outlook.why


async def test_a_stop_for_a_company_ends_its_runs_of_the_same_blueprint_and_names_them(world: EngineWorld) -> None:
    blueprint, other = await world.blueprint(LATER), await world.blueprint(LATER)
    ann = await world.contact("ann@acme.example")
    bob = await world.contact("bob@gmail.com", company_domain="www.acme.example")
    cem = await world.contact("cem@gmail.com", company="Acme, Inc.")
    dee = await world.contact("dee@acme.example")
    eve = await world.contact("eve@other.example")
    await world.approved(ann, bob, cem, eve, blueprint=blueprint)
    await world.approved(dee, blueprint=other)
    fay = await world.contact("fay@acme.example")
    await world.plan(fay, blueprint=blueprint)
    first = next(one for one in await world.runs() if one.contact_id == bob.id)
    stopped = await world.local.stop_sequence(first.id, reason=StopReason.LOSE, scope=StopScope.COMPANY)
    assert [one.contact.id for one in stopped] == [bob.id, ann.id, fay.id]
    assert {one.sequence.status for one in stopped} == {SequenceStatus.STOPPED_EARLY}
    going = [one.contact.id for one in await world.details(status=SequenceStatus.ACTIVE)]
    assert going == [cem.id, eve.id, dee.id]


async def test_a_company_known_by_name_alone_is_matched_by_its_normalised_name(world: EngineWorld) -> None:
    ann = await world.contact("ann@gmail.com", company="Größe GmbH")
    bob = await world.contact("bob@gmail.com", company="GROSSE GmbH")
    cem = await world.contact("cem@gmail.com", company="größe")
    await world.approved(ann, bob, cem, blueprint=await world.blueprint(LATER))
    first = (await world.runs())[0]
    stopped = await world.local.stop_sequence(first.id, reason=StopReason.WIN, scope=StopScope.COMPANY)
    assert {one.contact.id for one in stopped} >= {ann.id, cem.id}


async def test_a_stop_for_an_unknown_company_is_refused_and_says_what_works(world: EngineWorld) -> None:
    await world.approved(await world.contact("ann@gmail.com"), blueprint=await world.blueprint(LATER))
    (run,) = await world.runs()
    with pytest.raises(InvalidArgumentsError, match="scope CONTACT"):
        await world.local.stop_sequence(run.id, reason=StopReason.LOSE, scope=StopScope.COMPANY)
    stopped = await world.local.stop_sequence(run.id, reason=StopReason.LOSE, scope=StopScope.CONTACT)
    assert [one.sequence.stop_reason for one in stopped] == [StopReason.LOSE]
    with pytest.raises(ConflictError):
        await world.local.stop_sequence(run.id, reason=StopReason.LOSE, scope=StopScope.CONTACT)


async def test_a_run_that_does_not_exist_or_is_something_else_is_named(world: EngineWorld) -> None:
    with pytest.raises(NotFoundError, match="list_sequences"):
        await world.local.get_sequence("local:seq_none")
    with pytest.raises(WrongIdError, match="a contact id"):
        await world.local.get_sequence("local:ct_1")
