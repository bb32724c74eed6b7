"""Finds what a writer says to another in the middle of a text: notes in parentheses, orders to put something here.

What the words of a note do (order, soften, doubt) is read from ``lexicon/request.txt``, in each language.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.drafts import Instruction, names_draft
from sequences_mcp.guards.fact_names import asking_phrases, orders_fact
from sequences_mcp.guards.views import TextView
from sequences_mcp.guards.words import has_field, is_field, is_glue, words_of

_ASIDE = LazyPattern(r"[(（](?<![A-Za-z0-9_.].)(?P<inner>[^()（）\n]{1,80})[)）]", signs="(（")
ORDERS = (
    r"(?:insert|add|fill (?:in|out)|enter|put|replace|specify|personali[sz]e|customi[sz]e|mention|"
    r"ins[ée]rer|ajouter|(?:à )?compl[ée]ter|remplir|remplacer|personnaliser|mentionner|"
    r"einf[üu]gen|erg[äa]nzen|ausf[üu]llen|insertar|a[ñn]adir|completar|rellenar|inserire|aggiungere|completare|"
    r"inserir|adicionar|preencher|invullen|toevoegen|wstaw|uzupełnij|вставить|добавить|указать)"
)
"""The words with which a writer is told to put something into a text, as a part of a pattern."""
# What a template says to its writer; the last kind, "(pick one)", may be asked of the reader too.
_CHOICE = LazyPattern(
    rf"[(\[](?i:(?:note|nb)\s?:\s?{ORDERS}(?!\w)[^()\[\]\n]{{0,60}}|"
    r"(?:delete|strike|remove|keep) (?:as|if|where|when|one|whichever|the one)\b[^()\[\]\n]{0,40}|"
    r"(?P<asked>(?:please |pls |bitte )?(?:(?:pick|choose|select|use) (?:one|1|either)(?: of(?: these)?)?"
    r"(?:\s?[:,][^()\[\]\n]{0,60})?|(?:pick|choose|select|wählen|auswählen|choisir|elegir|"
    r"scegliere)\s?:[^()\[\]\n]{1,60})))[)\]]",
    signs="([",
)
_EITHER = LazyPattern(
    r"(?i)(?<!\w)(?P<what>option|version|variante?) [a1]\s?/\s?(?P=what) [b2](?!\w)",
    needs=(" 1/", " a/", " 1 /", " a /"),
)
# Begins with its signs and looks back from there: the search then skips all other letters.
_REMARK = LazyPattern(rf"//(?<!\S//)[ \t]?(?i:{ORDERS})(?!\w)[^\n]{{0,60}}", needs=("//",))
_ONLY_UNSURE = LazyPattern(
    r"\s*(?:\?{1,3}|not (?:yet )?sure\b.{0,40}|unsure\b.{0,40}|要確認|待确认|待確認|确认|확인 ?필요)\s*"
)
_LINK_TO_COME = LazyPattern(r"(?i)(?:link|lien|enlace|url)\s(?:to|zum|zur|vers|a|al|do|naar|till)\s\S.{0,30}")
_BEFORE_SENDING = LazyPattern(
    r"(?i)before (?:sending|you send)|vor dem (?:versand|senden|absenden|abschicken|verschicken)|"
    r"avant (?:l[’']envoi|d[’']envoyer|envoi)|"
    r"antes de (?:enviar|mandar)|prima (?:di inviare|dell[’']invio|di mandare)|"
    r"v[oó][oó]r (?:het )?(?:verzenden|verzending)|przed wysłaniem|перед (?:отправкой|отправлением|"
    r"надсиланням)|送信前|发送前|발송 ?전",
)
_LONGEST_ASIDE = 8
_FEW = 3
_CLAUSE = LazyPattern(r"[^.,;:!?…。、，！？()（）\n–—|]+")
_MOST_CLAUSES = 200
_PLACED = LazyPattern(
    r"(?i)insert|ins[ée]r|inseri|einf[üu]g|einsetz|invoeg|invul|wstaw|wpisz|встав|infoga|fyll i|indsæt|"
    r"\bekle|vložit|を(?:入れ|入力|記入|挿入|書)|填[写寫入]|输入|輸入|插入|입력|기입|작성|أدخل|أضف|הכנס|डालें|συμπλήρ|εισάγ",
    needs=(
        *("inser", "insér", "einf", "einsetz", "invoeg", "invul", "wstaw", "wpisz", "встав", "infoga"),
        *("fyll i", "indsæt", "ekle", "vložit", "を入", "を記"),
        *("を挿", "を書", "填", "输入", "輸入", "插入", "입력", "기입", "작성", "أدخل", "أضف", "הכנס", "डालें"),
        *("συμπλήρ", "εισάγ"),
    ),
)
# A colon, parenthesis or dash is asked for because "TODO" is a word of Spanish and Portuguese.
_NOTED = LazyPattern(
    r"(?<!\w)(?:TODO|Todo|TO DO|[AÀ] FAIRE)(?:\s?[:(：]|\s[-–—]\s)|(?<!\w)FIXME(?!\w)|"
    r"(?m:^)\W{0,8}TODO\W{0,8}(?m:$)",
    needs=("todo", "to do", "faire", "fixme"),
)
_TO_SELF = LazyPattern(
    r"(?i)\bnote to self\b|\blorem ipsum\b|\b(?:internal|private) note\s?:|"
    r"(?m:^)[^\w\n]{0,8}(?:note|nb|reminder|remember|replace|check|don['’]t forget)\b[^\n]{0,80}"
    r"\bbefore (?:sending|you send)[^\w\n]{0,4}(?m:$)|"
    r"(?m:^)[^\w\n]{0,8}(?:do not send|ne pas envoyer|nicht (?:ab)?senden|no enviar)[^\w\n]{0,8}(?m:$)",
    needs=("note", "sending", "send", "envoyer", "enviar", "lorem"),
)
_MAY_BE_MEANT = LazyPattern(
    r"(?<![\w\"'“«‘])(?i:blah?(?:[ ,-]{1,3}blah?){1,20}|asdf\w{0,10}(?: asdf\w{0,10})?|"
    r"(?:etc\.?,? ?){3,20}|this is (?:just |only )?a test (?:e-?mail|mail|message))(?![\w\"'”»’])|"
    r"(?<![\w/])(?:TBD|TBC|TBA|XXX)(?![\w/])|(?m:^)[^\w\n]{0,8}[Tt]o[ -][Dd]o: |(?<=: )TK(?=[^\w\n]*(?m:$))",
    needs=(*("tbd", "tbc", "tba", "xxx", "to do:", "to-do:", ": tk", "bla", "asdf", "etc", " a test"),),
)
_TO_DO = LazyPattern(
    r"(?i)(?://|/\*|<!--|(?<!\S)#|(?<!\S)--)\s?(?:to-?do|fixme)\b[^\n]{0,60}|"
    r"(?<!\w)(?-i:TODO|TO-DO) (?=(?:add|ask|call|check|confirm|edit|find|fill|fix|get|insert|mention|"
    r"personali|put|replace|"
    r"research|rewrite|send|update|verify|write)\b)[^\n.]{0,60}|"
    r"(?<!\w)(?-i:À COMPLÉTER|A COMPLETER|DA COMPLETARE|A COMPLETAR|NOCH (?:EINFÜGEN|ERGÄNZEN|OFFEN)|"
    r"DO UZUPEŁNIENIA|ДОПИСАТЬ|"
    r"ДОПОВНИТИ|PENDIENTE\s?:|OFFEN\s?:|PENDENTE\s?:)(?!\w)|"
    r"(?<!\w)noch (?:einzufügen|zu ergänzen|auszufüllen|einzusetzen)(?!\w)",
    needs=(*("todo", "to-do", "fixme", "omplét", "omplet", "noch ", "uzupeł", "допис", "допов", "offen", "pend"),),
)
# Begins with a set and looks back from there: the search then skips all other letters.
_UNSENT = LazyPattern(
    r"[DNCREFН](?<!\w.)(?:(?<=D)(?:O NOT SEND|ON[’']T SEND)|(?<=N)(?:ICHT (?:AB|VER)?SENDEN|E PAS ENVOYER|"
    r"O ENVIAR|ON INVIARE|ÃO ENVIAR|IET VERZENDEN|IE WYSYŁAĆ)|(?<=Н)Е ОТПРАВЛЯТЬ|"
    r"(?:(?<=C)HANGE|(?<=R)EPLACE|(?<=E)DIT|(?<=F)ILL) ?(?:ME|THIS))(?!\w)"
)
_DRAFT = LazyPattern(r"(?i)(?<!\w)draft[^\w\n]{0,5}do not send(?!\w)", needs=("not send",))
_COMMENT = LazyPattern(r"/\*(?P<inner>[^*\n]{1,80})\*/", needs=("/*",))
_ASKED_COLLEAGUE = LazyPattern(
    r"(?i)(?<!\S)@[a-z]\w{1,30},? (?:(?:please|pls|can you|could you|bitte) ){0,2}(?:check|verify|"
    r"confirm|review|add|fix|update|"
    r"prüfen|ergänzen|approve)(?!\w)",
    needs=("@",),
)


def notes(view: TextView) -> Iterator[Instruction]:
    """Return every note to a writer; with severity WARNING where it may be meant for the reader."""
    for match in view.find(_ASIDE):
        is_note, severity = _judge(match["inner"])
        if is_note:
            yield Instruction(*match.span(), severity)
    yield from _in_clauses(view)
    for match in view.find(_CHOICE):
        yield Instruction(*match.span(), Severity.WARNING if match["asked"] else None)
    for pattern in (_REMARK, _EITHER):  # code has such remarks too
        yield from (Instruction(*match.span(), Severity.WARNING) for match in view.find(pattern))
    for match in view.find(_COMMENT):
        if names_draft(match["inner"]) or _judge(match["inner"])[0]:
            yield Instruction(*match.span())
    yield from (Instruction(*match.span(), Severity.WARNING) for match in view.find(_ASKED_COLLEAGUE))


def reminders(view: TextView) -> Iterator[Instruction]:
    """Return what a writer reminds somebody of: work to be done, that the text is not to be sent."""
    for pattern in (_NOTED, _TO_SELF, _TO_DO, _UNSENT, _DRAFT, _WARNED):
        yield from (Instruction(*match.span()) for match in view.find(pattern))
    yield from (Instruction(*match.span(), Severity.WARNING) for match in view.find(_MAY_BE_MEANT))


# A line that tells to do something before sending: "P.S. Remember to replace the placeholders before sending."
_WARNED = LazyPattern(
    r"(?im)^[^\w\n]{0,8}(?:(?:p\.?s|n\.?b|note|reminder|important|please|remember|don[’']t forget)\b[^\n]{0,20}?)?"
    r"\b(?:replace|fill (?:in|out)|check|update|adjust|customi[sz]e|personali[sz]e|edit|verify|remove|"
    r"delete|proofread)\b[^\n]{0,80}"
    r"\bbefore (?:sending|you send)[^\w\n]{0,4}$",
    needs=("before sending", "before you send"),
)


@cache
def _words(*kinds: str) -> frozenset[tuple[str, ...]]:
    return frozenset(phrase for kind in kinds for phrase in asking_phrases(kind))


def _judge(inner: str) -> tuple[bool, Severity | None]:
    """Say whether what stands in parentheses is a note to a writer, and how sure that is."""
    if _ONLY_UNSURE.fullmatch(inner) or _LINK_TO_COME.fullmatch(inner):
        return True, Severity.WARNING
    if _BEFORE_SENDING.search(inner) or orders_fact(inner):
        return True, None
    words = words_of(inner)
    if not words or len(words) > _LONGEST_ASIDE:
        return False, None
    left, has_label, is_private = _without_label(words, has_colon=":" in inner or "：" in inner)
    if is_private:
        return True, None
    bare = _without(left, "soft")
    is_told = has_label or len(bare) < len(left)
    if not bare:
        return False, None
    is_short = len(bare) <= (_LONGEST_ASIDE if has_label else _FEW)
    if is_short and _has_order(bare, "strong") and (is_told or bare[0] not in _ALONE_NO_ORDER or len(bare) > 1):
        return True, None
    if is_short and _has_order(bare, "alter") and (has_label or (is_told and words[0] not in _INFINITIVE)):
        return True, None
    if is_short and (is_told or len(bare) == 1 or bare[1] in _WITH or tuple(bare[-1:]) in _words("unsure")):
        return _has_order(bare, "unsure"), Severity.WARNING
    return False, None


def _without_label(words: list[str], *, has_colon: bool) -> tuple[list[str], bool, bool]:
    """Return the words after a label such as "Hinweis:", whether there was one, and whether it says "internal"."""
    for size in (2, 1):
        first = tuple(words[:size])
        if has_colon and first in _words("label", "private"):
            return words[size:], True, first in _words("private")
    return words, False, False


def _without(words: list[str], kind: str) -> list[str]:
    left = words
    while left:
        size = next((size for size in (2, 1) if tuple(left[:size]) in _words(kind)), 0)
        if not size:
            break
        left = left[size:]
    return left


def _has_order(words: list[str], kind: str) -> bool:
    """Say whether words begin or end with one that gives an order."""
    known = _words(kind)
    return any(tuple(part) in known for size in (2, 1) for part in (words[:size], words[-size:]))


# Words that say what something does, "(fill)", unless somebody is asked: "(please fill)".
_ALONE_NO_ORDER = frozenset(["fill", "paste", "complete", "completa", "rellena", "insert"])
# What stands before the infinitive of a verb, which may be a word that is explained: "(to edit)".
_INFINITIVE = frozenset(["to", "a", "à", "da", "do", "por", "zu"])
# "(check with Tom)" is said to a writer, "(check it out)" to the reader.
_WITH = frozenset(["with", "if", "whether", "mit", "ob", "avec", "si", "con", "com", "met", "z", "с"])


def _in_clauses(view: TextView) -> Iterator[Instruction]:
    """Return the clauses that tell somebody to put something here: "hier Aufhänger einfügen"."""
    done = tries = 0
    for match in view.find(_PLACED):
        if match.start() < done:
            continue
        tries += 1
        if tries > _MOST_CLAUSES:
            return
        clause = _clause_around(view.text, match.start())
        done = clause[1]
        words = view.text[slice(*clause)]
        if len(words) <= _LONGEST_CLAUSE:
            is_order, severity = _judge_clause(words)
            if is_order:
                yield Instruction(*clause, severity)


_LONGEST_CLAUSE = 60
_EAST_ASIAN = LazyPattern("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_ENDS = LazyPattern(r"[.,;:!?…。、，！？()（）\n–—|]")


def _clause_around(text: str, place: int) -> tuple[int, int]:
    start = max(0, place - _LONGEST_CLAUSE)
    last = 0
    for end in _ENDS.finditer(text[start:place]):
        last = end.end()
    following = _ENDS.search(text, place, min(len(text), place + _LONGEST_CLAUSE + 2))
    start += last
    return start, following.start() if following else min(len(text), place + _LONGEST_CLAUSE + 2)


def _judge_clause(clause: str) -> tuple[bool, Severity | None]:
    if not clause.isascii() and _EAST_ASIAN.search(clause) and orders_fact(clause.strip()):
        return True, None
    words = words_of(clause)
    if len(words) > 6 or not any((word,) in _words("here") for word in words):
        return False, None
    if orders_fact(clause):
        return True, None
    if not _has_order([word for word in words if (word,) not in _words("here", "soft")], "strong"):
        return False, None
    rest = [
        word
        for word in words
        if (word,) not in _words("here", "soft", "strong", "weak", "your") and not is_glue(word)
    ]
    if rest and len(rest) <= 2:
        phrase = " ".join(rest)
        is_piece = is_field(phrase) or names_draft(clause) or has_field(phrase)
        return True, None if is_piece and _is_shouted(clause) else Severity.WARNING
    return False, None


def _is_shouted(clause: str) -> bool:
    return clause.upper() == clause or names_draft(clause)
