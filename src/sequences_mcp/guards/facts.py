"""What a value says about somebody, told from its name: decides which rules about values apply to it."""

from __future__ import annotations

from enum import Enum
from functools import cache, lru_cache
from typing import NamedTuple

from sequences_mcp.guards.fold import key
from sequences_mcp.guards.words import lines


class Fact(Enum):
    """What a value is: part of a name, a title, a company, a place, a way to reach somebody, a note, or else."""

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
"""The facts that are a few words in the middle of a sentence."""


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
