"""A person says that one warning in one blueprint is meant, until a date."""

from __future__ import annotations

from datetime import datetime

from sequences_mcp.domain.finding import Severity
from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.waiver import Waiver
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.get_blueprint import get_blueprint


async def waive(desk: Desk, *, blueprint_id: str, rule: str, reason: str, until: datetime, actor: str) -> Waiver:
    """Record the waiver. Only a present warning can be waived, with a reason, until a time in the future.

    Raises InvalidArgumentsError for anything else; an error of the guards cannot be waived.
    """
    desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    found = (await get_blueprint(desk, blueprint_id=blueprint_id)).findings
    if not any(finding.rule == rule and finding.severity is Severity.WARNING for finding in found):
        present = sorted({finding.rule for finding in found if finding.severity is Severity.WARNING})
        raise InvalidArgumentsError(
            f"{rule} is no warning in this blueprint.",
            next_step=f"Its warnings: {', '.join(present) or 'none'}. Errors cannot be waived.",
        )
    if not reason.strip() or until <= desk.clock():
        raise InvalidArgumentsError("The reason is blank, or the time is past.", next_step="Give both.")
    waiver = Waiver(blueprint_id=blueprint_id, rule=rule, reason=reason.strip(), actor=actor, until=until)
    await desk.waivers.waive(waiver)
    return waiver
