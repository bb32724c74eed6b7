"""What a guard says: one finding a problem, with the exact place and, where one exists, the exact fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """``error`` refuses; ``warning`` needs a person's yes, recorded; ``note`` is for the writer only."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem in one place.

    ``rule`` is the rule's path (``variables.unknown``); ``start`` and ``end`` are code points in the field
    named; ``excerpt`` shows the place between ⟦ and ⟧; ``fix`` is the exact replacement of that span, or None.
    ``variable`` names the variable in whose value the problem lies, for a text that is filled in.
    """

    rule: str
    severity: Severity
    message: str
    step_id: str | None = None
    field: str | None = None
    start: int = 0
    end: int = 0
    excerpt: str = ""
    fix: str | None = None
    variable: str | None = None


def errors_in(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that refuse."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def warnings_in(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that need a person's yes."""
    return tuple(finding for finding in findings if finding.severity is Severity.WARNING)
