"""A name or a place in capitals or small letters throughout, a title in capitals."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Fact, Value
from sequences_mcp.guards.names import is_miscased
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether the letters' case is a form's and not a sentence's."""
    return is_miscased(value)


RULE = Rule(
    id="values.casing",
    severity=Severity.WARNING,
    message="This is all in capitals or all in small letters.",
    accept=("Jane", "McDonald", "van der Berg", "J.R.", "Al", "李", "de"),
    reject=("MARIA", "maria", "mARIA", "JEAN-LUC", "o'brien"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=frozenset({*PERSON, Fact.TITLE, Fact.PLACE}),
    mends=True,
)
