"""A greeting whose name came out empty: "Hi ,"."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_GAP = Lazy(r"[,，،.](?=\s|$)")
_ALONE = Lazy(
    r"(?im)^[ \t]{0,8}(?:dear|estimad[oa]|prezad[oa]|geachte|sehr geehrte[rs]?)[,:]|^(?:様|さん|님)(?=[\s、,])",
    needs=("dear", "estimad", "prezad", "geachte", "geehrte", "様", "さん", "님"),
)

_DOUBLED = Lazy(r"(?:[^\s,،，]{1,40} ){0,3}[^\s,،，]{1,60}(?P<commas>[,،，]\s?[,،，])")


def check(text: Text) -> Iterator[Hit]:
    """Return every greeting with a gap before its comma, or without the name its first word asks for."""
    yield from text.greeted(_GAP)
    yield from text.hits(_ALONE)
    for view in text.views:
        for match in view.find_greeted(_DOUBLED):
            yield Hit(*view.span(*match.span("commas")), fix=",")


RULE = Rule(
    id="foreign.missing_name",
    severity=Severity.ERROR,
    message="A name is missing from this greeting, or its comma stands twice.",
    accept=("Hello,", "Bonjour !", "Hi {{firstname}},"),
    reject=("Hi ,", "Bonjour  ,\nje vous écris", "Dear,"),
    source="ours",
    check=check,
)
