"""What an assistant says to the writer before, after and about a text."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.drafts import Instruction
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.views import View

_PREAMBLE = Lazy(
    r"(?i)\A\s{0,20}(?:(?:sure|certainly|of course|absolutely|great|bien sûr|natürlich|claro)[!,. ]{1,3}){0,2}"
    r"(?:here(?:[’']s| is| are)|below is|voici|hier (?:ist|sind|is)|aqu[íi] (?:tienes|est[áa])|ecco|"
    r"aqui est[áa]|oto)\b"
    r"[^\n]{0,60}\b(?:versions?|drafts?|e-?mails?|messages?|sequences?|templates?|brouillons?|propositions?|"
    r"entw[üu]rfe?|nachricht|vorlage|versi[óo]n|borrador|mensaje|correo|bozza|messaggio|rascunho|mensagem|bericht|"
    r"variante?s?)\b[^\n]{0,80}[:：]",
)
_ASSISTANT = Lazy(
    r"(?i)\bas an ai(?: language)? (?:model|assistant)|\b(?:let me know|tell me) if you(?:[’']d| would)? "
    r"(?:like|want) me to (?:adjust|change|tweak|make|modify|revise|shorten|rewrite)|\bi (?:hope|trust) this "
    r"(?:draft|version)\b|\bfeel free to (?:adjust|customi[sz]e|personali[sz]e|edit|tweak) (?:it|this|as needed|"
    r"(?:the|any) (?:tone|message|e-?mail|text|template|draft|placeholders?|details))\b|"
    r"\bn[’']h[ée]sitez pas [àa] (?:adapter|personnaliser) ce",
    needs=("as an ai", "me know if", "tell me if", "feel free", "i hope", "i trust", "sitez pas"),
)

_NOUN = (
    r"(?:versions?|drafts?|e-?mails?|messages?|sequences?|templates?|brouillons?|propositions?|"
    r"entw[üu]rfe?|entwurf|"
    r"nachricht|vorlage|versi[óo]n|borrador|mensaje|correo|bozza|messaggio|rascunho|mensagem|bericht|variante?s?)"
)
_OPENINGS = (
    *("sure", "certainly", "of course", "absolutely", "great", "ok", "got it", "no problem", "here", "below is"),
    *("voici", "hier", "aqu", "ecco", "oto"),
)
_OPENED = Lazy(
    r"(?i)(?:sure(?: thing)?|certainly|of course|absolutely|great|ok(?:ay)?|got it|no problem)[!,. ]{1,3}"
    rf"(?:here(?:[’']s| is| are)|below is|i[’']ve)\b[^\n]{{0,60}}\b{_NOUN}\b"
)
_INTRODUCED = Lazy(
    r"(?im)(?:here(?:[’']s| is| are)|below is|voici|hier (?:ist|sind|is)|aqu[íi] (?:tienes|est[áa])|"
    r"ecco|aqui est[áa]|"
    rf"oto)\b[^\n:]{{0,60}}\b{_NOUN}\b[^\n:]{{0,60}}[:：][ \t*_]{{0,4}}\r?$"
)
_CHANGE = (
    r"(?:adjust|change|tweak|make|modify|revise|shorten|rewrite|rephrase|adapt|expand|personali[sz]e|"
    r"draft|write|create)"
)
_OFFER = Lazy(
    rf"(?i)\b(?:would you like|do you want|shall|should) (?:me to|i) {_CHANGE} (?:it|this|the (?:tone|"
    rf"e-?mail|message|text)|"
    r"a (?:shorter|longer|second|different))|"
    r"\blet me know if you(?:[’']d| would)? (?:like|want|need) (?:any |some |further |more )?"
    r"(?:changes|tweaks|edits|adjustments|revisions|modifications|another version|a different (?:tone|"
    r"version))[^\w\n]*(?m:$)|"
    r"\bi (?:can|could) (?:also )?(?:make|write|create|generate|provide|draft|produce|adjust)\b[^\n.]{0,30}"
    r"\b(?:shorter|longer|formal|casual|alternative|different|second|another) (?:version|variant|tone|"
    r"option|draft)|"
    r"\bas an? (?:large )?language model\b|"
    r"\bi (?:do not|don[’']t|can(?:no|[’'])t) (?:have access to|access|browse) (?:the |your |their |"
    r"any )?(?:\w+ )?"
    r"(?:profile|internet|web|linkedin|urls?)\b|"
    r"(?m:^)\W{0,4}note: i(?:[’']ve| have)? (?:kept|used|made|added|assumed|left|avoided|tailored|"
    r"included|replaced)\b|"
    r"(?m:^)\W{0,4}word count: ?~?\d|"
    r"\bsouhaitez-vous que je (?:\w+ )?(?:modifie|adapte|raccourcisse|reformule|rédige)|"
    r"\bsoll ich (?:\w+ ){1,3}(?:kürzen|anpassen|umformulieren|ändern|überarbeiten)|"
    r"\bquieres que (?:l[oa]|el \w+) (?:acorte|ajuste|modifique|cambie|reescriba)|"
    r"\bvuoi che (?:l[oa]|il \w+) (?:accorci|modifichi|riscriva|adatti)|"
    r"\bquer que eu (?:\w+ )?(?:ajuste|encurte|reescreva)",
    needs=(
        *(
            "like me to",
            "want me to",
            "shall i",
            "should i",
            "me know if",
            "i can",
            "i could",
            "language model",
            "i don",
        ),
        *("i do not", "note: i", "word count", "souhaitez", "soll ich", "quieres que", "vuoi che", "quer que"),
    ),
)
_REMARKS = (
    *("i hope this", "i trust this", "tone:", "ton:", "tono:", "tom:", "ton :", "~"),
    *map(str, range(10)),
)
"""How a line begins that ``_REMARK`` can match."""
_REMARK = Lazy(
    r"(?im)(?:i (?:hope|trust) this (?:helps|works)[^\w\n]*\r?$|"
    r"\d{1,4} (?:words|characters|mots|caractères|wörter|zeichen|palabras|caracteres|parole)[^\w\n]{0,3}\r?$|"
    r"ton[eo]?\s?: (?:friendly|professional|casual|formal|warm|informal|amical|professionnel|freundlich|"
    r"professionell|profesional|amichevole)\b|tom: (?:amigável|profissional|formal))"
)


def said(view: View) -> Iterator[Instruction]:
    """Return the places where one speaks; what a person could say to a reader as well is in doubt."""
    if match := _PREAMBLE.match(view.text):
        yield Instruction(*match.span())
    for pattern in (_ASSISTANT, _OFFER):
        yield from (Instruction(*match.span()) for match in view.find(pattern))
    for line in view.lines:
        if line.start_of_bare.startswith(_OPENINGS):
            if match := _OPENED.match(view.text, line.start):
                yield Instruction(*match.span())
            elif match := _INTRODUCED.match(view.text, line.start):
                yield Instruction(*match.span(), Severity.WARNING)
        if line.start_of_bare.startswith(_REMARKS) and (match := _REMARK.match(view.text, line.start)):
            yield Instruction(*match.span(), Severity.WARNING)
