"""A line break in a subject, which would start another header."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ENDS = r"\r\n\x0b\x0c\x85\u2028\u2029"
# Begins with a set and looks back from there: the search then skips all other letters.
_BREAK = Lazy(
    rf"[{_ENDS}%\\](?:(?<=[{_ENDS}])[{_ENDS}]*|(?:(?<=%)(?:0[dD]%)?0[aA]|(?<=\\)(?:[rR]\\)?[nN])(?=\w{{1,20}}:))"
)


def check(text: Text) -> Iterator[Hit]:
    """Return every line break in a subject, and every escaped one before a header."""
    if text.is_subject:
        for match in _BREAK.finditer(text.original):
            yield Hit(*match.span())


RULE = Rule(
    id="channel.header",
    severity=Severity.ERROR,
    message="A subject is one line: a break in it could start another header.",
    accept=("Tabs\tok ?",),
    reject=("A role\r\nBcc: x@evil.test", "A role\u2028today", "A role%0d%0aBcc: x@evil.test"),
    source="RFC 5322, 2.2; CWE-93",
    example="subject",
    check=check,
    signs=frozenset("\r\n\x0b\x0c\x85\u2028\u2029%\\"),
)
