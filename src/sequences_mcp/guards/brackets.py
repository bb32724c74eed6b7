"""Brackets, paired in one pass with a stack; a pair never reaches over an empty line."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

MOST = 500
"""How many pairs are looked at one by one; a text with more is refused for that alone."""


class Pair(NamedTuple):
    """An opening bracket and its closing one, as indexes."""

    open: int
    close: int


class Pairs(NamedTuple):
    """What was paired, in order of opening, and what was left over, in order; each cut at ``MOST``."""

    pairs: tuple[Pair, ...]
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    is_cut: bool


@cache
def _marks(opening: str, closing: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(opening + closing)}]|\n[ \t\r]*\n")


def pair(text: str, opening: str, *, closing: str) -> Pairs:
    """Return the pairs of a text. Any of ``opening`` is closed by any of ``closing``: a mixed pair is a pair."""
    if not any(mark in text for mark in opening + closing):
        return Pairs((), (), (), is_cut=False)
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
    left = sorted(opens + stack)
    cut = max(len(pairs), len(left), len(closes)) > MOST
    return Pairs(tuple(sorted(pairs)[:MOST]), tuple(left[:MOST]), tuple(closes[:MOST]), is_cut=cut)
