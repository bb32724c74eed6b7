"""A value with brackets, braces, tags or entities, as a template or markup has them."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Value
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Rule

_MARKS = Lazy(r"[{}\[\]<>｛｝［］【】＜＞⟦⟧«»‹›❴❵]|&#?\w{1,32};|__|%\w+%|\*\||\$\w*\{")


def check_value(value: Value) -> bool:
    """Say whether a value has such marks."""
    return bool(_MARKS.search(value.text))


RULE = Rule(
    id="values.marks",
    severity=Severity.WARNING,
    message="This value has marks of a template or of markup in it.",
    accept=("O'Connor & Sons", "CTO | Founder"),
    reject=("«Acme» Ltd", "Acme <3"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
)
