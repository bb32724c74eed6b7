"""What was found out about single values stays while they are few, and goes when a piece of work ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.world.data_folder import with_schema
from tests.world.product import World

from sequences_mcp.bootstrap import open_worker
from sequences_mcp.domain.addresses import read_address
from sequences_mcp.engine.worker import Worker
from sequences_mcp.remembering import BETWEEN, VALUES, Results


def asked(results: Results, count: list[int]) -> Callable[[int], int]:
    @results.up_to(3 * BETWEEN)
    def twice(value: int) -> int:
        count.append(value)
        return 2 * value

    return twice


def test_a_value_is_looked_at_once_while_work_goes_on() -> None:
    count: list[int] = []
    twice = asked(Results(), count)
    assert [twice(value) for value in (*range(3 * BETWEEN), *range(3 * BETWEEN))][-1] == 2 * (3 * BETWEEN - 1)
    assert len(count) == 3 * BETWEEN


def test_few_results_stay_and_many_go_all_together() -> None:
    results, count, other = Results(), list[int](), list[int]()
    twice, again = asked(results, count), asked(results, other)
    for value in range(BETWEEN):
        twice(value)
    results.let_go()
    assert len(results) == BETWEEN
    again(1)
    results.let_go()
    assert len(results) == 0
    assert (twice(1), len(count)) == (2, BETWEEN + 1)


async def test_nothing_goes_while_something_goes_through_many_people() -> None:
    results, count = Results(), list[int]()
    twice = asked(results, count)

    @results.needed_by
    async def goes_through(fails: bool) -> None:
        for value in range(2 * BETWEEN):
            twice(value)
        results.let_go()  # what another call does at its end
        assert len(results) == 2 * BETWEEN
        if fails:
            raise ValueError

    await goes_through(False)
    with pytest.raises(ValueError):
        await goes_through(True)
    assert len(count) == 2 * BETWEEN
    results.let_go()
    assert len(results) == 0


@pytest.fixture
def known() -> None:
    for number in range(BETWEEN + 1):
        read_address(f"p{number}@hopper.example")
    assert len(VALUES) > BETWEEN


@pytest.mark.usefixtures("known")
async def test_no_call_leaves_many_peoples_values_behind(world: World) -> None:
    async with world.client("auto") as desktop:
        await desktop.call("list_blueprints")
        assert len(VALUES) == 0
        saved = [{"first_name": "Ada", "email": f"ada{number}@hopper.example"} for number in range(900)]
        await desktop.call("save_contacts", contacts=saved)
        assert len(VALUES) == 0
        await desktop.call("save_contacts", contacts=saved[:100])
        assert 0 < len(VALUES) <= BETWEEN


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("turn", [Worker.run_due, Worker.keep_house], ids=["on the usual clock", "on Temporal's"])
def test_nor_does_a_worker(world: World, turn: Callable[[Worker], object]) -> None:
    with_schema(world.folder)
    with open_worker(world.settings, mailbox=world.settings.mailboxes[0], clock=world.clock) as worker:
        turn(worker)
    assert len(VALUES) == 0
