"""What is left of drafting: a subject line in the body, an assistant's preamble, a note to self."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_SUBJECT = Lazy(
    r"^[ \t*_>#]*(?:subject(?: line)?|objet|sujet|betreff|asunto|oggetto|assunto|onderwerp|temat|тема|件名|主题|主題|제목|الموضوع|נושא)[ \u00a0]?\*{0,2}[:：]",
    2 | 8,
)
_PREAMBLE = Lazy(
    r"\A\s*(?:(?:sure|certainly|of course|absolutely|great)[!,. ]{1,3})?(?:here(?:[’']s| is| are)|below is|voici|hier ist|hier sind|aqu[íi] (?:tienes|est[áa])|"
    r"ecco|aqui est[áa]|hier is|oto)\b[^\n]{0,60}\b(?:versions?|drafts?|e-?mails?|messages?|sequences?|templates?|brouillons?|propositions?|entw[üu]rfe?|"
    r"entwurf|nachricht|vorlage|versi[óo]n|borrador|mensaje|correo|bozza|messaggio|rascunho|mensagem|bericht|variants?|variantes?)\b[^\n]{0,80}[:：]",
    2,
)
_ASSISTANT = Lazy(
    r"\bas an ai(?: language)? (?:model|assistant)|\b(?:let me know|tell me) if you(?:[’']d| would)? (?:like|want)(?: me)? to (?:adjust|change|tweak|make|modify|revise)|"
    r"\bfeel free to (?:adjust|customi[sz]e|personali[sz]e|edit)|\bi (?:hope|trust) this (?:draft|version|email) |n[’']h[ée]sitez pas [àa] (?:adapter|personnaliser) ce|"
    r"\bnote to self\b|\bdo not send\b|\bne pas envoyer\b|\bnicht (?:ab)?senden\b|\blorem ipsum\b|\b(?:internal|private) note\s?:",
    2,
)


def check(text: Text) -> Iterator[Hit]:
    """Return every leftover."""
    if not text.is_subject:
        yield from text.hits(_SUBJECT)
    yield from text.hits(_PREAMBLE)
    yield from text.hits(_ASSISTANT)


RULE = Rule(
    id="foreign.draft",
    severity=Severity.ERROR,
    message="This was for the writer, not for the reader.",
    accept=("Here is what we build: a database.", "The subject is open."),
    reject=(
        "Subject: A role\n\nHi {{firstname}},",
        "Here is a personalized version:\n\nHi",
        "Note to self: check",
    ),
    source="ours",
    check=check,
)
