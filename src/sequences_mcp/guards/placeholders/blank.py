"""Underscores, dots or the letters of a format where a word or a number is due."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_RUN = Lazy(
    r"(?m)(?:^|(?<=[\s(«\"'“]))(?:_{3,}|(?:_ ){2,}_|(?:… ?){2,}|\.{5,})(?=[\s,;:!?.)»\"'”]|$)|(?<!\w)X{4,}(?!\w)|"
    r"(?<!\w)XX(?=\s?(?:k?[€$£]|%|(?:ans|years|Jahre|años|anni|anos|jaar)\b))",
    needs=("__", "_ _", "……", "… …", ".....", "xx"),
)
_FORMAT = Lazy(
    r"(?<!\w)(?:XX(?:[ .-]XX)+|(?:DD|JJ|TT|GG)[/.-]MM[/.-](?:YYYY|AAAA|JJJJ|YY)|YYYY-MM-DD|HH[:h]MM)(?!\w)",
    needs=("xx", "mm"),
)
_GREETED = Lazy(r"(?:x{2,}|X{2,}|\*{2,}|-{2,}|\.{3,}|_+|…|\?+|[\"'“”«»]{2}|\{\}|\[\]|\(\)|<>)(?=\s?[,!;:\n]|$)")


def check(text: Text) -> Iterator[Hit]:
    """Return every blank that does not fill its line, which would make it a divider."""
    for view in text.views:
        for match in view.find(_RUN):
            line = view.text[view.text.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0]
            if any(letter.isalnum() for letter in line):
                yield Hit(*view.span(*match.span()))
    yield from text.hits(_FORMAT)
    yield from text.greeted(_GREETED)


RULE = Rule(
    id="placeholders.blank",
    severity=Severity.ERROR,
    message="This is a blank that was never filled in.",
    accept=("¯\\_(ツ)_/¯", "Well... yes", "Regards\n______\nJane", "Size XXL, XXe siècle"),
    reject=(
        "Hi ____, a word.",
        "Bonjour ……… , je",
        "Hi ...,",
        "XX years of experience",
        "salary XXXX",
        "on DD/MM/YYYY",
    ),
    source="ours",
    check=check,
)
