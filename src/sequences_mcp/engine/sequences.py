"""Runs as people look at them: listed, explained, paused, resumed, stopped, answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from sequences_mcp.domain.blueprint import Temporality
from sequences_mcp.domain.companies import company_domain_of, company_key
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.ids import LOCAL, VENDORS, IdKind, parse_id
from sequences_mcp.domain.page import MAX_SIZE, Page
from sequences_mcp.domain.plan import LIFETIME, Plan, PlanStatus
from sequences_mcp.domain.run import (
    IN_FLIGHT,
    LIVE,
    Run,
    SequenceStatus,
    StepRun,
    StepState,
    StopReason,
    StopScope,
)
from sequences_mcp.engine import machine
from sequences_mcp.engine.changed_settings import held_for
from sequences_mcp.engine.context import EngineContext, LocalMethods, apply_event, require_aware, require_page
from sequences_mcp.engine.events import Event, Paused, Resumed, Stopped
from sequences_mcp.engine.stopping import end_all
from sequences_mcp.engine.vendor_transitions import vendor_outlook
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError
from sequences_mcp.ports.embedded import Outlook, ReplyFilter, SequenceDetail, SequenceFilter, VendorReading
from sequences_mcp.store.unit_of_work import UnitOfWork

_ENDS = {
    SequenceStatus.COMPLETED: "all steps are over",
    SequenceStatus.SUCCEEDED: "the contact replied",
    SequenceStatus.FAILED: "a step failed",
    SequenceStatus.STOPPED_EARLY: "it was stopped",
    SequenceStatus.REFUSED: "a person rejected it",
}


def run_outlook(sequence: Run, now: datetime) -> Outlook:
    """Return when something happens by itself (never before ``now``; None: nothing does) and why it waits."""
    run = sequence.current
    if sequence.status is SequenceStatus.FOUND:
        return Outlook(next_at=None, why=f"waits for a person's approval of its plan{_then_paused(sequence, now)}")
    if sequence.status not in LIVE or run is None:
        return Outlook(next_at=None, why=_end(sequence))
    if sequence.paused_until is not None:
        resumes = max(now, sequence.paused_until)
        then = f"{sequence.place_of(run)}{_after_pause(sequence, run, resumes)}"
        return Outlook(next_at=resumes, why=f"paused until {_shown(resumes)}; then {then}")
    at = machine.next_run_at(sequence)
    return Outlook(next_at=_next_at(run, at, now), why=_why(sequence, run, now))


def _then_paused(sequence: Run, now: datetime) -> str:
    """Return that what waits for an approval stays paused after it, or nothing."""
    if sequence.paused_until is None or sequence.paused_until <= now:
        return ""
    return f"; paused: after the approval nothing leaves before {_shown(sequence.paused_until)}"


def _next_at(run: StepRun, at: datetime | None, now: datetime) -> datetime | None:
    if run.state in IN_FLIGHT:
        return now
    return at and max(at, now)


def _why(sequence: Run, run: StepRun, now: datetime) -> str:
    name = sequence.place_of(run)
    match run.state:
        case StepState.OPEN:
            return f"{name} is a task for a person; complete_task records what became of it"
        case StepState.UNKNOWN:
            return f"{name} may or may not have been delivered ({run.reason}); a person has to resolve it"
        case StepState.HELD:
            return f"{name} is held: {run.reason}"
        case StepState.CLAIMED | StepState.HANDED_OVER:
            return f"{name} is being sent"
        case _:
            due = machine.step_due_at(sequence, run)
            return f"{name} is due now" if due <= now else f"{name} {_waits(run)}"


def _waits(run: StepRun) -> str:
    if run.step.temporality_type is Temporality.AFTER_INVITATION_SETTLED:
        return "waits until the invitation is accepted or times out"
    if run.step.delay is None:
        return "waits for its time"
    value, unit = run.step.delay.value, run.step.delay.unit
    return f"waits for its delay of {value} {unit}{'' if value == 1 else 's'} after the previous step"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} {at.tzname()}"


def _after_pause(sequence: Run, run: StepRun, resumes: datetime) -> str:
    """Return what else is to be said of the step that follows a pause: delays have stood still until its end."""
    if run.state is StepState.HANDED_OVER:
        return ", which was beyond recall when the pause began"
    later = machine.shifted_by_pause(sequence, resumes)
    due = machine.next_run_at(later)
    return f", which is due {_shown(due)}" if due is not None and due > resumes else ""


def _end(sequence: Run) -> str:
    why = sequence.reason or _ENDS.get(sequence.status, "nothing is left to do")
    unknown = [run.step.name for run in sequence.steps if run.state is StepState.UNKNOWN]
    rest = f"; whether {', '.join(map(repr, unknown))} was delivered is unknown" if unknown else ""
    return f"over: {why}{rest}"


NOT_APPROVED = Outlook(
    next_at=None,
    why="nobody approved its plan in time, so nothing of it leaves; start_sequence plans it anew",
)
NOTHING = f"{LOCAL}:{IdKind.BLUEPRINT}_"  # the id of no blueprint
PART = 200  # runs that one transaction pauses
ONCE_OVER = "Once it is over there and the vendor does not tell, in a terminal: sequences-mcp review resolve"


def run_details(engine: EngineContext, runs: Iterable[Run]) -> tuple[SequenceDetail, ...]:
    """Return each run with its contact and its outlook."""
    results = list(runs)
    people = plan_people(engine, results)
    vendor_runs = [result.id for result in results if result.is_at_vendor]
    answered = engine.store.vendor_errors.of_runs(vendor_runs) if vendor_runs else {}
    others = _of_other_terms(engine, results)
    now, opens = engine.clock(), _openings(engine, results, others)
    going = _going_on(results)
    approved = [plan for plan in others.values() if plan.status is PlanStatus.APPROVED and plan.id in going]
    held = held_for(engine, approved)
    readings = engine.store.readings.of_runs(vendor_runs) if vendor_runs else {}
    overdue = _overdue(engine, results, now)
    unseen = engine.unseen(result.blueprint_id for result in results)
    nameless = engine.nameless(unseen)
    named = [result for result in results if result.blueprint_id not in nameless]
    names = engine.store.blueprints.names([(result.blueprint_id, result.blueprint_version) for result in named])
    return tuple(
        _as_last_read(
            SequenceDetail(
                sequence=result,
                contact=people[result.contact_id],
                outlook=NOT_APPROVED
                if result.plan_id in overdue and result.status is SequenceStatus.FOUND
                else _outlook(result, now=now, mailbox=opens.get(result.plan_id), held=held.get(result.plan_id)),
                blueprint_name=names.get((result.blueprint_id, result.blueprint_version)),
                is_unseen=result.blueprint_id in unseen,
                is_nameless=result.blueprint_id in nameless,
                error=answered.get(result.id),
            ),
            readings.get(result.id),
        )
        for result in results
    )


def _overdue(engine: EngineContext, runs: Iterable[Run], now: datetime) -> set[str]:
    """Return the plans of these runs that waited too long, which the next worker or look at a plan ends."""
    if all(run.status is not SequenceStatus.FOUND for run in runs):
        return set()
    return set(engine.store.plans.overdue(now=now, abandoned=now - LIFETIME))


def _as_last_read(known: SequenceDetail, reading: VendorReading | None) -> SequenceDetail:
    if reading is None:
        return known
    sentence = reading.facts.why if known.sequence.reason is None else None
    return replace(
        known,
        outlook=replace(known.outlook, why=sentence or known.outlook.why),
        provider_status=reading.provider_status,
        facts=reading.facts,
        read_at=reading.read_at,
    )


def plan_people(engine: EngineContext, runs: Iterable[Run]) -> dict[str, Contact]:
    """Return the contacts of these runs by id."""
    wanted = dict.fromkeys(run.contact_id for run in runs)
    return {contact.id: contact for contact in engine.store.contacts.by_ids(wanted)}


def _of_other_terms(engine: EngineContext, runs: Iterable[Run]) -> dict[str, Plan]:
    """Return, by id, the plans of these runs that were made for other terms than the default mailbox's."""
    plan_ids = {run.plan_id for run in runs if _goes_on(run) or run.queue == "mailbox"}
    if not plan_ids:
        return {}
    return {plan.id: plan for plan in engine.store.plans.of_other_terms(plan_ids, terms=engine.terms)}


def _going_on(runs: Iterable[Run]) -> set[str]:
    return {run.plan_id for run in runs if _goes_on(run)}


def _openings(
    engine: EngineContext, runs: Iterable[Run], others: Mapping[str, Plan]
) -> dict[str, tuple[datetime, str] | None]:
    """Return, by plan, from when its sender's mailbox may be used and what it waits for; None: never used."""
    wanted = {run.plan_id for run in runs if run.queue == "mailbox"}
    terms_of_plans = {
        plan_id: engine.own_terms(others[plan_id].header.terms) if plan_id in others else engine.terms
        for plan_id in wanted
    }
    opens = {
        terms: engine.store.mailboxes.opens(terms.sender_address, limits=terms.limits, now=engine.clock())
        for terms in set(terms_of_plans.values())
    }
    return {plan_id: opens[terms] for plan_id, terms in terms_of_plans.items()}


def require_sequence(engine: EngineContext, sequence_id: str) -> Run:
    """Return one run; NotFoundError, WrongIdError."""
    parsed_id = str(parse_id(sequence_id, IdKind.SEQUENCE))
    run = engine.store.runs.find(parsed_id)
    if run is None:
        raise NotFoundError(f"There is no sequence {parsed_id}.", next_step="list_sequences shows what there is.")
    return run


def require_ours(engine: EngineContext, sequence_id: str) -> Run:
    """Return one run that the embedded engine may move; ConflictError for one that a vendor has."""
    run = require_sequence(engine, sequence_id)
    if run.is_handed_over:
        raise ConflictError(
            f"{VENDORS[run.provider]} carries this sequence out.",
            next_step=(
                _why_unknown(run)
                if run.has_unknown_outcome
                else f"Its id there is {run.remote_id}: call again with that. {ONCE_OVER} {run.id}"
                if run.remote_id
                else f"It shows no run yet: call again in some minutes. {ONCE_OVER} {run.id}"
            ),
            data={"sequence": run.id, "remote_id": run.remote_id},
        )
    return run


def _why_unknown(run: Run) -> str:
    return f"Whether it has it is not known: check_operation with {run.operation_id} looks. Stop it there by hand."


def require_step(engine: EngineContext, step_id: str, kind: IdKind) -> tuple[Run, StepRun]:
    """Return one step by its id as a task or a draft, with its run; NotFoundError, WrongIdError."""
    parsed_id = str(parse_id(step_id, kind))
    results = engine.store.runs.of_keys([parsed_id.removeprefix(f"{LOCAL}:{kind}_")])
    if not results:
        listed = "list_tasks" if kind is IdKind.TASK else "list_reviews"
        raise NotFoundError(
            f"There is no {kind.name.lower()} {parsed_id}.", next_step=f"{listed} shows what waits."
        )
    return results[0]


def _goes_on(item: Run) -> bool:
    run = item.current
    if item.is_at_vendor or item.status is not SequenceStatus.ACTIVE or run is None:
        return False
    return run.state not in IN_FLIGHT


def _outlook(run: Run, *, now: datetime, mailbox: tuple[datetime, str] | None, held: str | None = None) -> Outlook:
    """Return the machine's outlook, or what the settings and the mailbox's limits make of it."""
    outlook = vendor_outlook(run) if run.is_at_vendor else run_outlook(run, now)
    if held is not None and _goes_on(run):
        return replace(outlook, next_at=None, why=f"{outlook.why}; held: {held}")
    if mailbox is None or outlook.next_at is None or run.queue != "mailbox":
        return outlook
    opens, why = mailbox
    return outlook if opens <= outlook.next_at else replace(outlook, next_at=opens, why=f"{outlook.why}; {why}")


class LocalSequences(LocalMethods):
    """Runs over the store and the machine."""

    async def list_sequences(self, wanted: SequenceFilter) -> Page[SequenceDetail]:
        """Return one page; the provider's own word for a status is here the status itself."""
        require_page(wanted.page, wanted.size)
        if wanted.provider_status is not None:
            named = _status_named(wanted.provider_status, also=wanted.status)
            wanted = replace(wanted, status=named, provider_status=None)
        with self.engine.store.snapshot() as work:
            page = work.runs.page(checked_filter(wanted, engine=self.engine), provider=None)
            return page.of(run_details(self.engine, page.items))

    async def get_sequence(self, sequence_id: str) -> SequenceDetail:
        """Return one run with what came back; NotFoundError."""
        with self.engine.store.snapshot() as work:
            run = require_sequence(self.engine, sequence_id)
            replies = work.inbound.page(ReplyFilter(sequence_id=run.id, size=MAX_SIZE))
            [detail] = run_details(self.engine, [run])
        return replace(detail, replies=replies.items[::-1], came_back=replies.total_count)

    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> SequenceDetail:
        """Wait until a future time; the clocks of delays stand still."""
        return await self.engine.insisting(lambda work: self._change(work, sequence_id, Paused(until)))

    async def pause_live(self, *, until: datetime) -> int:
        """Pause every run that would go on before then, in parts that other programs wait little for."""
        now, after, paused = self.engine.clock(), "", 0
        while part := self.engine.store.runs.unpaused_before(until, after=after, size=PART):
            paused += await self.engine.insisting(partial(self._all, part, Paused(until), now=now))
            after = part[-1]
        return paused

    async def resume_paused(self, *, since: datetime, until: datetime) -> int:
        """Let the runs go on that were paused together at one instant until another; those alone."""
        now, resumed = self.engine.clock(), 0
        while part := self.engine.store.runs.paused_together(since, until, size=PART):
            with self.engine.store.transaction() as work:
                resumed += self._all(part, Resumed(), work, now=now)
        return resumed

    def _all(self, run_ids: Iterable[str], event: Event, work: UnitOfWork, *, now: datetime) -> int:
        """Apply an event to those of the runs that it is still legal for; return how many these were."""
        runs = [run for run in work.runs.by_ids(run_ids) if run.status in LIVE]
        for run in runs:
            apply_event(work, run, event, now=now, actor=self.engine.actor)
        return len(runs)

    async def resume_sequence(self, sequence_id: str) -> SequenceDetail:
        """Go on now."""
        with self.engine.store.transaction() as work:
            return self._change(work, sequence_id, Resumed())

    async def stop_sequence(
        self, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> list[SequenceDetail]:
        """Stop for good; return every sequence that was stopped, this one first.

        COMPANY also stops what is live, or waits for an approval, of the same blueprint at the same company.
        """
        return await self.engine.insisting(
            lambda work: self._stopped(work, sequence_id, reason=reason, scope=scope)
        )

    def _stopped(
        self, work: UnitOfWork, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> list[SequenceDetail]:
        first = require_ours(self.engine, sequence_id)
        others = self._colleagues_of(first) if scope is StopScope.COMPANY else []
        stopped = end_all(
            work,
            [first, *others],
            Stopped(reason),
            now=self.engine.clock(),
            actor=self.engine.actor,
        )
        return list(run_details(self.engine, stopped))

    async def not_stopped(self, sequence_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return why → runs that go on, of people who are or look like this run's contact's colleagues."""
        first = require_sequence(self.engine, sequence_id)
        contact = plan_people(self.engine, [first])[first.contact_id]
        store = self.engine.store
        results: dict[str, list[str]] = {}
        for other_id, run_id in store.runs.live_of(store.contacts.colleagues(contact)).items():
            [run] = store.runs.by_ids([run_id])
            if other_id != contact.id and run.id != first.id:
                place = f"at this company, and {VENDORS.get(run.provider)} carries it out"
                why = place if run.is_at_vendor else "at this company, under another blueprint"
                results.setdefault(why, []).append(run.id)
        like = store.contacts.like_colleagues(contact)
        for other_id, run_id in store.runs.live_of(like).items():
            results.setdefault(like[other_id], []).append(run_id)
        return {why: tuple(dict.fromkeys(ids)) for why, ids in results.items()}

    def _change(self, work: UnitOfWork, sequence_id: str, event: Event) -> SequenceDetail:
        before = require_ours(self.engine, sequence_id)
        after, _ = apply_event(work, before, event, now=self.engine.clock(), actor=self.engine.actor)
        return run_details(self.engine, [after])[0]

    def _colleagues_of(self, first: Run) -> list[Run]:
        contact = plan_people(self.engine, [first])[first.contact_id]
        if company_domain_of(contact) is None and company_key(contact.company) is None:
            raise InvalidArgumentsError(
                "This contact's company is not known, so the other sequences there cannot be told.",
                next_step="Use scope CONTACT, or save the contact's company or company_domain first.",
                data={"contact_id": contact.id, "name": contact.display_name},
            )
        people = self.engine.store.contacts.colleagues(contact)
        going = self.engine.store.runs.going_of(people, blueprint_id=first.blueprint_id)
        return self.engine.store.runs.by_ids([item for item in going if item != first.id])


def _status_named(word: str, *, also: SequenceStatus | None) -> SequenceStatus:
    try:
        named = SequenceStatus(word.strip().upper())
    except ValueError:
        named = None
    if named is None or also not in (None, named):
        raise InvalidArgumentsError(
            f"No run of the local engine can have provider_status {word[:40]!r} here.",
            next_step=f"Its own statuses are {', '.join(SequenceStatus)}; status filters by them.",
        )
    return named


def checked_filter(wanted: SequenceFilter, *, engine: EngineContext) -> SequenceFilter:
    """Return a filter as the store compares it; InvalidArgumentsError for a time without its offset."""
    require_aware(wanted.created_after, "created_after")
    require_aware(wanted.created_before, "created_before")
    if wanted.contact and ":" in wanted.contact:
        parse_id(wanted.contact, IdKind.CONTACT)
    return replace(
        wanted,
        contact=wanted.contact.strip().casefold() if wanted.contact else None,
        company=wanted.company.strip().casefold() if wanted.company else None,
        blueprint_id=wanted.blueprint_id and blueprint_filter(engine, wanted.blueprint_id),
    )


def blueprint_filter(engine: EngineContext, text: str) -> str:
    """Return a blueprint's id as lists are filtered by it; one that is somebody else's alone finds nothing."""
    parsed_id = str(parse_id(text, IdKind.BLUEPRINT))
    return NOTHING if engine.unseen([parsed_id]) else parsed_id
