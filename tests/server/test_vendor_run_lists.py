"""Lists of runs at vendors are fresh, name people, and say what the vendor tells and what it does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.world.kept_starts import asked_for, said_yes
from tests.world.product import Desktop, tomorrow
from tests.world.vendors import ZOE, Connected, Server, active_template, approve, rows

from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.vendors.clarky.wire import clarky_status
from sequences_sandbox.world import VendorName

INES = {"email": "ines@loom.example.com", "first_name": "Ines"}


async def under_way(vendors: Connected, vendor: VendorName) -> dict[str, Any]:
    """Start two people at a vendor and return the plan."""
    _, plan = await said_yes(vendors, vendor, go=True)
    return plan


def later(vendors: Connected, **by: float) -> None:
    """Let time pass, here and at the vendors."""
    vendors.clock.now += timedelta(**by)
    vendors.sandbox.clock.now = vendors.clock.now


async def listed(desktop: Desktop, vendor: VendorName, **filters: Any) -> dict[str, Any]:
    return await desktop.call("list_sequences", provider=vendor, **filters)


async def test_a_run_that_waits_in_clarkys_queue_is_read_again_and_leaves_it(vendors: Connected) -> None:
    await under_way(vendors, "clarky")
    async with vendors.client() as desktop:
        later(vendors, hours=1)
        waiting = await listed(desktop, "clarky", status="FOUND")
        own = [one["id"] for one in waiting["items"]]
        for run, what in zip(own, ("approved", "rejected"), strict=True):
            (await vendors.sandbox.happen("clarky", what, run.partition(":")[2])).raise_for_status()
        found = await listed(desktop, "clarky", status="FOUND")
        after = await listed(desktop, "clarky")
    assert waiting["counts"] == {"FOUND": 2}
    assert {one["provider_status"] for one in waiting["items"]} == {"pending_approval"}
    assert "review queue" in waiting["items"][0]["why"]
    assert found["items"] == []
    assert after["counts"] == {"ACTIVE": 1, "REFUSED": 1}


@pytest.mark.parametrize("vendor", ["clarky", "kalent"])
async def test_filters_apply_to_what_the_vendor_tells_now(vendors: Connected, vendor: VendorName) -> None:
    await under_way(vendors, vendor)
    async with vendors.client() as desktop:
        later(vendors, hours=1)
        own = [one["id"] for one in (await listed(desktop, vendor))["items"]]
        for run in own[:1]:
            if vendor == "clarky":
                (await vendors.sandbox.happen(vendor, "approved", run.partition(":")[2])).raise_for_status()
            (await vendors.sandbox.happen(vendor, "replied", run.partition(":")[2])).raise_for_status()
        over = await listed(desktop, vendor, status="SUCCEEDED")
        by_word = await listed(
            desktop, vendor, provider_status="talent_replied" if vendor == "kalent" else "replied"
        )
    assert [one["id"] for one in over["items"]] == own[:1] == [one["id"] for one in by_word["items"]]
    assert "replied" in over["items"][0]["why"]


async def test_more_live_runs_than_one_call_reads_are_read_in_turn(vendors: Connected) -> None:
    people = [{**ZOE, "email": f"p{number:02}@new.example"} for number in range(26)]
    _, plan = await asked_for(vendors, "clarky", contacts=people)
    async with vendors.client() as desktop:
        await approve(vendors, plan)
        later(vendors, hours=1)
        await listed(desktop, "clarky")
        later(vendors, minutes=1)
        await listed(desktop, "clarky")
    unread = rows(
        vendors, "SELECT count(*) FROM sequence WHERE no NOT IN (SELECT sequence_no FROM vendor_reading)"
    )
    assert unread == [(0,)]


async def _turns(number: int = 300) -> None:
    """Let everything of this loop that can go on do so."""
    for _ in range(number):
        await asyncio.sleep(0)


class FakeCrowd:
    """Stands before the sandbox and keeps reads of runs open until the caller has sent all it sends at once."""

    def __init__(self, app: ASGIApp, *, caller: asyncio.AbstractEventLoop, awaited: int) -> None:
        self.app, self.caller, self.awaited = app, caller, awaited
        self.under_way = self.most = self.reads = 0
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the sandbox does; a read of a run once ``awaited`` of them are under way."""
        if scope["type"] != "http" or "/enrollments/" not in scope["path"]:
            return await self.app(scope, receive, send)
        self.reads += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == self.awaited and not self.go_on.is_set():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_turns(), self.caller))
            await _turns()
            self.go_on.set()
        await self.go_on.wait()
        self.under_way -= 1
        return await self.app(scope, receive, send)


async def test_a_vendor_is_asked_five_things_at_once_and_never_more(vendors: Connected, served: Server) -> None:
    people = [{**ZOE, "email": f"p{number:02}@new.example"} for number in range(15)]
    _, plan = await asked_for(vendors, "clarky", contacts=people)
    async with vendors.client() as desktop:
        await approve(vendors, plan)
        later(vendors, hours=1)
        assert served.app is not None
        served.app = crowd = FakeCrowd(served.app, caller=asyncio.get_running_loop(), awaited=5)
        found = await listed(desktop, "clarky")
    assert "note" not in found
    assert crowd.reads >= len(people)
    assert crowd.most == 5


async def test_what_could_not_be_read_now_is_shown_as_it_was_and_said(vendors: Connected) -> None:
    await under_way(vendors, "clarky")
    async with vendors.client() as desktop:
        later(vendors, hours=1)
        await listed(desktop, "clarky")
        await vendors.sandbox.fault("status", status=503, path="*/enrollments/*", times=50)
        found = await listed(desktop, "clarky")
    assert found["note"].startswith("2 of these could not be read at Clarky now")
    assert {one["provider_status"] for one in found["items"]} == {"pending_approval"}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("completed", SequenceStatus.COMPLETED),
        ("COMPLETED", SequenceStatus.COMPLETED),
        ("replied", SequenceStatus.SUCCEEDED),
        ("In Review", SequenceStatus.FOUND),
        ("cancelled", SequenceStatus.STOPPED_EARLY),
        ("paused", SequenceStatus.WAITING_FOR_LEAD),
        ("error", SequenceStatus.WAITING_FOR_USER),
        ("a word of tomorrow", None),
    ],
)
def test_clarkys_plain_words_have_their_plain_meaning(word: str, status: SequenceStatus | None) -> None:
    assert clarky_status(word) is status


async def test_people_and_templates_at_topo_have_names_and_runs_have_their_dates(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        found = await listed(desktop, "topo")
        whole = await desktop.call("get_sequence", sequence_id=found["items"][0]["id"])
    assert all(" " in one["name"] and one["created_at"] and one["updated_at"] for one in found["items"])
    assert {"Three e-mails", "LinkedIn and a call"} <= {one["blueprint_name"] for one in found["items"]}
    assert whole["blueprint_name"] and whole["last_step_executed_at"]
    assert "steps" not in whole, "Topo tells no steps, which is not the same as none"


async def test_a_contact_that_was_deleted_at_topo_is_nobody(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = (await listed(desktop, "topo", status="ACTIVE"))["items"][0]["id"]
        (await vendors.sandbox.happen("topo", "contact_deleted", run.partition(":")[2])).raise_for_status()
        [row] = [one for one in (await listed(desktop, "topo"))["items"] if one["id"] == run]
        whole = await desktop.call("get_sequence", sequence_id=run)
        stopped = await desktop.call("stop_sequence", sequence_id=run, reason="LOSE")
    for told in (row, whole, stopped["stopped"][0]):
        assert not {"contact_id", "name", "email"} & set(told)


async def test_a_key_that_may_not_read_contacts_still_lists_runs(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", status=403, path="*/contacts/*", times=50)
        found = await listed(desktop, "topo")
    assert all(one["contact_id"].startswith("topo:") for one in found["items"])


async def test_until_when_a_run_at_topo_is_paused_is_told_where_it_was_paused_here(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = (await listed(desktop, "topo", status="ACTIVE"))["items"][0]["id"]
        paused = await desktop.call("pause_sequence", sequence_id=run, paused_until=tomorrow(30))
        [row] = [one for one in (await listed(desktop, "topo"))["items"] if one["id"] == run]
        whole = await desktop.call("get_sequence", sequence_id=run)
        others = await listed(desktop, "topo", status="WAITING_FOR_LEAD")
        await desktop.call("resume_sequence", sequence_id=run)
        resumed = await desktop.call("get_sequence", sequence_id=run)
        await desktop.call("stop_sequence", sequence_id=run, reason="WIN")
        stopped = await desktop.call("get_sequence", sequence_id=run)
    for told in (paused, row, whole):
        assert told["paused_until"] == tomorrow(30)
    assert "Paused until 2026-12-23 12:00" in whole["why"]
    [theirs] = [one for one in others["items"] if one["id"] != run]
    assert "paused_until" not in theirs and "does not tell until when" in theirs["why"]
    assert "paused_until" not in resumed
    assert stopped["stop_reason"] == "WIN"


async def test_a_reply_at_topo_is_told_with_its_time(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = (await listed(desktop, "topo", status="ACTIVE"))["items"][0]["id"]
        (await vendors.sandbox.happen("topo", "replied", run.partition(":")[2])).raise_for_status()
        whole = await desktop.call("get_sequence", sequence_id=run)
    assert whole["replied_at"]


async def test_progress_and_what_a_person_has_to_do_at_kalent_are_told(vendors: Connected) -> None:
    await under_way(vendors, "kalent")
    async with vendors.client() as desktop:
        later(vendors, hours=1)
        whole = await desktop.call("get_sequence", sequence_id="kalent:candidate_ines")
    assert whole["progress"] == '{"currentStep": 0, "totalSteps": 1}'
    assert whole["blueprint_name"]
    assert whole["why"] == "Its next step is scheduled; Kalent does not tell when."


async def test_clarkys_sequence_id_is_told(vendors: Connected) -> None:
    plan = await under_way(vendors, "clarky")
    async with vendors.client() as desktop:
        whole = await desktop.call("get_sequence", sequence_id=plan["sample"]["sequence_id"])
    assert whole["vendor_sequence_id"].startswith("clarky:")


async def test_a_company_stop_at_topo_names_all_it_stopped(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        found = (await listed(desktop, "topo", status="ACTIVE", contact="ines@loom.example.com"))["items"]
        stopped = await desktop.call("stop_sequence", sequence_id=found[0]["id"], reason="WIN", scope="COMPANY")
        after = await listed(desktop, "topo", status="STOPPED_EARLY")
    assert len(stopped["stopped"]) == 2
    assert {one["id"] for one in stopped["stopped"]} == {one["id"] for one in after["items"]}
    assert all(" " in one["name"] for one in stopped["stopped"])


async def test_a_company_stop_whose_list_cannot_be_read_stops_and_says_so(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        found = (await listed(desktop, "topo", status="ACTIVE", contact="ines@loom.example.com"))["items"]
        await vendors.sandbox.fault("status", status=503, path="*/sequences", method="GET", times=50)
        stopped = await desktop.call("stop_sequence", sequence_id=found[0]["id"], reason="WIN", scope="COMPANY")
    assert stopped["outcome"] == "done"
    assert len(stopped["stopped"]) == 1
    assert "could not be read" in stopped["next"]


async def test_a_contacts_runs_at_topo_are_found_by_address_and_id(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        by_address = await listed(desktop, "topo", contact="INES@loom.example.com")
        own = by_address["items"][0]["contact_id"]
        by_id = await listed(desktop, "topo", contact=own)
        by_name = await desktop.refused("list_sequences", provider="topo", contact="Ines")
        by_company = await desktop.refused("list_sequences", provider="topo", company="Loom")
        to_approve = await listed(desktop, "topo", waiting_for="approval")
    assert by_address["total_count"] == by_id["total_count"] == 1
    assert "whole e-mail address" in by_name["next"]
    assert by_company["code"] == "invalid_arguments"
    assert {one["status"] for one in to_approve["items"]} == {"FOUND"}


@pytest.mark.parametrize("given", ["facts", "id"])
async def test_somebody_in_a_live_run_at_topo_is_left_out_whoever_started_it(
    vendors: Connected, given: str
) -> None:
    async with vendors.client() as desktop:
        found = (await desktop.call("find_contacts", provider="topo", query=INES["email"]))["items"][0]["id"]
        blueprint = await active_template(desktop)
        person = INES if given == "facts" else found
        plan = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[person, ZOE])
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[person])
    assert plan["people"] == 1
    assert "in a sequence at Topo already (topo:" in str(plan["left_out"])
    assert "in a sequence at Topo already" in str(shown)


async def test_somebody_whose_run_at_topo_began_after_the_plan_is_not_handed_over(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        blueprint = await active_template(desktop)
        first = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[ZOE])
        made = await vendors.sandbox.topo(
            "POST",
            "/contact-lists",
            json={"items": [{"name": "Others", "default_sequence_template_id": blueprint[5:]}]},
        )
        home = made.json()["items"][0]["resource"]["id"]
        entry = {"contact_list_id": home, "email": ZOE["email"], "first_name": "Zoe"}
        (await vendors.sandbox.topo("POST", "/contact-entries", json={"items": [entry]})).raise_for_status()
        later(vendors, hours=1)
        before = len(await vendors.writes())
        await approve(vendors, first)
        entries = [one for one in (await vendors.writes())[before:] if one["path"].endswith("/contact-entries")]
    assert entries == []


async def test_runs_that_cannot_be_read_at_topo_are_a_warning_before_anybody_says_yes(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        blueprint = await active_template(desktop)
        await vendors.sandbox.fault("status", status=503, path="*/sequences", method="GET", times=50)
        plan = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[ZOE])
    assert plan["people"] == 1
    assert "vendor.runs_unread" in str(plan)
