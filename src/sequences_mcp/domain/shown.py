"""A plan as a person is shown it: values that dialog, terminal, page and panel lay out, each in its own form."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby

from sequences_mcp.domain.blueprint import Sourcing, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import person_digest
from sequences_mcp.domain.findings import Finding
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import OPEN, Plan
from sequences_mcp.domain.records import PlanTally
from sequences_mcp.domain.run import Run, SequenceStatus, StepRun
from sequences_mcp.lazy_dataclasses import dataclass

DIGEST_PREFIX = 16  # hexadecimal digits of a digest by which a panel reports a text as read
MANY = 50  # people above which their number is stated with an approval


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One step for all people: its delay, when it is due for the first person, how many people it reaches.

    ``reach_words`` says that in words; in a plan that was decided, what became of the step. ``x`` is its
    coordinate in the page's timeline, ``held`` that it waits for the sending window. ``shares`` is how many people
    wait for each of its variants, in words; empty where it has none.
    """

    step: Step
    number: int
    x: float
    wait: str
    when: str
    held: bool
    reaches: int
    reach_words: str
    shares: str = ""


@dataclass(frozen=True, slots=True)
class FieldSpan:
    """A part of a text; ``field`` is the label of the person's fact that was put in there, or None."""

    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShown:
    """One step's exact text for one person, with the facts that were put in marked, and its findings.

    ``subject``, and ``content`` followed by ``closing`` are the text: the latter is the signature and the line on
    how to say no. ``source`` is the text as it is edited, without these. ``digest`` is the text's: the panel
    reports its beginning once the text was on screen. ``when`` is when it is due, in words.
    """

    run: StepRun
    digest: str
    when: str
    subject: tuple[FieldSpan, ...]
    content: tuple[FieldSpan, ...]
    closing: str
    source: str
    findings: tuple[Finding, ...]
    editable: bool

    @property
    def digest_prefix(self) -> str:
        """The first digits of its digest, reported by the panel as read."""
        return self.digest[:DIGEST_PREFIX]

    @property
    def is_own(self) -> bool:
        """Whether it was written or changed for this person alone."""
        return is_own_text(self.run)


def is_own_text(run: StepRun) -> bool:
    """Say whether a text was written or changed for one person alone, and so has to be read."""
    return bool(run.text_generation) or run.step.is_written_per_contact


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShown:
    """One person of a plan.

    ``why`` is the state of their run in words; ``paused`` until when nothing is sent although the plan is
    approved; ``handed`` the facts a vendor is given, ``not_given`` the known facts it is not given; ``warnings``
    all that an approval covers about them; ``fields`` the facts that are put into their texts, with their labels;
    ``texts`` is empty where only a list of people is shown.
    """

    sequence: Run
    contact: Contact
    why: str
    paused: datetime | None
    handed: str
    not_given: tuple[str, ...]
    warnings: tuple[Finding, ...]
    fields: tuple[tuple[str, str], ...]
    texts: tuple[TextShown, ...] = ()

    @property
    def digest_prefix(self) -> str | None:
        """The first digits of the digest of what a vendor is given, reported by the panel as read; or None."""
        return person_digest(self.sequence).hex()[:DIGEST_PREFIX] if self.sequence.is_at_vendor else None

    @property
    def has_own_text(self) -> bool:
        """Whether one of their texts was written or changed for them alone."""
        return any(map(is_own_text, self.sequence.steps))

    @property
    def is_out(self) -> bool:
        """Whether they were taken out of the plan."""
        return self.sequence.status in (SequenceStatus.REFUSED, SequenceStatus.STOPPED_EARLY)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The warnings that belong to no step: about the person's facts or address."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One person of a plan in the list; ``unread``: has a text to be read that was not opened."""

    person: PersonShown
    group: str
    unread: bool

    @property
    def facts(self) -> str:
        """Their title and company."""
        contact = self.person.contact
        return ", ".join(filter(None, (contact.job_title, contact.company)))

    @property
    def address(self) -> str:
        """Where the first step reaches them."""
        sequence, contact = self.person.sequence, self.person.contact
        if sequence.steps:
            return sequence.steps[0].recipient or "no address for the first step"
        return contact.email or contact.linkedin_url or contact.phone or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleBeside:
    """The list of a plan's people as it is shown beside one of them, and where to go from there.

    ``person`` is None for a plan without people, or where no one meets the conditions of the list. ``unread`` is
    how many people have a text to be read that was not opened. ``before``, ``after`` and ``turn``, whose turn it
    is to be read, are ids of runs.
    """

    people: Page[PersonRow]
    person: PersonShown | None
    before: str | None
    after: str | None
    unread: int
    turn: str | None

    @property
    def groups(self) -> list[tuple[str, list[PersonRow]]]:
        """The people of this page under the headings of what is special about them."""
        return [(group, list(rows)) for group, rows in groupby(self.people.items, key=lambda row: row.group)]


@dataclass(frozen=True, slots=True)
class DutyShown:
    """A condition of approving a plan; ``done`` None: it is checked when the person approves."""

    words: str
    done: bool | None
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """A plan and what is shown about all of its people; ``first`` is the person others are compared with.

    ``warnings`` is how many an approval covers; ``findings`` are about the blueprint's texts; ``accounts`` is what
    has to be connected at a vendor; ``not_given`` the known facts about the first person that it is not given.
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
    def ready(self) -> bool:
        """Whether nothing is known to be left to do before an approval."""
        return all(duty.done is not False for duty in self.duties)

    @property
    def many(self) -> bool:
        """Whether an approval states how many people it concerns."""
        return self.tally.concerned > MANY


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRequest:
    """What a panel wants to see of a plan: one person by the id of their run, or the first of a page of the list.

    The list is searched for ``search``; ``show`` is a kind of people, empty for everybody. With nothing said it is
    whose turn it is to be read.
    """

    person: str = ""
    page: int = 1
    search: str = ""
    show: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A one-time challenge for a proof of the passphrase.

    ``salt`` is hexadecimal, ``derivation`` is ``scrypt:N:r:p:salt``.
    """

    nonce: str
    salt: str
    derivation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelShown:
    """A plan in a panel, with its people beside one of them. Without a ``challenge`` it cannot be approved there:
    ``elsewhere`` says why.
    """

    shown: PlanShown
    beside: PeopleBeside
    challenge: Challenge | None
    elsewhere: str
