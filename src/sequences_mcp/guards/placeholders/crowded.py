"""More brackets than a person would write, which are therefore not judged one by one."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.brackets import MOST
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return the whole text when its brackets are too many."""
    if any(view.squares.is_cut or view.braces.is_cut for view in text.views):
        yield Hit(0, len(text.original))


RULE = Rule(
    id="placeholders.crowded",
    severity=Severity.ERROR,
    message=f"There are more than {MOST} brackets in this text: it is not one to send.",
    accept=("[1] " * MOST,),
    reject=("[1] " * (MOST + 1), "{" * (MOST + 1)),
    source="ours",
    check=check,
)
