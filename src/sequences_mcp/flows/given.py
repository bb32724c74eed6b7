"""The one door for values that may end in a message: overrides, facts, notes and what a blueprint is about.

Every reader of a tool's arguments passes its values through here, whoever carries the sequence out. What is only
doubtful is not refused: whoever approves sees it as a warning beside the text that holds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Items
from typing import NamedTuple

from sequences_mcp.domain.finding import Finding, errors_in
from sequences_mcp.domain.row_problems import RowProblem
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.guards.check import check_value
from sequences_mcp.guards.policy import GuardPolicy

MOST = 10
LONGEST = 80


class Given(NamedTuple):
    """A value as a caller gave it: ``where`` is nothing or ``contact 3``, ``name`` the field, as it is called.

    ``position`` is that of its row, from 1; 0 where there are no rows.
    """

    where: str
    name: str
    value: str | None
    position: int = 0


def unsound(given: Iterable[Given], *, policy: GuardPolicy) -> list[tuple[Given, Finding]]:
    """Return the values that the guards refuse, each with the first reason. A blank value is none."""
    return [
        (one, errors[0])
        for one in given
        if not is_blank(one.value) and (errors := errors_in(check_value(one.name, one.value or "", policy=policy)))
    ]


def refused_value(given: Given, found: Finding) -> RowProblem:
    """Return a value that the guards refuse as a problem of its row."""
    return RowProblem(given.position, given.name, given.value, found.message.rstrip("."))


def require_sound(given: Iterable[Given], *, policy: GuardPolicy) -> None:
    """Raise RefusedByGuardsError when a value is a placeholder, a template's token or holds invisible text.

    Its data names the first ten, each with its place, and how many more there are. A blank value is none.
    """
    require_none_unsound(unsound(given, policy=policy))


def require_none_unsound(bad: Items[tuple[Given, Finding]]) -> None:
    """Raise RefusedByGuardsError when ``unsound`` found something."""
    if not bad:
        return
    rows = [_row(one, found) for one, found in bad[:MOST]]
    raise RefusedByGuardsError(
        f"The guards refuse {len(bad):,} {'value' if len(bad) == 1 else 'values'}: "
        f"{'; '.join(filter(None, dict.fromkeys(_place(one) for one, _ in bad[:MOST])))}.",
        next_step="Nothing was done. Give the real value, or leave the field out; `values` says what is wrong.",
        data={"values": rows, **({"more": len(bad) - MOST} if len(bad) > MOST else {})},
    )


def doubts(given: Iterable[Given], *, policy: GuardPolicy) -> tuple[str, ...]:
    """Return what is doubtful about values that are not refused, each with its likely value where there is one."""
    return tuple(
        found.message + (f" Likely: {found.fix}." if found.fix else "")
        for one in given
        if not is_blank(one.value)
        for found in check_value(one.name, one.value or "", policy=policy)
    )


def _row(one: Given, found: Finding) -> dict[str, str]:
    value = one.value or ""
    shown = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    return {
        "place": _place(one),
        "value": shown,
        "rule": found.rule,
        "why": found.message.removeprefix(f"{{{{{one.name}}}}}: "),
    }


def _place(one: Given) -> str:
    return f"{one.where}: {one.name}" if one.where else one.name
