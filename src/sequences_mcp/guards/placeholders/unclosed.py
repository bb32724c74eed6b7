"""A square bracket without its counterpart."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import has_field

_FACE = Lazy(r"[:;=8xX>][-'^o]?[\[\]]|[\[\]][-'^o]?[:;=]")
_INTERVAL = Lazy(r"[\[\]]\s?[-−+]?(?:[\d∞]|[a-z]\s?[,;])")
_AFTER_NUMBER = Lazy(r"(?:[\d∞]|[,;]\s?[a-z])\s?$")
_WORD = Lazy(r"[^\W_]{1,40}")


def check(text: Text) -> Iterator[Hit]:
    """Return every opening bracket with something after it, and every closing one after a field word."""
    for view in text.views:
        if view.squares.opens or view.squares.closes:
            yield from _unclosed(view)


def _unclosed(view: View) -> Iterator[Hit]:
    faces = {place for match in view.find(_FACE) for place in range(*match.span())}
    for place in view.squares.opens:
        is_interval = _INTERVAL.match(view.text, place) or _AFTER_NUMBER.search(
            view.text[max(0, place - 5) : place]
        )
        if place not in faces and not is_interval:
            word = _WORD.match(view.text, place + 1)
            yield Hit(*view.span(place, word.end() if word else place + 1))
    for place in view.squares.closes:
        before = view.text[max(0, place - 20) : place].split(" ")[-1]
        if place not in faces and has_field(before):
            yield Hit(*view.span(place, place + 1))


RULE = Rule(
    id="placeholders.unclosed",
    severity=Severity.ERROR,
    message="This bracket has no counterpart: finish the thought, or drop the bracket.",
    accept=("an interval [0, 1[", ":-] and >:["),
    reject=("Hi [company, I…", "at [company), we…", "at company], we…"),
    source="ours",
    check=check,
    signs=frozenset("[]［］"),
)
