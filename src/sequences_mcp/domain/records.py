"""Values counted and listed for a person: tallies, e-mails, the result of due work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.entries import QueueTally
from sequences_mcp.domain.findings import Counted
from sequences_mcp.domain.run import Run, SequenceStatus, StepRun, StepState
from sequences_mcp.lazy_dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MailboxUsage:
    """From when a mailbox may be used again (None: it was never used), and which day of its use it is, from 0."""

    opens: datetime | None
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTally:
    """Counts of a plan's people: who waits (``warned`` among them), who is under way, who never began.

    ``messages`` is, step by step, how many of those an approval concerns still get it; ``steps`` how many of those
    who began have it in each state; ``statuses`` counts everybody; ``reasons`` why runs ended or wait, with what
    differs from one person to the next (addresses, ids) left out, the most frequent first. ``pauses`` is a
    fingerprint of who is paused and until when, empty for nobody: an approval is for a plan with these pauses.
    """

    waiting: int
    live: int
    warned: int
    refused: int
    messages: tuple[int, ...]
    steps: tuple[Mapping[StepState, int], ...]
    statuses: Mapping[SequenceStatus, int]
    reasons: tuple[Counted, ...] = ()
    pauses: str = ""

    @property
    def concerned(self) -> int:
        """How many people an approval of the plan concerns: those who would begin, and those it lets go on."""
        return self.waiting + self.live

    def count(self, *statuses: SequenceStatus) -> int:
        """Return how many people are in one of these statuses."""
        return sum(self.statuses.get(status, 0) for status in statuses)

    def done(self, steps: Iterable[Step], state: StepState = StepState.SENT) -> int:
        """Return how many of the plan's e-mails are in a state."""
        counts = zip(steps, self.steps, strict=False)
        return sum(results.get(state, 0) for step, results in counts if step.type is Channel.EMAIL)


@dataclass(frozen=True, slots=True)
class VariantTally:
    """How many people of a plan wait for one variant of a step, as it was planned for them.

    ``place`` is the step's, ``number`` the variant's, both from 0; ``first`` is the run of the first of them,
    ``opened`` that of one of them whose text was opened, or None.
    """

    place: int
    number: int
    people: int
    first: str
    opened: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOutShown:
    """Someone who was left out of a plan, as they were known then, and why."""

    contact_id: str | None
    name: str
    email: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningTally:
    """What was counted while a plan was made and stands in none of its runs.

    ``left_out`` is how many were left out, ``why`` the most frequent of their first reasons, ``first`` the first
    of them; ``zones`` how many time zones are known from where, ``saved`` how many nobody here knew before.
    """

    left_out: int = 0
    why: tuple[Counted, ...] = ()
    first: tuple[LeftOutShown, ...] = ()
    zones: Mapping[str, int] = field(default_factory=dict)
    saved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTally:
    """What waits for a person: plans to approve, single texts of runs under way, steps done by hand, changes
    (at a vendor, or an erasure)."""

    plans: QueueTally
    texts: QueueTally
    tasks: QueueTally
    changes: QueueTally

    @property
    def since(self) -> datetime | None:
        """Since when the oldest of all waits."""
        return min((queue.since for queue in self._queues if queue.since), default=None)

    @property
    def words(self) -> str:
        """How much of each waits; nothing where nothing does."""
        names = ("start", "text", "task", "change")
        many = ("starts", "texts", "tasks", "changes")
        answers = zip(self._queues, names, many, strict=True)
        return ", ".join(
            f"{tally.number:,} {item if tally.number == 1 else more}"
            for tally, item, more in answers
            if tally.number
        )

    @property
    def _queues(self) -> tuple[QueueTally, ...]:
        return self.plans, self.texts, self.tasks, self.changes


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMetrics:
    """Numbers about all work here, for a program that draws curves of them.

    ``steps`` counts the steps of all runs by state, ``replies`` what came back by kind; ``due`` is how many runs
    are due and not done, ``lag`` for how many seconds the first of them has been; ``waiting`` what waits for a
    person, by what it is; ``workers`` how many processes do the due work.
    """

    steps: Mapping[str, int]
    replies: Mapping[str, int]
    due: int
    lag: float
    waiting: Mapping[str, int]
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDone:
    """The result of ``work --once``.

    ``accepted``, ``refused`` and ``unknown`` count e-mails, None where no sender is set; ``to_outbox`` says that
    none left, ``in_outbox`` how many were written there while other mailboxes have a server. ``handed_over``,
    ``not_taken`` and ``unknown_at_vendor`` count people of starts at vendors, None where none is connected.
    ``waiting`` is what waits for a person now, ``next_at`` when the next thing is due, ``stops`` the troubles that
    keep things from being sent.
    """

    to_outbox: bool
    accepted: int | None = None
    in_outbox: int = 0
    refused: int = 0
    unknown: int = 0
    handed_over: int | None = None
    not_taken: int = 0
    unknown_at_vendor: int = 0
    waiting: WaitingTally
    next_at: datetime | None = None
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecord:
    """One e-mail that was given to the mail server or the outbox, or attempted, at ``tried_at``."""

    sequence: Run
    run: StepRun
    contact: Contact
    tried_at: datetime
