"""Plan a start: everything it would do, written down and hashed. Nothing leaves before a person's yes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import facts_of
from sequences_mcp.domain.finding import Finding, warnings_in
from sequences_mcp.domain.ids import LOCAL, Kind
from sequences_mcp.domain.plan import LIFETIME, Plan, PlanHeader, Terms, is_allowed
from sequences_mcp.domain.reasons import grouped
from sequences_mcp.domain.row_problems import RowProblem
from sequences_mcp.errors import (
    ApprovalError,
    InvalidArgumentsError,
    RefusedByGuardsError,
    SettingsError,
)
from sequences_mcp.flows.at_vendor import is_accepted_by_listing
from sequences_mcp.flows.blueprint_report import require_no_errors
from sequences_mcp.flows.busy import busy_now
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.entry import (
    Entry,
    Rows,
    not_saved,
    optional_facts,
    read_rows,
    several_addresses,
    told_of,
    with_optional,
)
from sequences_mcp.flows.get_blueprint import get_blueprint
from sequences_mcp.flows.left_out import left_out, left_out_there
from sequences_mcp.flows.person import Person, person
from sequences_mcp.flows.start_at_vendor import Enrollee, enrollees, offer_of, require_sound_rows
from sequences_mcp.flows.start_report import LeftOut, StartReport, Tally
from sequences_mcp.guards.check import check_value
from sequences_mcp.providers.port import SavedContact

BATCH = 500
BUSY = re.compile(r"already in |in a sequence at \w+ already")  # as `left_out` and the vendors say it
OPERATOR = "operator:SEQUENCES_AUTO_APPROVE"

Progress = Callable[[int, int], Awaitable[None]]
T = TypeVar("T")


async def start_sequence(
    desk: Desk,
    *,
    blueprint_id: str,
    contacts: Items[object],
    auto_approve: bool = False,
    key: str | None = None,
    progress: Progress,
) -> StartReport:
    """Return a plan that waits for a person, or, where the operator allowed this blueprint, one under way.

    ``key`` is the caller's idempotency key; a vendor that has such a thing itself is given it.

    Contacts given as facts are saved. Whoever must not or cannot be written to is left out, with the reason.
    Raises RefusedByGuardsError when nobody is left or the blueprint breaks a rule, InvalidArgumentsError for
    bad or repeated contacts, ApprovalError for an ``auto_approve`` that the operator has not allowed.
    """
    rows = read_rows(contacts, policy=desk.policy)
    if auto_approve and rows.is_sound:
        await _require_allowed(desk, blueprint_id)
    entries = list(rows.entries)
    if desk.provider_of(blueprint_id, Kind.BLUEPRINT).name == LOCAL:
        plan, tally = await _planned_here(desk, blueprint_id, rows, progress=progress)
    else:
        plan, tally = await _planned_there(desk, blueprint_id, rows, auto_approve=auto_approve, key=key)
        await progress(len(entries), len(entries))
    if len(tally.left_out) == len(entries):
        raise nobody_left(tally.left_out, saved=tally.saved)
    plan = await desk.plans.seal_plan(plan.id)
    if auto_approve and _needs_nobody(desk, plan, entries=entries, tally=tally):
        plan = await desk.plans.approve_plan(plan.id, digest=plan.digest, actor=OPERATOR)
    sample = (await desk.plans.list_people(plan.id, page=1, size=1)).items[0]
    return tally.report(plan, sample)


async def version_to_start(desk: Desk, *, blueprint_id: str, contacts: Items[object] = ()) -> int:
    """Return the version that a start would plan now; NotFoundError, ConflictError.

    Before a vendor is asked, what is wrong with the ``contacts`` is refused as by the start itself.
    """
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    if provider.name == LOCAL:
        return (await get_blueprint(desk, blueprint_id=blueprint_id)).blueprint.version
    rows = read_rows(contacts, policy=desk.policy) if contacts else None
    if rows is not None and not rows.is_sound:
        await require_sound_rows(desk, rows, blueprint_id=blueprint_id)
    return (await offered(provider.enrolment, provider, verb="start sequences").offer(blueprint_id)).version


async def _planned_here(desk: Desk, blueprint_id: str, rows: Rows, *, progress: Progress) -> tuple[Plan, Tally]:
    with told_of(rows):
        blueprint, warnings = await startable(desk, blueprint_id)
    people = await _resolve(desk, blueprint, rows)
    plan = await desk.plans.open_plan(header_of(blueprint, warnings, terms=desk.terms, now=desk.clock()))
    tally = Tally(warnings=dict.fromkeys(warnings), saved=sum(saved.created for _, saved in people))
    await _fill(desk, plan, blueprint=blueprint, people=people, tally=tally, progress=progress)
    return plan, tally


async def _planned_there(
    desk: Desk, blueprint_id: str, rows: Rows, *, auto_approve: bool, key: str | None
) -> tuple[Plan, Tally]:
    """Return the plan of a start at a vendor. ``auto_approve`` leaves out the vendor's own review as well."""
    if not rows.is_sound:
        await require_sound_rows(desk, rows, blueprint_id=blueprint_id)
    offer = await offer_of(desk, blueprint_id=blueprint_id, review_left_out=auto_approve)
    people = await enrollees(desk, replace(offer, key=key), rows, keep=True)
    twice = [*named_twice([one.person.contact.id for one in people])]
    rows.require_sound(twice or _reached_twice(people))
    terms = desk.vendor_terms[offer.provider.name]
    plan = await desk.plans.open_plan(header_of(offer.blueprint, offer.warnings, terms=terms, now=desk.clock()))
    tally = Tally(warnings=dict.fromkeys(offer.warnings), saved=sum(one.is_new for one in people))
    for batch in batches(people, BATCH):
        judged = await left_out_there(desk, batch)
        going = [
            replace(one.person.planned(), handover=one.handover)
            for one, reasons in zip(batch, judged, strict=True)
            if tally.take(one.person, reasons)
        ]
        if going:
            await desk.plans.add_people(plan.id, going)
    return plan, tally


async def _require_allowed(desk: Desk, blueprint_id: str) -> None:
    """Raise ApprovalError unless the operator allowed this blueprint, in the version that would start."""
    if any(one.partition("@")[0] == blueprint_id for one in desk.auto_approve):
        version = await version_to_start(desk, blueprint_id=blueprint_id)
        provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT).name
        if is_allowed(desk.auto_approve, blueprint_id, version=version):
            return
        raise ApprovalError(
            f"auto_approve is allowed for another version of this blueprint than {version}, the newest.",
            next_step=f"Leave auto_approve out. The operator can name this one: {blueprint_id}@{version}.",
            data={"allowed": sorted(one for one in desk.auto_approve if one.startswith(f"{provider}:"))},
        )
    raise ApprovalError(
        "auto_approve is not allowed for this blueprint; a person approves its starts.",
        next_step="Leave auto_approve out. Only the operator can allow it, in SEQUENCES_AUTO_APPROVE.",
    )


def _needs_nobody(desk: Desk, plan: Plan, *, entries: Items[Entry], tally: Tally) -> bool:
    """Say whether what the operator allowed beforehand covers this start.

    It covers the blueprint's version filled in with the facts that are kept, and a vendor's standing warnings
    about its template. Whatever the caller wrote for one person, any other warning, and facts given in this very
    call that raise one, are a person's to look at.
    """
    written = any(entry.variables or entry.texts for entry in entries)
    unaccepted = [one for one in tally.warnings if not is_accepted_by_listing(plan.header.blueprint_id, one)]
    doubtful = any(
        check_value(name, value, policy=desk.policy)
        for entry in entries
        for name, value in facts_of(entry.contact.fields).items()
        if value
    )
    open_ = written or doubtful or unaccepted or plan.missing_texts or plan.to_read
    return not open_ and plan.header.is_allowed_by(desk.auto_approve)


async def startable(desk: Desk, blueprint_id: str) -> tuple[Blueprint, tuple[Finding, ...]]:
    """Return a blueprint that can be started here, and its warnings; InvalidArgumentsError, SettingsError."""
    report = await get_blueprint(desk, blueprint_id=blueprint_id)
    if not report.blueprint.steps:
        raise InvalidArgumentsError(
            "This blueprint has no steps.", next_step="Add them with update_blueprint, then start it."
        )
    require_no_errors(report.findings)
    if desk.sender is None:
        raise SettingsError(
            "SEQUENCES_SENDER is not set, so nobody knows who the messages come from.",
            next_step="The operator sets it, as `Ada Lovelace <ada@example.com>`, and restarts the server.",
        )
    return report.blueprint, warnings_in(report.findings)


async def _resolve(desk: Desk, blueprint: Blueprint, rows: Rows) -> list[tuple[Entry, SavedContact]]:
    """Return each entry with its person, after saving what was told of them; nothing is saved if a row is bad."""
    store = offered(desk.local.contacts, desk.local, verb="save contacts")
    entries = with_optional(rows.entries, optional_facts(blueprint.steps))
    matched = await store.match_contacts([entry.contact for entry in entries])
    rows.require_sound([*several_addresses(entries, title="the embedded engine"), *matched.problems])
    told = [entry.contact for entry in entries if entry.has_facts]
    saved = iter([one for batch in batches(told, BATCH) for one in await store.save_contacts(batch)])
    return [
        (entry, SavedContact(stored, created=False) if stored and not entry.has_facts else next(saved))
        for entry, stored in zip(entries, matched.people, strict=True)
    ]


def named_twice(people: Iterable[str]) -> Iterator[RowProblem]:
    """Yield each row, from 1, whose person an earlier row names."""
    first: dict[str, int] = {}
    for position, who in enumerate(people, start=1):
        if (earlier := first.setdefault(who, position)) != position:
            problem = f"contacts {earlier} and {position} are the same person ({who})"
            yield RowProblem(position, None, None, problem, "Name each person once.")


def _reached_twice(people: Items[Enrollee]) -> list[RowProblem]:
    """Return what is wrong with rows that have an address, a profile or a vendor's id of a person in common."""
    first: dict[str, int] = {}
    problems: dict[int, RowProblem] = {}
    for position, one in enumerate(people, start=1):
        for way in one.ways:
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
    desk: Desk,
    plan: Plan,
    *,
    blueprint: Blueprint,
    people: list[tuple[Entry, SavedContact]],
    tally: Tally,
    progress: Progress,
) -> None:
    done = 0
    for batch in batches(people, BATCH):
        judged = await _judge(desk, blueprint, batch)
        going = [one.planned() for one, reasons in judged if tally.take(one, reasons)]
        if going:
            await desk.plans.add_people(plan.id, going)
        done += len(batch)
        await progress(done, len(people))


async def _judge(
    desk: Desk, blueprint: Blueprint, batch: list[tuple[Entry, SavedContact]]
) -> list[tuple[Person, tuple[str, ...]]]:
    contacts = [saved.contact for _, saved in batch]
    suppressed = await desk.suppressions.suppressed_among(contacts)
    busy = await busy_now(desk, [contact.id for contact in contacts])
    judged = []
    for entry, saved in batch:
        contact = saved.contact
        one = person(desk, blueprint, contact, variables=entry.variables, texts=entry.texts)
        one = replace(one, findings=(*one.findings, *map(not_saved, saved.dropped)))
        reasons = left_out(one, suppressed=suppressed.get(contact.id), busy=busy.get(contact.id))
        judged.append((one, reasons + _stray_texts(blueprint, entry)))
    return judged


def _stray_texts(blueprint: Blueprint, entry: Entry) -> tuple[str, ...]:
    known = {step.id for step in blueprint.steps}
    return tuple(
        f"there is no step {step_id!r} to write a text for" for step_id in entry.texts if step_id not in known
    )


def nobody_left(left: list[LeftOut], *, saved: int) -> RefusedByGuardsError:
    """Return the error for a plan that nobody is left in; ``saved`` of these people were not known before."""
    # Names and reasons are other people's words: they stay in fields of their own, out of the sentence.
    kinds = grouped((reason, 1) for one in left for reason in one.reasons[:1])
    return RefusedByGuardsError(
        "Nobody is left to write to; left_out_why counts the reasons, left_out shows the first people.",
        next_step=_what_helps(reason for one in left for reason in one.reasons),
        data={
            "left_out_count": len(left),
            "left_out_why": [{"count": one.count, "reason": one.reason} for one in kinds],
            "left_out": [
                {"contact_id": one.contact.id, "name": one.contact.display_name, "reasons": one.reasons}
                for one in left[:10]
            ],
            "saved": saved,
            "known_before": len(left) - saved,
        },
    )


def _what_helps(reasons: Iterable[str]) -> str:
    """Return what can be done about people who were all left out: not the same for each kind of reason."""
    kinds = {
        "listed" if reason.startswith("suppressed") else "busy" if BUSY.match(reason) else "data"
        for reason in reasons
    }
    told = {
        "data": "What is wrong with their data can be mended (save_contacts), then call again; preview_sequence "
        "shows each person.",
        "busy": "Who is in a sequence already can be started once that is over: get_sequence shows it, "
        "stop_sequence ends it.",
        "listed": "Who is on the suppression list stays left out; only a person can take somebody off it.",
    }
    return " ".join(words for kind, words in told.items() if kind in kinds)


def batches(items: Iterable[T], size: int) -> Iterable[list[T]]:
    """Yield the items in lists of at most ``size``."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
