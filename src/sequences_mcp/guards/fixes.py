"""The mechanical fixes of errors, applied to steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Finding, errors_in


def fixed(steps: tuple[Step, ...], findings: tuple[Finding, ...]) -> tuple[Step, ...]:
    """Return the steps with each span that an error offers a replacement for replaced."""
    fixes = [finding for finding in errors_in(findings) if finding.fix is not None]
    # A fix cannot tell two steps of one id apart: those are left to the writer.
    count = Counter(step.id for step in steps)
    return tuple(
        _fixed(step, [fix for fix in fixes if fix.step_id == step.id and count[step.id] == 1]) for step in steps
    )


def _fixed(step: Step, fixes: list[Finding]) -> Step:
    changes = {
        name: replaced(text, [fix for fix in fixes if fix.field == name])
        for name, text in (("content", step.content), ("subject", step.subject))
        if text is not None
    }
    return step.model_copy(update=changes) if fixes else step


def replaced(text: str, fixes: Iterable[Finding]) -> str:
    """Return the text with each span replaced; of two that overlap, the first counts."""
    done = 0
    parts: list[str] = []
    for finding in sorted(fixes, key=lambda finding: (finding.start, finding.end)):
        if finding.start >= done:
            parts += [text[done : finding.start], finding.fix or ""]
            done = finding.end
    return "".join([*parts, text[done:]])
