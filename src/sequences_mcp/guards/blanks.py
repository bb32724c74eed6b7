"""Blanks: underscores, dots, crosses or the letters of a format where a word or a number is due."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.drafts import Instruction
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.views import View

_RUN = Lazy(
    r"(?m)(?:^|(?<=[\s(«\"'“]))(?:_{3,}|(?:_ ){2,}_|(?:… ?){2,}|\.{5,})(?=[\s,;:!?.)»\"'”]|$)|(?<!\w)X{4,}(?!\w)|"
    r"(?<!\w)XX(?=\s?(?:k?[€$£]|%|(?:ans|years|Jahre|años|anni|anos|jaar)\b))",
    needs=("__", "_ _", "……", "… …", ".....", "xx"),
)
_AMOUNT = Lazy(
    r"[€$£]\s?X{1,3}(?:[.,]X{3})?[kK]?(?!\w)|(?<!\w)X{1,3}(?:[.,]X{3})?[kK]?\s?[€$£](?!\w)|"
    r"(?<!\w)XX (?:and|to|et|à|bis|und|y|a|e|-|–) (?:XX|YY)(?!\w)",
    signs="X",
)
_QUESTION = Lazy(r"(?:^|(?<=\s))\?{2,}(?=[ \t][^\W\dA-Z_])", needs=("??",))
_YEARS = "years|ans|jahre|años|anni|anos|jaar|lat"
_SO_MANY = Lazy(
    rf"(?<!\w)[XN] (?i:{_YEARS}) (?=of|d['’]exp|Erfahrung|de exp|di esp)",
    needs=[f"{letter} {years}" for letter in "xn" for years in _YEARS.split("|")],
    signs="XN",
)
# An ellipsis apart from the word before it, which asks for another: "your work at ...".
_ELISION = Lazy(r"(?<=[ \t])(?:\.{3,}|…)(?=\s|$)", needs=(" ...", "\t...", " …", "\t…"))
_ASKING = frozenset(
    [
        "at",
        "in",
        "on",
        "of",
        "as",
        "for",
        "with",
        "from",
        "about",
        "your",
        "chez",
        "sur",
        "dans",
        "pour",
        "comme",
        "votre",
        "bei",
        "von",
        "für",
        "als",
        "ihr",
        "en",
        "de",
        "del",
        "di",
        "da",
        "presso",
        "em",
    ]
)
_HONOURED = Lazy(r"[○〇△▲●◯□■✕×]{2,}(?=\s?(?:様|さん|殿))|(?<!\w)X{2,}(?=\s?(?:様|さん|殿))", signs="様さ殿")
_FORMAT = Lazy(
    r"(?<!\w)(?:XX(?:[ .-]XX)+|(?:DD|JJ|TT|GG)[/.-]MM[/.-](?:YYYY|AAAA|JJJJ|YY)|YYYY-MM-DD|HH[:h]MM)(?!\w)",
    needs=("xx", "mm"),
    signs="XM",
)
_GREETED = Lazy(
    r"(?:x{2,}|X+|[-–—/|.!~#](?=\s?,)|\*{2,}|-{2,}|\.{3,}|_+|…|\?+|[\"'“”«»]{2}|\{\}|\[\]|\(\)|<>)(?=\s?[,!;:\n]|$)"
)


def blanks(view: View) -> Iterator[Instruction]:
    """Return the blanks of a view; what a person could mean is in doubt."""
    for match in view.find(_RUN):
        line = view.text[view.text.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0]
        if any(letter.isalnum() for letter in line):
            yield Instruction(*match.span())
    for pattern in (_FORMAT, _AMOUNT, _HONOURED):
        yield from (Instruction(*match.span()) for match in view.find(pattern))
    yield from (Instruction(*match.span()) for match in view.find_greeted(_GREETED))
    for pattern in (_QUESTION, _SO_MANY):
        yield from (Instruction(*match.span(), Severity.WARNING) for match in view.find(pattern))
    for match in view.find(_ELISION):
        before = view.text[max(0, match.start() - 20) : match.start()].split()
        if before and before[-1].lower() in _ASKING:
            yield Instruction(*match.span(), Severity.WARNING)
