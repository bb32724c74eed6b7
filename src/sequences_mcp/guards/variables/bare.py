"""The name of a variable without its braces."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

# firstname and lastname are words a sentence may contain; the other seven are not.
_NAMES = Lazy(
    r"(?<![\w{@./-])(?:candidate(?:JobTitle|CompanyName|Location)|sourcing(?:JobTitle|Location)|"
    r"recruiter(?:First|Last)name)(?![\w}(=/-])",
    needs=("candidate", "sourcing", "recruiter"),
)


def check(text: Text) -> Iterator[Hit]:
    """Return every bare name, with the token as the fix."""
    for view in text.views:
        for match in view.find(_NAMES):
            yield Hit(*view.span(*match.span()), fix=f"{{{{{match[0]}}}}}")


RULE = Rule(
    id="variables.bare",
    severity=Severity.ERROR,
    message="This is the name of a variable without its braces.",
    accept=("as {{candidateJobTitle}}", "a candidate's job title"),
    reject=("as candidateJobTitle at candidateCompanyName",),
    source="ours",
    check=check,
)
