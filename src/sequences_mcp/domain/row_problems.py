"""What is wrong with the rows of one call: all of them told at once, the first ten in full."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.errors import InvalidArgumentsError, SequencesError

MOST = 10
LONGEST = 80
NEXT = "Correct these, or leave out what is not known; then make the same call again."


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong with one row: its position from 1, the field and its value where there is one, and a clause.

    ``remedy`` is what to do about it, where that is more than correcting it. ``error`` is what refused the row as
    a whole; it is raised itself where nothing else is wrong with the call.
    """

    position: int
    field: str | None
    value: str | None
    problem: str
    remedy: str = NEXT
    error: SequencesError | None = None

    def as_row(self) -> dict[str, object]:
        """Return what a caller is shown; other people's words stay in the value's own field, cut."""
        named = {"position": self.position, "field": self.field, "value": self.value, "problem": self.problem}
        shown: dict[str, object] = {name: value for name, value in named.items() if value is not None}
        if self.value is not None and len(self.value) > LONGEST:
            shown["value"] = f"{self.value[:LONGEST]}…"
        return shown


def refused_row(position: int, error: SequencesError) -> RowProblem:
    """Return the problem of a row that an error refused as a whole."""
    return RowProblem(position, None, None, error.message.rstrip("."), error.next_step, error)


def require_none(problems: Items[RowProblem], *, what: str) -> None:
    """Raise InvalidArgumentsError when there are problems, or the one error that there is.

    ``what`` is the name of a row: ``contact``.
    """
    if not problems:
        return
    first = problems[0]
    rows = {one.position for one in problems}
    field = f"{first.field}: " if first.field else ""
    message = f"{what} {first.position}: {field}{first.problem}."
    if len(problems) == 1 and first.error is not None:
        raise type(first.error)(message, next_step=first.remedy, data=first.error.data)
    if len(problems) > 1:
        message = f"{len(problems):,} things are wrong with {len(rows):,} of the {what}s; `problems` names them."
    raise InvalidArgumentsError(
        message,
        next_step=first.remedy if len({one.remedy for one in problems}) == 1 else NEXT,
        data={
            "problems": [one.as_row() for one in problems[:MOST]],
            **({"more": len(problems) - MOST} if len(problems) > MOST else {}),
        },
    )
