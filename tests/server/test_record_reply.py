"""Somebody answered: what runs for them ends, pauses or is barred for good, here and at the vendors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.server.test_vendor_runs_suppressed import running, stops
from tests.world.data_folder import NOON
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, Desktop, World
from tests.world.vendors import Connected

from sequences_mcp.domain.actors import Actor
from sequences_mcp.services.reviews import approve_plan

BACK = (NOON + timedelta(days=9)).isoformat()


async def started(world: World, desktop: Desktop, *contacts: dict[str, Any]) -> list[dict[str, Any]]:
    """Start people and say yes; return their runs."""
    asked = await desktop.call(
        "start_sequence", blueprint_id=await desktop.blueprint(MAIL, LINKEDIN), contacts=list(contacts or [GRACE])
    )
    async with world.app() as app:
        await approve_plan(app, plan_id=asked["plan_id"], digest=asked["digest"], actor=Actor("ada"))
    return list((await desktop.call("list_sequences"))["items"])


@pytest.mark.parametrize("by", ["id", "contact_id"])
async def test_a_reply_ends_their_run_as_succeeded_and_nobody_elses(world: World, by: str) -> None:
    async with world.client("auto") as desktop:
        grace, linus = await started(world, desktop, GRACE, LINUS)
        said = await desktop.call("record_reply", who=grace[by], answer="replied")
        assert said["runs"] == {grace["id"]: "SUCCEEDED"}
        assert said["sent"] == "nothing"
        seen = await desktop.call("get_sequence", sequence_id=grace["id"])
        assert (seen["status"], seen["why"]) == ("SUCCEEDED", "over: the contact replied")
        assert (await desktop.call("get_sequence", sequence_id=linus["id"]))["status"] == "ACTIVE"
        again = await desktop.call("record_reply", who=grace[by], answer="replied")
        assert again["runs"] == {}
        assert again["next"].startswith("Nothing ran for them.")
        anew = {"blueprint_id": await desktop.blueprint(MAIL), "contacts": [GRACE, LINUS]}
        preview = await desktop.call("preview_sequence", **anew)
        assert [one["rule"] for one in preview["people"][0]["warnings"]] == ["person.answered_before"]
        planned = await desktop.call("start_sequence", **anew)  # of Linus, who is left out, nothing is warned
        edited = {"draft_id": planned["sample"]["steps"][0]["draft_id"], "content": "Hi Grace, thanks for it."}
        await desktop.call("edit_draft", **edited)
        [plan] = (await desktop.call("list_reviews"))["plans"]["items"]
        assert (planned["warnings"], plan["warnings"]) == (1, 1)


async def test_an_opt_out_from_an_unknown_address_names_the_tool_that_bars_any_address(world: World) -> None:
    async with world.client("auto") as desktop:
        nobody = await desktop.refused("record_reply", who="nobody@nowhere.example", answer="opt_out")
        assert (nobody["code"], "suppress_contact" in nobody["next"]) == ("not_found", True)
        done = await desktop.call("suppress_contact", contact="nobody@nowhere.example", reason="they asked")
        assert done["outcome"] == "done"


async def test_no_interest_stops_it_as_lost(world: World) -> None:
    async with world.client("auto") as desktop:
        [run] = await started(world, desktop)
        said = await desktop.call("record_reply", who=run["id"], answer="not_interested")
        assert said["runs"] == {run["id"]: "STOPPED_EARLY"}
        seen = await desktop.call("get_sequence", sequence_id=run["id"])
        assert (seen["status"], seen["stop_reason"]) == ("STOPPED_EARLY", "LOSE")


async def test_an_opt_out_stops_it_and_bars_the_person_by_id_and_by_address(world: World) -> None:
    async with world.client("auto") as desktop:
        [run] = await started(world, desktop)
        said = await desktop.call("record_reply", who=run["id"], answer="opt_out")
        assert said["runs"] == {run["id"]: "STOPPED_EARLY"}
        found = (await desktop.call("find_contacts", query="Grace"))["items"]
        assert found[0]["never_contact"] == "they asked not to be contacted"
        refused = await desktop.refused("suppress_contact", contact="nobody@", reason="x")
        assert refused["code"] == "invalid_arguments"
        there = await desktop.call("suppress_contact", contact=GRACE["email"], reason="again")
        assert there["already"] is True


async def test_out_of_office_pauses_until_then_and_never_shortens_a_pause(world: World) -> None:
    async with world.client("auto") as desktop:
        [run] = await started(world, desktop)
        said = await desktop.call("record_reply", who=run["id"], answer="out_of_office", until=BACK)
        assert said["runs"][run["id"]].startswith("paused until 2026-12-02T12:00")
        sooner = (NOON + timedelta(days=2)).isoformat()
        kept = await desktop.call("record_reply", who=run["id"], answer="out_of_office", until=sooner)
        assert kept["runs"] == said["runs"]
        seen = await desktop.call("get_sequence", sequence_id=run["id"])
        assert (seen["status"], seen["paused_until"]) == ("WAITING_FOR_LEAD", "2026-12-02T12:00:00+00:00")


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "2096-01-01T00:00:00Z"])
async def test_a_pause_that_would_never_end_is_refused_and_the_run_goes_on(world: World, until: str) -> None:
    async with world.client("auto") as desktop:
        [run] = await started(world, desktop)
        said = await desktop.refused("record_reply", who=run["id"], answer="out_of_office", until=until)
        paused = await desktop.refused("pause_sequence", sequence_id=run["id"], paused_until=until)
        assert {said["code"], paused["code"]} == {"invalid_arguments"}
        assert "years ahead" in said["message"] and "stop_sequence" in paused["next"]
        assert (await desktop.call("get_sequence", sequence_id=run["id"]))["status"] == "ACTIVE"


@pytest.mark.parametrize("who", ["GRACE@hopper.example", "\u200bgrace@hopper.example "])
async def test_an_answer_is_recorded_by_the_address_it_came_from(world: World, who: str) -> None:
    async with world.client("auto") as desktop:
        grace, _ = await started(world, desktop, GRACE, LINUS)
        said = await desktop.call("record_reply", who=who, answer="replied")
        assert said["runs"] == {grace["id"]: "SUCCEEDED"}
        nobody = await desktop.refused("record_reply", who="nobody@hopper.example", answer="replied")
        assert nobody["code"] == "not_found"


async def test_a_start_that_waits_for_a_yes_loses_whoever_answered(world: World) -> None:
    async with world.client("auto") as desktop:
        asked = await desktop.call(
            "start_sequence", blueprint_id=await desktop.blueprint(MAIL), contacts=[GRACE, LINUS]
        )
        grace = asked["sample"]["contact_id"]
        said = await desktop.call("record_reply", who=grace, answer="replied")
        assert list(said["runs"].values()) == ["STOPPED_EARLY"]
        away = await desktop.call("record_reply", who=grace, answer="out_of_office", until=BACK)
        assert away["runs"] == {}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no time": ({"answer": "out_of_office"}, "until needs such a time"),
    "a past time": ({"answer": "out_of_office", "until": "2020-01-01T00:00:00Z"}, "until needs such a time"),
    "a time with a reply": ({"answer": "replied", "until": BACK}, "until goes with out_of_office"),
    "an unknown answer": ({"answer": "maybe"}, "answer"),
    "nobody": ({"answer": "replied", "who": "local:ct_01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "There is no contact"),
    "no run": ({"answer": "replied", "who": "local:seq_01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "There is no sequence"),
    "another kind of id": (
        {"answer": "replied", "who": "local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        "is not a contact id",
    ),
    "a name": ({"answer": "replied", "who": "Grace"}, "no id of a sequence or contact"),
    "a vendor's unknown id": ({"answer": "replied", "who": "topo:nobody"}, "No run or person"),
}


@pytest.mark.parametrize(("given", "words"), BAD.values(), ids=BAD.keys())
async def test_what_cannot_be_recorded_is_told_and_changes_nothing(
    world: World, given: dict[str, Any], words: str
) -> None:
    async with world.client("auto") as desktop:
        [run] = await started(world, desktop)
        refused = await desktop.refused("record_reply", **{"who": run["id"], **given})
        assert words in refused["message"]
        assert (await desktop.call("get_sequence", sequence_id=run["id"]))["status"] == "ACTIVE"


async def test_the_audit_says_what_was_answered_and_a_repeated_call_is_one(world: World) -> None:
    async with world.client("auto") as desktop:
        [run] = await started(world, desktop)
        for _ in range(2):
            said = await desktop.call("record_reply", who=run["id"], answer="replied", idempotency_key="k1")
            assert said["runs"] == {run["id"]: "SUCCEEDED"}
    async with world.app() as app:
        told = (await app.records.list_audit(page=1, size=50)).items
    answered = [one for one in told if one.action == "contact.answered"]
    assert [(one.subject, one.detail) for one in answered] == [(run["contact_id"], {"answer": "replied"})]
    assert "sequence.replied" in [one.action for one in told]


async def test_a_run_at_topo_is_stopped_there_as_won(vendors: Connected) -> None:
    sample = await running(vendors, "topo")
    async with vendors.client() as desktop:
        said = await desktop.call("record_reply", who=sample["contact_id"], answer="replied")
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
    assert said["runs"] == {run["id"]: "stopped"}
    assert (run["status"], len(await stops(vendors))) == ("STOPPED_EARLY", 1)


async def test_a_run_at_topo_is_named_by_its_own_id_there_and_paused(vendors: Connected) -> None:
    sample = await running(vendors, "topo")
    async with vendors.client() as desktop:
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
        until = (vendors.clock.now + timedelta(days=9)).isoformat()
        said = await desktop.call("record_reply", who=run["id"], answer="out_of_office", until=until)
        after = await desktop.call("get_sequence", sequence_id=run["id"])
    assert said["runs"][run["id"]].startswith("paused until ")
    assert after["status"] == "WAITING_FOR_LEAD"


@pytest.mark.parametrize("answer", ["replied", "not_interested", "opt_out", "out_of_office"])
@pytest.mark.parametrize("vendor", ["kalent", "clarky"])
async def test_a_run_that_no_api_can_hold_is_named_with_where_to_hold_it(
    vendors: Connected, vendor: str, answer: str
) -> None:
    sample = await running(vendors, vendor, late=False)
    async with vendors.client() as desktop:
        until = (vendors.clock.now + timedelta(days=9)).isoformat()
        more = {"until": until} if answer == "out_of_office" else {}
        said = await desktop.call("record_reply", who=sample["sequence_id"], answer=answer, **more)
    title = vendor.capitalize()
    told = [one for one in said["runs"].values() if one.startswith(f"not_done: it goes on. {title}'s API cannot")]
    assert len(told) == 1 and told[0].endswith(f"in {title}'s own app, now.")
    assert said["next"].startswith("Not everything stands still")


async def test_who_is_away_is_paused_in_a_start_that_waits_for_a_yes(world: World) -> None:
    async with world.client("auto") as desktop:
        asked = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(MAIL), contacts=[GRACE])
        said = await desktop.call(
            "record_reply", who=asked["sample"]["contact_id"], answer="out_of_office", until=BACK
        )
        run = asked["sample"]["sequence_id"]
        assert said["runs"][run].startswith("paused until 2026-12-02T12:00")
        seen = await desktop.call("get_sequence", sequence_id=run)
        assert (seen["status"], seen["paused_until"]) == ("FOUND", "2026-12-02T12:00:00+00:00")
