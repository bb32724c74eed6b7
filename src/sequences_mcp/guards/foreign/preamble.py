"""What an assistant says to the writer, left in the text for the reader."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_PREAMBLE = Lazy(
    r"(?i)\A\s{0,20}(?:(?:sure|certainly|of course|absolutely|great|bien sûr|natürlich|claro)[!,. ]{1,3}){0,2}"
    r"(?:here(?:[’']s| is| are)|below is|voici|hier (?:ist|sind|is)|aqu[íi] (?:tienes|est[áa])|ecco|"
    r"aqui est[áa]|oto)\b"
    r"[^\n]{0,60}\b(?:versions?|drafts?|e-?mails?|messages?|sequences?|templates?|brouillons?|propositions?|"
    r"entw[üu]rfe?|nachricht|vorlage|versi[óo]n|borrador|mensaje|correo|bozza|messaggio|rascunho|mensagem|bericht|"
    r"variante?s?)\b[^\n]{0,80}[:：]",
    needs=("here", "below is", "voici", "hier", "aqu", "ecco", "oto"),
)
_ASSISTANT = Lazy(
    r"(?i)\bas an ai(?: language)? (?:model|assistant)|\b(?:let me know|tell me) if you(?:[’']d| would)? "
    r"(?:like|want) me to (?:adjust|change|tweak|make|modify|revise|shorten|rewrite)|\bi (?:hope|trust) this "
    r"(?:draft|version)\b|\bfeel free to (?:adjust|customi[sz]e|personali[sz]e|edit|tweak) (?:it|this|as needed|"
    r"(?:the|any) (?:tone|message|e-?mail|text|template|draft|placeholders?|details))\b|"
    r"\bn[’']h[ée]sitez pas [àa] (?:adapter|personnaliser) ce",
    needs=("as an ai", "me know if", "tell me if", "feel free", "i hope", "i trust", "sitez pas"),
)


def check(text: Text) -> Iterator[Hit]:
    """Return every preamble and every offer to change the text."""
    yield from text.hits(_PREAMBLE)
    yield from text.hits(_ASSISTANT)


RULE = Rule(
    id="foreign.preamble",
    severity=Severity.ERROR,
    message="An assistant said this to the writer: the reader must not get it.",
    accept=("Here is what we build: a database.", "Feel free to reply."),
    reject=("Here is a personalized version:\n\nHi", "Voici un brouillon de message :", "As an AI model,"),
    source="ours",
    check=check,
)
