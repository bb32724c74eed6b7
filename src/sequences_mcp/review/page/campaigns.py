"""The screens of the front page: campaigns, one campaign, one contact, the search, blueprints and settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from starlette.responses import Response

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step, variant_letter
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.ids import LOCAL, VENDORS, provider_of
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.reports import CampaignReport, OutcomeTally, StepReport, WeekTally, span_words
from sequences_mcp.domain.run import LIVE
from sequences_mcp.domain.variables import fill_in, missing_in, readable
from sequences_mcp.errors import InvalidArgumentsError, SequencesError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.planning.rendering import values_for
from sequences_mcp.ports.embedded import ReplyFilter, SequenceDetail, SequenceFilter
from sequences_mcp.review.page.request import PageRequest, whole_number
from sequences_mcp.review.page.runs import LONGEST_PAUSE
from sequences_mcp.services import blueprints, contacts, replies, reports, retries, sequences, starts
from sequences_mcp.services.reviews import list_reviews
from sequences_mcp.services.vendor_writes import what_it_is

FRONT_SHOWN = 20
CAMPAIGNS_ON_FRONT = 6
CAMPAIGNS_SHOWN = 12
NEXT_SHOWN = 5
RESULTS_SHOWN = 10
OF_CONTACT = 50
BAR = 260  # the width of a whole bar, in the units of its picture


@dataclass(frozen=True, slots=True)
class BarShown:
    """One bar of a chart: a name, its stretches (kind, number, width in the units of the picture), and words.

    A bar of a week has its first ``day`` for a name.
    """

    name: str
    stretches: tuple[tuple[str, int, float], ...]
    words: str
    day: date | None = None


def step_bars(steps: Iterable[StepReport]) -> list[BarShown]:
    """Return a bar for each step: of those who began, how many replied, got it, wait for it, and will not."""
    shown = list(steps)
    most = max((step.tally.people for step in shown), default=0) or 1
    return [BarShown(step.name, _stretches(step.tally, most), _bar_words(step.tally)) for step in shown]


def _stretches(tally: OutcomeTally, most: int) -> tuple[tuple[str, int, float], ...]:
    replied = tally.replied_of_sent or 0
    numbers = {
        "replied": replied,
        "sent": (tally.sent or 0) - replied,
        "outbox": tally.in_outbox or 0,
        "wait": tally.waiting or 0,
        "bad": (tally.failed or 0) + (tally.unknown or 0),
    }
    return tuple((kind, number, round(BAR * number / most, 1)) for kind, number in numbers.items() if number)


def _bar_words(tally: OutcomeTally) -> str:
    parts = [
        (tally.sent, "sent"),
        (tally.replied, "replied"),
        (tally.waiting, "to come"),
        (tally.in_outbox, "in the outbox folder"),
        (tally.bounced, "bounced"),
        (tally.failed, "failed"),
    ]
    always = ("sent", "replied")
    return ", ".join(f"{number:,} {word}" for number, word in parts if number or word in always)


def week_bars(weeks: Iterable[WeekTally]) -> list[BarShown]:
    """Return a bar for each week: what was sent, and who first replied."""
    shown = list(weeks)
    most = max((week.sent + week.replied for week in shown), default=0) or 1
    return [
        BarShown(
            "",
            tuple(
                (kind, number, round(BAR * number / most, 1))
                for kind, number in (("replied", week.replied), ("sent", week.sent))
                if number
            ),
            f"{week.sent:,} sent, {week.replied:,} replied",
            week.monday,
        )
        for week in shown
    ]


async def front_screen(page_request: PageRequest) -> Response:
    """Show what failed, what waits for the person, the numbers of each campaign, and the next e-mails."""
    app = page_request.app
    reviews = await list_reviews(app, page=page_request.page, size=FRONT_SHOWN)
    tasks = await sequences.list_tasks(app, page=1, size=1)
    kinds: list[tuple[Page[Any], str]] = [
        (reviews.plans, "starts"),
        (reviews.changes, "changes"),
        (reviews.drafts, "texts"),
    ]
    campaigns = await app.records.campaigns(LOCAL, page=1, size=CAMPAIGNS_ON_FRONT)
    return page_request.render(
        "front.html",
        plans=reviews.plans,
        drafts=reviews.drafts,
        tasks=tasks.total_count,
        undecided=(await app.local.list_replies(ReplyFilter(waiting=True, size=1))).total_count,
        longest=max(kinds, key=lambda kind: kind[0].total_pages),
        counted=(await app.records.waiting()).words,
        changes=reviews.changes.map(lambda change: (change, what_it_is(change))),
        troubles=app.troubles(),
        workers=app.workers(),
        warnings=reviews.warnings,
        failed=await app.records.failed(),
        campaigns=campaigns,
        cards=await _cards(page_request, campaigns.items),
        upcoming=await app.records.next_emails(size=NEXT_SHOWN),
        pauses=await app.records.pauses(),
        mailboxes=await _mailboxes(page_request),
        vendors=[VENDORS[name] for name in app.providers if name != LOCAL],
    )


async def _mailboxes(page_request: PageRequest) -> list[dict[str, Any]]:
    """Return what is known of each mailbox: who sends, by what, when, and up to when it was read."""
    app = page_request.app
    read = await replies.read_up_to(app)
    return [
        {"sender": mailbox.sender, "terms": mailbox.terms, "read": read[mailbox.terms.sender_address]}
        for mailbox in app.mailboxes
        if mailbox.sender is not None
    ]


async def _cards(page_request: PageRequest, campaigns: Iterable[CampaignReport]) -> list[dict[str, Any]]:
    shown = list(campaigns)
    upcoming = await page_request.app.records.next_of([report.blueprint_id for report in shown])
    return [
        {
            "report": report,
            "bars": step_bars(report.versions[0].steps) if report.versions else [],
            "next_at": upcoming.get(report.blueprint_id),
        }
        for report in shown
    ]


async def campaigns_screen(page_request: PageRequest) -> Response:
    """Show the campaigns of one provider, or those whose name contains a text."""
    query = page_request.request.query_params.get("q", "").strip()[:200]
    provider = page_request.app.named(page_request.request.query_params.get("provider") or LOCAL).name
    campaigns = await page_request.app.records.campaigns(
        provider, search=query, page=page_request.page, size=CAMPAIGNS_SHOWN
    )
    return page_request.render(
        "campaigns.html",
        campaigns=campaigns,
        cards=await _cards(page_request, campaigns.items),
        query=query,
        provider=provider,
        providers=list(page_request.app.providers),
    )


async def campaign_screen(page_request: PageRequest) -> Response:
    """Show what came of one blueprint, and its texts as somebody would get them."""
    blueprint_id = page_request.path_part("blueprint")
    answer = await reports.report(page_request.app, blueprint_id=blueprint_id)
    [report] = answer.page.items
    blueprint = (await blueprints.get_blueprint(page_request.app, blueprint_id=blueprint_id)).blueprint
    failed = await page_request.app.records.failed()
    return page_request.render(
        "campaign.html",
        report=report,
        note=answer.note,
        readable=partial(readable, values=_of_all(page_request.app, blueprint)),
        blueprint=blueprint,
        bars_of={version.version: step_bars(version.steps) for version in report.versions},
        weeks=week_bars(report.weeks[-12:]),
        reply_time=span_words(report.tally.time_to_reply) if report.tally.time_to_reply else None,
        next_at=(await page_request.app.records.next_of([report.blueprint_id])).get(report.blueprint_id),
        failed=next((item for item in failed if item.blueprint_id == report.blueprint_id), None),
    )


def _of_all(app: AppContext, blueprint: Blueprint) -> dict[str, str | None]:
    """Return the values that all texts of a blueprint share, whoever gets them."""
    nobody = Contact(id="", created_at=blueprint.created_at, updated_at=blueprint.created_at)
    return values_for(
        nobody, sourcing=blueprint.sourcing, sender=app.sending(blueprint.steps).sender, variables={}
    )


async def retry_form(page_request: PageRequest) -> Response:
    """Plan the failed runs of a blueprint anew, and show that plan."""
    report = await retries.retry_failed(
        page_request.app, blueprint_id=page_request.path_part("blueprint"), progress=_in_silence
    )
    return page_request.redirect(f"/plans/{report.plan.id}")


async def _in_silence(done: int, total: int) -> None:
    """Ignore the progress of planning: the answer to a form has no place for it."""


async def pause_all_form(page_request: PageRequest) -> Response:
    """Pause everything that this machine sends, for a number of days."""
    days = whole_number(page_request.form.get("days", ""), name="day")
    if days > LONGEST_PAUSE:
        raise InvalidArgumentsError("That is longer than a year.", next_step="Pause for less, or stop what runs.")
    until = page_request.now + timedelta(days=days)
    number = await page_request.app.local.pause_live(until=until)
    people = "person is" if number == 1 else "people are"
    at_vendors = len(page_request.app.providers) > 1
    others = " What vendors carry out goes on: pause that in their own apps." if at_vendors else ""
    return page_request.render(
        "notice.html",
        message=f"{number:,} {people} paused for {days} {'day' if days == 1 else 'days'}.",
        next_step=f"The front page lets them go on sooner. What is approved after this begins as usual.{others}",
    )


async def resume_all_form(page_request: PageRequest) -> Response:
    """Resume the runs that were paused together, which the form names by the instant of the pause."""
    try:
        since, until = (datetime.fromisoformat(page_request.form.get(name, "")) for name in ("since", "until"))
    except ValueError as error:
        raise InvalidArgumentsError(
            "This form does not say which pause it ends.", next_step="Go back, reload the page and try again."
        ) from error
    await page_request.app.local.resume_paused(since=since, until=until)
    return page_request.redirect("/")


async def search_screen(page_request: PageRequest) -> Response:
    """Show the people and campaigns that match a search text."""
    query = page_request.request.query_params.get("q", "").strip()[:200]
    app = page_request.app
    people = await contacts.find_contacts(app, query=query, page=page_request.page, size=RESULTS_SHOWN)
    campaigns = [
        report
        for name in app.providers
        for report in (await app.records.campaigns(name, search=query, page=1, size=RESULTS_SHOWN)).items
    ]
    return page_request.render(
        "search.html", query=query, people=people.page, never=people.never, campaigns=campaigns if query else []
    )


async def contact_screen(page_request: PageRequest) -> Response:
    """Show one person with everything that was planned, sent, received and told to a vendor about them."""
    app, contact_id = page_request.app, page_request.path_part("contact")
    [contact] = await app.local.get_contacts([contact_id])
    wanted = SequenceFilter(contact=contact.id, sort_by="created_at", sort_order="desc", size=OF_CONTACT)
    runs = list((await app.local.list_sequences(wanted)).items)
    for name in VENDORS:
        runs += (await app.vendor_runs.list_runs(name, wanted)).items
    runs.sort(key=lambda detail: detail.sequence.created_at, reverse=True)
    back = await replies.list_replies(app, wanted=ReplyFilter(contact=contact.id, size=100))
    return page_request.render(
        "contact.html",
        contact=contact,
        never=(await app.suppressions.suppressed_among([contact])).get(contact.id),
        runs=[_history(detail, back.page.items) for detail in runs],
        elsewhere=[reply.entry for reply in back.page.items if reply.entry.sequence_id is None],
    )


def _history(detail: SequenceDetail, received: Iterable[Any]) -> dict[str, Any]:
    """Return a run with what came back about it, and what its vendor was given, in words."""
    entries = [reply.entry for reply in received if reply.entry.sequence_id == detail.sequence.id]
    given: Mapping[str, str] = detail.sequence.vendor_facts
    return {
        "detail": detail,
        "entries": sorted(entries, key=lambda entry: entry.at),
        "given": {name.replace("_", " "): value for name, value in given.items()},
        "is_live": detail.sequence.status in LIVE,
        "vendor": VENDORS.get(detail.sequence.provider),
    }


async def blueprints_screen(page_request: PageRequest) -> Response:
    """Show the blueprints, newest first: those that are archived, where that is asked for."""
    provider = page_request.app.named(page_request.request.query_params.get("provider") or LOCAL).name
    archived = page_request.request.query_params.get("archived") == "yes" and provider == LOCAL
    return page_request.render(
        "blueprints.html",
        blueprints=await blueprints.list_blueprints(
            page_request.app,
            provider=provider,
            archived=archived,
            page=page_request.page,
            size=CAMPAIGNS_SHOWN,
        ),
        archived=archived,
        provider=provider,
        providers=list(page_request.app.providers),
    )


SAMPLE = {
    "email": "robin.example@example.com",
    "first_name": "Robin",
    "last_name": "Example",
    "company": "Example Works",
    "job_title": "Engineer",
    "location": "Berlin",
    "linkedin_url": "https://www.linkedin.com/in/robin-example",
}


async def blueprint_screen(page_request: PageRequest) -> Response:
    """Show one blueprint's texts, as they are written and as a made-up person would get them."""
    blueprint_id = page_request.path_part("blueprint")
    report = await blueprints.get_blueprint(page_request.app, blueprint_id=blueprint_id)
    filled: dict[str, Any] = {}
    preview = None
    if provider_of(blueprint_id) == LOCAL:
        with suppress(SequencesError):  # then the texts are shown as they are written
            preview = await starts.preview_sequence(page_request.app, blueprint_id=blueprint_id, contacts=[SAMPLE])
    contact = preview.people[0].person.contact if preview and preview.people else None
    if preview and preview.people:
        filled = {run.step.id: run for run in preview.people[0].person.steps}
    return page_request.render(
        "blueprint.html",
        blueprint=report.blueprint,
        findings=report.findings,
        filled=filled,
        variants={
            step.id: list(_variants(page_request.app, step, contact, sourcing=report.blueprint.sourcing))
            for step in report.blueprint.steps
            if step.variants
        },
        sample=SAMPLE,
    )


def _variants(
    app: AppContext, step: Step, contact: Contact | None, *, sourcing: Sourcing
) -> Iterator[dict[str, str | None]]:
    """Yield each variant of a step as this person would get it, or as it is written where values are missing."""
    values = values_for(contact, sourcing=sourcing, sender=app.sender, variables={}) if contact else {}
    for number, (variant, text) in enumerate(zip(step.variants or (), step.alternatives, strict=True)):
        parts = {"subject": text.subject, "content": text.content}
        if contact is not None and not missing_in(filter(None, parts.values()), values):
            parts = {name: part and fill_in(part, values) for name, part in parts.items()}
        yield {"letter": variant_letter(number), "name": variant.name, **parts}


async def settings_screen(page_request: PageRequest) -> Response:
    """Show who sends, when and how, what is connected and what needs a person; nothing is changed here."""
    app = page_request.app
    return page_request.render(
        "settings.html",
        mailboxes=await _mailboxes(page_request),
        vendors=[VENDORS[name] for name in app.providers if name != LOCAL],
        folder=str(page_request.context.workspace.folder),
        signs=app.must_sign(),
        dialogs=app.elicitation,
        allowed=sorted(app.records.seen(app.auto_approve)),
        unread_drafts=app.unread_drafts,
        workers=app.workers(),
    )
