"""A link whose text shows another host than its target."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_LINKS = (
    Lazy(r"\[(?P<text>[^\[\]\n]{1,300})\]\(\s?<?(?P<target>https?://[^()\s<>]{1,2000})"),
    Lazy(
        r"(?i)<a\s[^<>]{0,300}?href\s?=\s?[\"']?(?P<target>https?://[^\"'\s<>]{1,2000})[^<>]{0,300}>(?P<text>[^<>]{1,300})</a>"
    ),
)
_SHOWN = Lazy(r"(?i)(?:https?://)?(?P<host>(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,20})(?::\d{1,5})?(?:[/?#]\S*)?")

_PRODUCTS = (".js", ".ts", ".py", ".rs", ".net", ".md", ".txt", ".pdf")


def check(text: Text) -> Iterator[Hit]:
    """Return the text of every such link; a host and its subdomains count as one."""
    for view in text.views:
        for pattern in _LINKS:
            for match in view.find(pattern):
                shown = _SHOWN.fullmatch(match["text"].strip())
                target = _SHOWN.match(match["target"])
                if shown and target and _shows_host(shown[0]) and not _is_same(shown["host"], target["host"]):
                    yield Hit(*view.span(*match.span("text")))


def _shows_host(text: str) -> bool:
    """Say whether a text shows a host, and not the name of a product such as Node.js or ASP.NET."""
    return text.startswith(("http", "www.")) or "/" in text or (text.islower() and not text.endswith(_PRODUCTS))


def _is_same(one: str, other: str) -> bool:
    shorter, longer = sorted((f".{host.lower().removeprefix('www.')}" for host in (one, other)), key=len)
    return longer.endswith(shorter)


RULE = Rule(
    id="channel.link_mismatch",
    severity=Severity.ERROR,
    message="This link shows one host and leads to another.",
    accept=("[jobs.acme.com](https://www.acme.com/jobs)", "[Node.js](https://nodejs.org)"),
    reject=("[https://acme.com](https://acme.phish.io)", '<a href="https://phish.io/x">www.acme.com</a>'),
    source="ours",
    check=check,
    signs=frozenset("[<"),
)
