"""Clarky's documents, as requests on a wire and as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from tests.vendors.vendor_calls import LEAD, answered, fixture, transport
from tests.world.fake_vendor import Act, FakeVendor, reply, serving

from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.errors import InvalidArgumentsError, OutcomeUnknownError, SequencesError
from sequences_mcp.vendors.clarky.client import ClarkyClient, Lead
from sequences_mcp.vendors.clarky.wire import CLARKY, clarky_status

TEMPLATE = "clarky:tpl_01HEXAMPLE"
T = TypeVar("T")


async def asked(act: Act, call: Callable[[ClarkyClient], Awaitable[T]]) -> tuple[T, FakeVendor]:
    async with serving(act) as vendor:
        to = transport(CLARKY, vendor.url)
        found = await call(ClarkyClient(to))
        await to.aclose()
        return found, vendor


async def test_a_start_always_carries_its_key_and_keeps_clarkys_own_review() -> None:
    began, vendor = await asked(
        answered("clarky", "start"), lambda c: c.start(TEMPLATE, contact=LEAD, idempotency_key="lead-1001")
    )
    assert (vendor.seen[0].method, vendor.seen[0].target) == ("POST", "/sequences/start")
    assert vendor.seen[0].json == {
        "template_id": "tpl_01HEXAMPLE",
        "contact": {
            "first_name": "Lucia",
            "emails": ["lucia@example.com"],
            "phone_numbers": ["+34900000000"],
            "notes": "Speaks Spanish.",
        },
        "auto_approve": False,
        "idempotency_key": "lead-1001",
    }
    assert began == "clarky:e_01HEXAMPLE"


async def test_a_start_is_understood_without_its_envelope() -> None:
    began, _ = await asked(
        answered("clarky", "start_without_data"),
        lambda c: c.start(TEMPLATE, contact=LEAD, idempotency_key="k", bot_id="clarky:b_1", auto_approve=True),
    )
    assert began == "clarky:e_01HEXAMPLE"


async def test_a_start_that_tells_the_sequence_alone_has_begun_and_no_enrollment_is_known() -> None:
    began, _ = await asked(
        reply(202, {"data": {"sequence": {"id": "s_1"}, "enrollment": "later"}}),
        lambda c: c.start(TEMPLATE, contact=LEAD, idempotency_key="k"),
    )
    assert began is None


async def test_an_accepted_start_without_any_id_is_unknown() -> None:
    with pytest.raises(OutcomeUnknownError, match="OUTCOME UNKNOWN") as caught:
        await asked(
            reply(202, {"data": {"message": "queued"}}),
            lambda c: c.start(TEMPLATE, contact=LEAD, idempotency_key="k"),
        )
    assert "very same key" in caught.value.next_step


@pytest.mark.parametrize("key", ["", "  ", "k" * 256])
async def test_a_start_without_a_usable_key_is_not_sent(key: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="idempotency key"):
        await ClarkyClient(transport(CLARKY, "http://127.0.0.1:1")).start(
            TEMPLATE, contact=LEAD, idempotency_key=key
        )


async def test_somebody_who_cannot_be_reached_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InvalidArgumentsError, match="neither an e-mail"):
        await ClarkyClient(transport(CLARKY, "http://127.0.0.1:1")).start(
            TEMPLATE, contact=Lead(first_name="Lucia"), idempotency_key="k"
        )


async def test_an_enrollment_tells_its_steps_and_the_one_word_that_is_documented() -> None:
    run, vendor = await asked(
        answered("clarky", "get_enrollment"), lambda c: c.get_enrollment("clarky:e_01HEXAMPLE")
    )
    assert vendor.seen[0].target == "/sequences/enrollments/e_01HEXAMPLE"
    assert (run.status, run.provider_status) == (SequenceStatus.FOUND, "pending_approval")
    assert [step.channel for step in run.steps] == ["email", "voice"]
    assert run.steps[0].scheduled_for == datetime(2026, 5, 7, 9, tzinfo=UTC)
    assert run.steps[1].content == "Good morning"


@pytest.mark.parametrize("word", ["on hold", "step_2", "?", ""])
def test_a_word_that_says_nothing_plain_is_given_no_meaning(word: str) -> None:
    assert clarky_status(word) is None


async def test_an_enrollment_of_an_unknown_shape_is_still_shown() -> None:
    run, _ = await asked(
        reply(200, {"live": {"phase": 2}, "steps": "later"}), lambda c: c.get_enrollment("clarky:e_1")
    )
    assert (run.id, run.status, run.provider_status, run.steps) == ("clarky:e_1", None, None, ())


async def test_contacts_are_searched_by_free_text() -> None:
    page, vendor = await asked(
        answered("clarky", "list_contacts"), lambda c: c.list_contacts(search="ada", page=2, size=500)
    )
    assert vendor.seen[0].target == "/contacts?search=ada&page=2&page_size=100"
    assert page.items[0].emails == ("ada@example.com", "old@example.com")
    assert page.items[0].notes == "[via API] Met at a fair."
    assert page.total_count == 1


async def test_a_contact_is_found_by_its_address() -> None:
    ada, vendor = await asked(
        answered("clarky", "get_contact_by_email"), lambda c: c.get_contact_by_email("ada+x@example.com")
    )
    assert vendor.seen[0].target == "/contacts/by-email?email=ada%2Bx%40example.com"
    assert ada.id == "clarky:c_01HEXAMPLE"


async def test_a_contact_whose_addresses_are_plain_text_is_read_too() -> None:
    shown = answered("clarky", "get_contact_plain_text")
    ada, _ = await asked(shown, lambda c: c.get_contact("clarky:c_01HEXAMPLE"))
    assert ada.fields.email == "ada@example.com"


async def test_agents_are_who_can_send() -> None:
    page, _ = await asked(answered("clarky", "list_agents"), lambda c: c.list_agents())
    agent = page.items[0]
    assert (agent.id, agent.is_enabled) == ("clarky:b_01HEXAMPLE", True)


ERRORS = {
    "error_unauthorized": ("provider_unauthorized", "CLARKY_API_KEY"),
    "error_forbidden": ("provider_forbidden", "scope `write`"),
    "error_not_found": ("not_found", "id"),
    "error_bad_request": ("provider_rejected", "vendor_message"),
    "error_validation_error": ("provider_rejected", "vendor_message"),
    "error_bot_id": ("provider_rejected", "CLARKY_BOT_ID"),
    "error_conflict": ("provider_conflict", "present state"),
    "error_rate_limited": ("rate_limited", "30 seconds"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_every_code_becomes_our_error_with_its_remedy(name: str) -> None:
    code, remedy = ERRORS[name]
    with pytest.raises(SequencesError) as caught:
        await asked(answered("clarky", name), lambda c: c.start(TEMPLATE, contact=LEAD, idempotency_key="k"))
    error, said = caught.value, fixture("clarky", name)["body"]["error"]
    assert (error.code, error.outcome in ("not_done", "refused")) == (code, True)
    assert remedy in error.next_step
    assert (error.data["vendor_code"], error.data["vendor_message"]) == (said["code"], said["message"])
    assert said["message"] not in str(error)


async def test_a_contact_clarky_cannot_use_is_explained() -> None:
    error = {"code": "validation_error", "message": "x", "details": {"field": "contact.phone_numbers"}}
    with pytest.raises(SequencesError, match="cannot use this contact"):
        await asked(reply(422, {"error": error}), lambda c: c.start(TEMPLATE, contact=LEAD, idempotency_key="k"))
