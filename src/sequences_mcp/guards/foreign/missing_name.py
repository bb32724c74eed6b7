"""A greeting whose name came out empty: "Hi ,"."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.greetings import GREETING
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_NAMELESS = Lazy(
    rf"^[ \t]*(?i:{GREETING})[ \t]*[,，،](?=\s|$)|^[ \t]*(?i:dear|estimad[oa]|prezad[oa]|gentile|geachte)[,:]|^(?:様|さん|님)(?=[\s、,])",
    8,
)


def check(text: Text) -> Iterator[Hit]:
    """Return every greeting with a gap before its comma."""
    return text.hits(_NAMELESS)


RULE = Rule(
    id="foreign.missing_name",
    severity=Severity.ERROR,
    message="The name is missing from this greeting.",
    accept=("Hello,", "Bonjour !", "Hi {{firstname}},"),
    reject=("Hi ,", "Bonjour  ,\nje vous écris", "Dear,"),
    source="ours",
    check=check,
)
