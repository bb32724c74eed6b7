"""A value with control characters, line breaks, invisible letters or direction marks."""

from __future__ import annotations

from sequences_mcp.domain import invisible
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import Fact, Value
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Rule

_BREAK = Lazy("[\t\r\n\ufffd]")
_NOT_READ = "\ufffd"


def check_value(value: Value) -> bool:
    """Say whether a value has such characters, or one that stands for what could not be read.

    A note may have lines.
    """
    text = value.text.strip()
    is_broken = _NOT_READ in text if value.fact is Fact.NOTE else bool(_BREAK.search(text))
    return is_broken or any(True for _ in invisible.find(text, direction=value.fact is Fact.NOTE))


RULE = Rule(
    id="values.control",
    severity=Severity.ERROR,
    message="This value has characters in it that cannot be seen.",
    accept=("Jane", "می\u200cخواهم", "葛\U000e0100城", "Zoë ❤\ufe0f"),
    reject=("Jane\x00", "Jane\nBcc: x@evil.test", "Ja\u200bne", "\u202eenaJ", "Jane\ufe01", "Jane\u2800"),
    source="ours; Unicode TR 36, 3",
    example="value",
    check_value=check_value,
    mends=True,
)
