"""Findings of the guards."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Any, Literal

from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.server.view import View, seen

FINDINGS_SHOWN = 12
_ORDER = list(Severity)


class FindingView(View):
    """One problem; ``start`` and ``end`` are code points in the field, ``fix`` replaces that span.

    ``variable`` names the variable in whose value the problem lies.
    """

    rule: str
    severity: Literal["error", "warning", "note"]
    step_id: str | None = None
    field: str | None = None
    variable: str | None = None
    start: int | None = None
    end: int | None = None
    excerpt: str | None = None
    message: str
    fix: str | None = None


class FoundView(View):
    """A part of a result that carries findings, the gravest first and no more than a screen of them."""

    findings: tuple[FindingView, ...] = ()
    findings_left_out: int | None = None


def finding_view(finding: Finding) -> FindingView:
    """Return one finding; a place only where there is one."""
    has_span = finding.end > finding.start
    return FindingView(
        rule=finding.rule,
        severity=finding.severity.value,
        step_id=finding.step_id,
        field=finding.field,
        variable=finding.variable,
        start=finding.start if has_span else None,
        end=finding.end if has_span else None,
        excerpt=finding.excerpt or None,
        message=finding.message,
        fix=finding.fix,
    )


def found(findings: Items[Finding]) -> dict[str, Any]:
    """Return findings for the constructor of a FoundView."""
    graded = sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
    return {
        "findings": seen(graded[:FINDINGS_SHOWN], finding_view),
        "findings_left_out": max(0, len(graded) - FINDINGS_SHOWN) or None,
    }
