"""Regular expressions that are built when first used: a server that checks nothing pays nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator


class Lazy:
    """A regular expression in waiting. Every pattern of the guards is written to run in linear time."""

    __slots__ = ("_compiled", "_source")

    def __init__(self, source: str | Callable[[], str]) -> None:
        self._source = source
        self._compiled: re.Pattern[str] | None = None

    @property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern."""
        if self._compiled is None:
            self._compiled = re.compile(self._source if isinstance(self._source, str) else self._source())
        return self._compiled

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Return every match, from the left."""
        return self.compiled.finditer(text)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match."""
        return self.compiled.search(text)

    def match(self, text: str, position: int = 0) -> re.Match[str] | None:
        """Return the match that starts at ``position``."""
        return self.compiled.match(text, position)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of the whole text."""
        return self.compiled.fullmatch(text)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Return the text with every match replaced."""
        return self.compiled.sub(replacement, text)
