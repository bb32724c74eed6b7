"""What a rule is, and what it says when it fires."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import Fact

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Step
    from sequences_mcp.guards.facts import Value
    from sequences_mcp.guards.text import Text

Field = Literal["content", "subject"]
Example = Literal["content", "subject", "rendered", "steps", "value"]


class Hit(NamedTuple):
    """One place where a rule fires: code points of the text as it was given, and the exact replacement if any."""

    start: int
    end: int
    fix: str | None = None
    message: str | None = None
    severity: Severity | None = None


class StepHit(NamedTuple):
    """One step that breaks a rule about steps; ``hit`` is the place in its content, if there is one."""

    step: Step
    field: str
    message: str | None = None
    hit: Hit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as data, with the function that applies it: to a text, to steps or to a value.

    ``facts`` says to which values a rule about values applies, and ``mends`` that
    its fix is the likely value. ``example`` says what ``accept`` and ``reject``
    hold: texts of that field, final texts, values, or steps as JSON in which the fields that do not matter are
    left out. ``source`` is who asks for it: Kalent, a standard, or ourselves. ``signs``, where given, are
    characters of which any place found has at least one, in some view: a text without them is not looked at.
    """

    id: str
    severity: Severity
    message: str
    accept: tuple[str, ...]
    reject: tuple[str, ...]
    source: str
    example: Example = "content"
    check: Callable[[Text], Iterable[Hit]] | None = None
    check_steps: Callable[[tuple[Step, ...]], Iterable[StepHit]] | None = None
    check_value: Callable[[Value], bool] | None = None
    facts: frozenset[Fact] = frozenset(Fact)
    mends: bool = False
    signs: frozenset[str] = frozenset()

    @property
    def layer(self) -> str:
        """The folder of the rule."""
        return self.id.partition(".")[0]
