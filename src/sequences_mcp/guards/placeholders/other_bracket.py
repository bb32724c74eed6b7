"""A field word in brackets of another script or of mathematics: 【会社名】, 〈会社名〉, ⟦company⟧."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field, is_name

_BRACKETS = "【】〔〕〖〗〘〙〚〛〈〉《》＜＞﹤﹥⟦⟧⟨⟩⟪⟫⁅⁆❲❳⦋⦌⦍⦎⦏⦐⦗⦘﹝﹞⦅⦆｟｠⸨⸩❰❱⧼⧽❮❯⦑⦒⸦⸧⟬⟭⌈⌉⌊⌋⟮⟯❨❩≪≫﴾﴿〈〉"
# In these two a field word may be said of a field; only the word for a name is a blank.
_MILD = "（）「」『』"
_PAIR = Lazy(
    "|".join(
        f"{opening}([^{opening}{closing}\n]{{1,60}}){closing}"
        for opening, closing in zip((_BRACKETS + _MILD)[::2], (_BRACKETS + _MILD)[1::2], strict=True)
    )
)
_PARTICLE = Lazy(r"[のにはをがとでへもやさ様御よか宛殿、。，,.的]|です|ます|是|您|你|先生|女士")
_INDENT = " \t\u3000・■●◆▼-"


def check(text: Text) -> Iterator[Hit]:
    """Return every such pair, unless it labels what follows it: 【勤務地】東京."""
    for view in text.views:
        for match in () if view.text.isascii() else view.find(_PAIR):
            inner, is_mild = match[0][1:-1], match[0][0] in _MILD
            if not (is_name(inner) if is_mild else is_field(inner)):
                continue
            if text.is_subject or not _is_label(view.text, *match.span()):
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_mild else None)


def _is_label(text: str, start: int, end: int) -> bool:
    following = text[end : end + 200].strip()
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return not before.strip(_INDENT) and bool(following) and not _PARTICLE.match(following)


RULE = Rule(
    id="placeholders.other_bracket",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("【急募】バックエンドエンジニア", "【勤務地】東京", "『Rust入門』の件", "（正社員・リモート可）"),
    reject=("【会社名】のご紹介", "ご担当の〈会社名〉について", "about ⟦company⟧ today", "御社（会社名）の件"),
    source="ours",
    check=check,
    signs=frozenset(_BRACKETS + _MILD),
)
