"""About how many tokens a text costs a model, without the vocabulary of one.

``tests/server/test_weight.py`` holds the estimate against o200k's own count: near it for ordinary results and for
what people write in any language, in scripts that the vocabulary hardly knows too, for emoji, digits, signs and
encoded data. Letters in an order that no language has cost up to two and a half times what is said here.

No character is looked at by itself, which would take fifteen times as long: bytes are translated and added up.
UTF-16 has the block of 256 characters that a character is in as a byte of its own, by which letters beyond Latin-1
are weighed.
"""

from __future__ import annotations

import re
from itertools import product
from math import ceil

_KINDS = " aA0."  # space, letter, capital, digit, sign


def _kind(byte: int) -> int:
    letter = chr(byte)
    if letter.isspace():
        return 0
    if letter.isalpha():
        return 2 if letter.isascii() and letter.isupper() else 1
    return 3 if letter.isascii() and letter.isdigit() else 4


_OF_BYTES = bytes(map(_kind, range(256)))
_ASCII = bytes(range(0x80))
_ACCENT = 7  # tenths of a token that a letter with an accent adds to its word, or a sign beyond ASCII to its kind

# What each kind of character costs, and more behind another kind and in long runs: fitted to 81 results of the
# product's own tools, names in nine languages, and random base64, digits, signs and hexadecimals (2026-11-28).
_COSTS = {" ": 0.0, "a": 0.165, "A": 0.2, "0": 0.334, ".": 0.0}
_BEHIND = {
    **dict.fromkeys((" a", ".a"), 0.28),
    **dict.fromkeys((" A", ".A"), 1.2),
    **dict.fromkeys(("a0", "A0", ".0"), 0.75),
    **dict.fromkeys(("a.", "A.", "0.", " ."), 0.13),
    "0a": 0.7,
    "0A": 1.1,
    "aA": 2.25,
    "Aa": -0.6,
    " 0": 1.67,
    "..": 0.26,
    "  ": 0.1,
}
_RUNS = ((b"\x01" * 7, 0.6), (b"\x04" * 4, 1.5))
# Costs of pairs are in fiftieths of a token, each half a token too high, so that none is negative; a pair
# is eight times its first kind and its second.
_UNITS = 50
_OF_PAIRS = bytearray(256)
for _first, _second in product(range(len(_KINDS)), repeat=2):
    _cost = _COSTS[_KINDS[_second]] + _BEHIND.get(_KINDS[_first] + _KINDS[_second], 0)
    _OF_PAIRS[8 * _first + _second] = round((_cost + 0.5) * _UNITS)

# What a character of each block of 256 costs, by its first two hexadecimal digits, in tenths of a token. Scripts
# that the vocabulary knows well cost what their languages do (Babel's names of languages and countries, Faker's of
# people, firms and streets; prose costs less); every other block costs its bytes of UTF-8.
_BLOCKS = {
    **dict.fromkeys(range(0x02, 0x08), 20),
    **dict.fromkeys(range(0x08, 0xD8), 30),
    **dict.fromkeys(range(0xE0, 0x100), 30),
    0x01: 9,  # Latin letters with accents, with what they make of their words
    **dict.fromkeys((0x04, 0x06, 0x09), 5),  # Cyrillic, Arabic, Devanagari and Bengali
    **dict.fromkeys((0x03, 0x05, 0x0B, 0x0C), 6),  # Greek, Armenian and Hebrew, Tamil, Telugu and Kannada
    **dict.fromkeys((0x0D, 0x0E, 0x10), 7),  # Malayalam and Sinhala, Thai, Burmese and Georgian
    **dict.fromkeys((0x0A, 0x17), 8),  # Gurmukhi and Gujarati, Khmer
    **dict.fromkeys((0x0F, 0x12), 23),  # Tibetan, Ethiopic: the spaces between their words are tokens too
    **dict.fromkeys((0x1E, 0x20), 12),  # Vietnamese; dashes and quotation marks
    **dict.fromkeys((0x21, 0x22, 0x24, 0x25, 0x26, 0x27), 22),  # arrows, numbers in circles, boxes, dingbats
    0x30: 9,  # Japanese
    **dict.fromkeys(range(0x4E, 0xA0), 12),  # Chinese
    **dict.fromkeys(range(0xAC, 0xD8), 10),  # Korean
    0xFE: 12,  # what makes an emoji of a sign; forms of Arabic letters
    0xFF: 14,  # full width
    0xD8: 27,  # emoji and letters of mathematics, by their first half in UTF-16
    **dict.fromkeys(range(0xD9, 0xDC), 40),
}
_TENTHS = bytes(_BLOCKS.get(block, 0) for block in range(256))
_SHARED = (0x03, 0x0B, 0x0E, 0x17)
# Combining marks, Odia, Lao and Tagalog, which share their blocks with Greek, Tamil, Thai and Khmer.
_RARE = re.compile("[\u0300-\u036f\u0b00-\u0b7f\u0e80-\u0eff\u1700-\u177f]")
_RARER = 12  # tenths of a token that one of them costs more


def weight(text: str) -> int:
    """Return about how many tokens a text has: 10,000 characters take 0.1 to 0.2 ms."""
    latin = text.encode("latin-1", "ignore")
    kinds = latin.translate(_OF_BYTES)
    # All pairs at once, as digits to the base of 256 of one large number.
    behind = int.from_bytes(kinds, "big")
    pairs = (behind >> 8 << 3 | behind).to_bytes(len(kinds), "big")
    tokens = sum(pairs.translate(_OF_PAIRS)) / _UNITS - len(kinds) / 2 + latin.count(b"\n")
    tokens += sum(cost * kinds.count(run) for run, cost in _RUNS)
    if not text.isascii():
        blocks = text.encode("utf-16-be", "surrogatepass")[::2]
        tenths = sum(blocks.translate(_TENTHS)) + _ACCENT * len(latin.translate(None, _ASCII))
        if any(block in blocks for block in _SHARED):
            tenths += _RARER * len(_RARE.findall(text))
        tokens += tenths / 10
    return ceil(tokens)
