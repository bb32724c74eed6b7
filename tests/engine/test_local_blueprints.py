"""Blueprints: a version never changes; a stale update is refused and shows the difference."""

from __future__ import annotations

import pytest
from tests.world.local_world import EMAIL, LATER, World

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError, StaleVersionError, WrongIdError


async def test_an_update_is_a_new_version_and_the_old_one_stays(world: World) -> None:
    first = await world.blueprint(EMAIL)
    second = await world.local.blueprints.update_blueprint(
        first.id, expected_version=1, name="Better", steps=[EMAIL, LATER], sourcing=Sourcing(location="Lyon")
    )
    assert second.version == 2
    assert await world.local.blueprints.get_blueprint(first.id) == second
    assert await world.local.blueprints.get_blueprint(first.id, 1) == first


async def test_a_stale_update_is_refused_and_shows_what_changed(world: World) -> None:
    first = await world.blueprint(EMAIL)
    changed = EMAIL.model_copy(update={"content": "Good day."})
    update = world.local.blueprints.update_blueprint
    await update(first.id, expected_version=1, name="Test", steps=[changed], sourcing=first.sourcing)
    with pytest.raises(StaleVersionError) as caught:
        await update(first.id, expected_version=1, name="Mine", steps=[EMAIL], sourcing=first.sourcing)
    difference = caught.value.data["difference"]
    assert any(line.startswith("-") and "Hello there." in line for line in difference)
    assert any(line.startswith("+") and "Good day." in line for line in difference)
    assert caught.value.data["version"] == 2
    assert (await world.local.blueprints.get_blueprint(first.id)).version == 2


async def test_the_list_has_the_newest_version_of_each_the_latest_change_first(world: World) -> None:
    first, second = await world.blueprint(EMAIL), await world.blueprint(EMAIL)
    await world.local.blueprints.update_blueprint(
        first.id, expected_version=1, name="Test", steps=[LATER], sourcing=Sourcing()
    )
    page = await world.local.blueprints.list_blueprints(page=1, size=1)
    rest = await world.local.blueprints.list_blueprints(page=2, size=1)
    assert [(one.id, one.version) for one in (*page.items, *rest.items)] == [(first.id, 2), (second.id, 1)]
    assert (page.total_count, page.has_more, rest.has_more) == (2, True, False)


async def test_what_does_not_exist_or_is_of_another_kind_is_named(world: World) -> None:
    blueprint = await world.blueprint(EMAIL)
    with pytest.raises(NotFoundError, match="version 2"):
        await world.local.blueprints.get_blueprint(blueprint.id, 2)
    with pytest.raises(NotFoundError, match="list_blueprints"):
        await world.local.blueprints.get_blueprint("local:bp_none")
    with pytest.raises(WrongIdError):
        await world.local.blueprints.get_blueprint("local:ct_1")
    with pytest.raises(InvalidArgumentsError):
        await world.local.blueprints.list_blueprints(page=0, size=10)
