"""A work note: TODO:, FIXME, XXXX, TBD."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_NOTE = Lazy(
    r"(?<!\w)(?:TODO|Todo|TO DO|A FAIRE|À FAIRE)\s?(?:[:(：]|-\s)|(?<!\w)FIXME(?!\w)|(?<!\w)X{4,}(?!\w)|(?<!\w)XX(?=\s?(?:k?[€$£]|%|ans\b|years\b|Jahre\b|años\b))"
)
_DOUBT = Lazy(r"(?<![\w/])(?:TBD|TBC|TBA|XXX)(?![\w/])")


def check(text: Text) -> Iterator[Hit]:
    """Return every note; TBD may be said to a reader on purpose."""
    yield from text.hits(_NOTE)
    for hit in text.hits(_DOUBT):
        yield hit._replace(severity=Severity.WARNING)


RULE = Rule(
    id="foreign.todo",
    severity=Severity.ERROR,
    message="This is a note about work still to be done on the text.",
    accept=("Size XXL, XXe siècle", "TODO el equipo"),
    reject=("TODO: add a hook. Hi {{firstname}},", "XX years of experience", "salary XXXX"),
    source="ours",
    check=check,
)
