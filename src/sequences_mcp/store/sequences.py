"""Runs and their steps: read whole, written by difference, found by time, plan and person."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.page import MAX_SIZE, Page
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.run import (
    AND,
    IN_FLIGHT,
    MORE_EMAILS,
    TALENT,
    Run,
    SequenceStatus,
    StepRun,
    StepState,
    StopReason,
)
from sequences_mcp.errors import ConflictError
from sequences_mcp.store.blueprints import steps_from_json
from sequences_mcp.store.contacts import escaped
from sequences_mcp.store.database import Store
from sequences_mcp.store.statements import from_micros, to_micros

REMEMBERED = 512
_Row: TypeAlias = tuple[Any, ...]
_INSTANTS = ("until", "executed_at", "accepted_at", "anchor", "lease_expires_at")
_PLAIN = ("subject", "content", "reason", "lease", "message_id", "server_reply", "same_as")


def runs_by_ids(store: Store, sequence_ids: Iterable[str]) -> list[Run]:
    """Return the runs that exist among these, in this order."""
    ids = tuple(sequence_ids)
    if len(ids) > MAX_SIZE:
        return _by_ids(store, ids)
    return list(store.remembered(("sequences", ids), lambda: tuple(_by_ids(store, ids))))


def _by_ids(store: Store, ids: Items[str]) -> list[Run]:
    with store.snapshot():
        rows = store.rows("sequences.by_ids", ids=json.dumps(ids))
        runs = store.rows("sequences.runs_of", numbers=json.dumps([row[0] for row in rows]))
    of_row: dict[int, list[_Row]] = {row[0]: [] for row in rows}
    for run in runs:
        of_row[run[0]].append(tuple(run))
    return [_from_row(tuple(row), tuple(of_row[row[0]])) for row in rows]


def find_run(store: Store, sequence_id: str) -> Run | None:
    """Return one run, or None."""
    return next(iter(runs_by_ids(store, [sequence_id])), None)


def insert_runs(store: Store, runs: Iterable[Run], *, plan_no: int, version_no: int) -> None:
    """Store new runs in FOUND."""
    with store.joined():
        numbered = list(enumerate(runs, start=store.rows("sequences.next_no")[0]["no"]))
        store.write_many(
            "sequences.insert", (_new_row(no, run, plan_no=plan_no, version_no=version_no) for no, run in numbered)
        )
        store.write_many("sequences.insert_run", (row for no, run in numbered for row in _new_runs(no, run)))


def save_run(store: Store, before: Run, after: Run, *, next_run_at: datetime | None, now: datetime) -> None:
    """Store what changed between two states of one run.

    A step in flight changes only under the lease it was read with; ConflictError when that is gone.
    """
    with store.joined():
        store.write("sequences.update", **_changed_row(after, next_run_at))
        for old, new in zip(before.steps, after.steps, strict=True):
            if new != old:
                _save_run(store, old, new, now=now)


def stored_address_of(sequence: Run) -> str | None:
    """Return the e-mail address a run writes to, as far as it is known here."""
    if sequence.is_at_vendor:
        return sequence.handover.get("email")
    mails = (run.recipient for run in sequence.steps if run.step.type is Channel.EMAIL)
    return next(filter(None, mails), None)


def queue_of(sequence: Run) -> str:
    """Return ``mailbox`` where an e-mail of ours is what happens next, else ``free``."""
    run = sequence.current
    sends = (
        not sequence.is_at_vendor
        and sequence.status is SequenceStatus.ACTIVE
        and run is not None
        and run.step.type is Channel.EMAIL
        and run.state not in IN_FLIGHT
    )
    return "mailbox" if sends else "free"


def runs_page(
    store: Store, conditions: Mapping[str, Any], *, sort_by: str, sort_order: str, page: int, size: int
) -> Page[Run]:
    """Return runs that meet every condition: ``status``, ``waiting_for``, ``blueprint_id``, ``created_after``,
    ``created_before``, ``contact`` and ``company`` (ids or case-folded text), ``provider_status``, ``provider``
    (a vendor), ``own`` (what no vendor carries out); with the number of each status that meet the others.

    ``sort_by`` is created_at, updated_at or status, ``sort_order`` asc or desc.
    """
    order = _ORDERS[sort_by].format(order=_DIRECTIONS[sort_order])
    key = ("page of sequences", *conditions.items(), order, page, size)
    return store.remembered(key, lambda: _page_of(store, conditions, order, page=page, size=size))


def _page_of(store: Store, conditions: Mapping[str, Any], order: str, *, page: int, size: int) -> Page[Run]:
    values = patterns(conditions)
    ids = store.pieced(
        "sequences.page",
        {"where": where(conditions), "order": order},
        {**values, "size": size, "skip": (page - 1) * size},
    )
    others = {name: value for name, value in conditions.items() if name != "status"}
    rows = store.pieced("sequences.count", {"where": where(others)}, patterns(others))
    counts = {row["status"]: row["found"] for row in rows}
    total = counts.get(conditions["status"], 0) if "status" in conditions else sum(counts.values())
    return Page(tuple(_by_ids(store, [row["id"] for row in ids])), total, page, size, counts)


def where(conditions: Mapping[str, Any]) -> str:
    """Return the conditions of a list as the WHERE clause of a statement on ``sequence``; empty for none."""
    parts = [_WAITING[value] if name == "waiting_for" else _CONDITIONS[name] for name, value in conditions.items()]
    return f"WHERE {' AND '.join(parts)}" if parts else ""


def patterns(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of those conditions by name; a text to look for is given as a pattern too."""
    values = {name: value for name, value in conditions.items() if name != "waiting_for"}
    return values | {
        f"{name}_pattern": f"%{escaped(conditions[name])}%"
        for name in ("contact", "company")
        if name in conditions
    }


def generation_of(store: Store, key: str, *, subject: str | None, content: str) -> int | None:
    """Return the first generation of a step that had this very text, or None."""
    position: int | None = store.rows("sequences.generation_of", key=key, subject=subject, content=content)[0][
        "found"
    ]
    return position


def of_keys(store: Store, keys: Iterable[str]) -> list[tuple[Run, StepRun]]:
    """Return steps by their keys, each with its run, in this order; keys of nothing are left out."""
    with store.snapshot():
        owners = {key: row["id"] for key in keys if (row := store.row("sequences.id_of_run", key=key))}
        results = {run.id: run for run in runs_by_ids(store, dict.fromkeys(owners.values()))}
    pairs = ((results[owner], key) for key, owner in owners.items())
    return [(item, next(run for run in item.steps if run.key == key)) for item, key in pairs]


_CONDITIONS = {
    "provider_status": (
        "sequence.no IN (SELECT sequence_no FROM vendor_reading"
        " WHERE provider_status = :provider_status COLLATE NOCASE)"
    ),
    "contact": (
        "contact_no IN (SELECT no FROM contact"
        " WHERE lower(id) = :contact OR search LIKE :contact_pattern ESCAPE '\\')"
    ),
    "company": (
        "contact_no IN (SELECT no FROM contact WHERE company_host = :company OR email_host = :company"
        " OR lower(company) LIKE :company_pattern ESCAPE '\\')"
    ),
    "status": "status = :status",
    "blueprint_id": "version_no IN (SELECT no FROM blueprint_version WHERE blueprint_id = :blueprint_id)",
    "created_after": "created_at > :created_after",
    "created_before": "created_at < :created_before",
    "provider": "provider = :provider AND provider <> 'local'",
    # Not `provider = 'local'`: that would look into every row, this only into the index of the few others.
    "own": "sequence.no NOT IN (SELECT no FROM sequence WHERE provider <> 'local')",
}
_STEP_THAT = "EXISTS (SELECT 1 FROM step_run r WHERE r.sequence_no = sequence.no AND r.replaced = 0 AND {})"
_TO_DECIDE = _STEP_THAT.format("(r.state = 'unknown' OR (r.state = 'held' AND r.until IS NULL))")
_WAITING = {
    "approval": "status = 'FOUND' AND operation_id IS NULL",
    "task": "status = 'WAITING_FOR_USER' AND (provider <> 'local' OR "
    + _STEP_THAT.format("r.state = 'open'")
    + ")",
    "decision": "status IN ('ACTIVE', 'WAITING_FOR_USER') AND provider = 'local' AND " + _TO_DECIDE,
    "time": "status IN ('ACTIVE', 'WAITING_FOR_LEAD') AND NOT " + _TO_DECIDE,
}
_ORDERS = {
    "created_at": "created_at {order}, no {order}",
    "updated_at": "updated_at {order}, no {order}",
    "status": "status {order}, created_at {order}, no {order}",
}
_DIRECTIONS = {"asc": "ASC", "desc": "DESC"}


def findings_to_json(findings: tuple[Finding, ...]) -> str | None:
    """Return findings as they are kept; None for none."""
    return None if not findings else json.dumps([asdict(finding) for finding in findings], ensure_ascii=False)


def _findings(text: str | None) -> tuple[Finding, ...]:
    if text is None:
        return ()
    return tuple(Finding(**{**load, "severity": Severity(load["severity"])}) for load in json.loads(text))


def _save_run(store: Store, old: StepRun, new: StepRun, *, now: datetime) -> None:
    row = _run_row(new, now=now)
    if new.generation != old.generation:
        store.write("sequences.replace_run", key=old.key, generation=old.generation)
        store.write("sequences.insert_generation", **row, replaced_generation=old.generation)
    elif old.state in IN_FLIGHT:
        if not store.write("sequences.update_flight", **row, held_lease=old.lease):
            raise ConflictError(
                f"Lease {old.lease} no longer covers this e-mail.",
                next_step="get_sequence shows what became of it.",
            )
    else:
        store.write("sequences.update_run", **row)


def _new_row(no: int, run: Run, *, plan_no: int, version_no: int) -> dict[str, Any]:
    return {
        "no": no,
        "id": run.id,
        "plan_no": plan_no,
        "version_no": version_no,
        "contact_id": run.contact_id,
        "ordinal": run.ordinal,
        "variables": json.dumps(dict(run.variables), ensure_ascii=False),
        "time_zone": run.time_zone,
        "warnings": run.warnings,
        "findings": findings_to_json(run.findings),
        "created_at": to_micros(run.created_at),
        "provider": run.provider,
        "handover": json.dumps(dict(run.handover), ensure_ascii=False) if run.is_at_vendor else None,
        "address_key": (address := stored_address_of(run)) and address_key(address),
    }


def _new_runs(no: int, item: Run) -> Iterable[dict[str, Any]]:
    changed_at = to_micros(item.created_at)
    for position, run in enumerate(item.steps):
        yield {
            "sequence_no": no,
            "step": position,
            "key": run.key,
            "recipient": run.recipient,
            "subject": run.subject,
            "content": run.content,
            "state": run.state.value,
            "reason": run.reason,
            "changed_at": changed_at,
        }


def _changed_row(run: Run, next_run_at: datetime | None) -> dict[str, Any]:
    return {
        "id": run.id,
        "status": run.status.value,
        "anchor": to_micros(run.anchor),
        "variables": json.dumps(dict(run.variables), ensure_ascii=False),
        "warnings": run.warnings,
        "paused_since": to_micros(run.paused_since),
        "paused_until": to_micros(run.paused_until),
        "stop_reason": run.stop_reason and run.stop_reason.value,
        "reason": run.reason,
        "updated_at": to_micros(run.updated_at),
        "next_run_at": to_micros(next_run_at),
        "lane": queue_of(run),
        "remote_id": run.remote_id,
        "operation_id": run.operation_id,
        "findings": findings_to_json(run.findings),
    }


def _run_row(run: StepRun, *, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(run, name) for name in _PLAIN}
    row |= {name: to_micros(getattr(run, name)) for name in _INSTANTS}
    own = {"key": run.key, "generation": run.generation, "state": run.state.value, "changed_at": to_micros(now)}
    return row | own


@lru_cache(maxsize=REMEMBERED)
def _from_row(row: _Row, runs: tuple[_Row, ...]) -> Run:
    """Return a run from its rows. They are all that decides, so remembering the result cannot go stale."""
    # By place, not by name: a look-up by name in a row costs more than everything else in reading it.
    _, own, plan_id, blueprint_id, version, contact_id, status, *rest = row
    ordinal, steps_text, created_at, updated_at, *rest = rest
    anchor, variables, paused_since, paused_until, stop_reason, time_zone, warnings, reason, *rest = rest
    provider, handover, remote_id, operation_id, findings, digest_version = rest
    steps = steps_from_json(steps_text)
    return Run(
        id=own,
        plan_id=plan_id,
        blueprint_id=blueprint_id,
        blueprint_version=version,
        contact_id=contact_id,
        status=SequenceStatus(status),
        ordinal=ordinal,
        steps=tuple(_run_from_row(run, steps) for run in runs),
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
        anchor=from_micros(anchor),
        variables=json.loads(variables),
        paused_since=from_micros(paused_since),
        paused_until=from_micros(paused_until),
        stop_reason=StopReason(stop_reason) if stop_reason else None,
        time_zone=time_zone,
        warnings=warnings,
        reason=reason,
        provider=provider,
        handover=json.loads(handover) if handover else {},
        remote_id=remote_id,
        operation_id=operation_id,
        findings=_findings(findings),
        digest_version=digest_version,
    )


def _run_from_row(row: _Row, steps: tuple[Step, ...]) -> StepRun:
    _, place, key, recipient, subject, content, generation, state, reason, until, *rest = row
    executed_at, accepted_at, anchor, lease, lease_expires_at, message_id, server_reply, same_as = rest
    return StepRun(
        key=key,
        step=steps[place],
        recipient=recipient,
        subject=subject,
        content=content,
        generation=generation,
        state=StepState(state),
        reason=reason,
        until=from_micros(until),
        executed_at=from_micros(executed_at),
        accepted_at=from_micros(accepted_at),
        anchor=from_micros(anchor),
        lease=lease,
        lease_expires_at=from_micros(lease_expires_at),
        message_id=message_id,
        server_reply=server_reply,
        same_as=same_as,
    )


def next_due(store: Store, queue: str, *, terms: Terms, before: datetime) -> tuple[str, datetime] | None:
    """Return the run that is due first in a queue (``mailbox`` or ``free``), until an instant, and when; or None.

    Only runs of plans that were made for these terms are: any other settings' runs are left alone. A lease that
    ended is everybody's to note, since nothing more becomes of it.
    """
    row = store.row("sequences.next_due", lane=queue, terms=terms.text, before=to_micros(before))
    return (row["id"], from_micros(row["next_run_at"])) if row else None


def due_under(store: Store, terms: Terms, *, now: datetime, size: int) -> list[Run]:
    """Return some runs that are due, of plans made for these terms."""
    rows = store.rows("sequences.due_under", terms=terms.text, now=to_micros(now), size=size)
    return runs_by_ids(store, [row["id"] for row in rows])


def held_because(store: Store, reason: str, *, terms: Terms, size: int) -> list[Run]:
    """Return some runs of approved plans made for these terms whose step is held for a reason that begins so."""
    rows = store.rows("sequences.held_because", terms=terms.text, reason=f"{reason}%", size=size)
    return runs_by_ids(store, [row["id"] for row in rows])


def park_run(store: Store, sequence_id: str, reason: str) -> None:
    """Remove a run that cannot even be read from the schedule, so that the others go on."""
    store.write("sequences.park", id=sequence_id, reason=reason)


def live_of(store: Store, contact_ids: Iterable[str]) -> dict[str, str]:
    """Return contact id → run id for those who have a live run, or at whose address another row has one."""
    ids = json.dumps(list(contact_ids))
    live = {row["contact_id"]: row["sequence_id"] for row in store.rows("sequences.live_of_contacts", ids=ids)}
    if further := _live_at_further(store):
        for row in store.rows("sequences.addressed", ids=ids):
            if (run := further.get(row["email_key"])) is not None:
                live.setdefault(row["id"], run)
    return live


def live_at_address(store: Store, sequence: Run) -> str | None:
    """Return another live run that writes to one of the same addresses, or None.

    Rows of people may have been moved, and a vendor may be given several addresses of one person.
    """
    first = stored_address_of(sequence)
    addresses = sequence.emails_given if sequence.is_at_vendor else filter(None, [first])
    return live_at(store, addresses, other_than=sequence.id)


def live_at(store: Store, addresses: Iterable[str], *, other_than: str = "") -> str | None:
    """Return a live run that writes to one of these addresses, or None."""
    further = _live_at_further(store)
    for key in map(address_key, addresses):
        row = store.row("sequences.live_at_address", address_key=key, id=other_than)
        if row is not None:
            return str(row["id"])
        if (run := further.get(key)) is not None and run != other_than:
            return run
    return None


def live_as(store: Store, vendor_ids: Iterable[str]) -> dict[str, str]:
    """Return vendor's id → live run, for those of these ids that a live run's person has."""
    rows = store.rows("sequences.live_as", ids=json.dumps(list(vendor_ids)), talent=f"$.{TALENT}")
    return {row["vendor_id"]: row["sequence_id"] for row in rows}


def _live_at_further(store: Store) -> dict[str, str]:
    """Return address → live run, for those addresses of a person that a vendor was given beside the first."""
    rows = store.rows("sequences.live_with_further_addresses", further=f'$."{MORE_EMAILS}"')
    return {address_key(item): row["id"] for row in rows for item in row["further"].split(AND)}


def going_of(store: Store, contact_ids: Iterable[str], *, blueprint_id: str | None = None) -> list[str]:
    """Return runs of these people that are live here or found, of one blueprint when given."""
    ids = json.dumps(list(contact_ids))
    rows = store.rows("sequences.going_of_contacts", ids=ids, blueprint_id=blueprint_id)
    return [row["sequence_id"] for row in rows]


def found_elsewhere(store: Store, contact_ids: Iterable[str], *, plan_id: str) -> list[Run]:
    """Return runs of these people in other plans that nothing has begun of."""
    rows = store.rows("sequences.found_elsewhere", ids=json.dumps(list(contact_ids)), plan_id=plan_id)
    return runs_by_ids(store, [row["id"] for row in rows])


def found_in(store: Store, plan_id: str, *, after: int, size: int) -> list[Run]:
    """Return some of a plan's people in FOUND, from the ordinal after ``after``."""
    rows = store.rows("sequences.found_in_plan", plan_id=plan_id, after=after, size=size)
    return runs_by_ids(store, [row["id"] for row in rows])


def live_in(store: Store, plan_id: str, *, after: int, size: int) -> list[Run]:
    """Return some of a plan's live runs, from the ordinal after ``after``."""
    rows = store.rows("sequences.live_in_plan", plan_id=plan_id, after=after, size=size)
    return runs_by_ids(store, [row["id"] for row in rows])


def runs_of_operation(store: Store, operation_id: str) -> list[Run]:
    """Return whom one write hands over to a vendor, in order."""
    return runs_by_ids(
        store, [row["id"] for row in store.rows("sequences.of_operation", operation_id=operation_id)]
    )


def run_of_remote(store: Store, remote_id: str) -> Run | None:
    """Return the newest run started here that has this id at its vendor, or None."""
    row = store.row("sequences.of_remote", remote_id=remote_id)
    return runs_by_ids(store, [row["id"]])[0] if row else None


def given_as(store: Store, vendor_id: str) -> Run | None:
    """Return the newest run whose vendor was given this id for the person, or None."""
    row = store.row("sequences.given_as", vendor_id=vendor_id)
    return runs_by_ids(store, [row["id"]])[0] if row else None


def live_at_vendors(store: Store, contact_ids: Iterable[str], *, words: Iterable[str]) -> list[Run]:
    """Return live runs that vendors have or may have: of these people, or with one of these words in them."""
    patterns = [f"%{escaped(word)}%" for word in words]
    rows = store.rows(
        "sequences.live_at_vendors", ids=json.dumps(list(contact_ids)), patterns=json.dumps(patterns)
    )
    return runs_by_ids(store, [row["id"] for row in rows])


def runs_of_plan(store: Store, plan_id: str, *, page: int, size: int) -> Page[Run]:
    """Return a page of a plan's people in order."""
    with store.snapshot():
        rows = store.rows("sequences.in_plan", plan_id=plan_id, size=size, skip=(page - 1) * size)
        total = store.rows("sequences.count_in_plan", plan_id=plan_id)[0]["found"]
        return Page(tuple(runs_by_ids(store, [row["id"] for row in rows])), total, page, size)


def open_tasks(store: Store, *, now: datetime, page: int, size: int) -> Page[tuple[Run, StepRun]]:
    """Return steps to be done by hand, the oldest first; nobody's whose pause lasts beyond ``now``'s minute."""
    minute = now.replace(second=0, microsecond=0)  # a page is remembered under its values
    return _texts_page_of(store, "open_tasks", {"now": to_micros(minute)}, page=page, size=size)


def waiting_texts(store: Store, *, not_because: str, page: int, size: int) -> Page[tuple[Run, StepRun]]:
    """Return held or unknown steps of started runs, but for holds whose reason begins with ``not_because``."""
    return _texts_page_of(store, "waiting_texts", {"plan_reason": f"{not_because}%"}, page=page, size=size)


def plan_texts(
    store: Store, plan_id: str, *, read_steps: Collection[int], page: int, size: int
) -> Page[tuple[Run, StepRun]]:
    """Return texts of a plan that are missing, or were written for one person, in order."""
    values = {"plan_id": plan_id, "read_steps": json.dumps(list(read_steps))}
    return _texts_page_of(store, "texts_in_plan", values, page=page, size=size)


def _texts_page_of(
    store: Store, what: str, values: Mapping[str, str | int | None], *, page: int, size: int
) -> Page[tuple[Run, StepRun]]:
    def read() -> Page[tuple[Run, StepRun]]:
        rows = store.rows(f"sequences.{what}", **values, size=size, skip=(page - 1) * size)
        total = store.rows(f"sequences.count_{what}", **values)[0]["found"]
        return Page(tuple(of_keys(store, [row["key"] for row in rows])), total, page, size)

    return store.remembered((what, *values.values(), page, size), read)
