"""One text seen five ways, with a way back from every place to the text as it was written.

The exact variables are covered first. What remains is looked at raw, with entities decoded (twice), with tags
removed, with invisible characters dropped and with look-alikes folded. Each view starts from the one before, and
one that changes nothing is left out: a plain text has a single view.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from sequences_mcp.domain.variables import TOKEN
from sequences_mcp.guards.brackets import Pairs, pair
from sequences_mcp.guards.fold import INVISIBLE, fold
from sequences_mcp.guards.markup import ENTITY, TAG, decode, is_tag

# A noncharacter (Unicode 23.7): no text means anything by it, so it can stand for "a variable was here".
COVER = "\ufdd0"


class Edit(NamedTuple):
    """``start`` to ``end`` of the view before became the ``size`` characters at ``at``."""

    start: int
    end: int
    at: int
    size: int


class View:
    """One way of seeing a text."""

    def __init__(
        self, text: str, *, name: str, parent: View | None, edits: Callable[[str], Iterator[Edit]]
    ) -> None:
        self.text = text
        self.name = name
        self._parent = parent
        self._edits = edits

    @cached_property
    def _map(self) -> tuple[list[int], list[Edit]]:
        edits = list(self._edits(self._parent.text)) if self._parent else []
        return [edit.at for edit in edits], edits

    @cached_property
    def squares(self) -> Pairs:
        """The square brackets, ASCII and full-width."""
        return pair(self.text, "[［", "]］")

    @cached_property
    def braces(self) -> Pairs:
        """The curly brackets."""
        return pair(self.text, "{", "}")

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the code points of the original text that show as ``start`` to ``end`` here."""
        if self._parent is None:
            return start, end
        first = self._before(start, at_end=False)
        last = self._before(max(end - 1, start), at_end=True)
        return self._parent.span(first, max(first, last))

    def _before(self, index: int, *, at_end: bool) -> int:
        starts, edits = self._map
        found = bisect_right(starts, index) - 1
        if found < 0:
            return index + at_end
        edit = edits[found]
        offset = index - edit.at
        if offset < edit.size:
            return edit.end if at_end else edit.start
        return edit.end + offset - edit.size + at_end


def _none(_: str) -> Iterator[Edit]:
    return iter(())


def _entities(text: str) -> Iterator[Edit]:
    shift = 0
    for match in ENTITY.finditer(text):
        size = len(decode(match[0]))
        yield Edit(match.start(), match.end(), match.start() + shift, size)
        shift += size - len(match[0])


def _tags(text: str) -> Iterator[Edit]:
    shift = 0
    for match in TAG.finditer(text):
        if is_tag(match):
            yield Edit(match.start(), match.end(), match.start() + shift, 0)
            shift -= len(match[0])


def _invisible(text: str) -> Iterator[Edit]:
    shift = 0
    for match in INVISIBLE.finditer(text):
        yield Edit(match.start(), match.end(), match.start() + shift, 0)
        shift -= len(match[0])


def _folded(text: str) -> Iterator[Edit]:
    shift = 0
    for index, letter in enumerate(text):
        if (size := len(fold(letter))) != 1:
            yield Edit(index, index + 1, index + shift, size)
            shift += size - 1


def cover(text: str) -> str:
    """Return the text with each exact variable covered by as many cover characters."""
    clean = text.replace(COVER, "\ufffd") if COVER in text else text
    return TOKEN.sub(lambda match: COVER * len(match[0]), clean) if "{{" in clean else clean


def _without_tags(text: str) -> str:
    return TAG.compiled.sub(lambda match: "" if is_tag(match) else match[0], text)


_STEPS: tuple[tuple[str, Callable[[str], str], Callable[[str], Iterator[Edit]]], ...] = (
    (
        "decoded",
        lambda text: ENTITY.compiled.sub(lambda match: decode(match[0]), text) if "&" in text else text,
        _entities,
    ),
    (
        "decoded twice",
        lambda text: ENTITY.compiled.sub(lambda match: decode(match[0]), text) if "&" in text else text,
        _entities,
    ),
    ("without tags", lambda text: _without_tags(text) if "<" in text else text, _tags),
    ("visible", lambda text: INVISIBLE.sub("", text), _invisible),
    ("folded", fold, _folded),
)


def views(text: str, *, covered: bool = True) -> tuple[View, ...]:
    """Return the views of a text, raw first; with ``covered`` false the variables stay as they are."""
    seen = [View(cover(text) if covered else text, name="raw", parent=None, edits=_none)]
    for name, change, edits in _STEPS:
        changed = change(seen[-1].text)
        if changed != seen[-1].text:
            seen.append(View(changed, name=name, parent=seen[-1], edits=edits))
    return tuple(seen)
