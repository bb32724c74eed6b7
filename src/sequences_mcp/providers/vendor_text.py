"""What a vendor wrote, made fit to be quoted: cut, and without characters that hide or reorder what is read.

Names, notes, replies and error messages come from people nobody knows. They appear in their own fields only,
never inside a sentence of ours.
"""

from __future__ import annotations

import unicodedata

NAME = 200
MESSAGE = 500
NOTES = 2_000
BODY = 4_000
KEPT = frozenset("\n\t\u200c\u200d")  # the two joiners are letters' business in Persian, in Hindi, in emoji
DROPPED = frozenset({"Cc", "Cf", "Cs", "Co"})
HIDING = range(0xE0100, 0xE01F0)  # variation selectors that no font draws and that can carry a hidden text
SEPARATORS = frozenset({"Zl", "Zp"})


def quoted(text: str, limit: int = NAME) -> str:
    """Return at most ``limit`` characters without control, bidirectional, tag and lone surrogate characters."""
    kept = "".join(map(_shown, text[: limit * 2]))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def on_one_line(text: str, limit: int = NAME) -> str:
    """Return the same on one line."""
    return " ".join(quoted(text, limit).split())


def _shown(character: str) -> str:
    if character.isalnum() or character == " " or character in KEPT:
        return character
    category = unicodedata.category(character)
    if category in SEPARATORS:
        return " "
    return "" if category in DROPPED or ord(character) in HIDING else character
