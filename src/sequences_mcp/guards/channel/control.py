"""A control character, a lone surrogate, hidden letters, or marks that show a text in another order."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_CONTROL = Lazy("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufff9-\ufffb]+")
# Tag letters spell the flags of England, Scotland and Wales after 🏴; anywhere else they are a hidden text.
_HIDDEN = Lazy("(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+")
_EMBEDDED = Lazy("[\u202a\u202b]")


def check(text: Text) -> Iterator[Hit]:
    """Return every run of them, with dropping it as the fix; embedded directions may be meant."""
    if text.is_printable:
        return
    for pattern in (_CONTROL, _HIDDEN):
        for match in pattern.finditer(text.original):
            yield Hit(*match.span(), fix="")
    for match in _EMBEDDED.finditer(text.original):
        yield Hit(*match.span(), severity=Severity.WARNING)


RULE = Rule(
    id="channel.control",
    severity=Severity.ERROR,
    message="This cannot be seen, or hides what can, and must not be sent.",
    accept=("line\r\nline\ttab", "مرحبا \u200e{{firstname}}\u200e", "🏴\U000e0067\U000e0062\U000e007f"),
    reject=("Hi\x00 there", "role \u202ecod.exe", "Hi\U000e0048\U000e0069", "\u202btext\u202c"),
    source="Unicode TR 36, 3; RFC 5322, 2.2",
    check=check,
)
