"""Guard a list of steps, then store it as a new blueprint."""

from __future__ import annotations

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.blueprint_report import BlueprintReport, approved_by_guards
from sequences_mcp.flows.desk import Desk, offered


async def create_blueprint(
    desk: Desk, *, name: str, steps: object, job_title: str | None = None, location: str | None = None
) -> BlueprintReport:
    """Return the blueprint, version 1, with its warnings; RefusedByGuardsError when a finding refuses."""
    checked, findings = approved_by_guards(desk, steps)
    blueprint = await offered(desk.local.blueprints, desk.local, verb="create blueprints").create_blueprint(
        name=valid_name(name),
        steps=checked,
        sourcing=Sourcing(job_title=clean(job_title), location=clean(location)),
    )
    return BlueprintReport(blueprint, findings)


def valid_name(name: str) -> str:
    """Return a blueprint's name, trimmed; InvalidArgumentsError when it is blank or over 200 characters."""
    if is_blank(name) or len(name) > 200:
        raise InvalidArgumentsError("name is blank or longer than 200 characters.", next_step="Give a short name.")
    return name.strip()


def clean(text: str | None) -> str | None:
    """Return the text trimmed, or None where nothing is left."""
    return (text or "").strip() or None
