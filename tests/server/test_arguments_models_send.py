"""Arguments in the forms that models really send them: nulls, other units, JSON text, one step for a list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from open_server import GRACE, LINKEDIN, LINUS, MAIL, WRITTEN, World

from sequences_mcp.domain.blueprint import Delay, DelayUnit

NULLS: dict[str, Any] = {
    **MAIL,
    "linkedInType": None,
    "delay": None,
    "policy": None,
    "contentSource": None,
    "config": None,
}
LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED"}
INVITATION = {
    "id": "invite",
    "name": "Invite",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_INVITATION",
    "temporalityType": "ASAP",
}


@pytest.mark.parametrize(
    "step",
    [
        NULLS,
        {**MAIL, "policy": {"skipStepIfNoContact": None, "autoValidateAIDraft": None, "inviteTimeoutDays": None}},
        {**LATER, "delay": {"value": 2, "unit": "day"}, "linkedInType": None},
        {**INVITATION, "content": None, "subject": None},
    ],
    ids=["every optional field", "inside a policy", "beside a delay", "the content of an invitation"],
)
async def test_null_in_a_step_is_the_same_as_absent(world: World, step: dict[str, Any]) -> None:
    absent = {name: value for name, value in step.items() if value is not None and name != "policy"}
    async with world.client("auto") as desktop:
        given = await desktop.call("get_blueprint", blueprint_id=await desktop.blueprint(step))
        plain = await desktop.call(
            "get_blueprint", blueprint_id=await desktop.blueprint({"content": "", **absent})
        )
        assert given["steps"] == plain["steps"]


async def test_null_in_a_field_that_is_needed_is_told_as_missing(world: World) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=[{**MAIL, "content": None}])
        assert "content is missing" in json.dumps(refused)


@pytest.mark.parametrize(
    ("given", "value", "unit"),
    [
        ({"value": 2, "unit": "hour"}, 120, DelayUnit.MINUTE),
        ({"value": 48, "unit": "hours"}, 2, DelayUnit.DAY),
        ({"value": 1.5, "unit": "hour"}, 90, DelayUnit.MINUTE),
        ({"value": 1, "unit": "week"}, 7, DelayUnit.DAY),
        ({"value": 3, "unit": "days"}, 3, DelayUnit.DAY),
        ({"value": 90, "unit": "Minutes"}, 90, DelayUnit.MINUTE),
        ({"value": 0.5, "unit": "minute"}, 30, DelayUnit.SECOND),
        ({"value": 2.0, "unit": "day"}, 2, DelayUnit.DAY),
    ],
)
def test_a_delay_in_another_unit_is_converted_exactly(given: dict[str, Any], value: int, unit: DelayUnit) -> None:
    assert Delay.model_validate(given) == Delay(value=value, unit=unit)


@pytest.mark.parametrize(
    "delay",
    [
        {"value": True, "unit": "day"},
        {"value": False, "unit": "hour"},
        {"value": 1, "unit": "month"},
        {"value": 0.0001, "unit": "second"},
        {"value": "soon", "unit": "hour"},
        {"value": -2, "unit": "hour"},
        {"value": 10_000, "unit": "hours"},
        {"value": [1], "unit": "day"},
        {"value": 1, "unit": 7},
    ],
)
async def test_a_delay_that_is_no_span_of_time_is_refused(world: World, delay: dict[str, Any]) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=[MAIL, {**LATER, "delay": delay}])
        assert {found["field"] for found in refused["findings"]} <= {"delay.value", "delay.unit", "delay"}


async def test_a_delay_in_hours_is_kept_by_the_engine(world: World) -> None:
    async with world.client("auto") as desktop:
        kept = await desktop.blueprint(MAIL, {**LATER, "delay": {"value": 36, "unit": "hour"}})
        steps = (await desktop.call("get_blueprint", blueprint_id=kept))["steps"]
        assert steps[1]["delay"] == {"value": 2_160, "unit": "minute"}


@pytest.mark.parametrize(
    "form", ["each item as text", "the whole list as text", "one object alone", "one as text"]
)
async def test_steps_and_people_given_as_json_text_are_read(world: World, form: str) -> None:
    async with world.client("auto") as desktop:
        blueprint = await desktop.call(
            "create_blueprint", name="A", steps=written([MAIL], form), job_title="Engineer"
        )
        found = await desktop.call("get_blueprint", blueprint_id=blueprint["blueprint_id"])
        assert found["steps"][0]["content"] == MAIL["content"]
        shown = await desktop.call(
            "preview_sequence", blueprint_id=blueprint["blueprint_id"], contacts=written([GRACE], form)
        )
        assert "Hi Grace" in json.dumps(shown)


def written(items: list[dict[str, Any]], form: str) -> Any:
    return {
        "each item as text": [json.dumps(item) for item in items],
        "the whole list as text": json.dumps(items),
        "one object alone": items[0],
        "one as text": json.dumps(items[0]),
    }[form]


@pytest.mark.parametrize("text", ['{"id": ', "[1, 2", "{}}", "[" * 100_000])
async def test_text_that_only_looks_like_json_is_refused_as_text(world: World, text: str) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=[text])
        assert refused["code"] == "refused_by_guards"


async def test_a_text_written_per_contact_brings_its_own_subject(world: World) -> None:
    step = {name: value for name, value in WRITTEN.items() if name not in ("subject", "content")}
    own = {"subject": "Compilers", "content": "Hi Grace, would a short call about compilers suit you?"}
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint(step)
        people = [{**GRACE, "texts": {"own": own}}, {**LINUS, "texts": {"own": own["content"]}}]
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=people)
        assert "Compilers" in json.dumps(shown["people"][0])
        plan = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people)
        assert plan["people"] == 1
        assert "has a subject" in json.dumps(plan["left_out"])


ONE_CHANGED = [{**MAIL, "content": "Hi {{firstname}}, does a call on Monday suit you?"}]
THREE = [MAIL, {**LATER, "delay": {"value": 3, "unit": "day"}}, LINKEDIN]


@pytest.mark.parametrize(
    "steps",
    [ONE_CHANGED, ONE_CHANGED[0], [{**MAIL, "id": "another"}], [*ONE_CHANGED, THREE[2]]],
    ids=["a list of one", "the step itself", "a new one alone", "two of three"],
)
async def test_part_of_the_steps_given_for_the_whole_names_what_it_would_drop(world: World, steps: Any) -> None:
    async with world.client("auto") as desktop:
        kept = await desktop.blueprint(*THREE)
        refused = await desktop.refused("update_blueprint", blueprint_id=kept, expected_version=1, steps=steps)
        assert "steps is the whole list" in refused["message"]
        assert "later" in refused["would_drop"]
        assert (await desktop.call("get_blueprint", blueprint_id=kept))["version"] == 1


async def test_steps_are_removed_by_giving_the_others_unchanged(world: World) -> None:
    async with world.client("auto") as desktop:
        kept = await desktop.blueprint(*THREE)
        await desktop.call("update_blueprint", blueprint_id=kept, expected_version=1, steps=[MAIL, LINKEDIN])
        found = await desktop.call("get_blueprint", blueprint_id=kept)
        assert [step["id"] for step in found["steps"]] == ["hello", "message"]
