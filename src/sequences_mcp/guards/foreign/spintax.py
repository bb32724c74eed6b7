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

_SLASHED = Lazy(r"([^\W\d_]{2,12})/([^\W\d_]{2,12})(?=[ ,])")
_TITLES = Lazy(
    r"(?<!\w)(?:Mr\.?\s?/\s?(?:Mrs|Ms|Mx)\.?|M\.?\s?/\s?Mme|Mrs?\.?\s?/\s?M[rsx]{1,2}\.?|Sr\.?\s?/\s?Sra\.?|"
    r"Sig\.?\s?/\s?Sig\.?ra|Herrn?\s?/\s?Frau|Frau\s?/\s?Herrn?)(?=\s?[,\ufdd0]|\s\S{1,30},|\s*$)",
    needs=("/m", "/ m", "/s", "/ s", "/h", "/ h", "/f", "/ f"),
    signs="MSHF",
)


def check(text: Text) -> Iterator[Hit]:
    """Return every set of alternatives; of greetings in parentheses, or ``{x | x > 0}``, it may be meant."""
    for view in text.views:
        for match in view.find(_BRACES):
            yield Hit(*view.span(*match.span()), severity=Severity.WARNING if _SET.match(match[0]) else None)
        for match in view.find(_PARENTHESES):
            if greetings(match[0][1:].replace("|", " ")):
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING)
        for line in view.lines if "/" in view.letters else ():
            slashed = _SLASHED.match(line.bare) if "/" in line.bare[:13] else None
            if slashed and all(greetings(f"{word} ") for word in slashed.groups()):
                yield Hit(*view.span(line.start, line.start + slashed.end()), severity=Severity.WARNING)
        for match in view.find(_TITLES):
            yield Hit(*view.span(*match.span()), severity=Severity.WARNING)


RULE = Rule(
    id="foreign.spintax",
    severity=Severity.ERROR,
    message="Nobody chooses between alternatives: keep one.",
    accept=("||x|| = 1", "Rust | Go | Zig", "(Rust|Go|Zig)"),
    reject=(
        "{Hi|Hello} {{firstname}},",
        "Hi/Hello {{firstname}},",
        "Dear Mr./Ms. {{lastname}},",
        "{Hi {there|you}|Hello}",
        "(Hi|Hello) Jean",
    ),
    source="ours",
    check=check,
    signs=frozenset("|/"),
)
