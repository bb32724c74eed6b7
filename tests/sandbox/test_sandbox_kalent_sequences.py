"""Kalent: blueprints, their rules, starts and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.vendors import Sandbox

EMAIL = {
    "id": "s1",
    "name": "First",
    "type": "EMAIL",
    "subject": "{{sourcingJobTitle}} role",
    "content": "Hello {{firstname}}, a word?",
    "temporalityType": "ASAP",
}
LATER = {**EMAIL, "id": "s2", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
INVITE = {
    "id": "i1",
    "name": "Invite",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_INVITATION",
    "content": "dropped",
    "temporalityType": "ASAP",
    "policy": {"inviteTimeoutDays": 7},
}
SETTLED = {
    "id": "i2",
    "name": "After invite",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_MESSAGE",
    "content": "Thanks, {{firstname}}.",
    "temporalityType": "AFTER_INVITATION_SETTLED",
}
INMAIL = {**SETTLED, "linkedInType": "LINKEDIN_INMAIL", "temporalityType": "ASAP", "subject": "A role"}


async def create(sandbox: Sandbox, *steps: Any) -> str:
    body = {"name": "Outreach", "steps": list(steps)}
    answer = await sandbox.kalent("POST", "/sourcings/sourcing_1/sequence-blueprints", json=body)
    assert answer.status_code == 200, answer.text
    blueprint_id: str = answer.json()["data"]["blueprintId"]
    return blueprint_id


async def start(sandbox: Sandbox, blueprint_id: str, *people: str, key: str = "everything") -> tuple[int, Any]:
    body = {"candidateIds": [f"candidate_{name}" for name in people]}
    answer = await sandbox.kalent("POST", f"/sequence-blueprints/{blueprint_id}/start", json=body, key=key)
    return answer.status_code, answer.json().get("data") or answer.json()["error"]


async def sequence_of(sandbox: Sandbox, name: str) -> Any:
    return (await sandbox.kalent("GET", f"/candidates/candidate_{name}/dynamic-sequence")).json()["data"][
        "sequence"
    ]


async def test_a_blueprint_is_created_empty_and_filled_later(sandbox: Sandbox) -> None:
    body = {"name": "Outreach"}
    made = (await sandbox.kalent("POST", "/sourcings/sourcing_1/sequence-blueprints", json=body)).json()["data"]
    assert set(made) == {"blueprintId", "name", "sourcingId"}
    assert (await start(sandbox, made["blueprintId"], "ines"))[1]["code"] == "validation_error"
    path = f"/sequence-blueprints/{made['blueprintId']}"
    changed = await sandbox.kalent("PATCH", path, json={"steps": [EMAIL], "name": "Outreach 2"})
    assert changed.json()["data"]["name"] == "Outreach 2"
    assert (await start(sandbox, made["blueprintId"], "ines"))[0] == 200


async def test_new_steps_replace_the_whole_list_for_later_starts_alone(sandbox: Sandbox) -> None:
    blueprint_id = await create(sandbox, EMAIL, LATER)
    await start(sandbox, blueprint_id, "ines")
    await sandbox.kalent("PATCH", f"/sequence-blueprints/{blueprint_id}", json={"steps": [EMAIL]})
    await start(sandbox, blueprint_id, "priya")
    assert (await sequence_of(sandbox, "ines"))["totalSteps"] == 2
    assert (await sequence_of(sandbox, "priya"))["totalSteps"] == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sourcings/sourcing_9/sequence-blueprints", {"name": "x"}, 404),
        ("/sourcings/sourcing_1/sequence-blueprints", {}, 400),
        ("/sourcings/sourcing_1/sequence-blueprints", {"name": "x", "config": []}, 400),
        ("/sourcings/sourcing_1/sequence-blueprints", {"name": "x", "steps": {}}, 400),
    ],
    ids=["unknown sourcing", "no name", "config", "steps"],
)
async def test_a_blueprint_that_cannot_be_is_refused(
    sandbox: Sandbox, path: str, body: dict[str, Any], status: int
) -> None:
    assert (await sandbox.kalent("POST", path, json=body)).status_code == status


async def test_an_update_needs_something_to_update(sandbox: Sandbox) -> None:
    blueprint_id = await create(sandbox)
    assert (await sandbox.kalent("PATCH", f"/sequence-blueprints/{blueprint_id}", json={})).status_code == 400
    assert (await sandbox.kalent("PATCH", "/sequence-blueprints/b", json={"name": "x"})).status_code == 404


GOOD = {
    "the published example": [INVITE, SETTLED, {**LATER, "policy": {"skipStepIfNoContact": True}}],
    "an InMail": [INMAIL],
    "all nine variables": [
        {
            **EMAIL,
            "content": "{{firstname}} {{lastname}} {{candidateJobTitle}} {{candidateCompanyName}} "
            "{{candidateLocation}} {{sourcingJobTitle}} {{sourcingLocation}} {{recruiterFirstname}} "
            "{{recruiterLastname}}",
        }
    ],
    "a long invitation": [{**INVITE, "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE", "content": "x" * 301}],
    "a delay that is not used": [{**EMAIL, "delay": {"value": 1, "unit": "day"}}],
    "seconds": [{**LATER, "delay": {"value": 1, "unit": "second"}}],
}


@pytest.mark.parametrize("steps", GOOD.values(), ids=GOOD.keys())
async def test_steps_within_the_rules_are_taken(sandbox: Sandbox, steps: list[dict[str, Any]]) -> None:
    assert await create(sandbox, *steps)


BAD = {
    "an unknown type": ([{**EMAIL, "type": "FAX"}], "steps[0].type"),
    "an unknown key": ([{**EMAIL, "linked_in_type": None}], "linked_in_type"),
    "no id": ([{k: v for k, v in EMAIL.items() if k != "id"}], "steps[0].id"),
    "an id used twice": ([EMAIL, {**LATER, "id": "s1"}], "steps[1].id"),
    "LINKEDIN without its type": ([{**EMAIL, "type": "LINKEDIN"}], "steps[0].linkedInType"),
    "a LinkedIn type on an e-mail": ([{**EMAIL, "linkedInType": "LINKEDIN_MESSAGE"}], "steps[0].linkedInType"),
    "an e-mail without subject": ([{**EMAIL, "subject": None}], "steps[0].subject"),
    "a subject on a LinkedIn message": ([INVITE, {**SETTLED, "subject": "x"}], "steps[1].subject"),
    "an InMail without subject": ([{**INMAIL, "subject": None}], "steps[0].subject"),
    "an InMail's subject too long": ([{**INMAIL, "subject": "x" * 201}], "steps[0].subject"),
    "DELAYED without delay": ([{**EMAIL, "temporalityType": "DELAYED"}], "steps[0].delay"),
    "a delay of nothing": ([{**LATER, "delay": {"value": 0, "unit": "day"}}], "steps[0].delay.value"),
    "a delay past the calendar": ([{**LATER, "delay": {"value": 10**12, "unit": "day"}}], "steps[0].delay.value"),
    "a delay in words": ([{**LATER, "delay": {"value": "3", "unit": "day"}}], "steps[0].delay.value"),
    "hours": ([{**LATER, "delay": {"value": 3, "unit": "hour"}}], "steps[0].delay.unit"),
    "days": ([{**LATER, "delay": {"value": 3, "unit": "days"}}], "steps[0].delay.unit"),
    "no content": ([{**EMAIL, "content": " "}], "steps[0].content"),
    "two invitations": (
        [INVITE, {**INVITE, "id": "i3", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE"}],
        "steps[1].linkedInType",
    ),
    "settled before any invitation": ([SETTLED, INVITE], "steps[0].temporalityType"),
    "no days to wait": ([{**INVITE, "policy": {"inviteTimeoutDays": 0}}], "steps[0].policy.inviteTimeoutDays"),
    "firstName": ([{**EMAIL, "content": "Hi {{firstName}}"}], "steps[0].content"),
    "company": ([{**EMAIL, "subject": "{{company}}"}], "steps[0].subject"),
    "a blank in braces": ([{**EMAIL, "content": "Hi {{ firstname }}"}], "steps[0].content"),
    "empty braces": ([{**EMAIL, "content": "Hi {{}}"}], "steps[0].content"),
    "[company]": ([{**EMAIL, "content": "at [company]"}], "steps[0].content"),
    "[1 detail to add]": ([{**EMAIL, "subject": "[1 detail to add]"}], "steps[0].subject"),
}


@pytest.mark.parametrize(("steps", "field"), BAD.values(), ids=BAD.keys())
async def test_steps_against_the_rules_are_refused_with_the_field(
    sandbox: Sandbox, steps: list[dict[str, Any]], field: str
) -> None:
    body = {"name": "Outreach", "steps": steps}
    answer = await sandbox.kalent("POST", "/sourcings/sourcing_1/sequence-blueprints", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    assert field in answer.json()["error"]["message"]


async def test_a_start_answers_with_the_number_asked_for_and_no_sequence_id(sandbox: Sandbox) -> None:
    blueprint_id = await create(sandbox, EMAIL)
    status, data = await start(sandbox, blueprint_id, "ines", "priya")
    assert (status, data) == (200, {"started": True, "blueprintId": blueprint_id, "candidateCount": 2})


async def test_a_candidate_without_a_sequence_has_null(sandbox: Sandbox) -> None:
    answer = await sandbox.kalent("GET", "/candidates/candidate_ines/dynamic-sequence")
    assert answer.json()["data"] == {
        "candidateId": "candidate_ines",
        "talentId": "talent_ines",
        "sourcingId": "sourcing_1",
        "sequence": None,
    }


REFUSED_STARTS = {
    "nobody": ([], "everything", 400, None),
    "too many": ([f"candidate_{n}" for n in range(101)], "everything", 400, None),
    "an unknown candidate": (["candidate_ines", "candidate_x"], "everything", 404, None),
    "a candidate of another sourcing": (["candidate_ines", "candidate_yuki"], "everything", 400, None),
    "no plan": (["candidate_ines"], "no plan for outreach", 402, "subscription_or_plan_upgrade_required"),
    "no mailbox": (["candidate_ines"], "no mailbox is connected", 403, "email_not_connected_or_syncing"),
    "no LinkedIn": (["candidate_ines"], "LinkedIn is not connected", 403, "linkedin_not_connected_or_syncing"),
    "no InMail": (["candidate_ines"], "no InMail", 403, "linkedin_inmail_not_available"),
}


@pytest.mark.parametrize(("people", "key", "status", "detail"), REFUSED_STARTS.values(), ids=REFUSED_STARTS.keys())
async def test_a_refused_start_starts_nobody(
    sandbox: Sandbox, people: list[str], key: str, status: int, detail: str | None
) -> None:
    blueprint_id = await create(sandbox, EMAIL, INMAIL)
    path = f"/sequence-blueprints/{blueprint_id}/start"
    answer = await sandbox.kalent("POST", path, json={"candidateIds": people}, key=key)
    assert answer.status_code == status
    assert answer.json()["error"].get("details", {}).get("code") == detail
    assert await sequence_of(sandbox, "ines") is None


async def test_a_second_start_makes_a_second_sequence(sandbox: Sandbox) -> None:
    blueprint_id = await create(sandbox, EMAIL)
    await start(sandbox, blueprint_id, "ines")
    first = (await sequence_of(sandbox, "ines"))["sequenceId"]
    await start(sandbox, blueprint_id, "ines")
    assert (await sequence_of(sandbox, "ines"))["sequenceId"] != first


async def test_steps_go_out_as_time_passes(sandbox: Sandbox) -> None:
    await start(sandbox, await create(sandbox, EMAIL, LATER), "ines")
    seen = await sequence_of(sandbox, "ines")
    assert (seen["displayStatus"], seen["currentStep"], seen["totalSteps"]) == ("SCHEDULED", 1, 2)
    sandbox.clock.forward(days=3)
    assert (await sequence_of(sandbox, "ines"))["displayStatus"] == "COMPLETED"


async def test_an_invitation_is_waited_for_until_it_times_out(sandbox: Sandbox) -> None:
    await start(sandbox, await create(sandbox, INVITE, SETTLED), "ines")
    assert (await sequence_of(sandbox, "ines"))["displayStatus"] == "WAITING_FOR_ACCEPTANCE"
    sandbox.clock.forward(days=7)
    assert (await sequence_of(sandbox, "ines"))["displayStatus"] == "COMPLETED"


async def test_an_accepted_invitation_is_settled_at_once(sandbox: Sandbox) -> None:
    await start(sandbox, await create(sandbox, INVITE, SETTLED), "ines")
    assert (await sandbox.happen("kalent", "accepted", "candidate_ines")).status_code == 200
    assert (await sequence_of(sandbox, "ines"))["displayStatus"] == "COMPLETED"


@pytest.mark.parametrize(
    ("what", "status"), [("replied", "TALENT_REPLIED"), ("failed", "ERROR"), ("paused", "PAUSED")]
)
async def test_what_happens_to_a_sequence_is_shown_and_holds_its_steps(
    sandbox: Sandbox, what: str, status: str
) -> None:
    await start(sandbox, await create(sandbox, EMAIL, LATER), "ines")
    await sandbox.happen("kalent", what, "candidate_ines")
    sandbox.clock.forward(days=9)
    seen = await sequence_of(sandbox, "ines")
    assert (seen["displayStatus"], seen["currentStep"]) == (status, 1)


async def test_a_resumed_sequence_waits_for_what_was_left(sandbox: Sandbox) -> None:
    await start(sandbox, await create(sandbox, EMAIL, LATER), "ines")
    sandbox.clock.forward(days=1)
    await sandbox.happen("kalent", "paused", "candidate_ines")
    sandbox.clock.forward(days=9)
    await sandbox.happen("kalent", "resumed", "candidate_ines")
    sandbox.clock.forward(days=1, hours=23)
    assert (await sequence_of(sandbox, "ines"))["displayStatus"] == "SCHEDULED"
    sandbox.clock.forward(hours=1)
    assert (await sequence_of(sandbox, "ines"))["displayStatus"] == "COMPLETED"


@pytest.mark.parametrize(
    ("step", "person", "action"),
    [
        (EMAIL, "olumide", "missing_contact"),
        ({**EMAIL, "contentSource": "suggestedByKalent"}, "ines", "draft_to_approve"),
    ],
    ids=["no address", "a draft"],
)
async def test_a_step_that_needs_a_person_asks_for_one(
    sandbox: Sandbox, step: dict[str, Any], person: str, action: str
) -> None:
    await start(sandbox, await create(sandbox, step), person)
    seen = await sequence_of(sandbox, person)
    assert seen["displayStatus"] == "ACTION_REQUIRED"
    assert seen["actionRequired"] == {"type": action, "stepId": "s1"}
    await sandbox.happen("kalent", "released", f"candidate_{person}")
    assert (await sequence_of(sandbox, person))["displayStatus"] == "COMPLETED"


@pytest.mark.parametrize(
    ("step", "person"),
    [
        ({**EMAIL, "policy": {"skipStepIfNoContact": True}}, "olumide"),
        ({**EMAIL, "contentSource": "suggestedByKalent", "policy": {"autoValidateAIDraft": True}}, "ines"),
    ],
    ids=["skipped", "validated"],
)
async def test_a_policy_spares_the_person(sandbox: Sandbox, step: dict[str, Any], person: str) -> None:
    await start(sandbox, await create(sandbox, step), person)
    assert (await sequence_of(sandbox, person))["displayStatus"] == "COMPLETED"
