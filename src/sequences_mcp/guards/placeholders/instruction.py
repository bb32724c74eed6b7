"""An instruction to whoever fills in the text, or a field word, in parentheses."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_name, words_of

_INSTRUCTION = Lazy(
    r"(?i)[(（](?:\s?(?:insert|add|fill (?:in|out)|enter|put|replace|specify|personali[sz]e|customi[sz]e|mention|"
    r"ins[ée]rer|ajouter|(?:à )?compl[ée]ter|remplir|remplacer|personnaliser|mentionner|"
    r"einf[üu]gen|erg[äa]nzen|ausf[üu]llen|insertar|a[ñn]adir|completar|rellenar|inserire|aggiungere|completare|"
    r"inserir|adicionar|preencher|invullen|toevoegen|wstaw|uzupełnij|вставить|добавить|указать)"
    r"(?=[\s)）:])[^()（）\n]{0,80}[)）]|"
    r"[^()（）\n]{0,40}(?:einf[üu]gen|erg[äa]nzen|ausf[üu]llen|invullen|を記入|を入力|を挿入|请填写|填写)[)）])",
    needs=("(", "（"),
)
_PARENTHESES = Lazy(r"\((?<![\w.].)([^()\n]{2,40})\)", needs=("(",))


def check(text: Text) -> Iterator[Hit]:
    """Return every instruction, and every name in parentheses that stands for one; one word may be meant."""
    yield from text.hits(_INSTRUCTION)
    for view in text.views:
        for match in view.find(_PARENTHESES):
            if is_name(match[1]):
                is_word = len(words_of(match[1])) == 1
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_word else None)


RULE = Rule(
    id="placeholders.instruction",
    severity=Severity.ERROR,
    message="This tells somebody to fill something in: do it, or drop it.",
    accept=("a permanent job (full time)", "B2B SaaS (Series A)", "add(x)"),
    reject=("(insert company name) is hiring.", "(insérer le nom de l’entreprise) recrute.", "at (company name)"),
    source="ours",
    check=check,
)
