"""Views of the outcomes of blueprints. A count that is not known is left out; a count of zero is shown."""

from __future__ import annotations

from typing import Any

from sequences_mcp.domain import reports
from sequences_mcp.server.text import cut
from sequences_mcp.server.view import PageView, ResultView, numbered
from sequences_mcp.server.views.sequences import NAME_IN_LIST, NAME_LIMIT
from sequences_mcp.services.reports import ReportAnswer

VERSIONS_SHOWN = 4
STEPS_SHOWN = 10
WEEKS_SHOWN = 8
SUBJECTS_SHOWN = 4
SUBJECT_LIMIT = 60
COUNTS = (
    *("people", "to_approve", "taken_out", "waiting", "sent", "messages", "replied", "interested"),
    *("not_interested", "away", "bounced", "opted_out", "failed", "won", "lost", "unknown", "in_outbox"),
)
ONLY_WHERE_SOME = frozenset({"to_approve", "taken_out", "unknown", "in_outbox", "messages"})
"""Counts that a short row has only where they are not 0."""
OF_STEPS = ("sent", "waiting", "replied", "interested", "not_interested", "away", "bounced", "opted_out", "failed")


class OutcomeView(ResultView):
    """Counts of people; ``reply_rate`` has Wilson's interval at 95 %, of those who were sent something."""

    people: int | None = None
    to_approve: int | None = None
    taken_out: int | None = None
    waiting: int | None = None
    sent: int | None = None
    messages: int | None = None
    replied: int | None = None
    reply_rate: str | None = None
    median_time_to_reply: str | None = None
    interested: int | None = None
    not_interested: int | None = None
    away: int | None = None
    bounced: int | None = None
    opted_out: int | None = None
    failed: int | None = None
    won: int | None = None
    lost: int | None = None
    unknown: int | None = None
    in_outbox: int | None = None


class VersionOutcome(OutcomeView):
    """What came of one version."""

    version: int


class StepOutcome(OutcomeView):
    """What came of one step of one version."""

    version: int
    step_id: str
    channel: str
    subject: str | None = None


class VariantView(ResultView):
    """One variant; ``sent`` counts those who got it unchanged."""

    variant: str
    name: str | None = None
    subject: str | None = None
    sent: int
    reply_rate: str
    interested: int
    opted_out: int


class SubjectsView(ResultView):
    """The subjects that a step had, each with its reply rate, and whether one of them works better."""

    step_id: str
    subjects: dict[str, str]
    verdict: str


class VariantsView(ResultView):
    """The variants of a step, each with how many got it and replied, and whether one of them works better."""

    step_id: str
    versions: tuple[int, ...]
    variants: tuple[VariantView, ...]
    verdict: str


class BlueprintOutcome(OutcomeView):
    """What came of a blueprint; of one that was asked for, also by version, step, subject, variant and week."""

    blueprint_id: str
    name: str
    versions: tuple[VersionOutcome, ...] | None = None
    steps: tuple[StepOutcome, ...] | None = None
    subjects: tuple[SubjectsView, ...] | None = None
    variants: tuple[VariantsView, ...] | None = None
    weeks: dict[str, dict[str, int]] | None = None
    shortened: str | None = None


class ReportPage(PageView):
    """What came of some blueprints."""

    note: str | None = None

    items: tuple[BlueprintOutcome, ...]


def report_page(answer: ReportAnswer) -> ReportPage:
    """Return what came of blueprints: one whole, or several in a row each."""
    shape = _whole if answer.is_whole else _row
    note = " ".join(filter(None, (answer.page.beyond, answer.note))) or None
    return ReportPage(items=tuple(map(shape, answer.page.items)), note=note, **numbered(answer.page))


def _row(report: reports.CampaignReport) -> BlueprintOutcome:
    return BlueprintOutcome(
        blueprint_id=report.blueprint_id,
        name=cut(report.name, NAME_IN_LIST),
        **known_counts(report.tally, COUNTS, short=True),
    )


def _whole(report: reports.CampaignReport) -> BlueprintOutcome:
    versions = report.versions[:VERSIONS_SHOWN]
    steps = [step for version in versions for step in version.steps]
    weeks = report.weeks[-WEEKS_SHOWN:]
    left = {
        "versions": len(report.versions) - len(versions),
        "steps": len(steps) - len(steps[:STEPS_SHOWN]),
        "weeks": len(report.weeks) - len(weeks),
        "subjects": max((len(item.subjects) for item in report.subjects), default=0) - SUBJECTS_SHOWN,
        "steps with variants": len(report.variants) - SUBJECTS_SHOWN,
    }
    words = ", ".join(f"{number} older or further {name}" for name, number in left.items() if number > 0)
    return BlueprintOutcome(
        blueprint_id=report.blueprint_id,
        name=cut(report.name, NAME_LIMIT),
        versions=tuple(map(_version, versions)) if len(report.versions) > 1 else None,
        steps=tuple(map(_step, steps[:STEPS_SHOWN])) or None,
        subjects=tuple(map(_subjects, report.subjects[:SUBJECTS_SHOWN])) or None,
        variants=tuple(map(_variants, report.variants[:SUBJECTS_SHOWN])) or None,
        weeks={week.monday.isoformat(): {"sent": week.sent, "replied": week.replied} for week in weeks} or None,
        shortened=f"Without {words}." if words else None,
        **known_counts(report.tally, COUNTS, short=False),
    )


def _version(report: reports.VersionReport) -> VersionOutcome:
    return VersionOutcome(version=report.version, **known_counts(report.tally, COUNTS, short=True))


def _step(report: reports.StepReport) -> StepOutcome:
    return StepOutcome(
        version=report.version,
        step_id=cut(report.step_id, NAME_IN_LIST),
        channel=report.channel,
        subject=cut(report.subject, SUBJECT_LIMIT) if report.subject else None,
        **known_counts(report.tally, OF_STEPS, short=True),
    )


def _subjects(report: reports.SubjectReport) -> SubjectsView:
    shown = report.subjects[:SUBJECTS_SHOWN]
    return SubjectsView(
        step_id=cut(report.step_id, NAME_IN_LIST),
        subjects={cut(tally.subject, SUBJECT_LIMIT): tally.share.words for tally in shown},
        verdict=cut(report.words, 2 * SUBJECT_LIMIT + len(report.words) - len(report.subjects[0].subject)),
    )


def _variants(report: reports.VariantReport) -> VariantsView:
    return VariantsView(
        step_id=cut(report.step_id, NAME_IN_LIST),
        versions=report.versions[-VERSIONS_SHOWN:],
        variants=tuple(
            VariantView(
                variant=variant.letter,
                name=cut(variant.name, NAME_IN_LIST) if variant.name else None,
                subject=cut(variant.subject, SUBJECT_LIMIT) if variant.subject else None,
                sent=variant.share.of,
                reply_rate=variant.share.words,
                interested=variant.tally.interested or 0,
                opted_out=variant.tally.opted_out or 0,
            )
            for variant in report.variants
        ),
        verdict=report.words,
    )


def known_counts(tally: reports.OutcomeTally, names: tuple[str, ...], *, short: bool) -> dict[str, Any]:
    """Return the counts that are known, the reply rate and the median time; ``short``: without some that are 0."""
    values = {name: getattr(tally, name) for name in names}
    facts: dict[str, Any] = {
        name: value
        for name, value in values.items()
        if value is not None and not (short and name in ONLY_WHERE_SOME and not value)
    }
    if tally.reply_share is not None:
        facts["reply_rate"] = tally.reply_share.words
    if tally.time_to_reply is not None:
        facts["median_time_to_reply"] = reports.span_words(tally.time_to_reply)
    return facts
