"""How soon an answer ends its run, by the walk and by IDLE, and two processes that read one mailbox."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.inbound.test_inbound_reading import begun, reading, run_of, wait_until
from tests.secrecy.hearing import heard
from tests.world.answers import ADA, LATER
from tests.world.data_folder import Clock
from tests.world.dovecot import WITHOUT_IDLE, Dovecot, dovecot, has_dovecot
from tests.world.engine import EngineWorld
from tests.world.inbound_mail import Sent, reply, report
from tests.world.loaded import product
from tests.world.product import MAIL, Bureau, people, yes

from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.engine.inbound.imap import ImapWalker
from sequences_mcp.engine.inbound.reader import EVERY

S = SequenceStatus
A_MINUTE = timedelta(seconds=60)


class FakeStop(threading.Event):
    """What ends a reader; its pauses take no time, and are told to ``passes`` with their seconds."""

    def __init__(self, passes: object) -> None:
        super().__init__()
        self.passes = passes
        self.reader = threading.get_ident()

    def wait(self, timeout: float | None = None) -> bool:
        """Let the time pass at once for the reader; other threads wait as ever."""
        if threading.get_ident() != self.reader or timeout is None:
            return super().wait(timeout)
        assert callable(self.passes)
        self.passes(timeout)
        return self.is_set()


@pytest.mark.skipif(not has_dovecot(), reason="Dovecot is not installed")
async def test_without_idle_an_answer_ends_its_run_within_sixty_seconds_by_the_next_walk(
    world: EngineWorld,
) -> None:
    world.clock.now = datetime.now(UTC)
    sent = await begun(world, "bob@acme.example")
    pauses: list[float] = []
    came_at = world.clock.now
    with dovecot(capability=WITHOUT_IDLE) as server, reading(world, server) as reader:
        assert not offers_idle(server)

        def passes(seconds: float) -> None:
            """Have the answer come as a pause begins, when it waits longest; end after the next walk."""
            nonlocal came_at
            pauses.append(seconds)
            if len(pauses) == 1:
                server.deliver(reply(sent["bob@acme.example"], "Yes, gladly."))
                came_at = world.clock.now
                world.clock.forward(seconds=seconds)
            else:
                stop.set()

        stop = FakeStop(passes)
        reader.run(stop)
    run = await run_of(world, "bob@acme.example")
    assert run.status is S.SUCCEEDED
    [entry] = world.received(run.id)
    assert entry.found_at - came_at <= A_MINUTE
    assert pauses == [EVERY, EVERY] == [60.0, 60.0]


def offers_idle(server: Dovecot) -> bool:
    with server.person() as person:
        return bool(person.has_capability("IDLE"))


async def test_by_idle_the_run_ends_as_soon_as_the_server_tells_of_the_answer(
    world: EngineWorld, dovecot: Dovecot
) -> None:
    """No walk is due: the reader is woken. How soon in seconds is what ``benchmarks.reading wake`` measures."""
    world.clock.now = datetime.now(UTC)
    sent = await begun(world, "bob@acme.example")
    pauses: list[float] = []
    with reading(world, dovecot) as reader:
        walker = reader.mailbox
        assert isinstance(walker, ImapWalker)
        reader.read()
        heard_of = threading.Thread(target=lambda: dovecot.deliver(reply(sent["bob@acme.example"], "Yes")))
        heard_of.start()
        walker.wait(FakeStop(pauses.append), seconds=100_000)  # ends when IDLE tells of it
        heard_of.join()
        assert reader.read() == 1
    assert (await run_of(world, "bob@acme.example")).status is S.SUCCEEDED
    assert pauses == []


# Two processes


@contextmanager
def working(bureau: Bureau, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``sequences-mcp work`` on the folder, until the block ends."""
    environ = {**os.environ, **bureau.environ}
    with log.open("wb") as file:
        process = subprocess.Popen([*product(), "work"], env=environ, stderr=file)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    heard("the log of a worker", log.read_text())


async def test_two_processes_on_one_mailbox_handle_nothing_twice_and_lose_nothing(
    bureau: Bureau, dovecot: Dovecot, tmp_path: Path
) -> None:
    bureau.clock = Clock(datetime.now(UTC))
    bureau = bureau.having(IMAP_URL=dovecot.url)
    number = 6
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LATER)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(number))
    bureau.work()
    sent = [
        Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"])) for mail in bureau.outbox
    ]
    assert len(sent) == number
    for one in sent[::2]:
        dovecot.deliver(report(one, status="4.4.1", action="delayed"))
        dovecot.deliver(reply(one, "Yes, gladly."))
    with working(bureau, tmp_path / "first.log") as first, working(bureau, tmp_path / "second.log") as second:
        wait_until(lambda: len(bureau.rows("SELECT 1 FROM inbound WHERE kind = 'reply'")) >= number // 2)
        for one in sent[1::2]:
            dovecot.deliver(reply(one, "Yes, gladly."))
        wait_until(lambda: bureau.rows("SELECT DISTINCT status FROM sequence") == [("SUCCEEDED",)])
        assert first.poll() is None
        assert second.poll() is None
        readers = "SELECT count(DISTINCT process) FROM worker WHERE lane = 'reader'"
        wait_until(lambda: bureau.rows(readers) == [(2,)])
    kinds = Counter(kind for (kind,) in bureau.rows("SELECT kind FROM inbound"))
    assert kinds == {"reply": number, "delayed": number // 2}
    acted = bureau.rows("SELECT count(*) FROM audit WHERE action = 'inbound.taken_in'")
    assert acted == [(number + number // 2,)]
    assert len(bureau.outbox) == number
