"""Alternatives of which one was to be chosen: {Hi|Hello}."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.greetings import greetings
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_BRACES = Lazy(r"\{[^{}|\n]{0,100}(?:\{[^{}\n]{0,100}\}[^{}|\n]{0,100})?\|[^{}\n]{0,300}\}?", needs=("|",))
_SET = Lazy(r"\{\s?\(?[a-z][^|]{0,20} \| ")
_PARENTHESES = Lazy(r"(?<![\w^$\\])\([^\W\d_][\w ]{1,40}(?:\|[^\W\d_][\w ]{1,40}){1,9}\)", needs=("|",))


def check(text: Text) -> Iterator[Hit]:
    """Return every set of alternatives; of greetings in parentheses, or ``{x | x > 0}``, it may be meant."""
    for view in text.views:
        for match in view.find(_BRACES):
            yield Hit(*view.span(*match.span()), severity=Severity.WARNING if _SET.match(match[0]) else None)
        for match in view.find(_PARENTHESES):
            if greetings(match[0][1:].replace("|", " ")):
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING)


RULE = Rule(
    id="foreign.spintax",
    severity=Severity.ERROR,
    message="Nobody chooses between alternatives: keep one.",
    accept=("||x|| = 1", "Rust | Go | Zig", "(Rust|Go|Zig)"),
    reject=("{Hi|Hello} {{firstname}},", "{Hi {there|you}|Hello}", "(Hi|Hello) Jean"),
    source="ours",
    check=check,
)
