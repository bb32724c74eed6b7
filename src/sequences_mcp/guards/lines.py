"""The lines of a text that could be a label or an instruction by themselves, without the signs around them."""

from __future__ import annotations

from typing import NamedTuple

_SIGNS = " \t\r\u00a0\u3000*_#~=>+•·–—-[](){}<>«»„“”\"'‘’:：.,;!?…|/\\^`【】（）「」＜＞⟨⟩"
_LONGEST = 200


class Line(NamedTuple):
    """A line: where it begins, and its part between the signs at both ends, with where that begins and ends."""

    at: int
    start: int
    end: int
    bare: str
    start_of_bare: str
    """How that part begins, in small letters."""


def lines_of(text: str) -> tuple[Line, ...]:
    """Return the lines of a text that have something but signs on them and are short enough to be a label."""
    found: list[Line] = []
    at = 0
    for line in text.split("\n"):
        if 0 < len(line) <= _LONGEST and (bare := line.strip(_SIGNS)):
            start = at + line.index(bare)  # before it stand signs alone, and it begins with none
            found.append(Line(at, start, start + len(bare), bare, bare[:24].lower()))
        at += len(line) + 1
    return tuple(found)
