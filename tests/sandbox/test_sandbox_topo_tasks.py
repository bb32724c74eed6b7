"""Topo: tasks, their messages, and the activities of a run."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.vendors import Sandbox

from sequences_sandbox.seeds import seed_id

SAOIRSE, INES = seed_id("sequence", "saoirse"), seed_id("sequence", "ines")


async def tasks(sandbox: Sandbox, **query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await sandbox.topo("GET", "/tasks", params=query)).json()["items"]
    return rows


async def status_of(sandbox: Sandbox, sequence_id: str) -> str:
    status: str = (await sandbox.topo("GET", f"/sequences/{sequence_id}")).json()["status"]
    return status


async def test_a_manual_step_makes_a_task_and_holds_the_run(sandbox: Sandbox) -> None:
    (task,) = await tasks(sandbox)
    assert set(task) == {
        "id",
        "organization_id",
        "type",
        "priority",
        "status",
        "sequence_id",
        "assignee_user_id",
        "disposition",
        "reopened_at",
        "reopen_reason",
        "skipped_at",
        "completed_at",
        "created_at",
        "updated_at",
    }
    assert (task["type"], task["status"], task["sequence_id"]) == ("CALL", "PENDING", SAOIRSE)
    sandbox.clock.forward(days=30)
    assert await status_of(sandbox, SAOIRSE) == "WAITING_FOR_USER"


@pytest.mark.parametrize("skipped", [True, False], ids=["skipped", "completed"])
async def test_a_task_that_is_over_lets_the_run_go_on(sandbox: Sandbox, skipped: bool) -> None:
    (task,) = await tasks(sandbox)
    if skipped:
        row = (await sandbox.topo("POST", f"/tasks/{task['id']}/skip")).json()
        assert (row["status"], row["skipped_at"]) == ("SKIPPED", "2026-11-21T09:00:00Z")
    else:
        await sandbox.happen("topo", "task_completed", task["id"])
        assert (await tasks(sandbox))[0]["status"] == "COMPLETED"
    assert await status_of(sandbox, SAOIRSE) == "ACTIVE"
    sandbox.clock.forward(days=2)
    assert await status_of(sandbox, SAOIRSE) == "SUCCEEDED"


async def test_a_task_is_reopened_only_when_it_is_over(sandbox: Sandbox) -> None:
    (task,) = await tasks(sandbox)
    path = f"/tasks/{task['id']}"
    assert (await sandbox.topo("POST", f"{path}/reopen")).json()["type"] == "BusinessIssue"
    await sandbox.topo("POST", f"{path}/skip")
    assert (await sandbox.topo("POST", f"{path}/skip")).status_code == 422
    row = (await sandbox.topo("POST", f"{path}/reopen")).json()
    assert (row["status"], row["reopened_at"], row["skipped_at"]) == ("PENDING", "2026-11-21T09:00:00Z", None)


async def test_a_task_is_reassigned_alone_or_with_its_run(sandbox: Sandbox) -> None:
    (task,) = await tasks(sandbox)
    await sandbox.happen("topo", "replied", SAOIRSE)
    path = f"/tasks/{task['id']}/assignee"
    assert (await sandbox.topo("PATCH", path, json={})).status_code == 400
    assert (await sandbox.topo("PATCH", path, json={"assignee_user_id": "u", "scope": "ALL"})).status_code == 400
    await sandbox.topo("PATCH", path, json={"assignee_user_id": "u_1"})
    assert sorted(str(row["assignee_user_id"]) for row in await tasks(sandbox)) == ["None", "u_1"]
    await sandbox.topo("PATCH", path, json={"assignee_user_id": "u_2", "scope": "SEQUENCE"})
    assert {row["assignee_user_id"] for row in await tasks(sandbox)} == {"u_2"}


async def test_a_reply_makes_a_hot_task_with_its_message_and_ends_the_run_once_answered(sandbox: Sandbox) -> None:
    await sandbox.happen("topo", "replied", INES)
    assert await status_of(sandbox, INES) == "WAITING_FOR_USER"
    (task,) = await tasks(sandbox, types="EMAIL_REPLY", priorities="HOT", status="PENDING", sequence_id=INES)
    (message,) = (await sandbox.topo("GET", f"/tasks/{task['id']}/messages")).json()
    assert set(message) == {"id", "channel", "direction", "subject", "body", "sent_at", "sender_id"}
    assert message["direction"] == "INBOUND"
    await sandbox.happen("topo", "task_completed", task["id"])
    assert await status_of(sandbox, INES) == "COMPLETED"


async def test_a_call_made_after_a_reply_does_not_answer_the_reply(sandbox: Sandbox) -> None:
    (call,) = await tasks(sandbox)
    await sandbox.happen("topo", "replied", SAOIRSE)
    assert (await sandbox.happen("topo", "replied", SAOIRSE)).status_code == 400
    await sandbox.topo("POST", f"/tasks/{call['id']}/skip")
    assert await status_of(sandbox, SAOIRSE) == "WAITING_FOR_USER"
    (reply,) = await tasks(sandbox, types="EMAIL_REPLY")
    await sandbox.topo("POST", f"/tasks/{reply['id']}/skip")
    assert await status_of(sandbox, SAOIRSE) == "COMPLETED"


async def test_tasks_are_filtered_by_template(sandbox: Sandbox) -> None:
    assert len(await tasks(sandbox, sequence_template_ids=seed_id("template", "E-mail, then a call"))) == 1
    assert await tasks(sandbox, sequence_template_ids=seed_id("template", "Three e-mails")) == []
    assert (await sandbox.topo("GET", "/tasks/x/messages")).json()["type"] == "NotFoundIssue"


async def test_activities_tell_what_went_out_the_latest_first(sandbox: Sandbox) -> None:
    body = (await sandbox.topo("GET", "/activities", params={"sequence_id": seed_id("sequence", "yuki")})).json()
    assert [row["payload"]["type"] for row in body["items"]] == ["message.sent"] * 3
    assert [row["created_at"] for row in body["items"]] == [
        "2026-11-13T09:00:00.000Z",
        "2026-11-09T09:00:00.000Z",
        "2026-11-06T09:00:00.000Z",
    ]
    assert set(body["items"][0]["payload"]) == {
        "type",
        "organization_id",
        "person_id",
        "sequence_id",
        "sequence_template_id",
        "resource_type",
        "channel",
        "message_id",
        "hot_lead_id",
        "calendar_event_id",
        "task_id",
    }


async def test_activities_are_filtered_by_what_happened(sandbox: Sandbox) -> None:
    await sandbox.happen("topo", "replied", INES)
    body = (await sandbox.topo("GET", "/activities", params={"event_type": "REPLIED", "channel": "EMAIL"})).json()
    (reply,) = body["items"]
    assert reply["payload"]["metadata"] == {"reply_category": None}
    person = {"person_id": reply["payload"]["person_id"]}
    assert (await sandbox.topo("GET", "/activities", params=person)).json()["total_count"] == 2
    assert (await sandbox.topo("GET", "/activities", params={"resource_type": "MEETING"})).json()["items"] == []


async def test_an_invitation_says_which_step_it_was(sandbox: Sandbox) -> None:
    olumide = seed_id("sequence", "olumide")
    await sandbox.happen("topo", "approved", olumide)
    body = (await sandbox.topo("GET", "/activities", params={"sequence_id": olumide})).json()
    payload = body["items"][0]["payload"]
    assert (payload["type"], payload["channel"], payload["metadata"]) == (
        "invitation.sent",
        "LINKEDIN",
        {"step_number": 1},
    )
