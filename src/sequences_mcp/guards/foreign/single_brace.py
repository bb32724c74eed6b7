"""Single braces around a word: another tool's variable."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.brackets import Pair
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import has_field, is_field, is_name

_LOOK_BACK = 80
_KEYWORD = Lazy(
    r"\b(?:const|let|var|import|export|struct|interface|enum|class|function|func|fn|return|type|new|else|try|do)\b"
    r"[^\n{}]{0,60}$"
)
_CODE_BEFORE = Lazy(r"[)=]\s?$|\w$")
_CODE_AFTER = (" =", ";", " from")
_CODE_INSIDE = Lazy(r"[:;=,\"']")
_FALLBACK = Lazy(r"(\w{1,40})[:=?]\S")
_STATEMENTS = Lazy(r"\s*(?:[\"'][\w -]{1,40}[\"']\s*:|[^{};]{1,80};(?:\s|$))")
_STYLE = Lazy(r"[a-z-]{2,30}\s?:\s?[^{}:\s]")
_NUMBERS = Lazy(r"\d*,?\d*|\d+(?:\s*,\s*\d+)+")
_LATEX = Lazy(r"(?:[\^_]|\\[A-Za-z]{1,20}\*?(?:\[[^\[\]{}]{0,40}\]|\{[^{}]{0,40}\}){0,3})$")


def check(text: Text) -> Iterator[Hit]:
    """Return every single-braced word; in code or in a URL it is in doubt."""
    for view in text.views:
        for pair in view.braces.pairs:
            if not _is_doubled(view.text, pair) and (severity := _judge(view, pair)):
                yield Hit(*view.span(pair.open, pair.close + 1), severity=severity)


def _is_doubled(text: str, pair: Pair) -> bool:
    # Doubled braces are the business of the rules about variables.
    return text[pair.open : pair.open + 2] == "{{" or text[max(0, pair.open - 1) : pair.open + 1] == "{{"


def _judge(view: View, pair: Pair) -> Severity | None:
    inner = view.text[pair.open + 1 : pair.close].strip()
    before = view.text[max(0, pair.open - _LOOK_BACK) : pair.open]
    if "|" in inner or _is_fine(inner, before):
        return None
    if not inner or "://" in before.replace("\n", " ").rpartition(" ")[2]:
        return Severity.WARNING
    if before.endswith(("$", "#", "@")):
        return Severity.WARNING if inner.isupper() and not has_field(inner) else Severity.ERROR
    if (fallback := _FALLBACK.match(inner)) and is_name(fallback[1]):
        return Severity.ERROR
    if _KEYWORD.search(before):
        return Severity.WARNING
    is_code = _CODE_BEFORE.search(before) or view.text.startswith(_CODE_AFTER, pair.close + 1)
    return Severity.WARNING if (is_code or _CODE_INSIDE.search(inner)) and not is_field(inner) else Severity.ERROR


def _is_fine(inner: str, before: str) -> bool:
    attached = before[-1:].isalnum() or before.endswith(("]", "}", ")", "@"))
    if not inner:
        return attached or before.rstrip().endswith(("=", "(", ")", ":", "return", "{"))
    if _LATEX.search(before):
        return not has_field(inner)
    if _NUMBERS.fullmatch(inner):
        return attached or "," in inner
    return bool(_STATEMENTS.match(inner)) or (attached and bool(_STYLE.match(inner)))


RULE = Rule(
    id="foreign.single_brace",
    severity=Severity.ERROR,
    message="Single braces are not filled in: a variable has two.",
    accept=("func f(x interface{}) error", "a{2,3}b", "HEAD^{tree}", "\\frac{1}{2}", '{"a": 1}'),
    reject=("Hi {FirstName},", "Hi {0},", "Hi #{firstname},", "Hi ｛firstname｝,", "const {data} = f()"),
    source="ours",
    check=check,
    signs=frozenset("{"),
)
