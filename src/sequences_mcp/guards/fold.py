"""Letters that look alike, reduced to one: NFKC and the Cyrillic, Greek and Latin confusables of Unicode TR 39.

A skeleton is only ever compared, never stored or sent (https://www.unicode.org/reports/tr39/).
"""

from __future__ import annotations

import unicodedata
from functools import cache

from sequences_mcp.domain import invisible
from sequences_mcp.guards.lazy import Lazy

# Brackets keep their own shape, because what one means differs from script to script. Braces never do.
_KEPT = frozenset("［］＜＞（）〈〉﹤﹥﹙﹚﹝﹞⁽⁾₍₎…‥")
_BRACES = ("❴❵⦃⦄﹛﹜｛｝⎨⎬", "{}{}{}{}{}")
_LETTERS = (
    "аАвВеЕкКмМнНоОрРсСтТуУхХѕЅіІјЈһԁԛԝѵӏԌɡƒıαΑβΒεΕηΗιΙκΚνΝοΟρΡτΤυΥχΧωΖΜ",
    "aABBeEkKmMHHoOpPcCtTyYxXsSiIjJhdqwvlGgfiaAbBeEnHiIkKvNoOpPtTuYxXwZM",
)
_MOST_KEPT = 20_000

INVISIBLE = Lazy(f"[{invisible.CLASS}]+")


class _Table(dict[int, str]):
    """A table for ``str.translate`` that is filled as letters are met, up to a size no honest text reaches."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        plain = letter if letter in _KEPT else unicodedata.normalize("NFKC", letter)
        if len(self) < _MOST_KEPT:
            self[code] = plain
        return plain


@cache
def _table() -> _Table:
    pairs = [*zip(*_LETTERS, strict=True), *zip(*_BRACES, strict=True)]
    return _Table({ord(letter): plain for letter, plain in pairs})


def fold(text: str) -> str:
    """Return the skeleton of a text, letter by letter."""
    return text if text.isascii() else text.translate(_table())


def key(word: str) -> str:
    """Return what two spellings of a name share: no case, accents, signs or invisible characters."""
    if word.isascii():
        return "".join(filter(str.isalnum, word)).lower()
    bare = unicodedata.normalize("NFKD", INVISIBLE.sub("", fold(word))).casefold()
    return "".join(filter(str.isalnum, bare))
