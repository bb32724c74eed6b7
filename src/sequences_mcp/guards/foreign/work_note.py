"""A note about the work on a text: TODO:, FIXME, TBD, "note to self"."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

# A colon, parenthesis or dash is asked for because "TODO" is a word of Spanish and Portuguese.
_NOTE = Lazy(
    r"(?<!\w)(?:TODO|Todo|TO DO|[AÀ] FAIRE)(?:\s?[:(：]|\s[-–—]\s)|(?<!\w)FIXME(?!\w)|"
    r"(?m:^)\W{0,8}TODO\W{0,8}(?m:$)",
    needs=("todo", "to do", "faire", "fixme"),
)
_ASIDE = Lazy(
    r"(?i)\bnote to self\b|\blorem ipsum\b|\b(?:internal|private) note\s?:|"
    r"(?m:^)[^\w\n]{0,8}(?:note|nb|reminder|remember|replace|check|don['’]t forget)\b[^\n]{0,80}"
    r"\bbefore (?:sending|you send)[^\w\n]{0,4}(?m:$)|"
    r"(?m:^)[^\w\n]{0,8}(?:do not send|ne pas envoyer|nicht (?:ab)?senden|no enviar)[^\w\n]{0,8}(?m:$)",
    needs=("note", "sending", "send", "envoyer", "enviar", "lorem"),
)
_DOUBT = Lazy(
    r"(?<![\w/])(?:TBD|TBC|TBA|XXX)(?![\w/])|(?m:^)[^\w\n]{0,8}[Tt]o[ -][Dd]o: |(?<=: )TK(?=[^\w\n]*(?m:$))",
    needs=("tbd", "tbc", "tba", "xxx", "to do:", "to-do:", ": tk"),
)


def check(text: Text) -> Iterator[Hit]:
    """Return every note; TBD may be said to a reader on purpose."""
    yield from text.hits(_NOTE)
    yield from text.hits(_ASIDE)
    for hit in text.hits(_DOUBT):
        yield hit._replace(severity=Severity.WARNING)


RULE = Rule(
    id="foreign.work_note",
    severity=Severity.ERROR,
    message="This is a note about work still to be done on the text.",
    accept=("Size XXL, XXe siècle", "TODO el equipo"),
    reject=("TODO: add a hook. Hi {{firstname}},", "FIXME", "Note to self: check", "salary TBD"),
    source="ours",
    check=check,
)
