"""Braces written as an escape of another language: they are never filled in."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ESCAPES = Lazy(r"(?:\\u007[bBdD]|\\u\{7[bBdD]\}|\\x7[bBdD]|%7[bBdD]|%257[bBdD]){2}", 0)


def check(text: Text) -> Iterator[Hit]:
    """Return every doubled brace in JSON's, Python's or a URL's escaping."""
    return text.hits(_ESCAPES)


RULE = Rule(
    id="variables.escaped",
    severity=Severity.ERROR,
    message="These are escaped braces, which nobody fills in: write the variable itself.",
    accept=("https://acme.com/%C3%A9quipe?a=%7B1%7D",),
    reject=("Hi \\u007b\\u007bfirstname\\u007d\\u007d,", "Hi %7B%7Bfirstname%7D%7D,"),
    source="ours",
    check=check,
)
