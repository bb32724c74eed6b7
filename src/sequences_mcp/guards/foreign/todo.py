"""A work note: TODO:, FIXME, TBD."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

# A colon, parenthesis or dash is asked for because "TODO" is a word of Spanish and Portuguese.
_NOTE = Lazy(r"(?<!\w)(?:TODO|Todo|TO DO|[AÀ] FAIRE)(?:\s?[:(：]|\s[-–—]\s)|(?<!\w)FIXME(?!\w)")
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
    reject=("TODO: add a hook. Hi {{firstname}},", "FIXME", "salary TBD"),
    source="ours",
    check=check,
)
