"""A subject line left in a body."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_LABELS = (
    *(
        "subject",
        "objet",
        "sujet",
        "betreff",
        "asunto",
        "oggetto",
        "assunto",
        "onderwerp",
        "temat",
        "ämne",
        "тема",
    ),
    *("件名", "主题", "主題", "제목", "الموضوع", "נושא"),
)
_LINE = Lazy(rf"(?im)^[ \t*_>#]{{0,8}}(?:{'|'.join(_LABELS)})(?: line)?[ \u00a0]?\*{{0,2}}[:：]", needs=_LABELS)


def check(text: Text) -> Iterator[Hit]:
    """Return every line of a body that begins with the word for subject and a colon."""
    if not text.is_subject:
        yield from text.hits(_LINE)


RULE = Rule(
    id="foreign.subject_line",
    severity=Severity.ERROR,
    message="A subject line was left in the body.",
    accept=("The subject is open.", "About the subject: Rust."),
    reject=("Subject: A role\n\nHi,", "**Objet :** un poste", "件名：ご案内"),
    source="ours",
    check=check,
    signs=frozenset(":："),
)
