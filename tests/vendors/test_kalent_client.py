"""Kalent's documents, as requests on a wire and as values."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from tests.vendors.vendor_calls import FIXTURES, SOURCING, STEP, answered, fixture, transport
from tests.world.fake_vendor import Act, FakeVendor, reply, serving

from sequences_mcp.domain.run import LIVE, TERMINAL, SequenceStatus
from sequences_mcp.errors import InvalidArgumentsError, OutcomeUnknownError, SequencesError
from sequences_mcp.vendors.kalent.client import CandidateFilter, KalentClient
from sequences_mcp.vendors.kalent.wire import BY_CODE, BY_DETAIL, KALENT, kalent_status

GRACE = "kalent:candidate_123"
BLUEPRINT = "kalent:blueprint_123"
T = TypeVar("T")


async def asked(act: Act, call: Callable[[KalentClient], Awaitable[T]]) -> tuple[T, FakeVendor]:
    async with serving(act) as vendor:
        to = transport(KALENT, vendor.url)
        found = await call(KalentClient(to))
        await to.aclose()
        return found, vendor


async def test_sourcings_are_paged_from_one_here_and_from_zero_there() -> None:
    page, vendor = await asked(answered("kalent", "list_sourcings"), lambda c: c.list_sourcings(page=3, size=80))
    assert vendor.seen[0].target == "/v1/sourcings?page=2&pageSize=50&ownership=mine&status=in-progress"
    assert [(one.id, one.name) for one in page.items] == [("kalent:sourcing_123", "Senior Backend Engineer")]
    assert (page.page, page.size, page.total_count, page.has_more) == (3, 50, 1, False)


async def test_candidates_are_filtered_by_the_documented_parameters() -> None:
    wanted = CandidateFilter(
        search="grace h", status_handles=("CONTACTED", "X"), sort_field="name", sort_order="asc"
    )
    page, vendor = await asked(
        answered("kalent", "list_candidates"), lambda c: c.list_candidates(SOURCING, wanted=wanted)
    )
    assert vendor.seen[0].target == (
        "/v1/sourcings/sourcing_123/candidates?pageIndex=0&pageSize=10&search=grace+h"
        "&statusHandle=CONTACTED&statusHandle=X&sortField=name&sortOrder=asc"
    )
    grace = page.items[0]
    assert (grace.id, grace.talent_id, grace.sourcing_id) == (GRACE, "kalent:talent_123", SOURCING)
    assert (grace.fields.first_name, grace.fields.job_title, grace.fields.location) == (
        "Grace",
        "Software Engineer",
        "Paris",
    )
    assert grace.provider_status == "TO_BE_CONTACTED"
    assert grace.created_at == datetime(2026, 5, 19, 9, tzinfo=UTC)


async def test_one_candidate_has_addresses_and_numbers() -> None:
    grace, _ = await asked(answered("kalent", "get_candidate"), lambda c: c.get_candidate(GRACE))
    assert (grace.fields.email, grace.fields.phone) == ("grace@example.com", "+33100000000")


async def test_addresses_may_come_as_objects() -> None:
    body = fixture("kalent", "get_candidate")["body"]
    talent = {
        **body["data"]["talent"],
        "emails": [{"email": "g@example.com", "type": "work"}],
        "phones": [None, 7],
    }
    act = reply(200, {"success": True, "data": {**body["data"], "talent": talent}})
    grace, _ = await asked(act, lambda c: c.get_candidate(GRACE))
    assert (grace.emails, grace.phones) == (("g@example.com",), ())


async def test_a_talent_is_added_by_its_own_id() -> None:
    candidate_id, vendor = await asked(
        answered("kalent", "add_talent"), lambda c: c.add_talent(SOURCING, talent_id="kalent:talent_123")
    )
    assert (vendor.seen[0].method, vendor.seen[0].target) == ("POST", "/v1/sourcings/sourcing_123/candidates")
    assert vendor.seen[0].json == {"talentId": "talent_123"}
    assert candidate_id.startswith("kalent:candidate_")


async def test_a_blueprint_is_created_with_steps_in_kalents_own_names() -> None:
    made, vendor = await asked(
        answered("kalent", "create_blueprint"), lambda c: c.create_blueprint(SOURCING, name="O", steps=[STEP])
    )
    assert vendor.seen[0].target == "/v1/sourcings/sourcing_123/sequence-blueprints"
    assert vendor.seen[0].json["steps"] == [
        {
            "id": "s1",
            "name": "Hello",
            "type": "EMAIL",
            "subject": "{{sourcingJobTitle}}",
            "content": "Hello {{firstname}}",
            "temporalityType": "ASAP",
        }
    ]
    assert made == BLUEPRINT


async def test_a_change_sends_only_what_changes() -> None:
    _, vendor = await asked(
        answered("kalent", "update_blueprint"), lambda c: c.update_blueprint(BLUEPRINT, name="New")
    )
    assert (vendor.seen[0].method, vendor.seen[0].target) == ("PATCH", "/v1/sequence-blueprints/blueprint_123")
    assert vendor.seen[0].json == {"name": "New"}
    with pytest.raises(InvalidArgumentsError):
        await KalentClient(transport(KALENT, "http://127.0.0.1:1")).update_blueprint(BLUEPRINT)


async def test_a_start_names_its_candidates_once_each() -> None:
    ids = ["kalent:candidate_1", "kalent:candidate_2", "kalent:candidate_1"]
    _, vendor = await asked(answered("kalent", "start"), lambda c: c.start(BLUEPRINT, candidate_ids=ids))
    assert vendor.seen[0].target == "/v1/sequence-blueprints/blueprint_123/start"
    assert vendor.seen[0].json == {"candidateIds": ["candidate_1", "candidate_2"]}


@pytest.mark.parametrize("count", [0, 101])
async def test_one_start_takes_from_one_to_a_hundred(count: int) -> None:
    ids = [f"kalent:c{index}" for index in range(count)]
    with pytest.raises(InvalidArgumentsError, match="from 1 to 100"):
        await KalentClient(transport(KALENT, "http://127.0.0.1:1")).start(BLUEPRINT, candidate_ids=ids)


NOT_A_START = {
    "not dispatched": {"started": False, "candidateCount": 2},
    "not said": {"candidateCount": 2},
    "said otherwise": {"started": "true"},
    "another blueprint": {"started": True, "blueprintId": "blueprint_9"},
    "another number": {"started": True, "candidateCount": 1},
}


@pytest.mark.parametrize("data", NOT_A_START.values(), ids=NOT_A_START.keys())
async def test_only_a_start_that_is_said_plainly_is_done(data: dict[str, object]) -> None:
    ids = ["kalent:candidate_1", "kalent:candidate_2"]
    with pytest.raises(OutcomeUnknownError) as caught:
        await asked(reply(200, {"success": True, "data": data}), lambda c: c.start(BLUEPRINT, candidate_ids=ids))
    assert "get_sequence" in caught.value.next_step


async def test_a_run_tells_its_status_in_both_words_and_what_nobody_here_knows() -> None:
    run, vendor = await asked(answered("kalent", "dynamic_sequence"), lambda c: c.get_dynamic_sequence(GRACE))
    assert vendor.seen[0].target == "/v1/candidates/candidate_123/dynamic-sequence"
    assert run is not None and run.progress is not None and run.action_required is not None
    assert (run.id, run.contact_id) == ("kalent:sequence_123", GRACE)
    assert (run.status, run.provider_status) == (SequenceStatus.WAITING_FOR_USER, "ACTION_REQUIRED")
    assert run.needs_action
    assert json.loads(run.progress) == {"completedSteps": 1, "totalSteps": 3}
    assert json.loads(run.action_required) == {"actionRequired": {"type": "draft"}}


async def test_a_candidate_without_a_run_has_none() -> None:
    act = answered("kalent", "dynamic_sequence_none")
    run, _ = await asked(act, lambda c: c.get_dynamic_sequence(GRACE))
    assert run is None


def test_every_documented_status_has_a_meaning_and_a_new_one_has_none() -> None:
    running = {"SCHEDULED", "WAITING_FOR_ACCEPTANCE", "ACTION_REQUIRED", "ERROR", "PAUSED"}
    over = {"TALENT_REPLIED", "COMPLETED"}
    assert all(kalent_status(word) in LIVE for word in running)
    assert all(kalent_status(word) in TERMINAL for word in over)
    assert kalent_status("NEW_WORD") is None
    assert kalent_status(None) is None


async def test_a_status_nobody_knows_is_passed_on_and_may_be_live() -> None:
    body = fixture("kalent", "dynamic_sequence")["body"]
    data = {**body["data"], "sequence": {"sequenceId": "s", "displayStatus": "ON_HOLD"}}
    run, _ = await asked(reply(200, {"success": True, "data": data}), lambda c: c.get_dynamic_sequence(GRACE))
    assert run is not None
    assert (run.status, run.provider_status, run.may_be_live) == (None, "ON_HOLD", True)


ERRORS = {
    "error_missing_api_key": ("provider_unauthorized", "KALENT_API_KEY"),
    "error_invalid_api_key": ("provider_unauthorized", "KALENT_API_KEY"),
    "error_older_shape": ("provider_unauthorized", "KALENT_API_KEY"),
    "error_plan_create_sourcings": ("plan_upgrade_required", "https://app.kalent.ai/settings/billing"),
    "error_plan_use_outreach_integrations": ("plan_upgrade_required", "https://app.kalent.ai/settings/billing"),
    "error_insufficient_credits": ("insufficient_credits", "credits"),
    "error_rate_limit_exceeded": ("rate_limited", "Try again"),
    "error_validation_error": ("provider_rejected", "check_blueprint"),
    "error_missing_enrich_providers": ("provider_rejected", "set one up"),
    "error_not_found": ("not_found", "id"),
    "error_linkedin_not_connected_or_syncing": ("channel_not_connected", "Connect it"),
    "error_whatsapp_not_connected_or_syncing": ("channel_not_connected", "Connect it"),
    "error_email_not_connected_or_syncing": ("channel_not_connected", "Connect it"),
    "error_linkedin_inmail_not_available": ("channel_not_connected", "Recruiter or Sales Navigator"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_every_code_becomes_our_error_with_its_remedy(name: str) -> None:
    code, remedy = ERRORS[name]
    with pytest.raises(SequencesError) as caught:
        await asked(answered("kalent", name), lambda c: c.start(BLUEPRINT, candidate_ids=[GRACE]))
    error, said = caught.value, fixture("kalent", name)["body"]["error"]
    assert (error.code, error.outcome in ("not_done", "refused")) == (code, True)
    assert remedy in error.next_step
    message = said if isinstance(said, str) else said["message"]
    assert error.data["vendor_message"] == message
    assert message not in str(error)
    if not isinstance(said, str):
        assert (error.data["vendor_code"], error.data["request_id"]) == (said["code"], "dbg_123")


@pytest.mark.parametrize("name", ["error_temporal_unavailable", "error_internal_error"])
async def test_a_5xx_of_a_start_is_unknown_and_says_what_kalent_said(name: str) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        await asked(answered("kalent", name), lambda c: c.start(BLUEPRINT, candidate_ids=[GRACE]))
    assert caught.value.data["vendor_code"] == name.removeprefix("error_")
    assert caught.value.data["request_id"] == "dbg_123"


async def test_a_channel_kalent_adds_later_is_explained_too() -> None:
    error = {"code": "forbidden", "message": "x", "details": {"code": "sms_not_connected_or_syncing"}}
    with pytest.raises(SequencesError) as caught:
        await asked(
            reply(403, {"success": False, "error": error}), lambda c: c.start(BLUEPRINT, candidate_ids=[GRACE])
        )
    assert caught.value.code == "channel_not_connected"


def test_every_remedy_has_a_documented_reply() -> None:
    documented = [file.stem for file in (FIXTURES / "kalent").glob("error_*.json")]
    errors = [fixture("kalent", name)["body"]["error"] for name in documented]
    newer = [error for error in errors if isinstance(error, dict)]
    assert set(BY_CODE) <= {error["code"] for error in newer}
    assert set(BY_DETAIL) <= {error.get("details", {}).get("code") for error in newer}
