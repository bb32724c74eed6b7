"""Word by word differences of two texts, with a bounded cost.

Myers' greedy algorithm ("An O(ND) Difference Algorithm and Its Variations", Algorithmica 1, 1986): the cost grows
with the number of differences, and is given up above a number at which nobody reads a text by its differences.
Python's SequenceMatcher takes minutes for two texts of 800 words that have only their spaces in common.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from itertools import pairwise

from sequences_mcp.lazy_dataclasses import dataclass

MOST_EDITS = 60


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """Words ``before`` of one text that are, or were replaced by, the words ``after`` of another."""

    same: bool
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def text(self) -> str:
        """The span's part of the second text."""
        return "".join(self.after)

    @property
    def differs(self) -> bool:
        """Whether the first text differs in this span."""
        return not self.same


def diff_spans(before: Items[str], after: Items[str], *, most: int = MOST_EDITS) -> list[DiffSpan] | None:
    """Return both texts as spans that are the same or differ; None above ``most`` deleted and inserted words."""
    results = _furthest(before, after, most)
    if results is None:
        return None
    pairs = [(0, 0), *_matches(results, len(before), len(after)), (len(before), len(after))]
    made: list[DiffSpan] = []
    for (a, c), (b, d) in pairwise(pairs):
        if b > a or d > c:
            is_match = b - a == d - c and list(before[a:b]) == list(after[c:d])
            made.append(DiffSpan(is_match, tuple(before[a:b]), tuple(after[c:d])))
    return _joined(made)


def _furthest(before: Items[str], after: Items[str], most: int) -> list[dict[int, int]] | None:
    """Return, for each number of edits, the furthest x of each diagonal; None above ``most`` edits."""
    reached, trace = {1: 0}, []
    for edits in range(most + 1):
        # A copy of the furthest points before each round; the path is read backwards from these.
        trace.append(dict(reached))
        for diagonal in range(-edits, edits + 1, 2):
            x = _step(reached, diagonal, edits)
            while x < len(before) and x - diagonal < len(after) and before[x] == after[x - diagonal]:
                x += 1
            reached[diagonal] = x
            if x >= len(before) and x - diagonal >= len(after):
                return trace
    return None


def _step(reached: dict[int, int], diagonal: int, edits: int) -> int:
    down = diagonal == -edits or (diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1])
    return reached[diagonal + 1] if down else reached[diagonal - 1] + 1


def _matches(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """Return the corners of the path, the first one first."""
    corners = []
    for edits in range(len(trace) - 1, -1, -1):
        diagonal = x - y
        start = _step(trace[edits], diagonal, edits)
        # A diagonal: equal words between the two points.
        if x > start:
            corners += [(x, y), (start, start - diagonal)]
        if edits == 0:
            break
        x, y = start, start - diagonal
        down = diagonal == -edits or (
            diagonal != edits and trace[edits][diagonal - 1] < trace[edits][diagonal + 1]
        )
        x, y = (x, y - 1) if down else (x - 1, y)
    return corners[::-1]


def _joined(made: list[DiffSpan]) -> list[DiffSpan]:
    joined: list[DiffSpan] = []
    for span in made:
        if joined and joined[-1].same == span.same:
            last = joined.pop()
            span = DiffSpan(span.same, last.before + span.before, last.after + span.after)
        joined.append(span)
    return joined
