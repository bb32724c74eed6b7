"""A link to a host that is only ever an example."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_HOST = Lazy(
    r"(?i)(?<![\w.@-])(?:https?://)?(?:www\.)?(?:example\.(?:com|org|net|edu)|[\w-]{1,60}\.example|"
    r"(?:your|my|votre|ihre?|tu)-?(?:company|domain|site|website|link|entreprise|domaine|firma|empresa)\.[a-z]{2,20}|"
    r"localhost(?=[:/]))(?![\w.-]*\w)",
    needs=(
        "example",
        "localhost",
        "company.",
        "domain.",
        "site.",
        "link.",
        "entreprise.",
        "domaine.",
        "firma.",
        "empresa.",
    ),
)


def check(text: Text) -> Iterable[Hit]:
    """Return every such host."""
    return text.hits(_HOST)


RULE = Rule(
    id="placeholders.example_host",
    severity=Severity.WARNING,
    message="This address is an example: was the real one forgotten?",
    accept=("https://acme.com/jobs", "https://example.company"),
    reject=("https://example.com", "[the job](https://www.example.org/your-link)", "https://yourcompany.com"),
    source="RFC 2606, section 3",
    check=check,
)
