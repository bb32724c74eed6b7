"""An instruction to whoever fills in the text, or a field word, in parentheses."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.drafts import instructions, names_draft, words_for
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_name, words_of

_VERB = (
    r"(?:insert|add|fill (?:in|out)|enter|put|replace|specify|personali[sz]e|customi[sz]e|mention|"
    r"ins[ée]rer|ajouter|(?:à )?compl[ée]ter|remplir|remplacer|personnaliser|mentionner|"
    r"einf[üu]gen|erg[äa]nzen|ausf[üu]llen|insertar|a[ñn]adir|completar|rellenar|inserire|aggiungere|completare|"
    r"inserir|adicionar|preencher|invullen|toevoegen|wstaw|uzupełnij|вставить|добавить|указать)"
)
_LAST_VERB = r"(?:einf[üu]gen|erg[äa]nzen|ausf[üu]llen|invullen|を記入|を入力|を挿入|请填写|填写)"
_INSTRUCTION = Lazy(
    rf"(?i)[(（](?:\s?{_VERB}(?=[\s)）:])[^()（）\n]{{0,80}}[)）]|[^()（）\n]{{0,40}}{_LAST_VERB}[)）])",
    needs=("(", "（"),
)
_WHOLE = Lazy(rf"(?i)\W{{0,4}}(?:{_VERB}(?!\w).{{0,100}}|.{{0,60}}{_LAST_VERB}\W{{0,4}})")
_PARENTHESES = Lazy(r"\((?<![\w.].)([^()\n]{2,40})\)", needs=("(",))

_PIECES = frozenset(
    {"link", "url", "lien", "enlace", "date", "time", "amount", "number", "city", "datum", "fecha", "data"}
)


def is_instruction(phrase: str) -> bool:
    """Say whether a phrase, the brackets around it taken off, tells somebody to fill something in."""
    return _WHOLE.fullmatch(phrase) is not None


def is_unwritten(phrase: str) -> bool:
    """Say whether a whole value tells somebody to write it, or is what a piece of a draft is called."""
    bare = phrase.strip(" \t\n.:!*_()").casefold()
    return bare in words_for("part") or (len(bare) <= 40 and is_instruction(bare) and names_draft(bare))


def check(text: Text) -> Iterator[Hit]:
    """Return every instruction, and every name in parentheses that stands for one; one word may be meant."""
    yield from text.hits(_INSTRUCTION)
    for view in text.views:
        for found in instructions(view):
            yield Hit(*view.span(found.start, found.end), severity=found.severity)
        for match in view.find(_PARENTHESES):
            is_piece = len(match[1].split()) < 3 and (names_draft(match[1]) or match[1].lower() in _PIECES)
            if is_piece or is_name(match[1]):
                is_word = is_piece or len(words_of(match[1])) == 1
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_word else None)


RULE = Rule(
    id="placeholders.instruction",
    severity=Severity.ERROR,
    message="This tells somebody to fill something in: do it, or drop it.",
    accept=("a permanent job (full time)", "B2B SaaS (Series A)", "add(x)"),
    reject=(
        "(insert company name) is hiring.",
        "(insérer le nom de l’entreprise) recrute.",
        "at (company name)",
        "*insert hook here*",
        "INSERT HOOK HERE",
    ),
    source="ours",
    check=check,
)
