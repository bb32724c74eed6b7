"""Alternatives in braces, of which one was to be chosen."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_SPIN = Lazy(r"\{[^{}|\n]{0,100}(?:\{[^{}\n]{0,100}\}[^{}|\n]{0,100})?\|[^{}\n]{0,300}\}?")


def check(text: Text) -> Iterator[Hit]:
    """Return every set of alternatives."""
    return text.hits(_SPIN)


RULE = Rule(
    id="foreign.spintax",
    severity=Severity.ERROR,
    message="Alternatives are not chosen between: keep one.",
    accept=("||x|| = 1", "Rust | Go | Zig"),
    reject=("{Hi|Hello} {{firstname}},", "{Hi {there|you}|Hello}"),
    source="ours",
    check=check,
)
