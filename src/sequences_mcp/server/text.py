"""Text for a model or a person: invisible characters are drawn, and long texts are cut."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sequences_mcp.domain import invisible

_ESCAPED = re.compile(r"\\[^nt\"\\/]")


_LINE_BREAKS_AND_TABS = "\n\t"


def visible_text(text: str) -> str:
    """Return the text with invisible characters drawn: they could hide words from a person or steer a model."""
    # A CRLF is one line break; drawn as it is, each line would end in a visible carriage return.
    return invisible.draw(text.replace("\r\n", "\n"), keep=_LINE_BREAKS_AND_TABS, direction=True)


def may_hide_text(text: str) -> bool:
    """Say whether a JSON text may have invisible characters in it, plain or as escapes."""
    return invisible.may_hide(text) or _ESCAPED.search(text) is not None


def visible_throughout(value: Any) -> Any:
    """Return a JSON value with every string in it, keys included, made visible."""
    if isinstance(value, str):
        return visible_text(value)
    if isinstance(value, dict):
        return {visible_text(key): visible_throughout(child) for key, child in value.items()}
    return [visible_throughout(child) for child in value] if isinstance(value, list) else value


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of the text, and how many were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… [{len(text) - limit:,} more characters]"


def fair_limit(lengths: Iterable[int], *, budget: int) -> int:
    """Return the largest limit so that texts of these lengths, each cut to it, fit the budget together."""
    rest = sorted(lengths)
    for index, length in enumerate(rest):
        share = budget // (len(rest) - index)
        if length > share:
            return share
        budget -= length
    return rest[-1] if rest else budget
