"""More brackets or signs than a person would write. ``inspect`` applies it before any rule has to look at each."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule

_FEW = "[]{}|［］｛｝【】"
_MORE = "<>&%$#@^~=_*\\\"'`()«»…\ufdd0\u00ad\u200b\u200c\u200d\u2060\ufeff"
_LINES = 5_000
LIMITS = {**dict.fromkeys(_FEW, 300), **dict.fromkeys(_MORE, 2_000), "\n": _LINES, "\t": _LINES}
"""How often a text may have each of these."""


def too_many(text: str) -> str | None:
    """Return the first sign that a text has more often than a person would write it, or None."""
    length = len(text)
    for sign, most in LIMITS.items():  # the lowest limits come first
        if length <= most:
            return None
        if text.count(sign) > most:
            return sign
    return None


RULE = Rule(
    id="structure.crowded",
    severity=Severity.ERROR,
    message="This text has one sign more often than a person would write it, and was not looked at.",
    accept=("[1] " * 300,),
    reject=("[1] " * 301, "{" * 301, "<p>" * 2_001),
    source="ours",
)
