"""Topo: keys and scopes, templates, runs and their states, tasks, activities."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.secrecy import planted
from tests.world.vendors import Sandbox

from sequences_sandbox.seeds import seed_id

INES, TOMAS, PRIYA = (seed_id("sequence", name) for name in ("ines", "tomas", "priya"))
SAOIRSE, OLUMIDE, YUKI = (seed_id("sequence", name) for name in ("saoirse", "olumide", "yuki"))
EMAILS = seed_id("template", "Three e-mails")
LATER = {"paused_until": "2026-12-01T08:00:00Z"}
LOSE = {"reason": "LOSE", "scope": "CONTACT"}


def error_of(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["status_code"] == answer.status_code
    assert body["message"] and body["request_id"]
    return answer.status_code, body["type"]


async def status_of(sandbox: Sandbox, sequence_id: str) -> str:
    status: str = (await sandbox.topo("GET", f"/sequences/{sequence_id}")).json()["status"]
    return status


async def act(sandbox: Sandbox, sequence_id: str, verb: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return await sandbox.topo("POST", f"/sequences/{sequence_id}/{verb}", json=body)


KEYLESS = [
    {},
    {"authorization": f"Bearer {planted.REVOKED_KEY.value}"},
    {"x-api-key": planted.TOPO_KEY.value},
]


@pytest.mark.parametrize("headers", KEYLESS)
async def test_a_key_that_is_none_is_401_before_anything_else(sandbox: Sandbox, headers: dict[str, str]) -> None:
    for path in ("/sequences/unknown", "/nowhere"):
        answer = await sandbox.http.get(f"/topo/v1{path}", headers=headers)
        assert error_of(answer) == (401, "UnauthorizedIssue")


SCOPED = {
    "GET /sequences": "sequences:read",
    "GET /sequence-templates": "sequences:read",
    "GET /contact-lists": "contact_lists:read",
    "GET /contact-entries": "contact_lists:read",
    "GET /contact-exclusions": "exclusions:read",
    "GET /account-exclusions": "exclusions:read",
    "GET /activities": "activities:read",
    "GET /tasks": "tasks:read",
    "PATCH /sequences/x": "sequences:write",
    "POST /sequences/x/pause": "sequences:write",
    "POST /sequences/x/resume": "sequences:write",
    "POST /sequences/x/stop": "sequences:write",
    "PATCH /contacts/x/variables": "contacts:write",
    "DELETE /contacts/x/variables/y": "contacts:write",
    "POST /contact-lists": "contact_lists:write",
    "PATCH /contact-lists/x": "contact_lists:write",
    "POST /contact-entries": "contact_lists:write",
    "POST /contact-exclusions": "exclusions:write",
    "DELETE /account-exclusions/x": "exclusions:write",
    "POST /tasks/x/skip": "tasks:write",
    "POST /tasks/x/reopen": "tasks:write",
    "PATCH /tasks/x/assignee": "tasks:write",
}


@pytest.mark.parametrize(("call", "scope"), SCOPED.items(), ids=SCOPED.keys())
async def test_a_key_without_the_scope_is_403_of_the_same_type(sandbox: Sandbox, call: str, scope: str) -> None:
    method, path = call.split()
    answer = await sandbox.topo(method, path, key="contacts alone")
    assert error_of(answer) == (403, "UnauthorizedIssue")
    assert scope in answer.json()["message"]


async def test_me_tells_any_key_its_scopes(sandbox: Sandbox) -> None:
    body = (await sandbox.topo("GET", "/me", key="contacts alone")).json()
    assert set(body) == {"id", "organization_id", "name", "key_prefix", "scopes", "last_used_at", "created_at"}
    assert body["scopes"] == ["contacts:read"]
    full = (await sandbox.topo("GET", "/me")).json()
    assert planted.TOPO_KEY.value.startswith(full["key_prefix"]) and full["key_prefix"] != planted.TOPO_KEY.value


async def test_templates_are_listed_without_their_steps(sandbox: Sandbox) -> None:
    body = (await sandbox.topo("GET", "/sequence-templates", params={"size": "3", "sort_by": "name"})).json()
    assert (body["total_count"], body["total_pages"], body["has_more"]) == (7, 3, True)
    assert set(body["items"][0]) == {
        "id",
        "name",
        "summary",
        "status",
        "step_count",
        "language",
        "timezone",
        "activated_at",
        "created_at",
        "updated_at",
    }
    one = (await sandbox.topo("GET", f"/sequence-templates/{EMAILS}")).json()
    assert (one["name"], one["status"], one["step_count"]) == ("Three e-mails", "ACTIVE", 3)
    named = (await sandbox.topo("GET", "/sequence-templates", params={"name": "Three e-mails"})).json()
    assert named["items"] == [one]
    assert error_of(await sandbox.topo("GET", "/sequence-templates/x")) == (404, "NotFoundIssue")


async def test_a_sequence_is_shown_as_published(sandbox: Sandbox) -> None:
    assert (await sandbox.topo("GET", f"/sequences/{PRIYA}")).json() == {
        "id": PRIYA,
        "organization_id": "22222222-2222-4222-8222-222222222222",
        "contact_id": seed_id("contact", "priya"),
        "sequence_template_id": EMAILS,
        "status": "WAITING_FOR_LEAD",
        "variables": {"first_name": "Priya"},
        "source_contact_list_id": None,
        "last_step_executed_at": None,
        "created_at": "2026-11-20T09:00:00Z",
        "updated_at": "2026-11-20T09:00:00Z",
    }
    assert error_of(await sandbox.topo("GET", "/sequences/x")) == (404, "NotFoundIssue")


@pytest.mark.parametrize(
    ("query", "count", "first"),
    [
        ({}, 6, YUKI),
        ({"sort_order": "desc", "sort_by": "status"}, 6, SAOIRSE),
        ({"status": "FOUND"}, 1, OLUMIDE),
        ({"sequence_template_id": EMAILS, "page": "2", "size": "3"}, 4, PRIYA),
        ({"created_at_after": "2026-11-20T09:00:00Z"}, 0, None),
        ({"created_at_before": "2026-11-20T09:00:00Z"}, 1, YUKI),
    ],
    ids=["all", "sorted", "status", "template and page", "strictly after", "before"],
)
async def test_sequences_are_filtered_sorted_and_paged(
    sandbox: Sandbox, query: dict[str, str], count: int, first: str | None
) -> None:
    body = (await sandbox.topo("GET", "/sequences", params=query)).json()
    assert body["total_count"] == count
    assert [row["id"] for row in body["items"]][:1] == ([first] if first else [])


@pytest.mark.parametrize("query", [{"size": "101"}, {"page": "0"}, {"sort_by": "name"}, {"status": "RUNNING"}])
async def test_a_bad_query_is_a_validation_issue(sandbox: Sandbox, query: dict[str, str]) -> None:
    answer = await sandbox.topo("GET", "/sequences", params=query)
    assert error_of(answer) == (400, "ValidationIssue")
    assert answer.json()["data"] == {"field": next(iter(query))}


async def test_variables_are_merged_and_null_removes_one(sandbox: Sandbox) -> None:
    body = {"variables": {"company": "Loom", "first_name": None}}
    answer = await sandbox.topo("PATCH", f"/sequences/{INES}", json=body)
    assert answer.json()["variables"] == {"company": "Loom"}
    refused: tuple[dict[str, Any], ...] = ({}, {"variables": []}, {"variables": {"a": 1}})
    for wrong in refused:
        assert error_of(await sandbox.topo("PATCH", f"/sequences/{INES}", json=wrong)) == (400, "ValidationIssue")


async def test_a_pause_ends_by_itself_and_its_waits_stand_still(sandbox: Sandbox) -> None:
    paused = await act(sandbox, INES, "pause", LATER)
    assert (paused.status_code, paused.json()["status"]) == (200, "WAITING_FOR_LEAD")
    sandbox.clock.forward(days=9, hours=23)
    assert await status_of(sandbox, INES) == "ACTIVE"
    sandbox.clock.forward(days=2, hours=-1)
    assert (await sandbox.topo("GET", f"/sequences/{INES}")).json()[
        "last_step_executed_at"
    ] == "2026-11-20T09:00:00Z"
    sandbox.clock.forward(hours=1)
    assert (await sandbox.topo("GET", f"/sequences/{INES}")).json()[
        "last_step_executed_at"
    ] == "2026-12-03T08:00:00Z"


async def test_a_second_pause_moves_the_end(sandbox: Sandbox) -> None:
    assert (await act(sandbox, PRIYA, "pause", LATER)).status_code == 200
    sandbox.clock.forward(days=6)
    assert await status_of(sandbox, PRIYA) == "WAITING_FOR_LEAD"


async def test_a_paused_run_is_resumed(sandbox: Sandbox) -> None:
    assert (await act(sandbox, PRIYA, "resume")).json()["status"] == "ACTIVE"


async def test_a_stop_is_for_good(sandbox: Sandbox) -> None:
    assert (await act(sandbox, INES, "stop", LOSE)).json()["status"] == "STOPPED_EARLY"
    sandbox.clock.forward(days=30)
    assert await status_of(sandbox, INES) == "STOPPED_EARLY"
    assert await status_of(sandbox, TOMAS) == "SUCCEEDED"


async def test_a_company_stop_takes_the_colleagues_on_the_template_with_it(sandbox: Sandbox) -> None:
    answer = await act(sandbox, INES, "stop", {"reason": "WIN", "scope": "COMPANY"})
    assert answer.json()["id"] == INES
    assert await status_of(sandbox, TOMAS) == "STOPPED_EARLY"
    assert await status_of(sandbox, PRIYA) == "WAITING_FOR_LEAD"


ILLEGAL = {
    "pause what is found": (OLUMIDE, "pause", LATER),
    "pause what waits for a person": (SAOIRSE, "pause", LATER),
    "pause what is over": (YUKI, "pause", LATER),
    "resume what runs": (INES, "resume", None),
    "resume what is over": (YUKI, "resume", None),
    "stop what is over": (YUKI, "stop", LOSE),
}


@pytest.mark.parametrize(("sequence_id", "verb", "body"), ILLEGAL.values(), ids=ILLEGAL.keys())
async def test_what_the_state_forbids_is_a_business_issue(
    sandbox: Sandbox, sequence_id: str, verb: str, body: dict[str, str] | None
) -> None:
    before = await status_of(sandbox, sequence_id)
    assert error_of(await act(sandbox, sequence_id, verb, body)) == (422, "BusinessIssue")
    assert await status_of(sandbox, sequence_id) == before


INVALID = {
    "a pause in the past": ("pause", {"paused_until": "2026-11-21T09:00:00Z"}),
    "a pause without end": ("pause", {}),
    "a date past the calendar": ("pause", {"paused_until": "9999-12-31T23:59:59-12:00"}),
    "no date": ("pause", {"paused_until": "soon"}),
    "no reason": ("stop", {"scope": "CONTACT"}),
    "no scope": ("stop", {"reason": "WIN"}),
    "another reason": ("stop", {"reason": "DRAW", "scope": "CONTACT"}),
    "the scope of another tool": ("stop", {"reason": "WIN", "scope": "ACCOUNT"}),
}


@pytest.mark.parametrize(("verb", "body"), INVALID.values(), ids=INVALID.keys())
async def test_wrong_input_is_a_validation_issue(sandbox: Sandbox, verb: str, body: dict[str, str]) -> None:
    assert error_of(await act(sandbox, INES, verb, body)) == (400, "ValidationIssue")
    assert await status_of(sandbox, INES) == "ACTIVE"


@pytest.mark.parametrize(("what", "status"), [("approved", "ACTIVE"), ("refused", "REFUSED")])
async def test_a_found_lead_waits_for_a_yes(sandbox: Sandbox, what: str, status: str) -> None:
    sandbox.clock.forward(days=30)
    assert await status_of(sandbox, OLUMIDE) == "FOUND"
    await sandbox.happen("topo", what, OLUMIDE)
    assert await status_of(sandbox, OLUMIDE) == status


async def test_a_failed_run_is_over(sandbox: Sandbox) -> None:
    await sandbox.happen("topo", "failed", INES)
    assert await status_of(sandbox, INES) == "FAILED"
    assert error_of(await act(sandbox, INES, "stop", LOSE)) == (422, "BusinessIssue")
