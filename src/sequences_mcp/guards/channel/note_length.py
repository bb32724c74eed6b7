"""The note of an invitation that is longer than LinkedIn takes."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import LinkedInType
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lengths import too_long
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return what is beyond 300 characters, or 200 where the policy says that the account is free."""
    if text.linked_in_type is LinkedInType.INVITATION_WITH_MESSAGE and not text.is_subject:
        yield from too_long(text, text.policy.invitation_note)


RULE = Rule(
    id="channel.note_length",
    severity=Severity.ERROR,
    message="The note of an invitation is too long.",
    accept=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE", "content": "Hi"}]',),
    reject=(
        '[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE", "content": "'
        + "word " * 61
        + '"}]',
    ),
    source="Kalent: a note has at most 300 characters; LinkedIn: 200 on a free account",
    example="steps",
    check=check,
)
