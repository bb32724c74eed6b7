"""Read one blueprint with what the guards say about it today."""

from __future__ import annotations

from sequences_mcp.domain.ids import LOCAL, Kind
from sequences_mcp.domain.waiver import waived
from sequences_mcp.flows.blueprint_report import BlueprintReport, findings_of, unread, without_effect
from sequences_mcp.flows.desk import Desk, offered


async def get_blueprint(desk: Desk, *, blueprint_id: str, version: int | None = None) -> BlueprintReport:
    """Return one version, the newest by default; NotFoundError."""
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    blueprints = offered(provider.blueprints, provider, verb="read blueprints")
    blueprint = await blueprints.get_blueprint(blueprint_id, version)
    if provider.name != LOCAL and not blueprint.steps:
        return BlueprintReport(blueprint, ())  # its API does not tell them
    findings = findings_of(blueprint.steps, desk.policy)
    if provider.name == LOCAL:
        findings += (*without_effect(blueprint.steps), *unread(desk, blueprint.steps))
    return BlueprintReport(blueprint, waived(findings, await desk.waivers.waivers_of(blueprint.id)))
