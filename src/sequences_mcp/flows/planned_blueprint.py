"""The blueprint version that a plan is about, as it is kept here: no vendor is asked, so it shows anywhere."""

from __future__ import annotations

from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.waiver import waived
from sequences_mcp.flows.at_vendor import NO_AGENT, UNREVIEWED, warnings_there
from sequences_mcp.flows.blueprint_report import BlueprintReport, findings_of, unread
from sequences_mcp.flows.desk import Desk, offered


async def planned_blueprint(desk: Desk, plan: Plan) -> BlueprintReport:
    """Return the version with what the guards say about it today, and what a yes covers at a vendor."""
    header = plan.header
    blueprints = offered(desk.local.blueprints, desk.local, verb="read blueprints")
    blueprint = await blueprints.get_blueprint(header.blueprint_id, header.blueprint_version)
    found = findings_of(blueprint.steps, desk.policy) if blueprint.steps else ()
    found = waived(found, await desk.waivers.waivers_of(blueprint.id))
    if header.is_at_vendor:
        reviewed = not any(UNREVIEWED in warning for warning in header.warnings)
        named = not any(NO_AGENT in warning for warning in header.warnings)
        found = (*found, *warnings_there(blueprint, reviewed_there=reviewed, sender_named=named))
    else:
        found = (*found, *unread(desk, blueprint.steps))
    return BlueprintReport(blueprint, found)
