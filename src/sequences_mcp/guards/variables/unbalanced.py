"""Braces that do not pair up around a variable."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import doubled, meant
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import COVER

_TOUCHING = Lazy(f"\\{{[ \\t]?(?={COVER})|(?<={COVER})[ \\t]?\\}}")
_CUT = Lazy(r"\{\{[ \t]*(\w+)[ \t]*[})\]]?(?!\})")


def check(text: Text) -> Iterator[Hit]:
    """Return every run of braces without its counterpart, and every brace that touches a variable."""
    for found in doubled(text):
        if found.inner is None:
            yield _hit(found.view.text, found.start, found.end, span=found.view.span)
    for view in text.views:
        for match in _TOUCHING.finditer(view.text):
            yield Hit(*view.span(*match.span()), fix="")


def _hit(text: str, start: int, end: int, *, span: Callable[[int, int], tuple[int, int]]) -> Hit:
    cut = _CUT.match(text, start) if end - start == 2 else None
    name = meant(cut[1]) if cut else None
    if cut and name:
        return Hit(*span(start, cut.end()), fix=f"{{{{{name}}}}}")
    return Hit(*span(start, end))


RULE = Rule(
    id="variables.unbalanced",
    severity=Severity.ERROR,
    message="These braces do not pair up.",
    accept=("Hi {{firstname}},", "map[string]struct{}"),
    reject=("Hi {{firstname},", "Hi {{{firstname}}},", "Hi {{firstname", "{{first{{name}}}}"),
    source='Kalent, "Create sequence blueprint": any variable outside the nine is a validation_error',
    check=check,
)
