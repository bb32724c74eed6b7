"""The pure machine: a sequence and an event in, the next sequence and what to do about it out.

No clock, no I/O, no randomness. ``legal.LEGAL`` says what may happen when; the transitions are in ``control``
(what people do), ``tick`` (what time does) and ``flight`` (what becomes of an e-mail), due times in ``timing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sequences_mcp.domain.sequence import Sequence
from sequences_mcp.engine import control, events, flight, tick
from sequences_mcp.engine.control import APPROVAL, EDITED
from sequences_mcp.engine.flight import Result
from sequences_mcp.engine.legal import legal_moves, require_legal
from sequences_mcp.engine.outlook import outlook
from sequences_mcp.engine.timing import next_run_at
from sequences_mcp.errors import InvalidArgumentsError

__all__ = ["APPROVAL", "EDITED", "advance", "legal_moves", "next_run_at", "outlook"]

_TRANSITIONS: Mapping[type[events.Event], Callable[[Sequence, Any, datetime], Result]] = {
    events.Approved: control.approved,
    events.Refused: control.refused,
    events.Rewritten: control.rewritten,
    events.DraftApproved: control.draft_approved,
    events.TaskCompleted: control.task_completed,
    events.Paused: control.paused,
    events.Resumed: control.resumed,
    events.Stopped: control.stopped,
    events.Replied: control.replied,
    events.OptedOut: control.opted_out,
    events.Tick: tick.ticked,
    events.HandedOver: flight.handed_over,
    events.Delivered: flight.delivered,
    events.Deferred: flight.deferred,
    events.Rejected: flight.rejected,
    events.Lost: flight.lost,
    events.Settled: flight.fate_settled,
}


def advance(sequence: Sequence, event: events.Event, now: datetime) -> Result:
    """Return the sequence after the event and the effects asked of the world.

    An event that changes nothing returns the very same sequence. Raises ConflictError, naming the status and the
    legal moves, for what the state forbids; InvalidArgumentsError for a naive time, a pause that ends in the past
    or a step that does not exist; NotFoundError for an unknown step key.
    """
    _require_aware(event, now)
    require_legal(sequence, event)
    return _TRANSITIONS[type(event)](sequence, event, now)


def _require_aware(event: events.Event, now: datetime) -> None:
    times = {"now": now} | {field.name: getattr(event, field.name) for field in fields(event)}
    naive = [name for name, value in times.items() if isinstance(value, datetime) and value.utcoffset() is None]
    if naive:
        raise InvalidArgumentsError(
            f"A time without its offset from UTC: {', '.join(naive)}.",
            next_step="Give it with an offset, for example 2026-11-21T09:30:00+01:00.",
        )
