"""A host, a path or an address that is only ever an example: example.com, /your-link, prenom.nom@."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

# Matched in small letters, from the part that decides: what stands before it on the host is looked at afterwards.
_EXAMPLE = Lazy(r"example(?:\.(?:com|org|net|edu))?(?![\w-]|\.\w)", needs=("example",))
_OTHERS = Lazy(
    r"(?:(?:your|my|votre|ihre?|tu)-?(?:company|domain|site|website|link|entreprise|domaine|firma|empresa)\.[a-z]{2,20}|"
    r"localhost(?=[:/])|link\.here|(?<=@)(?:company|domain|entreprise|firma|empresa|azienda|unternehmen)\.[a-z]{2,3}|"
    r"(?<=www\.)(?:company|domain|yourdomain|entreprise|empresa)\.com)(?![\w-]|\.\w)",
    needs=(
        *("localhost", "company.", "domain.", "site.", "link.", "entreprise.", "domaine.", "firma.", "empresa."),
        *("azienda.", "unternehmen."),
    ),
)
# Read from the right to the left, from there: the label of ".example", "www." and the scheme.
_LABEL = Lazy(r"\.[\w-]{1,60}(?:\.www)?(?://:s?ptth)?(?![\w.@-])")
_NO_LABEL = Lazy(r"(?:\.www)?(?://:s?ptth)?(?![\w.@-])")
_LONGEST = 80
_BARE = Lazy(r"https?://(?=[\s)\]>,;]|$)", needs=("://",))
_PERSONAL = Lazy(
    r"(?i)(?<=[/=])(?:your|votre|my|ihr)[-_]?(?:name|link|company|handle|username|calendar|page|id|lien|nom|profile|booking|meeting|event)(?![\w-])|"
    r"(?<![\w.])(?:prenom\.nom|first(?:name)?\.last(?:name)?|vorname\.nachname|nombre\.apellido|your\.?name)@",
    needs=(
        *("/your", "=your", "/votre", "=votre", "/my", "=my", "/ihr", "=ihr"),
        *(".nom@", ".last", ".nachname", ".apellido", "name@"),
    ),
)


def check(text: Text) -> Iterator[Hit]:
    """Return every such host, path and address."""
    for view in text.views:
        for pattern in (_EXAMPLE, _OTHERS):
            if view.may_have(pattern):
                for start, end in _hosts(pattern, view.lower if len(view.lower) == len(view.text) else view.text):
                    yield Hit(*view.span(start, end))
    yield from text.hits(_BARE)
    yield from text.hits(_PERSONAL)


def _hosts(pattern: Lazy, text: str) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(text):
        start = match.start()
        if text[start - 1 : start] == "@":
            yield match.span()
        else:
            before = _LABEL if match[0] == "example" else _NO_LABEL
            if found := before.match(text[max(0, start - _LONGEST) : start][::-1]):
                yield start - found.end(), match.end()


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
