"""Active content: a script, a frame, a form, an event attribute."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ACTIVE = Lazy(
    r"(?i)<\s?/?\s?(?:script|iframe|frame|object|embed|applet|form|input|button|select|textarea|base|meta|svg)"
    r"(?=[\s/>])[^<>]{0,300}>?|<link\s[^<>]{1,300}>?|<[a-z][^<>]{0,300}?\son[a-z]{3,20}\s?=|"
    r"(?:javascript|vbscript):(?=[\w/(])|(?<=[\"'(])\s?(?:javascript|vbscript)\s?:|data:text/html",
    needs=("<", "script", "data:text"),
)


def check(text: Text) -> Iterable[Hit]:
    """Return every piece of active content."""
    return text.hits(_ACTIVE)


RULE = Rule(
    id="channel.active_content",
    severity=Severity.ERROR,
    message="Active content is not sent.",
    accept=("<p>Hi {{firstname}}</p>", "JavaScript: the good parts, in a book", "a form to fill in"),
    reject=("<script>x()</script>", '<img src="x" onerror="x()">', '<a href="javascript:x()">x</a>'),
    source="ours",
    check=check,
    signs=frozenset("<:"),
)
