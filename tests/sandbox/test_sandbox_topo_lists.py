"""Topo: contacts, variables, lists, entries as the way onto a template, exclusions."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.vendors import Sandbox

from sequences_sandbox.seeds import seed_id

FOUNDERS, REVIEWED, PARKED = (seed_id("list", name) for name in ("Founders", "Reviewed leads", "Parked"))
NEW = {"first_name": "Mara", "email": "mara@quill.example.com", "company_domain": "quill.example.com"}


async def enter(sandbox: Sandbox, *people: dict[str, Any], list_id: str = FOUNDERS) -> dict[str, Any]:
    items = [{"contact_list_id": list_id, **person} for person in people]
    answer = await sandbox.topo("POST", "/contact-entries", json={"items": items})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def runs_from(sandbox: Sandbox, list_id: str) -> list[dict[str, Any]]:
    rows = (await sandbox.topo("GET", "/sequences", params={"size": "100"})).json()["items"]
    return [row for row in rows if row["source_contact_list_id"] == list_id]


async def test_contacts_are_found_by_address_profile_and_id(sandbox: Sandbox) -> None:
    ines = seed_id("contact", "ines")
    one = (await sandbox.topo("GET", f"/contacts/{ines}")).json()
    assert set(one) == {
        "id",
        "email",
        "first_name",
        "last_name",
        "job_title",
        "linkedin_url",
        "phone_number",
        "city",
        "state",
        "country",
        "profile_picture_url",
        "company_name",
        "company_domain",
        "first_seen_at",
        "last_seen_at",
    }
    for query in (
        {"email": "INES@loom.example.com"},
        {"linkedin_url": "http://linkedin.com/in/ines-example/"},
        {"contact_id": ines},
    ):
        assert (await sandbox.topo("GET", "/contacts", params=query)).json()["items"] == [one]
    assert (await sandbox.topo("GET", "/contacts", params={"first_seen_after": "2026-11-01"})).json()[
        "items"
    ] == []
    assert (await sandbox.topo("GET", "/contacts/x")).json()["type"] == "NotFoundIssue"


async def test_contact_variables_are_merged_and_a_key_goes_only_when_it_is_deleted(sandbox: Sandbox) -> None:
    path = f"/contacts/{seed_id('contact', 'ines')}/variables"
    await sandbox.topo(
        "PATCH", path, json={"contact": {"hook": "fair", "tone": "warm"}, "company": {"size": "40"}}
    )
    merged = await sandbox.topo("PATCH", path, json={"contact": {"tone": None}})
    assert merged.json() == {"contact": {"hook": "fair", "tone": None}, "company": {"size": "40"}}
    assert (await sandbox.topo("DELETE", f"{path}/tone")).status_code == 204
    assert (await sandbox.topo("GET", path)).json() == {"contact": {"hook": "fair"}, "company": {"size": "40"}}
    assert (await sandbox.topo("DELETE", f"{path}/tone")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{"contact": {"a": 1}}, {"contact": []}, {"other": {}}, {"contact": {str(n): "x" for n in range(201)}}],
    ids=["a number", "a list", "another scope", "too many"],
)
async def test_wrong_contact_variables_are_refused(sandbox: Sandbox, body: dict[str, Any]) -> None:
    path = f"/contacts/{seed_id('contact', 'ines')}/variables"
    assert (await sandbox.topo("PATCH", path, json=body)).json()["type"] == "ValidationIssue"


async def test_lists_are_created_in_a_batch_changed_and_counted(sandbox: Sandbox) -> None:
    template = seed_id("template", "Three e-mails")
    items = [{"name": "One", "default_sequence_template_id": template}, {"name": "Two"}]
    body = (await sandbox.topo("POST", "/contact-lists", json={"items": items})).json()
    assert body["summary"] == {"total": 2, "succeeded": 2, "failed": 0}
    assert [(item["index"], item["status"], item["error"]) for item in body["items"]] == [
        (0, "CREATED", None),
        (1, "CREATED", None),
    ]
    first = body["items"][0]["resource"]
    assert set(first) == {
        "id",
        "name",
        "default_sequence_template_id",
        "entries_count",
        "created_at",
        "updated_at",
    }
    path = f"/contact-lists/{first['id']}"
    await enter(sandbox, NEW, list_id=first["id"])
    changed = await sandbox.topo("PATCH", path, json={"name": "Uno", "default_sequence_template_id": None})
    assert (changed.json()["name"], changed.json()["default_sequence_template_id"]) == ("Uno", None)
    assert (await sandbox.topo("GET", path)).json()["entries_count"] == 1
    assert (await sandbox.topo("GET", "/contact-lists", params={"name": "Two"})).json()["total_count"] == 1


@pytest.mark.parametrize(
    "items",
    [[], [{"name": ""}], [{"name": "A"}, {"name": "B", "default_sequence_template_id": "x"}], [{}] * 101, ["A"]],
    ids=["none", "no name", "unknown template", "too many", "no object"],
)
async def test_lists_are_created_all_or_none(sandbox: Sandbox, items: list[Any]) -> None:
    answer = await sandbox.topo("POST", "/contact-lists", json={"items": items})
    assert (answer.status_code, answer.json()["type"]) == (400, "ValidationIssue")
    assert (await sandbox.topo("GET", "/contact-lists")).json()["total_count"] == 3


async def test_an_entry_becomes_a_contact_and_an_active_run_after_the_answer(sandbox: Sandbox) -> None:
    body = await enter(sandbox, NEW)
    assert body["summary"] == {"total": 1, "succeeded": 1, "failed": 0}
    entry = body["items"][0]["resource"]
    assert entry["contact_id"] is None
    assert await runs_from(sandbox, FOUNDERS) == []
    sandbox.clock.forward(seconds=5)
    (found,) = await runs_from(sandbox, FOUNDERS)
    assert (found["status"], found["variables"]) == ("FOUND", {"first_name": "Mara"})
    sandbox.clock.forward(seconds=5)
    (active,) = await runs_from(sandbox, FOUNDERS)
    resolved = (await sandbox.topo("GET", f"/contact-entries/{entry['id']}")).json()
    assert (active["status"], active["contact_id"]) == ("ACTIVE", resolved["contact_id"])
    created = {"sequence_id": active["id"], "resource_type": "SEQUENCE"}
    assert (await sandbox.topo("GET", "/activities", params=created)).json()["total_count"] == 1


async def test_a_reviewed_template_leaves_the_lead_in_found(sandbox: Sandbox) -> None:
    await enter(sandbox, NEW, list_id=REVIEWED)
    sandbox.clock.forward(days=3)
    assert [run["status"] for run in await runs_from(sandbox, REVIEWED)] == ["FOUND"]


async def test_a_list_without_template_enrols_nobody(sandbox: Sandbox) -> None:
    await enter(sandbox, NEW, list_id=PARKED)
    sandbox.clock.forward(days=1)
    assert await runs_from(sandbox, PARKED) == []


async def test_a_company_stop_needs_a_company(sandbox: Sandbox) -> None:
    await enter(sandbox, {"email": "mara@gmail.com"})
    sandbox.clock.forward(minutes=1)
    (run,) = await runs_from(sandbox, FOUNDERS)
    stop = {"reason": "LOSE", "scope": "COMPANY"}
    answer = await sandbox.topo("POST", f"/sequences/{run['id']}/stop", json=stop)
    assert (answer.status_code, answer.json()["type"]) == (422, "BusinessIssue")
    assert [one["status"] for one in await runs_from(sandbox, FOUNDERS)] == ["ACTIVE"]


async def test_what_is_not_there_is_not_found(sandbox: Sandbox) -> None:
    for path in ("/contact-lists/x", "/contact-entries/x", "/contact-exclusions/x", "/account-exclusions/x"):
        assert (await sandbox.topo("GET", path)).json()["type"] == "NotFoundIssue"


@pytest.mark.parametrize("name", ["Last year's", "Running out", "Not ready", "Put away"])
async def test_only_an_active_template_takes_new_people(sandbox: Sandbox, name: str) -> None:
    template = {"default_sequence_template_id": seed_id("template", name)}
    await sandbox.topo("PATCH", f"/contact-lists/{PARKED}", json=template)
    await enter(sandbox, NEW, list_id=PARKED)
    sandbox.clock.forward(days=1)
    assert await runs_from(sandbox, PARKED) == []


async def test_the_same_person_again_is_updated_and_not_enrolled_twice(sandbox: Sandbox) -> None:
    first = await enter(sandbox, NEW)
    sandbox.clock.forward(minutes=1)
    again = await enter(sandbox, {**NEW, "email": "MARA@quill.example.com", "job_title": "CTO"})
    assert (again["items"][0]["status"], again["items"][0]["resource"]["job_title"]) == ("UPDATED", "CTO")
    assert again["items"][0]["resource"]["id"] == first["items"][0]["resource"]["id"]
    sandbox.clock.forward(minutes=1)
    assert len(await runs_from(sandbox, FOUNDERS)) == 1


async def test_a_person_with_a_live_run_of_the_template_gets_no_second_one(sandbox: Sandbox) -> None:
    await enter(sandbox, {"email": "ines@loom.example.com"})
    sandbox.clock.forward(minutes=1)
    (entry,) = (await sandbox.topo("GET", "/contact-entries", params={"contact_list_id": FOUNDERS})).json()[
        "items"
    ]
    assert entry["contact_id"] == seed_id("contact", "ines")
    assert await runs_from(sandbox, FOUNDERS) == []


async def test_a_batch_fails_by_the_item(sandbox: Sandbox) -> None:
    await sandbox.topo("POST", "/contact-exclusions", json={"email": "no@quill.example.com", "reason": "OTHER"})
    body = await enter(
        sandbox, NEW, {"email": "No@quill.example.com"}, {"contact_list_id": "x", "email": "a@b.example"}
    )
    assert [item["status"] for item in body["items"]] == ["CREATED", "FAILED", "FAILED"]
    assert [item["error"] and item["error"]["type"] for item in body["items"]] == [
        None,
        "BusinessIssue",
        "NotFoundIssue",
    ]
    assert body["summary"] == {"total": 3, "succeeded": 1, "failed": 2}


@pytest.mark.parametrize(
    "item", [{"contact_list_id": FOUNDERS}, {"email": "a@b.example"}, {"contact_list_id": FOUNDERS, "email": 7}]
)
async def test_an_entry_without_list_or_address_is_a_validation_issue(
    sandbox: Sandbox, item: dict[str, Any]
) -> None:
    answer = await sandbox.topo(
        "POST", "/contact-entries", json={"items": [{**NEW, "contact_list_id": PARKED}, item]}
    )
    assert answer.json()["type"] == "ValidationIssue"
    assert (await sandbox.topo("GET", "/contact-entries")).json()["total_count"] == 0


async def test_a_contact_exclusion_is_made_read_changed_and_removed(sandbox: Sandbox) -> None:
    body = {"email": "mara@quill.example.com", "reason": "UNSUBSCRIBED", "message": "by telephone"}
    made = await sandbox.topo("POST", "/contact-exclusions", json=body)
    assert made.status_code == 201
    row = made.json()
    assert (row["email"], row["reason"], row["until"]) == (body["email"], "UNSUBSCRIBED", None)
    path = f"/contact-exclusions/{row['id']}"
    assert (await sandbox.topo("GET", path)).json() == row
    found = await sandbox.topo(
        "GET", "/contact-exclusions", params={"email": body["email"], "reason": row["reason"]}
    )
    assert found.json()["items"] == [row]
    changed = await sandbox.topo("PATCH", path, json={"until": "2027-01-01T00:00:00Z"})
    assert (changed.json()["until"], changed.json()["message"]) == ("2027-01-01T00:00:00Z", "by telephone")
    assert (await sandbox.topo("DELETE", path)).status_code == 204
    assert (await sandbox.topo("GET", path)).status_code == 404


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("contact", {"reason": "OTHER"}),
        ("contact", {"email": "a@b.example"}),
        ("contact", {"email": "a@b.example", "reason": "BORED"}),
        ("contact", {"email": "a@b.example", "reason": "OTHER", "until": "soon"}),
        ("account", {"reason": "OTHER"}),
    ],
    ids=["nobody", "no reason", "another reason", "no date", "no domain"],
)
async def test_a_wrong_exclusion_is_refused(sandbox: Sandbox, kind: str, body: dict[str, str]) -> None:
    answer = await sandbox.topo("POST", f"/{kind}-exclusions", json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "ValidationIssue")
    assert (await sandbox.topo("GET", f"/{kind}-exclusions")).json()["total_count"] == 0


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("contact", {"linkedin_url": "https://linkedin.com/in/mara/"}),
        ("account", {"domain": "Quill.example.com"}),
    ],
    ids=["profile", "domain"],
)
async def test_an_exclusion_holds_until_it_ends(sandbox: Sandbox, kind: str, body: dict[str, str]) -> None:
    await sandbox.topo(
        "POST", f"/{kind}-exclusions", json={**body, "reason": "OTHER", "until": "2026-12-01T00:00:00Z"}
    )
    person = {**NEW, "linkedin_url": "https://www.linkedin.com/in/mara"}
    assert (await enter(sandbox, person))["summary"]["failed"] == 1
    sandbox.clock.forward(days=10)
    assert (await enter(sandbox, person))["summary"]["failed"] == 0


async def test_an_exclusion_does_not_stop_a_run(sandbox: Sandbox) -> None:
    await sandbox.topo("POST", "/contact-exclusions", json={"email": "ines@loom.example.com", "reason": "OTHER"})
    sandbox.clock.forward(days=9)
    status = (await sandbox.topo("GET", f"/sequences/{seed_id('sequence', 'ines')}")).json()["status"]
    assert status == "SUCCEEDED"
