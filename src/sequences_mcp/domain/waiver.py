"""A person's standing yes to one warning in one blueprint: who, why, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sequences_mcp.domain.finding import Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """``rule`` is a rule's id; the waiver covers every version of the blueprint until ``until``."""

    blueprint_id: str
    rule: str
    reason: str
    actor: str
    until: datetime


def waived(findings: Iterable[Finding], waivers: Iterable[Waiver]) -> tuple[Finding, ...]:
    """Return the findings with waived warnings turned into notes that say who waived them; errors stay."""
    by_rule = {waiver.rule: waiver for waiver in waivers}
    return tuple(
        _noted(finding, by_rule[finding.rule])
        if finding.severity is Severity.WARNING and finding.rule in by_rule
        else finding
        for finding in findings
    )


def _noted(finding: Finding, waiver: Waiver) -> Finding:
    until = f"{waiver.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    words = f"{finding.message} Waived by {waiver.actor} until {until}: {waiver.reason}"
    return replace(finding, severity=Severity.NOTE, message=words)
