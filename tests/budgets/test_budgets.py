"""The budgets in a short form: each against a bare SDK server in the same run, with a few tries on a busy machine.

Only what compares times has the machine to itself; memory and tokens are the same on a busy one.

``benchmarks.budgets`` measures them in full.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from benchmarks import event_loop, first_answers, measure, tokens, vendors
from benchmarks.measure import Measured
from benchmarks.wire import ERAS, Child, Era

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and processor time are read from /proc")

TRIES = 4
# A neighbour on the same two cores can slow one side alone; the full benchmark allows nothing.
SLACK = 1.1


def settled(measured: Callable[[], Measured]) -> Measured:
    """Return the first measurement that keeps its budget, or the best of a few that do not."""
    found = [measured()]
    while not found[-1].holds and len(found) < TRIES:
        found.append(measured())
    return min(found, key=lambda one: one.found)


@pytest.fixture(scope="module", params=ERAS)
def era(request: pytest.FixtureRequest) -> Era:
    """Each protocol era in turn."""
    found: Era = request.param
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a thousand planned people in it."""
    path = tmp_path_factory.mktemp("data")
    with measure.product(path) as child:
        child.list_tools()
        measure.planning(child, contacts=1_000)
    return path


@pytest.fixture(scope="module")
def child(folder: Path, era: Era) -> Iterator[Child]:
    """The server over that folder."""
    with measure.product(folder, era=era) as running:
        running.list_tools()
        yield running


@pytest.fixture(scope="module")
def bare(era: Era) -> Iterator[Child]:
    """The bare server of the same era."""
    with measure.bare_server(era) as running:
        yield running


@pytest.fixture(params=[measure.NO_KEYS, measure.KEYS], ids=["nothing connected", "all three vendors"])
def keys(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """No account, and one at each vendor."""
    found: Mapping[str, str] = request.param
    return found


@pytest.mark.alone
def test_a_host_waits_hardly_longer_than_for_a_bare_server(era: Era, keys: Mapping[str, str]) -> None:
    found = settled(lambda: measure.cold_start(era, rounds=2, keys=keys))
    assert found.found <= found.allowed * SLACK, found


@pytest.mark.alone
def test_a_chat_has_the_first_list_in_a_fraction_of_the_time_of_a_bare_server(
    era: Era, keys: Mapping[str, str]
) -> None:
    found = settled(lambda: next(first_answers.first_lists(era, rounds=2, keys=keys)))
    assert found.holds, found


@pytest.mark.alone
def test_the_first_call_takes_no_longer_and_no_more_memory_for_it(era: Era) -> None:
    takes, grows = first_answers.first_call(era, rounds=2)
    assert takes.holds and grows.holds, (takes, grows)


@pytest.mark.alone
def test_the_first_call_takes_little_more_than_the_echo_of_a_bare_server(era: Era) -> None:
    found = settled(lambda: first_answers.first_call_beside_echo(era, rounds=2))
    assert found.found <= found.allowed * SLACK, found


def test_the_list_of_tools_costs_a_model_little(keys: Mapping[str, str]) -> None:
    found = measure.tools_list(keys)
    assert found.holds, found


@pytest.mark.alone
def test_a_read_at_a_vendor_takes_little_longer_than_the_call_it_makes(era: Era) -> None:
    with vendors.served() as environment:
        found = settled(lambda: vendors.overhead(environment, era, rounds=30))
    assert found.found <= found.allowed * SLACK, found


@pytest.mark.alone
@pytest.mark.parametrize("tool", measure.COMPARED)
def test_a_local_read_is_answered_about_as_fast_as_an_echo(child: Child, bare: Child, tool: str) -> None:
    found = settled(lambda: measure.latency(child, bare, tool, rounds=40))
    assert found.found <= found.allowed * SLACK, found


@pytest.mark.alone  # like all that uses this server, which is started once
def test_no_list_overwhelms_a_model(child: Child) -> None:
    found = measure.largest_result(child)
    assert found.holds, found


@pytest.mark.alone
def test_a_thousand_people_are_planned_for_a_few_times_the_work_of_storing_them_and_with_progress(
    tmp_path: Path,
) -> None:
    def planned() -> Measured:
        with measure.product(tmp_path) as running:
            running.list_tools()
            _, work, progress = measure.planning(running, contacts=1_000)
            assert progress.holds, progress
            return work

    found = settled(planned)
    assert found.holds, found  # half as much work again would not


@pytest.mark.alone
def test_ten_thousand_people_never_keep_the_event_loop_as_long_as_the_sdk_does_to_read_them() -> None:
    def worst() -> Measured:
        return max(event_loop.measured(10_000), key=lambda row: row.found / row.allowed)

    found = settled(worst)
    assert found.holds, found


def test_sequences_asleep_in_the_file_weigh_nothing_in_an_idle_server() -> None:
    assert measure.idle_memory(sleeping=20_000).holds


@pytest.mark.skipif(not tokens.has_vocabulary(), reason="the vocabulary is not here, so nothing to compare with")
def test_the_estimate_of_tokens_is_near_the_count() -> None:
    with measure.product_in_passing(measure.KEYS) as running:
        text = "".join(map(tokens.shown, running.list_tools()))
    assert tokens.estimate(text) == pytest.approx(tokens.counter().count(text), rel=0.03)
