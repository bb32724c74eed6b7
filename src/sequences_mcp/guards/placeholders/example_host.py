"""A link to a host that is only ever an example (RFC 2606)."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_HOST = Lazy(
    r"(?<![\w.@-])(?:https?://)?(?:www\.)?(?:example\.(?:com|org|net|edu)|[\w-]+\.example\b|(?:your|my)-?(?:company|domain|site|website|link)"
    r"\.[a-z]{2,}|votre-?(?:site|entreprise|domaine)\.[a-z]{2,}|localhost(?=[:/]))",
    2,
)


def check(text: Text) -> Iterator[Hit]:
    """Return every such host."""
    return text.hits(_HOST)


RULE = Rule(
    id="placeholders.example_host",
    severity=Severity.WARNING,
    message="This address is an example: was the real one forgotten?",
    accept=("https://acme.com/jobs",),
    reject=("https://example.com", "[the job](https://www.example.org/your-link)"),
    source="RFC 2606, section 3",
    check=check,
)
