"""One person at a vendor is one, by whichever id, address or profile; who is suppressed is so by all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.world.kept_starts import asked_for, said_yes
from tests.world.product import Desktop
from tests.world.vendors import (
    ENDS,
    INES,
    OLUMIDE,
    SLOW,
    Connected,
    Start,
    active_template,
    also_said_yes,
    approve,
    enrolled,
    start_at,
    statuses,
)

from sequences_mcp.services.enrolment import enrol_at_vendor

PROFILE = "https://www.linkedin.com/in/ines-example"
ADDRESS = "ines@loom.example.com"
TWO = {"first_name": "Zoe", "company": "New", "emails": ["zoe@new.example", "z.ray@home.example"]}
HOME = {"first_name": "Zoe", "company": "New", "email": "Z.Ray@home.example"}


async def at_topo(desktop: Desktop, who: str) -> dict[str, Any]:
    """Return the run at Topo, begun in its app, of one of the sandbox's people."""
    page = await desktop.call("list_sequences", provider="topo", contact=who)
    return dict(page["items"][0])


async def in_both_sourcings(vendors: Connected, desktop: Desktop) -> tuple[Start, Start]:
    """Return a start of Olumide, whose address Kalent does not know, in each of two sourcings."""
    added = await vendors.sandbox.kalent(
        "POST", "/sourcings/sourcing_2/candidates", json={"talentId": "talent_olumide"}
    )
    second = added.json()["data"]["candidateId"]
    made = [
        await desktop.call("create_blueprint", name="Role", steps=[SLOW], provider=f"kalent:sourcing_{number}")
        for number in (1, 2)
    ]
    return Start(made[0]["blueprint_id"], [OLUMIDE]), Start(made[1]["blueprint_id"], [f"kalent:{second}"])


async def test_a_talent_is_one_person_in_all_sourcings(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        first, second = await in_both_sourcings(vendors, desktop)
        asked = await first.ask(desktop)
        both = await second.ask(desktop)
        await approve(vendors, asked)
        await approve(vendors, both)
        late = await second.told(desktop)
        afresh = await desktop.refused(
            "start_sequence", blueprint_id=second.blueprint_id, contacts=second.contacts, idempotency_key="anew"
        )
    assert len(await enrolled(vendors, "kalent")) == 1
    assert "another sequence is under way" in json.dumps(late)
    assert "already in" in json.dumps(afresh["left_out"])


@pytest.mark.parametrize("when", ["before the plan", "after the yes"])
async def test_a_talent_that_is_suppressed_is_enrolled_as_no_candidate(vendors: Connected, when: str) -> None:
    async with vendors.client() as desktop:
        _, second = await in_both_sourcings(vendors, desktop)
        if when == "after the yes":
            plan = await second.ask(desktop)
            await approve(vendors, plan, go=False)
        await desktop.call("suppress_contact", contact="kalent:talent_olumide", reason="asked")
        if when == "after the yes":
            async with vendors.app() as app:
                await enrol_at_vendor(app, plan_id=plan["plan_id"])
        else:
            await desktop.refused("start_sequence", blueprint_id=second.blueprint_id, contacts=second.contacts)
    assert await enrolled(vendors, "kalent") == []


async def test_two_entries_with_an_address_in_common_are_one_person(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        start = await start_at("clarky", desktop, contacts=[TWO, HOME])
        told = await desktop.refused("start_sequence", blueprint_id=start.blueprint_id, contacts=start.contacts)
    assert told["problems"][0]["problem"] == "contacts 1 and 2 are the same person: both have z.ray@home.example"


@pytest.mark.parametrize("first", [TWO, HOME], ids=["several first", "one first"])
async def test_who_is_in_a_run_under_one_address_is_not_started_under_another(
    vendors: Connected, first: dict[str, Any]
) -> None:
    second = HOME if first is TWO else TWO
    async with vendors.client() as desktop:
        start = await start_at("clarky", desktop, contacts=[first])
        waiting = await start_at("clarky", desktop, contacts=[second])
        later = await waiting.ask(desktop)
        await approve(vendors, await start.ask(desktop))
        await approve(vendors, later)
        here = await desktop.raw("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[HOME])
    assert len(await enrolled(vendors, "clarky")) == 1
    assert statuses(vendors)[:2].count("REFUSED") == 1
    assert "already in" in json.dumps(json.loads(here.content[0].text)["left_out"])  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["z.ray@home.example", "home.example"])
async def test_a_run_that_reaches_a_further_address_is_named_when_that_is_suppressed(
    vendors: Connected, who: str
) -> None:
    await said_yes(vendors, "clarky", contacts=[TWO], go=True)
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact=who, reason="asked")
    [run] = [own for own in said["at_vendors"] if own.startswith("clarky:")]
    assert said["at_vendors"][run].startswith("not_done: it goes on")
    assert said["next"].startswith("Not everything has stopped")


async def test_an_address_that_clarky_knows_beside_the_given_one_is_asked_about_before_the_start(
    vendors: Connected,
) -> None:
    made = await vendors.sandbox.clarky(
        "POST", "/contacts", json={"bot_id": "b_01SANDBOXADA", "emails": TWO["emails"], "first_name": "Zoe"}
    )
    assert made.status_code == 201
    async with vendors.client() as desktop:
        await desktop.call("suppress_contact", contact=HOME["email"], reason="asked")
        _, plan = await also_said_yes(
            vendors, desktop, "clarky", contacts=[{"first_name": "Zoe", "email": "zoe@new.example"}]
        )
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
    assert await enrolled(vendors, "clarky") == []


@pytest.mark.parametrize(
    "profile", [PROFILE, "http://fr.linkedin.com/in/INES-example/?trk=x", "linkedin.com/in/ines-example"]
)
async def test_who_is_in_a_run_at_topo_is_known_there_by_the_profile_too(vendors: Connected, profile: str) -> None:
    other = {"first_name": "Ines", "email": "ines@private.example", "linkedin_url": profile}
    async with vendors.client() as desktop:
        told = await desktop.refused(
            "start_sequence", blueprint_id=await active_template(desktop), contacts=[other]
        )
    assert "in a sequence at Topo already" in json.dumps(told["left_out"])
    assert "stop_sequence ends it" in told["next"] and "save_contacts" not in told["next"]


async def test_two_entries_with_one_profile_are_one_person_at_topo(vendors: Connected) -> None:
    rows = [
        {"first_name": "Zoe", "email": f"zoe{n}@new.example", "linkedin_url": f"https://{host}linkedin.com/in/zoe"}
        for n, host in enumerate(("www.", "de."))
    ]
    async with vendors.client() as desktop:
        told = await desktop.refused("start_sequence", blueprint_id=await active_template(desktop), contacts=rows)
    assert "both have linkedin.com/in/zoe" in json.dumps(told["problems"])


@pytest.mark.parametrize("who", [ADDRESS, "loom.example.com", "topo", "kalent:candidate_ines"])
async def test_a_run_begun_in_topos_app_stops_when_the_person_is_suppressed(vendors: Connected, who: str) -> None:
    async with vendors.client() as desktop:
        run = await at_topo(desktop, ADDRESS)
        whom = run["contact_id"] if who == "topo" else who
        said = await desktop.call("suppress_contact", contact=whom, reason="asked")
        after = await at_topo(desktop, ADDRESS)
        again = await desktop.call("suppress_contact", contact=whom, reason="asked")
    assert said["at_vendors"][run["id"]] == "stopped"
    assert "Ines Ferrand" in [one["name"] for one in said["stopped"]]
    assert after["status"] == "STOPPED_EARLY"
    assert run["id"] not in again["at_vendors"]


async def test_an_opt_out_stops_a_run_begun_in_topos_app(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        own = await desktop.contact(email=ADDRESS, linkedin_url=PROFILE)
        run = await at_topo(desktop, ADDRESS)
        said = await desktop.call("record_reply", who=own, answer="opt_out")
        after = await at_topo(desktop, ADDRESS)
    assert after["status"] == "STOPPED_EARLY" and run["id"] in json.dumps(said)


async def test_what_topo_runs_and_cannot_be_read_is_said_not_to_be_known(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor="topo", method="GET", path="/sequences", status=403, times=9)
        said = await desktop.call("suppress_contact", contact=ADDRESS, reason="asked")
    assert said["outcome"] == "done"
    assert "whether Topo runs more for them is not known" in said["at_vendors"]["topo runs"]
    assert said["next"].startswith("Not everything has stopped")


async def test_a_run_begun_in_kalents_app_is_named_when_its_candidate_is_suppressed(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="Role", steps=[SLOW], provider="kalent:sourcing_1")
        own = made["blueprint_id"].partition(":")[2]
        begun = await vendors.sandbox.kalent(
            "POST", f"/sequence-blueprints/{own}/start", json={"candidateIds": ["candidate_ines"]}
        )
        assert begun.status_code < 300
        said = await desktop.call("suppress_contact", contact=INES, reason="asked")
    assert said["at_vendors"][INES].startswith("not_done: it goes on")
    assert "Kalent's own app" in said["at_vendors"][INES]


async def test_vendors_whose_apps_runs_are_not_shown_are_named(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact="nina@left.example", reason="asked")
    assert "in the app of Kalent or Clarky" in said["next"]


@pytest.mark.parametrize(
    "page", [PROFILE, "fr.linkedin.com/in/ines", "https://github.com/ines", "x.com/ines", "https://t.me/ines"]
)
async def test_a_persons_page_is_not_taken_for_a_domain_of_theirs(vendors: Connected, page: str) -> None:
    async with vendors.client() as desktop:
        told = await desktop.refused("suppress_contact", contact=page, reason="asked")
        company = await desktop.call(
            "suppress_contact", contact="https://www.globex.example/team/ines", reason="x"
        )
    assert "one person's page" in told["message"] and "find_contacts" in told["next"]
    assert (company["kind"], company["value"]) == ("domain", "globex.example")


@pytest.mark.parametrize(
    "query",
    ["fr.linkedin.com/in/Grace/", PROFILE.replace("ines-example", "grace"), "06 12 34 56 78", "+33 (0)6 12345678"],
)
async def test_people_are_found_by_number_and_by_profile_however_they_are_written(
    vendors: Connected, query: str
) -> None:
    async with vendors.client() as desktop:
        own = await desktop.contact(phone="+33612345678")
        await desktop.contact(email="other@hopper.example", linkedin_url="https://www.linkedin.com/in/other")
        found = await desktop.call("find_contacts", query=query)
    assert [one["id"] for one in found["items"]] == [own]


@pytest.mark.parametrize("vendor", ["kalent", "clarky", "topo"])
async def test_what_failed_at_a_vendor_is_told_with_what_helps_there(vendors: Connected, vendor: str) -> None:
    _, plan = await asked_for(vendors, vendor)
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor=vendor, method="POST", path=ENDS[vendor], status=402)
        await approve(vendors, plan)
        [line] = [one for one in (await desktop.call("list_providers"))["broken"] if "failed at" in one]
    assert f"failed at {vendor.capitalize()} in the last 7 days" in line
    assert f"with provider {vendor}" in line and "retry_failed" not in line


@pytest.mark.parametrize("vendor", ["kalent", "clarky", "topo"])
async def test_a_plan_taken_back_before_anybody_was_handed_over_has_nobody_to_stop(
    vendors: Connected, vendor: str
) -> None:
    _, plan = await said_yes(vendors, vendor)
    async with vendors.client() as desktop:
        said = await desktop.call("withdraw_plan", plan_id=plan["plan_id"])
    assert said["next"].startswith("Nobody of it had been handed over.")
    assert "stop_sequence" not in said["next"]


async def test_advice_that_is_overtaken_is_not_told_with_a_known_outcome(vendors: Connected) -> None:
    start, plan = await asked_for(vendors, "kalent")
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("reset_during_body", vendor="kalent", method="POST", path=ENDS["kalent"])
        await approve(vendors, plan)
        [own] = (await start.told(desktop))["handed_over"]["operation_ids"]
        checked = await desktop.call("check_operation", operation_id=own)
    assert checked["outcome"] == "done"
    assert checked["last_answer"]["code"] == "outcome_unknown" and "next" not in checked["last_answer"]
