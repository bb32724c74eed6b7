"""What a draft leaves for whoever finishes it: instructions in marks or capitals, headings above its versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import has_field, is_field, is_name, words_of

# These verbs tell a writer what to do whatever follows; the others only where a fact or "here" follows.
_STRONG = (
    r"(?:insert|fill (?:in|out)|personali[sz]e|customi[sz]e|paste|ins[ée]rer|ins[ée]rez|(?:à )?compl[ée]ter|"
    r"remplir|personnaliser|personnalisez|insertar|inserta|inserte|rellenar|personalizar|inserire|inserisci|personalizzare|"
    r"inserir|preencher|invullen|wstaw|wstawić|uzupełnij|вставить|вставьте|einf[üu]gen)"
)
_WEAK = (
    r"(?:add|enter|put|replace|specify|mention|reference|write|choose|pick|tailor|describe|ajouter|ajoutez|remplacer|"
    r"mentionner|pr[ée]ciser|a[ñn]adir|completar|mencionar|aggiungere|completare|menzionare|adicionar|toevoegen|"
    r"добавить|добавьте|указать|укажите|dodaj)"
)
_LAST = (
    r"(?:einf[üu]gen|erg[äa]nzen|ausf[üu]llen|eintragen|invullen|toevoegen|を記入|を入力|を挿入|请填写|填写|填入)"
)
_HERE = r"(?:here|ici|hier|aqu[íi]|qui|aqui|tutaj|здесь|сюда)"
_VERB = Lazy(rf"(?i)(?P<strong>{_STRONG})\b|(?P<weak>{_WEAK})\b")
_ENDS_IN_VERB = Lazy(rf"(?i).{{1,60}}\b{_LAST}\W{{0,3}}|.{{1,60}}(?:を記入|を入力|を挿入|请填写|填写|填入)")
_AT_HERE = Lazy(rf"(?i)\b{_HERE}\b")
_LINE_VERB = Lazy(
    r"(?i)(?:insert|add|put|enter|paste|mention|personali[sz]e|customi[sz]e|ins[ée]rer|ins[ée]rez|ajouter|ajoutez|"
    r"insertar|inserta|a[ñn]adir|inserire|inserisci|aggiungere|inserir|adicionar|wstaw|вставить|вставьте)\b"
)
_ENDS_HERE = Lazy(rf"(?i)\b{_HERE}\W*$")
_DRAFT_WORDS = frozenset(
    {
        *("hook", "icebreaker", "opener", "personalization", "personalisation", "placeholder", "accroche"),
        *("personnalisation", "gancho", "gancio", "aufhänger", "einstieg", "personalisierung", "personalización"),
        *("personalizzazione", "openingszin"),
    }
)
# Of what each tells, some piece occurs in any text that a pattern below can match.
_STEMS = (
    *(
        "insert",
        "insér",
        "inser",
        "fill",
        "personal",
        "personnal",
        "customi",
        "paste",
        "complé",
        "comple",
        "remplir",
    ),
    *("rellenar", "preencher", "invullen", "wstaw", "uzupe", "встав", "einf", "add", "enter", "put", "replace"),
    *("specify", "mention", "reference", "tailor", "ajout", "remplac", "mencion", "préciser", "preciser", "añad"),
    *("anad", "aggiung", "menzion", "adicion", "toevoeg", "добав", "укаж", "указ", "dodaj", "ergänz", "erganz"),
    *("ausf", "eintrag", "を記入", "を入力", "を挿入", "填写", "填入", *sorted(_DRAFT_WORDS)),
)
_MARKED = Lazy(
    r"(?m)(?<![\w*_~=#|^/+<>.-])(?P<mark>\*{1,3}|_{1,3}|~{1,3}|={1,6}|-{1,6}|#{1,4}|\|{1,2}|\^{1,2}|/{1,2}|\+{1,3}|>{2,4}|"
    r"<{2,4}|\.{3}|…)[ \t]{0,3}(?P<inner>[^\W\d_][^\n*_~=#|^+<>\"“”]{1,90}?)[ \t]{0,3}"
    r"(?:\*{1,3}|_{1,3}|~{1,3}|={1,6}|-{1,6}|#{1,4}|\|{1,2}|\^{1,2}|/{1,2}|\+{1,3}|>{2,4}|<{2,4}|\.{3}|…)(?!\w)",
    needs=_STEMS,
)
_EMPHASISED = Lazy(r"(?<![\w*_])([*_]{1,3})(?P<inner>[^\W\d_][^\n*_]{1,60}?)\1(?!\w)", needs=("*", "_"))
_LINE = Lazy(
    r"(?m)^[^\w\n]{0,8}(?P<inner>[^\W\d_][^\n]{3,90})$",
    needs=(" here", " ici", " hier", " aquí", " aqui", " qui", " tutaj", " здесь", " сюда"),
)
_CAPITALS = Lazy(
    r"(?<!\w)(?:INSERT|PASTE|FILL IN|PERSONALI[SZ]E|CUSTOMI[SZ]E|(?P<weak>ADD|PUT|ENTER))"
    r"(?: [A-Z'’]{1,20}){1,6}(?!\w)|"
    r"(?<!\w)YOUR (?:FULL |FIRST |LAST |OWN )?(?:NAME|COMPANY|TEXT|TITLE|JOB TITLE|ROLE|MESSAGE|LINK|SIGNATURE)"
    r"(?: NAME)?(?: HERE)?(?!\w)",
    needs=("insert ", "paste ", "fill in ", "personali", "customi", "add ", "put ", "enter ", "your "),
)
_GOES_HERE = Lazy(
    r"(?i)(?<!\w)(?:your |the )?(?:text|first name|last name|company name|job title|message|signature|hook|"
    r"link|name) (?:goes )?here(?=\W*$|\W*\n|[\"”'\])*_,.])|\b[a-z]{2,20}(?:_[a-z]{2,20}){1,3}_"
    r"(?:here|placeholder)\b",
    needs=("here", "placeholder"),
)


_MOST = 200


class Instruction(NamedTuple):
    """A place where somebody is told to fill something in, and whether that is sure."""

    start: int
    end: int
    severity: Severity | None = None


def instructions(view: View) -> Iterator[Instruction]:
    """Return the instructions of a view: in marks, in capitals, or alone on their line."""
    for match in islice(view.find(_MARKED), _MOST):
        if _tells(match["inner"]):
            yield Instruction(*match.span())
    for match in islice(view.find(_EMPHASISED), _MOST):
        if is_field(match["inner"]):
            is_word = len(words_of(match["inner"])) == 1
            if not is_word or is_name(match["inner"]):
                yield Instruction(*match.span(), Severity.WARNING if is_word else None)
    for match in islice(view.find(_LINE), _MOST):
        inner = match["inner"]
        verb = _LINE_VERB.match(inner) if len(inner.split()) <= 8 and _ENDS_HERE.search(inner) else None
        if verb and _names_fact(inner[verb.end() :]):
            yield Instruction(*match.span("inner"))
    for match in islice(view.find(_CAPITALS), _MOST):
        if match["weak"] is None or "HERE" in match[0] or has_field(match[0][len(match["weak"]) :]):
            yield Instruction(*match.span())
    for match in islice(view.find(_GOES_HERE), _MOST):
        yield Instruction(*match.span())
    for greeting in view.greetings:
        greeted = _EMPHASISED.match(view.text, greeting)
        if greeted and is_field(greeted["inner"]):
            yield Instruction(*greeted.span())


def _tells(inner: str) -> bool:
    if verb := _VERB.match(inner):
        more = inner[verb.end() :].strip()
        return bool(more) and (bool(verb["strong"]) or _names_fact(more) or bool(_AT_HERE.search(more)))
    return bool(_ENDS_IN_VERB.fullmatch(inner)) or (_names_draft(inner) and len(inner.split()) <= 3)


def _names_fact(phrase: str) -> bool:
    return has_field(_AT_HERE.sub(" ", phrase)) or _names_draft(phrase)


def _names_draft(phrase: str) -> bool:
    return any(word.strip(".,:;!?").casefold() in _DRAFT_WORDS for word in phrase.split())


_DECORATED = r"[ \t]*(?:[-=*_#~>+•–—\[(«\"“]{1,12}[ \t]*){1,3}"
_END = r"[ \t]*(?:[-=*_#~:：.)\]»\"”–—]{0,12}[ \t]*){1,3}"
_KIND = (
    r"(?:a/b[ -]?test[ :]{1,3}|here(?: is|'s|’s) |voici (?:la )?|hier ist )?"
    r"(?:(?P<sure>variant|variante?n?|variação|variación|versione|version|versi[óo]n|vers[ãa]o|fassung|draft|entwurf|"
    r"brouillon|borrador|bozza|rascunho|concept|versie|wersja|wariant|вариант|версия|versión|バージョン|版本|方案)|"
    r"(?P<mail>(?:e-?mail|mail|message|nachricht|mensaje|messaggio|follow[- ]?up|touch|"
    r"linkedin(?: message| note)?|subject(?: line)?|betreff(?:zeile)?|objet|asunto|oggetto|"
    r"assunto|onderwerp|temat|тема|件名|主题))|"
    r"(?P<choice>option|alternative|opci[óo]n|opzione|op[çc][ãa]o|optie|opcja|案))"
)
_NUMBER = r"(?:n[°o]\.?[ ]?|#)?(?:\d{1,2}|[a-dA-D]|one|two|three|i{1,3}|eins|zwei|un|deux|uno|dos)"
_ADJECTIVE = (
    r"(?:short|long|longer|shorter|formal|casual|friendly|kurz|lang|kurze|lange|courte|longue|"
    r"corta|larga|breve|lunga)"
)
_NAMED = Lazy(
    rf"(?im)^(?P<before>{_DECORATED})?{_KIND}[ \t]?{_NUMBER}(?!\w)"
    rf"(?P<note>[ \t]{{0,2}}\([^()\n]{{1,40}}\))?(?P<after>{_END})$"
)
_ADJECTIVES = Lazy(
    rf"(?im)^(?:{_DECORATED})?(?:{_ADJECTIVE}[ \t](?:version|variant|versi[óo]n|fassung|versione)|"
    rf"(?:version|variante|versi[óo]n|versione|vers[ãa]o)[ \t]{_ADJECTIVE}|"
    rf"kurzfassung|langfassung|kurzversion|langversion)"
    rf"{_END}$",
    needs=("version", "variant", "versión", "fassung", "versão"),
)
_VERSION = Lazy(r"(?im)^[ \t*_#=-]{0,12}v[1-9][ \t]*[:.)–—*_=-]{1,8}[ \t]*$")
_SUBJECTS = Lazy(
    r"(?im)^[ \t>*_#-]{0,8}(?:subject(?: line)?|betreff(?:zeile)?|objet|asunto|oggetto|assunto|"
    rf"onderwerp|temat|тема|件名|主题)[ \t]?(?:option[ \t])?{_NUMBER}[ \t*_]{{0,4}}[:：.)–—-]",
    needs=(
        "subject",
        "betreff",
        "objet",
        "asunto",
        "oggetto",
        "assunto",
        "onderwerp",
        "temat",
        "тема",
        "件名",
        "主题",
    ),
)
_PREFIX = Lazy(
    rf"(?i)^[ \t\[(*]{{0,4}}(?:variant|variante|version|draft|entwurf|brouillon)[ \t]?{_NUMBER}"
    rf"[ \t\])*]{{0,4}}[:：|–—-]"
)


def headings(view: View, *, is_subject: bool) -> Iterator[Instruction]:
    """Return the headings above the versions of a text; an undecorated "Option A:" may be said to the reader."""
    for match in islice(view.find(_NAMED), _MOST):
        is_heading = bool(match["after"].strip() or match["before"]) or bool(match["sure"])
        is_decorated = bool(re.search(r"[-=*_#~\[«]", (match["before"] or "").strip(" \t-") + match["after"])) or (
            "--" in (match["before"] or "")
        )
        if match["sure"] or is_decorated or (match["mail"] and is_heading):
            yield Instruction(*match.span())
    for pattern in (_ADJECTIVES, _VERSION, _SUBJECTS):
        yield from (Instruction(*match.span()) for match in view.find(pattern))
    if is_subject:
        yield from (Instruction(*match.span()) for match in view.find(_PREFIX))
