"""A mail-merge field: «Prénom», «NAME», ‹company›."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field, may_be_quoted

_TIGHT = Lazy(r"[«‹]([^\s«»‹›](?:[^«»‹›\n]{0,58}[^\s«»‹›])?)[»›]", needs=("«", "‹"))


def check(text: Text) -> Iterator[Hit]:
    """Return every field word in quotes set tight; in a language that sets them so, it may be a quotation."""
    for view in text.views:
        for match in view.find(_TIGHT):
            if is_field(match[1]):
                in_doubt = may_be_quoted(match[1]) and not match[1].isupper()
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if in_doubt else None)


RULE = Rule(
    id="placeholders.guillemet",
    severity=Severity.ERROR,
    message="This looks like a mail-merge field that was never filled in.",
    accept=("« projet » Acme", "«Яндекс» ищет инженера"),
    reject=("Bonjour «Prénom»,", "Dear «First_Name»,", "about ‹company› today", "el «puesto»"),
    source="ours",
    check=check,
)
