"""Another program that reads the database without an end: reads go on, what holds back waits longest."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.world.engine import EngineWorld

from sequences_mcp.domain.run import SequenceStatus, StopReason, StopScope
from sequences_mcp.errors import StoreBusyError

READER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN")
print(database.execute("SELECT count(*) FROM contact").fetchone()[0], flush=True)
sys.stdin.readline()
database.execute("COMMIT")
"""


@contextmanager
def reading(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another program hold a read transaction until the block ends, or its input does."""
    command = [sys.executable, "-c", READER, str(path)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        heard("what a reader said", other.stdout.readline())
        yield other
    finally:
        other.communicate()


@pytest.fixture
async def world(tmp_path: Path) -> EngineWorld:
    """A world with a rollback journal and one run under way."""
    world = EngineWorld.open(tmp_path, journal="delete")
    await world.approved(await world.contact("maria@globex.example"))
    return world


async def test_reads_go_on_while_writes_wait_for_another_programs_read(world: EngineWorld) -> None:
    with reading(world.store.workspace.database):
        waiting = asyncio.create_task(world.local.suppressions.suppress("domain", "acme.example", reason="asked"))
        await asyncio.sleep(0)
        for _ in range(3):
            assert len(await world.runs()) == 1
            await asyncio.sleep(0)
        assert not waiting.done()
    assert (await waiting).value == "acme.example"
    world.store.close()


async def test_an_ordinary_write_gives_up_and_names_the_program(world: EngineWorld) -> None:
    with reading(world.store.workspace.database) as other, pytest.raises(StoreBusyError) as caught:
        await world.contact("bob@globex.example")
    if sys.platform == "linux":
        assert f"(process {other.pid})" in caught.value.message
        assert "close its query" in caught.value.next_step
    assert len(await world.runs()) == 1
    world.store.close()


async def test_a_stop_and_a_pause_outlast_a_reader_that_ordinary_writes_do_not(world: EngineWorld) -> None:
    [run] = await world.runs()
    with reading(world.store.workspace.database) as other:
        stopping = asyncio.create_task(
            world.local.stop_sequence(run.id, reason=StopReason.LOSE, scope=StopScope.CONTACT)
        )
        with pytest.raises(StoreBusyError):
            await world.contact("bob@globex.example")
        await asyncio.sleep(0)
        assert not stopping.done()
        assert other.poll() is None
    [stopped] = await stopping
    assert stopped.sequence.status is SequenceStatus.STOPPED_EARLY
    world.store.close()
