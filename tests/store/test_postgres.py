"""The store on PostgreSQL: the same statements, the same schema, and a commit whose answer is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MISTYPED
from tests.world.data_folder import sqlite_of
from tests.world.engine import EMAIL, LATER, START, EngineWorld, FakeDelivery
from tests.world.stores import drop_databases, fresh_database, needs_server, url_of

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.entries import AuditRow
from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import SettingsError, StoreBusyError, StoreError, StoreTooNewError, StoreUnwritableError
from sequences_mcp.settings import read_settings
from sequences_mcp.store import erasure, runs, statements
from sequences_mcp.store.contacts import STAGED_TABLE
from sequences_mcp.store.postgres import dialect
from sequences_mcp.store.postgres.connection import shown
from sequences_mcp.store.postgres.database import PostgresDatabase
from sequences_mcp.store.postgres.schema import postgres_migrations
from sequences_mcp.store.sqlite.schema import migrations
from sequences_mcp.store.unit_of_work import Store


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database of the newest schema, on the tests' server."""
    yield fresh_database(f"one_of_{os.getpid()}")
    drop_databases()


@pytest.fixture
def served(url: str, tmp_path: Path) -> Iterator[EngineWorld]:
    """The embedded engine on it."""
    world = opened(url, tmp_path / "here")
    yield world
    world.store.close()


def opened(url: str, folder: Path) -> EngineWorld:
    """Return the engine of one host, with a folder of its own."""
    world = EngineWorld.open(folder)
    world.store.close()
    return EngineWorld(
        folder,
        Store.open(Workspace(folder / "host"), now=START, url=url, busy_seconds=5),
        world.clock,
        world.terms,
    )


def test_every_migration_has_its_form_for_postgresql() -> None:
    known = {step.version: step.name for step in postgres_migrations()}
    first = min(known)
    lacking = [f"{step.version:04}_{step.name}.sql" for step in migrations() if step.version > first]
    lacking = [name for name in lacking if known.get(int(name[:4])) != name[5:-4]]
    assert not lacking, (
        f"store/postgres/migrations lacks {', '.join(lacking)}: the same change in PostgreSQL's words. INTEGER is "
        "bigint, TEXT is text COLLATE \"C\", BLOB is bytea, no STRICT; a trigger is EXECUTE FUNCTION refuse('why')"
    )
    assert max(known) == len(migrations())


@needs_server
def test_every_named_statement_is_understood_by_postgresql(url: str) -> None:
    """Whoever adds one that is not writes it for PostgreSQL, by the same name, in store/postgres/queries."""
    wrong = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TEMP TABLE {STAGED_TABLE}".encode())
        for name, sql in every_statement():
            try:
                connection.execute(f"PREPARE one AS {sql}".encode())
                connection.execute("DEALLOCATE one")
            except psycopg.Error as error:
                wrong.append(f"{name}: {str(error).splitlines()[0]}")
    assert not wrong, "\n".join(wrong)


def every_statement() -> Iterator[tuple[str, str]]:
    """Yield every statement by its name, with each of the pieces that are put into it, as PREPARE takes it."""
    conditions = [*runs._CONDITIONS.values(), *runs._WAITING.values()]
    people = [*runs._KINDS.values(), runs._FOUND_BY]
    pieces = {
        "where": f"WHERE {' AND '.join(conditions)}",
        "among": f" AND {' AND '.join(people)}",
        "key": "no",
        "columns": "actor",
        "table": "audit",
        "column": "actor",
        "unread": f"{runs._WAITS} AND {runs._HAS_OWN.format(runs._UNOPENED)}",
    }
    for file in sorted([*statements.FOLDER.glob("*.sql"), *dialect.FOLDER.glob("*.sql")]):
        for plain in statements.parse_statements(file.read_text("utf-8")):
            order = runs._PEOPLE_ORDER if file.stem == "records" else runs._ORDERS["status"].format(order="DESC")
            variants = [{**pieces, "order": order}]
            if plain == "own_rows":
                variants = [{"table": table, "condition": condition} for _, table, condition in erasure.OWN_ROWS]
            for locked, given in product((False, True), variants):
                sql = dialect.postgres_statement(f"{file.stem}.{plain}", locked=locked)
                for mark, piece in given.items():
                    sql = sql.replace(f"/* {mark} */", piece)
                places: dict[str, int] = {}
                numbered = re.sub(
                    r"%\((\w+)\)s",
                    lambda match, places=places: f"${places.setdefault(match[1], len(places) + 1)}",  # type: ignore[misc]
                    dialect.in_postgres(sql),
                )
                yield f"{file.stem}.{plain}", numbered.replace("%%", "%")


@needs_server
def test_both_schemas_have_the_same_tables_columns_indexes_and_refusals(url: str, tmp_path: Path) -> None:
    with (
        Store.open(Workspace(tmp_path), now=START) as store,
        sqlite_of(store).reader as mine,
        psycopg.connect(url) as other,
    ):
        tables = {row[0] for row in mine.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        asked = other.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        # Which are files of the data folder otherwise, and what only a server needs that may be replaced.
        served_alone = {"kept_record", "last_commit", "handing_over"}
        assert {row[0] for row in asked} == tables | served_alone
        for table in sorted(tables - {"lineage"}):  # which is by data folder there
            columns = {
                (row[1], row[2] or "", bool(row[3]) or bool(row[5]))
                for row in mine.execute(f"PRAGMA table_info({table})")
            }
            theirs = other.execute(
                "SELECT attname, atttypid::regtype::text, attnotnull FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                (table,),
            )
            kinds = {"bigint": "INTEGER", "text": "TEXT", "bytea": "BLOB"}
            assert {(name, kinds[kind], strict) for name, kind, strict in theirs} == columns, table
        named = "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'"
        indexes = {row[0] for row in mine.execute(named, ("index",))}
        theirs = other.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
        assert indexes <= {row[0] for row in theirs}
        triggers = {row[0] for row in mine.execute(named, ("trigger",))}
        theirs = other.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        assert triggers <= {row[0] for row in theirs}


LAWS = {
    "the audit is never changed": "UPDATE audit SET actor = 'someone else'",
    "the audit is never deleted": "TRUNCATE audit",
    "a blueprint version never changes": "UPDATE blueprint_version SET name = 'other'",
    "an approval is never deleted": "DELETE FROM approval",
    "a sequence is never deleted": "TRUNCATE sequence CASCADE",
    "a text never changes": "UPDATE step_run SET content = 'other' WHERE step = 1",
    "a step cannot come from that state": "UPDATE step_run SET state = 'sent' WHERE step = 1",
    "a sequence that is over stays over": "UPDATE sequence SET status = 'ACTIVE' WHERE status = 'STOPPED_EARLY'",
    "sequence_check": "UPDATE sequence SET status = 'HAPPY' WHERE ordinal = 0",
    "sequence_one_live_per_contact": "UPDATE sequence SET contact_no = 1 WHERE status <> 'FOUND'",
    "violates foreign key": "UPDATE sequence SET plan_no = 99 WHERE ordinal = 0",
}


@needs_server
async def test_postgresql_refuses_what_sqlite_refuses(served: EngineWorld, url: str) -> None:
    people = [await served.contact(f"person{number}@example.org") for number in range(3)]
    await served.approved(*people, blueprint=await served.blueprint(EMAIL, LATER))
    served.worker().run_due(limit=1)
    await served.local.suppressions.suppress("address", "person1@example.org", reason="asked")
    with psycopg.connect(url, autocommit=True) as other:
        for law, sql in LAWS.items():
            with pytest.raises(psycopg.Error, match=law):
                other.execute(sql.encode())


@needs_server
async def test_a_story_from_the_blueprint_to_the_stop(served: EngineWorld) -> None:
    people = [await served.contact(f"person{number}@place{number}.example") for number in range(4)]
    await served.approved(*people, blueprint=await served.blueprint(EMAIL, LATER))
    served.worker().run_due()
    assert len(served.mails) == 4
    await served.local.suppressions.suppress("address", "person1@place1.example", reason="asked")
    served.clock.forward(days=4)
    served.worker().run_due()
    assert len(served.mails) == 7
    statuses = [run.status for run in await served.runs()]
    assert statuses.count(SequenceStatus.COMPLETED) == 3
    assert statuses.count(SequenceStatus.STOPPED_EARLY) == 1
    assert served.store.audit.verify() is None
    survey = served.store.upkeep.survey(now=served.clock.now)
    assert survey.broken_row is None and survey.path.startswith("postgresql://")


@needs_server
async def test_two_hosts_take_turns_at_one_mailbox_and_nobody_is_mailed_twice(
    served: EngineWorld, url: str, tmp_path: Path
) -> None:
    people = [await served.contact(f"person{number}@place{number}.example") for number in range(30)]
    await served.approved(*people, blueprint=await served.blueprint())
    sent: list[str] = []

    def host(number: int) -> None:
        world = opened(url, tmp_path / f"host{number}")
        delivery = FakeDelivery()
        try:
            while EngineWorld(world.folder, world.store, served.clock, world.terms).worker(delivery).run_due():
                pass
        finally:
            world.store.close()
        sent.extend(message.recipient for message in delivery.messages)

    threads = [threading.Thread(target=host, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert sorted(sent) == sorted(str(person.email) for person in people)
    assert {step.state for run in await served.runs() for step in run.steps} == {StepState.SENT}
    assert served.store.audit.verify() is None


@needs_server
def test_the_rows_of_the_audit_are_written_last_and_those_of_an_undone_block_not_at_all(
    served: EngineWorld,
) -> None:
    def entry(subject: str) -> AuditRow:
        return AuditRow(at=START, actor=Actor("tester"), action="told", subject=subject, detail={})

    before = len(list(served.store.audit.entries()))
    with served.store.transaction() as work:
        work.audit.append([entry("first")])
        with pytest.raises(ZeroDivisionError), served.store.transaction():
            work.audit.append([entry("undone")])
            assert [one.subject for one in work.audit.entries()][before:] == ["first", "undone"]
            raise ZeroDivisionError
        work.audit.append([entry("second")])
    assert [one.subject for one in served.store.audit.entries()][before:] == ["first", "second"]
    assert served.store.audit.verify() is None


@needs_server
def test_a_commit_whose_answer_is_lost_is_read_back_before_anything_else_happens(
    served: EngineWorld, url: str
) -> None:
    database = served.store.database
    assert isinstance(database, PostgresDatabase)
    with served.store.transaction() as work:
        work.mailboxes.clear_complaints("ada@example.com", actor=Actor("tester"), now=START)
        assert database._held is not None
        database._held.execute("COMMIT")  # it is done, and then the answer is lost with the connection
        end(url, database._held.info.backend_pid)
    assert cleared(url) == ["ada@example.com"]


@needs_server
def test_a_connection_that_is_lost_before_the_commit_changes_nothing_and_says_so(
    served: EngineWorld, url: str
) -> None:
    database = served.store.database
    assert isinstance(database, PostgresDatabase)
    with pytest.raises(StoreBusyError, match="before the change was stored"), served.store.transaction() as work:
        work.mailboxes.clear_complaints("ada@example.com", actor=Actor("tester"), now=START)
        assert database._held is not None
        end(url, database._held.info.backend_pid)
    assert cleared(url) == []
    with served.store.transaction() as work:  # and it goes on, on another connection
        work.mailboxes.clear_complaints("bea@example.com", actor=Actor("tester"), now=START)
    assert cleared(url) == ["bea@example.com"]


def end(url: str, process: int) -> None:
    """End a connection from the server's side, and wait until it has ended."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 30000)", (process,))


def cleared(url: str) -> list[str]:
    """Return the mailboxes of which a person said that they go on."""
    with psycopg.connect(url) as other:
        return [row[0] for row in other.execute("SELECT sender FROM mailbox_complaints ORDER BY sender")]


@needs_server
def test_a_commit_is_durable_also_where_the_server_is_told_otherwise(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        [name] = other.execute("SELECT current_database()").fetchone() or ("",)
        other.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    with closing(opened(url, tmp_path / "here").store) as store, store.transaction():
        database = store.database
        assert isinstance(database, PostgresDatabase) and database._held is not None
        assert tuple(database._held.execute("SHOW synchronous_commit").fetchone() or ()) == ("on",)


@needs_server
def test_what_is_remembered_is_read_again_after_anybodys_commit_alone(
    served: EngineWorld, url: str, tmp_path: Path
) -> None:
    read: list[int] = []

    def look() -> int:
        read.append(1)
        return len(read)

    remembered = served.store.remembered
    # Other tests may commit to the same server at any moment, which its snapshots tell too.
    assert any(remembered("key", look) == remembered("key", look) for _ in range(1_000))
    before = len(read)
    with closing(opened(url, tmp_path / "other").store) as other, other.transaction() as work:
        work.mailboxes.clear_complaints("ada@example.com", actor=Actor("tester"), now=START)
    assert before < remembered("key", look) == len(read)


@needs_server
def test_whoever_waits_too_long_is_told_and_nothing_was_changed(served: EngineWorld, url: str) -> None:
    database = served.store.database
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_advisory_xact_lock(1397051725, 2)")
        with pytest.raises(StoreBusyError, match="too long"), served.store.hasty(0.05), served.store.transaction():
            raise AssertionError
    assert not database.in_transaction
    with served.store.transaction():
        pass


@needs_server
def test_a_host_knows_what_it_sent_after_the_server_was_put_back_to_an_older_state(
    served: EngineWorld, url: str, tmp_path: Path
) -> None:
    served.store.lineage.note_email(
        lease=7, key="K", message_id="<m@x>", sender="ada@example.com", recipient="eve@example.org", now=START
    )
    served.store.lineage.look(now=START + timedelta(minutes=1))
    assert [item.key for item in served.store.lineage.unseen()] == ["K"]
    with closing(opened(url, tmp_path / "other").store) as other:  # whose folder has a journal of its own
        assert other.lineage.standstills() == []
        assert [item.key for item in other.lineage.unseen()] == ["K"]


@needs_server
def test_a_newer_schema_and_anothers_tables_are_refused(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("UPDATE migration SET version = version + 1000")
    with pytest.raises(StoreTooNewError, match="schema"):
        Store.open(Workspace(tmp_path), now=START, url=url)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    address = f"postgresql://ada:{quote(MISTYPED.value, safe='')}@127.0.0.1:1/nothing"
    with pytest.raises(StoreBusyError) as caught:
        Store.open(Workspace(tmp_path), now=START, url=address)
    assert "postgresql://ada@127.0.0.1:1/nothing" in str(caught.value)
    assert MISTYPED.value not in str(caught.value) and shown(address) == "postgresql://ada@127.0.0.1:1/nothing"


@needs_server
def test_a_database_that_is_not_there_is_told_apart_from_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritableError, match="does not exist"):
        Store.open(Workspace(tmp_path), now=START, url=url_of("nobody_made_this"))


def test_an_address_that_is_none_is_refused_without_being_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        Store.open(Workspace(tmp_path), now=START, url=f"postgresql://ada:{MISTYPED.value}@[::1/db")
    assert MISTYPED.value not in str(caught.value)


IN_FILE = 'database = "postgresql://ada@db.example:5433/outreach"\ndatabase_password = { env = "DB_PASSWORD" }\n'


def test_the_file_names_the_database_and_where_its_password_is(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(IN_FILE)
    environ = {"SEQUENCES_DATA_DIR": str(tmp_path), "DB_PASSWORD": "p/w:@"}
    settings = read_settings(environ)
    assert settings.database_url == "postgresql://ada:p%2Fw%3A%40@db.example:5433/outreach"
    assert settings.mailbox.database_url == settings.database_url
    assert "p%2Fw" not in repr(settings)
    with pytest.raises(SettingsError, match="DB_PASSWORD is not set"):  # never a file in its place
        read_settings({"SEQUENCES_DATA_DIR": str(tmp_path)})
    (tmp_path / "settings.toml").write_text('database = "postgresql://ada:word@db.example/outreach"\n')
    with pytest.raises(SettingsError, match="no password stands in this file"):
        read_settings(environ)


def test_the_driver_is_loaded_by_nobody_who_does_not_use_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "import sequences_mcp.bootstrap, sequences_mcp.doctor, sequences_mcp.upkeep\n"
        "from sequences_mcp.domain.workspace import Workspace\n"
        "from sequences_mcp.store.unit_of_work import Store\n"
        "Store.open(Workspace(Path(sys.argv[1])), now=datetime.now(UTC)).close()\n"
        "print([name for name in sys.modules if 'psycopg' in name or 'postgres' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    heard("what was loaded", done.stdout + done.stderr)
    assert done.stdout.strip() == "[]"


@needs_server
def test_an_error_of_the_driver_is_the_products_own_and_repeats_no_values(served: EngineWorld) -> None:
    with pytest.raises(StoreError, match="unique constraint") as caught, served.store.transaction() as work:
        for _ in range(2):
            work.database.write("attempts.insert", **ATTEMPT)
    assert "someone@example.org" not in str(caught.value)


ATTEMPT: dict[str, Any] = {
    "lease": 1,
    "key": "K",
    "generation": 0,
    "sender": "someone@example.org",
    "message_id": "<m@x>",
    "message_digest": bytes(32),
    "claimed_at": 0,
}
