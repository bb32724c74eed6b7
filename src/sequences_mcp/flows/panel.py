"""What a plan looks like inside a chat, and what decides about it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sequences_mcp.domain.page import Page
    from sequences_mcp.domain.plan import Plan


Decision = Literal["approve", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One step for everybody: what comes before it, when the first person's leaves, whom it reaches or reached."""

    name: str
    channel: str
    wait: str
    when: str
    told: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a text, and whether the first person's text has something else there."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShown:
    """One exact text for one person, whatever cannot be seen drawn; by its ``mark`` a panel reports it read."""

    mark: str
    name: str
    channel: str
    when: str
    recipient: str | None
    subject: tuple[Stretch, ...] | None
    content: tuple[Stretch, ...] | None
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShown:
    """One person with all their texts; ``out`` when they were taken out.

    ``handed`` is what a vendor gets; by its ``mark`` a panel reports it read.
    """

    mark: str | None
    name: str
    handed: str | None
    not_given: str | None
    out: bool
    findings: tuple[str, ...]
    texts: tuple[TextShown, ...]


@dataclass(frozen=True, slots=True)
class DutyShown:
    """One thing a person does before a yes counts."""

    words: str
    done: bool | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a proof of the passphrase answers, once.

    ``salt`` is hexadecimal, ``derivation`` is ``scrypt:N:r:p:salt``.
    """

    nonce: str
    salt: str
    derivation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """One page of a plan. Without a ``challenge`` it cannot be approved here, and ``elsewhere`` says why."""

    plan: Plan
    waiting: int
    warnings: int
    many: bool
    decidable: bool
    consequence: str
    accounts: str | None
    steps: tuple[StepShown, ...]
    findings: tuple[str, ...]
    duties: tuple[DutyShown, ...]
    people: Page[PersonShown]
    challenge: Challenge | None
    elsewhere: str
