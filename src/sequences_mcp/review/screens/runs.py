"""Sequences and tasks: how far each is, and the moves a person has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from functools import partial
from hashlib import sha256
from typing import TypeVar

from starlette.responses import Response

from sequences_mcp.domain.digests import canonical
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.sequence import LIVE, Answer, SequenceStatus, StopReason, StopScope, TaskOutcome
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.carry_out import carry_out
from sequences_mcp.flows.complete_task import complete_task
from sequences_mcp.flows.get_sequence import get_sequence
from sequences_mcp.flows.list_sequences import list_sequences
from sequences_mcp.flows.list_tasks import list_tasks
from sequences_mcp.flows.pause_sequence import pause_sequence
from sequences_mcp.flows.record_reply import record_reply
from sequences_mcp.flows.resume_sequence import resume_sequence
from sequences_mcp.flows.stop_sequence import stop_sequence
from sequences_mcp.providers.port import Call, SequenceFilter
from sequences_mcp.providers.vendor_port import Write
from sequences_mcp.review.visit import Visit, whole_number

Choice = TypeVar("Choice", bound=StrEnum)
SIZE = 30
LONGEST_PAUSE = 366


async def sequences(visit: Visit) -> Response:
    """Show the runs, here or at a vendor, the one that moved last first."""
    status = visit.request.query_params.get("status", "")
    provider = visit.request.query_params.get("provider") or LOCAL
    wanted = SequenceFilter(
        status=_one_of(SequenceStatus, status, name="status") if status else None,
        sort_by="updated_at",
        sort_order="desc",
        page=visit.page,
        size=SIZE,
    )
    return visit.shows(
        "sequences.html",
        found=await list_sequences(visit.desk, wanted=wanted, provider=provider),
        chosen=status,
        statuses=[one.value for one in SequenceStatus],
        provider=provider,
        providers=list(visit.desk.providers),
    )


async def sequence(visit: Visit) -> Response:
    """Show one run."""
    detail = await get_sequence(visit.desk, sequence_id=visit.named("sequence"))
    status, own = detail.sequence.status, detail.sequence.remote_id or detail.sequence.id
    provider = visit.desk.providers.get(own.partition(":")[0])
    return visit.shows(
        "sequence.html",
        detail=detail,
        own=own,
        stoppable=status in LIVE and provider is not None and provider.lists_runs,
        paused=status is SequenceStatus.WAITING_FOR_LEAD,
    )


async def pause(visit: Visit) -> Response:
    """Let a run wait for so many days."""
    until, own = visit.now + timedelta(days=_days(visit)), visit.named("sequence")
    effect = partial(pause_sequence, visit.desk, sequence_id=own, paused_until=until)
    return await _moved(visit, own, effect, tool="pause_sequence", paused_until=until.isoformat())


async def resume(visit: Visit) -> Response:
    """Let a run go on."""
    own = visit.named("sequence")
    return await _moved(visit, own, partial(resume_sequence, visit.desk, sequence_id=own), tool="resume_sequence")


async def stop(visit: Visit) -> Response:
    """Stop a run for good, or every run of its blueprint at the same company."""
    reason = _one_of(StopReason, visit.form.get("reason", ""), name="reason")
    scope = _one_of(StopScope, visit.form.get("scope", "CONTACT"), name="scope")
    own = visit.named("sequence")
    effect = partial(stop_sequence, visit.desk, sequence_id=own, reason=reason, scope=scope)
    return await _moved(visit, own, effect, tool="stop_sequence", reason=reason.value, scope=scope.value)


async def reply(visit: Visit) -> Response:
    """Record what the contact answered; a time away is given in days."""
    answer, own = _one_of(Answer, visit.form.get("answer", ""), name="answer"), visit.named("sequence")
    away = answer is Answer.OUT_OF_OFFICE
    until = visit.now + timedelta(days=_days(visit)) if away else None
    call = Call("record_reply", None, sha256(canonical({"who": own, "answer": answer.value})).hexdigest())
    done = await record_reply(visit.desk, who=own, answer=answer, until=until, call=call)
    if not done.undone:
        return visit.goes(f"/sequences/{own}")
    told = " ".join(f"{name}: {said}" for name, said in done.undone.items())
    return visit.shows("told.html", message="It is written down. Not everything stands still.", next_step=told)


async def tasks(visit: Visit) -> Response:
    """Show the steps to be done by hand, each with its text to copy."""
    return visit.shows("tasks.html", found=await list_tasks(visit.desk, page=visit.page, size=SIZE))


async def complete(visit: Visit) -> Response:
    """Record what became of a task."""
    outcome = _one_of(TaskOutcome, visit.form.get("outcome", ""), name="outcome")
    await complete_task(visit.desk, task_id=visit.named("task"), outcome=outcome)
    return visit.goes("/tasks")


async def _moved(
    visit: Visit, own: str, effect: Callable[[], Awaitable[object]], *, tool: str, **arguments: object
) -> Response:
    """Move a run and show it; what is asked of a vendor is written down before and settled after."""
    provider = own.partition(":")[0]
    if provider == LOCAL:
        await effect()
        return visit.goes(f"/sequences/{own}")
    mark = sha256(canonical({"sequence_id": own, **arguments})).hexdigest()
    write = Write(
        call=Call(tool, None, mark),
        provider=provider,
        subject=own,
        arguments={"sequence_id": own, **arguments},
        safe=tool != "resume_sequence",
    )

    async def recorded() -> str:
        await effect()
        return "{}"

    await carry_out(visit.desk, write, recorded)
    return visit.goes(f"/sequences/{own}")


def _days(visit: Visit) -> int:
    days = whole_number(visit.form.get("days", ""), name="day")
    if days > LONGEST_PAUSE:
        raise InvalidArgumentsError("That is longer than a year.", next_step="Pause for less, or stop it.")
    return days


def _one_of(kind: type[Choice], text: str, *, name: str) -> Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidArgumentsError(f"{text[:20]!r} is no {name}.", next_step="Go back and choose one.") from error
