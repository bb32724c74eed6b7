"""Two versions of a text in one body."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.drafts import headings
from sequences_mcp.guards.greetings import greetings
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_LABEL = Lazy(
    r"(?im)^[ \t*_#>-]{0,8}(?:option|version|versi[óo]n|variante?|variation|alternative|opci[óo]n|opzione|"
    r"op[çc][ãa]o|optie|案)[ \t]?[#°n]{0,2}[ \t]?(1|2|3|a|b|c|one|two|short|long|courte|longue|kurz|lang)\b"
    r"[ \t*_]{0,4}[:：.)–—-][ \t*_]{0,8}",
    needs=("optio", "opc", "opç", "opz", "optie", "versi", "varia", "alternat", "案"),
)


def check(text: Text) -> Iterator[Hit]:
    """Return the headings above versions, and labels before a greeting where there are two different ones."""
    for view in text.views:
        for found in headings(view, is_subject=text.is_subject):
            yield Hit(*view.span(found.start, found.end), severity=found.severity)
    seen = text.visible
    labels = {match[1].lower(): match for match in seen.find(_LABEL) if _is_heading(seen.text, match.end())}
    if len(labels) > 1:
        for match in labels.values():
            yield Hit(*seen.span(*match.span()))


def _is_heading(text: str, end: int) -> bool:
    # "Option 1: Tuesday at 10" offers the reader a choice; a heading offers it to the writer.
    rest = text[end:].split("\n", 1)[0]
    return not rest.strip() or bool(greetings(rest[:40]))


RULE = Rule(
    id="foreign.variants",
    severity=Severity.ERROR,
    message="This text holds more than one version: keep one.",
    accept=("Option 1: Tuesday at 10.", "Option 1: Tuesday\nOption 2: Friday"),
    reject=(
        "Option 1:\nHi {{firstname}},\n\nOption 2:\nHello {{firstname}},",
        "Version A: Hi J\nVersion B: Yo, hi J",
        "--- Variant B ---\nHi J,",
        "Subject line 1: A role",
    ),
    source="ours",
    check=check,
)
