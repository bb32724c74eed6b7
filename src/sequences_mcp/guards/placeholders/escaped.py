"""Square brackets written in the escaping of another language around a word."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ESCAPED = Lazy(
    r"(?i)(?:\\u005b|\\x5b)[\w .'-]{1,60}(?:\\u005d|\\x5d)|(?<![\w/=&?%.-])%5b[\w%+.'-]{1,60}?%5d|"
    r"=5b[\w .'-]{1,60}=5d",
    needs=("5b",),
)


def check(text: Text) -> Iterable[Hit]:
    """Return every word in escaped brackets; in the query of a URL they are spelling."""
    return text.hits(_ESCAPED)


RULE = Rule(
    id="placeholders.escaped",
    severity=Severity.ERROR,
    message="These are escaped brackets around a blank that was never filled in.",
    accept=("https://acme.com/?tags%5B%5D=rust&by%5Bname%5D=1",),
    reject=("at \\u005bcompany\\u005d", "at %5Bcompany%5D"),
    source="ours",
    check=check,
    signs=frozenset("\\%="),
)
