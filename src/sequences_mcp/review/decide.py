"""What a person at a terminal looks at and decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from sequences_mcp.context import AppContext, offered
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.plain_words import STATUSES, for_terminal
from sequences_mcp.domain.plan import OPEN, Plan, PlanStatus
from sequences_mcp.domain.run import TERMINAL, StepRun
from sequences_mcp.errors import ApprovalError
from sequences_mcp.planning import warnings
from sequences_mcp.planning.requirements import UNREAD, accounts_needed
from sequences_mcp.planning.timetable import Slot, timetable
from sequences_mcp.planning.vendor_texts import not_given, title_of
from sequences_mcp.ports.embedded import Draft, SequenceDetail, ToolCall
from sequences_mcp.review import terminal
from sequences_mcp.review.consent import MANY
from sequences_mcp.services.enrolment import enrol_soon
from sequences_mcp.services.operations import resolve_operation, vendor_of
from sequences_mcp.services.reviews import approve_change, approve_draft, approve_plan, refuse_plan
from sequences_mcp.services.sequences import resolve_run
from sequences_mcp.services.suppression import (
    ExclusionTarget,
    lift_suppression,
    suppress_at_vendors,
    suppress_contact,
)

HAND_OVER_AT_MOST = 120.0  # seconds that a person at a terminal waits; a running server goes on afterwards
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Look:
    """What was put before a person: lines, the digest that a yes to them approves, who of a plan was paused."""

    lines: tuple[str, ...]
    digest: str
    people: int
    pauses: str = ""


async def look_up(app: AppContext, identifier: str, *, full: bool = False, renew: bool = False) -> Look:
    """Return a plan or a draft to read; whatever has to be read before an approval is in full.

    ``renew`` gives a void plan today's terms first, so that it can be approved again.
    """
    if _is(identifier, IdKind.DRAFT):
        draft = await _draft(app, identifier)
        found = await warnings.draft_findings(app, draft)
        return Look((*terminal.draft_in_full(draft), *terminal.warned(found)), draft.digest, 1)
    if _is(identifier, IdKind.OPERATION):
        change = await app.changes.get(identifier)
        return Look(tuple(terminal.change_in_full(change, now=app.clock())), change.digest, 1)
    plan = await app.plans.get_plan(identifier)
    if renew and plan.status is PlanStatus.VOID:
        plan = await app.plans.renew_plan(plan.id)
    tally = await app.records.tally(plan.id)  # before the people are read: a change meanwhile is noticed
    lines = [line async for line in _plan_lines(app, plan, full=full)]
    return Look(tuple(lines), plan.digest, plan.people, tally.pauses)


async def approve_in_terminal(
    app: AppContext, identifier: str, *, seen: Look, people: int | None, actor: str
) -> str:
    """Approve exactly what was seen, and say so.

    Raises ApprovalError when it has changed since, or when a plan of more than 50 people is approved without
    stating their number.
    """
    if _is(identifier, IdKind.DRAFT):
        await approve_draft(app, draft_id=identifier, digest=seen.digest, actor=actor)
        return f"{identifier} is approved; it leaves when it is due."
    if _is(identifier, IdKind.OPERATION):
        await approve_change(app, change_id=identifier, digest=seen.digest, actor=actor)
        return f"{identifier} is done at {vendor_of(await app.changes.get(identifier))}."
    if seen.people > MANY and people != seen.people:
        raise ApprovalError(
            f"This plan reaches {seen.people:,} people.",
            next_step=f"State that number: --people {seen.people}.",
        )
    done = await approve_plan(app, plan_id=identifier, digest=seen.digest, actor=actor, pauses=seen.pauses)
    line = terminal.waiting_line(done, warnings=await warnings.number_of_warnings(app, done))
    said = f"{done.id} is approved: {line}."
    more = await _handed_over(app, done) if done.header.is_at_vendor else app.waits_for_worker(done)
    return f"{said} {for_terminal(more)}" if more else said


async def reject_in_terminal(app: AppContext, identifier: str, *, reason: str, actor: str) -> str:
    """Say no to a plan or to a change at a vendor, and say so; ConflictError when it is decided."""
    if _is(identifier, IdKind.OPERATION):
        done = await app.changes.refuse(identifier, reason=reason, actor=actor)
        return f"{done.id} is rejected; nothing was changed at {vendor_of(done)}."
    plan = await refuse_plan(app, plan_id=identifier, reason=reason, actor=actor)
    return f"{plan.id} is rejected; nothing of it is sent."


async def _handed_over(app: AppContext, plan: Plan) -> str:
    """Return in words how far a vendor has a plan's people, after waiting a little for it."""
    if plan.header.provider not in app.providers:
        return f"A running server that has {title_of(plan)}'s key enrols its people."
    found = await enrol_soon(app, plan_id=plan.id, seconds=HAND_OVER_AT_MOST)
    counted = {"handed over": found.done, "of unknown outcome": found.unknown, "not taken": found.not_done}
    told = [
        f"{number:,} {words}" for words, number in (counted | {"still waiting": found.waiting}).items() if number
    ]
    return f"{title_of(plan)}: {', '.join(told)}.{''.join(f' {for_terminal(one)}' for one in found.why)}"


async def resolved_in_terminal(
    app: AppContext, identifier: str, *, sent: bool, actor: str, seen: Look | None = None
) -> str:
    """Record what became of an unknown e-mail, an unknown write to a vendor or a run there, and say so.

    ``seen`` is the e-mail as it was put before the person, who lets exactly that go again when it was not sent.
    """
    if _is(identifier, IdKind.OPERATION):
        operation = await resolve_operation(app, operation_id=identifier, done=sent, actor=actor)
        return f"{operation.id} counts as {'done' if operation.state == 'done' else 'not done'}."
    if _is(identifier, IdKind.SEQUENCE):
        run = await resolve_run(app, sequence_id=identifier, finished=sent, actor=actor)
        told = STATUSES[run.sequence.status.value]
        return f"{run.sequence.id} counts as ended ({told}): its person is free for another sequence."
    drafts = offered(app.local.drafts, app.local, verb="settle e-mails")
    sequence = await drafts.resolve_unknown(
        identifier, sent=sent, actor=actor, digest=seen.digest if seen else None
    )
    told = "sent" if sent else "not sent"
    return f"The e-mail counts as {told}; {sequence.id}: {STATUSES[sequence.status.value]}."


async def suppressed_in_terminal(app: AppContext, contact: str, *, reason: str) -> list[str]:
    """Put somebody on the list of those never to contact, because a person says so, and say what came of it."""
    done = await suppress_contact(app, contact=contact, reason=reason, by_person=True)
    call = ToolCall("suppress_contact", None, done.value)
    found = await suppress_at_vendors(app, ExclusionTarget(done.kind, done.value), call=call, reason=reason)
    told = f"{done.value} is on the list{' already' if done.already else ''}: nothing more leaves for them."
    stopped = len(done.stopped) + len(found.stopped)
    return [
        f"{told} Stopped: {stopped}.",
        *(f"Not done at {name}: {for_terminal(why)}" for name, why in found.undone.items()),
    ]


async def lifted_in_terminal(app: AppContext, contact: str, *, reason: str, actor: str) -> list[str]:
    """Take somebody off the list because a person says so; say what still keeps them from being contacted."""
    done = await lift_suppression(app, contact=contact, reason=reason, actor=actor)
    lines = [f"{done.value} is off the list. It was there because: {done.was}"]
    lines += [f"Still on the list, and covering the same: {one}" for one in done.still]
    vendors = [provider.title for provider in app.providers.values() if provider.exclusions is not None]
    lines += [f"{title} keeps a list of its own, which this does not change." for title in vendors]
    return [*lines, "What it stopped stays stopped; a new start needs a new plan."]


def is_email(identifier: str) -> bool:
    """Say whether an id is a text's."""
    return _is(identifier, IdKind.DRAFT)


def _is(identifier: str, kind: IdKind) -> bool:
    return identifier.startswith(f"{LOCAL}:{kind}_")


async def _draft(app: AppContext, identifier: str) -> Draft:
    return await offered(app.local.drafts, app.local, verb="read drafts").get_draft(identifier)


async def _plan_lines(app: AppContext, plan: Plan, *, full: bool) -> AsyncIterator[str]:
    first: SequenceDetail | None = None
    sourcing = await warnings.sourcing_of_plan(app, plan)
    for line in await _head(app, plan):
        yield line
    async for detail in _people(app, plan):
        if plan.status not in OPEN or detail.sequence.status in TERMINAL:
            yield terminal.person_decided(detail)
            continue
        first = first or detail
        for line in _one(detail, first, full=full):
            yield line
        if detail.sequence.warnings:
            for line in terminal.warned(warnings.person_warnings(app, detail, sourcing=sourcing)):
                yield line


async def _head(app: AppContext, plan: Plan) -> list[str]:
    """Return what is said of everybody: when steps would leave only where somebody waits for a decision."""
    slots: tuple[Slot, ...] = ()
    found = await warnings.blueprint_warnings(app, plan)
    report = await warnings.planned_blueprint(app, plan)
    # Said whether or not it has an effect: who reads the texts is part of what a person decides.
    spared = [one for one in report.findings if one.rule == UNREAD and one not in found]
    people = await app.records.list_people(plan.id, page=1, size=1)  # whoever waits comes first
    lacking = not_given(people.items[0]) if people.items else ()
    accounts = accounts_needed(plan.header.blueprint_id, report.blueprint.steps)
    if plan.status in OPEN and people.items:
        sequence = people.items[0].sequence
        steps = [run.step for run in sequence.steps]
        slots = timetable(app, steps, zone=sequence.time_zone, start=app.clock())
    return [
        *terminal.plan_head(plan, slots, warnings=len(found) + plan.warnings, accounts=accounts, lacking=lacking),
        *terminal.warned([*found, *spared]),
    ]


async def _people(app: AppContext, plan: Plan) -> AsyncIterator[SequenceDetail]:
    page = 1
    while True:
        people = await app.plans.list_people(plan.id, page=page, size=_PAGE)
        for detail in people.items:
            yield detail
        if not people.has_more:
            return
        page += 1


def _one(detail: SequenceDetail, first: SequenceDetail, *, full: bool) -> Iterator[str]:
    if full or detail is first or detail.sequence.warnings or any(map(_is_own, detail.sequence.steps)):
        return terminal.person_in_full(detail)
    return terminal.person_by_difference(detail, first)


def _is_own(run: StepRun) -> bool:
    """Say whether a text was written or changed for this one person and so has to be read."""
    return bool(run.text_generation) or run.step.is_written_per_contact
