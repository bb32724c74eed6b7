"""A blueprint together with what the guards say about it."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Blueprint, Step
from sequences_mcp.domain.finding import Finding, errors_in
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.guards.check import check_steps


@dataclass(frozen=True, slots=True)
class BlueprintReport:
    """A stored blueprint and its findings, none of them an error."""

    blueprint: Blueprint
    findings: tuple[Finding, ...]


def approved_by_guards(desk: Desk, steps: object) -> tuple[tuple[Step, ...], tuple[Finding, ...]]:
    """Return the steps and the remaining findings; RefusedByGuardsError carries all of them if one refuses."""
    report = check_steps(steps, policy=desk.policy)
    require_no_errors(report.findings)
    assert report.steps is not None  # a form that is wrong is an error among the findings
    return report.steps, report.findings


def require_no_errors(findings: tuple[Finding, ...]) -> None:
    """Raise RefusedByGuardsError, with all the findings, when one of them refuses."""
    if errors := errors_in(findings):
        raise RefusedByGuardsError(
            f"The guards refuse these steps: {len(errors)} {'error' if len(errors) == 1 else 'errors'}.",
            next_step="Mend each finding, then call again; check_blueprint shows the same without saving.",
            data={"findings": findings},
        )


def wire_steps(blueprint: Blueprint) -> list[dict[str, object]]:
    """Return a blueprint's steps as they came in."""
    return [step.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for step in blueprint.steps]
