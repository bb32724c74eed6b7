"""A phrase that the house policy forbids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")


def check(text: Text) -> Iterator[Hit]:
    """Return every forbidden phrase, in any case."""
    if text.policy.forbidden:
        for view in text.views:
            for match in _pattern(text.policy.forbidden).finditer(view.text):
                yield Hit(*view.span(*match.span()))


RULE = Rule(
    id="channel.forbidden",
    severity=Severity.ERROR,
    message="The house policy forbids this phrase.",
    accept=("Hi {{firstname}},",),
    reject=(),
    source="guards.toml",
    check=check,
)
