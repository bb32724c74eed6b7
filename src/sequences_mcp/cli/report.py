"""``sequences-mcp report``: the outcomes of blueprints, as lines or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from sequences_mcp.cli.keyboard import say, with_context

if TYPE_CHECKING:
    from sequences_mcp.domain.reports import CampaignReport, OutcomeTally, Share
    from sequences_mcp.services.reports import ReportAnswer

WORDS = {
    "to_approve": "wait for approval",
    "taken_out": "taken out before they began",
    "waiting": "under way",
    "sent": "sent something",
    "in_outbox": "in the outbox folder, which reaches nobody",
    "unknown": "of unknown outcome",
    "replied": "replied",
    "interested": "interested",
    "not_interested": "not interested",
    "away": "away",
    "bounced": "bounced",
    "opted_out": "opted out",
    "failed": "failed",
    "won": "won",
    "lost": "lost",
}
"""Each count, in words for a person."""


def _report() -> click.Command:
    @click.command(help="Tell what came of blueprints; of one also by version, step, week, subject and variant.")
    @click.argument("blueprint", required=False)
    @click.option("--provider", default="local", show_default=True, help="Whose blueprints.")
    @click.option("--page", type=click.IntRange(1, 100_000), default=1, show_default=True)
    @click.option("--json", "as_json", is_flag=True, help="As one JSON object, for programs; null is unknown.")
    def report(blueprint: str | None, provider: str, page: int, as_json: bool) -> None:
        from sequences_mcp.services import reports

        answer = with_context(
            lambda app: reports.report(app, blueprint_id=blueprint, provider=provider, page=page)
        )
        if as_json:
            click.echo(json.dumps(report_facts(answer)))  # JSON in ASCII has no control characters
        else:
            say(report_lines(answer))

    return report


def report_facts(answer: ReportAnswer) -> dict[str, Any]:
    """Return a report as JSON values: times in seconds, shares with their limits, null for what is unknown."""
    page = answer.page
    return {
        "total_count": page.total_count,
        "page": page.page,
        "total_pages": page.total_pages,
        "note": answer.note,
        "items": [_item(report, whole=answer.is_whole) for report in page.items],
    }


def _item(report: CampaignReport, *, whole: bool) -> dict[str, Any]:
    facts = {"blueprint_id": report.blueprint_id, "name": report.name, **_counts(report.tally)}
    if not whole:
        return facts
    versions = [
        {
            "version": version.version,
            **_counts(version.tally),
            "steps": [
                {"step_id": step.step_id, "name": step.name, "channel": step.channel, "subject": step.subject}
                | _counts(step.tally)
                for step in version.steps
            ],
        }
        for version in report.versions
    ]
    subjects = [
        {
            "step_id": compared.step_id,
            "verdict": compared.words,
            "gain": compared.gain,
            "subjects": [
                {"subject": tally.subject, "versions": tally.versions, "reply_rate": _share(tally.share)}
                for tally in compared.subjects
            ],
        }
        for compared in report.subjects
    ]
    variants = [
        {
            "step_id": compared.step_id,
            "versions": compared.versions,
            "verdict": compared.words,
            "gain": compared.gain,
            "variants": [
                {"variant": variant.letter, "name": variant.name, "subject": variant.subject}
                | _counts(variant.tally)
                for variant in compared.variants
            ],
        }
        for compared in report.variants
    ]
    weeks = [_plain(asdict(week)) for week in report.weeks]
    return {**facts, "versions": versions, "subjects": subjects, "variants": variants, "weeks": weeks}


def _counts(tally: OutcomeTally) -> dict[str, Any]:
    return {**_plain(asdict(tally)), "reply_rate": _share(tally.reply_share)}


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    low, high = share.span
    return {"number": share.number, "of": share.of, "low": low, "high": high, "too_few": share.is_too_small}


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in facts.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, date | datetime) else value


def report_lines(answer: ReportAnswer) -> Iterator[str]:
    """Yield a report for a reader at a terminal."""
    if not answer.page.items:
        yield answer.page.beyond or "Nobody was started yet."
    for report in answer.page.items:
        yield f"{report.blueprint_id}  {report.name}"
        yield f"  {_sentence(report.tally)}"
        if answer.is_whole:
            yield from _parts(report)
    if answer.note:
        yield answer.note
    if answer.page.has_more:
        yield f"There is more: --page {answer.page.page + 1}."


def _parts(report: CampaignReport) -> Iterator[str]:
    from sequences_mcp.domain.variables import readable

    for version in report.versions:
        yield f"  Version {version.version}: {_sentence(version.tally)}"
        for place, step in enumerate(version.steps, 1):
            yield f"    {place}. {step.name} ({step.channel}): {_sentence(step.tally)}"
    for compared in report.subjects:
        yield f"  Subjects of step {compared.step_id}:"
        yield from (f"    {readable(tally.subject, {})}: {tally.share.words}" for tally in compared.subjects)
        yield f"    {compared.words}"
    for tested in report.variants:
        versions = "version" if len(tested.versions) == 1 else "versions"
        yield f"  Variants of step {tested.step_id} ({versions} {', '.join(map(str, tested.versions))}):"
        for variant in tested.variants:
            subject = f"“{readable(variant.subject, {})}”" if variant.subject else None
            name = " ".join(filter(None, (variant.letter, variant.name, subject)))
            yield f"    {name}: {_sentence(variant.tally)}"
        yield f"    {tested.words}"
    for week in report.weeks:
        yield f"  Week of {week.monday}: {week.sent:,} messages sent, {week.replied:,} people first replied"


def _sentence(tally: OutcomeTally) -> str:
    from sequences_mcp.domain.reports import span_words

    counts = [f"{tally.people:,} people"]
    for name, words in WORDS.items():
        number = getattr(tally, name)
        if number is None or (not number and name not in ("sent", "replied")):
            continue
        share = tally.reply_share if name == "replied" else None
        counts.append(f"{number:,} {words}" + (f" ({share.words})" if share is not None and share.of else ""))
    if tally.time_to_reply is not None:
        counts.append(f"median time to reply {span_words(tally.time_to_reply)}")
    return ", ".join(counts)


COMMANDS = {"report": _report}
