"""The frozen list is what the tools declare, and keeps the laws of a good list."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.world.product import World

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.server.app import INSTRUCTIONS
from sequences_mcp.server.catalog import TOOLS, VENDOR_TOOLS, WIRE, declared, definition_of, listed_tools
from sequences_mcp.server.panel import URI

VENDORS = ("kalent", "clarky", "topo")
ALL_TOOLS = (*TOOLS, *VENDOR_TOOLS)

LISTED = {tool.name: tool for tool in listed_tools(VENDORS)}
REWRITE = "REWRITE_WIRE"

# Names that say everything there is to say; every other argument is described.
SELF_EVIDENT = {
    *(
        "blueprint_id",
        "contact_id",
        "draft_id",
        "operation_id",
        "plan_id",
        "sequence_id",
        "step_id",
        "task_id",
    ),
    *("provider_status", "stop_company_on_reply", "waiting_for", "needs_person", "kind", "reply_id", "contact"),
    *("content", "job_title", "location", "name", "page", "reason", "size", "sort_by", "sort_order", "status"),
    *("decision", "digest", "proof", "seen"),  # of decide_plan, which only the panel calls
    *("source", "basis"),  # of a contact
    *("archived", "private", "sender"),
    *("idempotency_key", "provider"),  # explained once, in the instructions
    *("email", "first_name", "last_name", "company", "company_domain", "linkedin_url", "note"),
}
WORDS_OF_APPROVAL = (
    "approve",
    "approval",
    "approved",
    "confirm",
    "consent",
    "digest",
    "passphrase",
    "yes",
    "token",
)


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in schema.get("properties", {}).items():
        yield name, child
        yield from properties(child)
    if "items" in schema:
        yield from properties(schema["items"])


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if schema.get("properties"):
        yield schema
    for child in schema.get("properties", {}).values():
        yield from objects(child)
    if "items" in schema:
        yield from objects(schema["items"])


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_the_frozen_form_of_a_tool_is_what_its_file_declares(name: str) -> None:
    path = WIRE / f"{name}.json"
    now = declared(name).model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n"
    if os.environ.get(REWRITE):
        path.write_text(now, encoding="utf-8")
    assert path.is_file(), (
        f"{name} has no frozen form: run these tests once with {REWRITE}=1 and look at the change."
    )
    assert path.read_text(encoding="utf-8") == now, f"{name} has changed on the wire: {REWRITE}=1 records it."


def test_nothing_is_frozen_that_is_not_in_the_catalogue() -> None:
    assert {path.stem for path in WIRE.iterdir()} == set(ALL_TOOLS)


def test_every_tool_file_is_in_the_catalogue_and_named_after_its_tool() -> None:
    files = {path.stem for path in (WIRE.parent / "tools").glob("*.py")} - {"__init__"}
    assert files == set(ALL_TOOLS)
    assert all(definition_of(name).name == name for name in ALL_TOOLS)


async def test_a_client_of_either_era_sees_the_catalogue_in_its_order(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        tools = (await desktop.client.list_tools()).tools
    assert [tool.name for tool in tools] == list(TOOLS)
    assert tools == listed_tools()


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_a_tool_has_a_title_all_four_hints_and_a_short_description(name: str) -> None:
    tool = LISTED[name]
    hints = tool.annotations
    assert tool.title and hints is not None and hints.title == tool.title
    given = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
    assert None not in given
    assert not (hints.read_only_hint and hints.destructive_hint)
    assert 20 <= len(tool.description or "") <= 600
    assert len(name) <= 64


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_a_tool_takes_and_gives_closed_objects(name: str) -> None:
    tool = LISTED[name]
    assert tool.output_schema is not None
    for schema in (tool.input_schema, tool.output_schema):
        assert schema["type"] == "object"
    assert all(one["additionalProperties"] is False for one in objects(tool.input_schema))
    assert all(one["additionalProperties"] is False for one in objects(tool.output_schema))


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_the_schemas_of_a_tool_are_sound_in_the_protocols_dialect(name: str) -> None:
    for schema in (LISTED[name].input_schema, LISTED[name].output_schema):
        assert schema and Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)


@pytest.mark.parametrize("schema", [{"type": "text"}, {"properties": []}, {"required": "name"}])
def test_a_schema_that_is_not_sound_is_noticed(schema: dict[str, Any]) -> None:
    assert not Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_every_argument_is_described_or_says_it_all_by_its_name(name: str) -> None:
    schema = LISTED[name].input_schema
    steps = {field for field, _ in properties(schema["properties"].get("steps", {}))}  # described as a whole
    silent = [
        argument
        for argument, child in properties(schema)
        if "description" not in child and "enum" not in child and argument not in SELF_EVIDENT | steps
    ]
    assert not silent


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_a_schema_has_no_titles_no_nulls_and_no_references(name: str) -> None:
    shown = json.dumps([LISTED[name].input_schema, LISTED[name].output_schema])
    assert '"$ref"' not in shown
    assert ('"null"' in shown) == (name == "update_sequence")  # where null removes a variable
    assert not [key for key, child in properties(LISTED[name].input_schema) if "title" in child]


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_no_argument_of_a_tool_that_a_model_sees_could_approve(name: str) -> None:
    suspicious = [
        argument
        for argument, _ in properties(LISTED[name].input_schema)
        if any(word in argument.lower().split("_") for word in WORDS_OF_APPROVAL)
    ]
    # A contact's consent is a fact about them; the plan shows it to whoever approves (law.consent_record).
    known = {"start_sequence": ["auto_approve"], "decide_plan": ["digest"], "save_contacts": ["consent"]}
    assert suspicious == known.get(name, [])
    assert not any(word in name for word in ("approve", "confirm", "release"))


def test_the_safe_tools_only_ever_hold_back() -> None:
    safe = {name for name in ALL_TOOLS if definition_of(name).safe}
    assert safe == {"pause_sequence", "stop_sequence", "suppress_contact", "record_reply", "withdraw_plan"}
    for name in safe:
        hints = LISTED[name].annotations
        assert hints is not None and not hints.open_world_hint and not hints.read_only_hint


def test_what_can_reach_people_says_so() -> None:
    hints = {name: definition_of(name).hints for name in ALL_TOOLS}
    reaching = {name for name in ALL_TOOLS if hints[name].open_world}
    assert reaching == {"start_sequence", "resume_sequence", "decide_plan", "retry_failed"}
    assert all(hints[name].destructive for name in reaching)


def test_every_write_takes_an_idempotency_key_and_no_read_does() -> None:
    """What some tools do happens once for other reasons, or harmlessly again.

    The challenge of decide_plan is good once, and so is a plan; an erasure waits as one change, whoever asks how
    often, and nobody is erased twice; an export writes the same file again.
    """
    with_key = {name for name in ALL_TOOLS if "idempotency_key" in LISTED[name].input_schema["properties"]}
    assert with_key == {name for name in ALL_TOOLS if definition_of(name).writes} - {
        *("decide_plan", "erase_contact", "export_contact")
    }


def test_every_write_says_how_it_ended_what_was_sent_and_what_is_next() -> None:
    for name in TOOLS:
        if definition_of(name).writes:
            schema = LISTED[name].output_schema or {}
            assert {"outcome", "sent", "next"} <= set(schema["properties"]), name


def test_the_step_format_on_the_wire_has_every_field_of_a_step() -> None:
    fields = {field.alias or name for name, field in Step.model_fields.items()}
    steps = LISTED["create_blueprint"].input_schema["properties"]["steps"]
    assert set(steps["items"]["properties"]) == fields
    assert steps["description"]


def test_the_variables_are_named_where_texts_are_written() -> None:
    description = LISTED["create_blueprint"].description or ""
    assert all(f"{{{{{name}}}}}" in description for name in VARIABLES)


def test_the_instructions_fit_what_hosts_show() -> None:
    assert len(INSTRUCTIONS.encode()) <= 2_048


def test_descriptions_neither_order_nor_praise() -> None:
    words = ("always", "must", "never use", "important", "best", "powerful", "you should", "easily")
    loud = [(name, word) for name in TOOLS for word in words if word in (LISTED[name].description or "").lower()]
    assert not loud


def test_what_belongs_to_a_vendor_is_listed_only_where_it_is_connected() -> None:
    assert [tool.name for tool in listed_tools()] == list(TOOLS)
    assert [tool.name for tool in listed_tools(("topo",))] == [*TOOLS, "check_operation"]
    assert [tool.name for tool in listed_tools(VENDORS)] == list(ALL_TOOLS)


def test_the_panel_is_bound_to_what_makes_plans_and_its_own_tools_are_not_for_a_model() -> None:
    told = {name: tool.meta["ui"] for name, tool in LISTED.items() if tool.meta}
    assert {name for name, ui in told.items() if "visibility" not in ui} == {"start_sequence", "list_reviews"}
    assert {name for name, ui in told.items() if ui.get("visibility") == ["app"]} == {"show_plan", "decide_plan"}
    assert {ui["resourceUri"] for ui in told.values()} == {URI}
