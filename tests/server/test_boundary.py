"""Calls come in strict, and whatever goes wrong is explained in the same form."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.secrecy.client import Client
from tests.world.product import MAIL, Desktop, World, people, text_of, tomorrow

from sequences_mcp.context import AppContext
from sequences_mcp.domain.findings import Trouble
from sequences_mcp.server.app import build_server
from sequences_mcp.server.boundary import META
from sequences_mcp.server.catalog import TOOLS, definition_of


async def test_an_undeclared_argument_is_refused_by_name(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        error = await desktop.refused("list_blueprints", pgae=2)
    assert error["code"] == "invalid_arguments"
    assert error["outcome"] == "refused"
    assert error["message"] == (
        "'pgae' is not an argument; the arguments are provider, page, size, archived. Did you mean page?"
    )


@pytest.mark.parametrize("name", TOOLS)
async def test_no_tool_lets_an_undeclared_argument_pass(world: World, name: str) -> None:
    async with world.client("auto") as desktop:
        error = await desktop.refused(name, approved=None)
    assert "'approved' is not an argument" in error["message"]


async def test_each_bad_argument_gets_a_sentence_of_its_own(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        error = await desktop.refused(
            "list_sequences", size=999, sort_order="up", created_after="2026-11-21T09:00:00"
        )
    assert error["message"] == (
        'created_after: input should have timezone info (got "2026-11-21T09:00:00"). '
        "sort_order: input should be 'asc' or 'desc' (got \"up\"). "
        "size: input should be less than or equal to 100 (got 999)."
    )


async def test_a_missing_argument_is_named(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        error = await desktop.refused("pause_sequence", sequence_id="local:seq_1")
    assert error["message"] == "paused_until is missing."


async def test_an_error_is_text_and_meta_and_nothing_that_an_output_schema_could_contradict(
    world: World, era: str
) -> None:
    async with world.client(era) as desktop:
        result = await desktop.raw("get_blueprint", blueprint_id="local:ct_1")
    facts = json.loads(text_of(result))
    assert result.is_error and result.structured_content is None
    assert (result.meta or {})[META] == facts
    assert facts == {
        "outcome": "refused",
        "sent": "nothing",
        "code": "wrong_id",
        "message": "'local:ct_1' is not a blueprint id: it is a contact id.",
        "next": "Blueprint ids come from list_blueprints.",
        "retryable": False,
        "expected": "blueprint",
        "listed_by": "list_blueprints",
    }


async def test_an_unknown_tool_is_met_with_the_nearest_one(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        error = await desktop.refused("stop_sequences")
    assert error["code"] == "unknown_tool"
    assert error["next"] == "Did you mean stop_sequence?"


async def test_what_a_host_turned_into_a_string_is_read_as_what_it_was(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        made = await desktop.call("create_blueprint", name="A", steps=json.dumps([MAIL]))
        listed = await desktop.call("list_blueprints", size="5", page=None)
    assert [item["id"] for item in listed["items"]] == [made["blueprint_id"]]


async def test_refused_steps_come_back_with_every_finding_and_its_fix(world: World, era: str) -> None:
    steps = [{**MAIL, "content": "Hi {{firstName}}, I like [company]."}]
    async with world.client(era) as desktop:
        error = await desktop.refused("create_blueprint", name="A", steps=steps)
        listed = await desktop.call("list_blueprints")
    assert error["code"] == "refused_by_guards"
    assert [finding["step_id"] for finding in error["findings"]] == ["hello"] * len(error["findings"])
    assert "{{firstname}}" in [finding.get("fix") for finding in error["findings"]]
    assert listed["total_count"] == 0


async def test_a_hundred_findings_are_cut_to_a_screen_and_counted(world: World) -> None:
    steps = [{**MAIL, "id": f"s{index}", "content": "[company]"} for index in range(40)]
    async with world.client("auto") as desktop:
        error = await desktop.refused("create_blueprint", name="A", steps=steps)
        checked = await desktop.call("check_blueprint", steps=steps)
    assert len(error["findings"]) == len(checked["findings"]) == 12
    assert error["findings_left_out"] == checked["findings_left_out"] == checked["errors"] - 12 >= 28


async def test_the_same_key_with_the_same_arguments_returns_the_same_bytes(world: World, era: str) -> None:
    arguments: dict[str, Any] = {"name": "A", "steps": [MAIL], "idempotency_key": "k1"}
    async with world.client(era) as desktop:
        first = await desktop.raw("create_blueprint", **arguments)
        again = await desktop.raw("create_blueprint", **arguments)
        listed = await desktop.call("list_blueprints")
    assert text_of(first) == text_of(again)
    assert first.structured_content == again.structured_content
    assert listed["total_count"] == 1


async def test_the_same_key_with_other_arguments_is_refused(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        await desktop.call("create_blueprint", name="A", steps=[MAIL], idempotency_key="k1")
        other = await desktop.refused("create_blueprint", name="B", steps=[MAIL], idempotency_key="k1")
        elsewhere = await desktop.refused("save_contacts", contacts=people(1), idempotency_key="k1")
        listed = await desktop.call("list_blueprints")
    assert other["code"] == elsewhere["code"] == "key_reused"
    assert listed["total_count"] == 1


async def test_a_refused_write_leaves_its_key_free(world: World) -> None:
    async with world.client("auto") as desktop:
        await desktop.refused("create_blueprint", name="A", steps=[{"id": "x"}], idempotency_key="k1")
        made = await desktop.call("create_blueprint", name="A", steps=[MAIL], idempotency_key="k1")
    assert made["outcome"] == "done"


WRITES: dict[str, dict[str, Any]] = {
    "create_blueprint": {"name": "A", "steps": [MAIL]},
    "save_contacts": {"contacts": people(2)},
    "suppress_contact": {"contact": "example.com", "reason": "asked"},
    "update_blueprint": {"blueprint_id": "local:bp_1", "expected_version": 1, "name": "B"},
    "update_sequence": {"sequence_id": "local:seq_1", "variables": {"firstname": "A"}},
    "pause_sequence": {"sequence_id": "local:seq_1", "paused_until": tomorrow()},
    "resume_sequence": {"sequence_id": "local:seq_1"},
    "stop_sequence": {"sequence_id": "local:seq_1", "reason": "WIN"},
    "edit_draft": {"draft_id": "local:draft_1", "content": "Hi"},
    "complete_task": {"task_id": "local:task_1", "outcome": "done"},
    "withdraw_plan": {"plan_id": "local:plan_1"},
    "record_reply": {"who": "local:ct_1", "answer": "replied"},
    "draft_reply": {"reply_id": "local:reply_e1", "content": "Hi"},
    "retry_failed": {"blueprint_id": "local:bp_1"},
    "export_contact": {"contact": "local:ct_1"},
    "erase_contact": {"contact": "local:ct_1"},
    "import_contacts": {"text": "email\ngrace@hopper.example\n", "dry_run": False},
    "export_data": {"what": "audit", "format": "json"},
}


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_gets_through_the_ledger_to_its_answer(world: World, name: str) -> None:
    async with world.client("auto") as desktop:
        facts = json.loads(text_of(await desktop.raw(name, **WRITES[name])))
    assert facts["outcome"] == "done" or facts["code"] == "not_found"


def test_every_write_but_the_staged_ones_is_tried_above() -> None:
    assert set(WRITES) == {name for name in TOOLS if definition_of(name).writes} - {
        "start_sequence",
        "decide_plan",
    }


class FakeDiskError(Exception):
    """Something nobody expected, with a secret in its text."""


async def test_what_nobody_expected_is_masked_and_logged(
    world: World, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[AppContext]:
        async with world.app() as app:
            yield replace(app, troubles=_raises)

    async with Client(build_server(broken), mode=era) as client:
        with caplog.at_level(logging.ERROR):
            error = await Desktop(client).refused("list_providers")
    assert (error["code"], error["outcome"]) == ("internal_error", "not_done")
    assert "hunter2" not in json.dumps(error)
    assert "hunter2" in caplog.text


def _raises() -> list[Trouble]:
    raise FakeDiskError("password hunter2")
