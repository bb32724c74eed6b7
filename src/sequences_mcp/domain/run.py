"""One contact's run of one blueprint version, and the state of each of its steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sequences_mcp.domain.blueprint import Channel, Sourcing, variant_letter
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.making import quickly_made
from sequences_mcp.domain.markdown import letter_of
from sequences_mcp.lazy_dataclasses import dataclass, field

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Step
    from sequences_mcp.domain.findings import Finding


class SequenceStatus(StrEnum):
    """Topo's nine statuses, used for every provider."""

    FOUND = "FOUND"
    ACTIVE = "ACTIVE"
    WAITING_FOR_LEAD = "WAITING_FOR_LEAD"
    WAITING_FOR_USER = "WAITING_FOR_USER"
    COMPLETED = "COMPLETED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED_EARLY = "STOPPED_EARLY"
    REFUSED = "REFUSED"


TERMINAL = frozenset(
    {
        SequenceStatus.COMPLETED,
        SequenceStatus.SUCCEEDED,
        SequenceStatus.FAILED,
        SequenceStatus.STOPPED_EARLY,
        SequenceStatus.REFUSED,
    }
)
LIVE = frozenset({SequenceStatus.ACTIVE, SequenceStatus.WAITING_FOR_LEAD, SequenceStatus.WAITING_FOR_USER})


class StepState(StrEnum):
    """The state of one step.

    An e-mail goes planned → claimed → handed_over → sent; instead of sent, ``failed``, or ``unknown`` when it
    cannot be known whether the server accepted it. Any other channel goes planned → open → done. ``held`` waits,
    for the recorded reason; ``skipped`` and ``cancelled`` steps are never executed.
    """

    PLANNED = "planned"
    HELD = "held"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


OVER = frozenset({StepState.SENT, StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED})
IN_FLIGHT = frozenset({StepState.CLAIMED, StepState.HANDED_OVER})
BEGUN = frozenset({StepState.SENT, StepState.DONE, StepState.UNKNOWN})
"""States of a step that its person has heard of, or may have."""

MORE_EMAILS, MORE_PHONES, AND = "more e-mail addresses", "more phone numbers", ", "
"""Keys of ``Run.vendor_facts`` for a person's further addresses and numbers, and what joins these."""
TALENT = "talent"
"""Key of ``Run.vendor_facts`` for the vendor's id of the candidate, where one person may be several candidates."""


TO_OUTBOX = "written to "
"""Prefix of ``server_reply`` for an e-mail that became a file; a mail server's reply begins with its code."""


class StopReason(StrEnum):
    """Why a person stopped a sequence."""

    WIN = "WIN"
    LOSE = "LOSE"


class StopScope(StrEnum):
    """Which sequences stop: this one, or every live one of the same blueprint at the same company."""

    CONTACT = "CONTACT"
    COMPANY = "COMPANY"


class ReplyKind(StrEnum):
    """What a contact replied, on any channel, or what came of them in the end, which counts in reports.

    ``replied``: in any words; ``interested`` and ``not_interested``: so somebody judged them; ``opt_out``: never
    contact me again; ``out_of_office``: away until a date; ``won`` and ``lost``: also of a run that is over.
    """

    REPLIED = "replied"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    OPT_OUT = "opt_out"
    OUT_OF_OFFICE = "out_of_office"
    WON = "won"
    LOST = "lost"


POSITIVE = frozenset({ReplyKind.REPLIED, ReplyKind.INTERESTED, ReplyKind.WON})
"""Answers that end a run as what it was for."""


class TaskOutcome(StrEnum):
    """What became of a task: done; an invitation that was accepted; or skipped."""

    DONE = "done"
    ACCEPTED = "accepted"
    SKIPPED = "skipped"


_DRAWN = {"a": "u", **{f"h{level}": "b" for level in range(1, 7)}}
_TAG = re.compile(r"<(/?)(a|h[1-6])(?: [^<>]*)?>")  # of our own HTML, in which every other < and > is an entity


def _drawn(html: str) -> str:
    return _TAG.sub(lambda match: f"<{match[1]}{_DRAWN[match[2]]}>", html)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of one run, with the exact text this person gets.

    ``key`` is a ULID: the run is ``local:task_<key>`` as a task and ``local:draft_<key>`` as a text to review.
    ``server_reply`` is what the mail server said last, in its own words. ``generation`` rises with each edit of
    the text, so that a message id names one text; ``same_as`` is the first generation that had this very text,
    where that is an earlier one. ``reason`` says why a step is held, failed or unknown, ``until`` when a hold
    ends by itself. ``content`` is None while a text that is written per contact is still missing. ``anchor`` is
    ``executed_at`` moved by the pauses since: the instant from which an invitation's timeout is counted.
    ``variant`` is which of the step's texts this person was given, from 0; ``step`` has that one as its own.
    """

    key: str
    step: Step
    recipient: str | None
    subject: str | None
    content: str | None
    generation: int = 0
    state: StepState = StepState.PLANNED
    reason: str | None = None
    until: datetime | None = None
    executed_at: datetime | None = None
    accepted_at: datetime | None = None
    anchor: datetime | None = None
    lease: int | None = None
    lease_expires_at: datetime | None = None
    message_id: str | None = None
    server_reply: str | None = None
    same_as: int | None = None
    variant: int | None = None

    @property
    def letter(self) -> str | None:
        """The letter of their variant, where the step has several."""
        return None if self.variant is None else variant_letter(self.variant)

    @property
    def has_variant_text(self) -> bool:
        """Whether the text is still that of their variant, not one that was changed for them."""
        return self.variant is not None and not self.text_generation

    @property
    def readable(self) -> str | None:
        """The text as its recipient reads it: of Markdown the plain part, which says what the HTML says."""
        return self.content if self.content is None or not self.step.is_markdown else letter_of(self.content).plain

    @property
    def drawn(self) -> str:
        """The HTML of a text in Markdown for a page of ours: links are underlined words, headings bold lines."""
        return _drawn(letter_of(self.content or "").html)

    @property
    def text_generation(self) -> int:
        """The first generation with this very text: 0 is the text as it was planned."""
        return self.generation if self.same_as is None else self.same_as

    @property
    def answer(self) -> str | None:
        """What the mail server replied last, unless the step is planned again; a stranger's words."""
        return (
            None
            if self.is_in_outbox or self.state in (StepState.PLANNED, StepState.SKIPPED)
            else self.server_reply
        )

    @property
    def is_in_outbox(self) -> bool:
        """Whether its e-mail was written to the outbox folder, which reaches nobody."""
        return self.state is StepState.SENT and (self.server_reply or "").startswith(TO_OUTBOX)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in this step."""
        return self.state in OVER


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One contact's run, number ``ordinal`` (from 0) of its plan.

    ``anchor`` is the instant from which the current step's delay is counted: when the step before was executed or
    skipped (at first, when the sequence was started), moved by the pauses since. ``time_zone`` is one IANA name,
    or several with commas where the contact's is known only as one of them. ``warnings`` is how many findings
    about this person alone whoever approves the plan is shown: ``findings``, which an older program did not keep.
    ``digest_version`` is that of its plan.

    ``provider`` is who carries it out. For a vendor ``vendor_facts`` is exactly what it is given about this person
    (covered by the plan's digest), ``remote_id`` the id under which it is read there, ``operation_id`` the write
    that hands it over.
    """

    id: str
    plan_id: str
    blueprint_id: str
    blueprint_version: int
    contact_id: str
    status: SequenceStatus
    ordinal: int
    steps: tuple[StepRun, ...]
    created_at: datetime
    updated_at: datetime
    anchor: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    stop_reason: StopReason | None = None
    time_zone: str = "UTC"
    warnings: int = 0
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    provider: str = LOCAL
    vendor_facts: Mapping[str, str] = field(default_factory=dict)
    remote_id: str | None = None
    operation_id: str | None = None
    digest_version: int = 1

    @property
    def is_at_vendor(self) -> bool:
        """Whether a vendor executes it: the embedded engine must never change its state."""
        return self.provider != LOCAL

    @property
    def address(self) -> str | None:
        """The e-mail address it writes to, as far as it is known here."""
        if self.is_at_vendor:
            return self.vendor_facts.get("email")
        mails = (run.recipient for run in self.steps if run.step.type is Channel.EMAIL)
        return next(filter(None, mails), None)

    @property
    def queue(self) -> str:
        """``mailbox`` where an e-mail of ours is what happens next, else ``free``."""
        run = self.current
        sends = (
            not self.is_at_vendor
            and self.status is SequenceStatus.ACTIVE
            and run is not None
            and run.step.type is Channel.EMAIL
            and run.state not in IN_FLIGHT
        )
        return "mailbox" if sends else "free"

    @property
    def emails_given(self) -> tuple[str, ...]:
        """Every e-mail address that a vendor is given of this person."""
        return tuple(
            filter(None, [self.vendor_facts.get("email"), *self.vendor_facts.get(MORE_EMAILS, "").split(AND)])
        )

    @property
    def ids_given(self) -> tuple[str, ...]:
        """The vendor's own ids of this person, as far as they are known."""
        return tuple(value for value in self.vendor_facts.values() if value.startswith(f"{self.provider}:"))

    @property
    def is_handed_over(self) -> bool:
        """Whether the vendor was asked to enrol it: it has it, may have it, or the request is under way."""
        return self.operation_id is not None

    @property
    def waits_for_plan(self) -> bool:
        """Whether nothing of it has begun. FOUND alone does not say so: a vendor may report its runs as FOUND."""
        return self.status is SequenceStatus.FOUND and self.operation_id is None

    @property
    def has_unknown_outcome(self) -> bool:
        """Whether it is unknown if the vendor has it: the request is under way, or its answer was lost."""
        # A run whose request is under way, or was left unanswered, is ACTIVE with a reason.
        waits = self.status is SequenceStatus.ACTIVE and self.reason is not None
        is_open = waits or self.status is SequenceStatus.WAITING_FOR_USER
        return self.operation_id is not None and self.remote_id is None and is_open

    @property
    def steps_done(self) -> int:
        """How many steps were carried out: sent, or done by hand."""
        return sum(run.state in (StepState.SENT, StepState.DONE) for run in self.steps)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in it."""
        return self.status in TERMINAL

    def place_of(self, run: StepRun) -> str:
        """Return a step's place and channel for a sentence; its name and id were written by strangers."""
        place = next(number for number, step in enumerate(self.steps, 1) if step.key == run.key)
        return f"step {place} of {len(self.steps)} ({run.step.type})"

    @property
    def current(self) -> StepRun | None:
        """The first step that is not over, or None."""
        return next((run for run in self.steps if not run.is_over), None)

    def before(self, step_id: str) -> tuple[Step, ...]:
        """Return the steps that come before the step with this id."""
        return tuple(run.step for run in self.steps_before(step_id))

    def steps_before(self, step_id: str) -> tuple[StepRun, ...]:
        """Return the same with what became of each."""
        ids = [run.step.id for run in self.steps]
        return self.steps[: ids.index(step_id)]

    @property
    def last_step_executed_at(self) -> datetime | None:
        """When a step was last executed, or None; not when one was skipped or failed."""
        carried_out = (StepState.SENT, StepState.DONE)
        done = (run.executed_at for run in self.steps if run.executed_at and run.state in carried_out)
        return max(done, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorStep:
    """One step of a run as a vendor generated it, in the vendor's own words."""

    channel: str | None
    provider_status: str | None
    scheduled_for: datetime | None
    subject: str | None
    content: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """One text about to be sent, for the last check; ``sourcing`` is that of the run's blueprint version.

    ``is_approved`` says that a person approved this text itself, not only its plan; ``covered`` are the warnings
    about everybody that the approval of its plan covers.
    """

    sequence: Run
    run: StepRun
    contact: Contact
    sourcing: Sourcing
    is_approved: bool
    covered: tuple[str, ...] = ()
