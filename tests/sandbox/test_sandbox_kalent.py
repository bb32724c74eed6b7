"""Kalent: keys, envelopes, sourcings, candidates, enrichment."""

from __future__ import annotations

import httpx
import pytest
from tests.secrecy import planted
from tests.world.vendors import Sandbox


def error_of(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    assert body["error"]["message"] and body["error"]["debugTrackingCode"]
    return answer.status_code, body["error"]["code"]


async def test_a_call_without_a_key_is_told_that_it_is_missing(sandbox: Sandbox) -> None:
    assert error_of(await sandbox.http.get("/kalent/api/v1/sourcings")) == (401, "missing_api_key")


KEYLESS = [
    {"x-api-key": planted.REVOKED_KEY.value},
    {"authorization": f"Bearer {planted.KALENT_KEY.value}"},
]


@pytest.mark.parametrize("headers", KEYLESS)
async def test_a_key_that_is_not_one_is_invalid(sandbox: Sandbox, headers: dict[str, str]) -> None:
    answer = await sandbox.http.get("/kalent/api/v1/sourcings", headers=headers)
    assert error_of(answer) == (401, "invalid_api_key")


async def test_a_path_that_does_not_exist_is_not_found_in_kalents_words(sandbox: Sandbox) -> None:
    assert error_of(await sandbox.kalent("GET", "/nowhere")) == (404, "not_found")


async def test_sourcings_are_listed_as_published(sandbox: Sandbox) -> None:
    answer = await sandbox.kalent("GET", "/sourcings")
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "data": {
            "sourcings": [
                {"sourcingId": "sourcing_1", "name": "Senior Backend Engineer"},
                {"sourcingId": "sourcing_2", "name": "Product Designer"},
            ],
            "pagination": {"page": 0, "pageSize": 8, "total": 2, "hasNextPage": False},
        },
    }


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"ownership": "all"}, ["sourcing_1", "sourcing_2", "sourcing_3"]),
        ({"status": "closed"}, ["sourcing_4"]),
        ({"pageSize": "1", "page": "1"}, ["sourcing_2"]),
        ({"page": "9"}, []),
    ],
    ids=["all", "closed", "second page", "past the end"],
)
async def test_sourcings_are_filtered_and_paged(sandbox: Sandbox, query: dict[str, str], ids: list[str]) -> None:
    data = (await sandbox.kalent("GET", "/sourcings", params=query)).json()["data"]
    assert [row["sourcingId"] for row in data["sourcings"]] == ids


@pytest.mark.parametrize(
    "query",
    [
        {"page": "-1"},
        {"pageSize": "51"},
        {"pageSize": "0"},
        {"page": "two"},
        {"ownership": "ours"},
        {"status": "open"},
    ],
    ids=lambda query: "-".join(*query.items()),
)
async def test_a_bad_query_is_a_validation_error(sandbox: Sandbox, query: dict[str, str]) -> None:
    assert error_of(await sandbox.kalent("GET", "/sourcings", params=query)) == (400, "validation_error")


async def test_a_sourcing_is_created_from_an_empty_object_and_listed(sandbox: Sandbox) -> None:
    made = (await sandbox.kalent("POST", "/sourcings", json={})).json()["data"]
    assert set(made) == {"sourcingId", "name"}
    listed = (await sandbox.kalent("GET", "/sourcings")).json()["data"]["sourcings"]
    assert made in listed


async def test_a_sourcing_takes_no_other_key(sandbox: Sandbox) -> None:
    answer = await sandbox.kalent("POST", "/sourcings", json={"name": "Engineer"})
    assert error_of(answer) == (400, "validation_error")


async def test_a_plan_without_sourcings_is_told_where_to_upgrade(sandbox: Sandbox) -> None:
    answer = await sandbox.kalent("POST", "/sourcings", json={}, key="no plan for outreach")
    assert error_of(answer) == (402, "plan_upgrade_required")
    assert answer.json()["error"]["details"] == {
        "code": "subscription_or_plan_upgrade_required",
        "action": "subscribe_or_upgrade",
        "capability": "create_sourcings",
        "billingUrl": "https://app.kalent.ai/settings/billing",
    }


async def test_candidates_are_listed_as_published_without_those_not_retained(sandbox: Sandbox) -> None:
    data = (await sandbox.kalent("GET", "/sourcings/sourcing_1/candidates")).json()["data"]
    assert data["pagination"] == {"pageIndex": 0, "pageSize": 25, "total": 3, "hasNextPage": False}
    assert data["candidates"][0] == {
        "candidate": {
            "id": "candidate_ines",
            "statusHandle": "TO_BE_CONTACTED",
            "createdAt": "2026-11-14T09:00:00.000Z",
            "sourcingId": "sourcing_1",
            "talentId": "talent_ines",
        },
        "talent": {
            "id": "talent_ines",
            "firstname": "Ines",
            "lastname": "Ferrand",
            "jobTitle": "Staff Engineer",
            "city": "Lyon",
            "linkedinUrl": "https://www.linkedin.com/in/ines-example",
        },
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"statusHandle": ["NOT_RETAINED", "CONTACTED"]}, ["Olumide", "Saoirse"]),
        ({"location": "London", "sortField": "name", "sortOrder": "desc"}, ["Priya", "Olumide"]),
        ({"search": "data eng"}, ["Priya"]),
        ({"currentCompany": "Loom and Sons"}, ["Ines"]),
        ({"jobTitle": ["Staff Engineer", "Platform Lead"]}, ["Ines", "Olumide"]),
        ({"pageSize": "2", "pageIndex": "1"}, ["Olumide"]),
    ],
    ids=["status", "sorted", "search", "company", "job titles", "second page"],
)
async def test_candidates_are_filtered_sorted_and_paged(
    sandbox: Sandbox, query: dict[str, str | list[str]], names: list[str]
) -> None:
    data = (await sandbox.kalent("GET", "/sourcings/sourcing_1/candidates", params=query)).json()["data"]
    assert [row["talent"]["firstname"] for row in data["candidates"]] == names


async def test_a_talent_added_twice_is_one_candidate_who_is_to_be_contacted_again(sandbox: Sandbox) -> None:
    path = "/sourcings/sourcing_1/candidates"
    again = (await sandbox.kalent("POST", path, json={"talentId": "talent_olumide"})).json()["data"]
    assert set(again) == {"candidateId", "talentId", "sourcingId", "statusHandle", "userRating", "createdAt"}
    assert (again["candidateId"], again["statusHandle"]) == ("candidate_olumide", "TO_BE_CONTACTED")
    first = (await sandbox.kalent("POST", path, json={"talentId": "talent_tomas"})).json()["data"]
    second = (await sandbox.kalent("POST", path, json={"talentId": "talent_tomas"})).json()["data"]
    assert first == second


@pytest.mark.parametrize(
    ("path", "body", "key", "error"),
    [
        ("sourcing_1", {"talentId": "talent_nobody"}, "everything", (404, "not_found")),
        ("sourcing_9", {"talentId": "talent_tomas"}, "everything", (404, "not_found")),
        ("sourcing_1", {}, "everything", (400, "validation_error")),
        ("sourcing_1", {"talentId": "talent_tomas"}, "no credits left", (402, "insufficient_credits")),
    ],
    ids=["unknown talent", "unknown sourcing", "no talent", "no credits"],
)
async def test_a_talent_that_cannot_be_added_is_not(
    sandbox: Sandbox, path: str, body: dict[str, str], key: str, error: tuple[int, str]
) -> None:
    answer = await sandbox.kalent("POST", f"/sourcings/{path}/candidates", json=body, key=key)
    assert error_of(answer) == error
    total = (await sandbox.kalent("GET", "/sourcings/sourcing_1/candidates")).json()["data"]["pagination"]["total"]
    assert total == 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null"])
async def test_a_body_that_is_no_object_is_a_validation_error(sandbox: Sandbox, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await sandbox.kalent("POST", "/sourcings", content=content, headers=headers)
    assert error_of(answer) == (400, "validation_error")


async def test_an_enrichment_is_found_after_a_while(sandbox: Sandbox) -> None:
    path = "/candidates/candidate_olumide"
    begun = await sandbox.kalent("POST", f"{path}/enrich-contacts", json={"enrichmentType": "personalEmail"})
    expected = {
        "candidateId": "candidate_olumide",
        "talentId": "talent_olumide",
        "enrichmentType": "personalEmail",
    }
    assert begun.json()["data"] == expected
    talent = (await sandbox.kalent("GET", path)).json()["data"]["talent"]
    assert (talent["emails"], talent["contactsLoading"]) == ([], {"email": True, "phone": False})
    sandbox.clock.forward(seconds=20)
    talent = (await sandbox.kalent("GET", path)).json()["data"]["talent"]
    assert talent["emails"] == ["olumide@millrace.example.org"]
    assert talent["contactsLoading"] == {"email": False, "phone": False}


@pytest.mark.parametrize(
    ("body", "key", "error"),
    [
        ({"enrichmentType": "fax"}, "everything", (400, "validation_error")),
        ({"enrichmentType": "all"}, "no enrichment provider", (400, "missing_enrich_providers")),
        ({"enrichmentType": "all"}, "no credits left", (402, "insufficient_credits")),
    ],
    ids=["kind", "provider", "credits"],
)
async def test_an_enrichment_may_be_refused(
    sandbox: Sandbox, body: dict[str, str], key: str, error: tuple[int, str]
) -> None:
    answer = await sandbox.kalent("POST", "/candidates/candidate_ines/enrich-contacts", json=body, key=key)
    assert error_of(answer) == error


async def test_text_that_is_no_text_does_not_break_the_answer(sandbox: Sandbox) -> None:
    path, headers = "/sourcings/sourcing_1/sequence-blueprints", {"content-type": "application/json"}
    answer = await sandbox.kalent("POST", path, content=b'{"name": "\\ud800"}', headers=headers)
    assert (answer.status_code, answer.json()["data"]["name"]) == (200, "?")


async def test_an_unknown_candidate_is_not_found(sandbox: Sandbox) -> None:
    assert error_of(await sandbox.kalent("GET", "/candidates/nobody")) == (404, "not_found")
