"""Numbers of runs by blueprint, each read in one statement and remembered until the next commit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sequences_mcp.domain.page import Page
from sequences_mcp.domain.reports import FailedTally, OutcomeRow, PausedTally, ReceivedEntry, StepEntry
from sequences_mcp.domain.run import TO_OUTBOX, SequenceStatus, StepState, StopReason
from sequences_mcp.store.contacts import escaped
from sequences_mcp.store.database import Database
from sequences_mcp.store.statements import EPOCH, from_micros, to_micros

_REASONS = frozenset(StopReason)


class OutcomeRepository:
    """What became of every run of a blueprint, and which blueprints people were started in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def blueprints(self, provider: str, *, search: str = "", reader: str = "", page: int, size: int) -> Page[str]:
        """Return a page of the ids of blueprints that people were started in, the latest change of a run first.

        ``reader``: without those that are somebody else's alone; empty: all.
        """
        first, past = f"{provider}:", f"{provider};"  # the character that follows the colon: every id between them
        wanted = {
            "first": first,
            "past": past,
            "search": f"%{escaped(search)}%" if search else None,
            "reader": reader,
        }
        rows = self._database.rows("reports.blueprints", **wanted, size=size, skip=(page - 1) * size)
        counted = rows or (self._database.rows("reports.blueprints", **wanted, size=1, skip=0) if page > 1 else ())
        total = counted[0]["found"] if counted else 0
        return Page(tuple(row["blueprint_id"] for row in rows), total, page, size)

    def of_blueprints(self, blueprint_ids: Iterable[str]) -> tuple[OutcomeRow, ...]:
        """Return every run of these blueprints; those that are alike and of which nothing came back as one row."""
        rows = self._database.rows(
            "reports.outcomes",
            ids=json.dumps(list(blueprint_ids)),
            outbox=f"{TO_OUTBOX}%",
            week=to_micros(EPOCH + timedelta(days=7)),
            thursday=to_micros(EPOCH + timedelta(days=3)),
        )
        return tuple(map(_outcome, rows))

    def failed(self) -> tuple[FailedTally, ...]:
        """Return how many people's newest run of each blueprint failed, and why, the most frequent first."""
        return tuple(
            FailedTally(row["blueprint_id"], row["reason"] or "", row["found"])
            for row in self._database.rows("reports.failed")
        )

    def next_emails(self, *, size: int) -> list[str]:
        """Return the runs whose next e-mail is due first."""
        return [row["id"] for row in self._database.rows("reports.next_emails", size=size)]

    def next_of(self, blueprint_ids: Iterable[str]) -> dict[str, datetime]:
        """Return when something is due next in each of these blueprints, where anything is."""
        rows = self._database.rows("reports.next_of", ids=json.dumps(list(blueprint_ids)))
        return {row["blueprint_id"]: from_micros(row["at"]) for row in rows}

    def pauses(self) -> tuple[PausedTally, ...]:
        """Return the largest groups of people who were paused together."""
        return tuple(
            PausedTally(from_micros(row["since"]), from_micros(row["until"]), row["found"])
            for row in self._database.rows("reports.pauses")
        )


def _outcome(row: Any) -> OutcomeRow:
    # By place, not by name: a look-up by name costs more than everything else in reading a row.
    blueprint_id, version, provider, status, has_begun, stop_reason, steps, received, *rest = tuple(row)
    replied_at, last_executed_at, read_at, number = rest
    return OutcomeRow(
        blueprint_id=blueprint_id,
        version=version,
        provider=provider,
        status=SequenceStatus(status),
        has_begun=bool(has_begun),
        stop_reason=StopReason(stop_reason) if stop_reason in _REASONS else None,
        steps=tuple(_step(*values) for values in sorted(json.loads(steps))),
        received=tuple(_received(*values) for values in json.loads(received)) if received else (),
        replied_at=from_micros(replied_at),
        last_executed_at=from_micros(last_executed_at),
        read_at=from_micros(read_at),
        number=number,
    )


def _step(place: int, state: str, at: int | None, *marks: int | None) -> StepEntry:
    in_outbox, was_refused, variant = marks
    return StepEntry(
        place=place,
        state=StepState(state),
        at=from_micros(at),
        in_outbox=bool(in_outbox),
        was_refused=bool(was_refused),
        variant=variant,
    )


def _received(kind: str, at: int, dated: int | None, *more: int | None) -> ReceivedEntry:
    place, by_hand = more
    return ReceivedEntry(
        kind=kind, at=from_micros(at), dated=from_micros(dated), place=place, by_hand=bool(by_hand)
    )
