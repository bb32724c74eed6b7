"""Calls of write tools, writes to vendors, and what vendors answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sequences_mcp.ports.embedded import VendorFacts, VendorReading
from sequences_mcp.ports.vendor import VendorOperation, VendorWrite
from sequences_mcp.store import sequences
from sequences_mcp.store.database import Store
from sequences_mcp.store.statements import from_micros, to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOperation:
    """One call; ``key`` stands for this answer until ``expires_at``."""

    id: str
    tool: str
    key: str | None
    fingerprint: str
    answer: str
    actor: str
    created_at: datetime
    expires_at: datetime | None


def insert_tool_call(store: Store, operation: ToolOperation) -> None:
    """Store a tool call with its answer."""
    with store.joined():
        store.write("operations.free_key", key=operation.key, now=to_micros(operation.created_at))
        store.write(
            "operations.insert",
            id=operation.id,
            tool=operation.tool,
            key=operation.key,
            fingerprint=operation.fingerprint,
            answer=operation.answer,
            actor=operation.actor,
            created_at=to_micros(operation.created_at),
            expires_at=to_micros(operation.expires_at),
        )


def tool_call_by_key(store: Store, key: str, *, now: datetime) -> tuple[str, str, str] | None:
    """Return tool, fingerprint and answer of the call this key belongs to, or None."""
    row = store.row("operations.by_key", key=key, now=to_micros(now))
    return (row["tool"], row["fingerprint"], row["answer"]) if row else None


def insert_operation(
    store: Store, operation_id: str, write: VendorWrite, *, actor: str, now: datetime, lease: datetime
) -> None:
    """Store an operation before its request leaves; StoreError when another on the same subject is open."""
    store.write(
        "vendor_operations.insert",
        id=operation_id,
        provider=write.provider,
        tool=write.call.tool,
        subject=write.subject,
        key=write.call.key,
        fingerprint=write.call.fingerprint,
        request=json.dumps(dict(write.arguments), default=str),
        actor=actor,
        now=to_micros(now),
        lease_expires_at=to_micros(lease),
    )


def operation_by_id(store: Store, operation_id: str, *, now: datetime) -> VendorOperation | None:
    """Return one operation, or None."""
    row = store.row("vendor_operations.by_id", id=operation_id)
    return _from_row(row, now) if row else None


def operation_by_key(store: Store, key: str, *, now: datetime) -> VendorOperation | None:
    """Return the operation a key belongs to, or None."""
    row = store.row("vendor_operations.by_key", key=key)
    return _from_row(row, now) if row else None


def open_operations_on(store: Store, subject: str, *, now: datetime) -> list[VendorOperation]:
    """Return the open and unknown operations on one subject."""
    return [_from_row(row, now) for row in store.rows("vendor_operations.open_on", subject=subject)]


def open_starts_of(store: Store, blueprint_id: str, *, now: datetime) -> list[VendorOperation]:
    """Return the starts of a blueprint that are open or unknown."""
    return [
        _from_row(row, now) for row in store.rows("vendor_operations.open_starts_of", blueprint_id=blueprint_id)
    ]


def unknown_operations(store: Store, *, now: datetime, size: int) -> list[VendorOperation]:
    """Return operations whose outcome nobody knows, oldest first."""
    rows = store.rows("vendor_operations.unknown", now=to_micros(now), size=size)
    return [_from_row(row, now) for row in rows]


def last_paces(store: Store, subjects: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return, by run at a vendor, the last pause, resumption or stop made through here: its tool and arguments."""
    rows = store.rows("vendor_operations.last_paces", subjects=json.dumps(list(subjects)))
    return {row["subject"]: (row["tool"], json.loads(row["request"])) for row in rows}


def mark_unknown(store: Store, operation_id: str, *, answer: str) -> bool:
    """Record that an operation's outcome is unknown; False when it is recorded already."""
    return store.write("vendor_operations.doubt", id=operation_id, answer=answer) == 1


def conclude_operation(
    store: Store, operation_id: str, *, state: str, answer: str, actor: str, now: datetime
) -> bool:
    """Record an operation's outcome; False when it has one already."""
    changed = store.write(
        "vendor_operations.settle", id=operation_id, state=state, answer=answer, actor=actor, now=to_micros(now)
    )
    return changed == 1


def _from_row(row: sqlite3.Row, now: datetime) -> VendorOperation:
    lost = row["state"] == "begun" and from_micros(row["lease_expires_at"]) <= now
    return VendorOperation(
        id=row["id"],
        provider=row["provider"],
        tool=row["tool"],
        subject=row["subject"],
        fingerprint=row["fingerprint"],
        arguments=json.loads(row["request"]),
        state="unknown" if lost else row["state"],  # whoever made the request has died since
        answer=row["answer"],
        created_at=from_micros(row["created_at"]),
    )


# What differs from answer to answer although it is the same refusal.
OF_ONE_ANSWER = frozenset({"request_id", "attempts", "retry_after"})


def keep_vendor_error(store: Store, sequence_id: str, facts: Mapping[str, Any] | None, *, now: datetime) -> None:
    """Store a vendor's error about a run; None removes it, because the vendor has enrolled the person."""
    if facts is None:
        store.write("vendor_errors.drop", id=sequence_id)
        return
    text = json.dumps(dict(facts), ensure_ascii=False, default=str)
    store.write("vendor_errors.keep", id=sequence_id, told=text, now=to_micros(now))


def vendor_errors_of_runs(store: Store, sequence_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return what was answered, by run."""
    ids = json.dumps(list(sequence_ids))
    return {row["id"]: json.loads(row["told"]) for row in store.rows("vendor_errors.of_runs", ids=ids)}


def vendor_errors_of_plan(store: Store, plan_id: str) -> tuple[tuple[Mapping[str, Any], int], ...]:
    """Return the different answers about a plan's people, the first of each kind, with how many it is about."""
    groups: dict[str, tuple[Mapping[str, Any], int]] = {}
    for row in store.rows("vendor_errors.of_plan", plan_id=plan_id):
        told = json.loads(row["told"])
        kind = json.dumps({name: value for name, value in told.items() if name not in OF_ONE_ANSWER})
        first, people = groups.get(kind, (told, 0))
        groups[kind] = (first, people + row["people"])
    return tuple(groups.values())


_INSTANTS = ("created_at", "updated_at", "last_step_executed_at", "replied_at", "paused_until")


def write_reading(store: Store, sequence_id: str, reading: VendorReading) -> None:
    """Store what was last read of a run at its vendor, in place of the reading before."""
    facts = {name: value for name, value in asdict(reading.facts).items() if value is not None}
    told = {name: to_micros(value) if name in _INSTANTS else value for name, value in facts.items()}
    store.write(
        "vendor_readings.write",
        sequence_id=sequence_id,
        read_at=to_micros(reading.read_at),
        provider_status=reading.provider_status,
        facts=json.dumps(told, ensure_ascii=False),
    )


def readings_of(store: Store, sequence_ids: Iterable[str]) -> dict[str, VendorReading]:
    """Return the last reading of each of these runs that has one, by id."""
    rows = store.rows("vendor_readings.of", ids=json.dumps(list(sequence_ids)))
    return {row["id"]: _reading(row) for row in rows}


def stalest_readings(store: Store, conditions: Mapping[str, Any], *, size: int) -> list[str]:
    """Return the ids of live runs at a vendor that meet the conditions of a list, the longest unread first."""
    where, values = sequences.where(conditions), sequences.patterns(conditions)
    rows = store.pieced("vendor_readings.stalest", {"where": where}, {**values, "size": size})
    return [row["id"] for row in rows]


def _reading(row: Any) -> VendorReading:
    told = json.loads(row["facts"])
    facts = {name: from_micros(value) if name in _INSTANTS else value for name, value in told.items()}
    read_at: datetime = from_micros(row["read_at"])
    return VendorReading(read_at=read_at, provider_status=row["provider_status"], facts=VendorFacts(**facts))
