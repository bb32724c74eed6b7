"""Runs as people look at them: with the contact and with what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.ids import LOCAL, VENDORS, Kind, parse
from sequences_mcp.domain.sequence import IN_FLIGHT, Sequence, SequenceStatus, StepRun
from sequences_mcp.engine.at_vendor import outlook_there
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.local.standing import held_for
from sequences_mcp.engine.machine import outlook
from sequences_mcp.engine.store import (
    attempts,
    blueprints,
    contacts,
    plans,
    sequences,
    vendor_errors,
    vendor_readings,
)
from sequences_mcp.errors import ConflictError, NotFoundError
from sequences_mcp.providers.port import Outlook, SequenceDetail, VendorReading

ONCE_OVER = "Once it is over there and the vendor does not tell, in a terminal: sequences-mcp review settle"


def details(engine: Engine, runs: Iterable[Sequence]) -> tuple[SequenceDetail, ...]:
    """Return each run with its contact and its outlook."""
    found = list(runs)
    people = people_of(engine, found)
    there = [one.id for one in found if one.is_at_vendor]
    answered = vendor_errors.of_runs(engine.store, there) if there else {}
    mails = any(sequences.lane_of(one) == "mailbox" for one in found)
    now, mailbox = engine.clock(), mailbox_of(engine) if mails else None
    held = _held(engine, found)
    readings = vendor_readings.of(engine.store, there) if there else {}
    names = blueprints.names(engine.store, [(one.blueprint_id, one.blueprint_version) for one in found])
    return tuple(
        _as_last_read(
            SequenceDetail(
                sequence=one,
                contact=people[one.contact_id],
                outlook=_outlook(one, now=now, mailbox=mailbox, held=held.get(one.plan_id)),
                blueprint_name=names.get((one.blueprint_id, one.blueprint_version)),
                error=answered.get(one.id),
            ),
            readings.get(one.id),
        )
        for one in found
    )


def _as_last_read(known: SequenceDetail, reading: VendorReading | None) -> SequenceDetail:
    if reading is None:
        return known
    told = reading.facts.why if known.sequence.reason is None else None
    return replace(
        known,
        outlook=replace(known.outlook, why=told or known.outlook.why),
        provider_status=reading.provider_status,
        facts=reading.facts,
        read_at=reading.read_at,
    )


def people_of(engine: Engine, runs: Iterable[Sequence]) -> dict[str, Contact]:
    """Return the contacts of these runs by id."""
    wanted = dict.fromkeys(one.contact_id for one in runs)
    return {one.id: one for one in contacts.by_ids(engine.store, wanted)}


def mailbox_of(engine: Engine) -> tuple[datetime, str] | None:
    """Return from when the sender's mailbox may be used, and what it waits for; None when it was never used."""
    terms = engine.terms
    return attempts.mailbox_opens(
        engine.store,
        terms.sender_address,
        daily_cap=terms.daily_cap,
        spacing=terms.spacing,
        now=engine.clock(),
    )


def require_sequence(engine: Engine, sequence_id: str) -> Sequence:
    """Return one run; NotFoundError, WrongIdError."""
    own = str(parse(sequence_id, Kind.SEQUENCE))
    found = sequences.find(engine.store, own)
    if found is None:
        raise NotFoundError(f"There is no sequence {own}.", next_step="list_sequences shows what there is.")
    return found


def require_ours(engine: Engine, sequence_id: str) -> Sequence:
    """Return one run that the embedded engine may move; ConflictError for one that a vendor has."""
    found = require_sequence(engine, sequence_id)
    if found.is_handed_over:
        raise ConflictError(
            f"{VENDORS[found.provider]} carries this sequence out.",
            next_step=(
                _doubtful(found)
                if found.is_in_doubt
                else f"Its id there is {found.remote_id}: call again with that. {ONCE_OVER} {found.id}"
                if found.remote_id
                else f"It shows no run yet: call again in some minutes. {ONCE_OVER} {found.id}"
            ),
            data={"sequence": found.id, "remote_id": found.remote_id},
        )
    return found


def _doubtful(found: Sequence) -> str:
    return (
        f"Whether it has it is not known: check_operation with {found.operation_id} looks. Stop it there by hand."
    )


def require_step(engine: Engine, step_id: str, kind: Kind) -> tuple[Sequence, StepRun]:
    """Return one step by its id as a task or a draft, with its run; NotFoundError, WrongIdError."""
    own = str(parse(step_id, kind))
    found = sequences.of_keys(engine.store, [own.removeprefix(f"{LOCAL}:{kind}_")])
    if not found:
        listed = "list_tasks" if kind is Kind.TASK else "list_reviews"
        raise NotFoundError(f"There is no {kind.name.lower()} {own}.", next_step=f"{listed} shows what waits.")
    return found[0]


def _held(engine: Engine, runs: Iterable[Sequence]) -> dict[str, str]:
    """Return, by plan, why runs that would go on by themselves do not: they were approved for other settings."""
    plan_ids = {one.plan_id for one in runs if _goes_on(one)}
    return held_for(engine, plans.of_other_terms(engine.store, plan_ids, terms=engine.terms)) if plan_ids else {}


def _goes_on(one: Sequence) -> bool:
    run = one.current
    if one.is_at_vendor or one.status is not SequenceStatus.ACTIVE or run is None:
        return False
    return run.state not in IN_FLIGHT


def _outlook(
    one: Sequence, *, now: datetime, mailbox: tuple[datetime, str] | None, held: str | None = None
) -> Outlook:
    """Return the machine's outlook, or what the settings and the mailbox's limits make of it."""
    found = outlook_there(one) if one.is_at_vendor else outlook(one, now)
    if held is not None and _goes_on(one):
        return replace(found, next_at=None, why=f"{found.why}; held: {held}")
    if mailbox is None or found.next_at is None or sequences.lane_of(one) != "mailbox":
        return found
    opens, why = mailbox
    return found if opens <= found.next_at else replace(found, next_at=opens, why=f"{found.why}; {why}")
