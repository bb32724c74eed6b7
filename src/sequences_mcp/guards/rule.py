"""What a rule is, and what it says when it fires."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sequences_mcp.domain.finding import Severity

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Step
    from sequences_mcp.guards.policy import GuardPolicy

Looks = Literal["content", "subject", "steps", "values", "rendered"]


class Hit(NamedTuple):
    """One place where a rule fires: code points of the text as it was given, and the exact replacement if any."""

    start: int
    end: int
    fix: str | None = None
    message: str | None = None
    severity: Severity | None = None


class StepHit(NamedTuple):
    """One step that breaks a rule about steps. ``hit`` is a place in the text of ``field``, if there is one."""

    step: Step
    field: str
    message: str | None = None
    hit: Hit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as data, with the function that applies it.

    ``looks_at`` says what the examples are: a text of that field, or steps as JSON in which the fields that do
    not matter are left out. ``source`` is who asks for it: Kalent's documentation, a standard, or this product.
    """

    id: str
    severity: Severity
    message: str
    accept: tuple[str, ...]
    reject: tuple[str, ...]
    source: str
    looks_at: Looks = "content"
    check: Callable[[Any], Iterable[Hit]] | None = None
    check_steps: Callable[[tuple[Step, ...], GuardPolicy], Iterable[StepHit]] | None = None

    @property
    def layer(self) -> str:
        """The folder of the rule."""
        return self.id.partition(".")[0]
