"""Blueprints: a version never changes; a stale update is refused and shows the difference."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.secrecy.hearing import heard
from tests.world.engine import EMAIL, LATER, EngineWorld
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.blueprint import (
    Channel,
    ContentSource,
    Delay,
    DelayUnit,
    LinkedInType,
    Policy,
    Sourcing,
    Step,
    StepConfig,
    Temporality,
)
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError, StaleVersionError, WrongIdError
from sequences_mcp.store.blueprints import steps_from_json, steps_json


async def test_an_update_is_a_new_version_and_the_old_one_stays(world: EngineWorld) -> None:
    first = await world.blueprint(EMAIL)
    second = await world.local.update_blueprint(
        first.id, expected_version=1, name="Better", steps=[EMAIL, LATER], sourcing=Sourcing(location="Lyon")
    )
    assert second.version == 2
    assert await world.local.get_blueprint(first.id) == second
    assert await world.local.get_blueprint(first.id, 1) == first


async def test_a_stale_update_is_refused_and_shows_what_changed(world: EngineWorld) -> None:
    first = await world.blueprint(EMAIL)
    changed = EMAIL.model_copy(update={"content": "Good day."})
    update = world.local.update_blueprint
    await update(first.id, expected_version=1, name="Test", steps=[changed], sourcing=first.sourcing)
    with pytest.raises(StaleVersionError) as caught:
        await update(first.id, expected_version=1, name="Mine", steps=[EMAIL], sourcing=first.sourcing)
    difference = caught.value.data["difference"]
    assert any(line.startswith("-") and "Hello there." in line for line in difference)
    assert any(line.startswith("+") and "Good day." in line for line in difference)
    assert caught.value.data["version"] == 2
    assert (await world.local.get_blueprint(first.id)).version == 2


async def test_the_list_has_the_newest_version_of_each_the_latest_change_first(world: EngineWorld) -> None:
    first, second = await world.blueprint(EMAIL), await world.blueprint(EMAIL)
    await world.local.update_blueprint(
        first.id, expected_version=1, name="Test", steps=[LATER], sourcing=Sourcing()
    )
    page = await world.local.list_blueprints(page=1, size=1)
    rest = await world.local.list_blueprints(page=2, size=1)
    assert [(one.id, one.version) for one in (*page.items, *rest.items)] == [(first.id, 2), (second.id, 1)]
    assert (page.total_count, page.has_more, rest.has_more) == (2, True, False)


async def test_what_does_not_exist_or_is_of_another_kind_is_named(world: EngineWorld) -> None:
    blueprint = await world.blueprint(EMAIL)
    with pytest.raises(NotFoundError, match="version 2"):
        await world.local.get_blueprint(blueprint.id, 2)
    with pytest.raises(NotFoundError, match="list_blueprints"):
        await world.local.get_blueprint("local:bp_none")
    with pytest.raises(WrongIdError):
        await world.local.get_blueprint("local:ct_1")
    with pytest.raises(InvalidArgumentsError):
        await world.local.list_blueprints(page=0, size=10)


STEPS = st.builds(
    Step,
    id=st.text(CHARACTERS),
    name=st.text(CHARACTERS),
    type=st.sampled_from(Channel),
    linked_in_type=st.none() | st.sampled_from(LinkedInType),
    content=st.text(CHARACTERS),
    subject=st.none() | st.text(CHARACTERS),
    temporalityType=st.sampled_from(Temporality),
    delay=st.none() | st.builds(Delay, value=st.integers(0, 999), unit=st.sampled_from(DelayUnit)),
    content_source=st.sampled_from(ContentSource),
    config=st.none() | st.builds(StepConfig, user_id=st.none() | st.text(CHARACTERS)),
    policy=st.builds(
        Policy,
        skip_step_if_no_contact=st.booleans(),
        auto_validate_ai_draft=st.booleans(),
        invite_timeout_days=st.none() | st.integers(0, 99),
    ),
)


def types(value: object) -> object:
    """Return the types of all the values of a step."""
    inner = vars(value) if isinstance(value, Step | Delay | Policy | StepConfig) else {}
    return type(value), {name: types(one) for name, one in inner.items()}


@given(st.lists(STEPS, max_size=3).map(tuple))
def test_stored_steps_are_what_they_were_with_every_value_of_its_type(steps: tuple[Step, ...]) -> None:
    assert set(Step.model_fields) == set(vars(EMAIL))
    read = steps_from_json(steps_json(steps))
    assert read == steps
    assert list(map(types, read)) == list(map(types, steps))
    assert [one.model_dump_json() for one in read] == [one.model_dump_json() for one in steps]


def test_steps_that_an_older_program_stored_get_the_values_that_were_meant() -> None:
    stored = '[{"id":"a","name":"A","type":"EMAIL","content":"Hi","temporalityType":"ASAP","delay":null}]'
    (read,) = steps_from_json(stored)
    assert read == Step(id="a", name="A", type=Channel.EMAIL, content="Hi", temporality_type=Temporality.ASAP)


READ_ONCE = """
import sys
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.store.blueprints import steps_from_json
steps_from_json(sys.argv[1])
print(Step.__pydantic_complete__)
"""


def test_reading_stored_steps_builds_no_schema() -> None:
    command = [sys.executable, "-c", READ_ONCE, steps_json([EMAIL, LATER])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert heard("a reader of stored steps", done.stdout).strip() == "False"


async def test_a_stored_blueprint_is_what_it_was(world: EngineWorld) -> None:
    made = await world.blueprint(EMAIL, LATER)
    read = await world.local.get_blueprint(made.id)
    assert read == made
    assert read.model_dump_json() == made.model_dump_json()


async def test_changes_that_are_asked_for_at_one_instant_are_listed_in_that_order(world: EngineWorld) -> None:
    asked = [
        await world.local.changes.ask("stop_sequence", f"kalent:{place}", arguments={}, earlier={})
        for place in range(9)
    ]
    assert len({change.asked_at for change in asked}) == 1
    listed = await world.local.changes.waiting(page=1, size=20)
    assert listed.items == tuple(asked)
