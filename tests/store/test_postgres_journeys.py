"""How seldom a step asks the server: what is foreseen, begun and written there; servers that come and go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from tests.world.data_folder import Clock
from tests.world.database_server import OwnServer, own_server, server_programs
from tests.world.engine import START, TERMS, AtTheDot, EngineWorld, FakeDelivery
from tests.world.stores import drop_databases, fresh_database, needs_server

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.entries import AuditRow
from sequences_mcp.domain.run import StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.approvals import draft_id
from sequences_mcp.errors import ConflictError, StoreError, StoreTooNewError
from sequences_mcp.store.postgres import dialect
from sequences_mcp.store.postgres.database import AUDITED_AT_ONCE, PostgresDatabase
from sequences_mcp.store.unit_of_work import Store

TESTER = Actor("tester")
MOST_JOURNEYS = 15
"""Round trips of one e-mail, from its claim to its record and the look at what is next; it takes 19."""


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database of the newest schema, on the tests' server."""
    yield fresh_database(f"journeys_of_{os.getpid()}")
    drop_databases()


@contextmanager
def host(url: str, folder: Path, *, clock: Clock | None = None, busy: float = 5.0) -> Iterator[EngineWorld]:
    """Open the engine of one host, with a folder of its own."""
    clock = clock or Clock(START)
    with Store.open(Workspace(folder / "data"), now=clock.now, url=url, busy_seconds=busy) as store:
        yield EngineWorld(folder, store, clock, replace(TERMS, spacing=0))


async def begun(world: EngineWorld, number: int) -> list[str]:
    """Start so many people; return their addresses."""
    people = [await world.contact(f"person{one}@place{one}.example") for one in range(number)]
    await world.approved(*people)
    return sorted(str(person.email) for person in people)


def states(world: EngineWorld) -> set[StepState]:
    """Return the states of all steps."""
    return {step.state for run in world.store.runs.after(0, size=1_000)[0] for step in run.steps}


def server_of(world: EngineWorld) -> PostgresDatabase:
    """Return the database as what it is."""
    database = world.store.database
    assert isinstance(database, PostgresDatabase)
    return database


def journeys_of(world: EngineWorld, folder: Path, act: Callable[[], object]) -> int:
    """Return how many round trips something takes."""
    pool, trace = server_of(world)._pool, folder / "trace"
    connection = pool.take(1.0)
    with trace.open("w+b") as traced:
        connection.pgconn.trace(traced.fileno())
        pool.give_back(connection)
        act()
        connection.pgconn.untrace()
    lines = trace.read_text("utf-8", "replace").splitlines()
    return sum(f"\t{kind}" in line for line in lines for kind in ("Sync", "Query"))


@needs_server
async def test_what_a_claim_foresees_is_answered_as_it_is_by_itself(url: str, tmp_path: Path) -> None:
    with host(url, tmp_path) as world:
        await begun(world, 2)
        world.worker(FakeDelivery()).run_due(limit=1)
        await world.local.suppressions.suppress("domain", "nobody.example", reason='"\\ é')
        world.store.mailboxes.refused(world.terms.sender_address, why="busy\n", account="", now=START)
        database = server_of(world)
        for _ in range(2):  # the second time the plan is known
            with world.store.transaction(beside=True) as work:
                run = next(one for one in work.runs.after(0, size=9)[0] if one.current)
                step = run.steps[0]
                work.claims.foresee_limits(world.terms, now=START, queues=("free", "mailbox"))
                work.claims.foresee_claim(run.id)
                assert work.attempts.next_lease() < work.attempts.next_lease()  # foreseen once, never given twice
                work.claims.foresee_hand_over(run.id, plan_id=run.plan_id)
                work.claims.foresee_record(run.id, lease=1)
                work.claims.foresee_step(run, step, draft=draft_id(step))
                foreseen = dict(database._foreseen)
                for (text, values), rows in foreseen.items():
                    plain = database._cursor().execute(text, list(values)).fetchall()
                    assert [(row.keys(), tuple(row), [*map(type, row)]) for row in rows] == [
                        (row.keys(), tuple(row), [*map(type, row)]) for row in plain
                    ], text
        assert len(foreseen) == 26 and sum(map(len, foreseen.values())) >= 8


@needs_server
async def test_what_was_foreseen_is_forgotten_with_a_change_of_it_and_where_others_may_have_come_between(
    url: str, tmp_path: Path
) -> None:
    with host(url, tmp_path) as world:
        sender, database = world.terms.sender_address, server_of(world)
        with world.store.transaction() as work:
            work.claims.foresee_limits(world.terms, now=START)
            assert work.mailboxes.resting(sender, now=START) is None
            work.mailboxes.refused(sender, why="busy", account="", now=START)
            assert work.mailboxes.resting(sender, now=START) is not None
            assert database._foreseen  # of other tables
            work.claims.foresee_limits(world.terms, now=START)
            with pytest.raises(ZeroDivisionError), world.store.transaction():
                work.mailboxes.accepted(sender)
                assert work.mailboxes.resting(sender, now=START) is None
                work.claims.foresee_limits(world.terms, now=START)
                raise ZeroDivisionError
            assert work.mailboxes.resting(sender, now=START) is not None
            work.claims.foresee_limits(world.terms, now=START)
            with world.store.transaction():
                assert not database._foreseen
        work.claims.foresee_limits(world.terms, now=START)
        assert not database._foreseen  # outside of a transaction everybody may change everything


@needs_server
async def test_an_email_takes_few_round_trips(url: str, tmp_path: Path) -> None:
    """A claim, a hand-over and a record: what each of them reads one by one adds to the time of every step."""
    with host(url, tmp_path) as world:
        people = await begun(world, 13)
        worker = world.worker(delivery := FakeDelivery())
        for _ in range(4):  # until each statement is prepared
            worker.run_due(limit=2)
        # The last three have nothing to do with beginning and ending.
        journeys = [journeys_of(world, tmp_path, partial(worker.run_due, limit=limit)) for limit in (1, 4)]
        assert len(delivery.messages) == len(people)
        assert 10 < (journeys[1] - journeys[0]) / 3 <= MOST_JOURNEYS, journeys


@needs_server
async def test_what_is_written_soon_is_read_undone_and_refused_as_what_is_written_at_once(
    url: str, tmp_path: Path
) -> None:
    with host(url, tmp_path) as world:
        await begun(world, 1)
        world.worker(FakeDelivery()).run_due()
        database, sender = server_of(world), world.terms.sender_address
        world.store.mailboxes.refused(sender, why="busy", account="", now=START)

        def answer() -> object:
            [row] = database.rows("attempts.answered", sender=sender, size=9)
            return row["answer"], row["code"]

        with world.store.transaction(beside=True) as work:
            work.attempts.answered(1, "recipient", code="550")
            work.mailboxes.accepted(sender)
            assert len(database._soon) == 2
            assert work.mailboxes.resting(sender, now=START) is None  # a read sees both
            assert answer() == ("recipient", "550")
            work.attempts.answered(1, "recipient", code="551")
            with pytest.raises(ZeroDivisionError), world.store.transaction():
                work.attempts.answered(1, "recipient", code="552")
                assert len(database._soon) == 1
                raise ZeroDivisionError
            work.attempts.answered(1, "recipient", code="553")
            work.attempts.answered(1, "recipient", code="554")  # the last of two for one row holds
        assert answer() == ("recipient", "554")
        with pytest.raises(ConflictError), world.store.transaction(beside=True) as work:
            work.attempts.answered(1, "accepted")
            gone = partial(ConflictError, "It is gone.", next_step="none")
            database.write_soon("attempts.answer", unless=gone, lease=9, answer="died", code="")
        assert answer() == ("recipient", "554")  # nothing of it is stored
        with pytest.raises(ZeroDivisionError), world.store.transaction(beside=True) as work:
            work.attempts.answered(1, "accepted")
            raise ZeroDivisionError
        assert answer() == ("recipient", "554") and not database._soon


def test_changes_are_put_together_with_a_count_of_each() -> None:
    first = dialect.by_place("UPDATE one SET a = :a WHERE b = :b")[0]
    second = dialect.by_place("DELETE FROM two WHERE c = :c")[0]
    assert dialect.changing_together((first, second)) == (
        b"WITH one0 AS (UPDATE one SET a = $1 WHERE b = $2 RETURNING 1), "
        b"one1 AS (DELETE FROM two WHERE c = $3 RETURNING 1) "
        b"SELECT (SELECT count(*) FROM one0), (SELECT count(*) FROM one1)"
    )


@needs_server
def test_rows_that_the_server_adds_to_the_audit_have_the_hashes_that_a_file_has(url: str, tmp_path: Path) -> None:
    texts = ["\"quoted\" \\ and 'so'", "é\u2028漢字😀\t\r\n", "%s $1 :name {}", "\x7f\ufeff"]

    def entries() -> Iterator[AuditRow]:
        for number in range(2 * AUDITED_AT_ONCE + 3):
            text = texts[number % len(texts)]
            at = START + timedelta(microseconds=number)
            yield AuditRow(at=at, actor=TESTER, action="told", subject=text, detail={"why": text, "no": number})

    hashes = []
    for place in (None, url):
        with Store.open(Workspace(tmp_path / str(bool(place))), now=START, url=place) as store:
            with store.transaction() as work:
                work.audit.append(list(entries())[:1])
                assert len(list(work.audit.entries())) == 1  # read in the transaction that adds it
                work.audit.append(list(entries())[1:])
            assert store.audit.verify() is None
            hashes.append([bytes(row["hash"]) for row in store.audit._rows()])
    assert hashes[0] == hashes[1] and len(set(hashes[0])) == 2 * AUDITED_AT_ONCE + 3


def test_questions_are_put_together_with_a_parameter_of_each() -> None:
    first, second = dialect.by_place("SELECT :b, :a, :b")[0], dialect.by_place("SELECT 1 WHERE :c = '$[0]'")[0]
    assert dialect.together((first, second)) == (
        b"SELECT (SELECT json_agg(one0)::text FROM (SELECT $1, $2, $1) one0), "
        b"(SELECT json_agg(one1)::text FROM (SELECT 1 WHERE $3 = '$[0]') one1)"
    )


@needs_server
def test_a_change_of_the_suppression_list_costs_another_host_as_many_round_trips_however_long_the_list_is(
    url: str, tmp_path: Path
) -> None:
    with host(url, tmp_path / "here") as world, host(url, tmp_path / "there") as other:
        numbers, journeys = iter(range(1_000)), []

        def suppress(count: int) -> None:
            with world.store.transaction() as work:
                for _ in range(count):
                    key = ("address", f"never{next(numbers)}@example.org")
                    work.suppressions.add(key, reason="asked", actor=TESTER, now=START)

        def look() -> None:
            other.store.lineage.look(now=START)

        for length in (30, 300):
            suppress(length)
            for _ in range(6):  # until each statement is prepared
                look()
                suppress(1)
            journeys.append(journeys_of(other, tmp_path, look))
        journal = other.store.workspace.suppression_journal.read_text("utf-8")
        assert all(f'"never{number}@example.org"' in journal for number in range(next(numbers)))
    assert journeys[0] == journeys[1] < 40


# Servers that come and go, programs of two versions.


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    """A server that these tests alone use."""
    with own_server() as served:
        yield served


@pytest.mark.skipif(server_programs() is None, reason="PostgreSQL's programs are not here")
async def test_a_server_that_is_killed_again_and_again_during_steps_has_everybody_mailed_once(
    own: OwnServer, tmp_path: Path
) -> None:
    points = ["claimed", "handed_over", "before_sent"]
    with host(own.url, tmp_path) as world:
        people = await begun(world, len(points))
        left = [*points]

        def at(point: str) -> None:
            if left and point == left[0]:
                del left[0]
                own.kill()
                own.start()

        worker = world.worker(delivery := FakeDelivery(), at=at)
        for _ in range(3 * len(points)):
            with suppress(StoreError):
                worker.run_due()
                if states(world) == {StepState.SENT}:
                    break
            world.clock.forward(minutes=3)  # a claim whose worker never came to the hand-over ends with its lease
        assert not left and states(world) == {StepState.SENT}
        assert sorted(one.recipient for one in delivery.messages) == people
        assert world.store.audit.verify() is None


@needs_server
@pytest.mark.parametrize("point", ["before_handed_over", "answered"])
async def test_an_older_program_with_an_email_under_way_ends_soundly_when_a_newer_one_takes_the_database_over(
    point: str, url: str, tmp_path: Path
) -> None:
    with psycopg.connect(url, autocommit=True) as newer:

        def takes_over(reached: str) -> None:
            if reached == point:
                newer.execute(
                    "INSERT INTO migration SELECT version + 1, 'later', digest, applied_at FROM migration"
                    " ORDER BY version DESC LIMIT 1"
                )

        with host(url, tmp_path) as world:
            people = await begun(world, 1)
            older = world.worker(delivery := AtTheDot(), at=takes_over)
            for _ in range(2):
                with pytest.raises(StoreTooNewError, match="Update sequences-mcp"):
                    older.run_due()
                world.clock.forward(minutes=3)  # so that the lease is over, and the step due again
            assert len(delivery.messages) == (point == "answered")
            with pytest.raises(StoreTooNewError), world.store.transaction():
                raise AssertionError
        newer.execute("DELETE FROM migration WHERE name = 'later'")  # the host is updated, and knows it now
    with host(url, tmp_path, clock=Clock(START + timedelta(minutes=9))) as world:
        world.worker(again := FakeDelivery()).run_due()
        assert states(world) == {StepState.SENT}
        assert [one.recipient for one in (*delivery.messages, *again.messages)] == people
