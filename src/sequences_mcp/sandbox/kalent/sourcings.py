"""Pages "Create sourcing" and "Get sourcings"."""

from __future__ import annotations

from dataclasses import replace

from sequences_mcp.sandbox.kalent.envelope import paged, require_plan, success
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import choice, only
from sequences_mcp.sandbox.rest.refusal import NoSuch
from sequences_mcp.sandbox.world.kalent import Sourcing


def create(call: Call) -> Reply:
    """Make a sourcing with a generated name; the body must be ``{}``."""
    only(call.fields(), ())
    require_plan(call, "create_sourcings")
    state = call.world.kalent
    sourcing = Sourcing(id=call.world.new_id("sourcing"), name=f"New sourcing {len(state.sourcings) + 1}")
    call.world.kalent = replace(state, sourcings={**state.sourcings, sourcing.id: sourcing})
    return success(_row(sourcing))


def listed(call: Call) -> Reply:
    """List by ownership and status; ``page`` counts from 0, ``pageSize`` is 8, at most 50."""
    mine = choice(call.query, "ownership", ("mine", "all"), default="mine") == "mine"
    closed = choice(call.query, "status", ("in-progress", "closed"), default="in-progress") == "closed"
    found = [s for s in call.world.kalent.sourcings.values() if s.is_closed is closed and (s.is_mine or not mine)]
    return paged([_row(s) for s in found], call.query, number="page", size=8, name="sourcings")


def sourcing_of(call: Call) -> Sourcing:
    """Return the sourcing of the path."""
    if sourcing := call.world.kalent.sourcings.get(call.path["sourcingId"]):
        return sourcing
    raise NoSuch("Sourcing")


def _row(sourcing: Sourcing) -> dict[str, str]:
    return {"sourcingId": sourcing.id, "name": sourcing.name}
