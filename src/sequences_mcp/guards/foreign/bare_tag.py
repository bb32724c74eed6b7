"""A merge tag without its marks: FIRSTNAME, First_Name."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field

_CAPITALS = Lazy(
    r"(?<![\w{<\[%$*#@-])(?:(?:FIRST|LAST|FULL|COMPANY)_?NAME|JOB_?TITLE|[FL]NAME|(?:First|Last|Full|Company)_Name|"
    r"Job_Title|PR[EÉ]NOM|VORNAME|NACHNAME|VOORNAAM|APELLIDOS?)(?![\w}>\]%$*#-])",
    needs=("name", "job_title", "jobtitle", "prenom", "prénom", "voornaam", "apellido"),
)
_GREETED = Lazy(
    r"[\"'“(*_~]{0,2}(?:[A-Za-z]{2,20}(?:_[A-Za-z]{1,20}){1,3}|[A-Z]{3,20}|(?i:first|last|full|company)[Nn]ame)(?!\w)"
)


def check(text: Text) -> Iterator[Hit]:
    """Return every bare tag; away from a greeting it may name a column and is in doubt."""
    for view in text.views:
        for match in view.find_greeted(_GREETED):
            if is_field(match[0]):
                yield Hit(*view.span(*match.span()))
    for hit in text.hits(_CAPITALS):
        yield hit._replace(severity=Severity.WARNING)


RULE = Rule(
    id="foreign.bare_tag",
    severity=Severity.ERROR,
    message="This is the name of a merge tag, not the name of a person.",
    accept=("user_name and first_name_column are columns", "Bonjour JEAN,"),
    reject=("Bonjour FIRSTNAME,", "Bonjour First_Name,", "at COMPANY_NAME", "Hi Firstname,"),
    source="ours",
    check=check,
)
