"""Where one person's text differs from another's, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sequences_mcp.domain.sequence import StepRun
from sequences_mcp.domain.word_diff import stretches, words
from sequences_mcp.providers.port import SequenceDetail

ALIKE = 0.5
MOST_CHANGES = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text, and whether the other person's text has something else there."""

    text: str
    differs: bool


def segments(text: str, other: str | None) -> tuple[Segment, ...]:
    """Return a text in stretches; without another text, or with one that is very different, one stretch."""
    if other is None or text == other:
        return (Segment(text, False),)
    mine = words(text)
    found = stretches(words(other), mine)
    if found is None:
        return (Segment(text, True),)
    return tuple(Segment("".join(mine[one.c : one.d]), not one.same) for one in found if one.c < one.d)


def changes(detail: SequenceDetail, first: SequenceDetail) -> tuple[str, ...] | None:
    """Return the words in which a person's texts differ from the first one's; None where they are another text."""
    found: dict[str, None] = {}
    for run, other in zip(detail.sequence.steps, first.sequence.steps, strict=True):
        for text, basis in zip(_parts(run), _parts(other), strict=True):
            told = _replaced(text, basis)
            if told is None:
                return None
            found |= dict.fromkeys(told)
    return tuple(found)[:MOST_CHANGES]


def _replaced(text: str, other: str) -> list[str] | None:
    if text == other:
        return []
    head, tail = _shared(text, other)
    parts = segments(text[head : len(text) - tail], other[head : len(other) - tail])
    same = head + tail + sum(len(part.text) for part in parts if not part.differs)
    if same < ALIKE * max(len(text), len(other)):
        return None
    return [part.text.strip() for part in parts if part.differs and part.text.strip()]


def _shared(text: str, other: str) -> tuple[int, int]:
    """Return how many characters both share at their beginning and at their end, up to whole words."""
    shortest = min(len(text), len(other))
    head = next((i for i in range(shortest) if text[i] != other[i]), shortest)
    head = text.rfind(" ", 0, head) + 1
    most = shortest - head
    tail = next((i for i in range(most) if text[-1 - i] != other[-1 - i]), most)
    gap = text.find(" ", len(text) - tail)
    return head, (len(text) - gap if tail and gap >= 0 else 0)


def _parts(run: StepRun) -> Iterator[str]:
    yield run.subject or ""
    yield run.content or ""
