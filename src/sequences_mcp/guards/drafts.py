"""What a draft leaves for whoever finishes it: instructions in marks or capitals, headings above its versions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.lines import Line
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import has_field, has_glue, is_field, is_name, lines, words_of

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
_LINE_VERBS = (
    *("insert", "add", "put", "enter", "paste", "mention", "personali", "customi", "insér", "inser", "ajoute"),
    *("añadir", "anadir", "aggiungere", "adicionar", "wstaw", "встав"),
)
_LONGEST_LINE = 100
_ENDS_HERE = Lazy(rf"(?i)\b{_HERE}\W*$")
_MARKS = r"*_~=#|^/+<>.…-"
_MARK = Lazy(rf"([{_MARKS}])(?<![\w{_MARKS}].)\1{{0,5}}[ \t]{{0,3}}(?P<word>[^\W\d_]+)")
_MARKED = Lazy(
    r"(?P<mark>\*{1,3}|_{1,3}|~{1,3}|={1,6}|-{1,6}|#{1,4}|\|{1,2}|\^{1,2}|/{1,2}|\+{1,3}|>{2,4}|<{2,4}|\.{3}|…)"
    r"[ \t]{0,3}(?P<inner>[^\W\d_][^\n*_~=#|^+<>\"“”]{1,90}?)[ \t]{0,3}"
    r"(?:\*{1,3}|_{1,3}|~{1,3}|={1,6}|-{1,6}|#{1,4}|\|{1,2}|\^{1,2}|/{1,2}|\+{1,3}|>{2,4}|<{2,4}|\.{3}|…)(?!\w)"
)
_EMPHASISED = Lazy(r"(?<![\w*_])([*_]{1,3})(?P<inner>[^\W\d_][^\n*_]{1,60}?)\1(?!\w)", needs=("*", "_"))
# Begins with a set and looks back from there: the search then skips all other letters.
_CAPITALS = Lazy(
    r"[IPFCAEY](?<!\w.)(?:"
    r"(?:(?<=I)NSERT|(?<=P)ASTE|(?<=F)ILL IN|(?<=P)ERSONALI[SZ]E|(?<=C)USTOMI[SZ]E|(?P<weak>(?<=A)DD|"
    r"(?<=P)UT|(?<=E)NTER))"
    r"(?P<what>(?: [A-Z'’]{1,20}){1,6})(?!\w)|"
    r"(?<=Y)OUR (?:FULL |FIRST |LAST |OWN )?(?:NAME|COMPANY|TEXT|TITLE|JOB TITLE|ROLE|MESSAGE|LINK|SIGNATURE)"
    r"(?: NAME)?(?: HERE)?(?!\w))"
)
_GOES_HERE = Lazy(
    r"(?i)(?<!\w)(?:your |the )?(?:text|first name|last name|company name|job title|message|signature|hook|"
    r"link|name) (?:goes )?here(?=\W*$|\W*\n|[\"”'\])*_,.])|\b[a-z]{2,20}(?:_[a-z]{2,20}){1,3}_"
    r"(?:here|placeholder)\b",
    needs=(
        *("text here", "name here", "title here", "message here", "signature here", "hook here", "link here"),
        *("goes here", "_here", "placeholder"),
    ),
)
_QUOTED = Lazy(r"[\"'“‘](?<!\w.)(?P<inner>[^\W\d_][\w ]{2,30})[\"'”’](?!\w)", signs="\"'“‘")
_DUE = Lazy(r"(?i)(?<!\w)(?:at|for|from|with|to|of|as|chez|bei|von|für|en|de|di|da|presso)[ \t]$")
_CROSSED = Lazy(
    r"(?<!\w)(?P<x>[xX]{2,4})[ \t]{0,2}(?P<inner>[^\W\d_][\w ]{1,40}?)[ \t]{0,2}(?P=x)(?!\w)", needs=("xx",)
)
_TRIES = 2_000
"""How many marks that begin no instruction are looked at to their end, which no honest text has."""


class Instruction(NamedTuple):
    """A place where somebody is told to fill something in, and whether that is sure."""

    start: int
    end: int
    severity: Severity | None = None


def instructions(view: View) -> Iterator[Instruction]:
    """Return the instructions of a view: in marks, in capitals, or alone on their line."""
    yield from _in_marks(view)
    for match in view.find(_EMPHASISED):
        if is_field(match["inner"]):
            is_word = len(words_of(match["inner"])) == 1
            if not is_word or is_name(match["inner"]):
                yield Instruction(*match.span(), Severity.WARNING if is_word else None)
    for line in view.lines:
        if line.start_of_bare.startswith(_LINE_VERBS) and _is_told_here(line.bare):
            yield Instruction(line.start, line.end)
    for match in _CAPITALS.finditer(view.text):
        if match["weak"] is None or "HERE" in match[0] or has_field(match["what"]):
            yield Instruction(*match.span())
    for match in view.find(_GOES_HERE):
        yield Instruction(*match.span())
    for match in view.find(_CROSSED):
        if is_field(match["inner"]):
            yield Instruction(*match.span())
    for match in view.find(_QUOTED):
        is_told = is_name(match["inner"]) and not has_glue(match["inner"])
        before = view.text[max(0, match.start() - 12) : match.start()]
        if is_told and (len(words_of(match["inner"])) > 1 or _DUE.search(before)):
            yield Instruction(*match.span(), Severity.WARNING)
    for greeting in view.greetings if view.signs_any("*_") else ():
        greeted = _EMPHASISED.match(view.text, greeting)
        if greeted and is_field(greeted["inner"]):
            yield Instruction(*greeted.span())


def _in_marks(view: View) -> Iterator[Instruction]:
    tries = done = 0
    openings = _MARK.finditer(view.text) if view.signs_any(_MARKS) else iter(())
    for opening in openings:
        if opening.start() < done:
            continue
        if opening["word"].lower() not in _openers():
            tries += 1
            if tries > _TRIES or not _has_piece(view):
                continue
        match = _MARKED.match(view.text, opening.start())
        is_blank = match and match["mark"] in ("...", "…") and _VERB.fullmatch(match["inner"])
        if match and (_tells(match["inner"]) or (is_blank and is_blank["strong"])):
            done = match.end()
            yield Instruction(*match.span())


@lru_cache(maxsize=8)
def _has_piece(view: View) -> bool:
    """Say whether a view has anything of an instruction that does not begin with its verb."""
    return any(piece in view.lower for kind in ("piece", "word") for piece in words_for(kind))


@cache
def _openers() -> frozenset[str]:
    return words_for("verb") | words_for("word")


def _is_told_here(line: str) -> bool:
    """Say whether a line is "add link here": a verb, what is missing, and where."""
    if len(line) > _LONGEST_LINE or len(line.split()) > 8 or not _ENDS_HERE.search(line):
        return False
    verb = _LINE_VERB.match(line)
    return bool(verb and _names_fact(line[verb.end() :]))


def _tells(inner: str) -> bool:
    if verb := _VERB.match(inner):
        more = inner[verb.end() :].strip()
        return bool(more) and (bool(verb["strong"]) or _names_fact(more) or bool(_AT_HERE.search(more)))
    return bool(_ENDS_IN_VERB.fullmatch(inner)) or (names_draft(inner) and len(inner.split()) <= 3)


def _names_fact(phrase: str) -> bool:
    return has_field(_AT_HERE.sub(" ", phrase)) or names_draft(phrase)


def names_draft(phrase: str) -> bool:
    """Say whether a piece still to be written is named in a phrase."""
    return any(word.strip(".,:;!?").casefold() in words_for("word") for word in phrase.split())


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
_SIGN = Lazy(r"[-=*_#~\[«]")
_NUMBER = r"(?:n[°o]\.?[ ]?|#)?(?:\d{1,2}|[a-dA-D]|one|two|three|i{1,3}|eins|zwei|un|deux|uno|dos)"
_ADJECTIVE = (
    r"(?:short|long|longer|shorter|formal|casual|friendly|kurz|lang|kurze|lange|courte|longue|"
    r"corta|larga|breve|lunga)"
)
_NAMED = Lazy(
    rf"(?im)^(?P<before>{_DECORATED})?{_KIND}[ \t]?{_NUMBER}(?!\w)"
    rf"(?P<note>[ \t]{{0,2}}\([^()\n]{{1,40}}\))?(?P<after>{_END})\r?$"
)
_ADJECTIVES = Lazy(
    rf"(?im)^(?:{_DECORATED})?(?:{_ADJECTIVE}[ \t](?:version|variant|versi[óo]n|fassung|versione)|"
    rf"(?:version|variante|versi[óo]n|versione|vers[ãa]o)[ \t]{_ADJECTIVE}|"
    rf"kurzfassung|langfassung|kurzversion|langversion)"
    rf"{_END}\r?$"
)
_VERSION = Lazy(r"(?im)^[ \t*_#=-]{0,12}v[1-9][ \t]*[:.)–—*_=-]{1,8}[ \t\r]*$")
_SUBJECTS = Lazy(
    r"(?im)^[ \t>*_#-]{0,8}(?:subject(?: line)?|betreff(?:zeile)?|objet|asunto|oggetto|assunto|"
    rf"onderwerp|temat|тема|件名|主题)[ \t]?(?:option[ \t])?{_NUMBER}[ \t*_]{{0,4}}[:：.)–—-]",
)
_PREFIX = Lazy(
    rf"(?i)^[ \t\[(*]{{0,4}}(?:variant|variante|version|draft|entwurf|brouillon|option|alternative)[ \t]?{_NUMBER}"
    rf"[ \t\])*]{{0,4}}[:：|–—-]"
)


@cache
def words_for(kind: str) -> frozenset[str]:
    """Return the words and phrases of one kind that belong to the work on a draft."""
    return frozenset(
        word.replace("_", " ") for sort, rest in lines("draft") if sort == kind for word in rest.split()
    )


@cache
def _starts() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return how the bare part of any line begins that a pattern of headings can match: first letters, and all."""
    starts = words_for("heading")
    return frozenset(start[0] for start in starts), tuple(starts)


def headings(view: View, *, is_subject: bool) -> Iterator[Instruction]:
    """Return the headings above the versions of a text; an undecorated "Option A:" may be said to the reader."""
    initials, starts = _starts()
    for line in view.lines:
        if line.start_of_bare[0] in initials and line.start_of_bare.startswith(starts):
            yield from _in_line(view.text, line)
    if is_subject:
        yield from (Instruction(*match.span()) for match in view.find(_PREFIX))


def _in_line(text: str, line: Line) -> Iterator[Instruction]:
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
    for pattern in (_ADJECTIVES, _VERSION, _SUBJECTS):
        if match := pattern.match(text, line.at):
            yield Instruction(*match.span())
