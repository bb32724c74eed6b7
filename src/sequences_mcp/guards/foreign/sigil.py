"""A merge tag of another tool: %FIRSTNAME%, $firstname, -firstname-, __FIRSTNAME__, <<First Name>>."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field, is_name

_PERCENT = Lazy(
    r"%(?:\((?<![\w%].{2})\w{1,40}\)[sd]|%[A-Za-z_][\w.: -]{0,60}%%?|"
    r"(?<![\w%/=&?].)(?![0-9A-Fa-f]{2}%)[A-Za-z_][\w.]{1,60}%(?![0-9A-Fa-f]{2})|(?<!\w.)(?<!\d .)[sd](?!\w))",
    needs=("%",),
)
_ANGLES = Lazy(r"<<\s?[^\W\d][^<>\n]{0,60}>>|>>\w{2,40}<<|##\w{2,40}##", needs=("<<", "##"))
# Both begin with a set and look back from there: the search then skips all other letters.
_WRAPPED = Lazy(
    r"([!^@:|#$%=+_~/\\?-])(?<![\w!^@:|#$%=+~/\\?-].)\1{0,2}(?P<name>[A-Za-z](?:\w{0,40}?[A-Za-z0-9])?)\1{1,3}(?![\w/])"
)
_EMPHASIS = Lazy(r"_[^_]")
_PREFIXED = Lazy(r"([$:&@!])(?<![\w$\\&.].)\$?([A-Za-z_]\w{1,40})(?![\w./])")
_POSITION = Lazy(r"\$(?<![\w$/].)[1-9](?=\s|$)", needs=("$",))


def check(text: Text) -> Iterator[Hit]:
    """Return every tag that its form, or the name in it, gives away; ``$1`` may be a price."""
    yield from text.hits(_PERCENT)
    yield from text.hits(_ANGLES)
    for view in text.views:
        for match in view.find(_WRAPPED):
            if not _EMPHASIS.match(match[0]) and is_field(match["name"]):
                is_doubt = match[1] in "/\\?"  # a path, an expression
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_doubt else None)
        for match in view.find(_PREFIXED):
            if is_field(match[2]) if match[1].startswith("$") else is_name(match[2]):
                yield Hit(*view.span(*match.span()))
    for hit in text.hits(_POSITION):
        yield hit._replace(severity=Severity.WARNING)


RULE = Rule(
    id="foreign.sigil",
    severity=Severity.ERROR,
    message="This is another tool's merge tag and would be sent as it stands.",
    accept=("100 % remote, 50%-60%", "$100k–$120k", "user_name", "__init__", "https://acme.com/%C3%A9quipe"),
    reject=(
        "Hi %FIRSTNAME%,",
        "Hi $firstname,",
        "Hi -firstname-,",
        "Hi <<First Name>>,",
        "Hi %(name)s,",
        "$1 a day",
    ),
    source="ours",
    check=check,
    signs=frozenset("!^@:|#$%=+_~<>&/\\?-"),
)
