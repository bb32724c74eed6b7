"""A merge tag without its marks: FIRSTNAME, First_Name."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.greetings import greeted
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field

_CAPITALS = Lazy(
    r"(?<![\w{<\[%$*#@-])(?:FIRST_?NAME|LAST_?NAME|FULL_?NAME|COMPANY_?NAME|JOB_?TITLE|FNAME|LNAME|First_Name|Last_Name|Company_Name|"
    r"Job_Title|PR[EÉ]NOM|VORNAME|NACHNAME|VOORNAAM|APELLIDOS?)(?![\w}>\]%$*#-])"
)
_GREETED = greeted(r"[A-Za-z]+_[A-Za-z_]+|[A-Z]{3,}|(?:first|last|full|company)[Nn]ame")


def check(text: Text) -> Iterator[Hit]:
    """Return every bare tag; away from a greeting it may name a column and is in doubt."""
    for view in text.views:
        greeted_at = set()
        for match in _GREETED.finditer(view.text):
            if is_field(match["name"]):
                greeted_at.add(match.start("name"))
                yield Hit(*view.span(*match.span("name")))
        for match in _CAPITALS.finditer(view.text):
            if match.start() not in greeted_at:
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING)


RULE = Rule(
    id="foreign.bare_tag",
    severity=Severity.ERROR,
    message="This is the name of a merge tag, not the name of a person.",
    accept=("user_name and first_name_column are columns", "Bonjour Jean,"),
    reject=("Bonjour FIRSTNAME,", "Bonjour First_Name,", "at COMPANY_NAME"),
    source="ours",
    check=check,
)
