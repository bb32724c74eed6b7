"""Several workers on one file: each due step is taken by exactly one of them, and none gives up."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.world.engine import EMAIL, EngineWorld
from tests.world.loaded import python

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import StepState
from sequences_mcp.ports.embedded import ContactEntry
from sequences_mcp.store.sqlite.connection import JournalMode

WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.world.data_folder import Clock
from tests.world.engine import START, TERMS, FakeDelivery, EngineWorld
from tests.world.stores import open_store

store = open_store(Path(sys.argv[1]), now=START, journal=sys.argv[2])
delivery = FakeDelivery()
worker = EngineWorld(Path("."), store, Clock(START), TERMS).worker(delivery)
print("ready", flush=True)
sys.stdin.readline()
while worker.run_due(limit=1000):
    pass
for message in delivery.messages:
    print(message.recipient)
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_four_processes_take_every_due_step_once_and_none_is_turned_away(
    tmp_path: Path, journal: JournalMode
) -> None:
    world, count = EngineWorld.open(tmp_path, journal=journal), 160
    blueprint = await world.blueprint(EMAIL)
    entries = [ContactEntry(ContactFields(email=f"p{number}@example.org")) for number in range(count)]
    saved = await world.local.save_contacts(entries)
    await world.approved(*(one.contact for one in saved), blueprint=blueprint)
    command = [
        *python(),
        "-c",
        WORKER,
        str(world.store.workspace.folder),
        journal,
        str(Path(__file__).parents[2]),
    ]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for one in workers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in workers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    sent: Counter[str] = Counter()
    for one in workers:
        out, errors = one.communicate(timeout=60)
        heard("what a worker said", out + errors)
        assert (one.returncode, errors) == (0, "")
        sent.update(out.split())
    assert sent == Counter(f"p{number}@example.org" for number in range(count))
    assert {run.steps[0].state for run in await world.runs()} == {StepState.SENT}
    world.store.check()
    world.store.close()
