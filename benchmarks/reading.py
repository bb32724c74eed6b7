"""The mailbox that is read, with a real Dovecot on loopback: races, kills and speed.

- ``races``: each person's answer lands at an instant of its own, half of them just between a walk and the claims
  that follow it. No follow-up may leave later than one poll interval after the answer; every answer is taken in.
- ``kills``: a process that reads and sends is killed with SIGKILL again and again, between and inside what it does
  with a message and at random instants, while answers arrive. Nobody is mailed twice, no answer is lost or acted
  on twice, and no follow-up leaves once an answer was acted on.
- ``two``: two processes with workers read one mailbox at once, while answers arrive and now one, now both of them
  are killed. Every answer is taken in once, nobody is mailed twice, no follow-up is later than one poll interval.
- ``wake``: from the delivery of an answer until its run has ended, with IDLE.
- ``poll``: a walk of five folders with nothing new, against LIST, a STATUS of each and one write in the same run.
- ``classify``: what a message is, over the messages of the tests' corpus, against the standard library's parsing.
- ``first``: the first walk of a mailbox with many old messages, against fetching them alone, and its memory.

Exit status 1 when one of these does not hold: with ``--quick`` the ratios of times alone, which hold on a slow
machine too. Needs Dovecot (``apt-get install dovecot-imapd dovecot-lmtpd``) and a system with ``fork``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.parser import BytesParser
from itertools import count
from pathlib import Path

from benchmarks.budgets import machine
from imapclient import IMAPClient
from tests.world.data_folder import Clock, with_schema
from tests.world.dovecot import USER, Dovecot, dovecot
from tests.world.engine import EMAIL, SENDER, TERMS, EngineWorld, FakeDelivery
from tests.world.inbound_mail import Sent, raw, reply
from tests.world.mail_corpus import absences, bounces, elsewhere, machines
from tests.world.mail_replies import further_replies, opt_outs, replies

from sequences_mcp.domain.blueprint import Delay, DelayUnit, Step, Temporality
from sequences_mcp.domain.inbound import FolderMark
from sequences_mcp.domain.run import LIVE, StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.inbound.effects import incoming
from sequences_mcp.engine.inbound.imap import FetchedPage, ImapServer, ImapWalker
from sequences_mcp.engine.inbound.reader import MailboxReader, mailbox_reader
from sequences_mcp.engine.supervisor import MAILBOX
from sequences_mcp.engine.worker import FREE, Worker
from sequences_mcp.store.unit_of_work import Store

POLL = timedelta(seconds=60)
TICK = timedelta(seconds=10)
FOLLOW_UPS, EVERY = 3, timedelta(minutes=2)
LEASE, HANDOVER = timedelta(seconds=0.15), timedelta(seconds=0.3)


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the result, whether what it says is allowed, and whether its ratio of two times is."""

    words: str
    holds: bool
    ratio_holds: bool = True


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def follow_up(number: int, after: timedelta) -> Step:
    """Return a step that follows the one before after so long."""
    delay = Delay(value=int(after.total_seconds()), unit=DelayUnit.SECOND)
    more = {"id": f"s{number}", "name": f"Again {number}", "temporality_type": Temporality.DELAYED, "delay": delay}
    return EMAIL.model_copy(update=more)


async def begun(world: EngineWorld, number: int, *later: Step) -> dict[str, Sent]:
    """Send the first e-mail to so many people; return the e-mails by recipient."""
    contacts = [await world.contact(f"person{one}@acme{one}.example") for one in range(number)]
    await world.approved(*contacts, blueprint=await world.blueprint(EMAIL, *later))
    delivery = FakeDelivery()
    while world.worker(delivery).run_due():
        pass
    return {
        one.recipient: Sent(message_id=one.message_id, recipient=one.recipient, subject="Hi")
        for one in delivery.messages
    }


def races(server: Dovecot, folder: Path, number: int, seed: int) -> Iterator[Found]:
    """Yield what became of answers that land between a walk and the claims after it, and at other instants."""
    world, chance = EngineWorld.open(folder, daily_cap=1_000_000), random.Random(seed)
    world.clock.now = now()
    sent = asyncio.run(begun(world, number, *(follow_up(one, EVERY) for one in range(2, 2 + FOLLOW_UPS))))
    last, each = EVERY * FOLLOW_UPS // TICK, POLL // TICK
    landing = {
        person: chance.randrange(each, last + 1, each) if place % 2 else chance.randint(1, last)
        for place, person in enumerate(sent)
    }
    landed: dict[str, datetime] = {}
    ages: list[timedelta] = []
    reader = mailbox_reader(server.url, world.store, clock=world.clock, address=SENDER.address)
    with server.person() as person:
        for tick in range(1, last + 2 * each + 1):
            world.clock.forward(seconds=TICK.total_seconds())
            if tick % each == 0:
                reader.read()
            for who in (who for who, at in landing.items() if at == tick):
                person.append("INBOX", reply(sent[who], "Yes, gladly."))
                landed[who] = world.clock.now
            delivery = FakeDelivery()
            worker = world.worker(delivery)
            worker.rules = replace(worker.rules, reads_inbox=True)
            while worker.run_due():
                pass
            after = [one.recipient for one in delivery.messages if one.recipient in landed]
            ages += [world.clock.now - landed[who] for who in after]
    reader.mailbox.close()
    lost = sum(not world.received(run) for run in asyncio.run(all_runs(world)))
    world.store.close()
    late = sum(age > POLL for age in ages)
    words = f"{number:,} answers, half of them just between a walk and the claims after it: {late} follow-ups "
    words += f"later than one poll interval after the answer, {len(ages) - late} within it, {lost} answers lost"
    holds = not late and not lost
    yield Found(words, holds, holds)


async def all_runs(world: EngineWorld) -> list[str]:
    """Return the id of every run."""
    from sequences_mcp.ports.embedded import SequenceFilter

    ids: list[str] = []
    page, more = 0, True
    while more:
        page += 1
        found = await world.local.list_sequences(SequenceFilter(page=page, size=100))
        ids += [one.sequence.id for one in found.items]
        more = found.has_more
    return ids


def kills(server: Dovecot, folder: Path, number: int, seed: int) -> Iterator[Found]:
    """Yield what became of everybody after so many kills of a process that reads and sends."""
    people, chance = number * 4, random.Random(seed)
    world = EngineWorld.open(folder, daily_cap=1_000_000)
    world.clock.now = now()
    sent = asyncio.run(begun(world, people, follow_up(2, timedelta(seconds=1))))
    world.store.close()
    record = folder / "received"
    record.touch()
    waiting, answered, killed = chance.sample(sorted(sent), people // 2), [], Counter[str]()
    with server.person() as person:
        while killed.total() < number and waiting:
            who = waiting.pop()
            person.append("INBOX", reply(sent[who], "Yes, gladly."))
            answered.append(who)
            point = (*POINTS, ANYWHEN)[len(answered) % (len(POINTS) + 1)]
            after = chance.uniform(0.01, 0.4) if point == ANYWHEN else chance.randint(1, 3)
            if died(server, folder, point, after):
                killed[point] += 1
    died(server, folder, "", 0)
    yield compared(folder, record, answered, killed)


POINTS = ("a page is fetched", "a message is looked at", "a page is taken in", "a follow-up is received")
ANYWHEN = "any instant"
LIVES = "none"


def two(server: Dovecot, folder: Path, number: int, seed: int) -> Iterator[Found]:
    """Yield what became of so many answers in a mailbox that two processes read and send for at once."""
    chance = random.Random(seed)
    world = EngineWorld.open(folder, daily_cap=1_000_000)
    world.clock.now = now()
    sent = asyncio.run(begun(world, number * 2, follow_up(2, timedelta(seconds=1))))
    world.store.close()
    record = folder / "received"
    record.touch()
    waiting, answered, killed = chance.sample(sorted(sent), number), [], Counter[str]()
    with server.person() as person:
        while waiting:
            for who in (waiting.pop() for _ in range(min(len(waiting), chance.randint(1, 4)))):
                person.append("INBOX", reply(sent[who], "Yes, gladly."))
                answered.append(who)
            points = [chance.choice((*POINTS, ANYWHEN, LIVES)) for _ in range(2)]
            children = [begun_process(server, folder, point, chance.randint(1, 3)) for point in points]
            for child, point in zip(children, points, strict=True):
                killed[point] += ended(child, chance.uniform(0.01, 0.4) if point == ANYWHEN else None)
    for child in [begun_process(server, folder, "", 0) for _ in range(2)]:
        ended(child)
    yield compared(folder, record, answered, +killed, within=POLL)


def died(server: Dovecot, folder: Path, point: str, after: float) -> bool:
    """Read and send in a process of its own; return whether it was killed before nothing was left to do."""
    return ended(begun_process(server, folder, point, int(after)), after if point == ANYWHEN else None)


def begun_process(server: Dovecot, folder: Path, point: str, visits: int) -> int:
    """Begin a process that reads and sends, and return its id."""
    child = os.fork()  # no database and no connection is open here
    if not child:
        status = 1
        try:
            read_and_send(server, folder, point, visits)
            status = 0
        except Exception:  # noqa: BLE001 - whatever it is, this copy must not go on as the parent would
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def ended(child: int, after: float | None = None) -> bool:
    """Wait for a process, kill it after so many seconds where they are given; return whether it was killed."""
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("The process that reads and sends failed; its own words stand above.")
    return os.WIFSIGNALED(status)


@dataclass(kw_only=True, slots=True)
class WatchedMailbox(ImapWalker):
    """A mailbox whose walk tells how far it is."""

    at: Callable[[str], None]

    def walk(
        self,
        marks: Mapping[str, FolderMark],
        *,
        since: Callable[[], date],
        alive: Callable[[], None] = lambda: None,
    ) -> Iterator[FetchedPage]:
        """Yield what is new."""
        for page in ImapWalker.walk(self, marks, since=since, alive=alive):  # super() knows no class with slots
            self.at("a page is fetched")
            yield page
            self.at("a page is taken in")

    def wait(self, stop: threading.Event, *, seconds: float) -> None:
        """Wait for nothing."""

    def interrupt(self) -> None:
        """Interrupt nothing."""


def read_and_send(server: Dovecot, folder: Path, point: str, visits: int) -> None:
    """Walk and send, in turns, until nothing is left to do, or death."""
    left = visits

    def at(here: str) -> None:
        nonlocal left
        left -= here == point
        if here == point and left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def clock() -> datetime:
        at("a message is looked at")
        return now()

    def deliver(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        before_dot()
        with (folder / "received").open("a") as file:
            file.write(f"{message.recipient} {now().isoformat()}\n")
            file.flush()
            os.fsync(file.fileno())
        at("a follow-up is received")
        return Receipt("250 taken")

    with Store.open(Workspace(with_schema(folder / "data")), now=now()) as store:
        world = EngineWorld(folder, store, Clock(now()), replace(TERMS, daily_cap=1_000_000))
        mailbox = WatchedMailbox(ImapServer.parse(server.url), at=at)
        key = mailbox.server.key
        reader = MailboxReader(store=store, clock=clock, mailbox=mailbox, key=key, address=SENDER.address)
        worker: Worker = world.worker(deliver, answer_timeout=HANDOVER)
        worker.clock = now
        worker.rules = replace(worker.rules, lease=LEASE, reads_inbox=True, freshness=timedelta(seconds=1))
        worker.read_answers = reader.read_now
        for turn in count():
            reader.read()
            done = worker.run_due(limit=2)
            if point and turn > 2:
                break  # what is left is for those who come after, so that each of them can die at its point
            coming = [
                store.runs.next_due(lane, terms=world.terms, before=now() + POLL) for lane in (FREE, MAILBOX)
            ]
            if not done and not any(coming):
                break
        reader.read()
        mailbox.close()


def compared(
    folder: Path, record: Path, answered: list[str], killed: Counter[str], within: timedelta = timedelta(0)
) -> Found:
    """Look everybody up in both records; a follow-up may leave ``within`` so long after an answer was acted on."""
    received = [line.split() for line in record.read_text().splitlines()]
    twice = sum(number > 1 for number in Counter(who for who, _ in received).values())
    with Store.open(Workspace(folder / "data"), now=now()) as store:
        world = EngineWorld(folder, store, Clock(now()), replace(TERMS, daily_cap=1_000_000))
        store.check()
        runs = {run.address: run for run in store.runs.by_ids(asyncio.run(all_runs(world)))}
        rows = {who: world.received(runs[who].id) for who in answered}
        left = {who: datetime.fromisoformat(at) for who, at in received}
        unheard = sum(runs[who].status in LIVE for who in answered)
        after = sum(who in left and left[who] > rows[who][0].found_at + within for who in answered if rows[who])
        unknown = sum(step.state is StepState.UNKNOWN for run in runs.values() for step in run.steps)
    lost = sum(not entries for entries in rows.values())
    again = sum(len(entries) > 1 for entries in rows.values())
    words = f"{killed.total():,} kills ({', '.join(f'{at}: {number}' for at, number in killed.items())}), "
    words += f"{len(runs):,} people, {len(answered):,} answers: {twice} mailed twice, {lost} answers lost, "
    words += f"{again} acted on twice, {after} follow-ups after an answer was acted on, "
    words += (
        f"{unheard} runs that go on all the same, {unknown} e-mails of unknown outcome, {len(left)} follow-ups"
    )
    holds = not (twice or lost or again or after or unheard)
    return Found(words, holds, holds)


def wake(server: Dovecot, folder: Path, number: int, seed: int) -> Iterator[Found]:
    """Yield how long it takes from the delivery of an answer until its run is over."""
    world = EngineWorld.open(folder)
    world.clock.now = now()
    sent = asyncio.run(begun(world, number, follow_up(2, timedelta(days=3))))
    stop = threading.Event()

    def read() -> None:
        with Store.open(world.store.workspace, now=now()) as store:
            reader = mailbox_reader(server.url, store, clock=now, address=SENDER.address)
            reader.every = 100_000.0
            reader.run(stop)

    thread = threading.Thread(target=read)
    thread.start()
    while world.store.inboxes.reading(SENDER.address) is None:
        time.sleep(0.01)
    took = []
    for who, one in sent.items():
        begin = time.monotonic()
        server.deliver(reply(one, "Yes, gladly."))
        while world.store.runs.live_at([who]) is not None:
            time.sleep(0.005)
        took.append(time.monotonic() - begin)
    stop.set()
    thread.join()
    world.store.close()
    words = f"by IDLE a run has ended {statistics.median(took):.2f} s after its answer was delivered (median of "
    yield Found(f"{words}{number}; at most {max(took):.2f} s)", holds=max(took) <= 2)


def poll(server: Dovecot, folder: Path, number: int, seed: int) -> Iterator[Found]:
    """Yield what a walk with nothing new costs, against the commands alone."""
    world = EngineWorld.open(folder)
    world.clock.now = now()
    reader = mailbox_reader(server.url, world.store, clock=now, address=SENDER.address)
    with server.person() as person:
        person.append("INBOX", raw("From: x@y.example\nSubject: old", "hello"))
        person.create_folder("Clients")  # the fifth that is read
        reader.read()
        walker = reader.mailbox
        ways: dict[str, Callable[[], object]] = {
            "whole": reader.read,
            "asked": lambda: list(walker.walk(world.store.inboxes.marks(reader.key), since=today, alive=nothing)),
            "bare": lambda: each_asked(person),
            "write": lambda: world.store.inboxes.read("nobody@example.com", began=now(), now=now()),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        spent = dict.fromkeys(ways, 0.0)
        for _ in range(max(number // 5, 20)):
            for name, act in ways.items():
                begin, effort = time.monotonic(), time.process_time()
                act()
                took[name].append(time.monotonic() - begin)
                spent[name] += time.process_time() - effort
    reader.mailbox.close()
    world.store.close()
    times = {name: statistics.median(values) * 1000 for name, values in took.items()}
    words = f"a walk of five folders with nothing new: {times['whole']:.1f} ms (medians of {len(took['whole'])}; "
    words += f"{spent['whole'] / len(took['whole']) * 1000:.1f} ms of processor time); of it asking the server "
    words += f"{times['asked']:.1f} ms, where LIST and a STATUS each take {times['bare']:.1f} ms "
    words += f"({times['asked'] / times['bare']:.2f} of it); one write alone {times['write']:.1f} ms"
    alone = times["bare"] + times["write"]
    yield Found(words, times["whole"] <= 20, times["whole"] <= 6 * alone and times["asked"] <= 3 * times["bare"])


def today() -> date:
    """Return the day."""
    return now().date()


def nothing() -> None:
    """Do nothing."""


def each_asked(person: IMAPClient) -> None:
    """Ask for the folders, and for the state of each that is read."""
    for _, _, name in person.list_folders():
        if name not in ("Sent", "Drafts"):
            person.folder_status(name, ["UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ"])


def classify(server: Dovecot, folder: Path, number: int, seed: int) -> Iterator[Found]:
    """Yield what it takes to read a message and say what it is, against the parsing alone."""
    messages, ours, bare = [item.data for item in (*bounces(), *machines(), *absences())], [], []
    messages += [item.data for item in elsewhere()]
    messages += [item.data for item in (*replies(), *further_replies(), *opt_outs())]
    for data in messages:
        begin = time.process_time()
        _ = incoming(data, arrived_at=now()).judged
        ours.append(time.process_time() - begin)
        begin = time.process_time()
        BytesParser().parsebytes(data)
        bare.append(time.process_time() - begin)
    found, alone = (statistics.quantiles(times, n=100)[98] * 1000 for times in (ours, bare))
    words = (
        f"what a message is: 99 of 100 within {found:.1f} ms (median {statistics.median(ours) * 1000:.1f} ms), "
    )
    words += f"the parsing alone within {alone:.1f} ms, of processor time, over {len(messages)} messages"
    total = sum(ours) / sum(bare)
    yield Found(words, found <= 20, total <= 20)


def first(server: Dovecot, folder: Path, number: int, seed: int) -> Iterator[Found]:
    """Yield what the first walk of a mailbox with old messages takes, and what memory, in a process of its own."""
    EngineWorld.open(folder).store.close()
    with server.person() as person:
        words = "We talked about this and that, and it was fine.\n" * 60
        heads = [
            f"From: person{one}@acme{one}.example\nTo: {USER}\nSubject: number {one}" for one in range(number)
        ]
        person.append("INBOX", raw(heads[0], words))  # makes the folder
        server.fill((raw(head, words), now() - timedelta(days=one % 28)) for one, head in enumerate(heads))
        begin = time.monotonic()
        person.select_folder("INBOX", readonly=True)
        uids = person.search("ALL")
        for start in range(0, len(uids), 100):
            person.fetch(uids[start : start + 100], ["BODY.PEEK[]<0.300000>", "INTERNALDATE", "RFC822.SIZE"])
        alone = time.monotonic() - begin
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        with Store.open(Workspace(folder / "data"), now=now()) as store:
            reader = mailbox_reader(server.url, store, clock=now, address=SENDER.address)
            before, begin = memory("VmRSS"), time.monotonic()
            reader.read()
            took = time.monotonic() - begin
            os.write(tell, f"{took} {memory('VmHWM') - before}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    took, more = map(float, os.read(told, 100).split())
    words = f"the first walk of {number:,} old messages takes {took:.1f} s, fetching them alone {alone:.1f} s, "
    words += f"and {more:.0f} MB of memory more"
    yield Found(words, took <= 60 and more <= 30, took <= 60 * alone and more <= 30)


def memory(which: str) -> float:
    """Return the memory of this process, now or at most so far, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(which))


WHOLE = {"races": 1_000, "kills": 200, "two": 600, "wake": 20, "poll": 1_000, "classify": 1, "first": 10_000}
QUICK = {"races": 24, "kills": 10, "two": 6, "wake": 2, "poll": 100, "classify": 1, "first": 400}
PARTS = {part.__name__: part for part in (races, kills, two, wake, poll, classify, first)}


def main() -> int:
    """Measure, and print each line as it comes."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; default: all")
    wanted.add_argument("--number", type=int, help="of answers, kills or messages")
    wanted.add_argument("--quick", action="store_true")
    wanted.add_argument("--seed", type=int, default=1)
    options = wanted.parse_args()
    print(machine())
    held = True
    for name in options.parts or PARTS:
        number = options.number or (QUICK if options.quick else WHOLE)[name]
        with tempfile.TemporaryDirectory() as folder, dovecot() as server:
            begin = time.monotonic()
            for found in PARTS[name](server, Path(folder), number, options.seed):
                holds = found.ratio_holds if options.quick else found.holds
                held &= holds
                took = time.monotonic() - begin
                print(f"{'held  ' if holds else 'BROKEN'} {name}: {found.words}; in {took:.0f} s", flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
