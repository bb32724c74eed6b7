"""What a person at a terminal is shown and decides: the commands ``sequences-mcp review …``.

Each function returns the lines or the sentence to print; the errors of the services pass through.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.erasure import ERASE
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.plain_words import STATUSES, for_terminal
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.run import TERMINAL, StepRun
from sequences_mcp.domain.shown import MANY, PersonShown, PlanShown, is_own_text
from sequences_mcp.errors import ApprovalError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.planning import warnings
from sequences_mcp.planning.vendor_texts import title_of
from sequences_mcp.ports.embedded import Draft, SequenceDetail, ToolCall
from sequences_mcp.ports.provider import Provider
from sequences_mcp.review import terminal
from sequences_mcp.review.presentation import present_person, present_plan
from sequences_mcp.services import erasure, suppression
from sequences_mcp.services.enrolment import enrol_soon
from sequences_mcp.services.erasure import ErasureReport
from sequences_mcp.services.reviews import approve_change, approve_draft, approve_plan, refuse_plan
from sequences_mcp.services.sequences import resolve_run
from sequences_mcp.services.vendor_writes import resolve_operation, vendor_of

HAND_OVER_AT_MOST = 120.0  # seconds that a person at a terminal waits; a running server goes on afterwards
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Look:
    """What was shown to a person: the lines, the digest that an approval covers, who of a plan was paused."""

    lines: tuple[str, ...]
    digest: str
    people: int
    pauses: str = ""


async def look_up(app: AppContext, identifier: str, *, full: bool = False, renew: bool = False) -> Look:
    """Return a plan, a draft or a change to read; whatever has to be read before an approval is shown in full.

    ``renew`` gives a void plan the present settings first, so that it can be approved again.
    """
    if _is(identifier, IdKind.DRAFT):
        draft = await _draft(app, identifier)
        warned = await warnings.draft_findings(app, draft)
        return Look((*terminal.draft_in_full(draft), *terminal.warned(warned)), draft.digest, 1)
    if _is(identifier, IdKind.OPERATION):
        change = await app.changes.get(identifier)
        return Look(tuple(terminal.change_in_full(change, now=app.clock())), change.digest, 1)
    plan = await app.plans.get_plan(identifier)
    # ``show`` must not change anything; only ``approve`` renews.
    if renew and plan.status is PlanStatus.VOID:
        plan = await app.plans.renew_plan(plan.id)
    shown = await present_plan(app, plan)
    lines = [line async for line in _plan_lines(app, shown, full=full)]
    return Look(tuple(lines), plan.digest, plan.people, shown.tally.pauses)


async def approve_in_terminal(
    app: AppContext, identifier: str, *, seen: Look, people: int | None, actor: Actor
) -> str:
    """Approve exactly what was shown, and return the sentence that says so.

    Raises ApprovalError when it has changed since, or when a plan of more than 50 people is approved without
    stating their number.
    """
    if _is(identifier, IdKind.DRAFT):
        await approve_draft(app, draft_id=identifier, digest=seen.digest, actor=actor)
        return f"{identifier} is approved; it leaves when it is due."
    if _is(identifier, IdKind.OPERATION):
        await approve_change(app, change_id=identifier, digest=seen.digest, actor=actor)
        change = await app.changes.get(identifier)
        return "They are erased." if change.tool == ERASE else f"{identifier} is done at {vendor_of(change)}."
    if seen.people > MANY and people != seen.people:
        raise ApprovalError(
            f"This plan reaches {seen.people:,} people.",
            next_step=f"State that number: --people {seen.people}.",
        )
    done = await approve_plan(app, plan_id=identifier, digest=seen.digest, actor=actor, pauses=seen.pauses)
    line = terminal.waiting_line(done, warnings=await warnings.number_of_warnings(app, done))
    sentence = f"{done.id} is approved: {line}."
    more = await _handed_over(app, done) if done.header.is_at_vendor else app.waits_for_worker(done)
    return f"{sentence} {for_terminal(more)}" if more else sentence


async def look_at_erasure(app: AppContext, contact: str) -> Look:
    """Return what erasing somebody would erase, to read; nothing waits for a person because of it yet."""
    change = await erasure.planned_erasure(app, contact=contact)
    return Look(tuple(terminal.change_in_full(change, now=app.clock())), change.subject, 1)


async def erase_in_terminal(app: AppContext, contact: str, *, seen: Look, actor: Actor) -> ErasureReport:
    """Erase whoever was shown; return what that came to. ApprovalError where somebody else has the address now."""
    change = await erasure.ask_to_erase(app, contact=contact)
    if change.subject != seen.digest:
        raise ApprovalError("Somebody else has this address now.", next_step="Look at it again.")
    return await erasure.erase_approved(app, change, digest=change.digest, actor=actor)


def erasure_lines(report: ErasureReport) -> list[str]:
    """Return what an erasure came to, for a terminal, and what a person still has to delete."""
    tally = report.tally
    lines = [
        f"Erased: {tally.runs} sequences ({tally.stopped} stopped), {tally.texts} texts, {tally.replies} replies, "
        f"{tally.files} files; {tally.audit_rows} rows of the audit were emptied."
    ]
    lines += [f"At {title}: {words}" for title, words in report.at_vendors.items()]
    lines += [f"Their name still stands in {item}, as it was approved." for item in tally.mentions]
    lines += [f"{name} in the data folder still holds them: delete it." for name in report.copies]
    return [*map(for_terminal, lines), erasure.COPIES]


async def reject_in_terminal(app: AppContext, identifier: str, *, reason: str, actor: Actor) -> str:
    """Reject a plan or a change at a vendor, and return a sentence; ConflictError when it is decided already."""
    if _is(identifier, IdKind.OPERATION):
        done = await app.changes.refuse(identifier, reason=reason, actor=actor)
        return f"{done.id} is rejected; nothing was changed at {vendor_of(done)}."
    plan = await refuse_plan(app, plan_id=identifier, reason=reason, actor=actor)
    return f"{plan.id} is rejected; nothing of it is sent."


async def _handed_over(app: AppContext, plan: Plan) -> str:
    """Wait a limited time for the enrolment of a plan's people at its vendor, and return its state in words."""
    if plan.header.provider not in app.providers:
        return f"A running server that has {title_of(plan)}'s key enrols its people."
    progress = await enrol_soon(app, plan_id=plan.id, seconds=HAND_OVER_AT_MOST)
    counted = {
        "handed over": progress.done,
        "of unknown outcome": progress.unknown,
        "not taken": progress.not_done,
    }
    parts = [
        f"{number:,} {words}"
        for words, number in (counted | {"still waiting": progress.waiting}).items()
        if number
    ]
    return f"{title_of(plan)}: {', '.join(parts)}.{''.join(f' {for_terminal(reason)}' for reason in progress.why)}"


async def resolved_in_terminal(
    app: AppContext, identifier: str, *, sent: bool, actor: Actor, seen: Look | None = None
) -> str:
    """Record what became of an unknown e-mail, an unknown write to a vendor or a run there; return a sentence.

    ``sent`` says that it was sent, done or finished. ``seen`` is the e-mail as it was shown: when it was not sent,
    exactly that is approved to be sent again.
    """
    if _is(identifier, IdKind.OPERATION):
        operation = await resolve_operation(app, operation_id=identifier, done=sent, actor=actor)
        return f"{operation.id} counts as {'done' if operation.state == 'done' else 'not done'}."
    if _is(identifier, IdKind.SEQUENCE):
        run = await resolve_run(app, sequence_id=identifier, finished=sent, actor=actor)
        ending = STATUSES[run.sequence.status.value]
        return f"{run.sequence.id} counts as ended ({ending}): its person is free for another sequence."
    sequence = await app.local.resolve_unknown(
        identifier, sent=sent, actor=actor, digest=seen.digest if seen else None
    )
    ending = "sent" if sent else "not sent"
    return f"The e-mail counts as {ending}; {sequence.id}: {STATUSES[sequence.status.value]}."


async def suppressed_in_terminal(app: AppContext, contact: str, *, reason: str) -> list[str]:
    """Suppress an address, domain or contact for a person, and return what that stopped, here and at vendors."""
    done = await suppression.suppress_contact(app, contact=contact, reason=reason)
    call = ToolCall("suppress_contact", None, done.value)
    at_vendors = await suppression.suppress_at_vendors(
        app, suppression.ExclusionTarget(done.kind, done.value), call=call, reason=reason
    )
    summary = f"{done.value} is on the list{' already' if done.already else ''}: nothing more leaves for them."
    stopped = len(done.stopped) + len(at_vendors.stopped)
    return [
        f"{summary} Stopped: {stopped}.",
        *(f"Not done at {name}: {for_terminal(why)}" for name, why in at_vendors.undone.items()),
    ]


async def lifted_in_terminal(app: AppContext, contact: str, *, reason: str, actor: Actor) -> list[str]:
    """Lift a suppression for a person, and return what else still keeps the contact from being written to."""
    done = await suppression.lift_suppression(app, contact=contact, reason=reason, actor=actor)
    lines = [f"{done.value} is off the list. It was there because: {done.was}"]
    lines += [f"Still on the list, and covering the same: {entry}" for entry in done.still]
    vendors = [provider.title for provider in app.providers.values() if provider.offers(Provider.exclude)]
    lines += [f"{title} keeps a list of its own, which this does not change." for title in vendors]
    return [*lines, "What it stopped stays stopped; a new start needs a new plan."]


def is_email(identifier: str) -> bool:
    """Say whether an id is that of a draft, the text of one e-mail."""
    return _is(identifier, IdKind.DRAFT)


def _is(identifier: str, kind: IdKind) -> bool:
    return identifier.startswith(f"{LOCAL}:{kind}_")


async def _draft(app: AppContext, identifier: str) -> Draft:
    return await app.local.get_draft(identifier)


async def _plan_lines(app: AppContext, shown: PlanShown, *, full: bool) -> AsyncIterator[str]:
    read: dict[tuple[str, int | None], StepRun] = {}
    for line in terminal.plan_head(shown):
        yield line
    app = app.sending_under(shown.plan.header.terms)
    async for detail in _people(app, shown.plan):
        person = present_person(app, detail, sourcing=shown.sourcing)
        if not shown.decidable or detail.sequence.status in TERMINAL:
            yield terminal.person_decided(person)
            continue
        # The first person who waits is shown in full, and so is each variant the first time; all others by their
        # differences from those.
        for line in _lines_of(person, read, full=full):
            yield line
        for run in detail.sequence.steps:
            if not run.text_generation:
                read.setdefault((run.step.id, run.variant), run)
        if detail.sequence.warnings:
            for line in terminal.warned(person.warnings):
                yield line


async def _people(app: AppContext, plan: Plan) -> AsyncIterator[SequenceDetail]:
    page = 1
    while True:
        people = await app.plans.list_people(plan.id, page=page, size=_PAGE)
        for detail in people.items:
            yield detail
        if not people.has_more:
            return
        page += 1


def _lines_of(person: PersonShown, read: Mapping[tuple[str, int | None], StepRun], *, full: bool) -> Iterator[str]:
    sequence = person.sequence
    if full or not read or sequence.warnings or any(map(is_own_text, sequence.steps)):
        return terminal.person_in_full(person)
    return terminal.person_by_difference(person, read)
