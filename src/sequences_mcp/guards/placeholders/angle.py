"""Angle brackets around words that are no element of HTML: <company>, <nom de l’entreprise>."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.markup import TAG, is_tag
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import is_field

_ANGLE = Lazy(
    r"<(/?[^\W\d_](?:[^<>\n]{0,80}[^<>\n=-])?|\d{1,3} [^\W\d_](?:[^<>\n]{0,80}[^<>\s=-])?|\.\.\.|…)>", needs=("<",)
)
_ADDRESS = Lazy(r"(?i)[a-z][a-z0-9+.-]{0,20}:|[^\s@<>]+@[^\s@<>]+\.|www\.")
_CODE = Lazy(r"#include $|[\w:>&<]$")


def check(text: Text) -> Iterator[Hit]:
    """Return every angle placeholder; a single letter, or an element of XML, is in doubt."""
    for view in text.views:
        for match in view.find(_ANGLE):
            if severity := _judge(view, match[1], start=match.start(), end=match.end()):
                yield Hit(*view.span(*match.span()), severity=severity)


def _judge(view: View, inner: str, *, start: int, end: int) -> Severity | None:
    tag = TAG.match(view.text, start)
    if (tag and tag.end() == end and is_tag(tag)) or _ADDRESS.match(inner):
        return None
    if _CODE.search(view.text[max(0, start - 9) : start]):
        return None if inner[0].isupper() or not is_field(inner) else Severity.WARNING
    is_element = f"</{inner.strip('/')}>" in view.text or inner.endswith("/")
    if len(inner) == 1 or inner in ("...", "…") or (is_element and not is_field(inner.strip("/"))):
        return Severity.WARNING
    return Severity.ERROR


RULE = Rule(
    id="placeholders.angle",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("<p>Hi {{firstname}}</p>", "<jane@acme.com>", "Vec<T> and Promise<User>", "x < y and y > z"),
    reject=("Hi <company>,", "Bonjour <nom de l’entreprise>,", "Hi &lt;first name&gt;,", "of type <T>"),
    source="ours",
    check=check,
    signs=frozenset("<"),
)
