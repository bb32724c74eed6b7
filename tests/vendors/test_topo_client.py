"""Topo's documents, as requests on a wire and as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from tests.vendors.vendor_calls import (
    INES,
    LATER,
    LIST,
    RUN,
    TASK,
    TEMPLATE,
    answered,
    fixture,
    topo_id,
    transport,
)
from tests.world.fake_vendor import Act, FakeVendor, reply, serving

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import SequenceStatus, StopReason, StopScope
from sequences_mcp.errors import InvalidArgumentsError, OutcomeUnknownError, SequencesError
from sequences_mcp.ports.embedded import SequenceFilter
from sequences_mcp.vendors.topo.client import TopoClient
from sequences_mcp.vendors.topo.wire import TOPO

OWN = RUN.removeprefix("topo:")
T = TypeVar("T")


async def asked(act: Act, call: Callable[[TopoClient], Awaitable[T]]) -> tuple[T, FakeVendor]:
    async with serving(act) as vendor:
        to = transport(TOPO, f"{vendor.url}/v1")
        found = await call(TopoClient(to))
        await to.aclose()
        return found, vendor


async def test_me_tells_what_the_key_may_do() -> None:
    scopes, vendor = await asked(answered("topo", "get_me"), lambda c: c.get_me())
    assert vendor.seen[0].target == "/v1/me"
    assert scopes == {"sequences:read", "contacts:read", "tasks:read"}


async def test_runs_are_filtered_by_the_documented_parameters() -> None:
    wanted = SequenceFilter(
        status=SequenceStatus.ACTIVE,
        blueprint_id=TEMPLATE,
        created_after=datetime(2026, 1, 5, tzinfo=UTC),
        sort_by="updated_at",
        sort_order="desc",
        page=2,
        size=100,
    )
    page, vendor = await asked(answered("topo", "list_sequences"), lambda c: c.list_sequences(wanted))
    assert vendor.seen[0].target == (
        f"/v1/sequences?status=ACTIVE&sequence_template_id={TEMPLATE.removeprefix('topo:')}"
        "&created_at_after=2026-01-05T00%3A00%3A00%2B00%3A00&sort_by=updated_at&sort_order=desc&page=2&size=100"
    )
    run = page.items[0]
    assert (run.id, run.contact_id, run.blueprint_id) == (RUN, topo_id("3"), TEMPLATE)
    assert (run.status, run.variables) == (SequenceStatus.ACTIVE, {"first_name": "Ines"})


async def test_a_status_topo_adds_is_passed_on_and_may_be_live() -> None:
    body = {**fixture("topo", "get_sequence")["body"], "status": "SNOOZED", "paused_until": "2027-01-01T00:00:00Z"}
    run, _ = await asked(reply(200, body), lambda c: c.get_sequence(RUN))
    assert (run.status, run.provider_status, run.may_be_live) == (None, "SNOOZED", True)


async def test_variables_are_merged_and_null_removes() -> None:
    _, vendor = await asked(
        answered("topo", "update_variables"), lambda c: c.update_variables(RUN, variables={"a": "b", "c": None})
    )
    assert (vendor.seen[0].method, vendor.seen[0].target) == ("PATCH", f"/v1/sequences/{OWN}")
    assert vendor.seen[0].json == {"variables": {"a": "b", "c": None}}


CONTROL = {
    "pause": (lambda c: c.pause_sequence(RUN, until=LATER), {"paused_until": "2027-01-05T09:00:00+00:00"}),
    "resume": (lambda c: c.resume_sequence(RUN), None),
    "stop": (
        lambda c: c.stop_sequence(RUN, reason=StopReason.WIN, scope=StopScope.COMPANY),
        {"reason": "WIN", "scope": "COMPANY"},
    ),
}


@pytest.mark.parametrize("verb", CONTROL)
async def test_control_calls_send_what_is_documented(verb: str) -> None:
    call, body = CONTROL[verb]
    run, vendor = await asked(answered("topo", f"{verb}_sequence"), call)
    assert (vendor.seen[0].method, vendor.seen[0].target) == ("POST", f"/v1/sequences/{OWN}/{verb}")
    assert vendor.seen[0].json == body
    assert run.id == RUN


@pytest.mark.parametrize(
    ("verb", "status"),
    [
        ("pause", "ACTIVE"),
        ("resume", "WAITING_FOR_LEAD"),
        ("stop", "ACTIVE"),
        ("stop", "NEW_WORD"),
        ("pause", None),
    ],
)
async def test_an_answer_that_shows_another_state_is_no_proof(verb: str, status: str | None) -> None:
    body = {**fixture("topo", "get_sequence")["body"], "status": status}
    with pytest.raises(OutcomeUnknownError) as caught:
        await asked(reply(200, body), CONTROL[verb][0])
    assert "get_sequence" in caught.value.next_step


async def test_an_answer_about_another_run_is_no_proof() -> None:
    body = {**fixture("topo", "stop_sequence")["body"], "id": "another"}
    with pytest.raises(OutcomeUnknownError):
        await asked(reply(200, body), CONTROL["stop"][0])


async def test_a_time_without_an_offset_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InvalidArgumentsError, match="no offset"):
        await TopoClient(transport(TOPO, "http://127.0.0.1:1")).pause_sequence(
            RUN, until=LATER.replace(tzinfo=None)
        )


async def test_templates_tell_no_steps() -> None:
    page, vendor = await asked(answered("topo", "list_templates"), lambda c: c.list_templates())
    assert vendor.seen[0].target == "/v1/sequence-templates?page=1&size=10"
    found = page.items[0]
    assert (found.id, found.step_count, found.provider_status) == (TEMPLATE, 4, "ACTIVE")


async def test_contacts_are_found_by_exact_address() -> None:
    page, vendor = await asked(
        answered("topo", "list_contacts"), lambda c: c.list_contacts(email="ines@example.com")
    )
    assert vendor.seen[0].target == "/v1/contacts?email=ines%40example.com&page=1&size=10"
    ines = page.items[0].fields
    assert (ines.email, ines.company_domain, ines.location) == ("ines@example.com", "acme.example", "Lyon, France")


async def test_people_are_put_on_a_list_and_each_has_an_outcome() -> None:
    people = [INES, ContactFields(linkedin_url="https://www.linkedin.com/in/x")]
    outcomes, vendor = await asked(
        answered("topo", "create_entries_mixed"), lambda c: c.create_entries(LIST, people=people)
    )
    items = vendor.seen[0].json["items"]
    assert items[0] == {
        "contact_list_id": LIST.removeprefix("topo:"),
        "first_name": "Ines",
        "email": "ines@example.com",
    }
    assert [one.outcome for one in outcomes] == ["done", "not_done"]
    assert outcomes[0].item is not None and outcomes[0].item.contact_id is None
    assert outcomes[1].vendor_message == "email is not an address"


RESOURCE = fixture("topo", "create_entries")["body"]["items"][0]["resource"]
ITEMS = {
    "no status but a resource": ({"index": 0, "resource": RESOURCE, "error": None}, "done"),
    "a new status": ({"index": 0, "status": "QUEUED", "resource": RESOURCE}, "unknown"),
    "created without a resource": ({"index": 0, "status": "CREATED", "resource": None}, "unknown"),
    "created with an error": ({"index": 0, "status": "CREATED", "resource": RESOURCE, "error": {}}, "unknown"),
    "an error without a status": ({"index": 0, "error": {"type": "X", "message": "no"}}, "not_done"),
    "another item": ({"index": 5, "status": "CREATED", "resource": RESOURCE}, "unknown"),
}


@pytest.mark.parametrize(("item", "outcome"), ITEMS.values(), ids=ITEMS.keys())
async def test_an_item_is_done_only_when_the_answer_says_so(item: dict[str, object], outcome: str) -> None:
    outcomes, _ = await asked(reply(200, {"items": [item]}), lambda c: c.create_entries(LIST, people=[INES]))
    assert [one.outcome for one in outcomes] == [outcome]


@pytest.mark.parametrize(
    "people", [[], [INES] * 101, [ContactFields(first_name="Ines")]], ids=["none", "101", "unreachable"]
)
async def test_a_batch_topo_would_refuse_is_not_sent(people: list[ContactFields]) -> None:
    with pytest.raises(InvalidArgumentsError):
        await TopoClient(transport(TOPO, "http://127.0.0.1:1")).create_entries(LIST, people=people)


async def test_a_list_is_created_with_the_template_that_enrols() -> None:
    made, vendor = await asked(
        answered("topo", "create_contact_list"), lambda c: c.create_contact_list(name="L", blueprint_id=TEMPLATE)
    )
    template = TEMPLATE.removeprefix("topo:")
    assert vendor.seen[0].json == {"items": [{"name": "L", "default_sequence_template_id": template}]}
    assert made.item is not None
    assert (made.outcome, made.item.blueprint_id) == ("done", TEMPLATE)


async def test_somebody_is_excluded_for_good() -> None:
    _, vendor = await asked(
        answered("topo", "exclude_contact"),
        lambda c: c.exclude_contact(reason="CONTACT_REFUSED", email="ines@example.com"),
    )
    assert vendor.seen[0].json == {"reason": "CONTACT_REFUSED", "email": "ines@example.com"}
    with pytest.raises(InvalidArgumentsError, match="cannot exclude"):
        await TopoClient(transport(TOPO, "http://127.0.0.1:1")).exclude_contact(reason="OTHER")


@pytest.mark.parametrize("name", ["list_activities", "list_activities_camel_case"])
async def test_activities_are_read_in_both_spellings(name: str) -> None:
    page, vendor = await asked(answered("topo", name), lambda c: c.list_activities(sequence_id=RUN))
    assert vendor.seen[0].target == f"/v1/activities?sequence_id={OWN}&page=1&size=10"
    sent = page.items[0]
    assert (sent.type, sent.channel) == ("message.sent", "EMAIL")
    assert sent.created_at is not None


async def test_tasks_are_listed_by_status() -> None:
    page, vendor = await asked(answered("topo", "list_tasks"), lambda c: c.list_tasks(status="PENDING"))
    order = "sort_by=created_at&sort_order=asc"
    assert vendor.seen[0].target == f"/v1/tasks?status=PENDING&{order}&page=1&size=10"
    assert (page.items[0].id, page.items[0].type, page.items[0].priority) == (TASK, "CALL", "HOT")


async def test_a_task_that_did_not_change_is_no_proof() -> None:
    with pytest.raises(OutcomeUnknownError):
        await asked(answered("topo", "list_tasks"), lambda c: c.skip_task(TASK))
    task = {**fixture("topo", "skip_task")["body"], "status": "PENDING"}
    with pytest.raises(OutcomeUnknownError):
        await asked(reply(200, task), lambda c: c.skip_task(TASK))


async def test_messages_are_quoted_without_what_hides_or_reorders() -> None:
    body = fixture("topo", "list_task_messages")["body"]
    hostile = {**body[0], "body": "Hi\u202e\x1b[2J\U000e0041 there\nbye", "subject": "Re:\r\nBcc: x"}
    found, _ = await asked(
        reply(200, [hostile, "not a message", {"no": "id"}]), lambda c: c.list_task_messages(TASK)
    )
    assert [one.body for one in found] == ["Hi[2J there\nbye"]
    assert found[0].subject == "Re: Bcc: x"


ERRORS = {
    "error_validation": ("provider_rejected", "vendor_message"),
    "error_unauthorized": ("provider_unauthorized", "TOPO_API_KEY"),
    "error_forbidden": ("provider_forbidden", "sequences:write"),
    "error_not_found": ("not_found", "id"),
    "error_conflict": ("provider_conflict", "present state"),
    "error_business": ("provider_conflict", "CONTACT"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_every_type_becomes_our_error_with_its_remedy(name: str) -> None:
    code, remedy = ERRORS[name]
    with pytest.raises(SequencesError) as caught:
        await asked(answered("topo", name), CONTROL["stop"][0])
    error, said = caught.value, fixture("topo", name)["body"]
    assert (error.code, error.outcome in ("not_done", "refused")) == (code, True)
    assert remedy in error.next_step
    assert error.data["vendor_code"] == said["type"]
    assert (error.data["vendor_message"], error.data["request_id"]) == (said["message"], "req_example")
    assert said["message"] not in str(error)
    assert error.data.get("missing_scope") == ("sequences:write" if name == "error_forbidden" else None)
