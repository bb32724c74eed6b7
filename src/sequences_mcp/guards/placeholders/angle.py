"""Angle brackets around a word that is no element of HTML: <company>, <nom de l’entreprise>."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.markup import TAG, is_tag
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import is_field

_ANGLE = Lazy(r"<(/?[^\W\d_][^<>\n]{0,80})>")
_ADDRESS = Lazy(r"(?:[a-z][a-z0-9+.-]*:|[^\s@<>]+@[^\s@<>]+\.|www\.)", 2)


def check(text: Text) -> Iterator[Hit]:
    """Return every angle placeholder; a single letter is in doubt."""
    for view in text.views:
        for match in _ANGLE.finditer(view.text):
            severity = _judge(view, match[1], match.start(), match.end())
            if severity:
                yield Hit(*view.span(*match.span()), severity=severity)


def _judge(view: View, inner: str, start: int, end: int) -> Severity | None:
    tag = TAG.match(view.text, start)
    if (tag and tag.end() == end and is_tag(tag)) or _ADDRESS.match(inner):
        return None
    before = view.text[max(0, start - 1) : start]
    if before and (before.isalnum() or before in "_:<>&") and not is_field(inner):
        return None
    if before and before.isalnum():
        return None if inner[0].isupper() else Severity.WARNING
    return Severity.WARNING if len(inner) == 1 else Severity.ERROR


RULE = Rule(
    id="placeholders.angle",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("<p>Hi {{firstname}}</p>", "<jane@acme.com>", "Vec<T> and Promise<User>", "x < y and y > z"),
    reject=("Hi <company>,", "Bonjour <nom de l’entreprise>,", "Hi &lt;first name&gt;,"),
    source="ours",
    check=check,
)
