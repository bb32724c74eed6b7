"""Doubled braces written in the escaping of JSON, Python, a URL or a mail body: they are never filled in."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ESCAPED = Lazy(
    r"(?i)(?:\\u007[bd]|\\u\{7[bd]\}|\\x7[bd]|%7[bd]|%257[bd]|=7[bd]){2}",
    needs=("\\u007", "\\u{7", "\\x7", "%7", "%257", "=7"),
)


def check(text: Text) -> Iterable[Hit]:
    """Return every pair of escaped braces."""
    return text.hits(_ESCAPED)


RULE = Rule(
    id="variables.escaped",
    severity=Severity.ERROR,
    message="Nobody fills in escaped braces: write the variable itself.",
    accept=("https://acme.com/%C3%A9quipe?a=%7B1%7D",),
    reject=("Hi \\u007b\\u007bfirstname\\u007d\\u007d,", "Hi %7B%7Bfirstname%7D%7D,", "=7B=7Bfirstname=7D=7D"),
    source="ours",
    check=check,
    signs=frozenset("\\%="),
)
