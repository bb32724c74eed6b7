"""A field word in brackets of another script: 【会社名】, 〈会社名〉, ⟦company⟧, ‹company›."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field

_PAIRS = Lazy(
    "【([^【】\n]{1,60})】|〔([^〔〕\n]{1,60})〕|〖([^〖〗\n]{1,60})〗|〘([^〘〙\n]{1,60})〙|〚([^〚〛\n]{1,60})〛|〈([^〈〉\n]{1,60})〉|"
    "《([^《》\n]{1,60})》|「([^「」\n]{1,60})」|『([^『』\n]{1,60})』|＜([^＜＞\n]{1,60})＞|﹤([^﹤﹥\n]{1,60})﹥|⟦([^⟦⟧\n]{1,60})⟧|⟨([^⟨⟩\n]{1,60})⟩|"
    "⟪([^⟪⟫\n]{1,60})⟫|⁅([^⁅⁆\n]{1,60})⁆|❲([^❲❳\n]{1,60})❳|⦋([^⦋⦌\n]{1,60})⦌|⦗([^⦗⦘\n]{1,60})⦘|﹝([^﹝﹞\n]{1,60})﹞|"
    "⦅([^⦅⦆\n]{1,60})⦆|｟([^｟｠\n]{1,60})｠|⸨([^⸨⸩\n]{1,60})⸩|❰([^❰❱\n]{1,60})❱|⧼([^⧼⧽\n]{1,60})⧽|〈([^〈〉\n]{1,60})〉|"
    "⦍([^⦍⦎\n]{1,60})⦎|⦏([^⦏⦐\n]{1,60})⦐|⌈([^⌈⌉\n]{1,60})⌉|⌊([^⌊⌋\n]{1,60})⌋|（([^（）\n]{1,60})）"
)
_PARTICLE = Lazy(r"[のにはをがとでへもやさ様御よかまだじ宛殿]|です|ます|的|是|的")


def check(text: Text) -> Iterator[Hit]:
    """Return every such pair around a field word that does not label what follows it on its line."""
    for view in text.views:
        for match in _PAIRS.finditer(view.text) if not view.text.isascii() else ():
            if is_field(match[0][1:-1]) and not _is_label(view.text, *match.span()):
                yield Hit(*view.span(*match.span()))


def _is_label(text: str, start: int, end: int) -> bool:
    line_start = text.rfind("\n", 0, start) + 1
    following = text[end : end + 40].strip(" \t\u3000")
    return (
        not text[line_start:start].strip(" \t\u3000・■●◆▼-") and bool(following) and not _PARTICLE.match(following)
    )


RULE = Rule(
    id="placeholders.other_bracket",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("【急募】バックエンドエンジニア", "【勤務地】東京", "『Rust入門』の件", "（正社員・リモート可）"),
    reject=("【会社名】のご紹介", "ご担当の〈会社名〉について", "about ⟦company⟧ today"),
    source="ours",
    check=check,
)
