"""Sequences and tasks: how far each is, and the moves a person has."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from starlette.responses import Response

from sequences_mcp.domain.sequence import LIVE, SequenceStatus, StopReason, StopScope, TaskOutcome
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.complete_task import complete_task
from sequences_mcp.flows.get_sequence import get_sequence
from sequences_mcp.flows.list_sequences import list_sequences
from sequences_mcp.flows.list_tasks import list_tasks
from sequences_mcp.flows.pause_sequence import pause_sequence
from sequences_mcp.flows.resume_sequence import resume_sequence
from sequences_mcp.flows.stop_sequence import stop_sequence
from sequences_mcp.providers.port import SequenceFilter
from sequences_mcp.review.visit import Visit, whole_number

Choice = TypeVar("Choice", bound=StrEnum)
SIZE = 30
LONGEST_PAUSE = 366


async def sequences(visit: Visit) -> Response:
    """Show the runs, the one that moved last first."""
    status = visit.request.query_params.get("status", "")
    wanted = SequenceFilter(
        status=_one_of(SequenceStatus, status, name="status") if status else None,
        sort_by="updated_at",
        sort_order="desc",
        page=visit.page,
        size=SIZE,
    )
    found = await list_sequences(visit.desk, wanted=wanted)
    return visit.shows(
        "sequences.html", found=found, chosen=status, statuses=[one.value for one in SequenceStatus]
    )


async def sequence(visit: Visit) -> Response:
    """Show one run."""
    detail = await get_sequence(visit.desk, sequence_id=visit.named("sequence"))
    status = detail.sequence.status
    return visit.shows(
        "sequence.html",
        detail=detail,
        stoppable=status in LIVE,
        paused=status is SequenceStatus.WAITING_FOR_LEAD,
    )


async def pause(visit: Visit) -> Response:
    """Let a run wait for so many days."""
    days = whole_number(visit.form.get("days", ""), name="day")
    if days > LONGEST_PAUSE:
        raise InvalidArgumentsError("That is longer than a year.", next_step="Pause for less, or stop it.")
    until = visit.now + timedelta(days=days)
    done = await pause_sequence(visit.desk, sequence_id=visit.named("sequence"), paused_until=until)
    return visit.goes(f"/sequences/{done.sequence.id}")


async def resume(visit: Visit) -> Response:
    """Let a run go on."""
    done = await resume_sequence(visit.desk, sequence_id=visit.named("sequence"))
    return visit.goes(f"/sequences/{done.sequence.id}")


async def stop(visit: Visit) -> Response:
    """Stop a run for good, or every run of its blueprint at the same company."""
    reason = _one_of(StopReason, visit.form.get("reason", ""), name="reason")
    scope = _one_of(StopScope, visit.form.get("scope", "CONTACT"), name="scope")
    done = await stop_sequence(visit.desk, sequence_id=visit.named("sequence"), reason=reason, scope=scope)
    return visit.goes(f"/sequences/{done[0].sequence.id}")


async def tasks(visit: Visit) -> Response:
    """Show the steps to be done by hand, each with its text to copy."""
    return visit.shows("tasks.html", found=await list_tasks(visit.desk, page=visit.page, size=SIZE))


async def complete(visit: Visit) -> Response:
    """Record what became of a task."""
    outcome = _one_of(TaskOutcome, visit.form.get("outcome", ""), name="outcome")
    await complete_task(visit.desk, task_id=visit.named("task"), outcome=outcome)
    return visit.goes("/tasks")


def _one_of(kind: type[Choice], text: str, *, name: str) -> Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidArgumentsError(f"{text[:20]!r} is no {name}.", next_step="Go back and choose one.") from error
