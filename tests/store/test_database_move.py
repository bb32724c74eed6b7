"""The whole database moved to a PostgreSQL server and back: what is there then, and what stands in the way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.terminal import Said, Terminal
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MISTYPED, PASSPHRASE
from tests.world.data_folder import Clock
from tests.world.engine import EMAIL, LATER, START, TERMS, EngineWorld, FakeDelivery
from tests.world.stores import drop_databases, fresh_database, needs_server

from sequences_mcp.domain.actors import PAGE, TERMINAL
from sequences_mcp.domain.workers import WorkerState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import StoreError, StoreUnwritableError
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.review.lock import passphrase
from sequences_mcp.store import journals, moving
from sequences_mcp.store.safekeeping import FolderRecords, safekeeping_in
from sequences_mcp.store.unit_of_work import Store


@dataclass
class Office:
    """A data folder with a history, an empty database on a server, and a terminal."""

    folder: Path
    url: str
    terminal: Terminal
    secret: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.terminal.data

    def move(self, target: str | Path, *more: str) -> Said:
        """Move the database, as a person does."""
        given = ["--passphrase-file", self.secret] if self.secret and "--check" not in more else []
        return self.terminal.run("database", "move", "--to", str(target), *given, *more)

    def dump(self, url: str | None) -> dict[str, moving.Dump]:
        """Return the canonical dump of the folder's database, or of one on a server."""
        with moving.source_of(self.data, url) as side:
            return moving.dumped(side)

    def ask(self, sql: str, url: str | None) -> list[tuple[Any, ...]]:
        """Ask either database."""
        if url is None:
            with closing(sqlite3.connect(self.data / "sequences.db")) as database, database:
                return database.execute(sql).fetchall()
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    """A folder in which somebody was mailed, somebody waits, and somebody is suppressed."""
    terminal = Terminal(tmp_path, capsys)
    made = Office(tmp_path, fresh_database(f"moved_{os.getpid()}"), terminal)
    asyncio.run(history(tmp_path / "data"))
    made.secret = terminal.with_passphrase()
    yield made
    drop_databases()


async def history(folder: Path) -> None:
    """Let a little of everything happen in a folder."""
    world = EngineWorld.open(folder.parent)  # whose data folder it is
    with closing(world.store):
        people = [await world.contact(f"{name}@example.org") for name in ("ann", "çem", "dee")]
        await world.approved(*people[:2], blueprint=await world.blueprint(EMAIL, LATER))
        world.worker(FakeDelivery()).run_due(limit=1)
        await world.plan(people[2], blueprint=await world.blueprint(EMAIL, LATER))
        await world.local.suppressions.suppress("address", "never@example.org", reason="asked")
        with world.store.transaction() as work:
            work.lineage.note_email(
                lease=1, key="k", message_id="<m@x>", sender="a@x", recipient="b@x", now=world.clock.now
            )
        world.clock.forward(hours=1)


@needs_server
def test_a_database_moves_to_a_server_and_back_with_equal_dumps_and_what_was_in_files(office: Office) -> None:
    files = {record: FolderRecords(Workspace(office.data)).read(record) for record in KeptRecord}
    said = office.move(office.url)
    assert (said.status, "the chain of the audit holds" in said.out) == (0, True), said.err
    there = office.dump(office.url)
    assert there["step_run"].rows > 3 and there["audit"].rows > 5
    assert "database = " in (office.data / "settings.toml").read_text()
    served = safekeeping_in(Workspace(office.data), url=office.url)
    assert served.read(KeptRecord.PASSPHRASE) == files[KeptRecord.PASSPHRASE]
    passphrase.check_passphrase(served, PASSPHRASE.value)
    assert not Workspace(office.data).passphrase.exists()
    back = office.move(office.data, "--json")
    assert back.status == 0, back.err
    facts = json.loads(back.out)
    assert facts["moved"] and facts["rows"]["audit"] == there["audit"].rows + 1  # which says that it moves back
    here = office.dump(None)
    assert {name: dump for name, dump in here.items() if name != "audit"} == {
        name: dump for name, dump in there.items() if name != "audit"
    }
    assert office.dump(office.url) == here
    assert "database" not in (office.data / "settings.toml").read_text()
    assert FolderRecords(Workspace(office.data)).read(KeptRecord.PASSPHRASE) == files[KeptRecord.PASSPHRASE]
    assert office.terminal.run("audit", "verify").status == 0
    assert [path.name for path in office.data.glob("sequences.db.replaced-*")]


@needs_server
def test_what_waited_goes_on_at_the_server_and_nobody_gets_a_mail_twice(office: Office) -> None:
    assert office.move(office.url).status == 0
    store = Store.open(Workspace(office.data), now=START, url=office.url)
    with closing(store):
        assert store.lineage.standstills() == [] and store.suppressions.has_any()
        assert store.audit.verify() is None
        with store.transaction() as work:
            lease = work.attempts.next_lease()
        assert lease > office.ask("SELECT max(lease) FROM attempt", office.url)[0][0]
        served = EngineWorld(office.data, store, Clock(START), TERMS)
        served.clock.forward(days=3)
        delivery = FakeDelivery()
        served.worker(delivery).run_due()
        asyncio.run(new_person(served))
    assert office.ask(
        "SELECT count(*) FROM attempt WHERE key IN (SELECT key FROM attempt GROUP BY key HAVING count(*) > 1)",
        office.url,
    ) == [(0,)]


async def new_person(world: EngineWorld) -> None:
    """Save and plan somebody: their rows get numbers that nobody has."""
    person = await world.contact("new@example.org")
    await world.plan(person, blueprint=await world.blueprint(EMAIL, LATER))


@needs_server
def test_whoever_opens_what_was_moved_is_told_where_it_went(office: Office) -> None:
    assert office.move(office.url).status == 0
    with pytest.raises(StoreUnwritableError, match=r"moved on .* to postgresql://.*moved_") as caught:
        Store.open(Workspace(office.data), now=START)
    assert "settings.toml" in caught.value.next_step
    # A program on another host, which has it open meanwhile:
    stays = Store.open(Workspace(office.folder / "other_host"), now=START, url=office.url)
    records = safekeeping_in(stays.workspace, url=office.url)
    people = partial(stays.contacts.by_email, "ann@example.org")
    with closing(stays):
        assert people() and records.has(KeptRecord.PASSPHRASE)
        assert office.move(office.data).status == 0
        readings: list[Callable[[], object]] = [
            people,
            partial(stays.remembered, "people", people),
            partial(records.read, KeptRecord.PASSPHRASE),
        ]
        for reading in readings:  # what is left there is read by nobody either
            with pytest.raises(StoreUnwritableError, match=r"was moved on .* to the folder"):
                reading()
        with pytest.raises(StoreError, match=r"was moved on .* to the folder"), stays.transaction() as work:
            work.suppressions.add(("address", "x@example.org"), reason="asked", actor=PAGE, now=START)
            work.audit.record(at=START, actor=PAGE, action="suppression.added", subject="x", detail={})
    with pytest.raises(StoreUnwritableError, match=r"moved on .* to the folder"):
        Store.open(Workspace(office.folder / "other_host"), now=START, url=office.url)


@needs_server
def test_a_look_changes_nothing_on_either_side(office: Office) -> None:
    before = office.dump(None)
    said = office.move(office.url, "--check", "--json")
    assert said.status == 0, said.err
    facts = json.loads(said.out)
    assert not facts["moved"] and sum(facts["rows"].values()) == sum(dump.rows for dump in before.values())
    assert facts["records"] == ["passphrase", "proof", "page_word"]
    assert office.dump(None) == before and not (office.data / "settings.toml").exists()
    assert office.ask("SELECT count(*) FROM contact", office.url) == [(0,)]
    assert office.move(office.data, "--check").status == 2  # it is a file already


@needs_server
def test_nothing_moves_while_a_worker_lives_or_anything_has_the_folder_open(office: Office) -> None:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    state = WorkerState(process=7, label="mailbox", since=now, beat=now, host="elsewhere", sends="Ada")
    with Store.open(Workspace(office.data), now=now) as store:
        store.workers.keep(state, forgotten_before=now)
    said = office.move(office.url)
    assert (said.status, "process 7 on elsewhere" in said.err) == (2, True)
    assert office.move(office.url, "--check").status == 2
    with Store.open(Workspace(office.data), now=now) as store:
        store.workers.remove(host="elsewhere", process=7, label="mailbox")
        in_use = office.move(office.url)
    assert (in_use.status, "is using" in in_use.err) == (2, True)
    assert office.ask("SELECT count(*) FROM contact", office.url) == [(0,)]
    outcome = Workspace(office.data).receipts / "7.json"
    outcome.parent.mkdir(exist_ok=True)
    outcome.write_text("{}")
    assert "Outcomes of e-mails are not in the database yet" in office.move(office.url).err
    outcome.unlink()
    assert office.move(office.url).status == 0


@needs_server
def test_without_the_passphrase_nothing_moves(office: Office) -> None:
    wrong = office.terminal.write("wrong.secret", MISTYPED.value)
    said = office.terminal.run("database", "move", "--to", office.url, "--passphrase-file", wrong)
    assert (said.status, "The passphrase is wrong" in said.err) == (2, True)
    assert office.ask("SELECT count(*) FROM contact", office.url) == [(0,)]


TARGETS = {
    "rows of somebody else's work": (
        "INSERT INTO suppression VALUES ('domain', 'x.example', 'r', 'page', 0)",
        "is not empty: there are rows in suppression",
    ),
    "a passphrase": (
        "INSERT INTO kept_record VALUES ('passphrase', '{}')",
        "is not empty: there are rows in kept_record",
    ),
    "a newer schema": ("UPDATE migration SET version = version + 1000", "has schema"),
    "another program's tables": (
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE theirs (no bigint)",
        "has tables of another program",
    ),
}


@needs_server
@pytest.mark.parametrize("there", TARGETS)
def test_a_target_that_holds_anything_or_is_newer_is_refused_and_stays_as_it_was(
    office: Office, there: str
) -> None:
    spoilt, words = TARGETS[there]
    office.ask(spoilt, office.url)
    for more in ((), ("--check",)):
        said = office.move(office.url, *more)
        assert (said.status, words in said.err) == (2, True), said.err
    assert office.terminal.run("doctor").out.count("moved on") == 0
    with Store.open(Workspace(office.data), now=START):
        pass  # the source goes on


@needs_server
def test_a_user_who_may_make_no_tables_is_told_what_is_missing(office: Office) -> None:
    office.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public", office.url)
    role = f"reader_{os.getpid()}"
    office.ask(
        f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA public TO {role}", office.url
    )
    try:
        said = office.move(office.url.replace("user=postgres", f"user={role}"))
        assert (said.status, "may not make tables there" in said.err, "GRANT CREATE" in said.err) == (
            2,
            True,
            True,
        )
    finally:
        office.ask(f"DROP OWNED BY {role}; DROP ROLE {role}", office.url)


@needs_server
def test_a_text_that_the_server_cannot_hold_is_named_before_anything_is_moved(office: Office) -> None:
    office.ask("UPDATE contact SET notes = 'a' || char(0) || 'b' WHERE no = 2", None)
    for more in (("--check",), ()):
        said = office.move(office.url, *more)
        assert said.status == 2 and "contact.notes (no 2)" in said.err and "NUL" in said.err
    assert office.ask("SELECT count(*) FROM blueprint_version", office.url) == [(0,)]
    office.ask("UPDATE contact SET notes = 'ab' WHERE no = 2", None)
    assert office.move(office.url).status == 0


@needs_server
def test_a_broken_chain_is_not_carried_on(office: Office) -> None:
    office.ask("DROP TRIGGER audit_is_never_changed", None)
    office.ask("UPDATE audit SET actor = 'nobody' WHERE no = 2", None)
    said = office.move(office.url, "--check")
    assert said.status == 2 and "Row 2 of the audit" in said.err
    assert office.move(office.url).status == 2
    assert office.ask("SELECT count(*) FROM contact", office.url) == [(0,)]


@needs_server
@pytest.mark.parametrize("table", ["audit", "contact", "step_run", "secret"])
def test_a_copy_that_ends_half_way_leaves_nothing_on_the_server(office: Office, table: str) -> None:
    """The server ends the connection while a table is on its way."""
    before = office.dump(None)

    def cut(name: str, rows: int) -> None:
        if name == table:
            with psycopg.connect(office.url, autocommit=True) as database:
                database.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    with (
        pytest.raises(StoreError),
        moving.source_of(office.data, None) as source,
        moving.target_of(office.data, office.url, source=source.title, now=START) as target,
    ):
        moving.copy_database(source, target, keeps_place=True, progress=cut)
    assert [office.ask(f"SELECT count(*) FROM {name}", office.url) for name in ("contact", "audit")] == [
        [(0,)]
    ] * 2
    assert office.dump(None) == before
    assert office.move(office.url).status == 0


@needs_server
def test_a_copy_that_ends_half_way_leaves_no_file(office: Office) -> None:
    assert office.move(office.url).status == 0
    target = office.folder / "back"

    def stop(name: str, rows: int) -> None:
        if name == "step_run":
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        moving.source_of(office.data, office.url) as source,
        moving.target_of(office.data, target, source=source.title, now=START) as empty,
    ):
        moving.copy_database(source, empty, keeps_place=False, progress=stop)
    assert not list(target.glob("sequences.db*"))


KILLED = """
import os, signal, sys
from pathlib import Path
from sequences_mcp.domain.actors import TERMINAL
from sequences_mcp.settings import read_settings
from sequences_mcp.upkeep import move_database

def die(table, rows):
    if table == "sequence":
        os.kill(os.getpid(), signal.SIGKILL)

target = sys.argv[1] if "://" in sys.argv[1] else Path(sys.argv[1])
move_database(read_settings(os.environ), target, actor=TERMINAL, progress=die)
"""


@needs_server
def test_a_command_that_is_killed_half_way_is_simply_given_again(office: Office) -> None:
    for at, target in ((None, office.url), (office.url, str(office.data))):
        environ = {"SEQUENCES_DATA_DIR": str(office.data)} | ({"SEQUENCES_DATABASE_URL": at} if at else {})
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, target],
            env={**os.environ, **environ},
            capture_output=True,
            check=False,
            timeout=120,
        )
        heard("a move that was killed", ended.stdout + ended.stderr)
        assert ended.returncode == -signal.SIGKILL
        before = office.dump(at)
        assert office.move(target).status == 0
        after = office.dump(None if at else office.url)
        assert {name: dump for name, dump in after.items() if name != "audit"} == {
            name: dump for name, dump in before.items() if name != "audit"
        }
    assert not (office.data / "sequences.db.moving").exists()
    assert office.terminal.run("audit", "verify").status == 0


@needs_server
def test_a_move_that_ended_before_the_source_was_marked_is_finished_by_the_same_command(office: Office) -> None:
    with Store.open(Workspace(office.data), now=START) as store:
        place = moving.place_of(office.url, host="")
        store.audit.record(
            at=START, actor=TERMINAL, action="database.move", subject="database", detail={"to": place}
        )
    with (
        moving.source_of(office.data, None) as source,
        moving.target_of(office.data, office.url, source=source.title, now=START) as target,
    ):
        moving.copy_database(source, target, keeps_place=True, progress=lambda *_: None)
    assert office.move(office.url).status == 0
    with pytest.raises(StoreUnwritableError, match="moved on"):
        Store.open(Workspace(office.data), now=START)
    with Store.open(Workspace(office.data), now=START, url=office.url) as store:
        assert store.audit.verify() is None


@needs_server
def test_of_two_moves_at_once_one_is_made(office: Office) -> None:
    """The second has waited for the first to let go of the database, and finds the mark."""
    with moving.source_of(office.data, None) as source:
        moving.require_here(source)
        source.mark_moved("postgresql://db.example/other", now=START)
    with (
        moving.source_of(office.data, None) as source,
        pytest.raises(StoreUnwritableError, match=r"db\.example/other"),
    ):
        moving.require_here(source)


@needs_server
def test_a_difference_after_the_copy_is_found_and_named(office: Office) -> None:
    """Somebody's trigger on the server changes what it is given."""
    from sequences_mcp.store.postgres.database import PostgresDatabase

    PostgresDatabase.open(Workspace(office.folder / "first"), office.url, now=START).close()
    office.ask(
        "CREATE FUNCTION louder() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.notes := NEW.notes || '!'; RETURN NEW; END $$;"
        " CREATE TRIGGER louder BEFORE INSERT ON contact FOR EACH ROW EXECUTE FUNCTION louder()",
        office.url,
    )
    said = office.move(office.url)
    assert said.status == 2 and "row 1 of contact was not the same" in said.err
    assert office.ask("SELECT count(*) FROM contact", office.url) == [(0,)]


@needs_server
def test_back_into_another_folder_its_journals_come_along(office: Office) -> None:
    assert office.move(office.url).status == 0
    target = office.folder / "elsewhere"
    said = office.move(target)
    assert said.status == 0 and f"Set SEQUENCES_DATA_DIR to {target}" in said.out
    with Store.open(Workspace(target), now=START) as store:
        assert store.lineage.standstills() == [] and store.audit.verify() is None
        assert [item.key for item in store.lineage.unseen()] == ["k"]  # of which no database ever knew
    sent = journals.journal_tail(target / journals.SENT, 0)[0]
    assert sent == journals.journal_tail(office.data / journals.SENT, 0)[0]
    passphrase.check_passphrase(FolderRecords(Workspace(target)), PASSPHRASE.value)
    taken = office.folder / "taken"
    Store.open(Workspace(taken), now=START).close()
    assert "There is a database in" in office.move(taken).err or "was moved on" in office.move(taken).err


WRONG: dict[str, tuple[str, ...]] = {
    "The address has a password in it": ("--to", f"postgresql://ada:{MISTYPED.value}@db.example/x"),
    "Leave it out, and name where it is": ("--to", f"postgresql://ada@db.example/x?password={MISTYPED.value}"),
    "is no address of a database": ("--to", "mysql://ada@db.example/x"),
    "is not set": ("--to", "postgresql://ada@db.example/x", "--password-env", "NOBODY_SET_THIS"),
    "A folder has no password": ("--to", "somewhere", "--password-env", "HOME"),
    "names no user": ("--to", "postgresql://db.example/x", "--password-env", "HOME"),
    "whose password it could be": (
        "--to",
        "postgresql://db.example/x?application_name=a@b",
        "--password-env",
        "HOME",
    ),
    "cannot be reached": ("--to", "postgresql://ada@127.0.0.1:1/nothing"),
    "is a file of the data folder already": ("--to", "somewhere"),
}


@pytest.mark.parametrize("words", WRONG)
def test_bad_input_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str) -> None:
    terminal = Terminal(tmp_path, capsys)
    Store.open(Workspace(terminal.data), now=START).close()
    said = terminal.run("database", "move", *WRONG[words])
    assert (said.status, words in said.err) == (2, True), said.err
    assert MISTYPED.value not in said.err


def test_without_a_database_there_is_nothing_to_move(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(tmp_path, capsys)
    said = terminal.run("database", "move", "--to", "postgresql://ada@127.0.0.1:1/nothing")
    assert (said.status, "There is no database in" in said.err) == (2, True)
    assert not (terminal.data / "sequences.db").exists()


@needs_server
def test_the_settings_keep_everything_else_and_refer_to_the_password(office: Office) -> None:
    (office.data / "settings.toml").write_text('# mine\ntime_zone = "Europe/Paris" # here\n\n[law]\n')
    word = office.terminal.write("word.secret", MISTYPED.value)
    server = office.url.replace("postgresql:///", "postgresql://postgres@/")
    said = office.move(server, "--password-file", word)
    assert said.status == 0, said.err
    text = (office.data / "settings.toml").read_text()
    assert text.startswith('# mine\ntime_zone = "Europe/Paris" # here\n') and MISTYPED.value not in text + said.out
    assert "[law]" in text and "database_password = {file = " in text
    [copy] = office.data.glob("settings.toml.*.bak")
    assert "database" not in copy.read_text()
