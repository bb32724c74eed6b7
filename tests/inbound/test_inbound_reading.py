"""A mailbox that is read, from the setting to the follow-up that does not leave; with a real Dovecot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from tests.secrecy.hearing import heard
from tests.world.data_folder import Clock
from tests.world.dovecot import PASSWORD, Dovecot
from tests.world.engine import EMAIL, LATER, SENDER, EngineWorld, FakeDelivery
from tests.world.inbound_mail import Sent, reply, report
from tests.world.product import GRACE, MAIL, Bureau, yes
from tests.world.stores import shell

from sequences_mcp.bootstrap import working
from sequences_mcp.domain.run import Run, SequenceStatus, StepState
from sequences_mcp.engine.inbound.reader import BackgroundReader, MailboxReader, mailbox_reader, pause_after
from sequences_mcp.engine.supervisor import READER, Heartbeat
from sequences_mcp.engine.troubles import troubles
from sequences_mcp.engine.worker import Worker
from sequences_mcp.errors import InboxUnreadError
from sequences_mcp.store.unit_of_work import Store

S = SequenceStatus
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def real(world: EngineWorld) -> EngineWorld:
    """The world at the present time, which a mail server stamps its messages with."""
    world.clock.now = datetime.now(UTC)
    return world


@contextmanager
def reading(world: EngineWorld, server: Dovecot, store: Store | None = None) -> Iterator[MailboxReader]:
    """Give a world a reader of the server's mailbox."""
    reader = mailbox_reader(server.url, store or world.store, clock=world.clock, address=SENDER.address)
    try:
        yield reader
    finally:
        reader.mailbox.close()


def gated(world: EngineWorld, delivery: FakeDelivery, reader: MailboxReader) -> Worker:
    """Return a worker that asks whether the mailbox is read."""
    worker = world.worker(delivery, read_answers=reader.read_now)
    worker.rules = replace(worker.rules, reads_inbox=True, freshness=TEN_MINUTES)
    return worker


async def begun(world: EngineWorld, *addresses: str) -> dict[str, Sent]:
    """Send the first of two e-mails to each of these people; return them by recipient."""
    contacts = [await world.contact(address) for address in addresses]
    await world.approved(*contacts, blueprint=await world.blueprint(EMAIL, LATER))
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    return {
        one.recipient: Sent(message_id=one.message_id, recipient=one.recipient, subject="Hi", text="Hello there.")
        for one in delivery.messages
    }


async def run_of(world: EngineWorld, address: str) -> Run:
    return next(run for run in await world.runs() if run.steps[0].recipient == address)


async def test_no_follow_up_leaves_to_whoever_answered_since_the_last_walk(
    real: EngineWorld, dovecot: Dovecot
) -> None:
    people = [f"person{number}@acme{number}.example" for number in range(12)]
    sent = await begun(real, *people)
    with reading(real, dovecot) as reader:
        reader.read()
        real.clock.forward(days=3, minutes=1)
        for address in people[::2]:
            dovecot.deliver(reply(sent[address], "Yes, gladly."))
        delivery = FakeDelivery()
        gated(real, delivery, reader).run_due()
    assert {one.recipient for one in delivery.messages} == set(people[1::2])
    assert [(await run_of(real, address)).status for address in people[::2]] == [S.SUCCEEDED] * 6


async def test_where_the_mailbox_was_read_within_the_time_it_is_not_read_again(
    real: EngineWorld, dovecot: Dovecot
) -> None:
    await begun(real, "bob@acme.example")
    real.clock.forward(days=3, minutes=1)
    with reading(real, dovecot) as reader:
        reader.read()
        real.clock.forward(minutes=9)
        delivery = FakeDelivery()
        asked: list[Any] = []
        worker = gated(real, delivery, reader)
        worker.read_answers = partial(asked.append, "read")
        worker.run_due()
    assert (len(delivery.messages), asked) == (1, [])


async def test_after_the_clock_was_set_back_the_mailbox_is_read_before_a_follow_up_leaves(
    real: EngineWorld, dovecot: Dovecot
) -> None:
    sent = await begun(real, "bob@acme.example", "eve@other.example")
    real.clock.forward(days=3, minutes=1)
    with reading(real, dovecot) as reader:
        real.clock.forward(days=300)
        reader.read()  # by a clock that is wrong
        real.clock.forward(days=-300)
        dovecot.deliver(reply(sent["bob@acme.example"], "Yes, gladly."))
        delivery = FakeDelivery()
        gated(real, delivery, reader).run_due()
    assert [one.recipient for one in delivery.messages] == ["eve@other.example"]
    assert (await run_of(real, "bob@acme.example")).status is S.SUCCEEDED


async def test_a_process_without_the_mailbox_waits_for_the_one_that_reads_it(real: EngineWorld) -> None:
    await begun(real, "bob@acme.example")
    real.clock.forward(days=3)
    delivery = FakeDelivery()
    worker = real.worker(delivery)
    elsewhere = Heartbeat(
        real.store.workspace,
        READER,
        lambda: real.clock.now,
        serves=(worker.rules.terms.fingerprint,),
        store=real.store,
    )
    elsewhere.beat()
    worker.run_due()
    assert delivery.messages == []
    assert "was never read" in ((await run_of(real, "bob@acme.example")).steps[1].reason or "")
    elsewhere.end()
    real.clock.forward(minutes=2)
    worker.run_due()
    assert len(delivery.messages) == 1


async def test_a_follow_up_of_a_mailbox_that_nobody_reads_any_more_waits_unless_that_was_approved(
    real: EngineWorld, dovecot: Dovecot
) -> None:
    await begun(real, "bob@acme.example")
    with reading(real, dovecot) as reader:
        reader.read()
    real.clock.forward(days=3, minutes=1)
    delivery = FakeDelivery()
    real.worker(delivery).run_due()  # a process without the setting
    step = (await run_of(real, "bob@acme.example")).steps[1]
    assert delivery.messages == []
    assert "nobody reads the inbox of ada@example.com any more" in (step.reason or "")
    assert step.until == real.clock.now + timedelta(minutes=1)


async def test_a_first_walk_goes_back_to_the_oldest_run_that_somebody_may_still_answer(
    real: EngineWorld, dovecot: Dovecot
) -> None:
    now = real.clock.now
    real.clock.now = now - timedelta(days=50)
    await begun(real, "bob@acme.example")
    [run] = await real.runs()
    sent = Sent(message_id=run.steps[0].message_id or "", recipient="bob@acme.example")
    real.clock.now = now
    with dovecot.person() as person:
        person.append("INBOX", reply(sent, "Yes, gladly."), msg_time=now - timedelta(days=45))
    with reading(real, dovecot) as reader:
        reader.read()
    assert (await run_of(real, "bob@acme.example")).status is S.SUCCEEDED


async def test_a_reading_that_takes_long_holds_up_nothing_else(real: EngineWorld, dovecot: Dovecot) -> None:
    """The mailbox is asked for in a thread of its own, which the worker waits for a while and no longer."""
    await begun(real, "bob@acme.example")
    real.clock.forward(days=3, minutes=1)
    new = await real.contact("eve@other.example")
    await real.approved(new, blueprint=await real.blueprint(EMAIL))
    may_go_on, asked = threading.Event(), threading.Event()

    @contextmanager
    def opened() -> Iterator[MailboxReader]:
        asked.set()
        may_go_on.wait()
        with Store.open(real.store.workspace, now=real.clock.now) as store, reading(real, dovecot, store) as one:
            yield one

    background, delivery = BackgroundReader(opened=opened, patience=0.1), FakeDelivery()
    worker = real.worker(delivery, read_answers=background)
    worker.rules = replace(worker.rules, reads_inbox=True, freshness=TEN_MINUTES)
    worker.run_due()
    assert asked.is_set()
    assert [message.recipient for message in delivery.messages] == ["eve@other.example"]
    assert "was never read" in ((await run_of(real, "bob@acme.example")).steps[1].reason or "")
    may_go_on.set()
    wait_until(lambda: real.store.inboxes.reading(SENDER.address) is not None)
    real.clock.forward(minutes=1)
    worker.run_due()
    assert [message.recipient for message in delivery.messages][1:] == ["bob@acme.example"]
    background.close()


async def test_an_answer_wakes_the_reader_long_before_its_next_walk(real: EngineWorld, dovecot: Dovecot) -> None:
    sent = await begun(real, "bob@acme.example")
    stop = threading.Event()

    def read() -> None:
        with Store.open(real.store.workspace, now=real.clock.now) as store, reading(real, dovecot, store) as one:
            one.every = 100_000.0
            one.run(stop)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_until(lambda: real.store.inboxes.reading(SENDER.address) is not None)
    dovecot.deliver(reply(sent["bob@acme.example"], "Yes"))
    wait_until(lambda: real.store.runs.live_at(["bob@acme.example"]) is None)
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert (await run_of(real, "bob@acme.example")).status is S.SUCCEEDED


async def test_the_held_line_names_the_folder_that_cannot_be_read(real: EngineWorld, dovecot: Dovecot) -> None:
    await begun(real, "bob@acme.example")
    with reading(real, dovecot) as reader:
        reader.read()
    real.clock.forward(days=3, minutes=1)
    delivery = FakeDelivery()
    with dovecot.unreadable("Archive"), reading(real, dovecot) as reader:
        gated(real, delivery, reader).run_due()
    assert delivery.messages == []
    assert "“Archive” cannot be read" in ((await run_of(real, "bob@acme.example")).steps[1].reason or "")


async def test_an_answer_that_cannot_be_stored_holds_its_run(real: EngineWorld, dovecot: Dovecot) -> None:
    sent = await begun(real, "bob@acme.example", "eve@acme.example")
    with shell(real.folder / "data") as database:  # two people cannot have one address
        fault = "UPDATE contact SET email_key = 'one@acme.example'"
        database.execute(f"CREATE TRIGGER fault BEFORE INSERT ON inbound BEGIN {fault}; END")
    dovecot.deliver(reply(sent["bob@acme.example"], "Yes"))
    with reading(real, dovecot) as reader:
        assert reader.read() == 1
    run = await run_of(real, "bob@acme.example")
    assert run.steps[1].state is StepState.HELD
    assert "could not be processed" in (run.steps[1].reason or "")


async def test_the_first_step_asks_nothing(real: EngineWorld, dovecot: Dovecot) -> None:
    contact = await real.contact("bob@acme.example")
    await real.approved(contact, blueprint=await real.blueprint(EMAIL, LATER))
    with reading(real, dovecot) as reader:
        dovecot.stop()
        delivery = FakeDelivery()
        gated(real, delivery, reader).run_due()
    assert len(delivery.messages) == 1


async def test_with_the_server_stopped_a_follow_up_is_held_and_tried_every_minute_until_it_is_back(
    real: EngineWorld, dovecot: Dovecot
) -> None:
    await begun(real, "bob@acme.example")
    with reading(real, dovecot) as reader:
        reader.read()
        read_at = real.clock.now
        dovecot.stop()
        real.clock.forward(days=3, minutes=1)
        delivery = FakeDelivery()
        worker = gated(real, delivery, reader)
        for _ in range(3):
            worker.run_due()
            step = (await run_of(real, "bob@acme.example")).steps[1]
            assert (step.state, step.until) == (StepState.HELD, real.clock.now + timedelta(minutes=1))
            words = f"the inbox of ada@example.com was not read since {read_at:%Y-%m-%d %H:%M} UTC"
            assert (step.reason or "").startswith(words)
            real.clock.forward(minutes=1)
        assert delivery.messages == []
        dovecot.start()
        worker.run_due()
    assert len(delivery.messages) == 1


async def test_a_mailbox_that_is_not_read_is_said_in_the_troubles(real: EngineWorld, dovecot: Dovecot) -> None:
    with reading(real, dovecot) as reader:
        reader.read()
        dovecot.stop()
        with pytest.raises(InboxUnreadError):
            reader.read()

        def said() -> list[tuple[str, bool]]:
            found = troubles(
                real.store,
                now=real.clock.now,
                mailboxes={real.terms: None},
                states=(),
                freshness=TEN_MINUTES,
                read_here=[real.terms.sender_address],
            )
            return [(heard("a trouble", one.line), one.stops) for one in found if one.code == "inbox_unread"]

        [(early, stops)] = said()
        assert "follow-ups still leave" in early
        assert not stops
        real.clock.forward(minutes=11)
        [(late, stops)] = said()
        assert "no follow-up leaves before it is" in late
        assert stops
        dovecot.start()
        reader.read()
        assert said() == []


async def test_two_processes_on_one_mailbox_act_on_nothing_twice(real: EngineWorld, dovecot: Dovecot) -> None:
    sent = await begun(real, *(f"person{number}@acme{number}.example" for number in range(8)))
    for one in sent.values():
        dovecot.deliver(report(one, status="4.4.1", action="delayed"))
        dovecot.deliver(reply(one, "Yes"))
    failures: list[BaseException] = []

    def walk() -> None:
        try:
            with (
                Store.open(real.store.workspace, now=real.clock.now) as store,
                reading(real, dovecot, store) as one,
            ):
                for _ in range(3):
                    one.read()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=walk) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []
    for run in await real.runs():
        assert [entry.kind for entry in real.received(run.id)] == ["delayed", "reply"]
        assert run.status is S.SUCCEEDED


async def test_a_folder_made_anew_brings_nothing_twice(real: EngineWorld, dovecot: Dovecot) -> None:
    sent = await begun(real, "bob@acme.example")
    data = report(sent["bob@acme.example"], status="4.2.2")
    with reading(real, dovecot) as reader, dovecot.person() as person:
        for name in ("Before", "After"):
            person.create_folder(name)
            person.append(name, data)
            reader.read()
            person.delete_folder(name)
    [run] = await real.runs()
    assert len(real.received(run.id)) == 1


async def test_reading_leaves_every_flag_as_it_was(real: EngineWorld, dovecot: Dovecot) -> None:
    sent = await begun(real, "bob@acme.example")
    dovecot.deliver(reply(sent["bob@acme.example"], "Yes"))
    with dovecot.person() as person:
        person.append("INBOX", b"From: x@y.example\r\n\r\nhi\r\n", flags=[b"\\Seen", b"\\Answered"])
    before = dovecot.state()
    with reading(real, dovecot) as reader:
        assert reader.read() == 1
    assert dovecot.state() == before


async def test_a_message_that_breaks_the_reading_keeps_no_other_from_being_read(
    real: EngineWorld, dovecot: Dovecot
) -> None:
    sent = await begun(real, "bob@acme.example")
    for bad in (b"", b"\xff\xfe", b"Content-Type: multipart/mixed\r\n\r\n", b"From: <\r\n\r\n"):
        with dovecot.person() as person, suppress(Exception):
            person.append("INBOX", bad)
    dovecot.deliver(reply(sent["bob@acme.example"], "Yes"))
    with reading(real, dovecot) as reader:
        assert reader.read() == 1
    assert (await run_of(real, "bob@acme.example")).status is S.SUCCEEDED


def test_it_never_gives_up_and_asks_a_server_that_refuses_the_password_seldom() -> None:
    assert [pause_after(number, refused=False) for number in (1, 2, 3, 50)] == [5.0, 10.0, 20.0, 300.0]
    assert pause_after(1, refused=True) == 300.0


def wait_until(fact: Callable[[], bool]) -> None:
    """Wait until something is so; fails after two minutes."""
    for _ in range(2_400):
        if fact():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not become so")


async def test_a_server_with_a_worker_ends_a_run_when_the_answer_comes(bureau: Bureau, dovecot: Dovecot) -> None:
    bureau.clock = Clock(datetime.now(UTC))
    bureau = bureau.having(IMAP_URL=dovecot.url)
    later = {**MAIL, "id": "again", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, later)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    bureau.work()
    [mail] = bureau.outbox
    sent = Sent(message_id=str(mail["Message-ID"]), recipient=GRACE["email"])
    with working(bureau.settings, clock=bureau.clock):
        wait_until(lambda: bureau.rows("SELECT 1 FROM mailbox_reading WHERE read_up_to IS NOT NULL") != [])
        dovecot.deliver(reply(sent, "Yes, gladly."))
        wait_until(lambda: bureau.rows("SELECT status FROM sequence") == [("SUCCEEDED",)])
    assert bureau.rows("SELECT kind, basis, text FROM inbound") == [("reply", "message_id", "Yes, gladly.")]
    assert PASSWORD not in heard("the database", repr(bureau.rows("SELECT * FROM mailbox_folder")))
    assert bureau.rows("SELECT DISTINCT lane FROM worker") == []
