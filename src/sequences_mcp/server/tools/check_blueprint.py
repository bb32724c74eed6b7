"""The tool ``check_blueprint``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.findings import Finding, errors_in, warnings_in
from sequences_mcp.server.arguments import Unpacked
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.blueprints import FindingsView, findings_fields, step_view
from sequences_mcp.services import blueprints as verb


class CheckView(FindingsView):
    """How many findings refuse or warn, and, where asked for, the steps with every fix applied."""

    errors: int
    warnings: int
    fixed_steps: tuple[dict[str, Any], ...] | None = None
    next: str


async def check_blueprint(
    app: AppContext,
    steps: Annotated[list[Any] | None, Unpacked, Field(description="As in create_blueprint")] = None,
    blueprint_id: str | None = None,
    apply_fixes: Annotated[bool, Field(description="Also return the steps with every exact fix applied")] = False,
) -> CheckView:
    """What the guards find in steps or a stored blueprint, each with its place and fix. Errors
    refuse a save or a start; warnings need a person's approval."""
    report = await verb.check_blueprint(app, steps=steps, blueprint_id=blueprint_id, apply_fixes=apply_fixes)
    fixed = report.fixed_steps
    return CheckView(
        errors=len(errors_in(report.findings)),
        warnings=len(warnings_in(report.findings)),
        fixed_steps=None if fixed is None else tuple(map(step_view, fixed)),
        next=_next(report.findings),
        **findings_fields(report.findings),
    )


def _next(findings: tuple[Finding, ...]) -> str:
    if errors_in(findings):
        return "Mend the errors: these steps would be refused."
    return "A person will be asked about the warnings." if warnings_in(findings) else "These steps can be saved."


TOOL = Definition(check_blueprint, title="Check a blueprint", hints=READ)
