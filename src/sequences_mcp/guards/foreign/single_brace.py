"""Single braces around a word: another tool's variable."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.brackets import Pair
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import has_field, is_field

_KEYWORD = Lazy(
    r"(?:\b(?:const|let|var|import|export|struct|interface|enum|class|function|func|fn|return|type|new|else|try|do)\b[^\n{}]{0,60}|[)=(>]\s?|\w)$"
)
_FINE = Lazy(r"\d*,?\d*|\d+(?:\s*,\s*\d+)+")
_CODE_INSIDE = Lazy(r"[:;=,\"']")


def check(text: Text) -> Iterator[Hit]:
    """Return every single-braced word; in code or in a URL it is in doubt."""
    for view in text.views:
        for pair in view.braces.pairs:
            severity = _judge(view, pair)
            if severity:
                yield Hit(*view.span(pair.open, pair.close + 1), severity=severity)


def _judge(view: View, pair: Pair) -> Severity | None:
    inner = view.text[pair.open + 1 : pair.close]
    before = view.text[max(0, pair.open - 80) : pair.open]
    if _is_fine(inner.strip(), before):
        return None
    if "://" in before.split(" ")[-1].split("\n")[-1] or not inner.strip():
        return Severity.WARNING
    if before[-1:] and before[-1] in "$#@":
        return Severity.ERROR
    is_code = _KEYWORD.search(before) or view.text[pair.close + 1 : pair.close + 4].startswith(
        (" =", ";", " from")
    )
    if is_code or (_CODE_INSIDE.search(inner) and not is_field(inner)):
        return Severity.WARNING
    return Severity.ERROR


def _is_fine(inner: str, before: str) -> bool:
    attached = bool(before) and (before[-1].isalnum() or before[-1] in "^_]})@\\")
    if not inner:
        return attached or before.rstrip().endswith(("=", "(", ":", "return", "{"))
    if _FINE.fullmatch(inner):
        return attached or "," in inner
    return bool(before) and (before[-1] in "^_" or "\\" in before[-12:]) and not has_field(inner)


RULE = Rule(
    id="foreign.single_brace",
    severity=Severity.ERROR,
    message="Single braces are not filled in: a variable has two, or drop them.",
    accept=("func f(x interface{}) error", "a{2,3}b", "HEAD^{tree}", "\\frac{1}{2}"),
    reject=("Hi {FirstName},", "Hi {0},", "Hi #{firstname},", "Hi ｛firstname｝,"),
    source="ours",
    check=check,
)
