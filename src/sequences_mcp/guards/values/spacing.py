"""More than one blank between two words of a name."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Value
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Rule

_BLANKS = Lazy(r"\s{2,}|[\u2000-\u200a\u3000]")


def check_value(value: Value) -> bool:
    """Say whether two blanks follow one another."""
    return _BLANKS.search(value.text.strip()) is not None


RULE = Rule(
    id="values.spacing",
    severity=Severity.WARNING,
    message="This has blanks in it that do not belong there.",
    accept=("Jane", "Maria José"),
    reject=("Maria  José",),
    source="ours",
    example="value",
    check_value=check_value,
    facts=PERSON,
    mends=True,
)
