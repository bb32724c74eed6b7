"""A host, a path or an address that is only ever an example: example.com, /your-link, prenom.nom@."""

from __future__ import annotations

from collections.abc import Iterator

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
_PERSONAL = Lazy(
    r"(?i)(?<=[/=])(?:your|votre|my|ihr)[-_]?(?:name|link|company|handle|username|calendar|page|id|lien|nom)(?![\w-])|"
    r"(?<![\w.])(?:prenom\.nom|first(?:name)?\.last(?:name)?|vorname\.nachname|nombre\.apellido|your\.?name)@",
    needs=(
        "/your",
        "=your",
        "/votre",
        "=votre",
        "/my",
        "=my",
        "/ihr",
        "=ihr",
        ".nom@",
        ".last",
        ".nachname",
        ".apellido",
        "name@",
    ),
)


def check(text: Text) -> Iterator[Hit]:
    """Return every such host, path and address."""
    yield from text.hits(_HOST)
    yield from text.hits(_PERSONAL)


RULE = Rule(
    id="placeholders.example_host",
    severity=Severity.WARNING,
    message="This address is an example: was the real one forgotten?",
    accept=("https://acme.com/jobs", "https://example.company", "my-page"),
    reject=(
        "https://example.com",
        "[the job](https://www.example.org/your-link)",
        "https://yourcompany.com",
        "https://cal.com/your-link",
    ),
    source="RFC 2606, section 3; ours",
    check=check,
)
