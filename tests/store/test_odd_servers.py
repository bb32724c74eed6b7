"""A server with other defaults, another locale or encoding: the same answers, or a refusal in words.

And what hosts that share a server ask of one another beside their transactions.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.store.test_both_stores import PEOPLE, compared
from tests.world.data_folder import Clock
from tests.world.engine import START, TERMS, EngineWorld
from tests.world.stores import drop_databases, fresh_database, needs_server, url_of

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.context import StepsAsideError, stepping_aside
from sequences_mcp.errors import StoreUnwritableError
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.store.safekeeping import FolderRecords, safekeeping_in
from sequences_mcp.store.unit_of_work import Store

pytestmark = needs_server
TESTER = Actor("tester")
TURKISH = "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C'"
DEFAULTS = {
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "America/Lima",
    "bytea_output": "escape",
    "extra_float_digits": "-10",
}
HISTORY: list[tuple[Any, ...]] = [
    *(
        ("save", email, company)
        for email, company in zip(PEOPLE, ["É\\co", "Acme GmbH", "50%_off", "acme", ""], strict=True)
    ),
    ("start", PEOPLE[:3]),
    ("approve", 0),
    ("work", "accepted", 2),
    ("pause", 1),
    ("suppress", "address", PEOPLE[2]),
    ("wait", 50),
    ("start", PEOPLE[3:]),
    ("approve", 1),
    ("work", "lost", 3),
    ("stop", 3),
    ("work", "accepted", 4),
]


def made(how: str, **defaults: str) -> str:
    """Make an empty database on the tests' server; return its address."""
    name = f"odd_of_{os.getpid()}"
    with psycopg.connect(url_of("postgres"), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 {how}".encode())
        for key, value in defaults.items():
            server.execute(f"ALTER DATABASE {name} SET {key} = '{value}'".encode())
    return url_of(name)


@pytest.fixture(scope="module", autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    with psycopg.connect(url_of("postgres"), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS odd_of_{os.getpid()} WITH (FORCE)".encode())


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database of the newest schema, on the tests' server."""
    yield fresh_database(f"hosts_of_{os.getpid()}")
    drop_databases()


def test_with_other_defaults_and_another_locale_all_answers_are_the_same() -> None:
    assert asyncio.run(compared(HISTORY, url=made(TURKISH, **DEFAULTS))) > 0


def test_whoever_somebody_else_is_called_is_compared_as_in_a_file_in_every_locale(tmp_path: Path) -> None:
    names = [("ÉMILE", "ISIK"), ("Émile", "Isik"), ("İpek", "IŞIK"), ("ana", "Ilić")]
    words = [f"{first} {last}" for first, last in names]
    words += [word.lower() for word in words] + [word.upper() for word in words]
    shared = []
    for address in (None, made(TURKISH, **DEFAULTS)):
        folder = tmp_path / ("file" if address is None else "served")
        with Store.open(Workspace(folder), now=START, url=address) as store:
            world = EngineWorld(folder, store, Clock(START), TERMS)
            for number, (first, last) in enumerate(names):
                asyncio.run(world.contact(f"p{number}@firm.example", first_name=first, last_name=last))
            rows = store.database.rows("erasure.shared", words=json.dumps(words), numbers="[]")
            shared.append(sorted(row["word"] for row in rows))
    assert shared[0] == shared[1]
    assert len(shared[0]) >= len(names)


def test_the_server_is_asked_about_itself_whatever_form_its_dates_have(tmp_path: Path) -> None:
    with Store.open(Workspace(tmp_path), now=START, url=made(TURKISH, **DEFAULTS)) as store:
        lines = store.upkeep.survey(now=datetime.now(UTC)).server
    assert any("0.0 s apart" in words or "s apart" in words for _, words in lines), lines


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_what_is_read_after_waiting_for_a_lock_is_what_others_have_committed(level: str, tmp_path: Path) -> None:
    url = made("ENCODING 'UTF8'", default_transaction_isolation=level)

    def opened(name: str) -> Store:
        return Store.open(Workspace(tmp_path / name), now=START, url=url)

    with ThreadPoolExecutor(3) as threads:  # each would make the schema
        for store in list(threads.map(opened, "abc")):
            store.close()
    seen: list[int] = []

    def second() -> None:
        with opened("b") as store, store.transaction() as work:
            seen.append(len(work.audit.of_action("suppression.added")))

    with opened("a") as store:
        with store.transaction() as work, psycopg.connect(url, autocommit=True) as server:
            other = threading.Thread(target=second)
            other.start()
            until_waiting(server)
            work.audit.record(at=START, actor=TESTER, action="suppression.added", subject="x", detail={})
        other.join(60)
    assert seen == [1]


def until_waiting(server: psycopg.Connection[Any]) -> None:
    """Return once somebody waits for a lock of this database."""
    pause = threading.Event()
    wanted = b"SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
    assert any(server.execute(wanted).fetchone() or pause.wait(0.02) for _ in range(3_000))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritableError, match=f"stores texts in {encoding}"):
        Store.open(Workspace(tmp_path), now=START, url=made(f"ENCODING '{encoding}' LOCALE 'C'"))


# What hosts ask of one another.


def test_a_long_transaction_steps_aside_for_what_holds_back_on_another_host(url: str, tmp_path: Path) -> None:
    opened, began = threading.Event(), threading.Event()
    rounds: list[bool] = []

    def save(steps_aside: bool) -> int:
        with importing.transaction() as work:
            rounds.append(steps_aside)
            work.audit.record(at=START, actor=TESTER, action="contact.saved", subject="x", detail={})
            began.set()
            if len(rounds) == 1:
                pause = threading.Event()
                assert any(importing.is_turn_wanted() or pause.wait(0.02) for _ in range(3_000))
                raise StepsAsideError
        return len(work.audit.of_action("suppression.added"))

    def host_that_stops() -> None:
        with Store.open(Workspace(tmp_path / "b"), now=START, url=url) as store:
            world = EngineWorld(tmp_path / "b", store, Clock(START), TERMS)
            opened.set()
            assert began.wait(60)
            asyncio.run(world.local.suppressions.suppress("address", "x@example.org", reason="asked"))

    with Store.open(Workspace(tmp_path / "a"), now=START, url=url) as importing:
        other = threading.Thread(target=host_that_stops)
        other.start()
        assert opened.wait(60)
        there = stepping_aside(importing, save)
        other.join(60)
        assert rounds == [True, True] and there == 1
        assert not importing.is_turn_wanted() and importing.audit.verify() is None
        assert len(importing.audit.of_action("contact.saved")) == 1


def test_all_who_want_the_turn_show_it_with_one_connection_until_the_last_has_it(url: str, tmp_path: Path) -> None:
    with (
        Store.open(Workspace(tmp_path / "a"), now=START, url=url) as store,
        Store.open(Workspace(tmp_path / "b"), now=START, url=url) as other,
    ):
        ends = [end for _ in range(20) if (end := store.want_turn())]
        assert len(ends) == 20
        with other.transaction():
            for end in ends:
                assert other.is_turn_wanted()
                end()
            assert not other.is_turn_wanted()
        with psycopg.connect(url, autocommit=True) as server:  # whose host is gone with its connection
            end = store.want_turn()
            assert end is not None and other.is_turn_wanted()
            server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE objid = 4 AND objsubid = 2")
            assert not other.is_turn_wanted()
            again = store.want_turn()
            assert again is not None and other.is_turn_wanted()
            end()
            assert other.is_turn_wanted()
            again()
            assert not other.is_turn_wanted()


@pytest.mark.parametrize("text", ["\0", "{\0}", "\0" * 40])
def test_a_damaged_file_of_an_earlier_version_is_told_and_replaced(text: str, url: str, tmp_path: Path) -> None:
    Store.open(Workspace(tmp_path), now=START, url=url).close()
    FolderRecords(Workspace(tmp_path)).write(KeptRecord.WRONG_PASSPHRASES, text)
    records = safekeeping_in(Workspace(tmp_path), url=url)
    assert records.read(KeptRecord.WRONG_PASSPHRASES) == text
    records.change(KeptRecord.WRONG_PASSPHRASES, lambda before: None if before == "anew" else "anew")
    assert records.read(KeptRecord.WRONG_PASSPHRASES) == "anew"
