"""The subject of an InMail that is longer than LinkedIn takes."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import LinkedInType
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lengths import too_long
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_MOST = 200


def check(text: Text) -> Iterator[Hit]:
    """Return what is beyond 200 characters."""
    if text.linked_in_type is LinkedInType.INMAIL and text.is_subject:
        yield from too_long(text, _MOST)


RULE = Rule(
    id="channel.inmail_subject",
    severity=Severity.ERROR,
    message="The subject of an InMail is too long.",
    accept=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INMAIL", "subject": "A role in Paris"}]',),
    reject=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INMAIL", "subject": "' + "word " * 41 + '"}]',),
    source="Kalent: at most 200 characters",
    example="steps",
    check=check,
)
