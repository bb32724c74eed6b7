"""A control character, a lone surrogate, or a direction override that shows text in another order."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_CONTROL = Lazy("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ud800-\udfff\ufff9-\ufffb]+")


def check(text: Text) -> Iterator[Hit]:
    """Return every run of them; the fix is to drop it."""
    for match in _CONTROL.finditer(text.original):
        yield Hit(*match.span(), fix="")


RULE = Rule(
    id="channel.control",
    severity=Severity.ERROR,
    message="This character cannot be seen and must not be sent.",
    accept=("line\r\nline\ttab", "مرحبا \u200e{{firstname}}\u200e"),
    reject=("Hi\x00 there", "role \u202ecod.exe"),
    source="Unicode TR 36, 3; RFC 5322, 2.2",
    check=check,
)
