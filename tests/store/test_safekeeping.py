"""What approvals are checked with, where two hosts share a database: two data folders on one PostgreSQL server."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event, Thread
from threading import enumerate as enumerate_threads

import psycopg
import pytest
from tests.cli.terminal import Terminal
from tests.secrecy.planted import MISTYPED, NEW_PASSPHRASE, PASSPHRASE
from tests.world.engine import START, until
from tests.world.product import GRACE, MAIL
from tests.world.stores import drop_databases, fresh_database, needs_server

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ApprovalError, StoreBusyError, StoreError
from sequences_mcp.ports.safekeeping import OF_HOST, SHARED, KeptRecord, Safekeeping
from sequences_mcp.review.lock import greeting, passkeys, passphrase, sessions
from sequences_mcp.review.page.serving import take_page_lock
from sequences_mcp.store import journals
from sequences_mcp.store.safekeeping import FolderRecords, safekeeping_in
from sequences_mcp.store.unit_of_work import Store


@dataclass
class TwoHosts:
    """Two data folders, each with its safekeeping, that share a database."""

    url: str
    folder: Path

    def host(self, name: str) -> Safekeeping:
        """Return the records as one host sees them."""
        return safekeeping_in(Workspace(self.folder / name), url=self.url)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[TwoHosts]:
    """Two hosts on a fresh database."""
    yield TwoHosts(fresh_database(f"kept_{os.getpid()}"), tmp_path)
    drop_databases()


@needs_server
def test_a_passphrase_that_is_chosen_on_one_host_is_asked_for_on_the_other(hosts: TwoHosts) -> None:
    here, there = hosts.host("here"), hosts.host("there")
    assert not passphrase.is_set(there)
    passphrase.set_passphrase(here, PASSPHRASE.value)
    passphrase.check_passphrase(there, PASSPHRASE.value)
    with pytest.raises(ApprovalError, match="wrong"):
        passphrase.check_passphrase(there, MISTYPED.value)
    passphrase.set_passphrase(there, NEW_PASSPHRASE.value, old=PASSPHRASE.value)
    with pytest.raises(ApprovalError, match="wrong"):
        passphrase.check_passphrase(here, PASSPHRASE.value)
    passphrase.check_passphrase(here, NEW_PASSPHRASE.value)
    assert not any((hosts.folder / name).exists() for name in ("here", "there"))  # nothing of it is a file


@needs_server
def test_a_plan_is_approved_on_the_host_where_no_passphrase_was_chosen(
    hosts: TwoHosts, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = (
        Terminal(hosts.folder / name, capsys, {"DATABASE_URL": hosts.url}) for name in ("here", "there")
    )
    for terminal in (here, there):
        terminal.folder.mkdir()
    file = here.write("passphrase.txt", PASSPHRASE.value)
    assert here.run("review", "set-passphrase", "--passphrase-file", file).status == 0
    bureau = here.bureau
    bureau.more["SEQUENCES_DATABASE_URL"] = hosts.url

    async def planned() -> str:
        async with bureau.client("auto") as desktop:
            blueprint = await desktop.blueprint(MAIL)
            started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        return str(started["plan_id"])

    plan = asyncio.run(planned())
    unset = there.run("review", "approve", plan, "--passphrase-file", there.write("w.txt", MISTYPED.value))
    assert (unset.status, "The passphrase is wrong" in unset.err) == (2, True), unset
    assert there.run("review", "approve", plan, "--passphrase-file", file).status == 0
    assert "is the passphrase" not in there.run("doctor").out
    assert "whoever can rewrite the database could forge it" in there.run("doctor").out
    with psycopg.connect(hosts.url) as database:
        [status] = database.execute("SELECT status FROM plan").fetchone() or ("",)
    assert status == "approved"


@needs_server
def test_wrong_passphrases_count_together_and_a_code_has_its_five_tries_on_all_hosts(hosts: TwoHosts) -> None:
    here, there = hosts.host("here"), hosts.host("there")
    both = [sessions.Tries(safe, lambda: START) for safe in (here, there)]
    for number in range(6):
        both[number % 2].was_wrong(sessions.TERMINAL)
    assert [tries.wrong(sessions.TERMINAL) for tries in both] == [6, 6]
    assert both[0].pause(sessions.TERMINAL) == both[1].pause(sessions.TERMINAL) > 0
    both[1].was_right(sessions.TERMINAL)
    assert both[0].wrong(sessions.TERMINAL) == 0
    code = passkeys.new_code(here, KeptRecord.PASSKEY_CODE, now=START)
    passkeys.check_code(there, KeptRecord.PASSKEY_CODE, code, now=START)
    for number in range(4):
        with pytest.raises(ApprovalError, match="wrong"):
            passkeys.check_code((here, there)[number % 2], KeptRecord.PASSKEY_CODE, "00000-00000", now=START)
    with pytest.raises(ApprovalError, match="no code"):
        passkeys.check_code(there, KeptRecord.PASSKEY_CODE, code, now=START)


def connected(url: str) -> int:
    """Return how many connections to a database there are, besides the one that asks."""
    with psycopg.connect(url, autocommit=True) as database:
        [number] = database.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone() or (0,)
    return int(number)


@needs_server
def test_the_connections_for_records_end_with_the_last_store_of_their_database(hosts: TwoHosts) -> None:
    """A server opens and closes those of its tenants, who may be many."""
    here, threads = hosts.host("here"), set(enumerate_threads())
    stores = [Store.open(Workspace(hosts.folder / name), url=hosts.url, now=START) for name in ("here", "there")]
    sessions.Tries(here, lambda: START).was_wrong(sessions.TERMINAL)
    stores.pop().close()
    assert sessions.Tries(here, lambda: START).wrong(sessions.TERMINAL) == 1
    assert connected(hosts.url) > 0
    stores.pop().close()
    until(lambda: connected(hosts.url) == 0)
    until(lambda: set(enumerate_threads()) <= threads)
    assert sessions.Tries(here, lambda: START).wrong(sessions.TERMINAL) == 1  # a command asks without a store


@needs_server
def test_records_that_are_asked_for_while_stores_come_and_go_are_read_and_leave_nothing_open(
    hosts: TwoHosts,
) -> None:
    here, is_over, threads = hosts.host("here"), Event(), set(enumerate_threads())
    sessions.Tries(here, lambda: START).was_wrong(sessions.TERMINAL)
    counted: list[int] = []

    def ask() -> None:
        while not is_over.is_set():
            counted.append(sessions.Tries(here, lambda: START).wrong(sessions.TERMINAL))

    asking = [Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    for _ in range(20):
        Store.open(Workspace(hosts.folder / "here"), url=hosts.url, now=START).close()
    is_over.set()
    for thread in asking:
        thread.join(60)
    assert len(counted) > 20 and set(counted) == {1}
    until(lambda: connected(hosts.url) == 0)
    until(lambda: set(enumerate_threads()) <= threads)


@needs_server
def test_nobody_waits_while_another_database_that_does_not_answer_is_connected_to(hosts: TwoHosts) -> None:
    """A server has many tenants; one's database may be away."""
    here, failed = hosts.host("here"), list[Exception]()
    store = Store.open(Workspace(hosts.folder / "here"), url=hosts.url, now=START)
    sessions.Tries(here, lambda: START).was_wrong(sessions.TERMINAL)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = f"postgresql://ada@127.0.0.1:{silent.getsockname()[1]}/away"

        def connect() -> None:
            try:
                Store.open(Workspace(hosts.folder / "away"), url=away, now=START)
            except StoreError as error:
                failed.append(error)

        opening = Thread(target=connect)
        opening.start()
        answering, _ = silent.accept()
        assert sessions.Tries(here, lambda: START).wrong(sessions.TERMINAL) == 1
        key = ("domain", "example.org")
        assert store.suppressions.add(key, reason="by hand", actor=Actor("ada"), now=START)
        assert opening.is_alive()
        answering.close()
    opening.join(60)
    store.close()
    assert len(failed) == 1


@needs_server
def test_one_proof_is_accepted_once_however_many_hosts_it_is_given_to(hosts: TwoHosts) -> None:
    here, there = hosts.host("here"), hosts.host("there")
    passphrase.set_passphrase(here, PASSPHRASE.value)
    known = passphrase.verifier(there)
    assert known is not None
    verifier, derivation = known
    key = passphrase.client_key(derivation.key(PASSPHRASE.value), verifier.salt)
    given = passphrase.Proof("nonce", bytes(32), bytes(16), bytes(32))
    signature = hmac.digest(verifier.key, passphrase.message(given, ["plan"]), "sha256")
    given = passphrase.Proof(
        "nonce", bytes(mask ^ other for mask, other in zip(key, signature, strict=True)), bytes(16), bytes(32)
    )
    together, results = Barrier(2), []

    def give(safe: Safekeeping) -> None:
        together.wait(60)
        results.append(passphrase.accept_proof(safe, given, verifier, bound_to=["plan"]))

    threads = [Thread(target=give, args=(safe,)) for safe in (here, there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True]


@needs_server
def test_the_word_is_the_persons_on_all_hosts_and_a_browser_is_known_to_its_own_page_alone(
    hosts: TwoHosts,
) -> None:
    here, there = hosts.host("here"), hosts.host("there")
    passphrase.set_passphrase(here, PASSPHRASE.value)
    greeting.set_word(there, "copper lantern")
    greeting.introduce(here, "token", authority="localhost:4000")
    assert greeting.greeting_word(here) == "copper lantern"
    assert greeting.is_known(here, "token", authority="localhost:4000")
    assert not greeting.is_known(there, "token", authority="localhost:4000")
    ticket = greeting.new_ticket(there, now=START)
    shown = greeting.greeting(here, "new", authority="localhost:4000", ticket=ticket, now=START)
    assert shown.word is None  # it opens the page of the host whose terminal printed it
    assert set(SHARED) | OF_HOST == set(KeptRecord)


@needs_server
def test_each_host_serves_a_page_of_its_own(hosts: TwoHosts) -> None:
    taken = [take_page_lock(hosts.host(name).workspace) for name in ("here", "there")]
    try:
        assert all(taken)
    finally:
        for lock in taken:
            if lock is not None:
                lock.release()


@needs_server
def test_files_of_an_earlier_version_are_given_to_the_database_once(hosts: TwoHosts) -> None:
    for name, secret in (("here", PASSPHRASE), ("there", NEW_PASSPHRASE)):
        files = FolderRecords(Workspace(hosts.folder / name))
        passphrase.set_passphrase(files, secret.value)
        files.write(KeptRecord.PASSKEYS, json.dumps([{"id": name, "public_key": "00", "registered_at": ""}]))
    here, there = hosts.host("here"), hosts.host("there")
    assert [key.id for key in passkeys.registered(here)] == ["here"]  # no approval goes unsigned meanwhile
    passphrase.check_passphrase(here, PASSPHRASE.value)
    assert passphrase.verifier(here) is not None
    assert not (hosts.folder / "here" / "passphrase.json").exists()
    assert (hosts.folder / "here" / "passphrase.json.moved").exists()
    assert [key.id for key in passkeys.registered(there)] == ["here"]
    with pytest.raises(ApprovalError, match="wrong"):
        passphrase.check_passphrase(there, NEW_PASSPHRASE.value)


@needs_server
def test_a_server_that_went_away_is_no_missing_passphrase(hosts: TwoHosts) -> None:
    here = hosts.host("here")
    passphrase.set_passphrase(here, PASSPHRASE.value)
    with psycopg.connect(hosts.url, autocommit=True) as database:  # each connection of the program is ended
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert passphrase.is_set(here)
    away = safekeeping_in(here.workspace, url="postgresql://ada@127.0.0.1:1/nothing")
    with pytest.raises(StoreBusyError):
        passphrase.is_set(away)
    assert passkeys_problem(away)


def passkeys_problem(safe: Safekeeping) -> bool:
    """Say whether an approval cannot be verified: no answer is never taken for no key."""
    try:
        return passkeys.signature_problem(safe, "00" * 32, None) is not None
    except StoreBusyError:
        return True


@needs_server
def test_many_threads_verify_inside_their_transactions_without_waiting_for_one_another(hosts: TwoHosts) -> None:
    """As many as the store has connections, each with one of them in use."""
    here, together, results = hosts.host("here"), Barrier(8), []
    passphrase.set_passphrase(here, PASSPHRASE.value)

    def verify(number: int) -> None:
        with (
            Store.open(Workspace(hosts.folder / str(number)), now=START, url=hosts.url, busy_seconds=60) as store,
            store.snapshot(),
        ):
            together.wait(60)
            results.append(passkeys.signature_problem(here, "00" * 32, None))

    threads = [Thread(target=verify, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [None] * 8


@needs_server
def test_whoever_was_suppressed_on_one_host_stands_in_the_journal_of_each_after_its_next_start(
    hosts: TwoHosts,
) -> None:
    def opened(name: str) -> Store:
        return Store.open(Workspace(hosts.folder / name), now=START, url=hosts.url)

    opened("there").close()
    with opened("here") as store, store.transaction() as work:
        work.suppressions.add(("address", "never@example.org"), reason="asked", actor=Actor("page"), now=START)
    opened("there").close()
    [record] = journals.journal_tail(hosts.folder / "there" / journals.SUPPRESSIONS, 0)[0]
    assert (record["do"], record["value"]) == ("suppress", "never@example.org")
    with psycopg.connect(hosts.url, autocommit=True) as database:  # the server is put back to before it
        database.execute("DELETE FROM suppression")
        database.execute("UPDATE lineage SET suppressions_read = 0")
    with opened("there") as store:
        assert store.suppressions.has_any()


@needs_server
def test_a_lapsed_code_and_unreadable_records_are_told_with_where_they_are(hosts: TwoHosts) -> None:
    here = hosts.host("here")
    here.write(KeptRecord.PASSPHRASE, "not json")
    here.write(KeptRecord.PASSKEYS, "{")
    with pytest.raises(ApprovalError, match="row passphrase of kept_record in postgresql://"):
        passphrase.check_passphrase(here, PASSPHRASE.value)
    with pytest.raises(ApprovalError, match="row passkeys of kept_record"):
        passkeys.registered(here)
    code = passkeys.new_code(here, KeptRecord.PASSKEY_CODE, now=START)
    with pytest.raises(ApprovalError, match="no code"):
        passkeys.check_code(here, KeptRecord.PASSKEY_CODE, code, now=START + timedelta(minutes=11))


def test_in_a_folder_two_swaps_from_one_state_let_one_through(tmp_path: Path) -> None:
    safe = FolderRecords(Workspace(tmp_path))
    assert safe.swap(KeptRecord.PAGE_WORD, None, "one") and not safe.swap(KeptRecord.PAGE_WORD, None, "two")
    together, results = Barrier(4), []

    def count() -> None:
        together.wait(60)
        safe.change(KeptRecord.WRONG_PASSPHRASES, lambda text: str(int(text or "0") + 1))
        results.append(True)

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(results), safe.read(KeptRecord.WRONG_PASSPHRASES)) == (4, "4")
    safe.delete(KeptRecord.PAGE_WORD)
    assert safe.read(KeptRecord.PAGE_WORD) is None and not safe.has(KeptRecord.PAGE_WORD)
