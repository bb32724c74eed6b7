"""A plan of thousands of people is shown and decided without getting in the way of anything else.

No figure here is compared with a fixed number of seconds: a part of some work is compared with the whole of it,
and a large plan with a small one, in the same run, by processor time, which other programs do not lengthen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import pytest
from tests.world.page import MAIL, PageWorld

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan

PEOPLE = 4_000
FEW = 500
AT_ONCE = 200  # people read at once
TRIES = 3
USUAL = "Hopper"  # a name with a number in it is looked at by every rule, which takes longer than all the rest


@dataclass(frozen=True)
class Planned:
    """A world in which three plans wait for a person."""

    world: PageWorld
    large: Plan
    small: Plan
    unwanted: Plan


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """Return the plans, written once for this file: that takes the longest."""
    world = PageWorld(tmp_path_factory.mktemp("large") / "data")
    world.lock_up()
    large = world.plan(MAIL, people=PEOPLE, last_name=USUAL)
    small = world.plan(MAIL, people=FEW, first=PEOPLE, last_name=USUAL)
    return Planned(world, large, small, world.plan(MAIL, people=2 * FEW, first=PEOPLE + FEW, last_name=USUAL))


def test_a_screen_of_fifty_people_costs_a_small_part_of_reading_all_of_them(planned: Planned) -> None:
    plan = planned.large
    with planned.world.page() as person:
        person.unlock()

        def seconds(path: str) -> float:
            began = time.process_time()
            assert person.get(f"/plans/{plan.id}{path}").status in (200, 303)
            return time.process_time() - began

        person.get("/")
        screens = [min(seconds(path) for _ in range(TRIES)) for path in ("", "?page=40", "?page=80", "/sample")]
    everybody = planned.world.at_desk(partial(reading, plan))
    print(f"a screen took {max(screens) * 1000:.0f} ms, reading everybody {everybody * 1000:.0f} ms")
    assert max(screens) < everybody / 2


async def reading(plan: Plan, app: AppContext) -> float:
    """Return how many seconds of processor time it takes to read all people of a plan."""
    began = time.process_time()
    seen = 0
    for page in range(1, PEOPLE // AT_ONCE + 1):
        seen += len((await app.plans.list_people(plan.id, page=page, size=AT_ONCE)).items)
    assert seen == PEOPLE
    return time.process_time() - began


async def gaps_during(work: Awaitable[Any]) -> list[float]:
    """Return how long the loop's thread worked between two turns of the loop, in seconds of processor time.

    Processor time of that thread alone: other programs on the machine do not lengthen it.
    """
    gaps: list[float] = []

    async def beat() -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            gaps.append(now - last)
            last = now

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)  # the first gap begins before the work does
    await work
    await asyncio.sleep(0)  # and the last one ends after it
    beating.cancel()
    return gaps


async def test_deciding_thousands_of_people_leaves_room_for_everything_else(planned: Planned) -> None:
    """People are told of a decision a batch at a time, and a batch costs the same however many more there are."""
    large, small, unwanted = planned.large, planned.small, planned.unwanted
    async with planned.world.app() as app:
        few = await gaps_during(app.plans.approve_plan(small.id, digest=small.digest, actor=Actor("test")))
        many = await gaps_during(app.plans.approve_plan(large.id, digest=large.digest, actor=Actor("test")))
        refused = await gaps_during(app.plans.refuse_plan(unwanted.id, reason="no", actor=Actor("test")))
    print(f"approved with {sum(many):.1f} s of work, {max(many) * 1000:.0f} ms at most between two turns")
    assert max(many) < sum(many) / 5
    assert max(refused) < sum(refused) / 2
    assert median(many) < 3 * median(few)
