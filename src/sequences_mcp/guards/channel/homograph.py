"""A host in a link or an address whose letters look like another's: pаypal.com with a Cyrillic a."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards import homographs
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_ASCII = frozenset(map(chr, range(128)))


def check(text: Text) -> Iterator[Hit]:
    """Return every such host with its name on the wire; one in a single script may be what it is."""
    if not any(map(str.isalpha, text.raw.letters - _ASCII)) and "xn--" not in text.raw.lower:
        return
    for found in homographs.find(text.original):
        why = (
            "mixes letters of several scripts" if found.is_mixed else "is written in letters that look like others"
        )
        message = f"This host {why}: on the wire it is {found.wire}."
        if found.wire is None:
            message = f"What stands before the @ of this address {why}."
        yield Hit(found.start, found.end, message=message, severity=None if found.is_mixed else Severity.WARNING)


RULE = Rule(
    id="channel.homograph",
    severity=Severity.ERROR,
    message="This host is not the one it looks like.",
    accept=(
        "https://müller.example",
        "https://例え.jp/路",
        "почта.рф и яндекс.рф",
        "https://www.société.fr",
        "Node.js",
        "иван.петров@почта.рф",
        "jörg@müller.example",
    ),
    reject=(
        "https://pаypal.com/x",
        "maria@gоogle.com",
        "zоe@globex.example",
        "see www.аррӏе.com",
        "https://xn--80ak6aa92e.com",
    ),
    source="Unicode TR 36, 2; TR 39, 5",
    check=check,
)
