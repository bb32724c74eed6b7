"""A square bracket without its counterpart."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import has_field

_EMOTICON = Lazy(r"(?:[:;=8xX>][-'^o]?[\[\]]|[\[\]][-'^o]?[:;=])")
_INTERVAL = Lazy(r"[\[\]]\s?[-−+]?[\d∞]")
_WORD = Lazy(r"[^\W_]+")


def check(text: Text) -> Iterator[Hit]:
    """Return every opening bracket before a word, and every closing one after a field word."""
    for view in text.views:
        smiles = {place for match in _EMOTICON.finditer(view.text) for place in range(*match.span())}
        for place in view.squares.opens:
            word = _WORD.match(view.text, place + 1)
            if (
                place not in smiles
                and not _INTERVAL.match(view.text, place)
                and (word or view.text[place + 1 :].strip())
            ):
                yield Hit(*view.span(place, word.end() if word else place + 1))
        for place in view.squares.closes:
            before = view.text[max(0, place - 20) : place].split(" ")[-1]
            if place not in smiles and has_field(before):
                yield Hit(*view.span(place, place + 1))


RULE = Rule(
    id="placeholders.unclosed",
    severity=Severity.ERROR,
    message="This bracket has no counterpart: finish the thought, or drop the bracket.",
    accept=("an interval [0, 1[", ":-] and >:["),
    reject=("Hi [company, I…", "at [company), we…"),
    source="ours",
    check=check,
)
