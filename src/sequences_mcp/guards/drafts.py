"""Finds what is left of drafting: blanks, phrases of an assistant, instructions to the writer, headings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.fact_names import orders_fact
from sequences_mcp.guards.views import TextLine, TextView
from sequences_mcp.guards.words import has_field, has_glue, is_field, is_name, lines, words_of

_RUN = LazyPattern(
    r"(?m)(?:^|(?<=[\s(«\"'“]))(?:_{3,}|(?:_ ){2,}_|(?:… ?){2,}|\.{5,})(?=[\s,;:!?.)»\"'”]|$)|(?<!\w)X{4,}(?!\w)|"
    r"(?<!\w)(?:XX|xx)\+?(?=\s?(?:[kK]?[€$£]|%|(?:ans|years|Jahre|años|anni|anos|jaar|lat)\b))|"
    r"(?<!\w)(?:XX|xx)(?:[XX]*|x*)(?:[ .,/-](?:X{2,}|x{2,}))+(?!\w)",
    needs=("__", "_ _", "……", "… …", ".....", "xx"),
)
_MONEY_LINE = LazyPattern(r"[€$£]\s?_{2,}[kKmM]?(?!\w)|(?<!\w)_{2,}[kK]?\s?[€$£%]", needs=("__",), signs="€$£%")
_PHONE = LazyPattern(
    r"(?i)(?<![\w.,-])(?<!\d )\(?(?:x{3}\)?[-. ]{1,2}x{3}[-. ]x{4}|"
    r"0{3,}\)?[-. ]{1,2}0{3,}(?:[-. ]0{3,}){0,3})(?!\w)",
    needs=("xxx", "000"),
)
_SEQUENCE = LazyPattern(r"(?<![\w.-])(?:\(?123\)?[-. ]{1,2}456[-. ]{0,2}789\d?|0123456789)(?!\w)", needs=("123",))
_AMOUNT = LazyPattern(
    r"[€$£]\s?(?:X{1,3}|x{2,3})(?:[.,]X{3})?[kK]?(?!\w)|(?<!\w)X{1,3}(?:[.,]X{3})?[kK]?\s?[€$£](?!\w)|"
    r"(?<!\w)XX (?:and|to|et|à|bis|und|y|a|e|-|–) (?:XX|YY)(?!\w)",
    signs="Xx",
)
_QUESTION = LazyPattern(r"(?:^|(?<=\s))\?{2,}(?=[ \t][^\W\dA-Z_])|(?<=[\d%€][kKmM€%])\?{2,}", needs=("??",))
_YEARS = "years|ans|jahre|años|anni|anos|jaar|lat"
_SO_MANY = LazyPattern(
    rf"(?<!\w)[XN] (?i:{_YEARS}) (?=of|d['’]exp|Erfahrung|de exp|di esp)",
    needs=[f"{letter} {years}" for letter in "xn" for years in _YEARS.split("|")],
    signs="XN",
)
# "Gen X people" and "Generation Z teams" are no blanks.
_COUNTED = (
    r"(?:companies|clients|customers|teams|candidates|engineers|people|hours|days|weeks|months|employees|users|"
    r"years|million|percent|per cent|entreprises|personnes|jours|mois|kunden|tage|monate|firmen|clientes|empresas|"
    r"días|meses)"
)
_COUNT = LazyPattern(
    rf"(?<=[^\W\dA-Z_] )(?<!Gen )(?<!eneration )(?:[XYN]\s?%|(?:[XN]|#{{2,4}})\+? (?i:{_COUNTED}))(?!\w)|"
    rf"(?<![\w-])[XN]\+ (?i:{_YEARS})(?!\w)",
    signs="XYN#",
)
# An ellipsis after a space, where a word is missing: "your work at ...".
_ELISION = LazyPattern(r"(?<=[ \t])(?:\.{3,}|…)(?=\s|$)", needs=(" ...", "\t...", " …", "\t…"))
_ASKING = frozenset(
    [
        "at",
        "in",
        "on",
        "of",
        "as",
        "for",
        "with",
        "from",
        "about",
        "your",
        "chez",
        "sur",
        "dans",
        "pour",
        "comme",
        "votre",
        "bei",
        "von",
        "für",
        "als",
        "ihr",
        "en",
        "de",
        "del",
        "di",
        "da",
        "presso",
        "em",
    ]
)
_CIRCLES = "○〇△▲●◯□■✕×ㅇ"
_HONOURED = LazyPattern(
    rf"(?:[{_CIRCLES}]{{2,}}|(?<![A-Za-z0-9_])[XO]{{2,}}|某某)(?=\s?(?:様|さま|さん|殿|님|씨|先生|女士|小姐))",
    signs="様さ殿님씨先女小",
)
_NO_COMPANY = LazyPattern(
    rf"(?:[{_CIRCLES}]{{2,}}|(?<![A-Za-z0-9_])X{{2,}}|某某)(?=\s?(?:株式会社|有限会社|会社|公司|企业|大学|회사|社(?!\w)))|"
    rf"(?:株式会社|有限会社|주식회사|㈜)[{_CIRCLES}X]{{2,}}",
    signs="株有会公企大회社주㈜",
)
_FORMAT = LazyPattern(
    r"(?<!\w)(?:XX(?:[ .-]XX)+|(?:DD|JJ|TT|GG)[/.-]MM[/.-](?:YYYY|AAAA|JJJJ|YY)|YYYY-MM-DD|HH[:h]MM)(?!\w)",
    needs=("xx", "mm"),
    signs="XM",
)
_GREETED = LazyPattern(
    r"(?:x{2,}|X+|[-–—/|.!~#](?=\s?,)|\*{2,}|-{2,}|\.{3,}|_+|…|\?+|[\"'“”«»]{2}|\{\}|\[\]|\(\)|"
    r"<>)(?=\s?[,!;:\n]|$)"
)


def blanks(view: TextView) -> Iterator[Instruction]:
    """Return the blanks on the lines of a view; with severity WARNING where they may be intended."""
    for match in view.find(_RUN):
        start, end = view.text.rfind("\n", 0, match.start()) + 1, view.text.find("\n", match.end())
        if _ALNUM.search(view.text, start, end if end >= 0 else None):
            yield Instruction(*match.span())
    for pattern in (_FORMAT, _AMOUNT, _HONOURED, _MONEY_LINE, _PHONE):
        yield from (Instruction(*match.span()) for match in view.find(pattern))
    for pattern in (_QUESTION, _SO_MANY, _COUNT, _SEQUENCE, _NO_COMPANY):
        yield from (Instruction(*match.span(), Severity.WARNING) for match in view.find(pattern))
    for match in view.find(_ELISION):
        before = view.text[max(0, match.start() - 20) : match.start()].split()
        if before and before[-1].lower() in _ASKING:
            yield Instruction(*match.span(), Severity.WARNING)


def greeted_blanks(view: TextView) -> Iterator[Instruction]:
    """Return the blanks that stand where a greeting has a name."""
    return (Instruction(*match.span()) for match in view.find_greeted(_GREETED))


_ALNUM = LazyPattern(r"[^\W_]")
_PREAMBLE = LazyPattern(
    r"(?i)\A\s{0,20}(?:(?:sure|certainly|of course|absolutely|great|bien sûr|natürlich|claro)[!,. ]{1,3}){0,2}"
    r"(?:here(?:[’']s| is| are)|below is|voici|hier (?:ist|sind|is)|aqu[íi] (?:tienes|est[áa])|ecco|"
    r"aqui est[áa]|oto)\b"
    r"[^\n]{0,60}\b(?:versions?|drafts?|e-?mails?|messages?|sequences?|templates?|brouillons?|propositions?|"
    r"entw[üu]rfe?|nachricht|vorlage|versi[óo]n|borrador|mensaje|correo|bozza|messaggio|rascunho|mensagem|bericht|"
    r"variante?s?)\b[^\n]{0,80}[:：]",
)
_ASSISTANT = LazyPattern(
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
_OPENING_INITIALS = frozenset(opening[0] for opening in _OPENINGS)
_OPENED = LazyPattern(
    r"(?i)(?:sure(?: thing)?|certainly|of course|absolutely|great|ok(?:ay)?|got it|no problem)[!,. ]{1,3}"
    rf"(?:here(?:[’']s| is| are)|below is|i[’']ve)\b[^\n]{{0,60}}\b{_NOUN}\b"
)
_INTRODUCED = LazyPattern(
    r"(?im)(?:here(?:[’']s| is| are)|below is|voici|hier (?:ist|sind|is)|aqu[íi] (?:tienes|est[áa])|"
    r"ecco|aqui est[áa]|"
    rf"oto)\b[^\n:]{{0,60}}\b{_NOUN}\b[^\n:]{{0,60}}[:：][ \t*_]{{0,4}}\r?$"
)
_CHANGE = (
    r"(?:adjust|change|tweak|make|modify|revise|shorten|rewrite|rephrase|adapt|expand|personali[sz]e|"
    r"draft|write|create)"
)
_OFFER = LazyPattern(
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
        *("like me to", "want me to", "shall i", "should i", "me know if", "i can", "i could"),
        *("language model", "i don", "i do not", "note: i", "word count", "souhaitez", "soll ich"),
        *("quieres que", "vuoi che", "quer que"),
    ),
)
_REMARKS = (
    *("i hope this", "i trust this", "tone:", "ton:", "tono:", "tom:", "ton :", "~"),
    *map(str, range(10)),
)
"""How a line begins that ``_REMARK`` can match."""
_REMARK = LazyPattern(
    r"(?im)(?:i (?:hope|trust) this (?:helps|works)[^\w\n]*\r?$|"
    r"\d{1,4} (?:words|characters|mots|caractères|wörter|zeichen|palabras|caracteres|parole)[^\w\n]{0,3}\r?$|"
    r"ton[eo]?\s?: (?:friendly|professional|casual|formal|warm|informal|amical|professionnel|freundlich|"
    r"professionell|profesional|amichevole)\b|tom: (?:amigável|profissional|formal))"
)


def offers(view: TextView) -> Iterator[Instruction]:
    """Return what an assistant offers the writer to do, or says of what it cannot."""
    for pattern in (_ASSISTANT, _OFFER):
        yield from (Instruction(*match.span()) for match in view.find(pattern))


def assistant_phrases(view: TextView) -> Iterator[Instruction]:
    """Return phrases of an assistant; with severity WARNING where a person may say the same to the reader."""
    if match := _PREAMBLE.match(view.text):
        yield Instruction(*match.span())
    for line in view.lines:
        if line.start_of_bare[0] in _OPENING_INITIALS and line.start_of_bare.startswith(_OPENINGS):
            if match := _OPENED.match(view.text, line.start):
                yield Instruction(*match.span())
            elif match := _INTRODUCED.match(view.text, line.start):
                yield Instruction(*match.span(), Severity.WARNING)
        if line.start_of_bare.startswith(_REMARKS) and (match := _REMARK.match(view.text, line.start)):
            yield Instruction(*match.span(), Severity.WARNING)


# These verbs tell a writer what to do whatever follows; the others only where a fact or "here" follows.
_STRONG = (
    r"(?:insert|fill (?:in|out)|personali[sz]e|customi[sz]e|paste|ins[ée]rer|ins[ée]rez|(?:à )?compl[ée]ter|"
    r"remplir|personnaliser|personnalisez|insertar|inserta|inserte|rellenar|personalizar|inserire|"
    r"inserisci|personalizzare|"
    r"inserir|preencher|invullen|wstaw|wstawić|uzupełnij|вставить|вставьте|einf[üu]gen)"
)
_WEAK = (
    r"(?:add|enter|put|replace|specify|mention|reference|write|choose|pick|tailor|describe|ajouter|"
    r"ajoutez|remplacer|"
    r"mentionner|pr[ée]ciser|a[ñn]adir|completar|mencionar|aggiungere|completare|menzionare|adicionar|toevoegen|"
    r"добавить|добавьте|указать|укажите|dodaj)"
)
_LAST = (
    r"(?:einf[üu]gen|erg[äa]nzen|ausf[üu]llen|eintragen|invullen|toevoegen|を記入|を入力|を挿入|请填写|填写|填入)"
)
_WORD_HERE = r"(?:here|ici|hier|aqu[íi]|qui|aqui|tutaj|здесь|сюда)"
_VERB = LazyPattern(rf"(?i)(?P<strong>{_STRONG})\b|(?P<weak>{_WEAK})\b")
_ENDS_IN_VERB = LazyPattern(rf"(?i).{{1,60}}\b{_LAST}\W{{0,3}}|.{{1,60}}(?:を記入|を入力|を挿入|请填写|填写|填入)")
_HAS_HERE = LazyPattern(rf"(?i)\b{_WORD_HERE}\b")
_LINE_VERB = LazyPattern(
    r"(?i)(?:insert|add|put|enter|paste|mention|personali[sz]e|customi[sz]e|ins[ée]rer|ins[ée]rez|ajouter|ajoutez|"
    r"insertar|inserta|a[ñn]adir|inserire|inserisci|aggiungere|inserir|adicionar|wstaw|вставить|вставьте)\b"
)
_LINE_VERBS = (
    *("insert", "add", "put", "enter", "paste", "mention", "personali", "customi", "insér", "inser", "ajoute"),
    *("añadir", "anadir", "aggiungere", "adicionar", "wstaw", "встав"),
)
_INITIALS = frozenset(verb[0] for verb in _LINE_VERBS)
_REPLACES = ("replace", "p.s. replace", "ps replace", "ps: replace", "p.s. : replace")
_REPLACE = LazyPattern(r"(?i)(?:p\.?s\.?\W{0,3})?replace (?:this |that |it |these )?with (?P<what>.{1,60})")
_LONGEST_LINE = 100
_LONGEST_REQUEST = 60
_ENDS_IN_HERE = LazyPattern(rf"(?i)\b{_WORD_HERE}\W*\Z")
_DELIMITERS = r"*_~=#|^/+<>.…-"
_OPENING = LazyPattern(rf"([{_DELIMITERS}])(?<![\w{_DELIMITERS}].)\1{{0,5}}[ \t]{{0,3}}(?P<word>[^\W\d_]+)")
_BETWEEN_DELIMITERS = LazyPattern(
    r"(?P<mark>\*{1,3}|_{1,3}|~{1,3}|={1,6}|-{1,6}|#{1,4}|\|{1,2}|\^{1,2}|/{1,2}|\+{1,3}|>{2,4}|<{2,4}|\.{3}|…)"
    r"[ \t]{0,3}(?P<inner>[^\W\d_][^\n*_~=#|^+<>\"“”]{1,90}?)[ \t]{0,3}"
    r"(?:\*{1,3}|_{1,3}|~{1,3}|={1,6}|-{1,6}|#{1,4}|\|{1,2}|\^{1,2}|/{1,2}|\+{1,3}|>{2,4}|<{2,4}|\.{3}|…)(?!\w)"
)
_EMPHASISED = LazyPattern(r"(?<![\w*_])([*_]{1,3})(?P<inner>[^\W\d_][^\n*_]{1,60}?)\1(?!\w)", needs=("*", "_"))
# Begins with a set and looks back from there: the search then skips all other letters.
_CAPITALS = LazyPattern(
    r"[IPFCAEY](?<!\w.)(?:"
    r"(?:(?<=I)NSERT|(?<=P)ASTE|(?<=F)ILL IN|(?<=P)ERSONALI[SZ]E|(?<=C)USTOMI[SZ]E|(?P<weak>(?<=A)DD|"
    r"(?<=P)UT|(?<=E)NTER))"
    r"(?P<what>(?: [A-Z'’]{1,20}){1,6})(?!\w)|"
    r"(?<=Y)OUR (?:FULL |FIRST |LAST |OWN )?(?:NAME|COMPANY|TEXT|TITLE|JOB TITLE|ROLE|MESSAGE|LINK|SIGNATURE)"
    r"(?: NAME)?(?: HERE)?(?!\w))"
)
_GOES_HERE = LazyPattern(
    r"(?i)(?<!\w)(?:your |the )?(?:text|first name|last name|company name|job title|message|signature|hook|"
    r"link|name|personali[sz]ation) (?:goes )?here(?=\W*$|\W*\n|[\"”'\])*_,.])|\b[a-z]{2,20}(?:_[a-z]{2,20}){1,3}_"
    r"(?:here|placeholder)\b",
    needs=(
        *("text here", "name here", "title here", "message here", "signature here", "hook here"),
        *("link here", "ation here", "goes here", "_here", "placeholder"),
    ),
)
_QUOTED = LazyPattern(r"[\"'“‘](?<!\w.)(?P<inner>[^\W\d_][\w ]{2,30})[\"'”’](?!\w)", signs="\"'“‘")
_DUE = LazyPattern(r"(?i)(?<!\w)(?:at|for|from|with|to|of|as|chez|bei|von|für|en|de|di|da|presso)[ \t]\Z")
_CROSSED = LazyPattern(
    r"(?<!\w)(?P<x>[xX]{2,4})[ \t]{0,2}(?P<inner>[^\W\d_][\w ]{1,40}?)[ \t]{0,2}(?P=x)(?!\w)", needs=("xx",)
)
_TRIES = 2_000
"""A limit on the work for one text: so many delimiters are examined."""


class Instruction(NamedTuple):
    """A place where the writer is told to fill something in; ``severity`` None is the rule's own severity."""

    start: int
    end: int
    severity: Severity | None = None


def instructions(view: TextView) -> Iterator[Instruction]:
    """Return the instructions of a view: between delimiters, in capitals, or alone on a line."""
    yield from _delimited(view)
    for match in view.find(_EMPHASISED):
        if is_field(match["inner"]):
            is_word = len(words_of(match["inner"])) == 1
            if not is_word or is_name(match["inner"]):
                yield Instruction(*match.span(), Severity.WARNING if is_word else None)
    for line in view.lines:
        is_line = (
            line.start_of_bare[0] in _INITIALS
            and line.start_of_bare.startswith(_LINE_VERBS)
            and _asks_for_fact(line.bare)
        )
        if is_line or (len(line.bare) <= _LONGEST_REQUEST and orders_fact(line.bare)):
            yield Instruction(line.start, line.end)
        elif line.start_of_bare.startswith(_REPLACES):
            replaced = _REPLACE.match(line.bare)
            if replaced and has_field(replaced["what"]):
                yield Instruction(line.start, line.end, Severity.WARNING)
    for match in _CAPITALS.finditer(view.text):
        if match["weak"] is None or has_field(match["what"]):
            yield Instruction(*match.span())
    for match in view.find(_GOES_HERE):
        yield Instruction(*match.span())
    for match in view.find(_CROSSED):
        if is_field(match["inner"]):
            yield Instruction(*match.span())
    for match in view.find(_QUOTED):
        is_name_alone = is_name(match["inner"]) and not has_glue(match["inner"])
        before = view.text[max(0, match.start() - 12) : match.start()]
        if is_name_alone and (len(words_of(match["inner"])) > 1 or _DUE.search(before)):
            yield Instruction(*match.span(), Severity.WARNING)
    for greeting in view.greetings if view.signs_any("*_") else ():
        greeted = _EMPHASISED.match(view.text, greeting)
        if greeted and is_field(greeted["inner"]):
            yield Instruction(*greeted.span())


def _delimited(view: TextView) -> Iterator[Instruction]:
    tries = done = 0
    openings = _OPENING.finditer(view.text) if view.signs_any(_DELIMITERS) else iter(())
    for opening in openings:
        if opening.start() < done:
            continue
        tries += 1
        if tries > _TRIES:
            break
        if opening["word"].lower() not in _openers() and not _has_piece(view):
            continue
        match = _BETWEEN_DELIMITERS.match(view.text, opening.start())
        is_blank = match and match["mark"] in ("...", "…") and _VERB.fullmatch(match["inner"])
        if match and (_tells(match["inner"]) or (is_blank and is_blank["strong"])):
            done = match.end()
            yield Instruction(*match.span())


@lru_cache(maxsize=8)
def _has_piece(view: TextView) -> bool:
    """Say whether a view has any word of an instruction that does not begin with its verb."""
    return any(piece in view.lower for kind in ("piece", "word") for piece in words_for(kind))


@cache
def _openers() -> frozenset[str]:
    return words_for("verb") | words_for("word")


def _asks_for_fact(line: str) -> bool:
    """Say whether a line is "add link here": a verb, what is missing, and where.

    Beside ``orders_fact``, which knows the verbs of every language and allows nothing beside the fact: here few
    verbs count, because "choose a time here" is written to the reader, and other words may stand beside the fact.
    """
    if len(line) > _LONGEST_LINE or len(line.split()) > 8 or not _ENDS_IN_HERE.search(line):
        return False
    verb = _LINE_VERB.match(line)
    return bool(verb and _names_fact(line[verb.end() :]))


def _tells(inner: str) -> bool:
    if verb := _VERB.match(inner):
        more = inner[verb.end() :].strip()
        return bool(more) and (bool(verb["strong"]) or _names_fact(more) or bool(_HAS_HERE.search(more)))
    return bool(_ENDS_IN_VERB.fullmatch(inner)) or (names_draft(inner) and len(inner.split()) <= 3)


def _names_fact(phrase: str) -> bool:
    return has_field(_HAS_HERE.sub(" ", phrase)) or names_draft(phrase)


def names_draft(phrase: str) -> bool:
    """Say whether a phrase names a part of a draft, such as "hook" or "opening line"."""
    return any(word.strip(".,:;!?").casefold() in words_for("word") for word in phrase.split())


_DECORATED = r"[ \t]*(?:[-=*_#~>+•–—\[(«\"“]{1,12}[ \t]*){1,3}"
_END = r"[ \t]*(?:[-=*_#~:：.)\]»\"”–—]{0,12}[ \t]*){1,3}"
_KIND = (
    r"(?:a/b[ -]?test[ :]{1,3}|here(?: is|'s|’s) |voici (?:la )?|hier ist )?"
    r"(?:(?P<sure>variant|variante?n?|variação|variación|versione|version|versi[óo]n|vers[ãa]o|fassung|"
    r"draft|entwurf|"
    r"brouillon|borrador|bozza|rascunho|concept|versie|wersja|wariant|вариант|версия|versión|バージョン|版本|方案)|"
    r"(?P<mail>(?:e-?mail|mail|message|nachricht|mensaje|messaggio|follow[- ]?up|touch|"
    r"linkedin(?: message| note)?|subject(?: line)?|betreff(?:zeile)?|objet|asunto|oggetto|"
    r"assunto|onderwerp|temat|тема|件名|主题))|"
    r"(?P<choice>option|alternative|opci[óo]n|opzione|op[çc][ãa]o|optie|opcja|案))"
)
_SIGN = LazyPattern(r"[-=*_#~\[«]")
_OF_SO_MANY = r"(?:[ ]?(?:of|von|de|di|sur|van|z|из|/)[ ]?\d{1,2})?"
_NUMBER = r"(?:n[°o]\.?[ ]?|#)?(?:\d{1,2}|[a-dA-D]|one|two|three|i{1,3}|eins|zwei|un|deux|uno|dos)"
_ADJECTIVE = (
    r"(?:short|long|longer|shorter|formal|casual|friendly|kurz|lang|kurze|lange|courte|longue|"
    r"corta|larga|breve|lunga)"
)
_NAMED = LazyPattern(
    rf"(?im)^(?P<before>{_DECORATED})?{_KIND}[ \t]?{_NUMBER}{_OF_SO_MANY}(?!\w)"
    rf"(?P<note>[ \t]{{0,2}}\([^()\n]{{1,40}}\))?(?P<after>{_END})\r?$"
)
_ADJECTIVES = LazyPattern(
    rf"(?im)^(?:{_DECORATED})?(?:{_ADJECTIVE}[ \t](?:version|variant|versi[óo]n|fassung|versione)|"
    rf"(?:version|variante|versi[óo]n|versione|vers[ãa]o)[ \t]{_ADJECTIVE}|"
    rf"kurzfassung|langfassung|kurzversion|langversion)"
    rf"{_END}\r?$"
)
_VERSION = LazyPattern(r"(?im)^[ \t*_#=-]{0,12}v[1-9][ \t]*[:.)–—*_=-]{1,8}[ \t\r]*$")
_SCHEDULED = LazyPattern(
    rf"(?im)^(?:{_DECORATED})?(?:day|tag|jour|día|dia|giorno|dag|dzień|день)[ \t]?\d{{1,2}}[ \t]*[-–—:|][ \t]*"
    r"(?:linked-?in|e-?mail|mail|call|sms|whatsapp|inmail|follow[- ]?up|touch|message|nachricht|bump|break-?up)"
    r"[^\n.!?]{0,20}\r?$"
)
_SUBJECTS = LazyPattern(
    r"(?im)^[ \t>*_#-]{0,8}(?:subject(?: line)?|betreff(?:zeile)?|objet|asunto|oggetto|assunto|"
    rf"onderwerp|temat|тема|件名|主题)[ \t]?(?:option[ \t])?{_NUMBER}[ \t*_]{{0,4}}[:：.)–—-]",
)
_PREFIX = LazyPattern(
    rf"(?i)^[ \t\[(*]{{0,4}}(?:variant|variante|version|draft|entwurf|brouillon|option|alternative)[ \t]?{_NUMBER}"
    rf"[ \t\])*]{{0,4}}[:：|–—-]"
)


@cache
def words_for(kind: str) -> frozenset[str]:
    """Return the words and phrases of one kind in the lexicon ``draft``."""
    return frozenset(
        word.replace("_", " ") for sort, rest in lines("draft") if sort == kind for word in rest.split()
    )


@cache
def _starts() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the beginnings of lines that can be headings: their first letters, and the whole beginnings."""
    starts = words_for("heading")
    return frozenset(start[0] for start in starts), tuple(starts)


def headings(view: TextView, *, is_subject: bool) -> Iterator[Instruction]:
    """Return headings of versions of a text; a plain "Option A:", which may be intended, as a WARNING."""
    initials, starts = _starts()
    for line in view.lines:
        if line.start_of_bare[0] in initials and line.start_of_bare.startswith(starts):
            yield from _in_line(view.text, line)
    if is_subject:
        yield from (Instruction(*match.span()) for match in view.find(_PREFIX))


def _in_line(text: str, line: TextLine) -> Iterator[Instruction]:
    match = _NAMED.match(text, line.at)
    if match:
        before, after = match["before"] or "", match["after"].strip()
        is_heading = bool(after or before or match["sure"])
        is_decorated = bool(_SIGN.search(before.strip(" \t-") + after)) or "--" in before
        if match["sure"] or is_decorated or (match["mail"] and is_heading):
            yield Instruction(*match.span())
        elif (match["choice"] and after[:1] in (":", "：")) or (
            match["mail"] and match[0].lower().startswith("touch")
        ):
            yield Instruction(*match.span(), Severity.WARNING)
    for pattern in (_ADJECTIVES, _VERSION, _SUBJECTS, _SCHEDULED):
        if match := pattern.match(text, line.at):
            yield Instruction(*match.span())
