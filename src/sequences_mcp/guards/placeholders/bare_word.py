"""The word for a name where a name is due, or a text that is nothing but one."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import Fact, Value
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.names import is_heading
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import has_glue, is_name

_PHRASE = Lazy(r"[^\W\d_]{2,30}(?:[ '’][^\W\d_]{1,30}){0,3}")
_GREETED = Lazy(
    r"[\"'“(#@~/]?[^\W\d_][\w’'-]{1,30}(?:[ /][^\W\d_][\w’'-]{1,30}){0,3}[\"'”)#@~/]?"
    r"(?=\s?(?:[,!:;،，.\n]|$))"
)
_SNAKE = Lazy(r"(?<![\w./@-])[a-z]{2,12}(?:_[a-z]{2,12}){1,3}(?![\w./@-])", signs="_")
_CAMEL = Lazy(r"(?<![\w./@-])[a-z]{2,12}(?:[A-Z][a-z]{2,12}){1,2}(?![\w./@-])")
_HUMP = Lazy(r"[A-Z](?<=[a-z].)")
_CODE = Lazy(
    r"(?i)\b(?:columns?|fields?|keys?|json|xml|sql|api|tables?|param\w*|variables?|schemas?|endpoints?|id|ids|csv|class)\b"
)
# Begins with a set and looks back from there: the search then skips all other letters.
_CAPITALS = Lazy(
    r"[CNTPRLEFUA](?<=[a-z@] .)(?:(?<=C)(?:OMPANY|ITY)|(?<=N)(?:AME|OM)|(?<=T)ITLE|(?<=P)(?:OSITION|OSTE|UESTO)|"
    r"(?<=R)(?:OLE|UOLO)|(?<=L)OCATION|(?<=E)(?:NTREPRISE|MPRESA)|(?<=F)IRMA|(?<=U)NTERNEHMEN|(?<=A)ZIENDA)"
    r"(?=[ ,.;:!?\n]|$)(?! [A-Z]{2})"
)


def check(text: Text) -> Iterator[Hit]:
    """Return every greeting of such a word, and a whole text of them."""
    whole = text.visible.text.strip()
    if _PHRASE.fullmatch(whole) and is_name(whole) and not (text.is_subject and has_glue(whole)):
        yield Hit(0, len(text.original))
    for view in text.views:
        for match in view.find_greeted(_GREETED):
            if is_name(match[0]) or _is_heading(match[0]):
                yield Hit(*view.span(*match.span()))
        for start, end in _alone(view):
            yield Hit(*view.span(start, end))


def _is_heading(greeted: str) -> bool:
    return " " not in greeted and len(greeted) > 4 and is_heading(Value(greeted.strip("\"'“”()#@~/"), Fact.FIRST))


def _alone(view: View) -> Iterator[tuple[int, int]]:
    """Yield the words for a name away from a greeting: alone on a line, as a program writes them, in capitals."""
    for line in view.lines:
        if " " in line.bare and line.bare.istitle() and _PHRASE.fullmatch(line.bare) and is_name(line.bare):
            yield line.start, line.end
    camels = _CAMEL.finditer(view.text) if _HUMP.search(view.text) else ()
    for match in (*view.find(_SNAKE), *camels):
        line_start = view.text.rfind("\n", 0, match.start()) + 1
        if is_name(match[0]) and not _CODE.search(view.text[line_start:].split("\n", 1)[0]):
            yield match.span()
    yield from (match.span() for match in _CAPITALS.finditer(view.text))


RULE = Rule(
    id="placeholders.bare_word",
    severity=Severity.WARNING,
    message="A name is due here, and this is the word for one.",
    accept=("Bonjour Jean,", "Hi team,", "a name for the team"),
    reject=(
        "Bonjour prénom,",
        "Company Name",
        "Hello Candidate,",
        "I like company_name a lot",
        "a role at COMPANY",
        "Best,\nYour Name",
    ),
    source="ours",
    check=check,
)
