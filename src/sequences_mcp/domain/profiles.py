"""LinkedIn profiles: read once when they come in."""

from __future__ import annotations

import re

from sequences_mcp.errors import InvalidArgumentsError

_LINKEDIN = re.compile(r"(https?://)?([a-z]{2,3}\.)?linkedin\.com/\S+", re.IGNORECASE)


def read_profile(url: str) -> str:
    """Return the URL of a profile as it was given; InvalidArgumentsError for one that is none of LinkedIn's."""
    if not _LINKEDIN.fullmatch(url):
        raise InvalidArgumentsError(
            f"{url[:80]!r} is not the URL of a LinkedIn profile.",
            next_step="Correct it, or leave it out if it is not known.",
        )
    return url
