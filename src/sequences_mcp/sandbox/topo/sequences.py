"""Pages "Sequences", "Pause sequence", "Resume sequence" and "Stop sequence".

The table of legal states is not published. Chosen: pause from ACTIVE and WAITING_FOR_LEAD (it moves the end),
resume from WAITING_FOR_LEAD alone, stop and variables from any state that is not terminal; anything else is 422
BusinessIssue. Stop needs both ``reason`` and ``scope``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sequences_mcp.domain.companies import company_domain_of, company_key, is_same_company
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.sequence import SequenceStatus, StopReason, StopScope
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import moment, one_of, optional_stamp, stamp
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.topo.envelope import ORGANIZATION, created_between, matching, paged
from sequences_mcp.sandbox.world.run import Run, RunState, advance, ended, paused, resumed, started
from sequences_mcp.sandbox.world.topo import Contact, Sequence, with_sequence
from sequences_mcp.sandbox.world.topo_course import with_progress

SORT_BY = ("created_at", "updated_at", "status")
FILTERS = {"status": "status", "sequence_template_id": "sequence_template_id"}
PAUSABLE = frozenset({"ACTIVE", "WAITING_FOR_LEAD"})
LIVE = frozenset({"FOUND", "WAITING_FOR_USER", *PAUSABLE})


def listed(call: Call) -> Reply:
    """List by status, template and time of creation; there is no filter by contact."""
    if "status" in call.query:
        one_of(call.query["status"], SequenceStatus, field="status")
    rows = [_row(sequence) for sequence in call.world.topo.sequences.values()]
    return paged(matching(call.query, created_between(call.query, rows), FILTERS), call.query, sort_by=SORT_BY)


def shown(call: Call) -> Reply:
    """Show one."""
    return Reply(_row(_sequence_of(call)))


def update(call: Call) -> Reply:
    """Merge variables; null removes an override."""
    sequence, given = _sequence_of(call), call.fields().get("variables")
    if not isinstance(given, dict):
        raise BadInput("variables must be an object", field="variables")
    wrong = next((key for key, value in given.items() if not isinstance(value, str | None)), None)
    if wrong is not None:
        raise BadInput(f"variables.{wrong} must be a string or null", field=f"variables.{wrong}")
    _require(sequence, LIVE, "updated")
    merged = {**(sequence.variables or {}), **given}
    kept = {key: value for key, value in merged.items() if value is not None}
    return _stored(call, replace(sequence, variables=kept, updated_at=call.now))


def pause(call: Call) -> Reply:
    """Wait until a time in the future."""
    sequence = _sequence_of(call)
    until = moment(call.fields().get("paused_until"), field="paused_until")
    if until <= call.now:
        raise BadInput("paused_until must be in the future", field="paused_until")
    run = _require(sequence, PAUSABLE, "paused")
    return _stored(call, replace(sequence, run=paused(run, call.now, until=until), updated_at=call.now))


def resume(call: Call) -> Reply:
    """Go on now."""
    sequence = _sequence_of(call)
    run = advance(resumed(_require(sequence, {"WAITING_FOR_LEAD"}, "resumed"), call.now), call.now)
    call.world.topo = with_progress(call.world.topo, sequence, run, now=call.now)
    return Reply(_row(_sequence_of(call)))


def stop(call: Call) -> Reply:
    """Stop for good; the answer is this one run, however many stopped with it."""
    sequence, fields = _sequence_of(call), call.fields()
    one_of(fields.get("reason"), StopReason, field="reason")
    scope = one_of(fields.get("scope"), StopScope, field="scope")
    _require(sequence, LIVE, "stopped")
    others = _same_company(call, sequence) if scope == StopScope.COMPANY else []
    for one in (*others, sequence):
        run = one.run or started((), call.now)
        stopped = replace(one, phase="started", run=ended(run, RunState.STOPPED), updated_at=call.now)
        call.world.topo = with_sequence(call.world.topo, stopped)
    return Reply(_row(_sequence_of(call)))


def _same_company(call: Call, sequence: Sequence) -> list[Sequence]:
    """Return the other active runs of the template at the contact's company; 422 where no company is known."""
    state = call.world.topo
    mine = _employment(state.contacts.get(sequence.contact_id or ""))
    if company_domain_of(mine) is None and company_key(mine.company) is None:
        raise Refused(422, "BusinessIssue", "The contact's company is unknown")
    return [
        one
        for one in state.sequences.values()
        if one.id != sequence.id
        and one.sequence_template_id == sequence.sequence_template_id
        and one.status in LIVE
        and is_same_company(mine, _employment(state.contacts.get(one.contact_id or "")))
    ]


def _employment(contact: Contact | None) -> ContactFields:
    if contact is None:
        return ContactFields()
    return ContactFields(email=contact.email, company=contact.company_name, company_domain=contact.company_domain)


def _require(sequence: Sequence, states: Collection[str], what: str) -> Run:
    """Return the run where the status allows it."""
    if sequence.status not in states:
        message = f"A sequence in status {sequence.status} cannot be {what}"
        raise Refused(422, "BusinessIssue", message, details={"status": sequence.status})
    return sequence.run or started((), sequence.created_at)


def _sequence_of(call: Call) -> Sequence:
    if sequence := call.world.topo.sequences.get(call.path["sequence_id"]):
        return sequence
    raise NoSuch("Sequence")


def _stored(call: Call, sequence: Sequence) -> Reply:
    call.world.topo = with_sequence(call.world.topo, sequence)
    return Reply(_row(sequence))


def _row(sequence: Sequence) -> dict[str, Any]:
    return {
        "id": sequence.id,
        "organization_id": ORGANIZATION,
        "contact_id": sequence.contact_id,
        "sequence_template_id": sequence.sequence_template_id,
        "status": sequence.status,
        "variables": None if sequence.variables is None else dict(sequence.variables),
        "source_contact_list_id": sequence.source_contact_list_id,
        "last_step_executed_at": optional_stamp(sequence.run.last_executed_at if sequence.run else None),
        "created_at": stamp(sequence.created_at),
        "updated_at": stamp(sequence.updated_at),
    }
