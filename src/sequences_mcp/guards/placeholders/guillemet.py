"""A mail-merge field: «Prénom», «NAME», ‹company›."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field

_TIGHT = Lazy(r"[«‹]([^\s«»‹›](?:[^«»‹›\n]{0,58}[^\s«»‹›])?)[»›]")
_IDENTIFIER = Lazy(r"[A-Za-z]+(?:_[A-Za-z0-9]+)+|[A-Z]{2,}|(?:first|last)\s?name", 0)


def check(text: Text) -> Iterator[Hit]:
    """Return every field name in quotes without inner space; one in small letters may be a quotation."""
    for view in text.views:
        for match in _TIGHT.finditer(view.text):
            if is_field(match[1]):
                doubt = match[1].islower() and match[0][0] == "«" and not _IDENTIFIER.fullmatch(match[1])
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if doubt else None)


RULE = Rule(
    id="placeholders.guillemet",
    severity=Severity.ERROR,
    message="This looks like a mail-merge field that was never filled in.",
    accept=("« projet » Acme", "«Яндекс» ищет инженера"),
    reject=("Bonjour «Prénom»,", "Dear «First_Name»,", "about ‹company› today"),
    source="ours",
    check=check,
)
