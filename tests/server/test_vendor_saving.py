"""People put on a list at Topo and into a sourcing at Kalent: once, told one by one, and started by nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.world.fake_vendor import reply, serving
from tests.world.product import Desktop
from tests.world.vendors import Connected, unknown

from sequences_mcp.domain.actors import Actor
from sequences_mcp.review.decide import resolved_in_terminal
from sequences_sandbox.seeds import UNPLACED_TALENT, seed_id

PARKED, FOUNDERS = (f"topo:{seed_id('list', name)}" for name in ("Parked", "Founders"))
NINA = {"email": "nina@left.example", "first_name": "Nina"}
OLGA = {"email": "olga@left.example"}
TALENT = f"kalent:{UNPLACED_TALENT}"
SOURCING = "kalent:sourcing_1"


async def candidates(vendors: Connected, **query: str) -> dict[str, str]:
    """Return the status of each talent of the sourcing."""
    found = await vendors.sandbox.kalent("GET", "/sourcings/sourcing_1/candidates", params=query)
    return {
        row["candidate"]["talentId"]: row["candidate"]["statusHandle"]
        for row in found.json()["data"]["candidates"]
    }


async def entries(vendors: Connected) -> list[str]:
    """Return the addresses on the list that enrols nobody."""
    own = PARKED.partition(":")[2]
    found = await vendors.sandbox.topo("GET", "/contact-entries", params={"contact_list_id": own})
    return [row["email"] for row in found.json()["items"]]


async def test_people_are_put_on_a_list_that_enrols_nobody(vendors: Connected) -> None:
    people = [NINA, {"linkedin_url": "https://www.linkedin.com/in/olga"}]
    async with vendors.client() as desktop:
        said = await desktop.call("save_contacts", contacts=people, provider=PARKED)
        again = await desktop.call("save_contacts", contacts=people, provider=PARKED)
    assert (said["outcome"], said["saved"], said["were_there"], said["sent"]) == ("done", 2, 0, "nothing")
    assert (again["saved"], again["were_there"]) == (2, 2)
    assert await entries(vendors) == ["nina@left.example", None]


async def test_a_list_that_enrols_is_refused_as_a_start_and_nobody_is_on_it(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        error = await desktop.refused("save_contacts", contacts=[NINA], provider=FOUNDERS)
    assert error["code"] == "approval_refused" and "start_sequence" in error["next"]
    assert error["blueprint_id"] == f"topo:{seed_id('template', 'Three e-mails')}"
    assert await vendors.writes() == []


@pytest.mark.parametrize("template", [{}, {"default_sequence_template_id": {"id": 7}}], ids=["missing", "strange"])
async def test_a_list_of_which_it_is_not_certain_that_it_enrols_nobody_is_refused(
    vendors: Connected, template: dict[str, Any]
) -> None:
    shown = {"id": seed_id("list", "Parked"), "name": "P", "entries_count": 0, **template}
    async with serving(reply(200, shown)) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            error = await desktop.refused("save_contacts", contacts=[NINA], provider=PARKED)
        assert {one.method for one in topo.seen} == {"GET"}
    assert error["code"] in ("unexpected_answer", "approval_refused")


async def test_without_a_list_the_lists_are_named_with_what_each_does(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        error = await desktop.refused("save_contacts", contacts=[NINA], provider="topo")
    assert error["code"] == "invalid_arguments"
    assert {row["name"]: row["enrols"] for row in error["lists"]} == {
        "Founders": True,
        "Reviewed leads": True,
        "Parked": False,
    }
    assert PARKED in [row["id"] for row in error["lists"]]


async def test_many_go_in_several_requests_and_whom_topo_refuses_is_told_alone(vendors: Connected) -> None:
    people = [{"email": f"person{number}@left.example"} for number in range(149)]
    await vendors.sandbox.topo(
        "POST", "/contact-exclusions", json={"email": "person120@left.example", "reason": "OTHER"}
    )
    async with vendors.client() as desktop:
        said = await desktop.call("save_contacts", contacts=[*people, NINA], provider=PARKED)
    assert (said["outcome"], said["saved"]) == ("not_done", 149)
    assert said["not_saved"] == [
        {"contact": 121, "vendor_code": "BusinessIssue", "vendor_message": "This contact is excluded"}
    ]
    assert [row["path"] for row in await vendors.writes()].count("/contact-entries") == 2


async def test_when_one_request_of_several_fails_the_rest_is_not_tried(vendors: Connected) -> None:
    people = [{"email": f"person{number}@left.example"} for number in range(250)]
    ok = {"index": 0, "status": "CREATED", "resource": {"id": "e"}, "error": None}
    rows = {"items": [{**ok, "index": number} for number in range(100)]}
    shown = {"id": seed_id("list", "Parked"), "default_sequence_template_id": None}
    script = (reply(500), reply(200, shown), reply(200, rows), reply(403, {}))
    async with serving(*script) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            said = await desktop.call("save_contacts", contacts=people, provider=PARKED)
        assert [one.method for one in topo.seen] == ["GET", "GET", "POST", "POST"]
    assert (said["outcome"], said["saved"]) == ("not_done", 100)
    assert said["not_saved"][0]["why"] == "provider_forbidden"
    assert said["not_saved_left_out"] == 120


async def test_whoever_an_answer_does_not_mention_is_unknown_and_bars_the_list(vendors: Connected) -> None:
    ok = {"index": 0, "status": "CREATED", "resource": {"id": "e"}, "error": None}
    shown = {"id": seed_id("list", "Parked"), "default_sequence_template_id": None, "entries_count": 3}
    script = (reply(500), reply(200, shown), reply(200, {"items": [ok]}), reply(200, shown))
    people = [NINA, OLGA]
    async with serving(*script) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            lost = await unknown(desktop, "save_contacts", contacts=people, provider=PARKED)
            barred = await desktop.refused("save_contacts", contacts=people, provider=PARKED)
            checked = await desktop.call("check_operation", operation_id=lost["operation_id"])
            async with vendors.app() as app:
                await resolved_in_terminal(app, lost["operation_id"], sent=True, actor=Actor("ada"))
        assert [one.method for one in topo.seen].count("POST") == 1
    assert (lost["people"], lost["taken_in"]) == ([{"contact": 2, "outcome": "unknown"}], 1)
    assert barred["operation_id"] == lost["operation_id"]
    assert checked["outcome"] == "unknown"
    assert "3 entries" in checked["why"] and "does not tell whom" in checked["why"]


@pytest.mark.parametrize(
    ("person", "what"),
    [
        ({"first_name": "Nina"}, "neither email nor linkedin_url"),
        ({"phone": "+33639980101"}, "neither email nor linkedin_url"),
        ({**OLGA, "location": "Lyon"}, "keep no location"),
        ({**OLGA, "note": "Met in Berlin"}, "take no notes"),
        ({**OLGA, "shoe": "42"}, "shoe: this is not a field"),
        ({**OLGA, "company": 7}, "company: this is not text"),
        ({"id": "topo:1111"}, "is an id"),
        (7, "is not an object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_topo_would_not_keep_is_refused_by_position(vendors: Connected, person: Any, what: str) -> None:
    async with vendors.client() as desktop:
        error = await desktop.refused("save_contacts", contacts=[NINA, person], provider=PARKED)
    assert error["code"] == "invalid_arguments"
    assert "contact 2" in error["message"] and what in error["message"]
    assert await vendors.writes() == []  # what a list is has to be asked to tell everything that is wrong


async def test_everything_wrong_with_a_save_at_a_vendor_is_told_in_one_answer(
    vendors: Connected,
) -> None:
    rows = [NINA, {**OLGA, "shoe": "42"}, {**OLGA, "email": "olga@10.0.0.1"}, {"phone": "+33639980101"}, {**NINA}]
    async with vendors.client() as desktop:
        told = await desktop.refused("save_contacts", contacts=rows, provider=PARKED)
        many = await desktop.refused("save_contacts", contacts=[{**NINA, "company": 7}] * 40, provider=PARKED)
        ids = await desktop.refused("save_contacts", contacts=[NINA, "local:ct_1", "."], provider=SOURCING)
    assert [(one["position"], one.get("field")) for one in told["problems"]] == [
        (2, "shoe"),
        (3, "email"),
        (4, None),
        (5, None),
    ]
    assert (len(many["problems"]), many["more"]) == (10, 30)
    assert {one["position"] for one in ids["problems"]} >= {1, 3}
    assert await vendors.writes() == []  # what a list is has to be asked to tell everything that is wrong


async def test_one_person_named_twice_is_refused(vendors: Connected) -> None:
    twice = [NINA, {"email": "NINA@left.example"}]
    async with vendors.client() as desktop:
        error = await desktop.refused("save_contacts", contacts=twice, provider=PARKED)
        none = await desktop.refused("save_contacts", contacts=[], provider=PARKED)
    assert "contacts 1 and 2 are the same person" in error["message"]
    assert none["code"] == "invalid_arguments"


async def test_whoever_must_never_be_contacted_is_put_nowhere(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await desktop.call("suppress_contact", contact="nina@left.example", reason="asked")
        await desktop.call("suppress_contact", contact=TALENT, reason="asked")
        said = await desktop.call("save_contacts", contacts=[NINA, OLGA], provider=PARKED)
        error = await desktop.refused("save_contacts", contacts=[{"id": TALENT}], provider=SOURCING)
    assert said["not_saved"] == [{"contact": 1, "why": "suppressed: never to be contacted"}]
    assert error["people"][0]["why"].startswith("suppressed")
    assert await entries(vendors) == ["olga@left.example"]
    assert UNPLACED_TALENT not in await candidates(vendors)


async def test_a_talent_is_added_and_whoever_is_there_is_left_as_they_are(vendors: Connected) -> None:
    before = await candidates(vendors), await candidates(vendors, statusHandle="NOT_RETAINED")
    there = ["kalent:talent_olumide", "kalent:talent_saoirse", "kalent:candidate_ines"]
    people = [{"id": one} for one in (TALENT, *there)]
    async with vendors.client() as desktop:
        said = await desktop.call("save_contacts", contacts=people, provider=SOURCING)
    assert (said["outcome"], said["saved"], said["were_there"]) == ("done", 4, 3)
    assert await candidates(vendors) == {**before[0], UNPLACED_TALENT: "TO_BE_CONTACTED"}
    assert (
        await candidates(vendors, statusHandle="NOT_RETAINED") == before[1] == {"talent_saoirse": "NOT_RETAINED"}
    )
    assert len(await vendors.writes()) == 1


async def test_the_talent_of_a_candidate_is_told_where_people_are_found(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        people = (await desktop.call("find_contacts", provider="kalent:sourcing_2"))["items"]
    assert [one["notes"] for one in people] == ["talent kalent:talent_yuki, status TO_BE_CONTACTED"]


async def test_a_talent_nobody_knows_is_told_and_the_others_are_added(vendors: Connected) -> None:
    people = [{"id": "kalent:candidate_yuki"}, {"id": TALENT}]  # the first is a candidate of another sourcing
    async with vendors.client() as desktop:
        said = await desktop.call("save_contacts", contacts=people, provider=SOURCING)
        alone = await desktop.refused("save_contacts", contacts=people[:1], provider=SOURCING)
    assert (said["outcome"], said["saved"]) == ("not_done", 1)
    assert said["not_saved"][0] | {"vendor_message": ""} == {
        "contact": 1,
        "why": "not_found",
        "vendor_code": "not_found",
        "vendor_message": "",
    }
    assert alone["code"] == "not_found"


async def test_credits_that_run_out_end_the_adding(vendors: Connected) -> None:
    vendors.keys["kalent"] = "no credits left"
    async with vendors.client() as desktop:
        error = await desktop.refused("save_contacts", contacts=[{"id": TALENT}], provider=SOURCING)
    assert error["code"] == "insufficient_credits" and "sent" in error


@pytest.mark.parametrize("person", [NINA, {"id": TALENT, "first_name": "Tomas"}], ids=["facts", "both"])
async def test_kalent_takes_people_by_the_id_of_their_talent_alone(vendors: Connected, person: Any) -> None:
    async with vendors.client() as desktop:
        error = await desktop.refused("save_contacts", contacts=[person], provider=SOURCING)
        nowhere = await desktop.refused("save_contacts", contacts=[{"id": TALENT}], provider="kalent")
    assert "contact 1: it is not the id of a talent alone" in error["message"]
    assert (nowhere["code"], nowhere["listed_by"]) == ("wrong_id", "list_sourcings")


async def test_a_lost_add_is_settled_by_reading_the_sourcing(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("reset_during_body", vendor="kalent", method="POST")
        arguments: dict[str, Any] = {"contacts": [{"id": TALENT}], "provider": SOURCING}
        lost = await unknown(desktop, "save_contacts", **arguments)
        barred = await desktop.refused("save_contacts", **arguments)
        checked = await desktop.call("check_operation", operation_id=lost["operation_id"])
        after = await desktop.call("save_contacts", **arguments)
    assert barred["operation_id"] == lost["operation_id"]
    assert (checked["outcome"], after["were_there"]) == ("done", 1)
    assert len(await vendors.writes()) == 1


async def test_an_add_that_never_arrived_is_found_not_done_after_a_minute(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("reset_before_body", vendor="kalent", method="POST")
        people = [{"id": TALENT}, {"id": "kalent:talent_yuki"}]
        lost = await unknown(desktop, "save_contacts", contacts=people, provider=SOURCING)
        early = await desktop.call("check_operation", operation_id=lost["operation_id"])
        vendors.clock.now += timedelta(minutes=2)
        late = await desktop.call("check_operation", operation_id=lost["operation_id"])
    assert [row["why"] for row in lost["people"][1:]] == ["not tried"]
    assert (early["outcome"], late["outcome"]) == ("unknown", "not_done")
    assert "0 of 2 are in the sourcing" in late["why"]


CANDIDATE = {"candidate": {"id": "c1", "sourcingId": "sourcing_1"}, "talent": {}}


@pytest.mark.parametrize("row", [CANDIDATE, {"candidate": None}, 7], ids=["no talent", "nobody", "no object"])
async def test_a_list_of_candidates_that_cannot_be_read_adds_nobody(vendors: Connected, row: Any) -> None:
    page = {"success": True, "data": {"candidates": [row], "pagination": {"total": 1, "hasNextPage": False}}}
    async with serving(reply(200, page)) as kalent:
        vendors.elsewhere["kalent"] = kalent.url
        async with vendors.client() as desktop:
            error = await desktop.refused("save_contacts", contacts=[{"id": TALENT}], provider=SOURCING)
        assert {one.method for one in kalent.seen} == {"GET"}
    assert error["code"] == "unexpected_answer" and "nobody can tell" in error["message"]


async def test_clarky_saves_people_when_they_are_started(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        error = await desktop.refused("save_contacts", contacts=[NINA], provider="clarky")
    assert error["code"] == "not_supported" and "start_sequence" in error["next"]


async def saved_with_key(desktop: Desktop) -> dict[str, Any]:
    return await desktop.call("save_contacts", contacts=[NINA], provider=PARKED, idempotency_key="k")


async def test_one_key_saves_once_and_answers_the_same(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        first, second = await saved_with_key(desktop), await saved_with_key(desktop)
    assert first == second
    assert len(await vendors.writes()) == 1


async def test_an_add_about_another_talent_proves_nothing(vendors: Connected) -> None:
    page = {"success": True, "data": {"candidates": [], "pagination": {"total": 0, "hasNextPage": False}}}
    made = {"success": True, "data": {"candidateId": "c9", "talentId": "somebody_else"}}
    async with serving(reply(200, page), reply(200, page), reply(200, made)) as kalent:
        vendors.elsewhere["kalent"] = kalent.url
        async with vendors.client() as desktop:
            lost = await unknown(desktop, "save_contacts", contacts=[{"id": TALENT}], provider=SOURCING)
    assert "the talent is another one" in lost["why"]


async def test_a_bad_profile_or_host_at_a_vendor_comes_in_one_answer_with_faults_of_form_and_placeholders(
    vendors: Connected,
) -> None:
    rows = [
        {**NINA, "shoe": "42", "linkedin_url": "https://example.com/nina"},
        {**OLGA, "company_domain": "not a host", "phone": "12"},
        {**OLGA, "email": "second@example.com", "first_name": "{{firstname}}"},
    ]
    async with vendors.client() as desktop:
        told = await desktop.refused("save_contacts", contacts=rows, provider=PARKED)
    assert [(one["position"], one["field"]) for one in told["problems"]] == [
        (1, "shoe"),
        (1, "linkedin_url"),
        (2, "phone"),
        (2, "company_domain"),
        (3, "first_name"),
    ]
