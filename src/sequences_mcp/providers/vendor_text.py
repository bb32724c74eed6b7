"""What a vendor wrote, made fit to be quoted: cut, and without characters that hide or reorder what is read.

Names, notes, replies and error messages come from people nobody knows. They appear in their own fields only,
never inside a sentence of ours.
"""

from __future__ import annotations

import re

from sequences_mcp.domain.invisible import PRIVATE, strip

NAME = 200
MESSAGE = 500
NOTES = 2_000
BODY = 4_000
_SEPARATORS = re.compile("[\u2028\u2029]")
_DROPPED = re.compile(f"[\r{PRIVATE}]")


def quoted(text: str, limit: int = NAME) -> str:
    """Return at most ``limit`` characters without control, bidirectional, tag and lone surrogate characters."""
    kept = strip(_DROPPED.sub("", _SEPARATORS.sub(" ", text[: limit * 2])))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def on_one_line(text: str, limit: int = NAME) -> str:
    """Return the same on one line."""
    return " ".join(quoted(text, limit).split())
