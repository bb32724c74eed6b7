"""A value that another program wrote for one that it did not have: null, None, N/A, signs alone."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Fact, Value
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.words import means_nothing

_SURNAMES = ("Null", "Nil", "Nan", "Na")


def check_value(value: Value) -> bool:
    """Say whether a value is a word for none, or has neither a letter nor a digit."""
    if value.fact is Fact.LAST and value.text.strip() in _SURNAMES:
        return False
    return means_nothing(value.text) or not any(character.isalnum() for character in value.text)


RULE = Rule(
    id="values.nothing",
    severity=Severity.WARNING,
    message="This is what a program writes for a value it does not have.",
    accept=("Jane", "Nullmann"),
    reject=("null", "None", "N/A", "-", "%%"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
)
