"""A link that leads nowhere: an empty or dead target, or a word where the address is due."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.squares import Meaning, squares
from sequences_mcp.guards.text import Text

_DEAD = r"\s{0,8}(?:#?\s?(?:url|link|lien|enlace|href|your[-_ ]?(?:link|url)|tbd|todo|x{3,9}|\.\.\.|…)?)\s{0,8}"
_ATTRIBUTE = Lazy(
    rf"(?i)(?<=[\s\"'])(?:href|src)\s?=\s?(?:\"{_DEAD}\"|'{_DEAD}'|(?=>))|<a\s*>", needs=("href", "src", "<a")
)


def check(text: Text) -> Iterator[Hit]:
    """Return every link without a real target."""
    for square in squares(text, Meaning.DEAD_LINK):
        yield Hit(*square.span)
    yield from text.hits(_ATTRIBUTE)


RULE = Rule(
    id="placeholders.link",
    severity=Severity.ERROR,
    message="This link has no address: put the real one, or drop the link.",
    accept=("[the job](https://acme.com/jobs/42)", '<a href="https://acme.com">Acme</a>'),
    reject=("[the job](URL)", "[the job](#)", '<a href="">the job</a>', "<a href='#'>the job</a>"),
    source="ours",
    check=check,
    signs=frozenset("[［<="),
)
