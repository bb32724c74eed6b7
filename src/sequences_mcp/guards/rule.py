"""The type of a rule, and the kinds of values that rules apply to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from sequences_mcp.domain.findings import Severity
from sequences_mcp.guards.lookalikes import key
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.words import lines
from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Step


class Fact(StrEnum):
    """The kind of a value: part of a name, a title, a company, a place, an address or number, a note, or other."""

    FIRST = "first"
    LAST = "last"
    FULL = "full"
    TITLE = "title"
    COMPANY = "company"
    PLACE = "place"
    REACH = "reach"
    NOTE = "note"
    OTHER = "other"


PERSON = frozenset({Fact.FIRST, Fact.LAST, Fact.FULL})
SHORT = frozenset({*PERSON, Fact.TITLE, Fact.COMPANY, Fact.PLACE, Fact.OTHER})
"""The kinds that are a few words inside a sentence."""


class Value(NamedTuple):
    """A value and what it is."""

    text: str
    fact: Fact = Fact.OTHER


@cache
def _facts() -> dict[str, Fact]:
    return {key(name): Fact(fact) for fact, names in lines("fact") for name in names.split()}


@lru_cache(maxsize=512)
def fact_of(name: str) -> Fact:
    """Return what a value of this name is: "first_name", "firstname" and "Prénom" are all a first name."""
    return _facts().get(key(name[:100]), Fact.OTHER)


Example = Literal["content", "subject", "rendered", "steps", "value", "law"]


class StepHit(NamedTuple):
    """One step that breaks a rule about steps; ``hit`` is the place in its content, if there is one."""

    step: Step
    field: str
    message: str | None = None
    hit: Hit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as data, with the function that applies it: to a text, to steps or to a value.

    ``facts`` says to which values a rule about values applies, and ``mends`` that its fix is the likely value.
    ``example`` says what ``accept`` and ``reject`` hold: texts of that field, final texts, values, or steps as
    JSON in which the fields that do not matter are left out; of ``law`` a first message, and whom it is to.
    ``source`` is where the rule comes from: Kalent, a standard, or ourselves. ``signs``, where given, are
    characters of which every hit has at least one, in some view: a text without them is skipped.
    """

    id: str
    severity: Severity
    message: str
    accept: tuple[str, ...]
    reject: tuple[str, ...]
    source: str
    example: Example = "content"
    check: Callable[[GuardedText], Iterable[Hit]] | None = None
    check_steps: Callable[[tuple[Step, ...]], Iterable[StepHit]] | None = None
    check_value: Callable[[Value], bool] | None = None
    facts: frozenset[Fact] = frozenset(Fact)
    mends: bool = False
    signs: frozenset[str] = frozenset()

    @property
    def layer(self) -> str:
        """The first part of the rule's id."""
        return self.id.partition(".")[0]
