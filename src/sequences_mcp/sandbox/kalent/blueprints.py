"""Pages "Create sequence blueprint" and "Update sequence blueprint"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sequences_mcp.sandbox.kalent.envelope import success
from sequences_mcp.sandbox.kalent.sourcings import sourcing_of
from sequences_mcp.sandbox.kalent.step_rules import checked_steps
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import only, text
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch
from sequences_mcp.sandbox.world.kalent import Blueprint

FIELDS = ("name", "steps", "config")


def create(call: Call) -> Reply:
    """Make a blueprint in a sourcing, with all its steps or none yet."""
    sourcing = sourcing_of(call)
    fields = call.fields()
    blank = Blueprint(id=call.world.new_id("blueprint"), name=text(fields, "name"), sourcing_id=sourcing.id)
    return _stored(call, _changed(blank, fields))


def update(call: Call) -> Reply:
    """Change what is given; steps replace the whole list. The answer is not published: create's was chosen."""
    blueprint, fields = blueprint_of(call), call.fields()
    if not set(FIELDS) & set(fields):
        raise BadInput("At least one of name, steps, config is required", field="name")
    return _stored(call, _changed(blueprint, fields))


def blueprint_of(call: Call) -> Blueprint:
    """Return the blueprint of the path."""
    if blueprint := call.world.kalent.blueprints.get(call.path["blueprintId"]):
        return blueprint
    raise NoSuch("Sequence blueprint")


def _changed(blueprint: Blueprint, fields: Mapping[str, Any]) -> Blueprint:
    only(fields, FIELDS)
    name = text(fields, "name") if "name" in fields else blueprint.name
    steps = checked_steps(fields["steps"]) if "steps" in fields else blueprint.steps
    config = fields.get("config", blueprint.config)
    if not isinstance(config, Mapping):
        raise BadInput("config must be an object", field="config")
    return replace(blueprint, name=name, steps=steps, config=config)


def _stored(call: Call, blueprint: Blueprint) -> Reply:
    state = call.world.kalent
    call.world.kalent = replace(state, blueprints={**state.blueprints, blueprint.id: blueprint})
    row = {"blueprintId": blueprint.id, "name": blueprint.name, "sourcingId": blueprint.sourcing_id}
    return success(row)
