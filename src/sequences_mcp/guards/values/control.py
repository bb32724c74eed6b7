"""A value with control characters, line breaks, invisible letters or direction marks."""

from __future__ import annotations

from sequences_mcp.domain import invisible
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Rule

_BREAK = Lazy("[\t\r\n\ufffd]")


def check_value(value: str) -> bool:
    """Say whether a value has such characters, or one that stands for what could not be read."""
    text = value.strip()
    return bool(_BREAK.search(text)) or any(True for _ in invisible.find(text))


RULE = Rule(
    id="values.control",
    severity=Severity.ERROR,
    message="This value has characters in it that cannot be seen.",
    accept=("Jane", "می\u200cخواهم", "葛\U000e0100城", "Zoë ❤\ufe0f"),
    reject=("Jane\x00", "Jane\nBcc: x@evil.test", "Ja\u200bne", "\u202eenaJ", "Jane\ufe01", "Jane\u2800"),
    source="ours; Unicode TR 36, 3",
    example="value",
    check_value=check_value,
)
