"""One text seen five ways, with a way back from every place to the text as it was written.

The exact variables are covered first. What remains is looked at raw, with entities decoded (twice), with tags
removed, with invisible characters dropped and with look-alikes folded. Each view starts from the one before, and
one that changes nothing is left out: a plain text has a single view.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import NamedTuple

from sequences_mcp.domain.variables import TOKEN
from sequences_mcp.guards.brackets import Pairs, pair
from sequences_mcp.guards.fold import INVISIBLE, fold
from sequences_mcp.guards.greetings import greetings
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.lines import Line, lines_of
from sequences_mcp.guards.markup import ENTITY, TAG, decode, without

# A noncharacter (Unicode 23.7): no text means anything by it, so it can stand for "a variable was here".
COVER = "\ufdd0"
_LONG = 4_000
_NONE: Iterator[re.Match[str]] = iter(())


class Edit(NamedTuple):
    """``start`` to ``end`` of the view before became the ``size`` characters at ``at``."""

    start: int
    end: int
    at: int
    size: int


class View:
    """One way of seeing a text."""

    def __init__(self, name: str, text: str, *, parent: View | None = None) -> None:
        self.name = name
        self.text = text
        self._parent = parent

    @cached_property
    def lower(self) -> str:
        """The text in small letters, to tell quickly what cannot occur in it; its length may differ."""
        return self.text.lower()

    @cached_property
    def letters(self) -> frozenset[str]:
        """Every character that occurs in the text: what these do not have, it does not have."""
        return frozenset(self.text)

    @cached_property
    def is_usual(self) -> bool:
        """Whether every character is one that no view shows otherwise: the text has this view alone."""
        return self.letters <= _usual()

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines that could be a label or an instruction by themselves."""
        return lines_of(self.text)

    def signs_any(self, signs: str) -> bool:
        """Say whether the text has any of these characters."""
        return not self.letters.isdisjoint(signs)

    @cached_property
    def greetings(self) -> tuple[int, ...]:
        """Where a name is due: the places just after a greeting."""
        return greetings(self.text)

    def find(self, pattern: Lazy) -> Iterator[re.Match[str]]:
        """Return every match of a pattern, from the left."""
        return pattern.finditer(self.text) if self.may_have(pattern) else _NONE

    def may_have(self, pattern: Lazy) -> bool:
        """Say whether the text has what any match of a pattern has."""
        if pattern.signs and self.letters.isdisjoint(pattern.signs):
            return False
        if len(self.text) > _LONG:  # to look for a letter among the letters takes less time than in the text
            return any(self._small_letters.issuperset(need) and need in self.lower for need in pattern.needs)
        lower = self.lower
        for need in pattern.needs:  # noqa: SIM110 - any() over a generator costs as much as the looks themselves
            if need in lower:
                return True
        return False

    @cached_property
    def _small_letters(self) -> frozenset[str]:
        return frozenset(self.lower)

    def find_greeted(self, pattern: Lazy) -> Iterator[re.Match[str]]:
        """Return every match of a pattern that starts where a name is due."""
        for place in self.greetings:
            if match := pattern.match(self.text, place):
                yield match

    @cached_property
    def squares(self) -> Pairs:
        """The square brackets, ASCII and full-width."""
        return pair(self.text, "[［", closing="]］")

    @cached_property
    def braces(self) -> Pairs:
        """The curly brackets."""
        return pair(self.text, "{", closing="}")

    @cached_property
    def _edits(self) -> tuple[list[int], list[Edit]]:
        # Worked out only when a place has to be found: most texts have nothing to tell of.
        edits = list(_EDITS[self.name](self._parent.text)) if self._parent else []
        return [edit.at for edit in edits], edits

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the code points of the original text that show as ``start`` to ``end`` here."""
        if self._parent is None:
            return start, end
        if not self._edits[0]:  # letters were changed, and each stayed one
            return self._parent.span(start, end)
        last = max(start, end - 1)
        return self._parent.span(self._place(start)[0], self._place(last)[1])

    def _place(self, index: int) -> tuple[int, int]:
        """Return what shows as one character here, as a span of the view before."""
        starts, edits = self._edits
        found = bisect_right(starts, index) - 1
        if found < 0:
            return index, index + 1
        edit = edits[found]
        if index < edit.at + edit.size:
            return edit.start, edit.end
        before = edit.end + index - edit.at - edit.size
        return before, before + 1


def _replaced(pattern: Lazy, text: str, *, by: Callable[[re.Match[str]], str]) -> Iterator[Edit]:
    shift = 0
    for match in pattern.finditer(text):
        shown = by(match)
        if shown != match[0]:
            yield Edit(*match.span(), match.start() + shift, len(shown))
            shift += len(shown) - len(match[0])


def _folded(text: str) -> Iterator[Edit]:
    longer = "".join(letter for letter in set(text) if len(fold(letter)) != 1)
    shift = 0
    for match in re.finditer(f"[{re.escape(longer)}]", text) if longer else ():
        size = len(fold(match[0]))
        yield Edit(*match.span(), match.start() + shift, size)
        shift += size - 1


@cache
def _usual() -> frozenset[str]:
    """Return the characters of the Latin script, its punctuation and a variable's cover that stay as they are."""
    candidates = map(chr, (*range(0x20, 0x250), *range(0x2010, 0x2040), 0x20AC))
    stay = (one for one in candidates if fold(one) == one and one not in "&<" and not INVISIBLE.match(one))
    return frozenset((COVER, "\n", "\r", "\t", *stay))


def _decoded(view: View) -> str:
    return ENTITY.sub(_character, view.text) if "&" in view.letters else view.text


def _untagged(view: View) -> str:
    return TAG.sub(without, view.text) if "<" in view.letters else view.text


def _visible(view: View) -> str:
    return INVISIBLE.sub("", view.text) if INVISIBLE.search("".join(view.letters)) else view.text


def _likened(view: View) -> str:
    letters = "".join(view.letters)
    return view.text if fold(letters) == letters else fold(view.text)


def _character(entity: re.Match[str]) -> str:
    return decode(entity[0])


def _nothing(_: re.Match[str]) -> str:
    return ""


_CHANGES: dict[str, Callable[[View], str]] = {
    "decoded": _decoded,
    "decoded twice": _decoded,
    "without tags": _untagged,
    "visible": _visible,
    "folded": _likened,
}
_EDITS: dict[str, Callable[[str], Iterator[Edit]]] = {
    "decoded": lambda text: _replaced(ENTITY, text, by=_character),
    "decoded twice": lambda text: _replaced(ENTITY, text, by=_character),
    "without tags": lambda text: _replaced(TAG, text, by=without),
    "visible": lambda text: _replaced(INVISIBLE, text, by=_nothing),
    "folded": _folded,
}


def _covered(text: str) -> str:
    return TOKEN.sub(lambda match: COVER * len(match[0]), text) if "{{" in text else text


def views(text: str, *, covered: bool = True) -> tuple[View, ...]:
    """Return the views of a text, raw first; with ``covered`` false the variables stay as they are."""
    clean = text.replace(COVER, "\ufffd")
    seen = [View("raw", _covered(clean) if covered else clean)]
    if seen[0].is_usual:
        return (seen[0],)
    for name, change in _CHANGES.items():
        changed = change(seen[-1])
        if changed != seen[-1].text:
            seen.append(View(name, changed, parent=seen[-1]))
    return tuple(seen)
