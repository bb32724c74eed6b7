"""The table of characters that a reader cannot see, with the functions that find, draw and remove them.

The table holds what Unicode calls Default_Ignorable_Code_Point (DerivedCoreProperties.txt) and the general
category Cf, letters and signs that are drawn as nothing (the Hangul fillers, the Braille blank), the C0 and C1
controls other than tab and line breaks, the line and paragraph separators, surrogates and noncharacters. Such a
character can hide words from a person, order them otherwise, or make two equal names differ.

Some scripts need some of them. There they are allowed, and only in the places where they have an effect: a
variation selector directly after an emoji or an ideograph, a joiner inside an emoji or between letters of Arabic
and Indic scripts, tag characters after a black flag that spell England, Scotland or Wales.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

CLASS = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 and C1 controls
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\ud800-\udfff"
)
"""The table without the noncharacters, as the inside of a character class of a regular expression."""

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17)
)
PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
"""Private-use characters, which have no agreed glyph, as the inside of a character class."""

_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf"
    "\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_ONE = f"[{_EMOJI}](?:[\ufe0e\ufe0f]|[\U0001f3fb-\U0001f3ff])?"
_REGIONS = ("gbeng", "gbsct", "gbwls")
_FLAG = "|".join("".join(chr(0xE0000 + ord(letter)) for letter in region) for region in _REGIONS)
_SEQUENCE = f"\U0001f3f4(?:{_FLAG})\U000e007f|[0-9#*]\ufe0f\u20e3|{_ONE}(?:\u200d{_ONE}){{0,3}}"
# Variation selectors allowed after ideographs, enough for a few names: each could carry hidden bits.
_MOST_VARIANTS = 8
_CURSIVE = ("ARABIC", "SYRIAC", "NKO", "MONGOLIAN", "MANDAIC", "ADLAM", "HANIFI")
_SPACELESS = ("KHMER", "LAO", "THAI", "MYANMAR", "TIBETAN", "JAVANESE", "BALINESE", "TAI")
_DIRECTION_MARKS = frozenset("\u200e\u200f\u061c")
_ISOLATES = frozenset("\u2066\u2067\u2068")
_END = "\u2069"
_MOST_DRAWN = 8


class HiddenSpan(NamedTuple):
    """Invisible characters one after another: ``text[start:end]``."""

    start: int
    end: int


@cache
def _hidden() -> re.Pattern[str]:
    return re.compile(f"[{CLASS}{_NONCHARACTERS}]")


@cache
def _controls() -> re.Pattern[str]:
    return re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # all that the table has of ASCII; quick to look for


@cache
def _sequence() -> re.Pattern[str]:
    return re.compile(_SEQUENCE)


@cache
def _undrawn() -> re.Pattern[str]:
    return re.compile(f"[{PRIVATE}\t\r\n]")


def hidden_spans(text: str, *, direction: bool = False) -> Iterator[HiddenSpan]:
    """Yield the spans of invisible characters that no script in the text needs, from the left.

    ``direction`` True also allows direction marks and isolates in lines with right-to-left text. That is for
    messages; a name or an address does not need them.
    """
    start = end = -1
    for place in _unneeded(text, direction=direction):
        # A new span begins unless this character directly follows the last one.
        if place != end:
            if start >= 0:
                yield HiddenSpan(start, end)
            start = place
        end = place + 1
    if start >= 0:
        yield HiddenSpan(start, end)


def breaks_line(text: str) -> bool:
    """Say whether a text takes more than one line, in whatever way a line can be broken."""
    return text.splitlines() not in ([], [text])


def may_hide(text: str) -> bool:
    """Say whether a text has any character of the table, needed or not; a cheap check before ``hidden_spans``."""
    return not (text.isascii() and text.isprintable()) and _hidden().search(text) is not None


def is_hidden(character: str) -> bool:
    """Say whether a character is in the table."""
    return _hidden().match(character) is not None


def strip(text: str) -> str:
    """Return the text without the invisible characters that no script in it needs."""
    parts, done = [], 0
    for run in hidden_spans(text):
        parts.append(text[done : run.start])
        done = run.end
    return "".join([*parts, text[done:]]) if done else text


def draw(text: str, *, keep: str = "\n", direction: bool = False) -> str:
    """Return the text with invisible characters drawn as ``⟨U+200B⟩``.

    Controls, tabs, line breaks and private-use characters are drawn too, except the characters in ``keep``. Of a
    long run the first ones are drawn, then how many follow. ``direction`` is as for ``hidden_spans``.
    """
    if text.isascii() and text.isprintable():
        return text
    places = sorted({*_unneeded(text, direction=direction), *_others(text, keep)})
    if not places:
        return text
    parts: list[str] = []
    done, length = 0, 0
    for index, place in enumerate(places):
        length = length + 1 if index and place == places[index - 1] + 1 else 1
        if length <= _MOST_DRAWN:
            parts += [text[done:place], f"⟨U+{ord(text[place]):04X}⟩"]
        elif index + 1 == len(places) or places[index + 1] != place + 1:
            parts.append(f"⟨and {length - _MOST_DRAWN} more that cannot be seen⟩")
        done = place + 1
    return "".join([*parts, text[done:]])


def names_of(text: str, run: HiddenSpan) -> str:
    """Return the code points of a run in words: "U+200B", "U+FE01 and 60 more"."""
    more = run.end - run.start - 1
    return f"U+{ord(text[run.start]):04X}" + (f" and {more} more" if more else "")


def is_showable(text: str) -> bool:
    """Say whether a screen can show what a reader would see: no surrogate, private character or noncharacter."""
    return text.isascii() or not any(map(_has_no_picture, text))


def _has_no_picture(character: str) -> bool:
    number = ord(character)
    is_noncharacter = number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF
    return is_noncharacter or unicodedata.category(character) in ("Co", "Cs")


def _others(text: str, keep: str) -> Iterator[int]:
    """Yield the places of tabs, line breaks and private-use characters that are not in ``keep``."""
    return (match.start() for match in _undrawn().finditer(text) if match[0] not in keep)


def _unneeded(text: str, *, direction: bool = False) -> Iterator[int]:
    hits = [match.start() for match in (_controls() if text.isascii() else _hidden()).finditer(text)]
    if not hits:
        return
    used = {place for match in _sequence().finditer(text) for place in range(*match.span())}
    if direction:
        used |= _directions(text, hits)
    variants = 0
    for place in hits:
        if place in used:
            continue
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        if 0xE0100 <= ord(text[place]) <= 0xE011F and _is_ideograph(before) and variants < _MOST_VARIANTS:
            variants += 1
        elif not _is_needed(text[place], before, after):
            yield place


def _is_needed(character: str, before: str, after: str) -> bool:
    if character == "\u200c":
        return (
            bool(before and after) and _joins(before) and _script(before) == _script(after) and _is_letter(after)
        )
    if character == "\u200d":
        return _joins(before) and not (after.isalnum() and _script(before) != _script(after))
    if character == "\u200b":
        return _script(before) in _SPACELESS and _script(after) in _SPACELESS
    if "\ufe00" <= character <= "\ufe02":
        return _is_ideograph(before) or (character != "\ufe02" and before in tuple("、。！，．：；？"))
    if "\u180b" <= character <= "\u180f":
        is_after = "\u1820" <= before <= "\u18aa"
        return is_after and (character != "\u180e" or "\u1820" <= after <= "\u18aa")
    if character == "\u034f":
        return "\u0591" <= before <= "\u05c7" and "\u0591" <= after <= "\u05c7"
    if character == "\u2800":
        return "\u2801" <= before <= "\u28ff" and "\u2801" <= after <= "\u28ff"
    if character in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd":
        return after.isalnum()  # signs that are drawn around or below what follows them
    return False


def _joins(letter: str) -> bool:
    """Say whether a joiner has an effect after this letter: in cursive scripts, and in those with a virama."""
    if not letter or not _is_letter(letter):
        return False
    script = _script(letter)
    return script in _CURSIVE or "\u0900" <= letter <= "\u0dff" or script in _SPACELESS


def _is_letter(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in "LM"


def _script(character: str) -> str:
    """Return the first word of a character's name, which for letters is their script, or nothing."""
    return unicodedata.name(character, "").split(" ", 1)[0] if character else ""


def _is_ideograph(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003347f" or character == "々"


def _directions(text: str, hits: list[int]) -> set[int]:
    """Return the places of direction marks and balanced isolates in lines that are written from right to left."""
    if not any(
        text[place] in _DIRECTION_MARKS or text[place] in _ISOLATES or text[place] == _END for place in hits
    ):
        return set()
    used: set[int] = set()
    at = 0
    for line in text.splitlines(keepends=True):
        if any(
            unicodedata.bidirectional(letter) in ("R", "AL") for letter in line if letter not in _DIRECTION_MARKS
        ):
            used |= {at + place for place in _in_line(line)}
        at += len(line)
    return used


def _in_line(line: str) -> Iterator[int]:
    opened: list[int] = []
    for place, character in enumerate(line):
        before, after = line[place - 1 : place], line[place + 1 : place + 2]
        if (
            character in _DIRECTION_MARKS
            and not (before.isalnum() and after.isalnum())
            and before not in _DIRECTION_MARKS | {_END}
        ):
            yield place
        elif character in _ISOLATES:
            opened.append(place)
        elif character == _END and len(opened) == 1 and opened[0] < place - 1:
            yield from (opened.pop(), place)
