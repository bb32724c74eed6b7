"""Text on its way to a model or a person: made harmless to look at, and cut where it would be too long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# Control characters other than tab and line feed, overrides and isolates of direction, zero-width characters
# that no script needs, line and paragraph separators, tag characters. Direction marks and joiners stay: Arabic,
# Hebrew and emoji are written with them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_ESCAPED = re.compile(r"\\[^nt\"\\/]")


def visible(text: str) -> str:
    """Return the text without what nobody can see: it could hide words from a person or steer a model."""
    return _UNSEEN.sub("", text)


def may_hide(text: str) -> bool:
    """Say whether a JSON text may have something invisible in it: as it is, or escaped."""
    return _UNSEEN.search(text) is not None or _ESCAPED.search(text) is not None


def visible_throughout(value: Any) -> Any:
    """Return a JSON value with every string in it, keys included, made visible."""
    if isinstance(value, str):
        return _UNSEEN.sub("", value)
    if isinstance(value, dict):
        return {_UNSEEN.sub("", key): visible_throughout(child) for key, child in value.items()}
    return [visible_throughout(child) for child in value] if isinstance(value, list) else value


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of the text, and how many were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… [{len(text) - limit:,} more characters]"


def fair_limit(lengths: Iterable[int], *, budget: int) -> int:
    """Return the cut at which texts of these lengths fit the budget; short ones leave room for long ones."""
    rest = sorted(lengths)
    for index, length in enumerate(rest):
        share = budget // (len(rest) - index)
        if length > share:
            return share
        budget -= length
    return rest[-1] if rest else budget
