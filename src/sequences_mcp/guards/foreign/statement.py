"""A statement of another template language: Jinja, Liquid, ERB, PHP, AMPscript."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_STATEMENT = Lazy(
    r"\{[%#][-+]?|[-+]?[%#]\}|<%[-=#@!]?|-?%>|<\?(?:php|=)?|\?>|%%\[|\]%%|%%=|=%%|\*\|[\w:!. -]{1,60}\|\*|<#(?:if|else|list)|</#|\[%|%\]"
)


def check(text: Text) -> Iterator[Hit]:
    """Return every opening or closing mark of a statement."""
    return text.hits(_STATEMENT)


RULE = Rule(
    id="foreign.statement",
    severity=Severity.ERROR,
    message="This belongs to another template language and would be sent as it stands.",
    accept=("100 % remote, 50%-60%", "C# / F#", "Is x > y?"),
    reject=("{% if x %}", "<%= firstname %>", "*|FNAME|* – quick question", "%%=v(@name)=%%"),
    source="ours",
    check=check,
)
