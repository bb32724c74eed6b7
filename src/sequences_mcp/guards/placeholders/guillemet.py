"""A mail-merge field: «Prénom», «NAME», ‹company›."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field, may_be_quoted

# "El País", "La Poste": an article and a name in capitals are a title, not a field.
_TITLE = Lazy(r"(?:El|La|Los|Las|Le|Les|Il|Lo|Gli|I|O|Os|As|Der|Die|Das|De|Het|L['’]) ?[^\W\d_a-z]\w+")
_TIGHT = Lazy(r"[«‹]([^\s«»‹›](?:[^«»‹›\n]{0,58}[^\s«»‹›])?)[»›]", needs=("«", "‹"))


def check(text: Text) -> Iterator[Hit]:
    """Return every field word in quotes set tight; in a language that sets them so, it may be a quotation."""
    for view in text.views:
        for match in view.find(_TIGHT):
            if is_field(match[1]) and not _TITLE.match(match[1]):
                span = view.span(*match.span())
                written = text.original[slice(*span)]  # the letters of a view may be folded to another script's
                in_doubt = may_be_quoted(written) and not match[1].isupper()
                yield Hit(*span, severity=Severity.WARNING if in_doubt else None)


RULE = Rule(
    id="placeholders.guillemet",
    severity=Severity.ERROR,
    message="This looks like a mail-merge field that was never filled in.",
    accept=("« projet » Acme", "leí en «El País»", "«Яндекс» ищет инженера"),
    reject=("Bonjour «Prénom»,", "Dear «First_Name»,", "about ‹company› today", "el «puesto»"),
    source="ours",
    check=check,
    signs=frozenset("«‹"),
)
