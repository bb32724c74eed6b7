"""Braces that do not pair up around a variable."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import Doubled, Kind, doubled, meant
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import COVER

_TOUCHING = Lazy(rf"\{{[ \t]?(?={COVER})|(?<={COVER})[ \t]?\}}", needs=("{", "}"))
_CUT_SHORT = Lazy(r"\{\{[ \t]{0,3}(\w{1,40})[ \t]{0,3}[})\]]{0,2}")


def check(text: Text) -> Iterator[Hit]:
    """Return every run of braces without its counterpart, and every brace that touches a variable."""
    for found in doubled(text, Kind.UNBALANCED):
        yield _hit(found)
    for hit in text.hits(_TOUCHING):
        yield hit._replace(fix="")


def _hit(found: Doubled) -> Hit:
    cut = _CUT_SHORT.match(found.view.text, found.start)
    name = meant(cut[1]) if cut else None
    if cut and name:
        return Hit(*found.view.span(*cut.span()), fix=f"{{{{{name}}}}}")
    return Hit(*found.span)


RULE = Rule(
    id="variables.unbalanced",
    severity=Severity.ERROR,
    message="These braces do not pair up.",
    accept=("Hi {{firstname}},", "map[string]struct{}"),
    reject=("Hi {{firstname},", "Hi {{{firstname}}},", "Hi {{firstname", "{{first{{name}}}}"),
    source="Kalent: only the nine exact tokens are listed",
    check=check,
    signs=frozenset("{}"),
)
