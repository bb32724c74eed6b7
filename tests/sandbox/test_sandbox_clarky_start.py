"""Clarky: starts, their idempotency keys, and enrollments from generation to the end."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.vendors import Sandbox

MEETING, REPLY, CALL = "tpl_01SANDBOXMEETING", "tpl_01SANDBOXREPLY", "tpl_01SANDBOXCALL"
LUCIA = {"first_name": "Lucia", "emails": ["lucia@example.com"], "phone_numbers": ["+34900000000"]}


async def start(sandbox: Sandbox, **body: Any) -> dict[str, Any]:
    answer = await sandbox.clarky(
        "POST", "/sequences/start", json={"template_id": MEETING, "contact": LUCIA, **body}
    )
    assert answer.status_code == 202, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def enrollment(sandbox: Sandbox, started: dict[str, Any]) -> dict[str, Any]:
    answer = await sandbox.clarky("GET", f"/sequences/enrollments/{started['enrollment_id']}", key="read only")
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_a_start_is_accepted_before_its_texts_are_there(sandbox: Sandbox) -> None:
    started = await start(sandbox)
    assert set(started) == {"sequence_id", "enrollment_id", "contact_id", "status"}
    seen = await enrollment(sandbox, started)
    assert (seen["status"], seen["steps"]) == ("generating", [])


async def test_a_generated_enrollment_waits_for_approval_and_nothing_leaves(sandbox: Sandbox) -> None:
    started = await start(sandbox)
    sandbox.clock.forward(days=30)
    seen = await enrollment(sandbox, started)
    assert seen["status"] == "pending_approval"
    assert [(step["channel"], step["status"], step["sent_at"]) for step in seen["steps"]] == [
        ("email", "draft", None),
        ("email", "draft", None),
        ("voice", "draft", None),
    ]
    assert "Lucia" in seen["steps"][0]["body"]


async def test_an_approved_enrollment_sends_each_touch_on_its_day(sandbox: Sandbox) -> None:
    started = await start(sandbox)
    assert (await sandbox.happen("clarky", "approved", started["enrollment_id"])).status_code == 400
    sandbox.clock.forward(minutes=1)
    assert (await sandbox.happen("clarky", "approved", started["enrollment_id"])).status_code == 200
    sandbox.clock.forward(days=3)
    seen = await enrollment(sandbox, started)
    assert seen["status"] == "running"
    assert [step["status"] for step in seen["steps"]] == ["sent", "sent", "scheduled"]
    assert [step["scheduled_for"] for step in seen["steps"]] == [
        "2026-11-21T09:01:00Z",
        "2026-11-24T09:01:00Z",
        "2026-11-26T09:01:00Z",
    ]
    sandbox.clock.forward(days=2)
    assert (await enrollment(sandbox, started))["status"] == "completed"


async def test_auto_approve_sends_as_soon_as_the_texts_are_there(sandbox: Sandbox) -> None:
    started = await start(sandbox, auto_approve=True)
    sandbox.clock.forward(seconds=44)
    assert (await enrollment(sandbox, started))["status"] == "generating"
    sandbox.clock.forward(seconds=1)
    seen = await enrollment(sandbox, started)
    assert (seen["status"], seen["steps"][0]["sent_at"]) == ("running", "2026-11-21T09:00:45Z")


async def test_a_rejected_enrollment_stays_so(sandbox: Sandbox) -> None:
    started = await start(sandbox)
    sandbox.clock.forward(minutes=1)
    await sandbox.happen("clarky", "rejected", started["enrollment_id"])
    sandbox.clock.forward(days=9)
    assert (await enrollment(sandbox, started))["status"] == "rejected"
    assert (await sandbox.happen("clarky", "approved", started["enrollment_id"])).status_code == 400


@pytest.mark.parametrize(("what", "last"), [("replied", "scheduled"), ("failed", "cancelled")])
async def test_what_happens_to_an_enrollment_holds_its_touches(sandbox: Sandbox, what: str, last: str) -> None:
    started = await start(sandbox, auto_approve=True)
    sandbox.clock.forward(minutes=1)
    await sandbox.happen("clarky", what, started["enrollment_id"])
    sandbox.clock.forward(days=9)
    seen = await enrollment(sandbox, started)
    assert (seen["status"], [step["status"] for step in seen["steps"]]) == (what, ["sent", last, last])


async def test_a_repeated_key_returns_the_first_ids_and_does_nothing_else(sandbox: Sandbox) -> None:
    contact = {**LUCIA, "notes": "Speaks Spanish."}
    first = await start(sandbox, contact=contact, idempotency_key="lead-1")
    again = await start(sandbox, contact=contact, idempotency_key="lead-1")
    other = await start(sandbox, contact=contact, idempotency_key="lead-2")
    assert again == first
    assert other["enrollment_id"] != first["enrollment_id"] and other["contact_id"] == first["contact_id"]
    notes = (await sandbox.clarky("GET", f"/contacts/{first['contact_id']}")).json()["data"]["notes"]
    assert notes.count("Speaks Spanish.") == 2


async def test_without_a_key_every_start_is_another(sandbox: Sandbox) -> None:
    assert (await start(sandbox))["enrollment_id"] != (await start(sandbox))["enrollment_id"]


@pytest.mark.parametrize(
    "contact",
    [
        {"emails": ["INES@loom.example.com"], "first_name": "Inès", "notes": "Asked about pricing."},
        {"phone_numbers": ["+33639980101"], "notes": "Asked about pricing."},
    ],
    ids=["by address", "by phone"],
)
async def test_a_known_contact_is_updated_and_the_note_appended(sandbox: Sandbox, contact: dict[str, Any]) -> None:
    started = await start(sandbox, contact=contact)
    assert started["contact_id"] == "c_01SANDBOXINES"
    row = (await sandbox.clarky("GET", "/contacts/c_01SANDBOXINES")).json()["data"]
    assert row["notes"] == "[via API 2026-11-21T09:00:00Z] Asked about pricing."
    assert (row["last_name"], row["first_name"]) == ("Ferrand", contact.get("first_name", "Ines"))


async def test_a_template_limits_the_channels(sandbox: Sandbox) -> None:
    started = await start(sandbox, template_id=REPLY, bot_id="b_01SANDBOXBEN", contact={"emails": ["x@y.example"]})
    sandbox.clock.forward(minutes=1)
    assert [step["channel"] for step in (await enrollment(sandbox, started))["steps"]] == ["email"]


REFUSED = {
    "no template": ({"template_id": None}, "template_id"),
    "an unknown template": ({"template_id": "tpl_x"}, "template_id"),
    "a template without bot": ({"template_id": REPLY}, "bot_id"),
    "a foreign bot": ({"bot_id": "b_x"}, "bot_id"),
    "no contact": ({"contact": None}, "contact"),
    "a contact without channel": ({"contact": {"first_name": "Lucia"}}, "contact"),
    "no address in an address": ({"contact": {"emails": ["lucia"]}}, "contact.emails"),
    "a channel the template does not allow": (
        {"template_id": CALL, "contact": {"emails": ["lucia@example.com"]}},
        "contact",
    ),
    "auto_approve in words": ({"auto_approve": "yes"}, "auto_approve"),
    "an empty key": ({"idempotency_key": ""}, "idempotency_key"),
}


@pytest.mark.parametrize(("change", "field"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_refused_start_names_the_field_and_stores_nobody(
    sandbox: Sandbox, change: dict[str, Any], field: str
) -> None:
    body = {"template_id": MEETING, "contact": LUCIA, **change}
    answer = await sandbox.clarky("POST", "/sequences/start", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_error")
    assert answer.json()["error"]["details"] == {"field": field}
    assert (await sandbox.clarky("GET", "/contacts")).json()["pagination"]["total"] == 3


async def test_a_plan_without_sequences_is_forbidden(sandbox: Sandbox) -> None:
    body = {"template_id": MEETING, "contact": LUCIA}
    answer = await sandbox.clarky("POST", "/sequences/start", json=body, key="a plan without sequences")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_an_unknown_enrollment_is_not_found(sandbox: Sandbox) -> None:
    assert (await sandbox.clarky("GET", "/sequences/enrollments/enr_x")).status_code == 404
