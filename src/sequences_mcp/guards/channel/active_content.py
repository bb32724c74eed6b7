"""Active content: a script, a frame, a form, an event attribute."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_TAGS = (
    r"\s?/?\s?(?:script|iframe|frame|object|embed|applet|form|input|button|select|textarea|base|meta|svg)"
    r"(?=[\s/>])[^<>]{0,300}>?|link\s[^<>]{1,300}>?"
)
_EVENT = r"[a-z][^<>]{0,300}?\son[a-z]{3,20}\s?="
_SCHEME = (
    r"(?:(?<=j)avascript|(?<=v)bscript):(?=[\w/(])|"
    r"(?<=[\"'(].)(?:(?<=\s)(?:javascript|vbscript)|(?<=j)avascript|(?<=v)bscript)\s?:|(?<=d)ata:text/html"
)
_NEEDS = ("<", "script", "data:text")
# Both begin with a set and look back from there: the search then skips all other letters.
_ACTIVE = Lazy(rf"(?s)[<jJvVdD\s](?i:(?<=<)(?:{_TAGS}|{_EVENT})|{_SCHEME})", needs=_NEEDS)
_WITHOUT_EVENTS = Lazy(rf"(?s)[<jJvVdD\s](?i:(?<=<)(?:{_TAGS})|{_SCHEME})", needs=_NEEDS)  # of the two, the quick


def check(text: Text) -> Iterator[Hit]:
    """Return every piece of active content."""
    for view in text.views:
        has_event = "=" in view.letters and "on" in view.lower
        for match in view.find(_ACTIVE if has_event else _WITHOUT_EVENTS):
            yield Hit(*view.span(*match.span()))


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
