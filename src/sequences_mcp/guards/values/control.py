"""A value with control characters, line breaks, invisible letters or direction marks."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Rule

_CONTROL = Lazy(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffd\U000e0000-\U000e007f]"
)


def check_value(value: str) -> bool:
    """Say whether a value has such characters."""
    return bool(_CONTROL.search(value.strip()))


RULE = Rule(
    id="values.control",
    severity=Severity.ERROR,
    message="This value has characters in it that cannot be seen.",
    accept=("Jane", "می\u200cخواهم"),
    reject=("Jane\x00", "Jane\nBcc: x@evil.test", "Ja\u200bne", "\u202eenaJ"),
    source="ours",
    example="value",
    check_value=check_value,
)
