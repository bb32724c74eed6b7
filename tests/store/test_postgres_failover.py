"""A replica takes a server's place without its last commits: nothing foreign counts, nobody is mailed twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.world.data_folder import Clock
from tests.world.database_server import ServerPair, server_pair, server_programs
from tests.world.engine import START, TERMS, AtTheDot, EngineWorld, FakeDelivery, until

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.run import StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.recovery import take_in, take_over_folder
from sequences_mcp.errors import StoreBusyError, StoreInterruptedError
from sequences_mcp.store.unit_of_work import Store

pytestmark = pytest.mark.skipif(server_programs() is None, reason="PostgreSQL's programs are not here")
TESTER = Actor("tester")
PERSON = Actor("terminal")
LEASE_IS_OVER = timedelta(minutes=20)


@pytest.fixture
def pair() -> Iterator[ServerPair]:
    """A server and its replica."""
    with server_pair() as pair:
        yield pair


@contextmanager
def host(pair: ServerPair, folder: Path, clock: Clock, *, terms: Terms = TERMS) -> Iterator[EngineWorld]:
    """Open the engine of one host, which reaches whichever server is the primary."""
    with Store.open(Workspace(folder / "data"), now=clock.now, url=pair.wire.url, busy_seconds=20) as store:
        yield EngineWorld(folder, store, clock, terms)


def note(store: Store, sender: str) -> None:
    """Store something small, which is no claim."""
    with store.transaction() as work:
        work.mailboxes.clear_complaints(sender, actor=TESTER, now=START)


def noted(pair: ServerPair) -> list[str]:
    """Return what of it is in the database that took over."""
    with psycopg.connect(pair.replica.url) as promoted:
        return [sender for (sender,) in promoted.execute("SELECT sender FROM mailbox_complaints ORDER BY sender")]


@contextmanager
def failing_over_after_a_commit(pair: ServerPair, *, is_replicated: bool) -> Iterator[None]:
    """Lose the answer to the block's next commit; then the primary dies and the replica takes over."""
    if not is_replicated:
        pair.part()
    pair.wire.lose_answer_to(b"; COMMIT\0", for_good=True)
    cuts = pair.wire.cuts

    def dies() -> None:
        until(lambda: pair.wire.cuts > cuts)
        if is_replicated:
            pair.await_replica()
        pair.fail_over()
        pair.wire.mend()

    thread = threading.Thread(target=dies)
    thread.start()
    try:
        yield
    finally:
        thread.join(timeout=600)


def test_a_commit_that_the_replica_never_got_is_not_done_though_its_number_is_given_again(
    pair: ServerPair, tmp_path: Path
) -> None:
    with host(pair, tmp_path, Clock(START)) as world:
        note(world.store, "before@example.com")
        with (
            failing_over_after_a_commit(pair, is_replicated=False),
            # Where the failover takes longer than the outcome is asked after, it stays unknown.
            pytest.raises((StoreInterruptedError, StoreBusyError), match=r"Nothing was changed|is not known"),
        ):
            note(world.store, "lost@example.com")
        assert noted(pair) == ["before@example.com"]
        note(world.store, "again@example.com")
    assert noted(pair) == ["again@example.com", "before@example.com"]


def test_a_commit_that_the_replica_has_is_done_once(pair: ServerPair, tmp_path: Path) -> None:
    with host(pair, tmp_path, Clock(START)) as world:
        done: list[int] = []

        def act() -> None:
            done.append(1)
            note(world.store, f"{len(done)}@example.com")

        with failing_over_after_a_commit(pair, is_replicated=True), suppress(StoreBusyError):
            world.store.anew(act)
    assert (done, noted(pair)) == ([1], ["1@example.com"])


async def state(world: EngineWorld) -> StepState:
    """Return the state of the one step."""
    [run] = await world.runs()
    return run.steps[0].state


def dying_host(pair: ServerPair, world: EngineWorld, *, knows_claim: bool) -> AtTheDot:
    """Have a host send what is due and die, and the server with it; return what it has sent.

    The replica has the claim, or not even that, and never the hand-over.
    """

    def dies() -> None:
        pair.fail_over()
        raise KeyboardInterrupt

    if not knows_claim:
        pair.part()
    delivery = AtTheDot(before=pair.part if knows_claim else None, after=dies)
    with pytest.raises(KeyboardInterrupt):
        world.worker(delivery).run_due()
    return delivery


def at_work(world: EngineWorld, delivery: FakeDelivery) -> None:
    """Do what is due, again where the server was away."""
    for _ in range(5):
        with suppress(StoreBusyError):
            world.worker(delivery).run_due()
            return
    raise AssertionError("the database stayed away")


async def test_an_email_whose_hand_over_was_lost_is_recorded_as_sent_by_the_host_that_has_the_answer(
    pair: ServerPair, tmp_path: Path
) -> None:
    with host(pair, tmp_path, Clock(START)) as world:
        await world.approved(await world.contact("ann@one.example"))
        at_work(world, sent := AtTheDot(before=pair.part, after=pair.fail_over))
        at_work(world, FakeDelivery())
        assert (len(sent.messages), await state(world)) == (1, StepState.SENT)


@pytest.mark.parametrize("lost", ["the hand-over", "the claim too"])
async def test_an_email_whose_record_was_lost_is_sent_by_no_host_again(
    pair: ServerPair, tmp_path: Path, lost: str
) -> None:
    clock, again = Clock(START), FakeDelivery()
    with host(pair, tmp_path / "another", clock) as other:
        with host(pair, tmp_path / "sends", clock) as world:
            await world.approved(await world.contact("ann@one.example"))
            for each in (world, other):  # both have sent from this mailbox before
                with each.store.transaction() as work:
                    work.lineage.look(now=clock.now)
                    work.lineage.hands_over(each.terms.sender_address)
            sent = dying_host(pair, world, knows_claim=lost == "the hand-over")
        clock.now += LEASE_IS_OVER
        at_work(other, again)
        assert [one.kind for one in other.store.lineage.standstills()] == ["failed_over"]
        with host(pair, tmp_path / "sends", clock) as world:  # it compares what it sent when it is opened
            take_in(world.store, now=clock.now)
        for _ in range(3):
            at_work(other, again)
            clock.now += LEASE_IS_OVER
        assert other.store.lineage.standstills() == []
        assert (await state(other), len(sent.messages), again.messages) == (StepState.UNKNOWN, 1, [])
        assert other.store.audit.verify() is None


async def test_where_a_host_is_lost_a_person_lets_the_others_go_on_and_what_it_may_have_sent_is_unknown(
    pair: ServerPair, tmp_path: Path
) -> None:
    clock, again = Clock(START), FakeDelivery()
    elsewhere = replace(TERMS, sender_address="bob@example.com")
    with (
        host(pair, tmp_path / "another", clock) as other,
        host(pair, tmp_path / "bob", clock, terms=elsewhere) as bob,
    ):
        with host(pair, tmp_path / "lost", clock) as world:
            await world.approved(await world.contact("ann@one.example"))
            await bob.approved(await bob.contact("cem@two.example"))
            with world.store.transaction() as work:
                work.lineage.hands_over(world.terms.sender_address)
            assert len(dying_host(pair, world, knows_claim=False).messages) == 1
        clock.now += LEASE_IS_OVER
        at_work(other, again)
        assert again.messages == []
        at_work(bob, by_bob := FakeDelivery())  # nobody else sends from this mailbox
        assert [one.recipient for one in by_bob.messages] == ["cem@two.example"]
        with other.store.transaction() as work:
            assert take_over_folder(work, now=clock.now, actor=PERSON, nothing_left=False) == 1
        at_work(other, again)
        assert (other.store.lineage.standstills(), again.messages) == ([], [])
        [unknown] = [run for run in await other.runs() if run.steps[0].state is StepState.UNKNOWN]
        assert unknown.steps[0].recipient == "ann@one.example"


async def test_who_claimed_on_a_server_that_was_replaced_sends_no_final_dot_and_goes_on_by_itself(
    pair: ServerPair, tmp_path: Path
) -> None:
    def replaced() -> None:
        pair.await_replica()
        pair.fail_over()

    clock = Clock(START)
    with host(pair, tmp_path, clock) as world:
        await world.approved(await world.contact("ann@one.example"))
        at_work(world, stopped := AtTheDot(before=replaced))
        assert stopped.messages == []
        clock.now += LEASE_IS_OVER
        at_work(world, going := FakeDelivery())
        assert (len(going.messages), await state(world)) == (1, StepState.SENT)


def test_a_suppression_of_one_host_is_in_the_journal_of_another_after_its_next_look_at_what_is_due(
    pair: ServerPair, tmp_path: Path
) -> None:
    clock = Clock(START)
    with host(pair, tmp_path / "one", clock) as world, host(pair, tmp_path / "another", clock) as other:
        with world.store.transaction() as work:
            work.suppressions.add(("address", "never@example.org"), reason="asked", actor=TESTER, now=START)
        at_work(other, FakeDelivery())
        journal = other.store.workspace.suppression_journal.read_text("utf-8")
    assert '"value":"never@example.org"' in journal


async def test_what_a_person_took_off_the_list_is_brought_back_by_no_other_hosts_journal(
    pair: ServerPair, tmp_path: Path
) -> None:
    clock, never = Clock(START), "never@example.org"

    def all_look(*worlds: EngineWorld) -> None:
        clock.forward(minutes=1)
        for _ in range(2):
            for world in worlds:
                at_work(world, FakeDelivery())

    with host(pair, tmp_path / "one", clock) as world, host(pair, tmp_path / "another", clock) as other:
        for _ in range(2):  # put on again, it is on the list again
            await other.local.suppressions.suppress("address", never, reason="asked")
            all_look(world, other)
            assert world.store.suppressions.matching([("address", never)])
            await world.local.suppressions.lift("address", never, reason="asked again", actor=TESTER)
            all_look(other, world)
            assert not other.store.suppressions.matching([("address", never)])
        journal = other.store.workspace.suppression_journal.read_text("utf-8")
    assert journal.count('"do":"suppress"') == journal.count("lifted on another host") == 2


def test_a_file_is_on_no_servers_line(tmp_path: Path) -> None:
    with Store.open(Workspace(tmp_path), now=datetime.fromisoformat("2026-11-23T12:00+00:00")) as store:
        with store.transaction() as work:
            work.lineage.hands_over("ada@example.com")
        assert (store.line, store.lineage.standstills()) == ("", [])
