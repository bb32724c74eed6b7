"""Text as it is: characters that a screen would hide, reorder or obey are drawn as their code points."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_BLANK = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def faithful(text: str, *, lines: bool = True) -> str:
    """Return the text with every invisible, reordering or control character drawn as ⟨U+200B⟩.

    Line breaks stay when ``lines``; joiners stay between characters of scripts and emoji that need them.
    """
    return "".join(
        character
        if (lines and character == "\n") or not _is_hidden(character) or _is_needed(text, index)
        else f"⟨U+{ord(character):04X}⟩"
        for index, character in enumerate(text)
    )


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN or character in _BLANK


def _is_needed(text: str, index: int) -> bool:
    if text[index] not in "\u200c\u200d" or not 0 < index < len(text) - 1:
        return False
    before, after = text[index - 1], text[index + 1]
    return all(ord(c) > 0x2FF and not _is_hidden(c) for c in (before, after))


def is_showable(text: str) -> bool:
    """Say whether a screen can show what a reader would see: no surrogate, private character or noncharacter."""
    return text.isascii() or not any(map(_has_no_picture, text))


def _has_no_picture(character: str) -> bool:
    number = ord(character)
    is_noncharacter = number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF
    return is_noncharacter or unicodedata.category(character) in ("Co", "Cs")
