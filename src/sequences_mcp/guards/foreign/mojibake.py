"""Text that was decoded with the wrong encoding on its way here."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_BROKEN = Lazy(
    "[\ufffc\ufffd]|Ã[\u0080-\u00bf]|â€[\u2122\u0153\u009d\u02dc\u00a6\u201c\u201d]|Â[\u00a0«»°]",
    needs=("\ufffc", "\ufffd", "ã", "â"),
)


def check(text: Text) -> Iterable[Hit]:
    """Return every letter that came out broken."""
    return text.hits(_BROKEN)


RULE = Rule(
    id="foreign.mojibake",
    severity=Severity.WARNING,
    message="These letters look broken: was the text decoded with the wrong encoding?",
    accept=("Café, naïve, São Paulo",),
    reject=("CafÃ©", "caf\ufffd"),
    source="ours",
    check=check,
    signs=frozenset("\ufffc\ufffdÃâÂ"),
)
