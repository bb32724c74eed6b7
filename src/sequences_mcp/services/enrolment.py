"""Starts at vendors: offered, checked, and, once approved, enrolled request by request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from functools import partial
from typing import Any, Literal

from sequences_mcp.context import AppContext
from sequences_mcp.domain.addresses import address_key, is_address
from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, ContactFields, facts_of, profile_key
from sequences_mcp.domain.findings import Finding, RowProblem, Severity, refused_row, require_none, warnings_in
from sequences_mcp.domain.ids import LOCAL, VENDORS, IdKind, provider_of
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import Run
from sequences_mcp.errors import (
    ConflictError,
    InvalidArgumentsError,
    NotFoundError,
    SequencesError,
    StoreError,
    UnexpectedAnswerError,
    WrongIdError,
    error_facts,
)
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.planning.recipient_rows import Recipient, RecipientRows, several_addresses
from sequences_mcp.planning.requirements import findings_of, require_no_errors
from sequences_mcp.planning.vendor_texts import title_of, vendor_recipient, vendor_warnings
from sequences_mcp.ports import vendor
from sequences_mcp.ports.embedded import PlannedPerson
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import gather_limited

MOST = 1_000
# Facts that no vendor is given: one that is wrong is left out.
OPTIONAL = frozenset({"time_zone", "country", "language"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A vendor's blueprint as it would be started, and the warnings that an approval of it covers.

    ``key`` is the caller's idempotency key, for a vendor that has such a thing itself.
    """

    provider: Provider
    blueprint: Blueprint
    warnings: tuple[Finding, ...]
    reviewed_there: bool
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One person of a start at a vendor: their texts as far as they are known, and what the vendor is given.

    ``vendor_id`` is the id they were named by, where it was the vendor's; ``addresses`` are all to which the
    vendor may write. ``is_new``: nobody here knew the person before.
    """

    person: PlannedPerson
    vendor_id: str | None
    addresses: tuple[str, ...]
    is_new: bool = False

    @property
    def vendor_facts(self) -> Mapping[str, str]:
        """What the vendor is given about them."""
        return self.person.vendor_facts

    @property
    def ids(self) -> tuple[str, ...]:
        """The vendor's ids of them."""
        given = (vendor_id for vendor_id in self.vendor_facts.values() if vendor_id.partition(":")[0] in VENDORS)
        return tuple(dict.fromkeys(filter(None, [self.vendor_id, *given])))

    @property
    def ways(self) -> tuple[str, ...]:
        """All by which the vendor may reach them: its ids, each address, and a profile that it is given."""
        known = (self.person.contact.email, *self.addresses)
        addresses = (address_key(item) for item in known if item and is_address(item))
        profile = profile_key(self.vendor_facts.get("linkedin_url"))
        profiles = (profile,) if profile.startswith("linkedin.com/in/") else ()
        return tuple(dict.fromkeys((*self.ids, *addresses, *profiles)))


async def offer_of(app: AppContext, *, blueprint_id: str, review_left_out: bool) -> Offer:
    """Return what would be started; RefusedByGuardsError where the guards refuse its steps, NotSupportedError.

    ``review_left_out``: the operator allowed that the vendor's own review does not wait for a person.
    """
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    blueprint = await provider.blueprint_to_start(blueprint_id)
    reviewed = not (review_left_out and provider.has_review)
    findings = findings_of(blueprint.steps, app.policy) if blueprint.steps else ()
    require_no_errors(findings)
    return Offer(
        provider=provider,
        blueprint=blueprint,
        warnings=(
            *warnings_in(findings),
            *vendor_warnings(blueprint, reviewed_there=reviewed, sender_named=provider.names_sender),
        ),
        reviewed_there=reviewed,
    )


async def enrolments_of(app: AppContext, offer: Offer, rows: RecipientRows, *, keep: bool) -> list[Enrolment]:
    """Return the people of a start in order; ``keep`` stores those whom nobody here knows yet.

    Raises one error that names every bad row by its position, from 1; nothing is stored then.
    """
    matched = await require_sound_rows(app, rows, blueprint_id=offer.blueprint.id)
    known = await _known_here(app, rows.entries, matched, keep=keep)
    people = await _candidates(offer, known)
    standings = await offer.provider.standings(people)
    strangers = [person.contact for person, (_, stored) in zip(people, known, strict=True) if stored is None]
    contacts = iter(await app.vendor_runs.keep_people(strangers) if keep else strangers)
    before = {contact.id for contact in matched if contact}
    enrolments = [
        _with_warning(
            _enrolment(
                app,
                offer,
                replace(person, obstacle=person.obstacle or standing.obstacle),
                contact=stored or next(contacts),
                vendor_id=None if stored else entry.contact_id,
            ),
            standing.warning,
        )
        for person, standing, (entry, stored) in zip(people, standings, known, strict=True)
    ]
    return [
        replace(enrolment, is_new=stored is not None and stored.id not in before)
        for enrolment, (_, stored) in zip(enrolments, known, strict=True)
    ]


async def require_sound_rows(
    app: AppContext, rows: RecipientRows, *, blueprint_id: str
) -> tuple[Contact | None, ...]:
    """Return whom each row is about here; raise one error with every problem of the rows.

    Where something is wrong, the vendor is asked about the people who are named by an id of its own, since an id
    of nobody belongs in the same answer, and about nobody else.
    """
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    contacts = [entry.contact for entry in _ours(rows.entries)]
    matched = await app.local.match_contacts(contacts, optional=OPTIONAL)
    problems = [*_unfitting(provider, rows.entries), *matched.problems]
    if problems or not rows.is_sound:
        bad = {problem.position for problem in problems}
        theirs = [
            recipient
            for recipient in rows.whole()
            if not _is_own(recipient) and recipient.contact.position not in bad
        ]
        rows.require_sound([*problems, *await _unknown_there(app, blueprint_id, theirs)])
    return matched.people


async def _unknown_there(app: AppContext, blueprint_id: str, entries: Items[Recipient]) -> list[RowProblem]:
    """Return the problems of people named by the vendor's ids; none where the vendor cannot tell now."""
    if not entries:
        return []
    try:
        offer = await offer_of(app, blueprint_id=blueprint_id, review_left_out=False)
        results = await _looked_up(offer, [(entry, None) for entry in entries])
    except SequencesError:
        return []  # it is told when the rows are mended; what is wrong with them is known without it
    return [result for result in results if isinstance(result, RowProblem)]


def _with_warning(enrolment: Enrolment, warning: str | None) -> Enrolment:
    if warning is None:
        return enrolment
    finding = Finding(rule="vendor.runs_unread", severity=Severity.WARNING, message=warning)
    return replace(enrolment, person=replace(enrolment.person, findings=(*enrolment.person.findings, finding)))


def _unfitting(provider: Provider, entries: Items[Recipient]) -> list[RowProblem]:
    """Return the problems of rows with people that this vendor cannot take; InvalidArgumentsError for too many."""
    provider.require(Provider.enrol)
    title = provider.title
    if len(entries) > MOST:
        raise InvalidArgumentsError(
            f"A start at {title} takes {MOST:,} people at most; these are {len(entries):,}.",
            next_step="Split the call.",
        )
    why = f"{title} takes no variables or texts for one person with a start"
    remedy = "Leave them out; what a vendor offers afterwards is in update_sequence."
    several = [] if provider.takes_several else several_addresses(entries, title=title)
    problems = [
        RowProblem(entry.contact.position or 0, "variables" if entry.variables else "texts", None, why, remedy)
        for entry in entries
        if entry.variables or entry.texts
    ]
    return several + problems


def _ours(entries: Items[Recipient]) -> list[Recipient]:
    """Return the entries about people kept here or new, without those named by an id of the vendor's."""
    return [entry for entry in entries if _is_own(entry)]


async def _known_here(
    app: AppContext, entries: Items[Recipient], matched: Items[Contact | None], *, keep: bool
) -> list[tuple[Recipient, Contact | None]]:
    """Return each entry with the person it is here; None for one whom the vendor has to tell of.

    ``matched`` are the stored people of the entries that are not named by an id of the vendor's.
    """
    with_facts = [entry.contact for entry in _ours(entries) if entry.has_facts]
    saved = await app.local.save_contacts(with_facts, optional=OPTIONAL, leaves_erased_out=True) if keep else []
    contacts = iter([contact.contact for contact in saved])
    met = iter(matched)

    def known(entry: Recipient) -> Contact | None:
        if not _is_own(entry):
            return None
        stored = next(met)
        if not entry.has_facts:
            return stored
        return next(contacts) if keep else _with_facts(stored, entry.contact.fields, app)

    return [(entry, known(entry)) for entry in entries]


def _with_facts(stored: Contact | None, fields: ContactFields, app: AppContext) -> Contact:
    """Return a person as saving these facts would leave them."""
    if stored is None:
        return _shown(fields, app)
    return replace(stored, **{name: value for name, value in facts_of(fields).items() if value is not None})


def _shown(fields: ContactFields, app: AppContext) -> Contact:
    now, unsaved_id = app.clock(), f"{LOCAL}:{IdKind.CONTACT}_unsaved"
    return Contact(id=unsaved_id, created_at=now, updated_at=now, **facts_of(fields))


def _is_own(entry: Recipient) -> bool:
    """Say whether an entry names its person by facts or by an id of this server, not by an id of the vendor."""
    return not entry.contact_id or provider_of(entry.contact_id) == LOCAL


async def _candidates(offer: Offer, known: Items[tuple[Recipient, Contact | None]]) -> list[vendor.VendorPerson]:
    """Return what the vendor says of everybody, asked a few at a time."""
    results = await _looked_up(offer, known)
    require_none([result for result in results if isinstance(result, RowProblem)], what="contact")
    return [result for result in results if isinstance(result, vendor.VendorPerson)]


async def _looked_up(
    offer: Offer, known: Items[tuple[Recipient, Contact | None]]
) -> list[vendor.VendorPerson | RowProblem]:
    return await gather_limited([partial(_candidate, offer, *item, is_alone=len(known) == 1) for item in known])


async def _candidate(
    offer: Offer, entry: Recipient, stored: Contact | None, *, is_alone: bool
) -> vendor.VendorPerson | RowProblem:
    """Return the vendor's record of a person, or the problem of the row; SequencesError for one of all rows."""
    position = entry.contact.position or 0
    fields = entry.contact.fields if stored is None else ContactFields(**facts_of(stored))
    person = vendor.PersonRequest(
        vendor_id=entry.contact_id if stored is None else None,
        fields=fields,
        note=entry.contact.note,
        emails=entry.emails,
        phones=entry.phones,
        key=offer.key,
        shares_key=not is_alone,
    )
    try:
        return await offer.provider.person_to_enrol(
            person, blueprint=offer.blueprint, reviewed_there=offer.reviewed_there
        )
    except (InvalidArgumentsError, NotFoundError, WrongIdError) as error:
        return refused_row(position, error)
    except SequencesError as error:
        raise type(error)(
            f"contact {position}: {error.message}", next_step=error.next_step, data=error.data
        ) from error


def _enrolment(
    app: AppContext, offer: Offer, candidate: vendor.VendorPerson, *, contact: Contact, vendor_id: str | None
) -> Enrolment:
    """Return the person with the vendor's facts, which are what the texts are filled with, under the id here."""
    known = replace(candidate.contact, id=contact.id)
    person = vendor_recipient(app, offer.blueprint, known, vendor_facts=candidate.vendor_facts)
    if candidate.obstacle:
        stands = Finding(rule="vendor.obstacle", severity=Severity.ERROR, message=candidate.obstacle)
        person = replace(person, findings=(*person.findings, stands))
    if candidate.left_out:
        finding = Finding(rule="vendor.left_out", severity=Severity.WARNING, message=candidate.left_out)
        person = replace(person, findings=(*person.findings, finding))
    return Enrolment(person, vendor_id, candidate.addresses)


log = logging.getLogger(__name__)

POLL_EVERY = 2.0  # seconds between two looks for approved starts
STOPPED_FOR = 30.0  # seconds before one that was stopped is gone on with
ANSWERED_WITHIN = 100.0  # seconds for a whole request: before its operation counts as left behind
WRITTEN_AFTER = (0.1, 0.5, 2.0)  # seconds between two tries to write down what became of a request
LOST = "whether they were enrolled could not be written down; it counts as unknown in two minutes."


def _nowhere(point: str) -> None:
    """Do nothing: the default of ``at``, which tests replace to end the process at a point."""


async def enrol_at_vendor(
    app: AppContext, *, plan_id: str, halt: asyncio.Event | None = None, at: Callable[[str], None] = _nowhere
) -> str | None:
    """Enrol everybody of an approved plan; return why it stopped before the end, or None.

    ``halt`` ends it between two requests. ``at`` is called with the name of each point at which a test may end the
    process: take, taken, answered, recorded.
    """
    plan = await app.plans.get_plan(plan_id)
    provider = app.providers.get(plan.header.provider)
    size = provider.people_a_start if provider else 1
    while people := await app.vendor_runs.next_people(plan.id, size=size):
        if provider is None:
            return f"{title_of(plan)} is not connected to this process: a server that has its key goes on."
        if why := await app.vendor_runs.left_alone(plan.id):
            return f"{plan.id} is left alone here: {why}."
        if halt is not None and halt.is_set():
            return "this process ends: another one goes on."
        if why := await _one_request(app, provider, plan, people=people, at=at):
            return why
    return None


async def enrol_soon(app: AppContext, *, plan_id: str, seconds: float) -> vendor.EnrolmentTally:
    """Begin to enrol, wait at most this many seconds, and return the progress; it goes on in the background."""
    # A caller that is cancelled must not take the request with it: its outcome would be unknown.
    await asyncio.wait({_begun(app, plan_id)}, timeout=seconds)
    return await app.vendor_runs.outcome(plan_id)


async def enrol_waiting(app: AppContext, *, alive: Callable[[], None] = lambda: None) -> dict[str, str]:
    """Go on with every approved plan whose people wait; return, by plan, why one stopped before its end.

    ``alive`` is called now and then, however long the vendors take.
    """
    stopped = {}
    for plan in await app.vendor_runs.waiting():
        task = _begun(app, plan.id)
        while not task.done():
            await asyncio.wait({task}, timeout=POLL_EVERY)
            alive()
        why = str(task.exception()) if task.exception() else task.result()
        if why and plan.header.provider in app.providers:
            stopped[plan.id] = why
    return stopped


async def enrol_until_cancelled(
    app: AppContext, *, beat: Callable[[], None], trouble: Callable[[str], None]
) -> None:
    """Look for approved starts, wherever they were approved, and hand them over; never returns.

    It calls ``beat`` while all is well, and ``trouble`` with what stands in the way otherwise.
    """
    wrong = ""

    def show() -> None:
        if wrong:
            trouble(wrong)
        else:
            beat()

    while True:
        stopped: dict[str, str] = {}
        show()
        try:
            stopped = await enrol_waiting(app, alive=show)
        except SequencesError as error:
            log.warning("Approved starts wait: %s", error)
            stopped = {"": str(error)}
        except Exception as error:  # whatever it is, approved starts must not wait for good because of it
            log.exception("Approved starts wait")
            stopped = {"": f"a fault, {type(error).__name__}; the log has it"}
        wrong = " ".join(dict.fromkeys(stopped.values()))
        show()
        await asyncio.sleep(STOPPED_FOR if stopped else POLL_EVERY)


async def stop_enrolling(app: AppContext, *, seconds: float) -> None:
    """Begin no further request of this context, and wait so many seconds at most for those under way."""
    tasks = dict(app.enrolments)
    for halt in tasks.values():
        halt.set()
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.wait(tasks)


def _begun(app: AppContext, plan_id: str) -> asyncio.Task[str | None]:
    """Return the task of this process that hands a plan over: the one that runs, or a new one.

    A second one would end at once, for the first one's request is open, and whoever waited for it would be told
    less than is known a moment later.
    """
    for task in app.enrolments:
        if task.get_name() == plan_id and not task.done():
            return task
    halt = asyncio.Event()
    task = asyncio.create_task(enrol_at_vendor(app, plan_id=plan_id, halt=halt), name=plan_id)
    app.enrolments[task] = halt
    task.add_done_callback(partial(_ended_by_itself, app))
    return task


def _ended_by_itself(app: AppContext, task: asyncio.Task[str | None]) -> None:
    del app.enrolments[task]
    error = None if task.cancelled() else task.exception()
    if isinstance(error, SequencesError):
        log.warning("An approved start waits: %s", error)
    elif error is not None:  # one start's fault, whatever it is, must not stop all the others
        log.error("An approved start could not be handed over", exc_info=error)


async def _one_request(
    app: AppContext, provider: Provider, plan: Plan, *, people: Items[Run], at: Callable[[str], None]
) -> str | None:
    try:
        await provider.blueprint_to_start(plan.header.blueprint_id)  # what has changed since the approval voids it
        before = await provider.preflight(plan, people)
    except SequencesError as error:
        return await _not_asked(app, plan, error)
    at("take")
    try:
        batch = await app.vendor_runs.take(plan.id, [person.id for person in people], before=before)
    except ConflictError as error:  # another request on the same plan or blueprint is open
        return str(error)
    if batch is None:
        return None
    at("taken")
    why = await _hand_over_asked(app, provider, batch, at=at)
    at("recorded")
    return why


async def _hand_over_asked(
    app: AppContext, provider: Provider, batch: vendor.ClaimedBatch, *, at: Callable[[str], None]
) -> str | None:
    """Make the request, write down what became of everybody in it, and return why to go no further, or None."""
    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            outcomes = await provider.enrol(batch.order)
    except SequencesError as error:
        at("answered")
        return await _ended(app, batch, error)
    except BaseException as error:  # even a request that was given up may have reached the vendor
        with contextlib.suppress(StoreError):
            await app.vendor_runs.record_outcomes(
                batch.operation_id, _all(batch, "unknown", why="the request broke off")
            )
        if not isinstance(error, Exception):
            raise
        log.exception("A request to enrol broke off")
        return f"The request broke off. {_look(batch)}"
    at("answered")
    if lost := await _outcome_recorded(app, batch, outcomes):
        return lost
    has_unknown = any(outcome.outcome == "unknown" for outcome in outcomes)
    return _look(batch) if has_unknown else None


async def _outcome_recorded(
    app: AppContext, batch: vendor.ClaimedBatch, outcomes: Items[vendor.EnrolmentOutcome]
) -> str | None:
    """Write down what became of everybody; return that it could not be, or None."""
    for pause in (*WRITTEN_AFTER, None):
        try:
            await app.vendor_runs.record_outcomes(batch.operation_id, outcomes)
        except StoreError as error:
            log.warning("What became of %s is not written down: %s", batch.operation_id, error)
            if pause is not None:
                await asyncio.sleep(pause)
        else:
            return None
    return f"{batch.operation_id}: {LOST}"


async def _not_asked(app: AppContext, plan: Plan, error: SequencesError) -> str:
    """Return why nothing was asked for: later, where that may help, or for good."""
    may_pass = error.retryable or isinstance(error, StoreError | UnexpectedAnswerError)
    if not may_pass:
        reason = f"not handed over: {error.message}"
        await app.vendor_runs.give_up(plan.id, reason=reason, error=error_facts(error))
    elif not isinstance(error, StoreError):
        await app.vendor_runs.put_off(plan.id, error=error_facts(error))
    return str(error)


async def _ended(app: AppContext, batch: vendor.ClaimedBatch, error: SequencesError) -> str:
    """Record what a request that was refused, or whose answer was lost, means for everybody in it."""
    facts = error_facts(error)
    if error.outcome == "unknown":
        facts |= {"operation_id": batch.operation_id, "next": f"Do not start them again. {_look(batch)}"}
        outcomes = _all(batch, "unknown", why=error.message, error=facts)
        return await _outcome_recorded(app, batch, outcomes) or f"{error.message} {_look(batch)}"
    if error.retryable:
        await app.vendor_runs.release(batch.operation_id, reason=error.message, error=facts)
        return str(error)
    if lost := await _outcome_recorded(app, batch, _all(batch, "not_done", why=error.message, error=facts)):
        return lost
    reason = f"not handed over: {error.message}"
    await app.vendor_runs.give_up(batch.order.plan.id, reason=reason, error=facts)
    return str(error)


def _look(batch: vendor.ClaimedBatch) -> str:
    return f"check_operation with {batch.operation_id} looks for what became of them."


def _all(
    batch: vendor.ClaimedBatch,
    outcome: Literal["not_done", "unknown"],
    *,
    why: str,
    error: Mapping[str, Any] | None = None,
) -> list[vendor.EnrolmentOutcome]:
    return [
        vendor.EnrolmentOutcome(sequence_id=person.id, outcome=outcome, why=why, error=error)
        for person in batch.order.people
    ]
