"""What came of blueprints: counts of people and messages, shares with their intervals, subjects compared.

``blueprint_report`` is pure: rows of runs in, counts out. docs/report.md says what each count means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import date, datetime, timedelta
from math import sqrt

from sequences_mcp.domain.blueprint import Blueprint, Step, variant_letter
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.run import ReplyKind, SequenceStatus, StepState, StopReason
from sequences_mcp.lazy_dataclasses import dataclass, replace

CARRIED_OUT = frozenset({StepState.SENT, StepState.DONE})
NEVER = frozenset({StepState.SKIPPED, StepState.CANCELLED})
ANSWERS = frozenset({"reply", ReplyKind.REPLIED, ReplyKind.INTERESTED, ReplyKind.NOT_INTERESTED})
"""Kinds, as they are stored, of somebody's own words that do not ask to be left alone."""
OPT_OUTS = frozenset({ReplyKind.OPT_OUT, "complaint"})
AWAY = frozenset({"away", ReplyKind.OUT_OF_OFFICE})
BOUNCE = "hard_bounce"
_INTEREST: Mapping[str, bool] = {
    ReplyKind.INTERESTED: True,
    ReplyKind.WON: True,
    ReplyKind.NOT_INTERESTED: False,
}
_ENDINGS: Mapping[str, StopReason] = {
    ReplyKind.WON: StopReason.WIN,
    ReplyKind.LOST: StopReason.LOSE,
    ReplyKind.NOT_INTERESTED: StopReason.LOSE,
}
LEAST = 20
"""Of fewer people than that nothing is told from a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry:
    """One step of a run as it is counted: when it was carried out, and whether that reached nobody.

    ``was_refused``: a mail server refused this e-mail, because of whom it was for or what it said. ``variant`` is
    which of the step's texts it had, from 0: None where there is one, and where it was changed for this person.
    """

    place: int
    state: StepState
    at: datetime | None = None
    in_outbox: bool = False
    was_refused: bool = False
    variant: int | None = None

    @property
    def is_sent(self) -> bool:
        """Whether it reached the person: an e-mail that a server took, or a task that was done."""
        return self.state in CARRIED_OUT and not self.in_outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEntry:
    """Something that came back about a run; ``place`` is the step that it names, ``by_hand`` that it was recorded.

    ``at`` is when it was read or recorded, ``dated`` what its writer's clock says.
    """

    kind: str
    at: datetime
    dated: datetime | None = None
    place: int | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One run, or a ``number`` of runs that are alike, with all that is counted of it.

    ``has_begun``: its plan was approved and it began, or its vendor was given it. ``replied_at``,
    ``last_executed_at`` and ``read_at`` are what a vendor told, and when it was asked.
    """

    blueprint_id: str
    version: int
    provider: str
    status: SequenceStatus
    has_begun: bool
    stop_reason: StopReason | None = None
    steps: tuple[StepEntry, ...] = ()
    received: tuple[ReceivedEntry, ...] = ()
    replied_at: datetime | None = None
    last_executed_at: datetime | None = None
    read_at: datetime | None = None
    number: int = 1

    @property
    def first_answer(self) -> ReceivedEntry | None:
        """The first of the answers that are known, or None; what came is before what is noted about it."""
        answers = (entry for entry in self.received if entry.kind in ANSWERS)
        return min(answers, key=lambda entry: (entry.at, entry.by_hand), default=None)

    @property
    def is_answered(self) -> bool:
        """Whether the person answered, other than by asking to be left alone."""
        return (
            self.first_answer is not None or self.status is SequenceStatus.SUCCEEDED or self.replied_at is not None
        )

    @property
    def is_interested(self) -> bool | None:
        """Whether they are interested, as was recorded last; None where nobody said."""
        return next((_INTEREST[entry.kind] for entry in self._latest if entry.kind in _INTEREST), None)

    @property
    def ending(self) -> StopReason | None:
        """Whether they are won or lost, as was recorded last, or else why the run was stopped; None: neither."""
        return next((_ENDINGS[entry.kind] for entry in self._latest if entry.kind in _ENDINGS), self.stop_reason)

    @property
    def _latest(self) -> list[ReceivedEntry]:
        return sorted(self.received, key=lambda entry: (entry.at, entry.by_hand), reverse=True)

    def place_of(self, entry: ReceivedEntry | None) -> int | None:
        """Return the step that something came back about: the one it names, else the last sent before it."""
        if entry is not None and entry.place is not None:
            return entry.place
        until = entry.at if entry is not None else None
        before = [step for step in self.steps if step.is_sent and (until is None or _known(step.at) <= until)]
        return before[-1].place if before else None

    @property
    def time_to_answer(self) -> timedelta | None:
        """How long the first answer took from the message it answers; None where one of the two is not known."""
        entry = self.first_answer
        place = self.place_of(entry)
        if entry is None or entry.by_hand or place is None:
            return None
        left = next((step.at for step in self.steps if step.place == place), None)
        if left is None:
            return None
        came = entry.dated if entry.dated is not None and left <= entry.dated <= entry.at else entry.at
        return max(came - left, timedelta(0))


def _known(at: datetime | None) -> datetime:
    assert at is not None  # what was carried out has its time
    return at


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the Wilson score interval (1927) of that share at 95 %."""

    number: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 where there is nobody."""
        return self.number / self.of if self.of else 0.0

    @property
    def is_too_small(self) -> bool:
        """Whether there are too few people to tell anything from it."""
        return self.of < LEAST

    @property
    def span(self) -> tuple[float, float]:
        """The interval that has the true share in it 95 times of 100."""
        return self.wilson(Z_95)

    def wilson(self, z: float) -> tuple[float, float]:
        """Return the Wilson score interval for a normal quantile; (0, 1) where there is nobody."""
        if not self.of:
            return 0.0, 1.0
        share, squared = self.value, z * z
        middle = share + squared / (2 * self.of)
        spread = z * sqrt(share * (1 - share) / self.of + squared / (4 * self.of * self.of))
        scale = 1 + squared / self.of
        low, high = (middle - spread) / scale, (middle + spread) / scale
        return (0.0 if not self.number else max(0.0, low)), (1.0 if self.number == self.of else min(1.0, high))

    @property
    def words(self) -> str:
        """How many of how many, in per cent, and between what."""
        low, high = (f"{100 * limit:.1f}" for limit in self.span)
        if not self.of:
            return "nobody yet"
        if self.is_too_small:
            return f"{self.number} of {self.of}, too few to tell ({low} to {high} %)"
        return f"{self.number:,} of {self.of:,}, {100 * self.value:.1f} % ({low} to {high} %)"


Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTally:
    """Counts of people; None is what nobody knows, which is never told as 0.

    Everybody is in one of ``to_approve``, ``taken_out``, ``waiting`` and the four after it, or of a step in one of
    ``STEP_STANDINGS``. The rest may hold of one person together. ``messages`` counts messages. ``replied_of_sent``
    are those of ``replied`` who were sent something.
    """

    people: int
    to_approve: int | None = None
    taken_out: int | None = None
    waiting: int | None = None
    answered: int | None = None
    completed: int | None = None
    failed: int | None = None
    stopped: int | None = None
    sent: int | None = None
    messages: int | None = None
    in_outbox: int | None = None
    unknown: int | None = None
    not_sent: int | None = None
    replied: int | None = None
    replied_of_sent: int | None = None
    interested: int | None = None
    not_interested: int | None = None
    away: int | None = None
    bounced: int | None = None
    opted_out: int | None = None
    won: int | None = None
    lost: int | None = None
    time_to_reply: timedelta | None = None

    @property
    def reply_share(self) -> Share | None:
        """How many of those who were sent something replied; None where one of the two is not known."""
        if self.replied_of_sent is None or self.sent is None:
            return None
        return Share(self.replied_of_sent, self.sent)


_ENDS = {
    SequenceStatus.SUCCEEDED: "answered",
    SequenceStatus.COMPLETED: "completed",
    SequenceStatus.FAILED: "failed",
    SequenceStatus.STOPPED_EARLY: "stopped",
}
STANDINGS = ("to_approve", "taken_out", "waiting", *_ENDS.values())
"""In exactly one of these is every person of a start."""
STEP_STANDINGS = ("sent", "waiting", "in_outbox", "unknown", "failed", "not_sent")
"""In exactly one of these is every person who began, for each step."""
_MAYBE = ("interested", "not_interested", "away", "opted_out", "won", "lost")


def standing_of(row: OutcomeRow) -> str:
    """Return in which of ``STANDINGS`` a run is."""
    if not row.has_begun:
        return "to_approve" if row.status is SequenceStatus.FOUND else "taken_out"
    return _ENDS.get(row.status, "taken_out" if row.status is SequenceStatus.REFUSED else "waiting")


def _marks(row: OutcomeRow) -> set[str]:
    """Return what holds of a person whose run has begun."""
    kinds = {entry.kind for entry in row.received}
    holds = {
        "sent": any(step.is_sent for step in row.steps) or row.last_executed_at is not None,
        "in_outbox": any(step.in_outbox for step in row.steps),
        "unknown": any(step.state is StepState.UNKNOWN for step in row.steps),
        "replied": row.is_answered,
        "interested": row.is_interested is True,
        "not_interested": row.is_interested is False,
        "away": not kinds.isdisjoint(AWAY),
        "bounced": BOUNCE in kinds or any(step.was_refused for step in row.steps),
        "opted_out": not kinds.isdisjoint(OPT_OUTS),
        "won": row.ending is StopReason.WIN,
        "lost": row.ending is StopReason.LOSE,
    }
    holds["replied_of_sent"] = holds["replied"] and holds["sent"]
    return {name for name, is_so in holds.items() if is_so}


_COUNTED = (*STANDINGS, "sent", "in_outbox", "unknown", "replied", "replied_of_sent", "bounced", *_MAYBE)


def tally_people(rows: Items[OutcomeRow]) -> OutcomeTally:
    """Count runs; of those that a vendor carries out, what it does not tell stays unknown."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[standing_of(row)] += row.number
    begun = [row for row in rows if row.has_begun]
    for row in begun:
        counts.update(dict.fromkeys(_marks(row), row.number))
    times = [passed for row in begun if (passed := row.time_to_answer) is not None for _ in range(row.number)]
    tally = OutcomeTally(
        people=sum(row.number for row in rows),
        messages=sum(row.number * sum(step.is_sent for step in row.steps) for row in begun),
        time_to_reply=_median(times),
        **{name: counts[name] for name in _COUNTED},
    )
    return _as_told(tally, begun) if any(row.provider != LOCAL for row in rows) else tally


def _as_told(tally: OutcomeTally, begun: Items[OutcomeRow]) -> OutcomeTally:
    """Return the counts without what no vendor told: what is 0 because nothing is known of it, or is not told."""
    unknown: dict[str, None] = dict.fromkeys(("messages", "in_outbox", "unknown", "bounced", "time_to_reply"))
    unknown |= {name: None for name in (*_MAYBE, "sent") if not getattr(tally, name)}
    if not any(row.read_at is not None for row in begun) and not tally.replied:
        unknown |= dict.fromkeys(("replied", "replied_of_sent"))
    return replace(tally, **unknown)  # type: ignore[arg-type]  # every count may be None but ``people``


def _median(times: list[timedelta]) -> timedelta | None:
    ordered, half = sorted(times), len(times) // 2
    if not times:
        return None
    return ordered[half] if len(times) % 2 else (ordered[half - 1] + ordered[half]) / 2


def span_words(span: timedelta) -> str:
    """Return a span of time in its largest unit that is not too coarse."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} d"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What came of a step of a version; ``subject`` is its template's, None where people have different ones.

    ``by_subject`` has what came of those who got each subject, of a step with variants of each of them.
    """

    version: int
    step_id: str
    name: str
    channel: str
    subject: str | None
    tally: OutcomeTally
    by_subject: tuple[tuple[str, OutcomeTally], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReport:
    """What came of one version of a blueprint."""

    version: int
    tally: OutcomeTally
    steps: tuple[StepReport, ...]


@dataclass(frozen=True, slots=True)
class WeekTally:
    """How many messages left in the week from a Monday (UTC), and how many people first replied in it."""

    monday: date
    sent: int
    replied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTally:
    """A subject that a step had, in which versions, and how many of those who got it replied to it."""

    subject: str
    versions: tuple[int, ...]
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectReport:
    """The subjects that one step had, the largest share first, and whether the first of them works better.

    ``gain`` is by how much, from and to, where every other one is told apart from it; None: too few to tell.
    """

    step_id: str
    subjects: tuple[SubjectTally, ...]
    gain: tuple[float, float] | None

    @property
    def words(self) -> str:
        """Which one works better, and by how much; or that it cannot be told."""
        first, others = self.subjects[0], len(self.subjects) - 1
        if self.gain is None:
            return "Too few to tell: with so many people a difference like this can be chance."
        low, high = (f"{100 * limit:.1f}" for limit in self.gain)
        than = "the other" if others == 1 else "the best of the others"
        return f"“{first.subject}” gets more replies than {than}: by {low} to {high} points of a hundred."


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantOutcome:
    """What came of one variant of a step: of those who got its text unchanged."""

    letter: str
    name: str | None
    subject: str | None
    tally: OutcomeTally

    @property
    def share(self) -> Share:
        """How many of those who were sent it replied to it."""
        return Share(self.tally.replied_of_sent or 0, self.tally.sent or 0)

    @property
    def words(self) -> str:
        """Its letter, and how many replied of how many."""
        return f"{self.letter} {self.share.number:,} of {self.share.of:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantReport:
    """The variants of one step in the versions that had the same ones, and whether one of them works better.

    ``gain`` is by how much, from and to, where every other one is told apart from the best; None: too few to tell.
    """

    step_id: str
    versions: tuple[int, ...]
    variants: tuple[VariantOutcome, ...]
    gain: tuple[float, float] | None

    @property
    def words(self) -> str:
        """Which one works better, and by how much; or that it cannot be told."""
        ordered = sorted(self.variants, key=lambda variant: (-variant.share.value, variant.letter))
        counts = f"{ordered[0].words} against {', '.join(variant.words for variant in ordered[1:])}"
        if self.gain is None:
            return f"Too few to tell: {counts}; with so many people a difference like this can be chance."
        low, high = (f"{100 * limit:.1f}" for limit in self.gain)
        than = "" if len(ordered) == 2 else " than by the best of the others"
        return f"{counts}: {ordered[0].letter} gets more replies{than}, by {low} to {high} points of a hundred."


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """What came of a blueprint: in all, by version (the newest first), by week, by subject and by variant.

    ``name`` is that of its newest version; ``read_at`` when the run was read at its
    vendor that was not for longest.
    """

    blueprint_id: str
    name: str
    tally: OutcomeTally
    versions: tuple[VersionReport, ...] = ()
    weeks: tuple[WeekTally, ...] = ()
    subjects: tuple[SubjectReport, ...] = ()
    variants: tuple[VariantReport, ...] = ()
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailedTally:
    """How many people's newest run of a blueprint failed for one reason."""

    blueprint_id: str
    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class PausedTally:
    """How many people were paused together, at which instant and until when."""

    since: datetime
    until: datetime
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedReport:
    """What failed in a blueprint and was not planned anew: how many people, and the first reasons."""

    blueprint_id: str
    name: str
    number: int
    reasons: tuple[FailedTally, ...]


def blueprint_report(
    newest: Blueprint, rows: Items[OutcomeRow], *, steps_of: Callable[[int], Items[Step]]
) -> CampaignReport:
    """Count what came of a blueprint from all of its runs; ``steps_of`` returns the steps of a version."""
    versions = tuple(
        _version_report(version, [row for row in rows if row.version == version], steps_of(version))
        for version in sorted({row.version for row in rows}, reverse=True)
    )
    is_ours = all(row.provider == LOCAL for row in rows)
    return CampaignReport(
        blueprint_id=newest.id,
        name=newest.name,
        tally=tally_people(rows),
        versions=versions,
        weeks=_weeks(rows) if is_ours else (),
        subjects=tuple(compared_subjects(versions)) if is_ours else (),
        variants=tuple(compared_variants(rows, steps_of=steps_of)) if is_ours else (),
        read_at=min((row.read_at for row in rows if row.read_at is not None), default=None),
    )


def _version_report(version: int, rows: Items[OutcomeRow], steps: Items[Step]) -> VersionReport:
    is_ours = all(row.provider == LOCAL for row in rows)
    reports = (
        (_step_report(step, rows, version=version, place=place) for place, step in enumerate(steps))
        if is_ours
        else ()
    )
    return VersionReport(version=version, tally=tally_people(rows), steps=tuple(reports))


def _step_report(step: Step, rows: Items[OutcomeRow], *, version: int, place: int) -> StepReport:
    tally = tally_step(place, rows)
    subject = None if step.is_written_per_contact or step.variants else step.subject
    if step.variants:
        by_subject = tuple(
            (text.subject, tally_texts(_entries(place, rows, variant=number)))
            for number, text in enumerate(step.alternatives)
            if text.subject
        )
    else:
        by_subject = ((subject, tally),) if subject else ()
    return StepReport(
        version=version,
        step_id=step.id,
        name=step.name,
        channel=(step.linked_in_type or step.type).value,
        subject=subject,
        tally=tally,
        by_subject=by_subject,
    )


def tally_step(place: int, rows: Iterable[OutcomeRow]) -> OutcomeTally:
    """Count what came of one step, of everybody whose run has begun."""
    return tally_texts(_entries(place, rows))


def _entries(
    place: int, rows: Iterable[OutcomeRow], *, variant: int | None = None
) -> Iterator[tuple[OutcomeRow, StepEntry]]:
    """Yield each run that has begun with its step at a place, where it had this variant, if one is named."""
    for row in rows:
        step = next((step for step in row.steps if step.place == place), None)
        if step is not None and row.has_begun and variant in (None, step.variant):
            yield row, step


def tally_texts(entries: Iterable[tuple[OutcomeRow, StepEntry]]) -> OutcomeTally:
    """Count what came of steps, each given with its run."""
    counts: Counter[str] = Counter()
    times: list[timedelta] = []
    people = 0
    for row, step in entries:
        people += row.number
        counts.update(dict.fromkeys({_step_standing(step), *_step_marks(row, step)}, row.number))
        passed = row.time_to_answer
        if passed is not None and row.place_of(row.first_answer) == step.place:
            times += [passed] * row.number
    known = {name: counts[name] for name in (*STEP_STANDINGS, *_OF_STEPS)}
    return OutcomeTally(people=people, time_to_reply=_median(times), **known)


_OF_STEPS = ("replied", "replied_of_sent", "interested", "not_interested", "away", "bounced", "opted_out")


def _step_standing(step: StepEntry) -> str:
    if step.state in CARRIED_OUT:
        return "in_outbox" if step.in_outbox else "sent"
    if step.state in NEVER:
        return "not_sent"
    return {StepState.FAILED: "failed", StepState.UNKNOWN: "unknown"}.get(step.state, "waiting")


def _step_marks(row: OutcomeRow, step: StepEntry) -> set[str]:
    """Return what came back about one step."""
    about = {entry.kind for entry in row.received if row.place_of(entry) == step.place}
    answered = row.is_answered and row.place_of(row.first_answer) == step.place
    holds = {
        "replied": answered,
        "replied_of_sent": answered and step.is_sent,
        "interested": answered and row.is_interested is True,
        "not_interested": answered and row.is_interested is False,
        "away": not about.isdisjoint(AWAY),
        "bounced": step.was_refused or BOUNCE in about,
        "opted_out": not about.isdisjoint(OPT_OUTS),
    }
    return {name for name, is_so in holds.items() if is_so}


def _weeks(rows: Iterable[OutcomeRow]) -> tuple[WeekTally, ...]:
    sent: Counter[date] = Counter()
    replied: Counter[date] = Counter()
    for row in rows:
        if row.has_begun:
            for step in row.steps:
                if step.is_sent:
                    sent[_monday(_known(step.at))] += row.number
            if (first := row.first_answer) is not None:
                replied[_monday(first.at)] += row.number
    return tuple(WeekTally(week, sent[week], replied[week]) for week in sorted({*sent, *replied}))


def _monday(at: datetime) -> date:
    day = at.date()
    return day - timedelta(days=day.weekday())


def compared_subjects(versions: Iterable[VersionReport]) -> Iterable[SubjectReport]:
    """Yield, for each step that had several subjects, whether one of them gets more replies."""
    shares: dict[str, dict[str, list[tuple[int, OutcomeTally]]]] = {}
    for version in versions:
        for step in version.steps:
            for subject, tally in step.by_subject:
                shares.setdefault(step.step_id, {}).setdefault(subject, []).append((version.version, tally))
    for step_id, by_subject in shares.items():
        if len(by_subject) > 1:
            yield compare_subjects(step_id, [_subject(subject, parts) for subject, parts in by_subject.items()])


def _subject(subject: str, parts: Items[tuple[int, OutcomeTally]]) -> SubjectTally:
    sent = sum(tally.sent or 0 for _, tally in parts)
    replied = sum(tally.replied_of_sent or 0 for _, tally in parts)
    versions = tuple(sorted({version for version, _ in parts}))
    return SubjectTally(subject=subject, versions=versions, share=Share(replied, sent))


def compared_variants(
    rows: Items[OutcomeRow], *, steps_of: Callable[[int], Items[Step]]
) -> Iterator[VariantReport]:
    """Yield, for each step with variants, whether one of them gets more replies.

    Versions in which a step has the same variants count together.
    """
    by_version: dict[int, list[OutcomeRow]] = {}
    for row in rows:
        by_version.setdefault(row.version, []).append(row)
    same: dict[tuple[str, tuple[Step, ...]], list[tuple[int, int, Step]]] = {}
    for version in sorted(by_version, reverse=True):
        for place, step in enumerate(steps_of(version)):
            if step.variants:
                texts = tuple(text.model_copy(update={"delay": None, "name": ""}) for text in step.alternatives)
                same.setdefault((step.id, texts), []).append((version, place, step))
    for (step_id, _), places in same.items():
        newest = max(places, key=lambda place: place[0])[2]
        outcomes = tuple(
            VariantOutcome(
                letter=variant_letter(number),
                name=variant.name,
                subject=newest.alternatives[number].subject,
                tally=tally_texts(
                    entry
                    for version, place, _ in places
                    for entry in _entries(place, by_version[version], variant=number)
                ),
            )
            for number, variant in enumerate(newest.variants or ())
        )
        versions = tuple(sorted(version for version, _, _ in places))
        gain = gain_of([outcome.share for outcome in outcomes])
        yield VariantReport(step_id=step_id, versions=versions, variants=outcomes, gain=gain)


def compare_subjects(step_id: str, subjects: Iterable[SubjectTally]) -> SubjectReport:
    """Return subjects, the largest share first, and by how much the first is better than every other one."""
    ordered = sorted(subjects, key=lambda tally: (-tally.share.value, -tally.share.of, tally.subject))
    gain = gain_of([tally.share for tally in ordered])
    return SubjectReport(step_id=step_id, subjects=tuple(ordered), gain=gain)


def gain_of(shares: Items[Share]) -> tuple[float, float] | None:
    """Return by how much the largest share is larger than every other one, from and to; None: too few to tell.

    The interval of a difference is Newcombe's hybrid score interval (1998, method 10), at 95 % for all comparisons
    together (Bonferroni). A difference is told only where it excludes 0 and each share is of ``LEAST`` people.
    """
    first, *others = sorted(shares, key=lambda share: (-share.value, -share.of))
    too_few = any(share.is_too_small for share in shares)
    spans = [gain_span(first, other, z=_quantile(len(others))) for other in others]
    is_told = bool(spans) and not too_few and all(low > 0 for low, _ in spans)
    return min(spans) if is_told else None


def gain_span(first: Share, second: Share, *, z: float = Z_95) -> tuple[float, float]:
    """Return Newcombe's interval of by how much the first share is larger."""
    (low_1, high_1), (low_2, high_2) = first.wilson(z), second.wilson(z)
    gain = first.value - second.value
    below = sqrt((first.value - low_1) ** 2 + (high_2 - second.value) ** 2)
    above = sqrt((high_1 - first.value) ** 2 + (second.value - low_2) ** 2)
    return gain - below, gain + above


def _quantile(comparisons: int) -> float:
    """Return the normal quantile for so many comparisons that are to hold together at 95 %."""
    from statistics import NormalDist

    return Z_95 if comparisons <= 1 else NormalDist().inv_cdf(1 - 0.025 / comparisons)
