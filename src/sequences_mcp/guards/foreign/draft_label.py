"""The name of a part or of the state of a draft: "Hook:", "(icebreaker)", "CTA:", DRAFT, and texts to try out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.drafts import words_for
from sequences_mcp.guards.lines import Line
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View

_LONGEST = 40
_SUBJECT_LABEL = ("subject:", "subject :", "objet :", "objet:", "betreff:", "asunto:", "oggetto:", "assunto:")


def check(text: Text) -> Iterator[Hit]:
    """Return every line that is such a name, or begins with one; what may be said to the reader is in doubt."""
    for view in text.views:
        for line in view.lines:
            head, colon, rest = line.bare[: _LONGEST + 1].partition(":" if ":" in line.bare else "：")
            if len(head) > _LONGEST or (kind := _kinds().get(_phrase(head))) is None:
                continue
            if severity := _judge(view, line, kind, has_more=bool(colon and rest.strip())):
                yield Hit(*view.span(line.start, line.start + len(head)), severity=severity)
    if text.is_subject:
        whole = _phrase(text.visible.text.strip(" ()[].!"))
        if whole in words_for("subject") or text.visible.lower.lstrip().startswith(_SUBJECT_LABEL):
            yield Hit(0, len(text.original), severity=Severity.WARNING)


def _phrase(text: str) -> str:
    return " ".join(text.replace("’", "'").lower().split())


@cache
def _kinds() -> dict[str, str]:
    return {phrase: kind for kind in ("trial", "state", "common", "part") for phrase in words_for(kind)}


def _judge(view: View, line: Line, kind: str, *, has_more: bool) -> Severity | None:
    following = view.text[line.end : line.end + 2].strip()
    is_label = following[:1] in (":", "：") and not has_more
    if kind == "part":
        return Severity.ERROR if is_label or (following[:1] in (")", "]") and not has_more) else Severity.WARNING
    if kind == "common":
        return Severity.WARNING if is_label else None
    if kind == "state":
        return None if has_more else Severity.ERROR
    is_alone = not view.text[line.at : line.start].strip() and not following.strip(".!?…") and not has_more
    return Severity.WARNING if is_alone else None


RULE = Rule(
    id="foreign.draft_label",
    severity=Severity.ERROR,
    message="This names a part of a draft, or is not meant to be sent: drop it.",
    accept=("Our webhook is in Go", "Body: carbon, frame: steel", "The first draft is out.", "We test a lot"),
    reject=("Hook:\nI saw your talk", "(icebreaker)", "CTA: book a call", "DRAFT", "Alternative:\nHi", "asdf"),
    source="ours",
    check=check,
)
