"""One plan as a person is shown it: values that dialog, terminal, page and panel lay out, each in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sequences_mcp.domain.blueprint import Sourcing, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import person_digest
from sequences_mcp.domain.findings import Finding
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import OPEN, Plan
from sequences_mcp.domain.records import PlanTally
from sequences_mcp.domain.run import Run, SequenceStatus, StepRun
from sequences_mcp.domain.word_diff import DiffSpan

MARK = 16  # digits of a digest by which a panel reports what was on screen
MANY = 50  # people above which their number is stated with an approval


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One step for everybody: what comes before it, when the first person's leaves, how many people it reaches.

    ``told`` says whom it reaches in words: of a plan that was decided, what became of the step. ``x`` is where it
    lies in the picture of the page, ``held`` that it waits for the sending window.
    """

    step: Step
    number: int
    x: float
    wait: str
    when: str
    held: bool
    reaches: int
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShown:
    """One step's exact text for one person, its differences from somebody else's, and what was found in it.

    ``mark`` is that of its digest, by which a panel reports it read; ``when`` is when it leaves, in words.
    """

    run: StepRun
    mark: str
    when: str
    subject: tuple[DiffSpan, ...]
    content: tuple[DiffSpan, ...]
    findings: tuple[Finding, ...]
    editable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShown:
    """One person of a plan.

    ``why`` is how their run stands; ``paused`` before when nothing leaves although the plan is approved;
    ``handed`` what a vendor is given, ``not_given`` what is known here and not given to it; ``warnings`` are all
    that an approval covers about them, ``texts`` empty where they are not laid out one by one.
    """

    sequence: Run
    contact: Contact
    why: str
    paused: datetime | None
    handed: str
    not_given: tuple[str, ...]
    warnings: tuple[Finding, ...]
    texts: tuple[TextShown, ...] = ()

    @property
    def mark(self) -> str | None:
        """The mark of what a vendor is given, by which a panel reports it read; None where nothing is given."""
        return person_digest(self.sequence).hex()[:MARK] if self.sequence.is_at_vendor else None

    @property
    def is_out(self) -> bool:
        """Whether they were taken out of the plan."""
        return self.sequence.status in (SequenceStatus.REFUSED, SequenceStatus.STOPPED_EARLY)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The warnings about no step of theirs: about their facts, their address."""
        return tuple(warning for warning in self.warnings if warning.step_id is None)

    @property
    def pause_words(self) -> str | None:
        """That they stay paused after an approval, or None."""
        if self.paused is None:
            return None
        when = f"{self.paused.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"Paused: once approved, nothing is sent before {when}, unless the pause is ended."

    @property
    def not_given_words(self) -> str | None:
        """What is known here and not given to the vendor, or None."""
        facts = ", ".join(self.not_given).replace("_", " ")
        return f"Known here and not given to the vendor with a start: {facts}." if facts else None


@dataclass(frozen=True, slots=True)
class DutyShown:
    """One thing a person does before approving; ``done`` None: it is looked at when they approve."""

    words: str
    done: bool | None
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """A plan and all that is said about everybody in it; ``first`` is whom others are compared with.

    ``warnings`` is how many an approval covers, ``findings`` are about everybody's texts; ``accounts`` is what has
    to be connected at a vendor, ``not_given`` what it is not told of the first person.
    """

    plan: Plan
    tally: PlanTally
    steps: tuple[StepShown, ...]
    consequence: str
    findings: tuple[Finding, ...]
    warnings: int
    sourcing: Sourcing
    first: Run | None
    accounts: str | None
    not_given: tuple[str, ...]
    duties: tuple[DutyShown, ...] = ()

    @property
    def decidable(self) -> bool:
        """Whether a person can still reject it, and approve it once it is not void."""
        return self.plan.status in OPEN

    @property
    def many(self) -> bool:
        """Whether an approval states how many people it concerns."""
        return self.tally.concerned > MANY


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a proof of the passphrase answers, once.

    ``salt`` is hexadecimal, ``derivation`` is ``scrypt:N:r:p:salt``.
    """

    nonce: str
    salt: str
    derivation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelShown:
    """One page of a plan in a chat. Without a ``challenge`` it cannot be approved: ``elsewhere`` says why."""

    shown: PlanShown
    people: Page[PersonShown]
    challenge: Challenge | None
    elsewhere: str
