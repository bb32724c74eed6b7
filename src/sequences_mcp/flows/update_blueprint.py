"""Guard the change, then store it as the next version; what runs stays on its own version."""

from __future__ import annotations

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.ids import Kind
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.blueprint_report import BlueprintReport, approved_by_guards, wire_steps
from sequences_mcp.flows.create_blueprint import clean, valid_name
from sequences_mcp.flows.desk import Desk, offered


async def update_blueprint(
    desk: Desk,
    *,
    blueprint_id: str,
    expected_version: int,
    name: str | None = None,
    steps: object | None = None,
    job_title: str | None = None,
    location: str | None = None,
) -> BlueprintReport:
    """Return the new version; what is None stays as it was, ``steps`` replaces the whole list.

    Raises StaleVersionError when ``expected_version`` is not the newest, RefusedByGuardsError on an error.
    """
    if name is None and steps is None and job_title is None and location is None:
        raise InvalidArgumentsError("Nothing to change.", next_step="Give name, steps, job_title or location.")
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    blueprints = offered(provider.blueprints, provider, verb="update blueprints")
    old = await blueprints.get_blueprint(blueprint_id)
    checked, findings = approved_by_guards(desk, wire_steps(old) if steps is None else steps)
    sourcing = Sourcing(
        job_title=old.sourcing.job_title if job_title is None else clean(job_title),
        location=old.sourcing.location if location is None else clean(location),
    )
    blueprint = await blueprints.update_blueprint(
        blueprint_id,
        expected_version=expected_version,
        name=old.name if name is None else valid_name(name),
        steps=checked,
        sourcing=sourcing,
    )
    return BlueprintReport(blueprint, findings)
