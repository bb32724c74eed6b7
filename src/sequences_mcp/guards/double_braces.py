"""Finds doubled braces that are not one of the nine variables, and the variable each was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cache, lru_cache
from typing import NamedTuple

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.guards.lookalikes import INVISIBLE, key
from sequences_mcp.guards.markup import ENTITY, TAG
from sequences_mcp.guards.text import GuardedText
from sequences_mcp.guards.views import TextView
from sequences_mcp.guards.words import lines

_RUN = LazyPattern(r"\{(?:[ \t\u00a0\\]{0,3}\{)+|\}(?:[ \t\u00a0\\]{0,3}\})+")
_EMPTY_LINE = LazyPattern(r"\n[ \t\r]*\n")
_BLOCK = LazyPattern(r"\s*(?:[#/^!>&@$~*=|-]|(?:else|end|if|each|unless|with|for)\b)")
_SIGN = LazyPattern(r"[|.()\[\]\"'`?+*/=:,<>\\;]")
_WORD = LazyPattern(r"[^\W\d]\w*")
_LONGEST = 6_000


class BraceKind(Enum):
    """The kind of text between doubled braces."""

    EMPTY = "empty"
    NEAR = "near"
    EXPRESSION = "expression"
    UNKNOWN = "unknown"
    UNBALANCED = "unbalanced"


class Doubled(NamedTuple):
    """Doubled braces in one view; ``inner`` is empty where they do not pair up."""

    view: TextView
    start: int
    end: int
    inner: str
    kind: BraceKind

    @property
    def span(self) -> tuple[int, int]:
        """Its place in the original text."""
        return self.view.span(self.start, self.end)


def doubled(text: GuardedText, kind: BraceKind) -> Iterator[Doubled]:
    """Yield the doubled braces of one kind in every view; the nine variables are masked in all of them."""
    return (braces for braces in _all(text) if braces.kind is kind)


@lru_cache(maxsize=4)
def _all(text: GuardedText) -> list[Doubled]:
    """Return the doubled braces of all kinds; cached, since several rules use them."""
    braced = (view for view in text.views if "{" in view.text or "}" in view.text)
    return [braces for view in braced for braces in _doubled(view)]


def _doubled(view: TextView) -> Iterator[Doubled]:
    runs = [match.span() for match in _RUN.finditer(view.text)]
    number = 0
    while number < len(runs):
        start, end = runs[number]
        close = runs[number + 1] if number + 1 < len(runs) else None
        if close and _is_pair(view.text, runs[number], close):
            inner = view.text[end : close[0]]
            yield Doubled(view, start, close[1], inner, _kind(inner))
            number += 2
        else:
            yield Doubled(view, start, end, "", BraceKind.UNBALANCED)
            number += 1


def _is_pair(text: str, opening: tuple[int, int], closing: tuple[int, int]) -> bool:
    first, second = text[slice(*opening)], text[slice(*closing)]
    if not first.count("{") == second.count("}") == 2 or closing[0] - opening[1] > _LONGEST:
        return False
    return not _EMPTY_LINE.search(text[opening[1] : closing[0]])


def _kind(inner: str) -> BraceKind:
    if not INVISIBLE.sub("", inner).strip():
        return BraceKind.EMPTY
    if _BLOCK.match(inner):
        return BraceKind.EXPRESSION
    if meant(inner):
        is_name = not _SIGN.search(TAG.sub("", ENTITY.sub("", inner)).rstrip(".,;:!? "))
        return BraceKind.NEAR if is_name else BraceKind.EXPRESSION
    return BraceKind.EXPRESSION if _SIGN.search(inner) else BraceKind.UNKNOWN


@cache
def _known() -> dict[str, str]:
    known = {key(name): name for name in VARIABLES}
    for name, others in lines("variable"):
        if name in VARIABLES:
            known |= {key(other): name for other in others.split()}
    return known


@cache
def _unclear() -> dict[str, tuple[str, ...]]:
    pairs = (others.split() for language, others in lines("variable") if language == "?")
    return {key(other): tuple(names) for other, *names in pairs}


def meant(inner: str) -> str | None:
    """Return the variable that a name was meant to be, or None."""
    name = key(TAG.sub("", ENTITY.sub("", inner[:200])))
    if name in _known() or name in _unclear() or len(name) > 40:
        return _known().get(name)
    distances = {variable: _distance(name, key(variable)) for variable in VARIABLES}
    nearest = min(distances.values())
    near = [variable for variable, distance in distances.items() if distance == nearest]
    return near[0] if len(near) == 1 and nearest <= (1 if len(name) < 9 else 2) else None


def either(inner: str) -> tuple[str, ...]:
    """Return the variables that an ambiguous name could stand for."""
    return _unclear().get(key(inner[:200]), ())


def only_name(inner: str) -> str | None:
    """Return the one variable that occurs in an expression, or None."""
    if _BLOCK.match(inner):
        return None
    names = {name for match in _WORD.finditer(inner[:200]) if (name := meant(match[0]))}
    return names.pop() if len(names) == 1 else None


def _distance(item: str, other: str) -> int:
    """Return the Levenshtein distance of two names, or a large number where their lengths differ by over 2."""
    if abs(len(item) - len(other)) > 2:
        return len(item) + len(other)
    row = list(range(len(other) + 1))
    for i, a in enumerate(item, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
