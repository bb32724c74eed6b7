"""Who somebody is whom a vendor tells of: nobody is taken for somebody else, and nobody slips past the list."""

from __future__ import annotations

import pytest
from tests.world.kept_starts import said_yes
from tests.world.vendors import INES, ZOE, Connected, also_said_yes, approve, enrolled, rows, start_at

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plain_words import STATUSES
from sequences_mcp.errors import ConflictError
from sequences_mcp.review.decide import resolved_in_terminal
from sequences_mcp.services.enrolment import enrol_at_vendor


async def test_a_number_alone_makes_nobody_somebody_else(vendors: Connected) -> None:
    number = "+33639980101"
    async with vendors.client() as desktop:
        other = await desktop.contact(email="reception@loom.example.com", first_name="Reception", phone=number)
        candidate = (await vendors.sandbox.kalent("GET", "/candidates/candidate_ines")).json()
        candidate["data"]["talent"]["phones"] = [number]
        await vendors.sandbox.fault(
            "body", vendor="kalent", path="*/candidates/candidate_ines", body=candidate, status=200
        )
        _, plan = await also_said_yes(vendors, desktop, "kalent", contacts=[INES])
        await desktop.call("suppress_contact", contact="ines@loom.example.com", reason="asked")
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
    assert plan["sample"]["contact_id"] != other
    assert rows(vendors, "SELECT status FROM sequence") == [("STOPPED_EARLY",)]
    assert await enrolled(vendors, "kalent") == []


@pytest.mark.parametrize("mark", ["ines@loom.example.com", "loom.example.com", "kalent:candidate_ines"])
async def test_whoever_is_suppressed_after_the_yes_is_known_by_what_the_vendor_told(
    vendors: Connected, mark: str
) -> None:
    async with vendors.client() as desktop:
        saved = await desktop.call("save_contacts", contacts=[{"phone": "+33639980101", "first_name": "Ines"}])
        candidate = (await vendors.sandbox.kalent("GET", "/candidates/candidate_ines")).json()
        candidate["data"]["talent"]["phones"] = ["+33 6 39 98 01 01"]
        await vendors.sandbox.fault(
            "body", vendor="kalent", path="*/candidates/candidate_ines", body=candidate, status=200
        )
        _, plan = await also_said_yes(vendors, desktop, "kalent", contacts=[INES])
        if mark.startswith("kalent:"):
            await vendors.sandbox.fault("status", vendor="kalent", method="GET", path="*/candidates/*", status=401)
        await desktop.call("suppress_contact", contact=mark, reason="asked")
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
    assert plan["sample"]["contact_id"] == saved["contacts"][0]["contact_id"]
    assert await enrolled(vendors, "kalent") == []


SECOND = "ines.ferrand@home.example"


async def ines_has_a_second_address(vendors: Connected) -> None:
    candidate = (await vendors.sandbox.kalent("GET", "/candidates/candidate_ines")).json()
    candidate["data"]["talent"]["emails"] = [*candidate["data"]["talent"]["emails"], SECOND]
    await vendors.sandbox.fault(
        "body", vendor="kalent", path="*/candidates/candidate_ines", body=candidate, status=200, times=9
    )


@pytest.mark.parametrize("listed", [SECOND, "home.example"])
async def test_whoever_is_suppressed_at_a_second_address_is_left_out(vendors: Connected, listed: str) -> None:
    async with vendors.client() as desktop:
        await ines_has_a_second_address(vendors)
        await desktop.call("suppress_contact", contact=listed, reason="asked")
        start = await start_at("kalent", desktop, contacts=[INES])
        said = await desktop.refused("start_sequence", blueprint_id=start.blueprint_id, contacts=[INES])
    assert said["left_out"][0]["reasons"] == ["suppressed: asked"]


@pytest.mark.parametrize("listed", [SECOND, "home.example"])
async def test_a_second_address_that_is_suppressed_after_the_yes_keeps_the_person_out(
    vendors: Connected, listed: str
) -> None:
    async with vendors.client() as desktop:
        await ines_has_a_second_address(vendors)
        _, plan = await also_said_yes(vendors, desktop, "kalent", contacts=[INES])
        await desktop.call("suppress_contact", contact=listed, reason="asked")
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
    assert rows(vendors, "SELECT status, reason FROM sequence") == [("REFUSED", "suppressed: asked")]
    assert await enrolled(vendors, "kalent") == []


async def test_a_candidate_whom_kalent_no_longer_has_is_refused_alone(vendors: Connected) -> None:
    _, plan = await said_yes(vendors, "kalent")
    await vendors.sandbox.fault(
        "status", vendor="kalent", method="GET", path="*/candidates/candidate_ines", status=404
    )
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=plan["plan_id"])
        outcome = await app.vendor_runs.outcome(plan["plan_id"])
    assert (outcome.done, outcome.not_done) == (plan["people"] - 1, 1)
    assert outcome.why == ("Kalent has no such candidate any more",)


async def test_what_a_vendor_tells_may_be_anything_and_the_person_is_kept_all_the_same(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        for name in ("ines", "priya"):
            candidate = (await vendors.sandbox.kalent("GET", f"/candidates/candidate_{name}")).json()
            candidate["data"]["talent"] |= {"emails": ["n/a"], "phones": ["06"], "country": "Atlantis"}
            await vendors.sandbox.fault(
                "body", vendor="kalent", path=f"*/candidates/candidate_{name}", body=candidate, status=200
            )
        await start_at("kalent", desktop)
        _, plan = await also_said_yes(vendors, desktop, "kalent")
    assert plan["people"] == 2
    assert [email for (email,) in rows(vendors, "SELECT email FROM contact")] == [None, None]


@pytest.mark.parametrize(("finished", "status"), [(True, "COMPLETED"), (False, "STOPPED_EARLY")])
async def test_whoever_is_in_a_run_whose_end_a_vendor_never_tells_is_set_free_by_a_person(
    vendors: Connected, finished: bool, status: str
) -> None:
    _, asked = await said_yes(vendors, "clarky", contacts=[ZOE], go=True)
    async with vendors.client() as desktop:
        own = asked["sample"]["sequence_id"]
        barred = await desktop.refused("stop_sequence", sequence_id=own, reason="WIN")
        async with vendors.app() as app:
            said = await resolved_in_terminal(app, own, sent=finished, actor=Actor("ada"))
            with pytest.raises(ConflictError, match="nothing to resolve"):
                await resolved_in_terminal(app, own, sent=finished, actor=Actor("ada"))
        run = await desktop.call("get_sequence", sequence_id=own)
        there = await start_at("topo", desktop, contacts=[ZOE])
        again = await there.ask(desktop)
    assert f"review resolve {own}" in barred["next"]
    assert run["status"] == status and STATUSES[status] in said
    assert again["people"] == 1


@pytest.mark.parametrize(
    ("listed", "given"),
    [
        pytest.param("zoe@xn--mnchen-3ya.example", "Zoe@MÜNCHEN.example", id="punycode-listed"),
        pytest.param("zoe@münchen.example", "zoe@XN--mnchen-3ya.example", id="punycode-given"),
        pytest.param("münchen.example", "zoe@mail.xn--mnchen-3ya.example", id="domain"),
        pytest.param("zoé@new.example", "zoe\u0301@new.example", id="accent-by-itself"),
        pytest.param("ZOE@NEW.EXAMPLE", "zoe@new.example", id="case"),
    ],
)
@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_another_spelling_of_an_address_gets_nobody_past_the_list(
    vendors: Connected, vendor: str, listed: str, given: str
) -> None:
    _, plan = await said_yes(vendors, vendor, contacts=[{"email": given, "first_name": "Zoe"}])
    async with vendors.client() as desktop:
        await desktop.call("suppress_contact", contact=listed, reason="asked")
        start = await start_at(vendor, desktop)
        error = await desktop.refused(
            "start_sequence", blueprint_id=start.blueprint_id, contacts=[{"email": given}], idempotency_key="2"
        )
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
    assert error["left_out"][0]["reasons"] == ["suppressed: asked"]
    assert await enrolled(vendors, vendor) == []


@pytest.mark.parametrize("vendor", ["topo", "clarky"])
async def test_a_vendors_id_with_facts_is_one_person_with_both(vendors: Connected, vendor: str) -> None:
    async with vendors.client() as desktop:
        own = next(
            one["id"]
            for one in (await desktop.call("find_contacts", provider=vendor))["items"]
            if one.get("email", "").startswith("yuki")
        )
        both = {"id": own, "first_name": "Yukiko"}
        start = await start_at(vendor, desktop, contacts=[both])
        asked = await start.ask(desktop)
        bad = await desktop.refused(
            "start_sequence", blueprint_id=start.blueprint_id, contacts=[{"id": own, "email": "no address"}]
        )
        await approve(vendors, asked)
    [request] = await enrolled(vendors, vendor)
    assert "Yukiko" in str(request["body"]) and "yuki@" in str(request["body"])
    assert "contact 1" in bad["message"]
