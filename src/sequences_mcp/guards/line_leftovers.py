"""What was left on a line, found by rules that look at nothing beyond it; a line that had nothing is remembered.

Most lines are the same in the texts of all people, so that a text is looked at only where it is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from sequences_mcp.domain.findings import Severity
from sequences_mcp.guards.asides import notes, reminders
from sequences_mcp.guards.dates import strange_dates
from sequences_mcp.guards.drafts import blanks, instructions, offers
from sequences_mcp.guards.model_output import leaks
from sequences_mcp.guards.samples import find_samples
from sequences_mcp.guards.views import TextView
from sequences_mcp.remembering import VALUES

_MOST_REMEMBERED = 4_096
_LONGEST_REMEMBERED = 2_000


class Kind(Enum):
    """What was left: a blank, a note, a reminder, output of a model, a date, a name of nobody."""

    BLANK = "blank"
    NOTE = "note"
    REMINDER = "reminder"
    LEAK = "leak"
    DATE = "date"
    SAMPLE = "sample"


class Leftover(NamedTuple):
    """Where it stands; ``severity`` None is the rule's own severity."""

    kind: Kind
    start: int
    end: int
    severity: Severity | None = None


class _CleanLines:
    """The lines that had nothing left on them, as many as are worth remembering."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def clear(self) -> None:
        """Forget them."""
        self._lines.clear()

    def new_of(self, lines: list[str]) -> list[str]:
        """Return those of the lines that are not remembered."""
        return [line for line in lines if line not in self._lines]

    def remember(self, lines: list[str]) -> None:
        """Remember lines, and forget all others when there are too many."""
        if len(self._lines) > _MOST_REMEMBERED:
            self._lines.clear()
        self._lines.update(dict.fromkeys(line for line in lines if len(line) <= _LONGEST_REMEMBERED))


_CLEAN = _CleanLines()
VALUES.include(_CLEAN.__len__, _CLEAN.clear)


@lru_cache(maxsize=8)  # several rules ask about each view
def leftovers(view: TextView) -> tuple[Leftover, ...]:
    """Return what the lines of a view have left on them."""
    lines = view.text.split("\n")
    new = _CLEAN.new_of(lines)
    if not new:
        return ()
    looked_at = view if len(new) == len(lines) else TextView("lines", "\n".join(new))
    leftover = tuple(_left_on(looked_at))
    if leftover:
        return leftover if looked_at is view else tuple(_left_on(view))
    _CLEAN.remember(new)
    return ()


def _left_on(view: TextView) -> Iterator[Leftover]:
    finders = (
        *((Kind.BLANK, blanks), (Kind.NOTE, instructions), (Kind.NOTE, notes), (Kind.REMINDER, reminders)),
        *((Kind.LEAK, offers), (Kind.LEAK, leaks)),
    )
    for kind, find in finders:
        yield from (Leftover(kind, *place) for place in find(view))
    for kind, find_places in ((Kind.DATE, strange_dates), (Kind.SAMPLE, find_samples)):
        yield from (Leftover(kind, *span) for span in find_places(view))
