"""The pure state machine: takes a run and an event, returns the next state of the run and effects to carry out."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sequences_mcp.domain.blueprint import INVITE_TIMEOUT_DAYS, TEXTED, Channel, Temporality
from sequences_mcp.domain.run import IN_FLIGHT, LIVE, Run, SequenceStatus, StepRun, StepState, TaskOutcome
from sequences_mcp.engine import events
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError

CUT_SHORT = "the sequence ended while this e-mail was being sent"


def waits_for_person(run: StepRun) -> bool:
    """Say whether only a person can move this step: an open task, an unknown outcome, a hold without an end."""
    return run.state in {StepState.OPEN, StepState.UNKNOWN} or (run.state is StepState.HELD and run.until is None)


def find_step(sequence: Run, key: str) -> StepRun:
    """Return the step with this key; NotFoundError."""
    step = next((run for run in sequence.steps if run.key == key), None)
    if step is None:
        raise NotFoundError(
            f"Sequence {sequence.id} has no step with the key {key}.",
            next_step="get_sequence shows its steps; list_tasks and list_reviews the ids of what waits.",
        )
    return step


def with_run(sequence: Run, run: StepRun, **changes: Any) -> Run:
    """Return the sequence with this state of one step in place of the step with the same key."""
    steps = tuple(run if old.key == run.key else old for old in sequence.steps)
    return replace(sequence, steps=steps, **changes)


def grounded(run: StepRun, state: StepState, *, reason: str | None = None, **changes: Any) -> StepRun:
    """Return the step in a state outside flight: no lease, no hold that ends by itself unless one is given."""
    lasting: dict[str, Any] = {"lease": None, "lease_expires_at": None, "until": None} | changes
    return replace(run, state=state, reason=reason, **lasting)


def executed(run: StepRun, state: StepState, now: datetime, **changes: Any) -> StepRun:
    """Return the step as executed at ``now``."""
    return grounded(run, state, executed_at=now, anchor=now, **changes)


def step_resolved(sequence: Run, now: datetime) -> Run:
    """Return a live sequence with the status that follows from its current step and its pause.

    No step left: COMPLETED. Paused: WAITING_FOR_LEAD. A step that only a person can move: WAITING_FOR_USER, at
    once, also when the step is not due yet, so that the person has until then. Anything else: ACTIVE.
    """
    run = sequence.current
    if run is None:
        return _over(sequence, SequenceStatus.COMPLETED, now)
    if sequence.paused_until is not None:
        status = SequenceStatus.WAITING_FOR_LEAD
    else:
        status = SequenceStatus.WAITING_FOR_USER if waits_for_person(run) else SequenceStatus.ACTIVE
    return replace(sequence, status=status, updated_at=now)


def end_run(sequence: Run, status: SequenceStatus, *, now: datetime, **changes: Any) -> Run:
    """Return the sequence in a terminal status with whatever had not happened yet cancelled."""
    steps = tuple(_cancelled(run) for run in sequence.steps)
    return _over(replace(sequence, steps=steps, **changes), status, now)


def _over(sequence: Run, status: SequenceStatus, now: datetime) -> Run:
    return replace(sequence, status=status, paused_since=None, paused_until=None, updated_at=now)


def _cancelled(run: StepRun) -> StepRun:
    """Return what the end of the sequence makes of a step.

    An e-mail that was handed over may arrive: it is unknown until its worker, which keeps the lease, reports.
    """
    if run.is_over or run.state is StepState.UNKNOWN:
        return run
    if run.state is StepState.HANDED_OVER:
        return replace(run, state=StepState.UNKNOWN, reason=CUT_SHORT, lease_expires_at=None)
    return grounded(run, StepState.CANCELLED, reason=run.reason)


_NO_TIME = timedelta(0)


def next_run_at(sequence: Run) -> datetime | None:
    """Return when the sequence needs a Tick, or None when nothing happens in it by itself.

    A lease that runs out counts also during a pause, so that an outcome does not stay open unseen. What a vendor
    carries out is never due here.
    """
    run = sequence.current
    if sequence.is_at_vendor or sequence.status not in LIVE or run is None:
        return None
    lease_ends = run.lease_expires_at if run.state in IN_FLIGHT else None
    if sequence.paused_until is not None:
        return min(sequence.paused_until, lease_ends or sequence.paused_until)
    if lease_ends is not None:
        return lease_ends
    return None if waits_for_person(run) else step_due_at(sequence, run)


def step_due_at(sequence: Run, run: StepRun) -> datetime:
    """Return when the current step is due: at the end of its hold, else as its timing says."""
    if run.until is not None:
        return run.until
    anchor = sequence.anchor or sequence.created_at
    match run.step.temporality_type:
        case Temporality.DELAYED:
            return anchor + (run.step.delay.duration() if run.step.delay else _NO_TIME)
        case Temporality.AFTER_INVITATION_SETTLED:
            return max(anchor, _invitation_closed_at(sequence, run) or anchor)
        case _:
            return anchor


def _invitation_closed_at(sequence: Run, run: StepRun) -> datetime | None:
    """Return when the invitation before this step is accepted or has timed out; None when none was sent."""
    earlier = sequence.steps[: sequence.steps.index(run)]
    invitation = next((step for step in reversed(earlier) if step.step.is_invitation), None)
    if invitation is None or invitation.executed_at is None:
        return None
    of_invitation, of_step = (step.step.policy.invite_timeout_days for step in (invitation, run))
    times_out = (invitation.anchor or invitation.executed_at) + timedelta(
        days=of_invitation or of_step or INVITE_TIMEOUT_DAYS
    )
    return min(times_out, invitation.accepted_at or times_out)


def shifted_by_pause(sequence: Run, now: datetime) -> Run:
    """Return the sequence without its pause, its delay clocks moved by as long as they stood still.

    A pause ends at ``paused_until`` even if that is noticed later. Clocks that started during the pause start at
    its end. What was due already may move too, but never past the end of the pause, so it is due at once. Holds
    until an instant (a sending window, a retry) are wall-clock time and do not move.
    """
    since, until = sequence.paused_since or now, min(now, sequence.paused_until or now)
    steps = tuple(replace(run, anchor=_moved(run.anchor, since, until)) for run in sequence.steps)
    anchor = _moved(sequence.anchor, since, until)
    return replace(sequence, steps=steps, anchor=anchor, paused_since=None, paused_until=None)


def _moved(anchor: datetime | None, since: datetime, until: datetime) -> datetime | None:
    if anchor is None:
        return None
    return anchor + max(_NO_TIME, until - max(since, anchor))


OUTSIDE_WINDOW = "outside the sending window"
OUTSIDE_CALLING_HOURS = "outside 8:00 to 21:00 at the person's place"
TEXT_MISSING = "the text for this person is still to be written"
NO_ADDRESS = "the contact has no address for this channel"
READ_AGAIN_AFTER = timedelta(minutes=1)


def on_tick(sequence: Run, tick: events.Tick, now: datetime) -> Result:
    """End a dead lease, end a pause, or move the current step if it is due; else change nothing."""
    run = sequence.current
    if run is None:
        return sequence, ()
    # Before the pause is looked at: a lease that ends during a pause must not leave an outcome open unseen.
    if run.state in IN_FLIGHT and run.lease_expires_at is not None and now >= run.lease_expires_at:
        return on_lease_expired(sequence, run, now), ()
    if sequence.paused_until is not None:
        # The end of a pause is a change of its own; what is due then is claimed by the next tick.
        over = now >= sequence.paused_until
        return step_resolved(shifted_by_pause(sequence, now), now) if over else sequence, ()
    if run.state in IN_FLIGHT or waits_for_person(run) or now < step_due_at(sequence, run):
        return sequence, ()
    return _due(sequence, run, tick=tick, now=now)


def _due(sequence: Run, run: StepRun, *, tick: events.Tick, now: datetime) -> Result:
    if tick.forbidden is not None:
        return end_run(sequence, SequenceStatus.STOPPED_EARLY, now=now, reason=tick.forbidden), ()
    if not tick.has_contact:
        return _without_contact(sequence, run, now), ()
    blocked = TEXT_MISSING if run.content is None else tick.blocked
    if blocked is not None:
        return step_resolved(with_run(sequence, grounded(run, StepState.HELD, reason=blocked)), now), ()
    if tick.unread is not None:
        waiting = grounded(run, StepState.HELD, reason=tick.unread, until=now + READ_AGAIN_AFTER)
        return step_resolved(with_run(sequence, waiting), now), ()
    if run.step.type is Channel.EMAIL:
        return _email(sequence, run, tick=tick, now=now)
    if run.step.type in TEXTED and tick.opens_at is not None and tick.opens_at > now:
        held = grounded(run, StepState.HELD, reason=OUTSIDE_CALLING_HOURS, until=tick.opens_at)
        return step_resolved(with_run(sequence, held), now), ()
    return step_resolved(with_run(sequence, grounded(run, StepState.OPEN)), now), ()


def _without_contact(sequence: Run, run: StepRun, now: datetime) -> Run:
    if run.step.policy.skip_step_if_no_contact:
        skipped = grounded(run, StepState.SKIPPED, reason=NO_ADDRESS)
        return step_resolved(with_run(sequence, skipped, anchor=now), now)
    return step_resolved(with_run(sequence, grounded(run, StepState.HELD, reason=NO_ADDRESS)), now)


def _email(sequence: Run, run: StepRun, *, tick: events.Tick, now: datetime) -> Result:
    if tick.opens_at is not None and tick.opens_at > now:
        held = grounded(run, StepState.HELD, reason=tick.opens_why or OUTSIDE_WINDOW, until=tick.opens_at)
        return step_resolved(with_run(sequence, held), now), ()
    claimed = grounded(run, StepState.CLAIMED)
    claimed = replace(claimed, lease=tick.lease, lease_expires_at=tick.lease_expires_at, server_reply=None)
    return step_resolved(with_run(sequence, claimed), now), (events.SendEmail(run.key, tick.lease),)


Result: TypeAlias = tuple[Run, tuple[events.Effect, ...]]

# Its own worker can also resolve an unknown e-mail: the server's reply, however late, is proof.
_BEYOND_RECALL = frozenset({StepState.HANDED_OVER, StepState.UNKNOWN})
_OPEN_OUTCOME = _BEYOND_RECALL | {StepState.CLAIMED}
_LEASE_LOST = "the program ended between the final dot and the server's answer"


def on_handed_over(sequence: Run, event: events.HandedToServer, now: datetime) -> Result:
    """Record that all but the final dot is written: from here on the e-mail may have been accepted."""
    run = _leased(sequence, event.lease, {StepState.CLAIMED})
    run = replace(run, state=StepState.HANDED_OVER, lease_expires_at=event.lease_expires_at)
    return with_run(sequence, run, updated_at=now), ()


def on_delivered(sequence: Run, event: events.Delivered, now: datetime) -> Result:
    """Record the server's acceptance and start the clock of the next step."""
    # UNKNOWN is accepted too: the lease expired while the worker was still waiting for the answer.
    run = _leased(sequence, event.lease, _BEYOND_RECALL)
    return _sent(sequence, replace(run, server_reply=event.reply), now), ()


def on_deferred(sequence: Run, event: events.Deferred, now: datetime) -> Result:
    """Put the e-mail back until the retry; where the sequence is over, there is none."""
    run = _answered(_leased(sequence, event.lease, _OPEN_OUTCOME), event.reply)
    if sequence.status not in LIVE:
        return _flight_cancelled(sequence, run, reason=event.reason, now=now), ()
    run = grounded(run, StepState.HELD, reason=event.reason, until=event.retry_at)
    return step_resolved(with_run(sequence, run), now), ()


def on_rejected_by_server(sequence: Run, event: events.Rejected, now: datetime) -> Result:
    """Fail the step and with it the sequence; never write to an address that does not exist again."""
    run = _answered(_leased(sequence, event.lease, _OPEN_OUTCOME), event.reply)
    run = grounded(run, StepState.FAILED, reason=event.reason)
    sequence = with_run(sequence, run, updated_at=now)
    if sequence.status in LIVE:
        sequence = end_run(sequence, SequenceStatus.FAILED, now=now, reason=event.reason)
    dead = event.bounced and run.recipient is not None
    return sequence, (events.SuppressAddress(run.recipient or "", event.reason),) if dead else ()


def on_lost(sequence: Run, event: events.Lost, now: datetime) -> Result:
    """Record that the outcome of the e-mail is unknown."""
    run = _answered(_leased(sequence, event.lease, _BEYOND_RECALL), event.reply)
    return _unknown(sequence, run, reason=event.reason, now=now), ()


def on_lease_expired(sequence: Run, run: StepRun, now: datetime) -> Run:
    """Return the run after a lease ended: unsent before the final dot, of unknown outcome after it."""
    if run.state is StepState.HANDED_OVER:
        return _unknown(sequence, run, reason=_LEASE_LOST, now=now)
    return step_resolved(with_run(sequence, grounded(run, StepState.PLANNED)), now)


def on_resolved(sequence: Run, event: events.OutcomeResolved, now: datetime) -> Result:
    """Record what a person found out: it was sent, or it was not and is due again."""
    run = find_step(sequence, event.key)
    if run.state is not StepState.UNKNOWN:
        raise events.conflict(
            sequence,
            f"This is {sequence.place_of(run)}, which is {run.state}: there is no unknown outcome to resolve.",
        )
    if event.sent:
        return _sent(sequence, run, now), ()
    if sequence.status not in LIVE:
        return _flight_cancelled(sequence, run, reason=run.reason, now=now), ()
    return step_resolved(with_run(sequence, grounded(run, StepState.PLANNED)), now), ()


def _leased(sequence: Run, lease: int, states: Container[StepState]) -> StepRun:
    for run in sequence.steps:
        if run.lease == lease and run.state in states:
            return run
    raise events.conflict(sequence, f"Lease {lease} no longer covers an e-mail of this sequence.")


def _answered(run: StepRun, reply: str) -> StepRun:
    return replace(run, server_reply=reply or None)


def _sent(sequence: Run, run: StepRun, now: datetime) -> Run:
    sequence = with_run(sequence, executed(run, StepState.SENT, now), anchor=now, updated_at=now)
    return step_resolved(sequence, now) if sequence.status in LIVE else sequence


def _unknown(sequence: Run, run: StepRun, *, reason: str, now: datetime) -> Run:
    run = replace(run, state=StepState.UNKNOWN, reason=reason, lease_expires_at=None)
    sequence = with_run(sequence, run, updated_at=now)
    return step_resolved(sequence, now) if sequence.status in LIVE else sequence


def _flight_cancelled(sequence: Run, run: StepRun, *, reason: str | None, now: datetime) -> Run:
    return with_run(sequence, grounded(run, StepState.CANCELLED, reason=reason), updated_at=now)


APPROVAL = "approval"
"""How the reason of a hold begins that a new approval of the whole plan ends."""

EDITED = "edited: this text waits for a person's approval"
"""The reason of a hold that only an approval of this very text ends."""

_PENDING = frozenset({StepState.PLANNED, StepState.HELD})


def on_approved(sequence: Run, event: events.PlanApproved, now: datetime) -> Result:
    """Start a sequence, or let go what a live one holds because the plan's approval was void."""
    if sequence.status is SequenceStatus.FOUND:
        return step_resolved(replace(_pause_from(sequence, now), anchor=_beginning(sequence, now)), now), ()
    steps = tuple(_released(run) if _waits_for_plan(run) else run for run in sequence.steps)
    return (sequence if steps == sequence.steps else step_resolved(replace(sequence, steps=steps), now)), ()


def _pause_from(sequence: Run, now: datetime) -> Run:
    """Return what starts now with the pause it waited under: counted from now, gone where its end has passed."""
    if sequence.paused_until is None or sequence.paused_until <= now:
        return replace(sequence, paused_since=None, paused_until=None)
    return replace(sequence, paused_since=now)


def _beginning(sequence: Run, now: datetime) -> datetime:
    """Return from when the first delay is counted: what goes on after an earlier run has waited already."""
    run = sequence.current
    goes_on = run is not None and run is not sequence.steps[0]
    return now - run.step.delay.duration() if run and goes_on and run.step.delay else now


def on_rejected(sequence: Run, event: events.PlanRejected, now: datetime) -> Result:
    """End what never started."""
    return end_run(sequence, SequenceStatus.REFUSED, now=now, reason=event.reason), ()


def on_paused(sequence: Run, event: events.Paused, now: datetime) -> Result:
    """Pause until an instant, or change that instant; a claimed e-mail goes back, one handed over cannot.

    What waits for its plan's approval goes on waiting, and once approved it starts paused.
    """
    if event.until <= now:
        raise InvalidArgumentsError(
            f"A pause has to end in the future; {event.until.isoformat()} is not.",
            next_step="Give a later time, or use resume_sequence to go on now.",
        )
    run = sequence.current
    if run is not None and run.state is StepState.CLAIMED:
        sequence = with_run(sequence, _released(run))
    since = sequence.paused_since or now
    if sequence.status is SequenceStatus.FOUND:
        return replace(sequence, paused_since=since, paused_until=event.until, updated_at=now), ()
    return step_resolved(replace(sequence, paused_since=since, paused_until=event.until), now), ()


def on_resumed(sequence: Run, event: events.Resumed, now: datetime) -> Result:
    """Go on now, in the status the current step calls for; before its plan's approval, wait for that alone."""
    if sequence.status is SequenceStatus.FOUND:
        if sequence.paused_until is None:
            raise events.conflict(
                sequence, "The sequence is not paused: it waits for a person's approval of its plan."
            )
        return replace(sequence, paused_since=None, paused_until=None, updated_at=now), ()
    return step_resolved(shifted_by_pause(sequence, now), now), ()


def on_stopped(sequence: Run, event: events.Stopped, now: datetime) -> Result:
    """End it because a person said so."""
    why = {"reason": event.why} if event.why else {}
    return end_run(sequence, SequenceStatus.STOPPED_EARLY, now=now, stop_reason=event.reason, **why), ()


def on_replied(sequence: Run, event: events.Replied, now: datetime) -> Result:
    """End it because the contact answered."""
    return end_run(sequence, SequenceStatus.SUCCEEDED, now=now, reason=event.reason), ()


def on_opted_out(sequence: Run, event: events.OptedOut, now: datetime) -> Result:
    """End it because the contact must not be contacted."""
    return end_run(sequence, SequenceStatus.STOPPED_EARLY, now=now, reason=event.reason), ()


def on_away(sequence: Run, event: events.Away, now: datetime) -> Result:
    """Wait until the contact is back; a pause that ends later stays.

    Unlike a pause that a person asks for it moves no delay: what came due meanwhile is due at its end.
    """
    if event.until <= max(now, sequence.paused_until or now):
        return sequence, ()
    run = sequence.current
    if run is not None and run.state is StepState.CLAIMED:
        sequence = with_run(sequence, _released(run))
    since = sequence.paused_since or event.until  # from then on no clock stands still
    return step_resolved(replace(sequence, paused_since=since, paused_until=event.until), now), ()


def on_returned(sequence: Run, event: events.Returned, now: datetime) -> Result:
    """End it because its e-mail's address does not exist; anything softer changes nothing."""
    run = find_step(sequence, event.key)
    if not event.hard or run.recipient is None:
        return sequence, ()
    dead = events.SuppressAddress(run.recipient, event.reason)
    if run.state in IN_FLIGHT:  # its worker still waits for the answer: the suppression ends it
        return sequence, (dead,)
    return end_run(sequence, SequenceStatus.FAILED, now=now, reason=event.reason), (dead,)


def on_held(sequence: Run, event: events.Held, now: datetime) -> Result:
    """Hold the next step that has not begun until a person approves it; a claimed e-mail goes back."""
    run = next((run for run in sequence.steps if run.state in _PENDING or run.state is StepState.CLAIMED), None)
    if run is None:
        return sequence, ()
    return step_resolved(with_run(sequence, grounded(run, StepState.HELD, reason=event.reason)), now), ()


def on_task_completed(sequence: Run, event: events.TaskCompleted, now: datetime) -> Result:
    """Record what became of a task, or that an invitation sent earlier was accepted."""
    run = find_step(sequence, event.key)
    accepted = event.outcome is TaskOutcome.ACCEPTED
    if accepted and not run.step.is_invitation:
        raise InvalidArgumentsError(
            f"This is {sequence.place_of(run)}, no invitation: it cannot be accepted.",
            next_step="Complete it with outcome done or skipped.",
        )
    if run.state is StepState.OPEN:
        return step_resolved(with_run(sequence, _completed(run, event.outcome, now), anchor=now), now), ()
    if accepted and run.state is StepState.DONE and run.accepted_at is None:
        return step_resolved(with_run(sequence, replace(run, accepted_at=now)), now), ()
    raise events.conflict(
        sequence, f"This is {sequence.place_of(run)}, which is {run.state}: there is no open task to complete."
    )


def on_rewritten(sequence: Run, event: events.Rewritten, now: datetime) -> Result:
    """Replace pending texts, all or none; in a live sequence each then waits for approval, unless it has it."""
    _require_steps(sequence, event)
    steps = tuple(
        _rewritten(sequence, run, event) if run.step.id in event.texts else run for run in sequence.steps
    )
    variables = sequence.variables if event.variables is None else event.variables
    findings = sequence.findings if event.findings is None else event.findings
    number = sequence.warnings if event.findings is None else len(findings)
    sequence = replace(
        sequence, steps=steps, variables=variables, updated_at=now, warnings=number, findings=findings
    )
    return (sequence if sequence.status is SequenceStatus.FOUND else step_resolved(sequence, now)), ()


def on_draft_approved(sequence: Run, event: events.DraftApproved, now: datetime) -> Result:
    """Let a text go that was held for a person."""
    run = find_step(sequence, event.key)
    if run.state is not StepState.HELD or not waits_for_person(run):
        raise events.conflict(
            sequence, f"This is {sequence.place_of(run)}, which is {run.state}: it does not wait for an approval."
        )
    return step_resolved(with_run(sequence, _released(run)), now), ()


def _released(run: StepRun) -> StepRun:
    return grounded(run, StepState.PLANNED)


def _waits_for_plan(run: StepRun) -> bool:
    return run.state is StepState.HELD and (run.reason or "").startswith(APPROVAL)


def _completed(run: StepRun, outcome: TaskOutcome, now: datetime) -> StepRun:
    if outcome is TaskOutcome.SKIPPED:
        return grounded(run, StepState.SKIPPED)
    accepted_at = now if outcome is TaskOutcome.ACCEPTED else None
    return executed(run, StepState.DONE, now, accepted_at=accepted_at)


def _rewritten(sequence: Run, run: StepRun, event: events.Rewritten) -> StepRun:
    if run.state not in _PENDING:
        raise events.conflict(
            sequence, f"This is {sequence.place_of(run)}, which is {run.state}: its text can no longer change."
        )
    subject, content = event.texts[run.step.id]
    generation = run.generation if run.content is None else run.generation + 1
    run = replace(
        run,
        subject=subject,
        content=content,
        generation=generation,
        same_as=event.same_as.get(run.step.id),
        message_id=None,
    )
    if sequence.status is SequenceStatus.FOUND:
        return run
    return _released(run) if run.step.id in event.approved else grounded(run, StepState.HELD, reason=EDITED)


def _require_steps(sequence: Run, event: events.Rewritten) -> None:
    unknown = sorted(set(event.texts) - {run.step.id for run in sequence.steps})
    if unknown:
        raise InvalidArgumentsError(
            f"The sequence has no step {', '.join(map(repr, unknown))}.",
            next_step=f"Its steps are {', '.join(repr(run.step.id) for run in sequence.steps)}.",
        )


_TRANSITIONS: Mapping[type[events.Event], Callable[[Run, Any, datetime], Result]] = {
    events.PlanApproved: on_approved,
    events.PlanRejected: on_rejected,
    events.Rewritten: on_rewritten,
    events.DraftApproved: on_draft_approved,
    events.TaskCompleted: on_task_completed,
    events.Paused: on_paused,
    events.Resumed: on_resumed,
    events.Stopped: on_stopped,
    events.Replied: on_replied,
    events.OptedOut: on_opted_out,
    events.Away: on_away,
    events.Returned: on_returned,
    events.Held: on_held,
    events.Tick: on_tick,
    events.HandedToServer: on_handed_over,
    events.Delivered: on_delivered,
    events.Deferred: on_deferred,
    events.Rejected: on_rejected_by_server,
    events.Lost: on_lost,
    events.OutcomeResolved: on_resolved,
}


def advance(sequence: Run, event: events.Event, now: datetime) -> Result:
    """Return the sequence after the event, and the effects for the caller to carry out.

    An event that changes nothing returns the very same sequence. Raises ConflictError, naming the status and the
    legal moves, for what the state forbids; InvalidArgumentsError for a naive time, a pause that ends in the past
    or a step that does not exist; NotFoundError for an unknown step key.
    """
    _require_aware(event, now)
    events.require_legal(sequence, event)
    return _TRANSITIONS[type(event)](sequence, event, now)


def _require_aware(event: events.Event, now: datetime) -> None:
    times = {"now": now} | {field.name: getattr(event, field.name) for field in fields(event)}
    naive = [name for name, value in times.items() if isinstance(value, datetime) and value.utcoffset() is None]
    if naive:
        raise InvalidArgumentsError(
            f"A time without its offset from UTC: {', '.join(naive)}.",
            next_step="Give it with an offset, for example 2026-11-21T09:30:00+01:00.",
        )
