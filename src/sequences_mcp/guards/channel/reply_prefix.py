"""A subject that claims to answer or forward something."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_PREFIX = Lazy(
    r"(?i)\s{0,8}(?:re|rép?|aw|antw|sv|vs|odp|fwd?|tr|wg|rv|res|enc|回复|回覆|转发|返信)"
    r"\s?(?:\[\d{1,3}\])?\s?[:：]"
)
_TICKET = Lazy(r"#\d+|\[[A-Z][A-Z0-9]*-\d+\]")


def check(text: Text) -> Iterator[Hit]:
    """Return the prefix, unless a ticket or an earlier e-mail step is what it answers."""
    if not text.is_subject or text.is_follow_up:
        return
    match = _PREFIX.match(text.visible.text)
    if match and not _TICKET.search(text.visible.text):
        yield Hit(*text.visible.span(*match.span()))


RULE = Rule(
    id="channel.reply_prefix",
    severity=Severity.WARNING,
    message="This subject claims to answer a mail that was never written.",
    accept=("Re: [#1234] your application", "Reference: Rust", "Recruiting: Rust"),
    reject=("Re: our talk", "Fwd: opportunité", "RE : votre profil"),
    source="CAN-SPAM Act, 15 U.S.C. 7704(a)(2): no deceptive subject headings",
    example="subject",
    check=check,
)
