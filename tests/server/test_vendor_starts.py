"""Starting people at Kalent, Clarky and Topo: planned, approved, handed over once, and followed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.secrecy.client import Client
from tests.world.kept_starts import said_yes
from tests.world.product import GRACE, Desktop, yes
from tests.world.vendors import (
    ALI,
    INES,
    OLUMIDE,
    PRIYA,
    TEXT,
    VENDORS,
    ZOE,
    Connected,
    Start,
    active_template,
    approve,
    enrolled,
    start_at,
)

from sequences_sandbox.seeds import CLARKY_TEMPLATES


@pytest.mark.parametrize("vendor", VENDORS)
async def test_nobody_is_enrolled_before_a_person_said_yes(vendors: Connected, vendor: str, era: str) -> None:
    async with vendors.client(era) as desktop:
        start = await start_at(vendor, desktop)
        before = len(await vendors.writes())
        asked = await start.ask(desktop)
        again = await start.ask(desktop)
    assert (asked["outcome"], asked["sent"], asked["people"]) == ("waiting_for_approval", "nothing", 2)
    assert again["plan_id"] == asked["plan_id"]
    assert len(await vendors.writes()) == before


@pytest.mark.parametrize("vendor", VENDORS)
async def test_after_the_yes_everybody_is_enrolled_once_and_can_be_followed(
    vendors: Connected, vendor: str
) -> None:
    start, asked = await said_yes(vendors, vendor, go=True)
    async with vendors.client() as desktop:
        told = await start.told(desktop)
        told_again = await start.told(desktop)
        run = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
    assert (told["outcome"], told["approval"]) == ("done", "given")
    assert told["handed_over"] == {"done": 2, "unknown": 0, "not_done": 0, "waiting": 0}
    assert told["sent"].startswith("2 handed over to")
    assert told_again == told
    assert run["plan_id"] == asked["plan_id"]
    assert len(await enrolled(vendors, vendor)) == (2 if vendor == "clarky" else 1)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_yes_in_the_dialog_says_what_the_vendor_is_given_and_enrols(
    vendors: Connected, vendor: str, era: str
) -> None:
    questions: list[str] = []

    async def answer(context: object, params: Any) -> ElicitResult:
        questions.append(params.message)
        return yes("")

    async with Client(vendors.server, mode=era, elicitation_callback=answer) as client:
        desktop = Desktop(client)
        start = await start_at(vendor, desktop)
        done = await start.ask(desktop)
    title = vendor.capitalize()
    assert f" at {title} for 2 people?" in questions[0]
    assert f"{title} sends, with its own senders, times and limits" in questions[0]
    assert f"{title} is given " in questions[0]
    assert "about when" not in questions[0]
    assert ("when the vendor sends it" in questions[0]) == (vendor == "kalent")
    assert (done["outcome"], done["handed_over"]["done"]) == ("done", 2)
    assert await enrolled(vendors, vendor)


@pytest.mark.parametrize("vendor", ["kalent", "clarky"])
async def test_runs_started_here_are_listed_where_the_vendor_lists_none(vendors: Connected, vendor: str) -> None:
    start, _ = await said_yes(vendors, vendor, go=True)
    async with vendors.client() as desktop:
        listed = await desktop.call("list_sequences", provider=vendor)
        of_blueprint = await desktop.call("list_sequences", blueprint_id=start.blueprint_id)
        here = await desktop.call("list_sequences")
        followed = [await desktop.call("get_sequence", sequence_id=one["id"]) for one in listed["items"]]
    assert listed["total_count"] == of_blueprint["total_count"] == 2
    assert all(one["id"].startswith(f"{vendor}:") and one["provider_status"] for one in listed["items"])
    assert here["total_count"] == 0
    assert [one["id"] for one in followed] == [one["id"] for one in listed["items"]]
    assert all(one["started_as"].startswith("local:seq_") for one in followed)


async def test_a_run_at_topo_is_found_by_its_list_once_topo_has_made_it(vendors: Connected) -> None:
    _, asked = await said_yes(vendors, "topo", contacts=[ZOE], go=True)
    async with vendors.client() as desktop:
        own = asked["sample"]["sequence_id"]
        early = await desktop.call("get_sequence", sequence_id=own)
        vendors.sandbox.clock.now = vendors.clock.now + timedelta(minutes=10)
        late = await desktop.call("get_sequence", sequence_id=own)
        stopped = await desktop.call("stop_sequence", sequence_id=own, reason="WIN")
        after = await desktop.call("get_sequence", sequence_id=own)
    assert early["why"] == "Topo shows no run yet."
    assert late["id"].startswith("topo:") and late["started_as"] == own
    assert stopped["stopped"][0]["status"] == after["status"] == "STOPPED_EARLY"


async def test_a_run_at_clarky_shows_the_texts_that_were_written(vendors: Connected) -> None:
    _, asked = await said_yes(vendors, "clarky", contacts=[{**ZOE, "note": "Likes tea."}], go=True)
    async with vendors.client() as desktop:
        vendors.sandbox.clock.forward(minutes=5)
        run = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
    assert asked["sample"]["handover"]["note"] == "Likes tea."
    assert (run["status"], run["provider_status"]) == ("FOUND", "pending_approval")
    assert run["provider_steps"] and all(step["content"] for step in run["provider_steps"])


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_preview_asks_nothing_of_anybody_and_keeps_nobody(vendors: Connected, vendor: str) -> None:
    async with vendors.client() as desktop:
        start = await start_at(vendor, desktop)
        before = len(await vendors.writes())
        shown = await desktop.call("preview_sequence", blueprint_id=start.blueprint_id, contacts=start.contacts)
        kept = await desktop.call("find_contacts")
    assert shown["people_count"] == 2 and shown["left_out_count"] == 0
    assert shown["delivery"].startswith(f"{vendor.capitalize()} sends")
    assert kept["total_count"] == 0
    assert len(await vendors.writes()) == before


async def test_the_texts_of_a_blueprint_written_here_are_filled_in_as_far_as_they_are_known(
    vendors: Connected,
) -> None:
    text = {**TEXT, "content": "Hi {{firstname}}, {{recruiterFirstname}} hires a {{sourcingJobTitle}}."}
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="R", steps=[text], provider="kalent:sourcing_1")
        asked = await Start(made["blueprint_id"], [INES]).ask(desktop)
    [step] = asked["sample"]["steps"]
    assert step["content"] == "Hi Ines, {{recruiterFirstname}} hires a {{sourcingJobTitle}}."
    assert "draft_id" not in step
    assert [one["rule"] for one in asked["findings"]] == ["vendor.filled_there"]


async def test_whom_a_vendor_cannot_reach_or_has_already_is_left_out_with_the_reason(vendors: Connected) -> None:
    _, asked = await said_yes(vendors, "kalent", contacts=[INES, OLUMIDE, "kalent:candidate_yuki"], go=True)
    async with vendors.client() as desktop:
        second = await start_at("kalent", desktop, contacts=[INES, PRIYA])
        again = await second.ask(desktop)
    reasons = {one["name"]: one["reasons"] for one in asked["left_out"]}
    assert set(reasons) == {"Yuki Tanabe"}  # whose address is not known here is warned of, not left out
    assert reasons["Yuki Tanabe"] == ["a candidate of kalent:sourcing_2, not of kalent:sourcing_1"]
    [left] = again["left_out"]
    assert left["name"] == "Ines Ferrand"
    assert any("already in" in one for one in left["reasons"])


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("by", ["address", "domain"])
async def test_whom_nobody_may_contact_is_in_no_start_of_any_vendor(
    vendors: Connected, vendor: str, by: str
) -> None:
    who = {"kalent": "ines@loom.example.com"}.get(vendor, ZOE["email"])
    async with vendors.client() as desktop:
        await desktop.call(
            "suppress_contact", contact=who if by == "address" else who.partition("@")[2], reason="no"
        )
        start = await start_at(vendor, desktop)
        if by == "domain" and vendor != "kalent":
            error = await desktop.refused(
                "start_sequence", blueprint_id=start.blueprint_id, contacts=start.contacts
            )
            assert len(error["left_out"]) == 2
            return
        asked = await start.ask(desktop)
    assert asked["people"] == 1
    assert asked["left_out"][0]["reasons"] == ["suppressed: no"]


async def test_somebody_whose_run_at_a_vendor_is_over_by_now_may_be_started_again(vendors: Connected) -> None:
    await said_yes(vendors, "kalent", contacts=[INES], step=TEXT, go=True)
    async with vendors.client() as desktop:
        second = await start_at("kalent", desktop, contacts=[INES])
        again = await second.ask(desktop)
    assert (again["people"], again["left_out_count"]) == (1, 0)


async def test_one_person_is_never_in_two_sequences_here_and_there(vendors: Connected) -> None:
    await said_yes(vendors, "clarky", contacts=[{**GRACE}], go=True)
    async with vendors.client() as desktop:
        here = await desktop.blueprint()
        error = await desktop.refused("start_sequence", blueprint_id=here, contacts=[GRACE])
        there = await start_at("topo", desktop, contacts=[GRACE])
        other = await desktop.refused("start_sequence", blueprint_id=there.blueprint_id, contacts=there.contacts)
    for refused in (error, other):
        assert refused["code"] == "refused_by_guards"
        assert refused["left_out"][0]["reasons"][0].startswith("already in local:seq_")


@pytest.mark.parametrize(
    ("vendor", "contacts", "code", "words"),
    [
        pytest.param(
            "kalent", [ZOE], "invalid_arguments", "contact 1: Kalent starts its own", id="facts-at-kalent"
        ),
        pytest.param("kalent", [INES, "kalent:nobody"], "not_found", "contact 2", id="unknown-candidate"),
        pytest.param("kalent", ["topo:1234"], "wrong_id", "contact 1", id="another-vendors-id"),
        pytest.param("topo", [ZOE, {**ZOE}], "invalid_arguments", "same person", id="named-twice"),
        pytest.param(
            "topo", [{**ZOE, "variables": {"firstname": "Z"}}], "invalid_arguments", "variables", id="own"
        ),
        pytest.param("clarky", [{"email": "no"}], "invalid_arguments", "mail", id="no-address"),
    ],
)
async def test_bad_people_are_refused_by_their_position(
    vendors: Connected, vendor: str, contacts: list[Any], code: str, words: str
) -> None:
    async with vendors.client() as desktop:
        start = await start_at(vendor, desktop, contacts=contacts)
        error = await desktop.refused("start_sequence", blueprint_id=start.blueprint_id, contacts=contacts)
    assert error["code"] == code
    assert words in error["message"]


@pytest.mark.parametrize("name", ["Not ready", "Running out", "Put away", "Last year's"])
async def test_a_template_that_takes_nobody_is_said_before_anything_is_planned(
    vendors: Connected, name: str
) -> None:
    async with vendors.client() as desktop:
        page = await desktop.call("list_blueprints", provider="topo")
        closed = next(one["id"] for one in page["items"] if one["name"] == name)
        error = await desktop.refused("start_sequence", blueprint_id=closed, contacts=[ZOE])
    assert error["code"] == "conflict" and "takes nobody now" in error["message"]


async def test_a_blueprint_nobody_here_has_seen_is_started_after_a_warning(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        made = await vendors.sandbox.kalent(
            "POST", "/sourcings/sourcing_1/sequence-blueprints", json={"name": "Theirs", "steps": [TEXT]}
        )
        own = f"kalent:{made.json()['data']['blueprintId']}"
        start = Start(own, [INES])
        asked = await start.ask(desktop)
        await approve(vendors, asked)
        told = await start.told(desktop)
    assert [one["rule"] for one in asked["findings"]] == ["vendor.unseen_texts"]
    assert "steps" not in asked["sample"]
    assert told["handed_over"]["done"] == 1


async def test_clarkys_own_review_is_left_out_only_where_the_operator_allowed_it(vendors: Connected) -> None:
    template = f"clarky:{CLARKY_TEMPLATES[0]}"
    start = Start(template, [ZOE], {"auto_approve": True})
    async with vendors.client() as desktop:
        error = await desktop.refused("start_sequence", blueprint_id=template, contacts=[ZOE], auto_approve=True)
        assert await enrolled(vendors, "clarky") == []
    vendors.more["SEQUENCES_AUTO_APPROVE"] = template
    async with vendors.client() as desktop:
        done = await start.ask(desktop)
    assert error["code"] == "approval_refused"
    assert (done["outcome"], done["approval"], done["handed_over"]["done"]) == ("done", "by_operator", 1)
    assert [one["rule"] for one in done["findings"]] == ["vendor.unreviewed", "vendor.no_agent"]
    [sent] = await enrolled(vendors, "clarky")
    assert sent["body"]["auto_approve"] is True


async def test_what_the_operator_listed_is_started_without_a_person(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        start = await start_at("kalent", desktop)
        template = await active_template(desktop)
    vendors.more["SEQUENCES_AUTO_APPROVE"] = f"{start.blueprint_id},{template}"
    start.more["auto_approve"] = True
    async with vendors.client() as desktop:
        done = await start.ask(desktop)
        there = await Start(template, [ZOE], {"auto_approve": True}).ask(desktop)
    assert (done["outcome"], done["approval"], done["handed_over"]["done"]) == ("done", "by_operator", 2)
    assert there["approval"] == "by_operator"
    assert [one["rule"] for one in there["findings"]] == ["vendor.unseen_texts"]


async def test_without_that_clarky_is_always_told_to_wait_for_its_review(vendors: Connected) -> None:
    await said_yes(vendors, "clarky", go=True)
    bodies = [one["body"] for one in await enrolled(vendors, "clarky")]
    assert [body["auto_approve"] for body in bodies] == [False, False]
    assert len({body["idempotency_key"] for body in bodies}) == 2


async def test_a_template_that_names_no_agent_sends_as_the_one_the_operator_set(vendors: Connected) -> None:
    start = Start("clarky:tpl_01SANDBOXREPLY", [ZOE])
    async with vendors.client() as desktop:
        await approve(vendors, await start.ask(desktop))
        told = await start.told(desktop)
    assert told["outcome"] == "not_done"
    assert "CLARKY_BOT_ID" in told["handed_over"]["errors"][0]["next"]
    vendors.more["CLARKY_BOT_ID"] = "b_01SANDBOXBEN"
    async with vendors.client() as desktop:
        start = Start("clarky:tpl_01SANDBOXREPLY", [ALI])
        await approve(vendors, await start.ask(desktop))
        assert (await start.told(desktop))["handed_over"]["done"] == 1


@pytest.mark.parametrize("tool", ["start_sequence", "preview_sequence"])
@pytest.mark.parametrize("vendor", ["kalent", "clarky", "topo"])
async def test_every_fault_of_the_rows_of_a_start_at_a_vendor_comes_in_one_answer(
    vendors: Connected, vendor: str, tool: str
) -> None:
    rows: list[Any] = [
        {**ZOE, "shoe": "42"},
        {"email": "no"},
        {"email": "ada@hopper.example", "phone": "12"},
        "local:ct_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        f"{vendor}:nobody",
        {"email": "bo@hopper.example", "linkedin_url": "https://example.com/bo", "first_name": "[first name]"},
        {"email": "cy@hopper.example", "texts": {"own": "Hi"}},
    ]
    async with vendors.client() as desktop:
        start = await start_at(vendor, desktop, contacts=rows)
        told = await desktop.refused(tool, blueprint_id=start.blueprint_id, contacts=rows)
        people = (await desktop.call("find_contacts"))["total_count"]
    found = {(row["position"], row.get("field")) for row in told["problems"]}
    assert found - {(5, None)} == {
        (1, "shoe"),
        (2, "email"),
        (3, "phone"),
        (4, "id"),
        (6, "linkedin_url"),
        (6, "first_name"),
        (7, "texts"),
    }
    assert (5, None) in found
    assert people == 0
