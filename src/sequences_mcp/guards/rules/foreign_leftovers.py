"""What a writer or an assistant left behind: rules of the layer ``foreign``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.drafts import assistant_phrases, words_for
from sequences_mcp.guards.line_leftovers import Kind, leftovers
from sequences_mcp.guards.model_output import turns
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.views import TextLine, TextView, greetings

_GAP = LazyPattern(r"[,，،.](?=\s|$)")
_ALONE = LazyPattern(
    r"(?im)^[ \t]{0,8}(?:dear|estimad[oa]|prezad[oa]|geachte|sehr geehrte[rs]?)[,:]|^(?:様|さん|님)(?=[\s、,])",
    needs=("dear", "estimad", "prezad", "geachte", "geehrte", "様", "さん", "님"),
)

# A title without a name. "Bonjour Monsieur," and "Guten Tag, Herr Doktor," are whole greetings.
_ONLY_TITLE = LazyPattern(
    r"(?i:(?:mr|mrs|ms|mx|herrn?|frau|sr|sra|sig|dott|prof|dr)\.?(?:[ \t]?(?:dr|"
    r"prof)\.)?)[ \t]{0,2}(?=[,!]|\.?[ \t]*(?:\n|$))"
)
_DOUBLED = LazyPattern(r"(?:[^\s,،，]{1,40} ){0,3}[^\s,،，]{1,60}(?P<commas>[,،，]\s?[,،，])")


def _missing_name(text: GuardedText) -> Iterator[Hit]:
    """Return every greeting with a gap before its comma, or without the name its first word asks for."""
    yield from text.greeted(_GAP)
    yield from text.greeted(_ONLY_TITLE)
    yield from text.hits(_ALONE)
    for view in text.views:
        for match in view.find_greeted(_DOUBLED):
            yield Hit(*view.span(*match.span("commas")), fix=",")


MISSING_NAME = Rule(
    id="foreign.missing_name",
    severity=Severity.ERROR,
    message="A name is missing from this greeting, or its comma stands twice.",
    accept=("Hello,", "Bonjour !", "Hi {{firstname}},"),
    reject=("Hi ,", "Bonjour  ,\nje vous écris", "Dear,", "Dear Mr.,"),
    source="ours",
    check=_missing_name,
)


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
_LINE = LazyPattern(
    rf"(?im)^[ \t*_>#]{{0,8}}(?:{'|'.join(_LABELS)})(?: line)?[ \u00a0]?\*{{0,2}}[:：]", needs=_LABELS
)


def _subject_line(text: GuardedText) -> Iterator[Hit]:
    """Return every line of a body that begins with the word for subject and a colon."""
    if not text.is_subject:
        yield from text.hits(_LINE)


SUBJECT_LINE = Rule(
    id="foreign.subject_line",
    severity=Severity.ERROR,
    message="A subject line was left in the body.",
    accept=("The subject is open.", "About the subject: Rust."),
    reject=("Subject: A role\n\nHi,", "**Objet :** un poste", "件名：ご案内"),
    source="ours",
    check=_subject_line,
    signs=frozenset(":："),
)


def _preamble(text: GuardedText) -> Iterator[Hit]:
    """Return every preamble and every offer to change the text."""
    for view in text.views:
        for remark in (*assistant_phrases(view), *turns(view)):
            yield Hit(*view.span(remark.start, remark.end), severity=remark.severity)
        for leftover in leftovers(view):
            if leftover.kind is Kind.LEAK:
                yield Hit(*view.span(leftover.start, leftover.end), severity=leftover.severity)


PREAMBLE = Rule(
    id="foreign.preamble",
    severity=Severity.ERROR,
    message="An assistant said this to the writer: the reader must not get it.",
    accept=("Here is what we build: a database.", "Feel free to reply."),
    reject=(
        "Here is a personalized version:\n\nHi",
        "Voici un brouillon de message :",
        "As an AI model,",
        "Word count: 95",
        "Would you like me to shorten it?",
    ),
    source="ours",
    check=_preamble,
)


def _work_note(text: GuardedText) -> Iterator[Hit]:
    """Yield every note; TBD only as a warning, since it may be intended."""
    for view in text.views:
        for leftover in leftovers(view):
            if leftover.kind is Kind.REMINDER:
                yield Hit(*view.span(leftover.start, leftover.end), severity=leftover.severity)


WORK_NOTE = Rule(
    id="foreign.work_note",
    severity=Severity.ERROR,
    message="This is a note about work still to be done on the text.",
    accept=("Size XXL, XXe siècle", "TODO el equipo"),
    reject=("TODO: add a hook. Hi {{firstname}},", "FIXME", "Note to self: check", "salary TBD"),
    source="ours",
    check=_work_note,
)


_LONGEST = 40
# A subject that a tool or a writer named: "Copy of …", "DRAFT: …", "… (v2)", "… <> Your Company".
_OF_DRAFTS = LazyPattern(
    r"(?i)\A(?:copy of|kopie von|copie de|copia (?:de|di)|cópia de|kopia|копия) |"
    r"\A\W{0,3}(?:draft|entwurf|brouillon|borrador|bozza|rascunho|test|a/b)\s?[\]:)]|\(v\d\)\Z|"
    r"(?:<>|<->|↔|×) ?your (?:company|name|team|organi[sz]ation)\b"
)
_SUBJECT_LABEL = ("subject:", "subject :", "objet :", "objet:", "betreff:", "asunto:", "oggetto:", "assunto:")


def _draft_label(text: GuardedText) -> Iterator[Hit]:
    """Yield every line that is such a name or begins with one; as a warning where it may be intended."""
    for view in text.views:
        for line in view.lines:
            head, colon, rest = line.bare[: _LONGEST + 1].partition(":" if ":" in line.bare else "：")
            if len(head) > _LONGEST or (kind := _kinds().get(_phrase(head))) is None:
                continue
            if severity := _judge(view, line, kind, has_more=bool(colon and rest.strip())):
                yield Hit(*view.span(line.start, line.start + len(head)), severity=severity)
    if text.is_subject:
        whole = _phrase(text.visible.text.strip(" ()[].!"))
        seen = text.visible.text.strip()
        is_draft = _OF_DRAFTS.search(seen) or (seen and not seen.strip("-–—._…*#?!/|~ "))
        if is_draft or whole in words_for("subject") or text.visible.lower.lstrip().startswith(_SUBJECT_LABEL):
            yield Hit(0, len(text.original), severity=Severity.WARNING)


def _phrase(text: str) -> str:
    return " ".join(text.replace("’", "'").lower().split())


@cache
def _kinds() -> dict[str, str]:
    return {phrase: kind for kind in ("trial", "state", "common", "part") for phrase in words_for(kind)}


def _judge(view: TextView, line: TextLine, kind: str, *, has_more: bool) -> Severity | None:
    following = view.text[line.end : line.end + 2].strip()
    is_label = following[:1] in (":", "：") and not has_more
    if has_more and _greets(line):
        return Severity.ERROR
    if kind == "part":
        return Severity.ERROR if is_label or (following[:1] in (")", "]") and not has_more) else Severity.WARNING
    if kind == "common":
        return Severity.WARNING if is_label else None
    if kind == "state":
        return None if has_more else Severity.ERROR
    is_alone = not view.text[line.at : line.start].strip() and not following.strip(".!?…") and not has_more
    return Severity.WARNING if is_alone else None


def _greets(line: TextLine) -> bool:
    """Say whether a greeting stands behind the colon of a line: then what stands before it is a label."""
    _, _, rest = line.bare.partition(":" if ":" in line.bare else "：")
    return bool(greetings(rest[:40]))


DRAFT_LABEL = Rule(
    id="foreign.draft_label",
    severity=Severity.ERROR,
    message="This names a part of a draft, or is not meant to be sent: drop it.",
    accept=("Our webhook is in Go", "Body: carbon, frame: steel", "The first draft is out.", "We test a lot"),
    reject=("Hook:\nI saw your talk", "(icebreaker)", "CTA: book a call", "DRAFT", "Alternative:\nHi", "asdf"),
    source="ours",
    check=_draft_label,
)
