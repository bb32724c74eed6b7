"""The guards as a verb: what would be refused, and why, without saving anything."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.blueprint_report import without_effect
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.get_blueprint import get_blueprint
from sequences_mcp.guards.check import Report, check_steps
from sequences_mcp.guards.check import apply_fixes as mend


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The findings, the steps where their form is right, and the mended steps where that was asked for."""

    findings: tuple[Finding, ...]
    steps: tuple[Step, ...] | None
    fixed_steps: tuple[Step, ...] | None = None


async def check_blueprint(
    desk: Desk, *, steps: object | None = None, blueprint_id: str | None = None, apply_fixes: bool = False
) -> CheckReport:
    """Return what the guards find in ``steps`` or in a stored blueprint; exactly one of the two is given."""
    if (steps is None) == (blueprint_id is None):
        raise InvalidArgumentsError("Give either steps or blueprint_id.", next_step="Leave the other one out.")
    if blueprint_id is not None:
        stored = await get_blueprint(desk, blueprint_id=blueprint_id)
        report = Report(findings=stored.findings, steps=stored.blueprint.steps)
    else:
        found = check_steps(steps, policy=desk.policy)
        # A vendor may use what the embedded engine does not, and nobody has said yet where this will be stored.
        unused = tuple(without_effect(found.well_formed, severity=Severity.WARNING))
        report = Report(findings=found.findings + unused, steps=found.steps)
    fixed = mend(report.steps, report.findings) if apply_fixes and report.steps is not None else None
    return CheckReport(report.findings, report.steps, fixed)
