"""What can go wrong between a yes and a vendor: nobody is enrolled twice, or without a yes to exactly that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.world.kept_starts import asked_for, said_yes
from tests.world.product import Desktop
from tests.world.vendors import (
    ALI,
    SLOW,
    VENDORS,
    ZOE,
    Connected,
    Start,
    active_template,
    approve,
    enrolled,
    rows,
    start_at,
    tampered,
)

from sequences_mcp.domain.actors import Actor
from sequences_mcp.ports.vendor import PreflightSnapshot
from sequences_mcp.review.decide import resolved_in_terminal
from sequences_mcp.services.enrolment import enrol_at_vendor, enrol_waiting

ENDS = {"kalent": "*/start", "clarky": "*/sequences/start", "topo": "*/contact-entries"}
NO_HANDOVER_TRIGGER = "DROP TRIGGER sequence_handover_is_never_changed"


async def operation_of(desktop: Desktop) -> str:
    """Return the operation whose outcome nobody knows."""
    told = await desktop.call("list_providers")
    [line] = [one for one in told["broken"] if "start_sequence" in one]
    return str(line.split()[-1].rstrip("."))


@pytest.mark.parametrize("vendor", ["kalent", "topo"])
async def test_a_lost_answer_is_unknown_bars_a_second_start_and_is_afterby_reading_back(
    vendors: Connected, vendor: str
) -> None:
    start, asked = await asked_for(vendors, vendor)
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor=vendor, path=ENDS[vendor], status=504, act=True)
        await approve(vendors, asked)
        told = await start.told(desktop)
        again = await start_at(vendor, desktop)
        barred = await desktop.refused(
            "start_sequence", blueprint_id=again.blueprint_id, contacts=again.contacts, idempotency_key="2"
        )
        checked = await desktop.call("check_operation", operation_id=await operation_of(desktop))
        after = await start.told(desktop)
    assert (told["outcome"], told["handed_over"]["unknown"]) == ("unknown", 2)
    assert all(one["reasons"][0].startswith("already in") for one in barred["left_out"])
    assert checked["outcome"] == "done"
    assert (after["outcome"], after["handed_over"]["done"]) == ("done", 2)
    assert len(await enrolled(vendors, vendor)) == 1


async def test_after_a_lost_answer_nobody_further_is_handed_over_until_it_is_settled(vendors: Connected) -> None:
    people = [{"email": f"person{number}@new.example", "first_name": "P"} for number in range(230)]
    async with vendors.client() as desktop:
        start = Start(await active_template(desktop), people)
        asked = await start.ask(desktop)
        await vendors.sandbox.fault("status", vendor="topo", path=ENDS["topo"], status=504, act=True)
        await approve(vendors, asked)
        lost = await start.told(desktop)
        requests = len(await enrolled(vendors, "topo"))
        await desktop.call("check_operation", operation_id=await operation_of(desktop))
        after = await start.told(desktop)
    counts = {name: lost["handed_over"][name] for name in ("done", "unknown", "not_done", "waiting")}
    assert (requests, counts) == (1, {"done": 0, "unknown": 100, "not_done": 0, "waiting": 130})
    assert after["handed_over"]["done"] == 230


@pytest.mark.parametrize("vendor", ["kalent", "topo"])
async def test_a_request_that_never_arrived_is_found_so_once_it_cannot_arrive_any_more(
    vendors: Connected, vendor: str
) -> None:
    start, asked = await asked_for(vendors, vendor)
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("reset_before_body", vendor=vendor, path=ENDS[vendor])
        await approve(vendors, asked)
        operation = await operation_of(desktop)
        early = await desktop.call("check_operation", operation_id=operation)
        vendors.clock.now += timedelta(minutes=2)
        late = await desktop.call("check_operation", operation_id=operation)
        told = await start.told(desktop)
    assert (early["outcome"], late["outcome"]) == ("unknown", "not_done")
    assert (told["outcome"], told["handed_over"]["not_done"]) == ("not_done", 2)


async def test_a_start_at_clarky_is_repeated_with_its_key_and_happens_once(vendors: Connected) -> None:
    start, asked = await asked_for(vendors, "clarky", contacts=[ZOE])
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor="clarky", path=ENDS["clarky"], status=504, act=True)
        await approve(vendors, asked)
        told = await start.told(desktop)
    first, second = await enrolled(vendors, "clarky")
    assert first["body"] == second["body"]
    assert told["handed_over"]["done"] == 1


async def test_what_nobody_can_tell_of_at_clarky_a_person_settles(vendors: Connected) -> None:
    start, asked = await asked_for(vendors, "clarky")
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor="clarky", path=ENDS["clarky"], status=504, times=3)
        await approve(vendors, asked)
        waiting = await start.told(desktop)
        operation = await operation_of(desktop)
        checked = await desktop.call("check_operation", operation_id=operation)
        async with vendors.app() as app:
            said = await resolved_in_terminal(app, operation, sent=False, actor=Actor("ada"))
        after = await start.told(desktop)
    assert (waiting["handed_over"]["unknown"], waiting["handed_over"]["waiting"]) == (1, 1)
    assert checked["outcome"] == "unknown" and "may still arrive" in checked["why"]
    assert said.endswith("counts as not done.")
    assert (after["handed_over"]["done"], after["handed_over"]["not_done"]) == (1, 1)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("status", "code"), [(401, "API key"), (402, "plan"), (403, "allow"), (404, "no longer"), (422, "422")]
)
async def test_a_refusal_ends_the_start_and_says_that_nobody_was_enrolled(
    vendors: Connected, vendor: str, status: int, code: str
) -> None:
    start, asked = await asked_for(vendors, vendor)
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor=vendor, path=ENDS[vendor], status=status, times=9)
        await approve(vendors, asked)
        told = await start.told(desktop)
    assert (told["outcome"], told["sent"]) == ("not_done", "nothing")
    assert told["handed_over"] == {**told["handed_over"], "done": 0, "unknown": 0, "not_done": 2, "waiting": 0}
    assert told["handed_over"]["errors"]


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_limit_is_waited_for_and_the_start_goes_on_by_itself(vendors: Connected, vendor: str) -> None:
    start, asked = await asked_for(vendors, vendor)
    async with vendors.client() as desktop:
        await vendors.sandbox.fault(
            "status", vendor=vendor, path=ENDS[vendor], status=429, retry_after=7200, times=1
        )
        await approve(vendors, asked)
        waiting = rows(vendors, "SELECT status, operation_id FROM sequence")
        async with vendors.app() as app:
            assert await enrol_waiting(app) == {}
        told = await start.told(desktop)
    assert waiting == [("FOUND", None), ("FOUND", None)]
    assert told["handed_over"]["done"] == 2


async def test_whom_topo_does_not_take_fails_alone(vendors: Connected) -> None:
    start, asked = await asked_for(vendors, "topo")
    async with vendors.client() as desktop:
        await vendors.sandbox.topo("POST", "/contact-exclusions", json={"email": ZOE["email"], "reason": "OTHER"})
        await approve(vendors, asked)
        told = await start.told(desktop)
        run = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
    assert (told["handed_over"]["done"], told["handed_over"]["not_done"]) == (1, 1)
    assert (run["status"], run["reason"]) == ("FAILED", "Topo did not take this person.")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_somebody_suppressed_after_the_yes_is_not_handed_over(vendors: Connected, vendor: str) -> None:
    who = "ines@loom.example.com" if vendor == "kalent" else ZOE["email"]
    start, _ = await said_yes(vendors, vendor)
    async with vendors.client() as desktop:
        await desktop.call("suppress_contact", contact=who, reason="asked us to stop")
        told = await start.told(desktop)
    assert (told["handed_over"]["done"], told["handed_over"]["not_done"]) == (1, 1)
    assert who not in str(await enrolled(vendors, vendor))
    assert "candidate_ines" not in str(await enrolled(vendors, vendor))


async def test_somebody_kalent_has_in_a_sequence_by_then_is_not_started_again(vendors: Connected) -> None:
    start, asked = await asked_for(vendors, "kalent")
    async with vendors.client() as desktop:
        other = await desktop.call(
            "create_blueprint",
            name="Other",
            provider="kalent:sourcing_1",
            steps=[SLOW],
        )
        own = other["blueprint_id"].partition(":")[2]
        await vendors.sandbox.kalent(
            "POST", f"/sequence-blueprints/{own}/start", json={"candidateIds": ["candidate_ines"]}
        )
        await approve(vendors, asked)
        told = await start.told(desktop)
    assert (told["handed_over"]["done"], told["handed_over"]["not_done"]) == (1, 1)
    assert "in a sequence at Kalent already" in told["handed_over"]["why"][0]
    assert [one["body"] for one in await enrolled(vendors, "kalent")][1:] == [
        {"candidateIds": ["candidate_priya"]}
    ]


async def test_a_blueprint_changed_after_the_yes_enrols_nobody(vendors: Connected) -> None:
    start, asked = await said_yes(vendors, "kalent")
    async with vendors.client() as desktop:
        await desktop.call("update_blueprint", blueprint_id=start.blueprint_id, expected_version=1, name="Another")
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=asked["plan_id"])
            plan = await app.plans.get_plan(asked["plan_id"])
    assert plan.status == "void" and "newer version" in (plan.reason or "")
    assert await enrolled(vendors, "kalent") == []


async def test_a_template_changed_at_topo_after_the_yes_enrols_nobody(vendors: Connected) -> None:
    start, asked = await asked_for(vendors, "topo")
    template = (await vendors.sandbox.topo("GET", f"/sequence-templates/{start.blueprint_id[5:]}")).json()
    await approve(vendors, asked, go=False)
    changed = {**template, "updated_at": "2026-11-23T12:30:00Z", "step_count": 9}
    await vendors.sandbox.fault("body", vendor="topo", path="/sequence-templates/*", body=changed, status=200)
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=asked["plan_id"])
        plan = await app.plans.get_plan(asked["plan_id"])
    assert plan.status == "void"
    assert await enrolled(vendors, "topo") == []


@pytest.mark.parametrize("vendor", VENDORS)
async def test_another_address_of_the_api_needs_another_yes(vendors: Connected, vendor: Any) -> None:
    _, asked = await said_yes(vendors, vendor)
    path = {"kalent": "/kalent/api", "clarky": "/clarky/api/v1", "topo": "/topo/v1"}[vendor]
    vendors.elsewhere[vendor] = vendors.origin.replace("127.0.0.1", "localhost") + path
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=asked["plan_id"])
        plan = await app.plans.get_plan(asked["plan_id"])
    assert plan.status == "waiting" and "approved for other settings: delivery was" in (plan.reason or "")
    assert await enrolled(vendors, vendor) == []


TAMPERINGS = {
    "another person's address": (
        NO_HANDOVER_TRIGGER,
        "UPDATE sequence SET handover = replace(handover, 'zoe@', 'eve@')",
    ),
    "a note slipped in": (
        NO_HANDOVER_TRIGGER,
        """UPDATE sequence SET handover = json_set(handover, '$.note', 'Offer them everything')""",
    ),
    "Clarky's review left out": (
        NO_HANDOVER_TRIGGER,
        """UPDATE sequence SET handover = json_set(handover, '$."starts at once"', 'yes')""",
    ),
    "another person": (
        "INSERT INTO contact (id, email, email_key, email_host, notes, search, created_at, updated_at) "
        "VALUES ('local:ct_X', 'eve@x.example', 'eve@x.example', 'x.example', '', '', 0, 0)",
        "UPDATE sequence SET contact_no = (SELECT no FROM contact WHERE id = 'local:ct_X') WHERE ordinal = 0",
    ),
    "another digest": ("UPDATE plan SET digest = '" + "0" * 64 + "'",),
    "a plan nobody approved": ("DROP TRIGGER approval_is_never_deleted", "DELETE FROM approval"),
    "a later end": ("UPDATE plan SET expires_at = expires_at + 3600000000",),
}


@pytest.mark.parametrize("name", TAMPERINGS)
@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_a_row_edited_in_the_database_enrols_nobody(vendors: Connected, vendor: str, name: str) -> None:
    _, asked = await said_yes(vendors, vendor)
    tampered(vendors, *TAMPERINGS[name])
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=asked["plan_id"])
        plan = await app.plans.get_plan(asked["plan_id"])
    assert plan.status == "void", plan
    assert await enrolled(vendors, vendor) == []


@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_a_process_that_died_had_taken_is_unknown_and_never_taken_again(
    vendors: Connected, vendor: str
) -> None:
    start, asked = await said_yes(vendors, vendor)
    async with vendors.client() as desktop:
        async with vendors.app() as app:
            people = await app.vendor_runs.next_people(asked["plan_id"], size=100)
            taken = await app.vendor_runs.take(
                asked["plan_id"], [one.id for one in people], before=PreflightSnapshot()
            )
            assert taken is not None
            assert await enrol_at_vendor(app, plan_id=asked["plan_id"]) is None
        vendors.clock.now += timedelta(minutes=5)
        told = await start.told(desktop)
        async with vendors.app() as app:
            assert await enrol_waiting(app) == {}
    assert (told["outcome"], told["handed_over"]["unknown"]) == ("unknown", 2)
    assert await enrolled(vendors, vendor) == []


async def test_the_audit_tells_each_step_of_a_handing_over(vendors: Connected) -> None:
    await said_yes(vendors, "topo", go=True)
    told = [action for (action,) in rows(vendors, "SELECT action FROM audit ORDER BY no")]
    after_yes = told[told.index("plan.approved") :]
    assert after_yes == [
        "plan.approved",
        "operation.begun",
        *["sequence.taken"] * 2,
        *["sequence.done"] * 2,
        "operation.done",
    ]


async def test_nothing_of_a_run_at_a_vendor_is_ever_due_here(vendors: Connected) -> None:
    await said_yes(vendors, "kalent", go=True)
    async with vendors.client() as desktop:
        tasks = await desktop.call("list_tasks")
        reviews = await desktop.call("list_reviews")
        error = await desktop.refused(
            "edit_draft", draft_id=draft_of(vendors), content="Hi Ines, something else altogether."
        )
    assert rows(vendors, "SELECT DISTINCT next_run_at, lane FROM sequence") == [(None, "free")]
    assert tasks["total_count"] == reviews["drafts"]["total_count"] == reviews["plans"]["total_count"] == 0
    assert error["code"] == "conflict"


def draft_of(vendors: Connected) -> str:
    [(key,), *_] = rows(vendors, "SELECT key FROM step_run")
    return f"local:draft_{key}"


async def test_a_text_of_a_vendors_plan_cannot_be_changed_for_one_person(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        start = await start_at("kalent", desktop)
        await start.ask(desktop)
        edited = await desktop.refused("edit_draft", draft_id=draft_of(vendors), content="Hi Ines, new words.")
        [(own,), *_] = rows(vendors, "SELECT id FROM sequence")
        varied = await desktop.refused("update_sequence", sequence_id=own, variables={"firstname": "I."})
    assert edited["code"] == varied["code"] == "conflict"
    assert "one text for everybody" in edited["message"]


async def test_an_unfinished_list_at_topo_is_used_again(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        start = Start(await active_template(desktop), [ZOE, ALI])
        asked = await start.ask(desktop)
        await vendors.sandbox.fault(
            "status", vendor="topo", path="/contact-lists", method="POST", status=504, act=True
        )
        await approve(vendors, asked)
        told = await start.told(desktop)
    assert told["handed_over"]["done"] == 2
    made = [one for one in await vendors.writes() if one["path"] == "/contact-lists"]
    assert len(made) == 1 and len(await enrolled(vendors, "topo")) == 1
