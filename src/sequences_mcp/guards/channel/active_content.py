"""Active content: a script, a frame, a form, an event attribute."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ACTIVE = Lazy(
    r"<\s?/?\s?(?:script|iframe|frame|object|embed|applet|form|input|button|select|textarea|base|meta|svg|link)(?=[\s/>])[^<>]{0,300}>?|"
    r"<[a-z][^<>]{0,300}\son\w{3,20}\s?=|(?:javascript|vbscript|data:text/html)\s?:",
    2,
)


def check(text: Text) -> Iterator[Hit]:
    """Return every piece of active content."""
    return text.hits(_ACTIVE)


RULE = Rule(
    id="channel.active_content",
    severity=Severity.ERROR,
    message="Active content is not sent.",
    accept=("<p>Hi {{firstname}}</p>", "JavaScript: the good parts", "a form to fill in"),
    reject=("<script>x()</script>", '<img src="x" onerror="x()">', '<a href="javascript:x()">x</a>'),
    source="ours",
    check=check,
)
