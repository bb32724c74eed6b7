"""Tags and entities: every channel sends plain text, so a reader would see them as they stand."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.markup import marks, plain_text
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return what lies between the first tag or entity and the last, with its plain text as the fix."""
    found = list(marks(text.original))
    if found:
        start, end = min(place for place, _ in found), max(place for _, place in found)
        plain = plain_text(text.original[start:end])
        plain = " ".join(plain.split()) if text.is_subject else plain
        before, after = text.original[:start].strip(), text.original[end:].strip()
        plain = plain if before else plain.lstrip()
        yield Hit(start, end, fix=plain if after else plain.rstrip())


RULE = Rule(
    id="channel.markup",
    severity=Severity.ERROR,
    message="Tags and entities would be seen as they stand: write plain text.",
    accept=(
        "a < b and c > d, x <p and <3",
        "AT&T, R&D and Q&A; write to <maria@globex.example>",
        "https://acme.com/?a=1&copy=2&lt=3",
        "Vec<T> and Promise<User>",
    ),
    reject=(
        "<p>Hi {{firstname}},</p>",
        "Hi&nbsp;{{firstname}}",
        "R&amp;D",
        "R&amp D",
        "R&ampD and we&rsquore",
        "&#8217 s",
        "Hi<br>there",
        "Hi <br there",
        "Hi <!-- note --> there",
    ),
    source="ours",
    check=check,
    signs=frozenset("<&"),
)
