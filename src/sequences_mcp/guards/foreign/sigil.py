"""A merge tag of another tool: %FIRSTNAME%, $firstname, -firstname-, __FIRSTNAME__, <<First Name>>."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.words import is_field

_ALWAYS = Lazy(
    r"(?<![\w%])%\(\w{1,40}\)[sd]|%%[A-Za-z_][\w.: -]{0,60}%%?|(?<![\w%/=&?])%(?![0-9A-Fa-f]{2}%)[A-Za-z_][\w.]{1,60}%(?![0-9A-Fa-f]{2})|"
    r"<<\s?[^\W\d][^<>\n]{0,60}>>|##\w{2,40}##|\{\{|(?<![\w%] )(?<![\w%])%[sd](?!\w)"
)
_NAMED = Lazy(
    r"(?<![\w$\\])(?:\$\$?|:|&|@@?|!)([A-Za-z_]\w{1,40})[$;!@]{0,2}|(?<![\w-])-([A-Za-z_]\w{1,40})-(?![\w-])|(?<![\w_])__([A-Za-z]\w{1,40}?)__(?!\w)|(?<![\w#])#([A-Za-z_]\w{1,40})#"
)
_POSITIONAL = Lazy(r"(?<![\w$])\$[1-9](?![\d.,]?\d|[kKmMbB%+/-])(?=\s|$)")


def check(text: Text) -> Iterator[Hit]:
    """Return every tag whose form or name gives it away; ``$1`` may be a price."""
    yield from text.hits(_ALWAYS)
    for view in text.views:
        for match in _NAMED.finditer(view.text):
            name = next(filter(None, match.groups()))
            if is_field(name) and not (match[0][0] in ":!@&" and "name" not in name.lower()):
                yield Hit(*view.span(*match.span()))
    for hit in text.hits(_POSITIONAL):
        yield hit._replace(severity=Severity.WARNING)


RULE = Rule(
    id="foreign.sigil",
    severity=Severity.ERROR,
    message="This is another tool's merge tag and would be sent as it stands.",
    accept=("100 % remote, 50%-60%", "$100k–$120k", "user_name", "https://acme.com/%C3%A9quipe"),
    reject=("Hi %FIRSTNAME%,", "Hi $firstname,", "Hi -firstname-,", "Hi <<First Name>>,", "Hi %(name)s,"),
    source="ours",
    check=check,
)
