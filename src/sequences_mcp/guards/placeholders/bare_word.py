"""The word for a name where a name is due, or a text that is nothing but one."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import has_glue, is_name

_PHRASE = Lazy(r"[^\W\d_]{2,30}(?:[ '’][^\W\d_]{1,30}){0,3}")
_GREETED = Lazy(r"[\"'“(]?[^\W\d_][\w’'-]{1,30}(?: name)?[\"'”)]?(?=\s?(?:[,!:;،，.\n]|$))")


def check(text: Text) -> Iterator[Hit]:
    """Return every greeting of such a word, and a whole text of them."""
    whole = text.visible.text.strip()
    if _PHRASE.fullmatch(whole) and is_name(whole) and not (text.is_subject and has_glue(whole)):
        yield Hit(0, len(text.original))
    for view in text.views:
        for match in view.find_greeted(_GREETED):
            if is_name(match[0]):
                yield Hit(*view.span(*match.span()))


RULE = Rule(
    id="placeholders.bare_word",
    severity=Severity.WARNING,
    message="A name is due here, and this is the word for one.",
    accept=("Bonjour Jean,", "Hi team,", "a name for the team"),
    reject=("Bonjour prénom,", "Company Name"),
    source="ours",
    check=check,
)
