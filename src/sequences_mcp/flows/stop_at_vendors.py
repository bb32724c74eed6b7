"""What vendors carry out for somebody who must not be contacted: stopped where their API can, else named.

The list of those never to contact keeps people out of what begins; a run that a vendor has goes on there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from datetime import datetime

from sequences_mcp.domain.sequence import TERMINAL, Sequence, SequenceStatus, StopReason, StopScope
from sequences_mcp.errors import NotSupportedError, SequencesError
from sequences_mcp.flows.carry_out import carry_out
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.exclude_at_vendors import Mark
from sequences_mcp.flows.get_sequence import followed
from sequences_mcp.flows.pause_sequence import pause_sequence
from sequences_mcp.flows.stop_sequence import stop_sequence
from sequences_mcp.providers.port import Call, SequenceDetail
from sequences_mcp.providers.vendor_port import Write

STOPPED = "stopped"
TOOL, HOLD = "stop_sequence", "pause_sequence"  # its operations are settled as that tool's are
AGAIN = "suppress_contact again then."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedThere:
    """The runs that were stopped, and in words what became of each, by its id there, or here before it has one."""

    stopped: tuple[SequenceDetail, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)


async def stop_at_vendors(desk: Desk, marks: Items[Mark], *, call: Call) -> StoppedThere:
    """Stop every live run at a vendor of whoever these marks cover, as far as that can be; nothing is raised."""
    return await stop_there(desk, await desk.vendor_runs.live_among(marks), call=call)


async def stop_elsewhere(desk: Desk, marks: Items[Mark], *, known: Mapping[str, str], call: Call) -> StoppedThere:
    """Stop every live run of whoever these marks cover that vendors show and nobody started here.

    ``known`` are the runs that have been seen to already. Nothing is raised: ``told`` says what could not be read.
    """
    stopped: list[SequenceDetail] = []
    told: dict[str, str] = {}
    for name, provider in desk.providers.items():
        if provider.reach is None:
            continue
        try:
            runs = await provider.reach.live_of(marks)
        except SequencesError as error:
            told[f"{name} runs"] = f"not_done: whether {provider.title} runs more for them is not known: {error}"
            continue
        for one in runs:
            own = one.sequence.id
            if own in known or own in told:
                continue
            told[own] = await _ended(desk, name, own, call=call, reason=StopReason.LOSE)
            if told[own] == STOPPED:
                over = replace(one.sequence, status=SequenceStatus.STOPPED_EARLY)
                stopped.append(replace(one, sequence=over))
    return StoppedThere(stopped=tuple(stopped), told=told)


async def stop_there(
    desk: Desk, runs: Items[SequenceDetail], *, call: Call, reason: StopReason = StopReason.LOSE
) -> StoppedThere:
    """Stop these runs at vendors, as far as that can be; nothing is raised."""
    stopped: list[SequenceDetail] = []
    told: dict[str, str] = {}
    for kept in runs:
        run, why = await _as_it_is(desk, kept.sequence)
        if run.status in TERMINAL:
            continue
        own = run.remote_id or run.id
        told[own] = why or await _stopped(desk, run, call=call, reason=reason)
        if told[own] == STOPPED:
            stopped.append(await _kept(desk, run))
    return StoppedThere(stopped=tuple(stopped), told=told)


async def hold_there(desk: Desk, runs: Items[SequenceDetail], *, until: datetime, call: Call) -> Mapping[str, str]:
    """Pause these runs at vendors; return in words what became of each. Nothing is raised."""
    told: dict[str, str] = {}
    for kept in runs:
        run, why = await _as_it_is(desk, kept.sequence)
        if run.status not in TERMINAL:
            told[run.remote_id or run.id] = why or await _held(desk, run, until=until, call=call)
    return told


async def _held(desk: Desk, run: Sequence, *, until: datetime, call: Call) -> str:
    title, own = run.provider.capitalize(), run.remote_id or run.id
    write = Write(
        call=Call(HOLD, call.key and f"{call.key}#{own}", call.fingerprint),
        provider=run.provider,
        subject=own,
        arguments={"sequence_id": own, "paused_until": until.isoformat()},
        safe=True,
    )

    async def effect() -> str:
        seen = await pause_sequence(desk, sequence_id=own, paused_until=until)
        await desk.vendor_runs.observe(run, seen)
        return '{"outcome":"done"}'

    try:
        await carry_out(desk, write, effect)
    except NotSupportedError:
        return f"not_done: it goes on. {title}'s API cannot pause it. Pause it in {title}'s own app, now."
    except SequencesError as error:
        return f"{error.outcome}: {error}"
    return f"paused until {until.isoformat(timespec='minutes')}"


async def _as_it_is(desk: Desk, run: Sequence) -> tuple[Sequence, str | None]:
    """Return the run as its vendor shows it, and why nothing can be done about it now, or None."""
    title = run.provider.capitalize()
    if run.is_in_doubt:
        look = f"check_operation with {run.operation_id} finds out; {AGAIN}"
        return run, f"not_done: nobody knows yet whether {title} has enrolled them. {look}"
    if run.provider not in desk.providers:
        return run, f"not_done: it goes on, and {title} is not connected. {_by_hand(title)}"
    try:
        run = (await followed(desk, await _kept(desk, run))).sequence
    except SequencesError as error:
        return run, None if run.remote_id else f"{error.outcome}: its run there was not found: {error}"
    if run.remote_id is None:
        return run, f"not_done: {title} shows no run yet and may begin one. get_sequence finds it; {AGAIN}"
    return run, None


async def _stopped(desk: Desk, run: Sequence, *, call: Call, reason: StopReason) -> str:
    """Stop one run that was started here; return what became of it."""

    async def seen(shown: SequenceDetail) -> None:
        await desk.vendor_runs.observe(run, shown)

    return await _ended(desk, run.provider, run.remote_id or run.id, call=call, reason=reason, seen=seen)


async def _nobody(shown: SequenceDetail) -> None:
    """Keep nothing of a run that was started elsewhere."""


async def _ended(
    desk: Desk,
    provider: str,
    own: str,
    *,
    call: Call,
    reason: StopReason,
    seen: Callable[[SequenceDetail], Awaitable[None]] = _nobody,
) -> str:
    """Stop one run through the ledger, as stop_sequence does; return what became of it."""
    title = provider.capitalize()
    write = Write(
        call=Call(TOOL, call.key and f"{call.key}#{own}", call.fingerprint),
        provider=provider,
        subject=own,
        arguments={"sequence_id": own, "reason": reason.value, "scope": StopScope.CONTACT.value},
        safe=True,
    )

    async def effect() -> str:
        [shown, *_] = await stop_sequence(desk, sequence_id=own, reason=reason)
        await seen(shown)
        return '{"outcome":"done"}'

    try:
        await carry_out(desk, write, effect)
    except NotSupportedError:
        return f"not_done: it goes on. {title}'s API cannot stop it. {_by_hand(title)}"
    except SequencesError as error:
        return f"{error.outcome}: {error}"
    return STOPPED


def _by_hand(title: str) -> str:
    return f"Stop it in {title}'s own app, now."


async def _kept(desk: Desk, run: Sequence) -> SequenceDetail:
    sequences = desk.local.sequences
    assert sequences is not None  # the embedded engine has them
    return await sequences.get_sequence(run.id)
