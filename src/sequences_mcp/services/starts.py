"""Starts: previewed, planned, written down and hashed. Nothing leaves before a person approves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

from sequences_mcp.context import AppContext
from sequences_mcp.domain import actors
from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, facts_of
from sequences_mcp.domain.findings import Finding, RowProblem, warnings_in
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.plan import LIFETIME, Plan, PlanHeader, Terms, is_allowed
from sequences_mcp.domain.records import PlanningTally
from sequences_mcp.errors import (
    ApprovalError,
    ConflictError,
    InvalidArgumentsError,
    NotSupportedError,
    SettingsError,
)
from sequences_mcp.guards.check import check_value
from sequences_mcp.guards.senders import check_sender
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.planning import recipient_rows
from sequences_mcp.planning.reminders import reminders_of_plan, with_reminders, without_reminders
from sequences_mcp.planning.rendering import NO_VARIANTS, render_recipient
from sequences_mcp.planning.requirements import (
    NO_SENDER,
    require_no_errors,
    require_sound_sender,
    signs_any,
)
from sequences_mcp.planning.timetable import Slot, timetable
from sequences_mcp.planning.variants import assigned_variants
from sequences_mcp.planning.vendor_texts import is_accepted_by_listing
from sequences_mcp.planning.warnings import blueprint_warnings, distinct_warnings
from sequences_mcp.ports.embedded import (
    PlannedPerson,
    SavedContact,
    SequenceDetail,
    ToolCall,
)
from sequences_mcp.remembering import VALUES
from sequences_mcp.services.blueprints import get_blueprint
from sequences_mcp.services.enrolment import Enrolment, enrolments_of, offer_of, require_sound_rows
from sequences_mcp.services.left_out import (
    PEOPLE_KEPT,
    LeftOutPerson,
    Tally,
    earlier_runs,
    left_out_at_vendor,
    left_out_because,
    nobody_left,
    stray_texts,
    with_earlier_run,
)
from sequences_mcp.services.sequences import busy_now


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReport:
    """The plan that stands for a call, and what was learnt by planning: everybody left out, and every warning.

    ``sample`` is the plan's first person. ``is_repeat``: the same call, sent twice at once, was planned first, and
    ``plan`` is its plan.
    """

    plan: Plan
    sample: SequenceDetail
    left_out: tuple[LeftOutPerson, ...]
    warnings: tuple[Finding, ...]
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartState:
    """A start as its plan and its runs stand now: the same for the call that planned it and for every repeat.

    ``sample`` is its first person, ``counted`` what was counted while it was planned, ``to_write`` its first
    people whose texts are still to be written; ``number`` counts the warnings that an approval covers.
    """

    plan: Plan
    sample: SequenceDetail
    counted: PlanningTally
    to_write: tuple[SequenceDetail, ...]
    warnings: tuple[Finding, ...]
    number: int


BATCH = 500  # people between two reports of progress
PART = 250  # people whose rows are written in one transaction

Progress = Callable[[int, int], Awaitable[None]]
T = TypeVar("T")


@VALUES.needed_by
async def start_sequence(
    app: AppContext,
    *,
    blueprint_id: str,
    contacts: Items[object],
    sender: str | None = None,
    auto_approve: bool = False,
    call: ToolCall | None = None,
    progress: Progress,
) -> StartReport:
    """Return a plan that waits for a person, or, where the operator allowed this blueprint, one under way.

    The plan is stored as that of ``call``. A key that the caller gave is also given to a vendor that takes one.

    ``sender`` is the name of the mailbox that it leaves from, where the blueprint names none. Contacts given as
    facts are saved. Whoever must not or cannot be written to is left out, with the reason. Raises
    RefusedByGuardsError when nobody is left or the blueprint breaks a rule, InvalidArgumentsError for bad or
    repeated contacts and for a mailbox that there is not, NotSupportedError for one at a vendor, ApprovalError for
    an ``auto_approve`` that the operator has not allowed.
    """
    is_chosen = sender is not None and sender != app.mailbox.name
    app = app if sender is None else await _sending_as(app, sender, blueprint_id=blueprint_id)
    rows = await recipient_rows.read_many_recipients(contacts, policy=app.policy)
    if auto_approve and rows.is_sound:
        await require_allowed(app, blueprint_id)
    entries = list(rows.entries)
    if app.provider_of(blueprint_id, IdKind.BLUEPRINT).name == LOCAL:
        plan, tally = await _planned_here(app, blueprint_id, rows, progress=progress)
    else:
        key = call.key if call and not call.derived else None
        plan, tally = await _planned_there(app, blueprint_id, rows, auto_approve=auto_approve, key=key)
        await progress(len(entries), len(entries))

    # Before the transaction that seals it. A mailbox of the caller's choice is not what the operator allowed.
    is_usual = auto_approve and not is_chosen and not await _is_for_a_person(app, entries)

    def approved_by(plan: Plan) -> actors.Actor | None:
        return actors.AUTO_APPROVE if is_usual and _needs_nobody(app, plan, tally=tally) else None

    return await sealed_start(app, plan, tally=tally, number=len(entries), call=call, approved_by=approved_by)


async def _sending_as(app: AppContext, sender: str, *, blueprint_id: str) -> AppContext:
    """Return the context with the mailbox ``sender`` in use.

    Raises NotSupportedError at a vendor, InvalidArgumentsError where the blueprint names another mailbox.
    """
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    if provider.name != LOCAL:
        raise NotSupportedError(
            f"sender names a mailbox of this server; {provider.title} sends from the accounts connected there.",
            next_step="Leave sender out.",
        )
    chosen = app.sending_as(sender)
    steps = (await provider.get_blueprint(blueprint_id)).steps
    if any(step.config and step.config.user_id not in (None, sender) for step in steps):
        raise InvalidArgumentsError(
            "The blueprint itself names the mailbox that sends it (config.userId), and that is another one.",
            next_step="Leave sender out, or take config.userId out of the steps with update_blueprint.",
        )
    return chosen


async def sealed_start(
    app: AppContext,
    plan: Plan,
    *,
    tally: Tally,
    number: int,
    call: ToolCall | None,
    approved_by: Callable[[Plan], actors.Actor | None] = lambda _: None,
) -> StartReport:
    """Seal a plan of some of so many people; RefusedByGuardsError when all of them were left out.

    They may be in the plan of the same call, sent twice at once: that one is then returned.
    """
    if len(tally.left_out) == number:
        earlier = await app.plans.plan_of_call(call) if call else None
        if earlier is None:
            raise nobody_left(tally)
        stands = earlier
    else:
        if covered := tally.reminders.covered():
            version = await app.plans.version_of(plan.header.blueprint_id, plan.header.blueprint_version)
            header = replace(plan.header, warnings=covered)
            tally.warnings |= dict.fromkeys(reminders_of_plan(header, version.steps))
        stands = await app.plans.seal_plan(
            plan.id, call=call, tally=tally.counted(), approved_by=approved_by, covered=covered
        )
    await asyncio.sleep(0)
    return StartReport(
        plan=stands,
        sample=(await app.plans.list_people(stands.id, page=1, size=1)).items[0],
        left_out=tuple(tally.left_out),
        warnings=tuple(tally.warnings),
        is_repeat=stands.id != plan.id,
    )


async def state_of_start(app: AppContext, plan: Plan) -> StartState:
    """Return a start as its plan and its runs stand now."""
    about_all = await blueprint_warnings(app, plan)
    sample = (await app.records.list_people(plan.id, page=1, size=1)).items[0]
    await asyncio.sleep(0)  # whatever goes through ten thousand people is a piece of its own
    return StartState(
        plan=plan,
        sample=sample,
        counted=await app.plans.planning_tally(plan.id),
        to_write=await app.plans.people_without_texts(plan.id, size=PEOPLE_KEPT) if plan.missing_texts else (),
        warnings=await distinct_warnings(app, plan, of_all=about_all),
        number=len(about_all) + plan.warnings,
    )


async def version_to_start(app: AppContext, *, blueprint_id: str, contacts: Items[object] = ()) -> int:
    """Return the version that a start would plan now; NotFoundError, ConflictError.

    Before a vendor is asked, what is wrong with the ``contacts`` is refused as by the start itself.
    """
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    if provider.name == LOCAL:
        return (await get_blueprint(app, blueprint_id=blueprint_id)).blueprint.version
    rows = await recipient_rows.read_many_recipients(contacts, policy=app.policy) if contacts else None
    if rows is not None and not rows.is_sound:
        await require_sound_rows(app, rows, blueprint_id=blueprint_id)
    return (await provider.blueprint_to_start(blueprint_id)).version


async def _planned_here(
    app: AppContext, blueprint_id: str, rows: recipient_rows.RecipientRows, *, progress: Progress
) -> tuple[Plan, Tally]:
    blueprint, warnings = await startable(app, blueprint_id)
    app = app.sending(blueprint.steps)
    app.require_own_mailbox()
    people = await _resolve(app, blueprint, rows)
    plan = await app.plans.open_plan(header_of(blueprint, warnings, terms=app.terms, now=app.clock()))
    tally = Tally(
        warnings=dict.fromkeys(warnings),
        saved=sum(saved.created for _, saved in people),
        unstored=frozenset(saved.contact.id for _, saved in people if not saved.is_stored),
    )
    await _fill(app, plan, blueprint=blueprint, people=people, tally=tally, progress=progress)
    return plan, tally


async def _planned_there(
    app: AppContext, blueprint_id: str, rows: recipient_rows.RecipientRows, *, auto_approve: bool, key: str | None
) -> tuple[Plan, Tally]:
    """Return the plan of a start at a vendor. ``auto_approve`` leaves out the vendor's own review as well."""
    if not rows.is_sound:
        await require_sound_rows(app, rows, blueprint_id=blueprint_id)
    offer = await offer_of(app, blueprint_id=blueprint_id, review_left_out=auto_approve)
    people = await enrolments_of(app, replace(offer, key=key), rows, keep=True)
    people = await _warned_there(app, blueprint_id, people)
    twice = [*named_twice([person.person.contact.id for person in people])]
    rows.require_sound(twice or _reached_twice(people))
    terms = app.vendor_terms[offer.provider.name]
    plan = await app.plans.open_plan(header_of(offer.blueprint, offer.warnings, terms=terms, now=app.clock()))
    tally = Tally(warnings=dict.fromkeys(offer.warnings), saved=sum(person.is_new for person in people))
    for batch in batches(people, BATCH):
        judged = await left_out_at_vendor(app, batch)
        going = [
            enrolment.person
            for enrolment, reasons in zip(batch, judged, strict=True)
            if tally.take(enrolment.person, reasons)
        ]
        if going:
            await app.plans.add_people(plan.id, going)
    return plan, tally


async def _warned_there(app: AppContext, blueprint_id: str, people: Items[Enrolment]) -> list[Enrolment]:
    """Return the people of a start at a vendor with what the law asks, and what they had or answered before."""
    waivers = await app.waivers.waivers_of(blueprint_id)
    earlier = await earlier_runs(app, [person.person.contact for person in people], blueprint_id=blueprint_id)
    return [
        replace(
            person,
            person=with_earlier_run(with_reminders(app, person.person, waivers, below=""), earlier),
        )
        for person in people
    ]


async def require_allowed(app: AppContext, blueprint_id: str) -> None:
    """Raise ApprovalError unless the operator allowed this blueprint, in the version that would start."""
    if any(item.partition("@")[0] == blueprint_id for item in app.auto_approve):
        version = await version_to_start(app, blueprint_id=blueprint_id)
        provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT).name
        if is_allowed(app.auto_approve, blueprint_id, version=version):
            return
        raise ApprovalError(
            f"auto_approve is allowed for another version of this blueprint than {version}, the newest.",
            next_step=f"Leave auto_approve out. The operator can name this one: {blueprint_id}@{version}.",
            data={"allowed": sorted(item for item in app.auto_approve if item.startswith(f"{provider}:"))},
        )
    raise ApprovalError(
        "auto_approve is not allowed for this blueprint; a person approves its starts.",
        next_step="Leave auto_approve out. Only the operator can allow it, in SEQUENCES_AUTO_APPROVE.",
    )


async def _is_for_a_person(app: AppContext, entries: Items[recipient_rows.Recipient]) -> bool:
    """Say whether a person has to look at what this call gave: texts for one person, facts that raise a warning.

    Everything else on the event loop goes on meanwhile.
    """
    for batch in batches(entries, recipient_rows.PART):
        for entry in batch:
            facts = facts_of(entry.contact.fields).items()
            if entry.variables or entry.texts:
                return True
            if any(check_value(name, value, policy=app.policy) for name, value in facts if value):
                return True
        await asyncio.sleep(0)
    return False


def _needs_nobody(app: AppContext, plan: Plan, *, tally: Tally) -> bool:
    """Say whether what the operator allowed beforehand covers this start, whose facts are usual.

    It covers the blueprint's version filled in with the facts that are kept, and a vendor's standing warnings
    about its template. Any other warning is a person's to look at, as is whatever the caller wrote for one person.
    """
    unaccepted = [
        warning for warning in tally.warnings if not is_accepted_by_listing(plan.header.blueprint_id, warning)
    ]
    open_ = unaccepted or plan.missing_texts or plan.to_read
    return not open_ and plan.header.is_allowed_by(app.auto_approve)


async def startable(app: AppContext, blueprint_id: str) -> tuple[Blueprint, tuple[Finding, ...]]:
    """Return a blueprint that can be started here, and its warnings; InvalidArgumentsError, SettingsError."""
    report = await get_blueprint(app, blueprint_id=blueprint_id)
    if report.blueprint.archived:
        raise ConflictError(
            "This blueprint is archived, so nobody can be started in it.",
            next_step="update_blueprint with archived: false takes it back; list_blueprints shows the others.",
        )
    if not report.blueprint.steps:
        raise InvalidArgumentsError(
            "This blueprint has no steps.", next_step="Add them with update_blueprint, then start it."
        )
    steps = report.blueprint.steps
    require_sound_sender(app.sending(steps).sender, app.policy, signs=signs_any(steps))
    findings = without_reminders(report.findings)  # what is lacking is told of the people who are started
    require_no_errors(findings)
    if app.sender is None:
        raise SettingsError(
            "SEQUENCES_SENDER is not set, so nobody knows who the messages come from.",
            next_step="The operator sets it, as `Ada Lovelace <ada@example.com>`, and restarts the server.",
        )
    return report.blueprint, warnings_in(findings)


async def _resolve(
    app: AppContext, blueprint: Blueprint, rows: recipient_rows.RecipientRows
) -> list[tuple[recipient_rows.Recipient, SavedContact]]:
    """Return each entry with its person, after saving what was told of them; nothing is saved if a row is bad.

    As many are saved in one transaction as everybody else can wait for. Where the process ends in between, some
    are saved and there is no plan; the same call finds them again.
    """
    entries, optional = rows.entries, recipient_rows.optional_facts(blueprint.steps)
    match = partial(app.local.match_contacts, optional=optional)
    matched = await recipient_rows.matched_people(match, [entry.contact for entry in entries])
    rows.require_sound(
        [*recipient_rows.several_addresses(entries, title="the embedded engine"), *matched.problems]
    )
    with_facts = [checked for entry, checked in zip(entries, matched.entries, strict=True) if entry.has_facts]
    save = partial(app.local.save_contacts, optional=optional, leaves_erased_out=True)
    stored_people: list[SavedContact] = []
    for part in batches(with_facts, PART):
        stored_people += await save(part)
        await asyncio.sleep(0)
    new = iter(stored_people)
    people = [
        (entry, SavedContact(stored, created=False) if stored and not entry.has_facts else next(new))
        for entry, stored in zip(entries, matched.people, strict=True)
    ]
    # By a number, two rows of different parts may turn out to be one person only when the first of them is stored.
    rows.require_sound(named_twice([saved.contact.id for _, saved in people]))
    return people


def named_twice(people: Iterable[str]) -> Iterator[RowProblem]:
    """Yield each row, from 1, whose person an earlier row names."""
    first: dict[str, int] = {}
    for position, who in enumerate(people, start=1):
        if (earlier := first.setdefault(who, position)) != position:
            yield recipient_rows.named_again(earlier, position, who)


def _reached_twice(people: Items[Enrolment]) -> list[RowProblem]:
    """Return what is wrong with rows that have an address, a profile or a vendor's id of a person in common."""
    first: dict[str, int] = {}
    problems: dict[int, RowProblem] = {}
    for position, enrolment in enumerate(people, start=1):
        for way in enrolment.ways:
            if (earlier := first.setdefault(way, position)) != position:
                problem = f"contacts {earlier} and {position} are the same person: both have {way}"
                remedy = "Name each person once, with all of their addresses in one entry."
                problems.setdefault(position, RowProblem(position, None, None, problem, remedy))
    return list(problems.values())


def header_of(blueprint: Blueprint, warnings: Iterable[Finding], *, terms: Terms, now: datetime) -> PlanHeader:
    """Return what a plan of this blueprint says about everybody in it."""
    return PlanHeader(
        blueprint_id=blueprint.id,
        blueprint_version=blueprint.version,
        blueprint_name=blueprint.name,
        terms=terms,
        expires_at=now + LIFETIME,
        warnings=tuple(f"{warning.step_id or 'all steps'}: {warning.rule}" for warning in warnings),
    )


async def _fill(
    app: AppContext,
    plan: Plan,
    *,
    blueprint: Blueprint,
    people: list[tuple[recipient_rows.Recipient, SavedContact]],
    tally: Tally,
    progress: Progress,
) -> None:
    done = 0
    variants = await assigned_variants(app, blueprint, [saved.contact for _, saved in people])
    for batch in batches(people, PART):
        judged = await _judge(app, blueprint, batch, variants=variants)
        going = [recipient for recipient, reasons in judged if tally.take(recipient, reasons)]
        await asyncio.sleep(0)
        if going:
            await app.plans.add_people(plan.id, going)
        done += len(batch)
        await asyncio.sleep(0)
        if done % BATCH == 0 or done == len(people):
            await progress(done, len(people))


async def _judge(
    app: AppContext,
    blueprint: Blueprint,
    batch: list[tuple[recipient_rows.Recipient, SavedContact]],
    *,
    variants: Mapping[str, Mapping[str, int]],
) -> list[tuple[PlannedPerson, tuple[str, ...]]]:
    contacts = [saved.contact for _, saved in batch]
    waivers = await app.waivers.waivers_of(blueprint.id)
    suppressed = await app.suppressions.suppressed_among(contacts)
    busy = await busy_now(app, [contact.id for contact in contacts])
    earlier = await earlier_runs(app, contacts, blueprint_id=blueprint.id)
    judged: list[tuple[PlannedPerson, tuple[str, ...]]] = []
    for entry, saved in batch:
        if len(judged) == PART // 2:
            await asyncio.sleep(0)
        contact = saved.contact
        recipient = _rendered(app, blueprint, (entry, contact), variants=variants)
        if saved.dropped:
            not_saved = map(recipient_rows.not_saved, saved.dropped)
            recipient = replace(recipient, findings=(*recipient.findings, *not_saved))
        recipient = with_earlier_run(with_reminders(app, recipient, waivers), earlier)
        reasons = left_out_because(recipient, suppressed=suppressed.get(contact.id), busy=busy.get(contact.id))
        judged.append((recipient, reasons + stray_texts(blueprint, entry)))
    return judged


def _rendered(
    app: AppContext,
    blueprint: Blueprint,
    row: tuple[recipient_rows.Recipient, Contact],
    *,
    variants: Mapping[str, Mapping[str, int]],
) -> PlannedPerson:
    """Return what one person would get: the contact of a row, with the row's own variables and texts."""
    entry, contact = row
    return render_recipient(
        app,
        blueprint,
        contact,
        variables=entry.variables,
        texts=entry.texts,
        variants=variants.get(contact.id, NO_VARIANTS),
    )


def batches(items: Iterable[T], size: int) -> Iterable[list[T]]:
    """Yield the items in lists of at most ``size``."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


UNSAVED = "unsaved"


@dataclass(frozen=True, slots=True)
class PersonPreview:
    """One person's texts and times; ``blocked`` says why a start would leave them out."""

    person: PlannedPerson
    slots: tuple[Slot, ...]
    blocked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A blueprint as it would reach each contact."""

    blueprint: Blueprint
    people: tuple[PersonPreview, ...]
    terms: Terms


@VALUES.needed_by
async def preview_sequence(
    app: AppContext, *, blueprint_id: str, contacts: Items[object], sender: str | None = None
) -> Preview:
    """Return the final texts and local times for each contact; contacts given as facts are not saved.

    ``sender`` is as in ``start_sequence``.
    """
    app = app if sender is None else await _sending_as(app, sender, blueprint_id=blueprint_id)
    rows = await recipient_rows.read_many_recipients(contacts, policy=app.policy)
    if app.provider_of(blueprint_id, IdKind.BLUEPRINT).name != LOCAL:
        return await _preview_there(app, blueprint_id, rows)
    report = await get_blueprint(app, blueprint_id=blueprint_id)
    blueprint, app = report.blueprint, app.sending(report.blueprint.steps)
    app.require_own_mailbox()
    # A mailbox that was taken out of the settings since: the start is refused, and the texts below are another's.
    no_sender = tuple(dict.fromkeys(finding.message for finding in report.findings if finding.rule == NO_SENDER))
    no_sender += tuple(
        f"The guards refuse the {finding.field} of these messages: {finding.excerpt!r}. {finding.message}"
        for finding in _refused_sender(app, blueprint)
    )
    people = await _people(app, blueprint, rows)
    suppressed = await app.suppressions.suppressed_among(people)
    busy = await busy_now(app, [contact.id for contact in people])
    earlier = await earlier_runs(app, people, blueprint_id=blueprint.id)
    waivers = await app.waivers.waivers_of(blueprint.id)
    free = (await app.records.mailbox_usage(app.terms)).opens
    variants = await assigned_variants(app, blueprint, people)
    shown = []
    for entry, contact in zip(rows.entries, people, strict=True):
        recipient = _rendered(app, blueprint, (entry, contact), variants=variants)
        recipient = with_earlier_run(with_reminders(app, recipient, waivers), earlier)
        recipient = replace(recipient, findings=(*recipient.findings, *recipient.reminders))
        slots = timetable(app, blueprint.steps, zone=recipient.time_zone, start=app.clock(), free=free)
        blocked = left_out_because(recipient, suppressed=suppressed.get(contact.id), busy=busy.get(contact.id))
        shown.append(PersonPreview(recipient, slots, no_sender + blocked))
    return Preview(blueprint, tuple(shown), app.terms)


def _refused_sender(app: AppContext, blueprint: Blueprint) -> tuple[Finding, ...]:
    if app.sender is None:
        return ()
    return check_sender(app.sender, app.policy, signs=signs_any(blueprint.steps))


async def _preview_there(app: AppContext, blueprint_id: str, rows: recipient_rows.RecipientRows) -> Preview:
    if not rows.is_sound:
        await require_sound_rows(app, rows, blueprint_id=blueprint_id)
    offer = await offer_of(app, blueprint_id=blueprint_id, review_left_out=False)
    people = await _warned_there(app, blueprint_id, await enrolments_of(app, offer, rows, keep=False))
    slots = timetable(app, offer.blueprint.steps, zone="", start=app.clock())
    blocked = await left_out_at_vendor(app, people)
    shown = [
        PersonPreview(
            replace(enrolment.person, findings=(*offer.warnings, *enrolment.person.findings)), slots, reasons
        )
        for enrolment, reasons in zip(people, blocked, strict=True)
    ]
    return Preview(offer.blueprint, tuple(shown), app.vendor_terms[offer.provider.name])


async def _people(app: AppContext, blueprint: Blueprint, rows: recipient_rows.RecipientRows) -> list[Contact]:
    match = partial(app.local.match_contacts, optional=recipient_rows.optional_facts(blueprint.steps))
    matched = await recipient_rows.matched_people(match, [entry.contact for entry in rows.entries])
    rows.require_sound(matched.problems)
    return [
        _merged(entry, stored, position=position, now=app.clock())
        for position, (entry, stored) in enumerate(zip(rows.entries, matched.people, strict=True), start=1)
    ]


def _merged(entry: recipient_rows.Recipient, stored: Contact | None, *, position: int, now: datetime) -> Contact:
    given = {name: value for name, value in facts_of(entry.contact.fields).items() if value is not None}
    if stored is None:
        return Contact(id=f"{UNSAVED} {position}", created_at=now, updated_at=now, **given)
    return replace(stored, **given)
