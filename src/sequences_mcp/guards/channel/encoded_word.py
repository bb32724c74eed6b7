"""An encoded word typed as text, which some readers decode."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ENCODED = Lazy(r"=\?[\w-]{1,40}(?:\*[\w-]{1,20})?\?[bBqQ]\?[^?\s]{0,200}\?=", needs=("=?",))


def check(text: Text) -> Iterator[Hit]:
    """Return every encoded word in a subject."""
    if text.is_subject:
        yield from text.hits(_ENCODED)


RULE = Rule(
    id="channel.encoded_word",
    severity=Severity.WARNING,
    message="Some mail readers decode this and show another text.",
    accept=("What is Rust?",),
    reject=("=?utf-8?B?Qm9uam91cg==?=",),
    source="RFC 2047",
    example="subject",
    check=check,
    signs=frozenset("="),
)
