"""What a vendor answers to a start reaches whoever asked: our remedy, and the vendor's words, quoted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.world.kept_starts import asked_for, said_yes
from tests.world.vendors import ENDS, VENDORS, ZOE, Connected, approve, rows, start_at

BILLING = "https://app.kalent.ai/settings/billing"


@dataclass(frozen=True)
class Documented:
    """An error of a vendor's pages, and what it must come to: our code, what helps, a link."""

    vendor: str
    status: int
    code: str
    ours: str
    helps: str
    detail: str | None = None
    link: str | None = None

    @property
    def message(self) -> str:
        return f"{self.vendor} says {self.code} {self.detail or ''}".strip()

    @property
    def body(self) -> dict[str, Any]:
        """The error body as the vendor documents its shape."""
        if self.vendor == "topo":
            facts = {"status_code": self.status, "type": self.code, "message": self.message, "request_id": "req_7"}
            return facts | ({"data": {"field": self.detail}} if self.detail else {})
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.vendor == "clarky":
            return {"error": error | ({"details": {"field": self.detail}} if self.detail else {})}
        details = {"details": {"code": self.detail, "billingUrl": self.link}} if self.detail else {}
        return {"success": False, "error": {**error, "debugTrackingCode": "dbg_7", **details}}

    @property
    def request_id(self) -> str | None:
        return {"kalent": "dbg_7", "topo": "req_7"}.get(self.vendor)


def at(vendor: str, *rows: tuple[Any, ...]) -> list[Any]:
    found = [Documented(vendor, *row) for row in rows]
    return [pytest.param(one, id=f"{vendor}-{one.status}-{one.detail or one.code}") for one in found]


CONNECT = "Connect it in Kalent's settings"
UPGRADE = ("subscription_or_plan_upgrade_required", BILLING)
REFUSALS = [
    *at(
        "kalent",
        (400, "validation_error", "provider_rejected", "quotes which"),
        (401, "missing_api_key", "provider_unauthorized", "KALENT_API_KEY"),
        (401, "invalid_api_key", "provider_unauthorized", "KALENT_API_KEY"),
        (402, "plan_upgrade_required", "plan_upgrade_required", BILLING, *UPGRADE),
        (402, "insufficient_credits", "insufficient_credits", BILLING, None, BILLING),
        (403, "forbidden", "channel_not_connected", CONNECT, "linkedin_not_connected_or_syncing"),
        (403, "forbidden", "channel_not_connected", CONNECT, "whatsapp_not_connected_or_syncing"),
        (403, "forbidden", "channel_not_connected", CONNECT, "email_not_connected_or_syncing"),
        (403, "forbidden", "channel_not_connected", CONNECT, "sms_not_connected_or_syncing"),
        (403, "forbidden", "channel_not_connected", "Recruiter", "linkedin_inmail_not_available"),
        (403, "forbidden", "provider_forbidden", "may do"),
        (404, "not_found", "not_found", "Look the id up"),
    ),
    *at(
        "clarky",
        (400, "bad_request", "provider_rejected", "`vendor_message` quotes"),
        (401, "unauthorized", "provider_unauthorized", "CLARKY_API_KEY"),
        (403, "forbidden", "provider_forbidden", "Standard"),
        (404, "not_found", "not_found", "Look the id up"),
        (409, "conflict", "provider_conflict", "present state"),
        (422, "validation_error", "provider_rejected", "CLARKY_BOT_ID", "bot_id"),
        (422, "validation_error", "provider_rejected", "E.164", "contact.phone_numbers"),
        (422, "validation_error", "provider_rejected", "`vendor_message` quotes", "template_id"),
    ),
    *at(
        "topo",
        (400, "ValidationIssue", "provider_rejected", "`vendor_message` quotes", "items.0.email"),
        (401, "UnauthorizedIssue", "provider_unauthorized", "TOPO_API_KEY"),
        (403, "UnauthorizedIssue", "provider_forbidden", "contact_lists:write"),
        (404, "NotFoundIssue", "not_found", "Look the id up"),
        (409, "CommitIssue", "provider_conflict", "present state"),
        (422, "BusinessIssue", "provider_conflict", "present state"),
    ),
]
UNAVAILABLE = [
    *at(
        "kalent",
        (503, "temporal_unavailable", "outcome_unknown", "check_operation"),
        (500, "internal_error", "outcome_unknown", "check_operation"),
    ),
    *at("clarky", (500, "internal_error", "outcome_unknown", "check_operation")),
    *at("topo", (500, "InternalIssue", "outcome_unknown", "check_operation")),
]
LIMITS = [
    *at("kalent", (429, "rate_limit_exceeded", "rate_limited", "Try again in")),
    *at("clarky", (429, "rate_limited", "rate_limited", "Try again in")),
    *at("topo", (429, "RateLimitIssue", "rate_limited", "Try again in")),
]


def is_told(told: dict[str, Any], said: Documented) -> None:
    """The object holds our code and remedy, and what the vendor said in fields of its own."""
    assert (told["code"], told.get("link")) == (said.ours, said.link), told
    assert said.helps in told["next"]
    assert (told["vendor_status"], told["vendor_code"]) == (said.status, said.code)
    assert (told["vendor_message"], told.get("vendor_detail")) == (said.message, said.detail)
    assert told.get("request_id") == said.request_id
    assert said.message not in told["message"] + told["next"]


async def refused(vendors: Connected, said: Documented, **more: Any) -> None:
    """Let the next start be answered so."""
    path = ENDS[said.vendor]
    await vendors.sandbox.fault(
        "body", vendor=said.vendor, path=path, status=said.status, body=said.body, act=False, **more
    )


@pytest.mark.parametrize("said", REFUSALS)
async def test_a_refused_start_says_why_what_helps_and_quotes_the_vendor(
    vendors: Connected, said: Documented
) -> None:
    start, asked = await asked_for(vendors, said.vendor)
    async with vendors.client() as desktop:
        await refused(vendors, said, times=2 if said.vendor == "clarky" else 1)
        await approve(vendors, asked)
        told = await start.told(desktop)
    async with vendors.client() as desktop:  # another process: it is stored
        run = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
    [error] = told["handed_over"]["errors"]
    assert (told["outcome"], told["sent"]) == ("not_done", "nothing")
    assert "idempotency_key" in told["next"]
    assert (error.pop("people"), told["handed_over"]["not_done"]) == (2, 2)
    is_told(error, said)
    assert run["error"] == error
    assert "why" not in told["handed_over"]


@pytest.mark.parametrize("said", UNAVAILABLE)
async def test_an_unknown_start_is_unknown_everywhere_and_keeps_the_vendors_last_answer(
    vendors: Connected, said: Documented
) -> None:
    start, asked = await asked_for(vendors, said.vendor, contacts=[ZOE] if said.vendor != "kalent" else None)
    async with vendors.client() as desktop:
        await refused(vendors, said, times=3)
        await approve(vendors, asked)
        [(operation,)] = rows(vendors, "SELECT id FROM vendor_operation WHERE tool = 'start_sequence'")
        told = await start.told(desktop)
        run = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
        checked = await desktop.call("check_operation", operation_id=operation)
    [error] = told["handed_over"]["errors"]
    error.pop("people")
    assert (told["outcome"], told["sent"], checked["sent"]) == ("unknown", "unknown", "unknown")
    assert told["handed_over"]["operation_ids"] == [operation]
    assert operation in told["next"] and run["operation_id"] == operation
    assert error["operation_id"] == operation
    is_told(error, said)
    assert run["error"] == error
    assert checked["last_answer"] == error
    assert ("workflow engine" in error.get("cause", "")) == (said.code == "temporal_unavailable")


@pytest.mark.parametrize("said", LIMITS)
async def test_a_start_that_is_put_off_says_why_until_the_vendor_has_it(
    vendors: Connected, said: Documented
) -> None:
    start, asked = await asked_for(vendors, said.vendor)
    async with vendors.client() as desktop:
        await refused(vendors, said, times=3 if said.vendor == "clarky" else 1)
        await approve(vendors, asked)
        run = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
        told = await start.told(desktop)
        late = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
    assert (run["status"], run["error"]["retryable"]) == ("FOUND", True)
    is_told(run["error"], said)
    assert (told["handed_over"]["done"], told["handed_over"].get("errors")) == (2, None)
    assert "error" not in late


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_vendor_that_is_down_before_the_request_is_named_while_people_wait(
    vendors: Connected, vendor: Any
) -> None:
    async with vendors.client() as desktop:
        start = await start_at(vendor, desktop)
        start.more["idempotency_key"] = "one"  # a derived key reads the template first
        asked = await start.ask(desktop)
        await approve(vendors, asked, go=False)
    reads = {"kalent": "/candidates/*", "topo": "/sequence-templates/*"}.get(vendor, ENDS[vendor])
    await vendors.sandbox.fault("status", vendor=vendor, path=reads, status=429, retry_after=7200, times=9)
    async with vendors.client() as desktop:
        told = await start.told(desktop)
    assert (told["handed_over"]["waiting"], told["sent"]) == (2, "nothing")
    assert told["handed_over"]["errors"][0]["code"] == "rate_limited"
    assert "tried again by itself" in told["next"]
    assert asked["plan_id"] == told["plan_id"]


async def test_different_answers_are_counted_apart_and_equal_ones_together(vendors: Connected) -> None:
    people = [{"email": f"p{number}@new.example", "first_name": "Zoe"} for number in range(6)]
    start, asked = await asked_for(vendors, "clarky", contacts=people)
    async with vendors.client() as desktop:
        for code, times in (("template_id", 3), ("contact", 1)):
            said = Documented("clarky", 422, "validation_error", "provider_rejected", "", code)
            await refused(vendors, said, times=times)
        await approve(vendors, asked)
        told = await start.told(desktop)
    errors = told["handed_over"]["errors"]
    assert [(one["people"], one["vendor_detail"]) for one in errors] == [(3, "template_id"), (1, "contact")]
    assert (told["outcome"], told["handed_over"]["done"]) == ("done", 2)
    assert told["sent"].startswith("2 handed over to Clarky")


async def test_whom_topo_does_not_take_keeps_topos_words(vendors: Connected) -> None:
    start, asked = await asked_for(vendors, "topo")
    async with vendors.client() as desktop:
        await vendors.sandbox.topo("POST", "/contact-exclusions", json={"email": ZOE["email"], "reason": "OTHER"})
        await approve(vendors, asked)
        told = await start.told(desktop)
        run = await desktop.call("get_sequence", sequence_id=asked["sample"]["sequence_id"])
    [error] = told["handed_over"]["errors"]
    assert (error["people"], error["code"], error["vendor_code"]) == (1, "provider_rejected", "BusinessIssue")
    assert error["vendor_message"] and run["error"]["vendor_message"] == error["vendor_message"]
    assert run["reason"] == "Topo did not take this person."


async def test_what_clarky_has_in_its_review_queue_is_not_called_sent(vendors: Connected) -> None:
    start, _ = await said_yes(vendors, "clarky", go=True)
    async with vendors.client() as desktop:
        vendors.sandbox.clock.forward(minutes=5)
        told = await start.told(desktop)
    assert told["sent"] == "2 handed over to Clarky: its texts wait for approval in Clarky's review queue"
    assert "waiting for approval at Clarky" in told["next"]
    assert "handed over" not in told["next"] and "leave" not in told["next"]
