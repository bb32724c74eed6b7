"""The views of a text: transformed copies that rules search, with a mapping of spans to the text as written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from itertools import chain
from typing import NamedTuple

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.variables import TOKEN
from sequences_mcp.guards.lookalikes import INVISIBLE, fold
from sequences_mcp.guards.markup import ENTITY, TAG, decode, without
from sequences_mcp.guards.words import lines


class Pair(NamedTuple):
    """An opening bracket and its closing one, as indexes."""

    open: int
    close: int


class Pairs(NamedTuple):
    """The matched pairs, in order of opening, and the brackets without a partner, in order."""

    pairs: tuple[Pair, ...]
    opens: tuple[int, ...]
    closes: tuple[int, ...]


@cache
def _brackets(opening: str, closing: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(opening + closing)}]|\n[ \t\r]*\n")


def pair(text: str, opening: str, *, closing: str) -> Pairs:
    """Return the pairs of a text. Any of ``opening`` is closed by any of ``closing``: a mixed pair is a pair."""
    if not any(bracket in text for bracket in opening + closing):
        return Pairs((), (), ())
    pairs: list[Pair] = []
    opens: list[int] = []
    closes: list[int] = []
    stack: list[int] = []
    for match in _brackets(opening, closing).finditer(text):
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


_SIGNS = " \t\r\u00a0\u3000*_#~=>+•·–—-[](){}<>«»„“”\"'‘’:：.,;!?…|/\\^`【】（）「」＜＞⟨⟩"
_LONGEST = 200


class TextLine(NamedTuple):
    """A line from ``at``; ``start`` to ``end`` is its part without the signs at both ends (``bare``)."""

    at: int
    start: int
    end: int
    bare: str
    start_of_bare: str
    """The first letters of ``bare``, in lower case."""


def lines_of(text: str) -> tuple[TextLine, ...]:
    """Return the lines of a text that have something but signs on them and are short enough to be a label."""
    results: list[TextLine] = []
    at = 0
    for line in text.split("\n"):
        if 0 < len(line) <= _LONGEST and (bare := line.strip(_SIGNS)):
            start = at + line.index(bare)  # before it stand signs alone, and it begins with none
            results.append(TextLine(at, start, start + len(bare), bare, bare[:24].lower()))
        at += len(line) + 1
    return tuple(results)


MOST = 50
"""The most greetings of one text that are examined."""

# A greeting opens a line or a sentence; looking nowhere else keeps the search cheap.
_OPENING = LazyPattern('[\n.!?>…:;,("“”«»—–*_#\ufdd0-][ \t\u00a0]{0,8}(\\w+)')
_FIRST = LazyPattern("[ \t\u00a0]{0,8}(\\w+)")
_TITLE = (
    r"(?:(?:mr|mrs|ms|dr|m|mme|monsieur|madame|herr|frau|herrn|señor|señora|sr|sra|sig|pan|pani)\.?[ \t]{1,4})?"
)


@cache
def _phrases() -> dict[str, re.Pattern[str]]:
    """Return the patterns of the greetings by their first word, in small letters."""
    groups: dict[str, list[str]] = {}
    for phrase in (phrase for _, rest in lines("greeting") for phrase in rest.split()):
        groups.setdefault(phrase.split("_")[0], []).append(phrase)
    return {first: _pattern(phrases) for first, phrases in groups.items()}


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    either = "|".join(sorted(map(re.escape, phrases), key=len, reverse=True)).replace("_", r"[ \t]")
    return re.compile(rf"(?i)(?:{either})(?:[,，](?=[ \t]{{1,2}}\w))?[ \t\u00a0]{{1,8}}{_TITLE}")


def greetings(text: str) -> tuple[int, ...]:
    """Return the positions after each greeting, with its space and a title: where a name is expected."""
    phrases = _phrases()
    results: list[int] = []
    first = _FIRST.match(text)
    openings = _OPENING.finditer(text, first.end() if first else 0)
    for opening in chain((first,) if first else (), openings):
        pattern = phrases.get(opening[1].lower())
        if pattern and (match := pattern.match(text, opening.start(1))):
            results.append(match.end())
            if len(results) == MOST:
                break
    return tuple(results)


# A noncharacter (Unicode 23.7) that masks a variable in a view: no text uses it for anything else.
COVER = "\ufdd0"
_LONG = 4_000
_NONE: Iterator[re.Match[str]] = iter(())


class Edit(NamedTuple):
    """``start`` to ``end`` of the view before became the ``size`` characters at ``at``."""

    start: int
    end: int
    at: int
    size: int


class TextView:
    """One view of a text; ``parent`` is the view that it was made from."""

    def __init__(self, name: str, text: str, *, parent: TextView | None = None) -> None:
        self.name = name
        self.text = text
        self._parent = parent

    @cached_property
    def lower(self) -> str:
        """The text in small letters, to tell quickly what cannot occur in it; its length may differ."""
        return self.text.lower()

    @cached_property
    def letters(self) -> frozenset[str]:
        """The set of characters that occur in the text."""
        return frozenset(self.text)

    @cached_property
    def is_usual(self) -> bool:
        """Whether no view would change a character: then the text has this view only."""
        return self.letters <= _usual()

    @cached_property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines that could be a label or an instruction by themselves."""
        return lines_of(self.text)

    def signs_any(self, signs: str) -> bool:
        """Say whether the text has any of these characters."""
        return not self.letters.isdisjoint(signs)

    @cached_property
    def greetings(self) -> tuple[int, ...]:
        """The positions after a greeting, where a name is expected."""
        return greetings(self.text)

    def find(self, pattern: LazyPattern) -> Iterator[re.Match[str]]:
        """Return every match of a pattern, from the left."""
        return pattern.finditer(self.text) if self.may_have(pattern) else _NONE

    def may_have(self, pattern: LazyPattern) -> bool:
        """Say whether the text has what any match of a pattern has."""
        if pattern.signs and self.letters.isdisjoint(pattern.signs):
            return False
        lower, letters = self.lower, self._small_letters
        is_long = len(lower) > _LONG  # to look for a letter among the letters takes less time than in the text
        plain, marked, marks = pattern.parts
        for need in plain:
            if (not is_long or letters.issuperset(need)) and need in lower:
                return True
        if letters.isdisjoint(marks):
            return False
        return any(
            mark in letters and (not is_long or letters.issuperset(need)) and need in lower
            for mark, need in marked
        )

    @cached_property
    def _small_letters(self) -> frozenset[str]:
        return frozenset("".join(self.letters).lower())

    def find_greeted(self, pattern: LazyPattern) -> Iterator[re.Match[str]]:
        """Yield every match of a pattern that starts directly after a greeting."""
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
        # Computed only when a span has to be mapped back: most texts have no findings.
        edits = list(_EDITS[self.name](self._parent.text)) if self._parent else []
        return [edit.at for edit in edits], edits

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that ``start`` to ``end`` of this view was made from."""
        if self._parent is None:
            return start, end
        if not self._edits[0]:  # each character was replaced by one character, so positions are the same
            return self._parent.span(start, end)
        last = max(start, end - 1)
        return self._parent.span(self._place(start)[0], self._place(last)[1])

    def _place(self, index: int) -> tuple[int, int]:
        """Return the span of the parent view that one character of this view was made from."""
        starts, edits = self._edits
        position = bisect_right(starts, index) - 1
        if position < 0:
            return index, index + 1
        edit = edits[position]
        if index < edit.at + edit.size:
            return edit.start, edit.end
        before = edit.end + index - edit.at - edit.size
        return before, before + 1


def _replaced(pattern: LazyPattern, text: str, *, by: Callable[[re.Match[str]], str]) -> Iterator[Edit]:
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
    """Return the characters of the Latin script, its punctuation and a variable's cover that no view changes."""
    candidates = map(chr, (*range(0x20, 0x250), *range(0x2010, 0x2040), 0x20AC))
    stay = (
        candidate
        for candidate in candidates
        if fold(candidate) == candidate and candidate not in "&<" and not INVISIBLE.match(candidate)
    )
    return frozenset((COVER, "\n", "\r", "\t", *stay))


def _decoded(view: TextView) -> str:
    return ENTITY.sub(_character, view.text) if "&" in view.letters else view.text


def _untagged(view: TextView) -> str:
    return TAG.sub(without, view.text) if "<" in view.letters else view.text


def _visible(view: TextView) -> str:
    return INVISIBLE.sub("", view.text) if INVISIBLE.search("".join(view.letters)) else view.text


def _likened(view: TextView) -> str:
    letters = "".join(view.letters)
    return view.text if fold(letters) == letters else fold(view.text)


def _character(entity: re.Match[str]) -> str:
    return decode(entity[0])


def _nothing(_: re.Match[str]) -> str:
    return ""


_CHANGES: dict[str, Callable[[TextView], str]] = {
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


def views_of(text: str, *, covered: bool = True) -> tuple[TextView, ...]:
    """Return the views of a text, raw first; with ``covered`` false the variables stay as they are."""
    clean = text.replace(COVER, "\ufffd")
    views = [TextView("raw", _covered(clean) if covered else clean)]
    if views[0].is_usual:
        return (views[0],)
    for name, change in _CHANGES.items():
        changed = change(views[-1])
        if changed != views[-1].text:
            views.append(TextView(name, changed, parent=views[-1]))
    return tuple(views)
