"""Regular expressions that are compiled at their first use, because compiling all would slow the start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator


class LazyPattern:
    """A regular expression that is compiled at its first use. Every pattern of the guards runs in linear time."""

    __slots__ = ("_compiled", "_source", "needs", "signs")

    def __init__(self, source: str, *, needs: Iterable[str] = ("",), signs: str = "") -> None:
        """Take the source, and strings in small letters, and characters, of which any match has at least one."""
        self._source = source
        self.needs = tuple(needs)
        self.signs = frozenset(signs)
        self._compiled: re.Pattern[str] | None = None

    def may_match(self, lower: str) -> bool:
        """Say whether a lower-case text has one of ``needs``, without which there is no match; a cheap check."""
        for need in self.needs:  # noqa: SIM110 - any() over a generator costs as much as the looks themselves
            if need in lower:
                return True
        return False

    @property
    def source(self) -> str:
        """The pattern as it was written."""
        return self._source

    @property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern."""
        if self._compiled is None:
            self._compiled = re.compile(self._source)
        return self._compiled

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
