"""Calls of write tools, writes to vendors, and what vendors answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.entries import EarlierCall, ToolOperation
from sequences_mcp.ports.embedded import VendorFacts, VendorReading
from sequences_mcp.ports.vendor import EnrolmentTally, VendorOperation, VendorWrite
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros


class ToolCallRepository:
    """Calls of write tools, each with its answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, operation: ToolOperation) -> None:
        """Store a tool call with its answer."""
        with self._database.joined():
            self.free_key(operation.key, now=operation.created_at)
            self._database.write(
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

    def free_key(self, key: str | None, *, now: datetime) -> None:
        """Release an idempotency key that has expired, so that another call may use it."""
        self._database.write("operations.free_key", key=key, now=to_micros(now))
        self._database.write("plans.free_key", key=key, now=to_micros(now))

    def by_key(self, key: str, *, now: datetime) -> EarlierCall | None:
        """Return the call of an idempotency key, or None."""
        row = self._database.row("operations.by_key", key=key, now=to_micros(now))
        return EarlierCall(row["tool"], row["fingerprint"], row["answer"], row["plan_id"]) if row else None


class OperationRepository:
    """Writes to vendors, each stored before its request is sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(
        self, operation_id: str, write: VendorWrite, *, actor: Actor, now: datetime, lease: datetime
    ) -> None:
        """Store an operation before its request is sent; StoreError when another on the same subject is open."""
        self._database.write(
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

    def by_id(self, operation_id: str, *, now: datetime) -> VendorOperation | None:
        """Return one operation, or None."""
        row = self._database.row("vendor_operations.by_id", id=operation_id)
        return _from_row(row, now) if row else None

    def by_key(self, key: str, *, now: datetime) -> VendorOperation | None:
        """Return the operation of an idempotency key, or None."""
        row = self._database.row("vendor_operations.by_key", key=key)
        return _from_row(row, now) if row else None

    def open_on(self, subject: str, *, now: datetime) -> list[VendorOperation]:
        """Return the open and unknown operations on one subject."""
        return [_from_row(row, now) for row in self._database.rows("vendor_operations.open_on", subject=subject)]

    def open_starts_of(self, blueprint_id: str, *, now: datetime) -> list[VendorOperation]:
        """Return the starts of a blueprint that are open or unknown."""
        return [
            _from_row(row, now)
            for row in self._database.rows("vendor_operations.open_starts_of", blueprint_id=blueprint_id)
        ]

    def unknown(self, *, now: datetime, size: int) -> list[VendorOperation]:
        """Return the operations of unknown outcome, oldest first."""
        with self._database.snapshot():
            first = self._database.remembered(
                "first unknown operation", lambda: self._database.rows("vendor_operations.first_unknown")[0]["at"]
            )
        if first is None or first > to_micros(now):
            return []
        rows = self._database.rows("vendor_operations.unknown", now=to_micros(now), size=size)
        return [_from_row(row, now) for row in rows]

    def last_paces(self, subjects: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return, by run at a vendor, tool and arguments of the last pause, resumption or stop made here."""
        rows = self._database.rows("vendor_operations.last_paces", subjects=json.dumps(list(subjects)))
        return {row["subject"]: (row["tool"], json.loads(row["request"])) for row in rows}

    def tally_of_start(self, plan_id: str, *, now: datetime, taken: str, reasons: int) -> EnrolmentTally:
        """Return how many of a plan's people are enrolled, waiting, refused or unknown.

        ``taken`` is the step's reason of those who are being enrolled now; at most ``reasons`` different reasons
        are returned.
        """
        [row] = self._database.rows("vendor_operations.outcome", plan_id=plan_id, taken=taken)
        why = self._database.rows("vendor_operations.reasons", plan_id=plan_id, size=reasons)
        return EnrolmentTally(
            **dict(row),
            why=tuple(reason["reason"] for reason in why),
            errors=VendorErrorRepository(self._database).of_plan(plan_id),
            operation_ids=tuple(operation.id for operation in self.open_on(plan_id, now=now)),
        )

    def mark_unknown(self, operation_id: str, *, answer: str) -> bool:
        """Record that an operation's outcome is unknown; False when it is recorded already."""
        return self._database.write("vendor_operations.mark_unknown", id=operation_id, answer=answer) == 1

    def conclude(self, operation_id: str, *, state: str, answer: str, actor: Actor, now: datetime) -> bool:
        """Record an operation's outcome; False when it has one already."""
        changed = self._database.write(
            "vendor_operations.conclude",
            id=operation_id,
            state=state,
            answer=answer,
            actor=actor,
            now=to_micros(now),
        )
        return changed == 1


def _from_row(row: Row, now: datetime) -> VendorOperation:
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


class VendorErrorRepository:
    """What a vendor last answered about a run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, sequence_id: str, facts: Mapping[str, Any] | None, *, now: datetime) -> None:
        """Store a vendor's error about a run; None removes it, because the vendor has enrolled the person."""
        if facts is None:
            self._database.write("vendor_errors.drop", id=sequence_id)
            return
        text = json.dumps(dict(facts), ensure_ascii=False, default=str)
        self._database.write("vendor_errors.keep", id=sequence_id, told=text, now=to_micros(now))

    def of_runs(self, sequence_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Return what was answered, by run."""
        ids = json.dumps(list(sequence_ids))
        return {
            row["id"]: json.loads(row["told"]) for row in self._database.rows("vendor_errors.of_runs", ids=ids)
        }

    def of_plan(self, plan_id: str) -> tuple[tuple[Mapping[str, Any], int], ...]:
        """Return the various answers about a plan's people, the first of each kind, and how many it is about."""
        groups: dict[str, tuple[Mapping[str, Any], int]] = {}
        for row in self._database.rows("vendor_errors.of_plan", plan_id=plan_id):
            facts = json.loads(row["told"])
            kind = json.dumps({name: value for name, value in facts.items() if name not in OF_ONE_ANSWER})
            first, people = groups.get(kind, (facts, 0))
            groups[kind] = (first, people + row["people"])
        return tuple(groups.values())


_INSTANTS = ("created_at", "updated_at", "last_step_executed_at", "replied_at", "paused_until")


class ReadingRepository:
    """What was last read of a run at its vendor."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, sequence_id: str, reading: VendorReading) -> None:
        """Store what was last read of a run at its vendor, in place of the reading before."""
        facts = {name: value for name, value in asdict(reading.facts).items() if value is not None}
        stored = {name: to_micros(value) if name in _INSTANTS else value for name, value in facts.items()}
        self._database.write(
            "vendor_readings.write",
            sequence_id=sequence_id,
            read_at=to_micros(reading.read_at),
            provider_status=reading.provider_status,
            facts=json.dumps(stored, ensure_ascii=False),
        )

    def of_runs(self, sequence_ids: Iterable[str]) -> dict[str, VendorReading]:
        """Return the last reading of each of these runs that has one, by id."""
        rows = self._database.rows("vendor_readings.of", ids=json.dumps(list(sequence_ids)))
        return {row["id"]: _reading(row) for row in rows}


def _reading(row: Any) -> VendorReading:
    stored = json.loads(row["facts"])
    facts = {name: from_micros(value) if name in _INSTANTS else value for name, value in stored.items()}
    read_at: datetime = from_micros(row["read_at"])
    return VendorReading(read_at=read_at, provider_status=row["provider_status"], facts=VendorFacts(**facts))
