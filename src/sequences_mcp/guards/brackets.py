"""Brackets, paired in one pass with a stack; a pair never reaches over an empty line."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class Pair(NamedTuple):
    """An opening bracket and its closing one, as indexes."""

    open: int
    close: int


class Pairs(NamedTuple):
    """What was paired, in order of opening, and what was left over, in order."""

    pairs: tuple[Pair, ...]
    opens: tuple[int, ...]
    closes: tuple[int, ...]


@cache
def _marks(opening: str, closing: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(opening + closing)}]|\n[ \t\r]*\n")


def pair(text: str, opening: str, *, closing: str) -> Pairs:
    """Return the pairs of a text. Any of ``opening`` is closed by any of ``closing``: a mixed pair is a pair."""
    if not any(mark in text for mark in opening + closing):
        return Pairs((), (), ())
    pairs: list[Pair] = []
    opens: list[int] = []
    closes: list[int] = []
    stack: list[int] = []
    for match in _marks(opening, closing).finditer(text):
        if match[0] in opening:
            stack.append(match.start())
        elif match[0] not in closing:
            opens += stack
            stack.clear()
        elif stack:
            pairs.append(Pair(stack.pop(), match.start()))
        else:
            closes.append(match.start())
    return Pairs(tuple(sorted(pairs)), tuple(sorted(opens + stack)), tuple(closes))
