"""Regular expressions that are compiled at their first use, because compiling all would slow the start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple


def _mark_of(need: str) -> str:
    """Return the sign or the foreign letter in a string that most texts do not have, or an empty one."""
    return next((sign for sign in need if not (sign.isascii() and sign.isalnum()) and sign != " "), "")


class NeededStrings(NamedTuple):
    """What any match of a pattern has: ``plain`` strings, and those with a sign that few texts have, its mark."""

    plain: tuple[str, ...]
    marked: tuple[tuple[str, str], ...]
    marks: frozenset[str]


class LazyPattern:
    """A regular expression that is compiled at its first use. Every pattern of the guards runs in linear time."""

    def __init__(self, source: str, *, needs: Iterable[str] = ("",), signs: str = "") -> None:
        """Take the source, and strings in small letters, and characters, of which any match has at least one."""
        self._source = source
        self.needs = tuple(needs)
        self.signs = frozenset(signs)

    def may_match(self, lower: str) -> bool:
        """Say whether a lower-case text has one of ``needs``, without which there is no match; a cheap check."""
        for need in self.needs:  # noqa: SIM110 - any() over a generator costs as much as the looks themselves
            if need in lower:
                return True
        return False

    @cached_property
    def parts(self) -> NeededStrings:
        """``needs`` in parts, as they are looked for."""
        marked = tuple((mark, need) for need in self.needs if (mark := _mark_of(need)))
        plain = tuple(need for need in self.needs if not _mark_of(need))
        return NeededStrings(plain, marked, frozenset(mark for mark, _ in marked))

    @property
    def source(self) -> str:
        """The pattern as it was written."""
        return self._source

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern."""
        return re.compile(self._source)

    def finditer(self, text: str, position: int = 0) -> Iterator[re.Match[str]]:
        """Return every match from ``position`` on, from the left."""
        return self.compiled.finditer(text, position)

    def search(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        """Return the first match, in a part of the text if its bounds are given."""
        return self.compiled.search(text, start, len(text) if end is None else end)

    def match(self, text: str, position: int = 0) -> re.Match[str] | None:
        """Return the match that starts at ``position``."""
        return self.compiled.match(text, position)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of the whole text."""
        return self.compiled.fullmatch(text)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Return the text with every match replaced."""
        return self.compiled.sub(replacement, text)
