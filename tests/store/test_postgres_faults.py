"""What goes wrong around a PostgreSQL server: each ends in the right state or in unknown, and is told in words."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import conninfo
from tests.secrecy.planted import MISTYPED
from tests.world.data_folder import Clock
from tests.world.database_server import OwnServer, Wire, own_server, server_programs
from tests.world.engine import START, TERMS, AtTheDot, EngineWorld, FakeDelivery, until
from tests.world.stores import drop_databases, fresh_database, needs_server, url_of

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.entries import ToolOperation
from sequences_mcp.domain.findings import Waiver
from sequences_mcp.domain.run import StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.context import EngineContext
from sequences_mcp.engine.provider import LocalProvider, local_provider
from sequences_mcp.errors import (
    ConflictError,
    StoreBusyError,
    StoreInterruptedError,
    StoreTooNewError,
    StoreUnwritableError,
)
from sequences_mcp.store import database as port
from sequences_mcp.store.postgres import conditions
from sequences_mcp.store.postgres.connection import MOST_CONNECTIONS, Pool
from sequences_mcp.store.postgres.database import PostgresDatabase
from sequences_mcp.store.sqlite.database import SqliteDatabase
from sequences_mcp.store.statements import to_micros
from sequences_mcp.store.unit_of_work import Store

TESTER = Actor("tester")
needs_programs = pytest.mark.skipif(server_programs() is None, reason="PostgreSQL's programs are not here")


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database of the newest schema, on the tests' server."""
    yield fresh_database(f"faults_of_{os.getpid()}")
    drop_databases()


@pytest.fixture
def wire(url: str) -> Iterator[Wire]:
    """A wire to it."""
    wire = Wire(url)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    """A server that these tests alone use, and that asks for a password."""
    with own_server("word-of-the-server") as served:
        yield served


@contextmanager
def host(url: str, folder: Path, *, clock: Clock | None = None, busy: float = 5.0) -> Iterator[EngineWorld]:
    """Open the engine of one host, with a folder of its own."""
    clock = clock or Clock(START)
    with Store.open(Workspace(folder / "data"), now=clock.now, url=url, busy_seconds=busy) as store:
        yield EngineWorld(folder, store, clock, replace(TERMS, spacing=0))


async def begun(world: EngineWorld, number: int = 1) -> list[str]:
    """Start so many people; return their addresses."""
    people = [await world.contact(f"person{one}@place{one}.example") for one in range(number)]
    await world.approved(*people)
    return sorted(str(person.email) for person in people)


def states(world: EngineWorld) -> set[StepState]:
    """Return the states of all steps."""
    details = world.store.runs.by_ids([run.id for run in everybody(world)])
    return {step.state for run in details for step in run.steps}


def everybody(world: EngineWorld) -> list[Any]:
    """Return all runs."""
    return world.store.runs.after(0, size=1_000)[0]


# Races, deadlocks and transactions that the server undoes.


def test_every_words_of_a_race_are_of_a_unique_index_that_there_is(tmp_path: Path) -> None:
    with closing(SqliteDatabase.open(Workspace(tmp_path), now=START)) as database, database.reader as reader:
        tables = [row[0] for row in reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        unique = {
            ", ".join(f"{table}.{column[2]}" for column in reader.execute(f"PRAGMA index_info('{index[1]}')"))
            for table in tables
            for index in reader.execute(f"PRAGMA index_list('{table}')")
            if index[2]
        }
    assert set(port._TAKEN) <= unique


def call_with(key: str) -> ToolOperation:
    """Return a stored call of a tool."""
    return ToolOperation(
        id=f"local:op_{os.urandom(13).hex().upper()}",
        tool="stop_sequence",
        key=key,
        fingerprint="f",
        answer="{}",
        actor=TESTER,
        created_at=START,
        expires_at=START + timedelta(days=1),
    )


@pytest.mark.parametrize("where", ["a file", pytest.param("a server", marks=needs_server)])
def test_two_rows_where_one_may_be_are_a_conflict_in_words_and_change_nothing(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("url") if where == "a server" else None
    with Store.open(Workspace(tmp_path), now=START, url=url) as store:
        store.tool_calls.insert(call_with("the same key"))
        with pytest.raises(ConflictError, match=r"same idempotency key.*Nothing was changed") as caught:
            store.tool_calls.insert(call_with("the same key"))
        assert "the same key" not in str(caught.value)
        store.tool_calls.insert(call_with("another"))


@contextmanager
def waiving(url: str, folder: Path, now: Callable[[], datetime]) -> Iterator[LocalProvider]:
    """Open the verbs with a clock that may do something."""
    with Store.open(Workspace(folder), now=START, url=url, busy_seconds=30) as store:
        yield local_provider(EngineContext(store, now, os.urandom, TERMS, TESTER))


WAIVER = Waiver(
    blueprint_id="local:bp_1", rule="tone", reason="it is ours", actor=TESTER, until=START + timedelta(days=1)
)


@needs_server
async def test_a_verb_that_a_deadlock_undid_is_begun_anew_and_done_once(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as looking:
        other.execute("SET LOCAL deadlock_timeout = '10min'")  # so that it is the verb that is undone
        other.execute("LOCK TABLE audit IN SHARE MODE")
        asked: list[int] = []

        def wants_what_the_verb_has() -> None:
            other.execute("LOCK TABLE waiver IN ACCESS EXCLUSIVE MODE")
            other.commit()

        thread = threading.Thread(target=wants_what_the_verb_has)

        def now() -> datetime:
            asked.append(1)
            if len(asked) == 2:  # the waiver is written, the audit not yet
                thread.start()
                until(lambda: looking.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
            return START

        with waiving(url, tmp_path, now) as local:
            await local.waivers.waive(WAIVER)
            thread.join(timeout=60)
            assert len(asked) == 4  # twice two
            assert len(await local.waivers.waivers_of("local:bp_1")) == 1
        assert looking.execute("SELECT count(*) FROM audit WHERE action = 'blueprint.waived'").fetchone() == (1,)


UNDOES = """
CREATE SEQUENCE tries;
CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('tries') <= {times} THEN
    RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER undoes BEFORE INSERT ON waiver FOR EACH ROW EXECUTE FUNCTION undo();
"""


@needs_server
@pytest.mark.parametrize(("times", "stored"), [(2, 1), (9, 0)])
async def test_a_serialisation_failure_is_tried_again_a_few_times_and_then_told(
    url: str, tmp_path: Path, times: int, stored: int
) -> None:
    with waiving(url, tmp_path, lambda: START) as local:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(UNDOES.format(times=times).encode())
        if stored:
            await local.waivers.waive(WAIVER)
        else:
            with pytest.raises(StoreInterruptedError, match="Nothing was changed"):
                await local.waivers.waive(WAIVER)
        assert len(await local.waivers.waivers_of("local:bp_1")) == stored


@needs_server
async def test_what_has_committed_something_is_not_begun_anew(url: str, tmp_path: Path) -> None:
    with host(url, tmp_path) as world:
        done: list[int] = []

        def act() -> None:
            with world.store.transaction() as work:
                work.mailboxes.clear_complaints(f"{len(done)}@x.example", actor=TESTER, now=START)
            done.append(1)
            raise StoreInterruptedError("The second part was undone.", next_step="Try again.")

        with pytest.raises(StoreInterruptedError):
            world.store.anew(act)
        assert done == [1]


# Wires and servers that go away.


@needs_server
def test_a_commit_whose_answer_the_wire_loses_is_known_and_happens_once(
    url: str, wire: Wire, tmp_path: Path
) -> None:
    with host(wire.url, tmp_path) as world:
        wire.lose_answer_to(b"; COMMIT\0")
        with world.store.transaction() as work:
            work.mailboxes.clear_complaints("ada@example.com", actor=TESTER, now=START)
    with psycopg.connect(url) as other:
        assert other.execute("SELECT sender FROM mailbox_complaints").fetchall() == [("ada@example.com",)]
    assert wire.cuts


@needs_server
@pytest.mark.parametrize("seed", range(3))
async def test_over_a_wire_that_is_cut_by_chance_everybody_is_mailed_once(
    url: str, tmp_path: Path, seed: int
) -> None:
    with host(url, tmp_path / "first") as world:
        people = await begun(world, 8)
        wire, delivery = Wire(url, chance=0.03, seed=seed), AtTheDot()
        with closing(wire):
            for _ in range(60):
                with suppress(StoreBusyError), host(wire.url, tmp_path / "second", clock=world.clock) as other:
                    other.worker(delivery).run_due()
                    if not other.store.runs.next_due("mailbox", terms=other.terms, before=other.clock.now):
                        break
                world.clock.forward(minutes=3)  # a lease that nobody holds any more ends
        with host(url, tmp_path / "second", clock=world.clock) as other:
            other.worker(delivery).run_due()
            assert states(other) <= {StepState.SENT, StepState.UNKNOWN}
            assert other.store.audit.verify() is None
    mailed = [message.recipient for message in delivery.messages]
    assert len(mailed) == len(set(mailed)) and set(mailed) <= set(people)
    assert wire.cuts


@needs_server
async def test_an_email_that_was_accepted_while_the_wire_was_cut_is_recorded_as_sent_afterwards(
    wire: Wire, tmp_path: Path
) -> None:
    with host(wire.url, tmp_path, busy=1.5) as world:
        people = await begun(world)
        worker = world.worker(delivery := AtTheDot(after=wire.cut))
        with pytest.raises(StoreBusyError, match="cannot be reached"):
            worker.run_due()
        wire.mend()
        world.worker(delivery).run_due()
        assert states(world) == {StepState.SENT}
        assert [message.recipient for message in delivery.messages] == people


@needs_programs
async def test_a_server_that_dies_between_hand_over_and_answer_leaves_the_email_sent_or_unknown(
    own: OwnServer, tmp_path: Path
) -> None:
    with host(own.url, tmp_path, busy=1.5) as world:
        people = await begun(world)
        delivery = AtTheDot(after=own.kill)
        with pytest.raises(StoreBusyError):
            world.worker(delivery).run_due()
        own.start()
        world.worker(delivery).run_due()
        assert (states(world), [one.recipient for one in delivery.messages]) == ({StepState.SENT}, people)

        def dies() -> None:
            own.kill()
            raise KeyboardInterrupt  # and the worker with it

        await world.approved(await world.contact("late@example.org"))
        with pytest.raises(KeyboardInterrupt):
            world.worker(last := AtTheDot(after=dies)).run_due()
    own.start()
    clock = Clock(world.clock.now + timedelta(minutes=15))
    with host(own.url, tmp_path / "another host", clock=clock) as other:
        other.worker(again := FakeDelivery()).run_due()
        assert StepState.UNKNOWN in states(other)
    assert (len(last.messages), again.messages) == (1, [])


@needs_programs
def test_a_server_that_is_away_for_a_while_is_told_and_used_again_when_it_is_back(
    own: OwnServer, tmp_path: Path
) -> None:
    with host(own.url, tmp_path, busy=1.5) as world:
        own.kill()
        for _ in range(2):
            with pytest.raises(StoreBusyError, match="cannot be reached"), world.store.transaction():
                raise AssertionError
            with pytest.raises(StoreBusyError, match="cannot be reached"):
                world.store.secret("message_id")
        own.start()
        with world.store.transaction() as work:
            work.mailboxes.clear_complaints("ada@example.com", actor=TESTER, now=START)


@needs_programs
def test_a_wrong_password_is_told_without_it(own: OwnServer, tmp_path: Path) -> None:
    wrong = replace(own, word=MISTYPED.value).url
    with pytest.raises(StoreUnwritableError, match="does not let this program in: password") as caught:
        Store.open(Workspace(tmp_path), now=START, url=wrong)
    assert own.word not in str(caught.value) and MISTYPED.value not in str(caught.value)


@needs_programs
def test_a_replica_is_refused(own: OwnServer, tmp_path: Path) -> None:
    own.restart_as(replica=True)
    try:
        with pytest.raises(StoreUnwritableError, match="is a replica, which can only be read"):
            Store.open(Workspace(tmp_path), now=START, url=own.url)
    finally:
        own.restart_as(replica=False)


@needs_server
def test_a_server_that_is_too_old_is_refused(url: str, wire: Wire, tmp_path: Path) -> None:
    with psycopg.connect(url) as other:
        present = other.info.parameter_status("server_version") or ""
    wire.changes = {f"server_version\0{present[:2]}".encode(): b"server_version\x0014"}
    with pytest.raises(StoreTooNewError, match=r"is PostgreSQL 14.*version 15 or later is needed"):
        Store.open(Workspace(tmp_path), now=START, url=wire.url)


@needs_server
def test_a_server_that_turns_read_only_is_told(url: str, tmp_path: Path) -> None:
    with host(url, tmp_path):
        pass
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {database_of(url)} SET default_transaction_read_only = on".encode())
    with pytest.raises(StoreUnwritableError, match="cannot be written"), host(url, tmp_path) as world:
        world.store.mailboxes.clear_complaints("ada@example.com", actor=TESTER, now=START)


def database_of(url: str) -> str:
    """Return the name of the database at an address."""
    return urlsplit(url).path.strip("/")


@needs_server
def test_when_all_connections_are_in_use_that_is_what_is_said(url: str, tmp_path: Path) -> None:
    with host(url, tmp_path, busy=0.2) as world:
        pool = Pool.of(url)
        taken = [pool.take(60) for _ in range(MOST_CONNECTIONS)]
        with pytest.raises(StoreBusyError, match=f"All {MOST_CONNECTIONS} connections"), world.store.transaction():
            raise AssertionError
        for connection in taken:
            pool.give_back(connection)
        pool.release()
        with world.store.transaction():
            pass


@needs_server
def test_a_server_that_lets_nobody_more_in_says_so(url: str, tmp_path: Path) -> None:
    name = f"few_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 0".encode())
        try:
            with pytest.raises(StoreBusyError, match="has no connection left: too many connections"):
                Store.open(Workspace(tmp_path), now=START, url=as_user(url, name))
        finally:
            other.execute(f"DROP ROLE {name}".encode())


def as_user(url: str, name: str) -> str:
    """Return an address with another user."""
    return conninfo.make_conninfo(url, user=name)


# Several programs, several clocks.


@needs_server
def test_a_program_whose_database_a_newer_one_has_taken_over_changes_nothing_more(
    url: str, tmp_path: Path
) -> None:
    with host(url, tmp_path) as world, psycopg.connect(url, autocommit=True) as newer:
        newer.execute(
            "INSERT INTO migration SELECT version + 1, 'later', digest, applied_at FROM migration"
            " ORDER BY version DESC LIMIT 1"
        )
        with pytest.raises(StoreTooNewError, match=r"schema \d+; this program knows.*Update sequences-mcp"):
            world.store.mailboxes.clear_complaints("ada@example.com", actor=TESTER, now=START)
        assert newer.execute("SELECT count(*) FROM mailbox_complaints").fetchone() == (0,)


@needs_server
def test_another_database_at_the_same_address_is_noticed(url: str, tmp_path: Path) -> None:
    with host(url, tmp_path) as world:
        world.store.require_in_place()
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("UPDATE secret SET value = decode(repeat('07', 32), 'hex') WHERE name = 'message_id'")
        with pytest.raises(StoreUnwritableError, match="Another database has taken the place"):
            world.store.require_in_place()


@needs_server
async def test_two_hosts_whose_clocks_are_five_seconds_apart_mail_everybody_once(url: str, tmp_path: Path) -> None:
    ahead = Clock(START + timedelta(seconds=5))
    with host(url, tmp_path / "right") as world, host(url, tmp_path / "ahead", clock=ahead) as other:
        people = await begun(world, 6)
        right, wrong = FakeDelivery(), FakeDelivery()
        other.worker(wrong).run_due(limit=3)
        world.worker(right).run_due()  # what was sent in its future counts: the mailbox may have to wait
        for clock in (world.clock, ahead):
            clock.forward(seconds=10)
        world.worker(right).run_due(limit=2)
        other.worker(wrong).run_due()
        assert sorted(message.recipient for message in (*right.messages, *wrong.messages)) == people
        assert len(wrong.messages) >= 3
        actions = {entry.action for entry in world.store.audit.entries()}
        assert "clock.put_right" not in actions and world.store.audit.verify() is None


@needs_server
async def test_a_worker_that_froze_past_its_lease_sends_no_final_dot(url: str, tmp_path: Path) -> None:
    clock = Clock(START)
    with host(url, tmp_path / "one", clock=clock) as world, host(url, tmp_path / "two", clock=clock) as other:
        people = await begun(world)
        quick = FakeDelivery()

        def freezes() -> None:
            clock.forward(minutes=3)
            other.worker(quick).run_due()

        frozen = AtTheDot(before=freezes)
        world.worker(frozen).run_due()
        assert ([one.recipient for one in quick.messages], frozen.messages) == (people, [])
        assert states(world) == {StepState.SENT}


@needs_server
async def test_what_a_replica_never_got_before_it_took_over_is_unknown_and_not_sent_again(
    url: str, tmp_path: Path
) -> None:
    clock, name = Clock(START), database_of(url)
    with host(url, tmp_path, clock=clock) as world:
        await begun(world)
    older = f"{name}_older"
    with psycopg.connect(url_of("postgres"), autocommit=True) as server:
        until(lambda: not server.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", (name,)).fetchone())
        server.execute(f"CREATE DATABASE {older} TEMPLATE {name}".encode())
        with host(url, tmp_path, clock=clock) as world:
            world.worker(sent := FakeDelivery()).run_due()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        server.execute(f"ALTER DATABASE {older} RENAME TO {name}".encode())
    with host(url, tmp_path, clock=clock) as world:
        world.worker(again := FakeDelivery()).run_due()
        assert (len(sent.messages), again.messages, states(world)) == (1, [], {StepState.UNKNOWN})


# News of other hosts.


@needs_server
async def test_what_is_approved_on_one_host_wakes_the_worker_of_another(url: str, tmp_path: Path) -> None:
    stop, delivery = threading.Event(), FakeDelivery()
    listening = threading.Event()

    def work() -> None:
        with host(url, tmp_path / "worker") as other:
            worker = other.worker(delivery, poll=3_600.0)
            worker.at = lambda point: None
            listening.set()
            worker.run(stop)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert listening.wait(timeout=60)
        with host(url, tmp_path / "person") as world:
            with psycopg.connect(url, autocommit=True) as looking:
                listens = (
                    "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_notify%'"
                    " AND datname = current_database() AND pid <> pg_backend_pid()"
                )
                until(lambda: looking.execute(listens).fetchone())
            people = await begun(world)
            until(lambda: delivery.messages)
            assert [message.recipient for message in delivery.messages] == people
    finally:
        stop.set()
        thread.join(timeout=60)


@needs_server
def test_what_is_remembered_is_not_asked_for_again_until_somebody_tells_of_a_change(
    url: str, tmp_path: Path
) -> None:
    with host(url, tmp_path) as world:
        database, stop, read = world.store.database, threading.Event(), []
        assert isinstance(database, PostgresDatabase)
        stop.set()
        world.store.sleep(stop, 0)
        until(lambda: database.longest_sleep(1.0) > 1.0)

        def look() -> int:
            read.append(1)
            return len(read)

        first = world.store.remembered("key", look)
        assert [world.store.remembered("key", look) for _ in range(3)] == [first] * 3
        with psycopg.connect(url) as other:  # another program, on another host
            other.execute("NOTIFY sequences_mcp, 'step'")
        until(lambda: world.store.remembered("key", look) > first)
        with world.store.transaction() as work:
            work.mailboxes.clear_complaints("ada@example.com", actor=TESTER, now=START)
        before = len(read)
        assert world.store.remembered("key", look) == before + 1  # one's own commit is known at once


# A pooler.


def _as_owner(host: str) -> list[str]:
    """Return the option that runs pgbouncer as somebody who reaches the server, which root must not be."""
    if os.getuid() != 0:
        return []
    return ["-u", Path(host).owner() if host.startswith("/") else "nobody"]


@contextmanager
def pgbouncer(url: str, folder: Path) -> Iterator[str]:
    """Run pgbouncer in transaction mode before a database; yield the database's address through it."""
    given = conninfo.conninfo_to_dict(url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    folder.mkdir(mode=0o755)
    file = folder / "pgbouncer.ini"
    file.write_text(
        f"[databases]\n* = host={given.get('host', '127.0.0.1')} port={given.get('port', 5432)} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {number}\nauth_type = any\nunix_socket_dir =\n"
        "pool_mode = transaction\ndefault_pool_size = 4\n"
    )
    command = ["pgbouncer", "-q", *_as_owner(str(given.get("host", ""))), str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pooled = f"postgresql://postgres@127.0.0.1:{number}/{database_of(url)}"

    def answers() -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(pooled, connect_timeout=60):
            return True
        return False

    try:
        until(answers)
        yield pooled
    finally:
        process.terminate()
        process.wait(timeout=60)


@needs_server
@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not here")
async def test_behind_pgbouncer_in_transaction_mode_work_is_looked_for_and_everybody_is_mailed_once(
    url: str, tmp_path: Path
) -> None:
    stop = threading.Event()
    stop.set()
    with (
        pgbouncer(url, Path(tempfile.mkdtemp()) / "pooler") as pooled,
        host(pooled, tmp_path / "one") as world,
        host(pooled, tmp_path / "two", clock=world.clock) as other,
    ):
        people = await begun(world, 5)
        deliveries = FakeDelivery(), FakeDelivery()
        for _ in range(4):  # often enough for statements to be prepared, were they
            world.worker(deliveries[0]).run_due(limit=1)
            other.worker(deliveries[1]).run_due(limit=1)
        assert sorted(one.recipient for delivery in deliveries for one in delivery.messages) == people
        world.store.sleep(stop, 0)
        assert world.store.longest_sleep(1.0) == 1.0  # nobody tells it of work
        assert any("through a pooler" in words for _, words in world.store.database.server_lines(now=START))
        assert world.store.database.sweep() and world.store.audit.verify() is None


# What doctor tells.

FINE: dict[str, Any] = {
    "clock": to_micros(START),
    "durable": "on",
    "fsync": "on",
    "full_pages": "on",
    "read_only": "off",
    "most": 97,
    "most_of_user": -1,
    "most_here": -1,
    "used": 5,
    "replicas": 0,
    "waited_for": 0,
    "lag": None,
    "line": "7/00000001",
}


@pytest.mark.parametrize(
    ("changed", "is_right", "words"),
    [
        ({}, True, "0.0 s apart"),
        ({"durable": "off"}, None, "turns it on for each of its own transactions"),
        ({"fsync": "off"}, False, "fsync is off"),
        ({"full_pages": "off"}, False, "full_page_writes is off"),
        ({"read_only": "on"}, False, "default_transaction_read_only is on"),
        ({"clock": to_micros(START - timedelta(seconds=5))}, False, "5.0 s ahead of"),
        ({"clock": to_micros(START + timedelta(seconds=5))}, False, "5.0 s behind"),
        ({"most": 6}, False, "raise max_connections"),
        ({"most_of_user": 3}, False, "lets 3 in"),
        ({"most_here": 0}, False, "lets 0 in"),
        ({"replicas": 2, "lag": 1.5}, None, "may forget the last commits"),
        ({"replicas": 2, "lag": 1.5, "waited_for": 1}, None, "2, the slowest 1.5 s behind"),
        ({"replicas": 1, "lag": 60.0}, False, "60.0 s behind"),
        ({"line": ""}, None, "does not tell its timeline"),
    ],
)
def test_doctor_says_what_is_wrong_with_the_server(
    changed: dict[str, Any], is_right: bool | None, words: str
) -> None:
    told = conditions.judged({**FINE, **changed}, now=START, version="15.4", is_pooled=False)
    assert any(line.find(words) >= 0 and ok is is_right for ok, line in told), told
    assert (False in {ok for ok, _ in told}) is (is_right is False)


@needs_server
def test_doctor_asks_the_server_itself(url: str, tmp_path: Path) -> None:
    with host(url, tmp_path) as world:
        survey = world.store.upkeep.survey(now=datetime.now(UTC))
        lines = "\n".join(words for _, words in survey.server)
    assert lines.startswith("database server: PostgreSQL ") and "clocks: " in lines and "connections: " in lines
