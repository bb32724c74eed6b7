"""Who did something: what the audit calls them, of which kind they are, and in whose name nothing is approved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.world.data_folder import NOON, with_schema
from tests.world.product import GRACE, Bureau
from tests.world.stores import open_store

from sequences_mcp.cli.keyboard import person_here
from sequences_mcp.domain import actors
from sequences_mcp.domain.actors import Actor, ActorKind
from sequences_mcp.errors import ApprovalError
from sequences_mcp.services.reviews import approve_plan
from sequences_mcp.store.unit_of_work import Store

# As stored databases have them: none of these changes.
SPELLINGS = {
    "agent": ActorKind.MODEL,
    "check_operation": ActorKind.MODEL,
    "withdraw_plan": ActorKind.MODEL,
    "repeated call": ActorKind.MODEL,
    "elicitation": ActorKind.PERSON,
    "panel": ActorKind.PERSON,
    "page": ActorKind.PERSON,
    "page:passkey": ActorKind.PERSON,
    "terminal": ActorKind.PERSON,
    "operator:SEQUENCES_AUTO_APPROVE": ActorKind.SETTING,
    "retention": ActorKind.SETTING,
    "worker": ActorKind.WORKER,
    "reader": ActorKind.WORKER,
    "engine": ActorKind.SYSTEM,
    "reviewer": ActorKind.PERSON,
    "recipient": ActorKind.SYSTEM,
}


def test_every_actor_is_spelled_as_stored_databases_have_them() -> None:
    known = {str(value): value.kind for value in vars(actors).values() if isinstance(value, Actor)}
    assert known == SPELLINGS


def test_a_terminal_names_its_user_and_whoever_is_none_of_this_program_is_a_person() -> None:
    here = person_here()
    assert here.startswith("terminal:") and here.detail and here.kind is ActorKind.PERSON
    assert [Actor(name).kind for name in ("ada", "agent:desktop")] == [ActorKind.PERSON, ActorKind.MODEL]


async def test_the_audit_names_each_step_of_a_start_as_it_always_has(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        started = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE])
    async with bureau.app(Actor("terminal:ada")) as app:
        await approve_plan(app, plan_id=started["plan_id"], digest=started["digest"], actor=Actor("terminal:ada"))
    bureau.work()
    rows = bureau.rows("SELECT actor, action FROM audit ORDER BY no")
    assert rows == [
        ("agent", "blueprint.version_added"),
        ("agent", "contact.saved"),
        ("agent", "plan.opened"),
        ("agent", "sequence.found"),
        ("agent", "plan.sealed"),
        ("terminal:ada", "plan.approved"),
        ("terminal:ada", "sequence.approved"),
        ("worker", "sequence.tick"),
        ("worker", "sequence.handed_over"),
        ("worker", "sequence.delivered"),
    ]
    assert all(type(actor) is str for (actor,) in bureau.rows("SELECT DISTINCT actor FROM audit"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database."""
    with open_store(with_schema(tmp_path), now=NOON) as opened:
        yield opened


@pytest.mark.parametrize("name", sorted(set(SPELLINGS) - {"operator:SEQUENCES_AUTO_APPROVE"}))
def test_only_a_person_approves(store: Store, name: str) -> None:
    record = store.approvals.record
    if SPELLINGS[name] is ActorKind.PERSON:
        record("local:plan_1", digest="0" * 64, actor=Actor(name), now=NOON)
        return
    with pytest.raises(ApprovalError, match=f"approves as {name}"):
        record("local:plan_1", digest="0" * 64, actor=Actor(name), now=NOON)
