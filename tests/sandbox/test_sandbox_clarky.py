"""Clarky: keys, scopes, envelopes, limits, contacts and agents."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.secrecy import planted
from tests.world.vendors import START, Sandbox, Server

from sequences_sandbox.world import RequestLimits


def error_of(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["message"]
    return answer.status_code, answer.json()["error"]["code"]


KEYLESS = [
    {},
    {"authorization": f"Bearer {planted.REVOKED_KEY.value}"},
    {"authorization": planted.CLARKY_KEY.value},
]


@pytest.mark.parametrize("headers", KEYLESS)
async def test_a_key_that_is_missing_malformed_or_revoked_is_unauthorized(
    sandbox: Sandbox, headers: dict[str, str]
) -> None:
    answer = await sandbox.http.get("/clarky/api/v1/contacts", headers=headers)
    assert error_of(answer) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["/contacts", "/sequences/start"])
async def test_a_read_only_key_may_not_write(sandbox: Sandbox, path: str) -> None:
    answer = await sandbox.clarky("POST", path, json={}, key="read only")
    assert error_of(answer) == (403, "forbidden")
    assert (await sandbox.clarky("GET", "/contacts", key="read only")).status_code == 200


async def test_every_answer_carries_the_limit_of_its_kind(sandbox: Sandbox) -> None:
    reads = await sandbox.clarky("GET", "/contacts")
    writes = await sandbox.clarky("POST", "/contacts", json={})
    reset = str(int(START.timestamp()) + 60)
    for answer, limit in ((reads, 120), (writes, 60)):
        assert answer.headers["x-ratelimit-limit"] == str(limit)
        assert answer.headers["x-ratelimit-remaining"] == str(limit - 1)
        assert answer.headers["x-ratelimit-reset"] == reset


async def test_requests_past_the_limit_wait_for_the_rolling_minute(sandbox_server: Server) -> None:
    async with sandbox_server.sandbox(limits=RequestLimits(reads=2, writes=1)) as sandbox:
        await sandbox.clarky("GET", "/contacts")
        sandbox.clock.forward(seconds=30)
        await sandbox.clarky("GET", "/contacts")
        refused = await sandbox.clarky("GET", "/contacts")
        assert error_of(refused) == (429, "rate_limited")
        assert refused.json()["error"]["message"] == "Too many requests. Retry after 30 seconds."
        assert (refused.headers["retry-after"], refused.headers["x-ratelimit-remaining"]) == ("30", "0")
        assert (await sandbox.clarky("POST", "/contacts", json={})).status_code == 422
        assert (await sandbox.clarky("GET", "/contacts", key="read only")).status_code == 200
        sandbox.clock.forward(seconds=30)
        assert (await sandbox.clarky("GET", "/contacts")).status_code == 200
        assert (await sandbox.clarky("GET", "/contacts")).status_code == 429


async def test_contacts_are_listed_as_published(sandbox: Sandbox) -> None:
    body = (await sandbox.clarky("GET", "/contacts", params={"page_size": "2"})).json()
    assert body["pagination"] == {"page": 1, "page_size": 2, "total": 3, "total_pages": 2}
    first = body["data"][0]
    assert first["emails"] == [{"email": "ines@loom.example.com", "is_primary": True}]
    assert first["phone_numbers"] == [{"phone_number": "+33639980101", "is_primary": True}]
    published = (
        "id workspace_id bot_id first_name last_name emails phone_numbers company company_id job_title "
        "lead_source tags deal_value pipeline_stage_id contact_type address_line1 address_line2 city state "
        "postal_code country linkedin_url notes custom_fields last_contacted_at created_at updated_at"
    )
    assert set(first) == set(published.split())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"search": "MILLRACE"}, ["Priya"]),
        ({"search": "+447700900123"}, ["Priya"]),
        ({"tags": "autumn,spring", "page": "3", "page_size": "1"}, ["Yuki"]),
        ({"tags": "autumn"}, []),
        ({"lead_source": "fair", "created_after": "2026-11-19T09:00:00Z"}, ["Ines", "Priya"]),
        ({"created_before": "2026-11-18T09:00:00Z"}, ["Yuki"]),
        ({"bot_id": "b_01SANDBOXBEN"}, []),
        ({"page": "9"}, []),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
async def test_contacts_are_filtered_and_paged(sandbox: Sandbox, query: dict[str, str], names: list[str]) -> None:
    rows = (await sandbox.clarky("GET", "/contacts", params=query)).json()["data"]
    assert [row["first_name"] for row in rows] == names


@pytest.mark.parametrize("query", [{"page_size": "101"}, {"page": "0"}, {"created_after": "yesterday"}])
async def test_a_parameter_out_of_bounds_is_a_validation_error(sandbox: Sandbox, query: dict[str, str]) -> None:
    answer = await sandbox.clarky("GET", "/contacts", params=query)
    assert error_of(answer) == (422, "validation_error")
    assert answer.json()["error"]["details"] == {"field": next(iter(query))}


async def test_a_parameter_that_does_not_exist_is_a_bad_request(sandbox: Sandbox) -> None:
    assert error_of(await sandbox.clarky("GET", "/contacts", params={"size": "5"})) == (400, "bad_request")


async def test_a_contact_is_found_by_address_in_any_case(sandbox: Sandbox) -> None:
    path = "/contacts/by-email"
    found = (await sandbox.clarky("GET", path, params={"email": "INES@Loom.example.com"})).json()["data"]
    assert found == (await sandbox.clarky("GET", f"/contacts/{found['id']}")).json()["data"]
    assert error_of(await sandbox.clarky("GET", path, params={"email": "no@one.example"})) == (404, "not_found")
    assert error_of(await sandbox.clarky("GET", path)) == (422, "validation_error")
    assert error_of(await sandbox.clarky("GET", "/contacts/c_x")) == (404, "not_found")


@pytest.mark.parametrize(
    "emails",
    [["a@x.example", "b@x.example"], [{"email": "b@x.example"}, {"email": "a@x.example", "is_primary": True}]],
)
async def test_a_contact_is_created_with_either_shape_of_addresses(sandbox: Sandbox, emails: list[Any]) -> None:
    body = {"bot_id": "b_01SANDBOXADA", "first_name": "Ada", "emails": emails}
    made = await sandbox.clarky("POST", "/contacts", json=body)
    assert made.status_code == 201
    assert made.json()["data"]["emails"] == [
        {"email": "a@x.example", "is_primary": True},
        {"email": "b@x.example", "is_primary": False},
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"emails": ["a@x.example"]}, "bot_id"),
        ({"bot_id": "b_of_another_workspace"}, "bot_id"),
        ({"bot_id": "b_01SANDBOXADA", "first_name": 7}, "first_name"),
        ({"bot_id": "b_01SANDBOXADA", "emails": "a@x.example"}, "emails"),
    ],
    ids=["no bot", "foreign bot", "a number for a name", "a string for a list"],
)
async def test_a_field_that_fails_is_named(sandbox: Sandbox, body: dict[str, Any], field: str) -> None:
    answer = await sandbox.clarky("POST", "/contacts", json=body)
    assert error_of(answer) == (422, "validation_error")
    assert answer.json()["error"]["details"] == {"field": field}


@pytest.mark.parametrize(
    "request_parts",
    [
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"content": b"{}", "headers": {"content-type": "text/plain"}},
        {"content": b"{}"},
    ],
    ids=["bad JSON", "another type", "no type"],
)
async def test_a_malformed_request_is_a_bad_request(sandbox: Sandbox, request_parts: dict[str, Any]) -> None:
    assert error_of(await sandbox.clarky("POST", "/contacts", **request_parts)) == (400, "bad_request")


async def test_agents_show_their_bot_ids(sandbox: Sandbox) -> None:
    rows = (await sandbox.clarky("GET", "/agents")).json()["data"]
    assert [row["id"] for row in rows] == ["b_01SANDBOXADA", "b_01SANDBOXBEN"]
    assert (await sandbox.clarky("GET", f"/agents/{rows[0]['id']}")).json()["data"] == rows[0]
    assert error_of(await sandbox.clarky("GET", "/agents/b_x")) == (404, "not_found")
    assert error_of(await sandbox.clarky("GET", "/nowhere")) == (404, "not_found")
