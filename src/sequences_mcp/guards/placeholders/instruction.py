"""An instruction to whoever fills in the text, in parentheses."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_INSTRUCTION = Lazy(
    r"[(（]\s?(?:insert|add|fill in|fill out|enter|put|replace|specify|personali[sz]e|customi[sz]e|your (?:first |last )?name|"
    r"company name|job title|ins[ée]rer|ajouter|compl[ée]ter|[àa] compl[ée]ter|remplir|remplacer|pr[ée]ciser|personnaliser|"
    r"nom de l[’']entreprise|einf[üu]gen|erg[äa]nzen|ausf[üu]llen|hier|insertar|a[ñn]adir|completar|rellenar|inserire|"
    r"aggiungere|completare|inserir|adicionar|preencher|invullen|toevoegen|wstaw|uzupe[łl]nij|вставить|добавить)"
    r"(?=[\s)）])[^()（）\n]{0,80}[)）]|[(（][^()（）\n]{0,40}(?:einf[üu]gen|erg[äa]nzen|ausf[üu]llen|invullen|を記入|を入力|を挿入|请填写|填写)[)）]",
    2,
)


def check(text: Text) -> Iterator[Hit]:
    """Return every instruction."""
    return text.hits(_INSTRUCTION)


RULE = Rule(
    id="placeholders.instruction",
    severity=Severity.ERROR,
    message="This tells somebody to fill something in: do it, or drop it.",
    accept=("a permanent job (full time)", "B2B SaaS (Series A)"),
    reject=("(insert company name) is hiring.", "(insérer le nom de l’entreprise) recrute."),
    source="ours",
    check=check,
)
