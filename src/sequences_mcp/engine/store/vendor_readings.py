"""What vendors last told of the runs they carry out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sequences_mcp.engine.store import sequences
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros
from sequences_mcp.providers.port import VendorFacts, VendorReading

_INSTANTS = ("created_at", "updated_at", "last_step_executed_at", "replied_at", "paused_until")


def write(store: Store, sequence_id: str, reading: VendorReading) -> None:
    """Keep a reading in place of the one before."""
    facts = {name: value for name, value in asdict(reading.facts).items() if value is not None}
    told = {name: to_micros(value) if name in _INSTANTS else value for name, value in facts.items()}
    store.write(
        "vendor_readings.write",
        sequence_id=sequence_id,
        read_at=to_micros(reading.read_at),
        provider_status=reading.provider_status,
        facts=json.dumps(told, ensure_ascii=False),
    )


def of(store: Store, sequence_ids: Iterable[str]) -> dict[str, VendorReading]:
    """Return the last reading of each of these runs that has one, by id."""
    rows = store.rows("vendor_readings.of", ids=json.dumps(list(sequence_ids)))
    return {row["id"]: _reading(row) for row in rows}


def stalest(store: Store, conditions: Mapping[str, Any], *, size: int) -> list[str]:
    """Return the ids of live runs at a vendor that meet the conditions of a list, the longest unread first."""
    where, values = sequences.where(conditions), sequences.patterns(conditions)
    rows = store.pieced("vendor_readings.stalest", {"where": where}, {**values, "size": size})
    return [row["id"] for row in rows]


def _reading(row: Any) -> VendorReading:
    told = json.loads(row["facts"])
    facts = {name: from_micros(value) if name in _INSTANTS else value for name, value in told.items()}
    read_at: datetime = from_micros(row["read_at"])
    return VendorReading(read_at=read_at, provider_status=row["provider_status"], facts=VendorFacts(**facts))
