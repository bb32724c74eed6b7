"""What a start tells whoever asked for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.finding import Finding, warnings_in
from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.person import Person
from sequences_mcp.providers.port import SequenceDetail


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Someone a plan does not contain, and why."""

    contact: Contact
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingTexts:
    """Steps of one person whose text is still to be written."""

    contact: Contact
    step_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReport:
    """A plan and what whoever asked for it should know; ``sample`` is its first person.

    ``warnings`` are what a person has to say yes to as well: about the blueprint, and about people's own data.
    """

    plan: Plan
    sample: SequenceDetail
    left_out: tuple[LeftOut, ...]
    missing_texts: tuple[MissingTexts, ...]
    zone_sources: dict[str, int]
    warnings: tuple[Finding, ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What is learnt about the people while a plan is filled."""

    warnings: dict[Finding, None]
    left_out: list[LeftOut] = field(default_factory=list)
    missing_texts: list[MissingTexts] = field(default_factory=list)
    zone_sources: Counter[str] = field(default_factory=Counter)
    saved: int = 0  # whom nobody here knew before

    def take(self, one: Person, reasons: tuple[str, ...]) -> bool:
        """Count a person and say whether they belong in the plan."""
        if reasons:
            self.left_out.append(LeftOut(one.contact, reasons))
            return False
        self.zone_sources[one.zone_source] += 1
        self.warnings |= dict.fromkeys(warnings_in(one.findings))
        if one.missing_texts:
            self.missing_texts.append(MissingTexts(one.contact, one.missing_texts))
        return True

    def report(self, plan: Plan, sample: SequenceDetail) -> StartReport:
        """Return all of it with the plan."""
        return StartReport(
            plan=plan,
            sample=sample,
            left_out=tuple(self.left_out),
            missing_texts=tuple(self.missing_texts),
            zone_sources=dict(self.zone_sources),
            warnings=tuple(self.warnings),
        )
