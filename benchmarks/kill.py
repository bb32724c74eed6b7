"""Kill a worker again and again while it sends, then count what arrived.

A real SMTP server in a process of its own writes each message down, syncs it to the disk and answers 250 one to
twelve milliseconds later. A worker in another process is killed with SIGKILL at each of twelve points of the
sending protocol and at random instants, and started again until nothing is due. Then every person is looked up in
both records:

- nobody got a message twice,
- nobody is recorded as sent who got nothing,
- nobody got a message whose record does not say ``sent`` or ``unknown``.

Exit status 1 when one of these does not hold. Needs a system with ``fork``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Channel, Sourcing, Step, Temporality
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.plan import PlanHeader, Terms
from sequences_mcp.domain.run import Run, StepRun, StepState
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.calendar import Window
from sequences_mcp.engine.channels import smtp
from sequences_mcp.engine.channels.mail_server import MailServer
from sequences_mcp.engine.claim import SendPolicy
from sequences_mcp.engine.context import EngineContext
from sequences_mcp.engine.provider import local_provider
from sequences_mcp.engine.supervisor import MAILBOX
from sequences_mcp.engine.worker import FREE, Worker
from sequences_mcp.errors import StoreBusyError
from sequences_mcp.ports.embedded import ContactEntry, PlannedPerson, SequenceFilter
from sequences_mcp.store.sqlite.connection import JournalMode
from sequences_mcp.store.unit_of_work import Store

POINTS = (
    "claim",
    "claimed",
    "connect",
    "auth",
    "rcpt",
    "data",
    "half",
    "before_handed_over",
    "handed_over",
    "dot",
    "answer unread",
    "before_sent",
)
ANYWHEN = "any instant"
LEASE, HANDOVER = timedelta(seconds=0.15), timedelta(seconds=0.3)
# Over a wire a step takes longer, and what its lease is too short for is only tried again and again.
WIRED_LEASE, WIRED_HANDOVER = timedelta(seconds=0.5), timedelta(seconds=2)
SENDER = Sender("ada@example.com", "Ada", "Lovelace")
TERMS = Terms(
    sender_address=SENDER.address,
    sender_name=SENDER.name,
    delivery="smtp://127.0.0.1",
    window="Mon-Sun 00:00-24:00",
    daily_cap=1_000_000,
    spacing=0,
)


@dataclass(frozen=True, slots=True)
class Round:
    """Where a worker is to die: at a point, the n-th time it comes there, or after some seconds."""

    point: str
    after: float

    @property
    def visits(self) -> int:
        """The visit of the point at which to die."""
        return int(self.after)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both records say."""

    people: int
    twice: int
    lost: int
    unnoticed: int
    unknown: int
    unknown_delivered: int
    sound: bool

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        return self.sound and not (self.twice or self.lost or self.unnoticed)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def main() -> int:
    """Run and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--messages", type=int, default=1000)
    wanted.add_argument("--kills", type=int, default=204)
    wanted.add_argument("--seed", type=int, default=1)
    wanted.add_argument("--journal", choices=["wal", "delete"], help="default: as the version of SQLite allows")
    options = wanted.parse_args()
    with tempfile.TemporaryDirectory() as folder, mail_server(Path(folder) / "received", options.seed) as port:
        begun = time.monotonic()
        kills = run(Path(folder) / "data", port, options)
        verdict = compare(Path(folder) / "data", Path(folder) / "received", options.journal)
        show(kills, verdict, time.monotonic() - begun)
    return 0 if verdict.holds and kills.total() >= options.kills else 1


def run(folder: Path, port: int, options: argparse.Namespace) -> Counter[str]:
    """Plan, approve, and start workers until nothing is due; return how many died where."""
    with Store.open(Workspace(folder), now=now(), journal=options.journal) as store:
        asyncio.run(fill(store, options.messages))
    chance = random.Random(options.seed)
    kills: Counter[str] = Counter()
    per_round = max(options.messages // max(options.kills, 1), 1)
    while kills.total() < options.kills:
        point = (*POINTS, ANYWHEN)[kills.total() % (len(POINTS) + 1)]
        visits = chance.uniform(0.005, 0.04) * per_round if point == ANYWHEN else chance.randint(1, per_round)
        if not worker_died(folder, port, options.journal, Round(point, visits)):
            break
        kills[point] += 1
    if kills.total() >= options.kills:
        worker_died(folder, port, options.journal, None)
    return kills


def worker_died(folder: Path, port: int, journal: JournalMode | None, death: Round | None) -> bool:
    """Run one worker in a process of its own; return whether it was killed before nothing was due."""
    child = os.fork()  # no connection is open here: none is carried over
    if not child:
        work(folder, port, journal, dying(death) if death is not None else nowhere)
        os._exit(0)
    if death is not None and death.point == ANYWHEN:
        time.sleep(death.after)
        os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def work(
    folder: Path, port: int, journal: JournalMode | None, at: Callable[[str], None], url: str | None = None
) -> None:
    """Send until nothing is due, or ``at`` ends it; a database on a server may be away for a while."""
    server = MailServer.parse(f"smtp://127.0.0.1:{port}")
    rules = SendPolicy(
        terms=TERMS,
        sender=SENDER,
        window=Window.parse(TERMS.window),
        check=lambda leaving: None,
        lease=LEASE if url is None else WIRED_LEASE,
    )
    with Store.open(Workspace(folder), now=now(), journal=journal, url=url) as store:
        worker = Worker(
            store=store,
            clock=now,
            rules=rules,
            deliver=partial(smtp.deliver_by_smtp, server, at=at),
            answer_timeout=HANDOVER if url is None else WIRED_HANDOVER,
            at=at,
        )

        def is_left() -> bool:
            far = now() + timedelta(days=400)
            return any(store.runs.next_due(lane, terms=TERMS, before=far) for lane in (FREE, MAILBOX))

        while True:
            try:
                if not is_left():
                    return
                if not worker.run_due(limit=10_000):
                    time.sleep(0.01 if url is None else 0.05)
            except StoreBusyError:
                if url is None:
                    raise
                time.sleep(0.1)


def nowhere(point: str) -> None:
    """Live on."""


def dying(death: Round) -> Callable[[str], None]:
    """Return what ends this process at the n-th visit of a point."""
    point, visits = ("dot", 0) if death.point == "answer unread" else (death.point, 0)

    def at(here: str) -> None:
        nonlocal visits
        visits += here == point
        if here == point and visits >= death.visits:
            if death.point == "answer unread":
                time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGKILL)

    return at


async def fill(store: Store, messages: int) -> None:
    """Plan one e-mail for each of many people and approve it."""
    local = local_provider(EngineContext(store, now, os.urandom, TERMS, Actor("benchmark")))
    step = Step(
        id="s1",
        name="Hello",
        type=Channel.EMAIL,
        subject="Hi",
        content="Hello.",
        temporality_type=Temporality.ASAP,
    )
    blueprint = await local.create_blueprint(name="Kill", steps=[step], sourcing=Sourcing())
    header = PlanHeader(
        blueprint_id=blueprint.id,
        blueprint_version=1,
        blueprint_name="Kill",
        terms=TERMS,
        expires_at=now() + timedelta(hours=24),
    )
    plan = await local.plans.open_plan(header)
    entries = [ContactEntry(ContactFields(email=f"person{number}@example.org")) for number in range(messages)]
    people = [
        PlannedPerson(
            contact=saved.contact,
            variables={},
            time_zone="UTC",
            steps=(
                StepRun(
                    key=local.plans.new_keys(1)[0],
                    step=step,
                    recipient=saved.contact.email,
                    subject="Hi",
                    content="Hello.\n" * 40,
                ),
            ),
        )
        for saved in await local.save_contacts(entries)
    ]
    await local.plans.add_people(plan.id, people)
    plan = await local.plans.seal_plan(plan.id)
    await local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("benchmark"))


@contextmanager
def mail_server(record: Path, seed: int) -> Iterator[int]:
    """Run an SMTP server in a process of its own; yield its port."""
    ready, told = os.pipe()
    child = os.fork()
    if not child:
        os.close(ready)
        asyncio.run(serve(record, told, random.Random(seed)))
        os._exit(0)
    os.close(told)
    try:
        yield int(os.read(ready, 16))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


async def serve(record: Path, told: int, chance: random.Random) -> None:
    """Answer SMTP for ever: each message is on the disk before its 250."""
    from aiosmtpd.smtp import SMTP, Envelope, Session

    file = os.open(record, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    class Recorder:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            os.write(file, f"{envelope.rcpt_tos[0]}\n".encode())
            os.fsync(file)
            await asyncio.sleep(chance.uniform(0.001, 0.012))
            return "250 OK"

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(Recorder(), hostname="localhost"), "127.0.0.1", 0)
    os.write(told, str(listening.sockets[0].getsockname()[1]).encode())
    await listening.serve_forever()


def compare(folder: Path, record: Path, journal: JournalMode | None, url: str | None = None) -> Verdict:
    """Look everybody up in both records."""
    received = Counter(record.read_text().split())
    with Store.open(Workspace(folder), now=now(), journal=journal, url=url) as store:
        store.check()
        sound = store.audit.verify() is None
        runs = [one.steps[0] for one in everybody(store)]
    unknown = [run for run in runs if run.state is StepState.UNKNOWN]
    known = {StepState.SENT, StepState.UNKNOWN}
    return Verdict(
        people=len(runs),
        twice=sum(count > 1 for count in received.values()),
        lost=sum(run.state is StepState.SENT and not received[run.recipient or ""] for run in runs),
        unnoticed=sum(run.state not in known for run in runs),
        unknown=len(unknown),
        unknown_delivered=sum(received[run.recipient or ""] for run in unknown),
        sound=sound,
    )


def everybody(store: Store) -> Iterator[Run]:
    """Yield every run, whoever carries it out."""
    for provider in (None, *VENDORS):
        page, more = 0, True
        while more:
            page += 1
            found = store.runs.page(SequenceFilter(page=page, size=1000), provider=provider)
            more = found.has_more
            yield from found.items


def show(kills: Counter[str], verdict: Verdict, seconds: float) -> None:
    """Print the table."""
    for point in (*POINTS, ANYWHEN):
        print(f"  killed at {point:<20} {kills[point]:>5}")
    print(f"  kills                          {kills.total():>5}")
    print(f"  people                         {verdict.people:>5}")
    print(f"  mailed twice                   {verdict.twice:>5}")
    print(f"  recorded sent, not delivered   {verdict.lost:>5}")
    print(f"  neither sent nor unknown       {verdict.unnoticed:>5}")
    print(f"  unknown                        {verdict.unknown:>5}, of which delivered {verdict.unknown_delivered}")
    print(f"  file and audit sound           {'yes' if verdict.sound else 'NO':>5}")
    print(f"  {'held' if verdict.holds else 'BROKEN'} in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
