"""A start is its plan: its key, who was left out and why are stored with it, and every answer is read from it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

import pytest
from tests.world.product import GRACE, LINUS, MAIL, WRITTEN, World, people, yes

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.engine.provider import LocalProvider, local_provider
from sequences_mcp.errors import ConflictError
from sequences_mcp.ports.embedded import ContactEntry, Matched, ToolCall
from sequences_mcp.services import starts


def rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    return world.rows(sql)


async def test_a_start_is_stored_once_as_its_plan_and_a_repeat_tells_the_same(world: World) -> None:
    async with world.client() as desktop:
        await desktop.call("suppress_contact", contact="torvalds.example", reason="asked us to stop")
        start: dict[str, Any] = {"blueprint_id": await desktop.blueprint(), "contacts": [GRACE, LINUS]}
        first = await desktop.call("start_sequence", **start)
        again = await desktop.call("start_sequence", **start)
    assert again.pop("repeat_of") == "2026-11-23T12:00:00+00:00"
    assert again.pop("next").endswith(first.pop("next"))
    assert again == first
    assert (first["left_out_count"], first["left_out"][0]["name"]) == (1, "Linus Torvalds")
    assert rows(world, "SELECT count(*) FROM operation WHERE tool LIKE 'start_sequence%'") == [(0,)]
    [(tool, key, left_out)] = rows(world, "SELECT call_tool, call_key, left_out FROM plan")
    assert (tool, left_out) == ("start_sequence", 1) and key


async def test_a_repeat_tells_of_the_texts_that_are_still_to_be_written_now(world: World) -> None:
    async with world.client() as desktop:
        start: dict[str, Any] = {"blueprint_id": await desktop.blueprint(WRITTEN), "contacts": [GRACE, LINUS]}
        plan = await desktop.call("start_sequence", **start)
        [draft, _] = (await desktop.call("list_reviews", plan_id=plan["plan_id"]))["drafts"]["items"]
        await desktop.call("edit_draft", draft_id=draft["id"], content="Hello, your compiler talk was clear.")
        again = await desktop.call("start_sequence", **start)
    assert again["missing_texts"] == len(again["to_write"]) == 1
    assert again["to_write"][0]["name"] != draft["name"]


@pytest.mark.parametrize("tool", ["retry_failed", "withdraw_plan", "save_contacts"])
async def test_the_key_of_a_start_is_no_other_calls_key(world: World, tool: str) -> None:
    async with world.client() as desktop:
        blueprint = await desktop.blueprint()
        start: dict[str, Any] = {"blueprint_id": blueprint, "contacts": [GRACE]}
        plan = await desktop.call("start_sequence", **start, idempotency_key="monday")
        arguments = {"retry_failed": {"blueprint_id": blueprint}, "withdraw_plan": {"plan_id": plan["plan_id"]}}
        other = arguments.get(tool, {"contacts": [GRACE]})
        later = await desktop.refused(tool, **other, idempotency_key="monday")
        await desktop.call("save_contacts", contacts=[GRACE], idempotency_key="tuesday")
        earlier = await desktop.refused("start_sequence", **start, idempotency_key="tuesday")
    assert (later["code"], later["tool"]) == ("key_reused", "start_sequence")
    assert (earlier["code"], earlier["tool"]) == ("key_reused", "save_contacts")


@pytest.mark.parametrize(("key", "days"), [("monday", 30), (None, 1)], ids=["given", "derived"])
async def test_a_key_lives_its_time_and_then_the_same_call_plans_anew(
    world: World, key: str | None, days: int
) -> None:
    start: dict[str, Any] = {"contacts": [GRACE]} | ({"idempotency_key": key} if key else {})
    async with world.client() as desktop:
        start["blueprint_id"] = await desktop.blueprint()
        first = await desktop.call("start_sequence", **start)
        world.clock.now += timedelta(days=days) - timedelta(minutes=1)
        again = await desktop.call("start_sequence", **start)
        world.clock.now += timedelta(minutes=2)
        anew = await desktop.call("start_sequence", **start)
    assert again["plan_id"] == first["plan_id"] != anew["plan_id"]
    assert "repeat_of" not in anew


async def test_who_was_left_out_is_forgotten_with_the_key_and_their_number_stays(world: World) -> None:
    async with world.client() as desktop:
        await desktop.call("suppress_contact", contact="torvalds.example", reason="asked us to stop")
        blueprint, key = await desktop.blueprint(), "monday"
        start = {"blueprint_id": blueprint, "contacts": [GRACE, LINUS], "idempotency_key": key}
        await desktop.call("start_sequence", **start)
    assert "Linus" in rows(world, "SELECT learnt FROM plan")[0][0]
    async with world.app() as app:
        store = app.plans.engine.store
        store.upkeep.forget_answers(before=world.clock.now + timedelta(seconds=1))
        [plan] = (await app.plans.list_plans(page=1, size=1)).items
        assert (await app.plans.planning_tally(plan.id)).left_out == 1
    assert rows(world, "SELECT learnt, call_key, fingerprint FROM plan") == [(None, None, None)]


async def test_of_two_plans_of_one_call_the_first_that_is_sealed_stands_and_of_the_other_nobody_is_written_to(
    world: World,
) -> None:
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint()
    world.changes["auto_approve"] = frozenset({f"{blueprint}@1"})
    call = ToolCall("start_sequence", "monday", "f" * 64)
    reports: list[starts.StartReport] = []
    async with world.app() as app, world.app() as other:

        async def meanwhile(done: int, total: int) -> None:
            """Let another process finish the same call while this one is still filling its plan."""
            if not reports:
                reports.append(await begun(other, silent))

        async def begun(at: Any, progress: starts.Progress) -> starts.StartReport:
            return await starts.start_sequence(
                at, blueprint_id=blueprint, contacts=people(3), auto_approve=True, call=call, progress=progress
            )

        late = await begun(app, meanwhile)
        [first] = reports
        assert (late.plan.id, late.is_repeat, first.is_repeat) == (first.plan.id, True, False)
        assert late.plan.status is PlanStatus.APPROVED
    assert rows(world, "SELECT status, reason, unsettled FROM plan ORDER BY no") == [
        ("refused", "The same start was asked for twice.", 0),
        ("approved", None, 0),
    ]
    statuses = "SELECT plan_no, status, count(*) FROM sequence GROUP BY plan_no, status ORDER BY plan_no"
    assert rows(world, statuses) == [(1, "REFUSED", 3), (2, "ACTIVE", 3)]


async def test_the_same_call_at_once_that_finds_everybody_under_way_already_returns_the_plan_that_stands(
    world: World,
) -> None:
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint()
    world.changes["auto_approve"] = frozenset({f"{blueprint}@1"})
    call = ToolCall("start_sequence", "monday", "f" * 64)
    async with world.app() as app:  # both calls have looked for an earlier one before either has sealed its plan
        first, late = [
            await starts.start_sequence(
                app, blueprint_id=blueprint, contacts=people(3), auto_approve=True, call=call, progress=silent
            )
            for _ in range(2)
        ]
    assert (late.plan.id, late.is_repeat, late.plan.status) == (first.plan.id, True, PlanStatus.APPROVED)


async def silent(done: int, total: int) -> None:
    """Report nothing."""


async def test_what_the_operator_approved_beforehand_is_approved_with_the_sealing_or_not_at_all(
    world: World,
) -> None:
    async with world.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        world.changes["auto_approve"] = frozenset({f"{blueprint}@1"})
    async with world.client("auto", yes) as desktop:
        start = {"blueprint_id": blueprint, "contacts": [GRACE], "auto_approve": True}
        await desktop.call("start_sequence", **start)
    told = rows(world, "SELECT action, actor FROM audit WHERE subject LIKE '%plan%' ORDER BY no")
    assert [action for action, _ in told] == ["plan.opened", "plan.sealed", "plan.approved"]
    assert told[-1][1] == "operator:SEQUENCES_AUTO_APPROVE"


@dataclass(frozen=True)
class FakeRacingProvider(LocalProvider):
    """The embedded provider, into which another program writes between the check of rows and their saving."""

    async def match_contacts(self, people: Any, **more: Any) -> Matched:
        """Check the rows; then give address and number of the one who has both to two different people."""
        matched = await super().match_contacts(people, **more)
        for both in (entry.fields for entry in people if entry.fields.phone):
            for taken in (ContactFields(email=both.email), ContactFields(phone=both.phone)):
                await self.save_contacts([ContactEntry(taken)])
        return matched


@pytest.mark.parametrize("number", [400, 700], ids=["on the loop", "in a thread"])
async def test_a_row_that_another_program_makes_bad_meanwhile_leaves_no_plan_and_nobody_of_its_part_saved(
    world: World, number: int
) -> None:
    contacts = [*people(number), {**GRACE, "email": "last@hopper.example", "phone": "+33612345678"}]
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint()
    async with world.app() as app:
        local = local_provider(app.plans.engine)
        racing = FakeRacingProvider(**{part.name: getattr(local, part.name) for part in fields(local)})
        raced = replace(app, providers={**app.providers, LOCAL: racing})
        with pytest.raises(ConflictError, match=f"contact {number + 1}"):
            await starts.start_sequence(raced, blueprint_id=blueprint, contacts=contacts, progress=silent)
    before = number // starts.PART * starts.PART  # people of the parts that were saved whole
    assert rows(world, "SELECT count(*) FROM contact") == [(before + 2,)]
    assert rows(world, "SELECT count(*) FROM plan") == [(0,)]
