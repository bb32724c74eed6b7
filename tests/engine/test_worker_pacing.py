"""The claim keeps the pauses, the growth of a new mailbox and one company at a time, out of the database alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.world.engine import EMAIL, LATER, START, EngineWorld

from sequences_mcp.domain.run import SequenceStatus, StepState

MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)


async def started(world: EngineWorld, *addresses: str) -> None:
    """Approve a start for people with these addresses."""
    people = [await world.contact(address) for address in addresses]
    await world.approved(*people, blueprint=await world.blueprint(EMAIL))


def strangers(number: int) -> list[str]:
    """Return so many addresses at companies of their own."""
    return [f"p{index}@company{index}.example" for index in range(number)]


def sent_at(world: EngineWorld, *, until: timedelta, each: timedelta) -> list[datetime]:
    """Let time pass, with a worker that begins anew each time, and return when e-mails left."""
    times: list[datetime] = []
    end = world.clock.now + until
    while world.clock.now < end:
        before = len(world.mails)
        world.worker().run_due()
        times += [world.clock.now] * (len(world.mails) - before)
        world.clock.now += each
    return times


async def keys_by_time(world: EngineWorld) -> list[str]:
    """Return the keys of the e-mails that left, the first one first."""
    steps = [run.steps[0] for run in await world.runs() if run.steps[0].executed_at]
    return [step.key for step in sorted(steps, key=lambda step: step.executed_at or START)]


async def test_each_pause_is_the_one_that_the_plan_was_made_with(world: EngineWorld) -> None:
    spaced = world.under(spacing=60)
    await started(spaced, *strangers(6))
    times = sent_at(spaced, until=10 * MINUTE, each=timedelta(seconds=1))
    planned = [spaced.terms.limits.pause_after(key) for key in await keys_by_time(spaced)]
    assert [after - before for before, after in pairwise(times)] == planned[:5]
    assert len(set(planned)) > 1


async def test_a_new_mailbox_sends_more_each_day_whatever_starts_anew_between(world: EngineWorld) -> None:
    new = world.under(ramp_up=2, daily_cap=5)
    await started(new, *strangers(20))
    times = sent_at(new, until=5 * DAY, each=timedelta(hours=1))
    assert [times.count(START + number * DAY) for number in range(5)] == [2, 4, 5, 5, 4]
    assert len(times) == 20


async def test_the_outlook_says_that_the_mailbox_is_new_and_when_it_may_send_more(world: EngineWorld) -> None:
    new = world.under(ramp_up=1, daily_cap=5)
    await started(new, *strangers(2))
    new.worker().run_due()
    waiting = next(one for one in await new.details() if one.sequence.status is SequenceStatus.ACTIVE)
    assert waiting.outlook.next_at == START + DAY
    assert "used up its 1 e-mails in 24 hours; it is new, and may send 1 more each day" in waiting.outlook.why


async def test_two_people_of_one_company_are_written_to_minutes_apart_and_others_between(
    world: EngineWorld,
) -> None:
    spaced = world.under(spacing=30)
    await started(spaced, "a@acme.example", "b@mail.acme.example", "c@acme.example", "d@globex.example")
    sent_at(spaced, until=20 * MINUTE, each=timedelta(seconds=15))
    to = {run.steps[0].recipient: run.steps[0].executed_at for run in await spaced.runs()}
    a, b, c, d = (to[name] for name in sorted(to, key=str))
    assert a and b and c and d
    assert d - a < MINUTE
    assert all(timedelta(minutes=5) <= wait <= timedelta(minutes=6) for wait in (b - a, c - b))


async def test_a_held_colleague_says_why_and_until_when(world: EngineWorld) -> None:
    spaced = world.under(spacing=60)
    await started(spaced, "a@acme.example", "b@acme.example")
    sent_at(spaced, until=2 * MINUTE, each=timedelta(seconds=30))
    held = next(one for one in await spaced.details() if one.sequence.steps[0].state is StepState.HELD)
    assert held.sequence.steps[0].until == START + 10 * MINUTE
    assert (
        "somebody else at acme.example was just written to: people of one company 10 min apart" in held.outlook.why
    )


@pytest.mark.parametrize("host", ["gmail.com", "outlook.com", "gmx.de"])
async def test_people_with_a_free_mail_provider_are_no_colleagues(world: EngineWorld, host: str) -> None:
    spaced = world.under(spacing=60)
    await started(spaced, f"a@{host}", f"b@{host}")
    assert len(sent_at(spaced, until=2 * MINUTE, each=timedelta(seconds=5))) == 2


async def test_a_follow_up_to_the_same_person_does_not_wait_for_itself(world: EngineWorld) -> None:
    at_once = LATER.model_copy(update={"delay": LATER.delay and LATER.delay.model_copy(update={"value": 1})})
    spaced = world.under(spacing=43_200)  # a pause of five days between colleagues
    await spaced.approved(await spaced.contact("a@acme.example"), blueprint=await spaced.blueprint(EMAIL, at_once))
    times = sent_at(spaced, until=2 * DAY, each=timedelta(hours=1))
    assert len(times) == 2


async def test_many_of_one_company_follow_one_another_without_being_looked_at_again_and_again(
    world: EngineWorld,
) -> None:
    spaced = world.under(spacing=6)
    await started(spaced, *(f"p{number}@acme.example" for number in range(40)))
    sent_at(spaced, until=5 * MINUTE, each=timedelta(seconds=5))
    held = sorted(
        run.steps[0].until or START for run in await spaced.runs() if run.steps[0].state is StepState.HELD
    )
    assert all(after - before >= MINUTE for before, after in pairwise(held))


async def test_without_a_spacing_nobody_waits_for_a_colleague(world: EngineWorld) -> None:
    await started(world, "a@acme.example", "b@acme.example")
    world.worker().run_due()
    assert len(world.mails) == 2
