"""The name of a variable without its braces."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_NAMES = Lazy(
    r"(?<![\w{@./-])(candidateJobTitle|candidateCompanyName|candidateLocation|sourcingJobTitle|sourcingLocation|"
    r"recruiterFirstname|recruiterLastname)(?![\w}(=/-])"
)


def check(text: Text) -> Iterator[Hit]:
    """Return every bare name that no sentence contains by chance."""
    for hit in text.hits(_NAMES):
        yield hit._replace(fix=f"{{{{{text.original[hit.start : hit.end]}}}}}")


RULE = Rule(
    id="variables.bare",
    severity=Severity.ERROR,
    message="This is the name of a variable without its braces.",
    accept=("as {{candidateJobTitle}}", "candidate job title"),
    reject=("as candidateJobTitle at candidateCompanyName",),
    source="ours",
    check=check,
)
