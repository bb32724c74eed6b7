"""What is left of drafting: a subject line in the body, an assistant's preamble, a note to self."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_SUBJECT = Lazy(
    r"(?im)^[ \t*_>#]{0,8}(?:subject(?: line)?|objet|sujet|betreff|asunto|oggetto|assunto|onderwerp|temat|ämne|"
    r"тема|件名|主题|主題|제목|الموضوع|נושא)[ \u00a0]?\*{0,2}[:：]"
)
_PREAMBLE = Lazy(
    r"(?i)\A\s{0,20}(?:(?:sure|certainly|of course|absolutely|great|bien sûr|natürlich|claro)[!,. ]{1,3}){0,2}"
    r"(?:here(?:[’']s| is| are)|below is|voici|hier (?:ist|sind|is)|aqu[íi] (?:tienes|est[áa])|ecco|"
    r"aqui est[áa]|oto)\b"
    r"[^\n]{0,60}\b(?:versions?|drafts?|e-?mails?|messages?|sequences?|templates?|brouillons?|propositions?|"
    r"entw[üu]rfe?|nachricht|vorlage|versi[óo]n|borrador|mensaje|correo|bozza|messaggio|rascunho|mensagem|bericht|"
    r"variante?s?)\b[^\n]{0,80}[:：]"
)
_ASSISTANT = Lazy(
    r"(?i)\bas an ai(?: language)? (?:model|assistant)|\b(?:let me know|tell me) if you(?:[’']d| would)? "
    r"(?:like|want)(?: me)? to (?:adjust|change|tweak|make|modify|revise|shorten)|\bfeel free to (?:adjust|customi[sz]e|"
    r"personali[sz]e|edit|tweak)\b|\bi (?:hope|trust) this (?:draft|version|email)\b|"
    r"n[’']h[ée]sitez pas [àa] (?:adapter|personnaliser) ce|\b(?:feedback|instructions?) from (?:the )?user\b"
)
_NOTE = Lazy(
    r"(?i)\bnote to self\b|\bdo not send\b|\bne pas envoyer\b|\bnicht (?:ab)?senden\b|\bno enviar\b|"
    r"\blorem ipsum\b|\b(?:internal|private) note\s?:"
)


def check(text: Text) -> Iterator[Hit]:
    """Return every leftover; a line that begins with "Subject:" is one in a body only."""
    if not text.is_subject:
        yield from text.hits(_SUBJECT)
    for pattern in (_PREAMBLE, _ASSISTANT, _NOTE):
        yield from text.hits(pattern)


RULE = Rule(
    id="foreign.draft",
    severity=Severity.ERROR,
    message="This was for the writer, not for the reader.",
    accept=("Here is what we build: a database.", "The subject is open."),
    reject=(
        "Subject: A role\n\nHi,",
        "Here is a personalized version:\n\nHi",
        "Note to self: check",
        "As an AI model,",
    ),
    source="ours",
    check=check,
)
