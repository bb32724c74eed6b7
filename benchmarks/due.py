"""What due work costs among sleeping sequences, what an idle process weighs, and whether workers share.

- the time of one claim with 1,000 and with 1,000,000 sequences asleep in the file (at most 2 x),
- the memory of an idle process on the large file over one on an empty file (at most 20 MB),
- 2,000 due steps taken by four processes: none twice, nobody turned away as busy.

Exit status 1 when one of these does not hold. Needs Linux for the memory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Blueprint, Channel, Sourcing, Step, Temporality
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.plan import PlanHeader, Terms
from sequences_mcp.domain.run import StepRun
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.calendar import Window
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.claim import SendPolicy
from sequences_mcp.engine.context import EngineContext
from sequences_mcp.engine.provider import LocalProvider, local_provider
from sequences_mcp.engine.worker import Worker
from sequences_mcp.ports.embedded import ContactEntry, PlannedPerson, SequenceFilter
from sequences_mcp.store.sqlite.database import SqliteDatabase
from sequences_mcp.store.unit_of_work import Store

SENDER = Sender("ada@example.com", "Ada", "Lovelace")
TERMS = Terms(
    sender_address=SENDER.address,
    sender_name=SENDER.name,
    delivery="outbox",
    window="Mon-Sun 00:00-24:00",
    daily_cap=1_000_000,
    spacing=0,
)
STEP = Step(
    id="s1",
    name="Hello",
    type=Channel.EMAIL,
    subject="Hi",
    content="Hello. " * 30,
    temporality_type=Temporality.ASAP,
)
CLAIMS, ROUNDS = 50, 5

# A run as the engine stores it, asleep for a month, with its contact and its step. Instants are microseconds.
SLEEPERS = """
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :count)
INSERT INTO contact (id, email, email_key, email_host, first_name, company, company_host, notes, search,
                     created_at, updated_at)
SELECT 'local:ct_S' || n, 's' || n || '@sleep.example', 's' || n || '@sleep.example', 'sleep.example', 'Sleeper',
       'Sleep ' || n % 1000, 'sleep' || n % 1000 || '.example', '', 'sleeper' || n, :now, :now FROM number;

INSERT INTO plan (id, version_no, status, terms, expires_at, covered, digest, people, missing_texts, to_read,
                  warnings, created_at)
SELECT 'local:plan_SLEEP', max(no), 'approved', :terms, :now, '[]', printf('%064d', 0), :count, 0, 0, 0, :now
FROM blueprint_version;

INSERT INTO sequence (id, plan_no, version_no, contact_no, ordinal, status, anchor, variables, time_zone, warnings,
                      created_at, updated_at, next_run_at, lane)
SELECT 'local:seq_S' || contact.no, plan.no, version_no, contact.no, contact.no, 'ACTIVE', :now, '{}', 'UTC', 0,
       :now + contact.no, :now + contact.no, :now + 2592000000000 + contact.no, 'mailbox'
FROM contact JOIN plan ON plan.id = 'local:plan_SLEEP' WHERE contact.id LIKE 'local:ct_S%';

INSERT INTO step_run (sequence_no, step, generation, key, recipient, subject, content, state, changed_at)
SELECT sequence.no, 0, 0, 'S' || sequence.no, email, 'Hi', :content, 'planned', :now
FROM sequence JOIN contact ON contact.no = contact_no WHERE contact.id LIKE 'local:ct_S%';
"""


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def main() -> int:
    """Run all and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--few", type=int, default=1_000)
    wanted.add_argument("--many", type=int, default=1_000_000)
    wanted.add_argument("--due", type=int, default=2_000)
    wanted.add_argument("--idle", type=Path, help=argparse.SUPPRESS)
    wanted.add_argument("--share", type=Path, help=argparse.SUPPRESS)
    options = wanted.parse_args()
    if options.idle:
        return print_memory(options.idle)
    if options.share:
        return print_taken(options.share)
    with tempfile.TemporaryDirectory() as folder:
        held = [compare(Path(folder), options.few, options.many), share(Path(folder) / "shared", options.due)]
    return 0 if all(held) else 1


def compare(folder: Path, few: int, many: int) -> bool:
    """Measure claims and memory with few and many asleep; return whether the budgets hold."""
    begun = time.monotonic()
    sizes = {"empty": 0, "few": few, "many": many}
    for name, count in sizes.items():
        fill(folder / name, count)
    print(
        f"  files made in {time.monotonic() - begun:.0f} s; the large one has {size_of(folder / 'many'):,.0f} MB"
    )
    memory = {name: min(idle(folder / name) for _ in range(3)) for name in sizes}
    times: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(ROUNDS):  # interleaved, so that another load on the machine weighs on both
        for name, found in times.items():
            found.append(claim_time(folder / name))
    small, large = (min(times[name]) * 1e3 for name in ("few", "many"))
    over = memory["many"] - memory["empty"]
    print(f"  one claim, {few:,} asleep          {small:8.2f} ms")
    print(f"  one claim, {many:,} asleep      {large:8.2f} ms   {large / small:.2f} x (at most 2)")
    print(f"  idle process, empty file        {memory['empty']:8.1f} MB")
    print(f"  idle process, {many:,} in it   {memory['many']:8.1f} MB   {over:+.1f} MB (at most 20)")
    return large <= 2 * small and over <= 20


def fill(folder: Path, sleeping: int) -> None:
    """Make a file with so many sequences asleep."""
    with Store.open(Workspace(folder), now=now()) as store:
        asyncio.run(provider(store).create_blueprint(name="Due", steps=[STEP], sourcing=Sourcing()))
        path = store.workspace.database
    if not sleeping:
        return
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("PRAGMA cache_size = -200000")
        values = {
            "count": sleeping,
            "now": int(now().timestamp() * 1e6),
            "content": STEP.content,
            "terms": TERMS.text,
        }
        for sql in SLEEPERS.split(";"):
            raw.execute(sql, values)
        raw.commit()


def claim_time(folder: Path) -> float:
    """Return the median of claims in seconds, from due to claimed and committed."""
    with Store.open(Workspace(folder), now=now()) as store:
        asyncio.run(start(provider(store), CLAIMS))
        marks: list[float] = []
        worker = worker_on(store, at=lambda point: marks.append(time.perf_counter()) if "claim" in point else None)
        worker.run_due(limit=CLAIMS)
    return median(end - begin for begin, end in zip(marks[::2], marks[1::2], strict=True))


async def start(local: LocalProvider, count: int, *, terms: Terms = TERMS, host: str = "example.org") -> None:
    """Start so many people at once, all with addresses at one host."""
    blueprint: Blueprint = (await local.list_blueprints(page=1, size=1)).items[0]
    header = PlanHeader(
        blueprint_id=blueprint.id,
        blueprint_version=blueprint.version,
        blueprint_name=blueprint.name,
        terms=terms,
        expires_at=now() + timedelta(hours=1),
    )
    plan = await local.plans.open_plan(header)
    entries = [ContactEntry(ContactFields(email=f"{os.urandom(8).hex()}@{host}")) for _ in range(count)]
    people = [
        PlannedPerson(
            contact=saved.contact,
            variables={},
            time_zone="UTC",
            steps=(
                StepRun(
                    key=local.plans.new_keys(1)[0],
                    step=STEP,
                    recipient=saved.contact.email,
                    subject="Hi",
                    content=STEP.content,
                ),
            ),
        )
        for saved in await local.save_contacts(entries)
    ]
    await local.plans.add_people(plan.id, people)
    plan = await local.plans.seal_plan(plan.id)
    await local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("benchmark"))


def share(folder: Path, due: int) -> bool:
    """Let four processes take what is due; return whether each step was taken once and nobody gave up."""
    fill(folder, 0)
    with Store.open(Workspace(folder), now=now()) as store:
        asyncio.run(start(provider(store), due))
        assert isinstance(store.database, SqliteDatabase)
        mode = store.database.journal.mode
    begun = time.monotonic()
    command = [sys.executable, __file__, "--share", str(folder)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    outputs = [one.communicate() for one in workers]
    taken = Counter(line for out, _ in outputs for line in out.split())
    busy = sum("StoreBusyError" in errors for _, errors in outputs)
    failed = sum(one.returncode != 0 for one in workers)
    twice = sum(count > 1 for count in taken.values())
    print(
        f"  four processes, {due:,} due steps: {len(taken):,} taken, {twice} twice, {busy} busy, {failed} failed"
    )
    print(f"  in {time.monotonic() - begun:.1f} s (journal mode {mode})")
    return len(taken) == due and not (twice or busy or failed)


def print_taken(folder: Path) -> int:
    """Take what is due and print to whom it went."""
    taken: list[str] = []
    with Store.open(Workspace(folder), now=now()) as store:
        worker = worker_on(store, taken=taken)
        while worker.run_due(limit=10_000):
            pass
    print("\n".join(taken))
    return 0


def print_memory(folder: Path) -> int:
    """Open a file as a server does, look at it, and print this process's resident megabytes."""
    with Store.open(Workspace(folder), now=now()) as store:
        worker_on(store).run_due()
        local = provider(store)
        asyncio.run(local.list_sequences(SequenceFilter(size=100)))
        resident = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
    print(int(resident.split()[1]) / 1024)
    return 0


def idle(folder: Path) -> float:
    """Return the resident megabytes of a process that has the file open."""
    command = [sys.executable, __file__, "--idle", str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def provider(store: Store, *, terms: Terms = TERMS) -> LocalProvider:
    """Return the embedded provider on a store."""
    return local_provider(EngineContext(store, now, os.urandom, terms, Actor("benchmark")))


def worker_on(
    store: Store,
    *,
    taken: list[str] | None = None,
    at: Callable[[str], None] = lambda point: None,
    terms: Terms = TERMS,
) -> Worker:
    """Return a worker whose channel accepts everything at once."""

    def accept(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        before_dot()
        if taken is not None:
            taken.append(message.recipient)
        return Receipt("250 taken")

    rules = SendPolicy(
        terms=terms,
        sender=replace(SENDER, address=terms.sender_address),
        window=Window.parse(terms.window),
        check=lambda leaving: None,
        lease=timedelta(minutes=2),
    )
    return Worker(store=store, clock=now, rules=rules, deliver=accept, at=at)


def size_of(folder: Path) -> float:
    """Return the megabytes of a folder's files."""
    return sum(file.stat().st_size for file in folder.iterdir()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
