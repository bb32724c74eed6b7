"""Every write once: the same key gets the same bytes, and nothing is done twice."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.world.engine import EngineWorld
from tests.world.loaded import python

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.errors import ConflictError, KeyReusedError
from sequences_mcp.ports.embedded import ContactEntry, ToolCall

CALL = ToolCall(tool="save_contacts", key="k1", fingerprint="f1")


class FakeEffect:
    """An effect that saves a person and counts its runs."""

    def __init__(self, world: EngineWorld, answer: str = '{"outcome":"done","name":"Zoë"}') -> None:
        self.world, self.answer, self.runs = world, answer, 0

    async def __call__(self) -> str:
        """Save, count, answer."""
        self.runs += 1
        entry = ContactEntry(ContactFields(email=f"p{self.runs}@example.org"))
        await self.world.local.save_contacts([entry])
        return self.answer


async def people(world: EngineWorld) -> int:
    return (await world.local.find_contacts("", page=1, size=1)).total_count


async def test_the_same_call_again_gets_the_stored_answer_and_does_nothing(world: EngineWorld) -> None:
    effect = FakeEffect(world)
    first = await world.local.ledger.once(CALL, effect)
    effect.answer = "another answer"
    assert await world.local.ledger.once(CALL, effect) == first
    assert (effect.runs, await people(world)) == (1, 1)


@pytest.mark.parametrize(
    "other",
    [ToolCall("save_contacts", "k1", "f2"), ToolCall("create_blueprint", "k1", "f1")],
    ids=["other arguments", "other tool"],
)
async def test_a_key_of_another_call_is_refused_before_anything_is_done(
    world: EngineWorld, other: ToolCall
) -> None:
    effect = FakeEffect(world)
    await world.local.ledger.once(CALL, effect)
    with pytest.raises(KeyReusedError, match="k1"):
        await world.local.ledger.once(other, effect)
    with pytest.raises(KeyReusedError):
        await world.local.ledger.recall(other)
    assert effect.runs == 1


async def test_calls_without_a_key_are_all_carried_out_and_all_written_down(world: EngineWorld) -> None:
    effect = FakeEffect(world)
    for _ in range(2):
        await world.local.ledger.once(ToolCall("save_contacts", None, "f1"), effect)
    assert (effect.runs, await people(world)) == (2, 2)


@pytest.mark.parametrize(("derived", "hours"), [(True, 24), (False, 30 * 24)], ids=["derived", "given"])
async def test_a_key_is_kept_for_its_time_and_free_afterwards(
    world: EngineWorld, derived: bool, hours: int
) -> None:
    call, effect = ToolCall("save_contacts", "k1", "f1", derived), FakeEffect(world)
    await world.local.ledger.once(call, effect)
    world.clock.forward(hours=hours, seconds=-1)
    await world.local.ledger.once(call, effect)
    assert effect.runs == 1
    world.clock.forward(seconds=1)
    await world.local.ledger.once(ToolCall("save_contacts", "k1", "f2", derived), effect)
    assert effect.runs == 2


async def test_an_effect_that_fails_leaves_nothing_and_its_key_free(world: EngineWorld) -> None:
    effect = FakeEffect(world)

    async def failing() -> str:
        await effect()
        raise ConflictError("No.", next_step="Try something else.")

    with pytest.raises(ConflictError):
        await world.local.ledger.once(CALL, failing)
    assert await people(world) == 0
    assert await world.local.ledger.recall(CALL) is None
    await world.local.ledger.once(CALL, effect)
    assert await people(world) == 1


async def test_an_effect_that_waits_is_a_mistake_and_leaves_nothing(world: EngineWorld) -> None:
    async def waiting() -> str:
        await FakeEffect(world)()
        await asyncio.get_running_loop().create_future()
        return "never"

    with pytest.raises(RuntimeError, match="waited"):
        await world.local.ledger.once(CALL, waiting)
    assert (await people(world), world.store.in_transaction) == (0, False)


async def test_an_answer_recorded_afterwards_yields_to_one_that_is_there(world: EngineWorld) -> None:
    assert await world.local.ledger.record(CALL, "first") == "first"
    assert await world.local.ledger.record(CALL, "second") == "first"
    assert await world.local.ledger.recall(CALL) == "first"


CALLER = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.world.engine import TERMS
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.engine.context import EngineContext
from sequences_mcp.engine.provider import local_provider
from tests.world.stores import open_store
from sequences_mcp.ports.embedded import ContactEntry, ToolCall

now = lambda: datetime.now(UTC)
store = open_store(Path(sys.argv[1]), now=now())
local = local_provider(EngineContext(store, now, os.urandom, TERMS, "caller"))

async def effect(number):
    fields = ContactFields(phone="+336%08d" % int.from_bytes(os.urandom(3), "big"))
    await local.save_contacts([ContactEntry(fields)])
    return f"{os.getpid()} did {number}"

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[2])):
        print(await local.ledger.once(ToolCall("save_contacts", f"k{number}", "f"), lambda: effect(number)))

asyncio.run(main())
"""


async def test_processes_with_the_same_keys_at_once_do_each_thing_once_and_get_one_answer(
    world: EngineWorld,
) -> None:
    calls, here = 25, str(Path(__file__).parents[2])
    command = [*python(), "-c", CALLER, str(world.store.workspace.folder), str(calls), here]
    callers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for one in callers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    outputs = []
    for one in callers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in callers:
        out, errors = one.communicate(timeout=60)
        heard("what a caller said", out + errors)
        assert (one.returncode, errors) == (0, "")
        outputs.append(out.splitlines())
    assert outputs[0] == outputs[1] == outputs[2]
    assert len(outputs[0]) == calls == await people(world)
