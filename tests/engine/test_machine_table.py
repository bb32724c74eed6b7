"""Every pair of status and event: what the table allows happens, everything else is a conflict that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engine.sequence_builders import (
    active,
    after,
    after_events,
    claimed,
    delayed,
    email,
    handed_over,
    invitation,
    sequence,
    tick,
    ticked,
)

from sequences_mcp.domain.run import LIVE, TERMINAL, Run, SequenceStatus, StepState, StopReason, TaskOutcome
from sequences_mcp.engine import events as ev
from sequences_mcp.engine.events import LEGAL, legal_moves
from sequences_mcp.engine.machine import APPROVAL, advance, next_run_at
from sequences_mcp.errors import ConflictError

S = SequenceStatus
REWRITE = ev.Rewritten({"s1": ("New", "text")})

# Written down a second time on purpose, in the words of the design, so that a change of the table is a decision.
EXPECTED = {
    ev.PlanApproved: "FOUND ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.PlanRejected: "FOUND",
    ev.Rewritten: "FOUND ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Stopped: "FOUND ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.OptedOut: "FOUND ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Replied: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Away: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Returned: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Held: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Tick: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Paused: "FOUND ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.Resumed: "FOUND WAITING_FOR_LEAD",
    ev.TaskCompleted: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.DraftApproved: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD",
    ev.HandedToServer: "ACTIVE",
    ev.Delivered: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD STOPPED_EARLY SUCCEEDED",
    ev.Deferred: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD STOPPED_EARLY SUCCEEDED",
    ev.Rejected: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD STOPPED_EARLY SUCCEEDED",
    ev.Lost: "ACTIVE WAITING_FOR_USER WAITING_FOR_LEAD STOPPED_EARLY SUCCEEDED",
    ev.OutcomeResolved: "WAITING_FOR_USER WAITING_FOR_LEAD STOPPED_EARLY SUCCEEDED",
}


def unknown() -> Run:
    return after_events(handed_over(email(), email()), ev.Lost(1, "no answer"))


def task() -> Run:
    return ticked(active(invitation(), email()))


def held(reason: str) -> Run:
    return ticked(active(email(), email()), blocked=reason)


def paused(state: Run) -> Run:
    return after_events(state, ev.Paused(after(days=1)))


# For each legal pair a sequence, an event that is legal in its details too, and the status that follows.
DELIVERED, LOST, DEFERRED = (
    ev.Delivered(1, "250 ok"),
    ev.Lost(1, "gone"),
    ev.Deferred(1, "451 later", after(hours=1)),
)
REJECTED, DONE = ev.Rejected(1, "550 no", bounced=False), ev.TaskCompleted("K1", TaskOutcome.DONE)
STOP, REPLY, OPT_OUT = ev.Stopped(StopReason.LOSE), ev.Replied("yes"), ev.OptedOut("asked to")
PAUSE, EDITED, SENT = ev.Paused(after(days=2)), ev.DraftApproved("K1"), ev.OutcomeResolved("K1", sent=True)
AWAY, RETURNED, HELD = ev.Away(after(days=3)), ev.Returned("K1", hard=True, reason="no such user"), ev.Held("look")
TWO = (email(), email())
LATER = (delayed(1), email())
ACCEPTED = ev.TaskCompleted("K1", TaskOutcome.ACCEPTED)
INVITED = after_events(ticked(active(invitation(), delayed(1))), DONE)

LEGAL_MOVES: list[tuple[Run, ev.Event, SequenceStatus]] = [
    (sequence(*TWO), ev.PlanApproved(), S.ACTIVE),
    (sequence(*TWO), ev.PlanRejected("no"), S.REFUSED),
    (sequence(*TWO), REWRITE, S.FOUND),
    (sequence(*TWO), STOP, S.STOPPED_EARLY),
    (sequence(*TWO), OPT_OUT, S.STOPPED_EARLY),
    (sequence(*TWO), PAUSE, S.FOUND),
    (paused(sequence(*TWO)), PAUSE, S.FOUND),
    (paused(sequence(*TWO)), ev.Resumed(), S.FOUND),
    (paused(sequence(*TWO)), REWRITE, S.FOUND),
    (paused(sequence(*TWO)), ev.PlanApproved(), S.WAITING_FOR_LEAD),
    (paused(sequence(*TWO)), STOP, S.STOPPED_EARLY),
    (active(*TWO), ev.PlanApproved(), S.ACTIVE),
    (active(*LATER), REWRITE, S.WAITING_FOR_USER),
    (active(*TWO), STOP, S.STOPPED_EARLY),
    (active(*TWO), OPT_OUT, S.STOPPED_EARLY),
    (active(*TWO), REPLY, S.SUCCEEDED),
    (active(*TWO), tick(after()), S.ACTIVE),
    (active(*TWO), PAUSE, S.WAITING_FOR_LEAD),
    (active(*TWO), AWAY, S.WAITING_FOR_LEAD),
    (active(*TWO), RETURNED, S.FAILED),
    (active(*TWO), HELD, S.WAITING_FOR_USER),
    (task(), AWAY, S.WAITING_FOR_LEAD),
    (task(), RETURNED, S.FAILED),
    (task(), HELD, S.WAITING_FOR_USER),
    (paused(active(*TWO)), AWAY, S.WAITING_FOR_LEAD),
    (paused(active(*TWO)), RETURNED, S.FAILED),
    (paused(active(*TWO)), HELD, S.WAITING_FOR_LEAD),
    (INVITED, ACCEPTED, S.ACTIVE),
    (after_events(active(*TWO), ev.Rewritten({"s2": (None, "x")})), ev.DraftApproved("K2"), S.ACTIVE),
    (claimed(*TWO), ev.HandedToServer(1, after(minutes=11)), S.ACTIVE),
    (handed_over(*TWO), DELIVERED, S.ACTIVE),
    (handed_over(), DELIVERED, S.COMPLETED),
    (claimed(*TWO), DEFERRED, S.ACTIVE),
    (claimed(*TWO), REJECTED, S.FAILED),
    (handed_over(*TWO), LOST, S.WAITING_FOR_USER),
    (unknown(), SENT, S.ACTIVE),
    (held(APPROVAL), ev.PlanApproved(), S.ACTIVE),
    (held("a finding"), ev.PlanApproved(), S.WAITING_FOR_USER),
    (held("a finding"), REWRITE, S.WAITING_FOR_USER),
    (held("a finding"), EDITED, S.ACTIVE),
    (task(), STOP, S.STOPPED_EARLY),
    (task(), OPT_OUT, S.STOPPED_EARLY),
    (task(), REPLY, S.SUCCEEDED),
    (task(), tick(after(days=9)), S.WAITING_FOR_USER),
    (task(), PAUSE, S.WAITING_FOR_LEAD),
    (task(), DONE, S.ACTIVE),
    (unknown(), DELIVERED, S.ACTIVE),
    (unknown(), DEFERRED, S.ACTIVE),
    (unknown(), REJECTED, S.FAILED),
    (unknown(), LOST, S.WAITING_FOR_USER),
    (paused(held(APPROVAL)), ev.PlanApproved(), S.WAITING_FOR_LEAD),
    (paused(active(*TWO)), REWRITE, S.WAITING_FOR_LEAD),
    (paused(active(*TWO)), STOP, S.STOPPED_EARLY),
    (paused(active(*TWO)), OPT_OUT, S.STOPPED_EARLY),
    (paused(active(*TWO)), REPLY, S.SUCCEEDED),
    (paused(active(*TWO)), tick(after()), S.WAITING_FOR_LEAD),
    (paused(active(*TWO)), PAUSE, S.WAITING_FOR_LEAD),
    (paused(active(*TWO)), ev.Resumed(), S.ACTIVE),
    (paused(task()), ev.Resumed(), S.WAITING_FOR_USER),
    (paused(task()), DONE, S.WAITING_FOR_LEAD),
    (paused(held("a finding")), EDITED, S.WAITING_FOR_LEAD),
    (paused(handed_over(*TWO)), DELIVERED, S.WAITING_FOR_LEAD),
    (paused(handed_over()), DELIVERED, S.COMPLETED),
    (paused(handed_over(*TWO)), DEFERRED, S.WAITING_FOR_LEAD),
    (paused(handed_over(*TWO)), REJECTED, S.FAILED),
    (paused(handed_over(*TWO)), LOST, S.WAITING_FOR_LEAD),
    (paused(unknown()), SENT, S.WAITING_FOR_LEAD),
    *[
        (after_events(handed_over(*TWO), end), report, status)
        for end, status in ((STOP, S.STOPPED_EARLY), (REPLY, S.SUCCEEDED))
        for report in (DELIVERED, DEFERRED, REJECTED, LOST, SENT)
    ],
]


def in_status(status: SequenceStatus) -> Run:
    return replace(sequence(*TWO), status=status)


def named(value: object) -> str | None:
    if isinstance(value, Run):
        return "-".join([value.status, *(run.state for run in value.steps)])
    return type(value).__name__ if not isinstance(value, SequenceStatus) else str(value)


@pytest.mark.parametrize(("state", "event", "follows"), LEGAL_MOVES, ids=named)
def test_a_legal_event_leads_to_the_status_of_the_design(
    state: Run, event: ev.Event, follows: SequenceStatus
) -> None:
    now = after(days=9) if isinstance(event, ev.Tick) and state.status is S.WAITING_FOR_USER else after()
    assert advance(state, event, now)[0].status is follows


def test_the_cases_above_cover_every_pair_of_the_table() -> None:
    covered = {(type(event), state.status) for state, event, _ in LEGAL_MOVES}
    assert covered == {(event, status) for event, statuses in LEGAL.items() for status in statuses}


def test_the_table_is_the_one_decided() -> None:
    assert {event: " ".join(sorted(row)) for event, row in LEGAL.items()} == {
        event: " ".join(sorted(row.split())) for event, row in EXPECTED.items()
    }


ILLEGAL = [
    (in_status(status), event)
    for event in {type(event): event for _, event, _ in LEGAL_MOVES}.values()
    for status in S
    if status not in LEGAL[type(event)]
]


@pytest.mark.parametrize(("state", "event"), ILLEGAL, ids=named)
def test_any_other_event_is_a_conflict_that_names_status_and_moves(state: Run, event: ev.Event) -> None:
    with pytest.raises(ConflictError, match=f"Its status is {state.status}") as caught:
        advance(state, event, after())
    assert caught.value.data["legal_moves"] == list(legal_moves(state.status))
    assert all(tool in caught.value.next_step for tool in legal_moves(state.status))


def test_the_moves_named_to_a_caller_are_the_tools_that_work_then() -> None:
    found = ("list_reviews", "edit_draft", "update_sequence", "pause_sequence")
    assert legal_moves(S.FOUND) == (*found, "stop_sequence")
    assert legal_moves(S.FOUND, is_paused=True) == (*found, "resume_sequence", "stop_sequence")
    live = ("complete_task", "edit_draft", "update_sequence", "pause_sequence")
    assert legal_moves(S.ACTIVE) == legal_moves(S.WAITING_FOR_USER) == (*live, "stop_sequence")
    assert legal_moves(S.WAITING_FOR_LEAD) == (*live, "resume_sequence", "stop_sequence")
    assert {legal_moves(status) for status in TERMINAL} == {()}


@pytest.mark.parametrize(("state", "event", "follows"), LEGAL_MOVES, ids=named)
def test_a_sequence_is_never_stuck_and_never_runs_after_its_end(
    state: Run, event: ev.Event, follows: SequenceStatus
) -> None:
    moved, _ = advance(state, event, after(minutes=1))
    run, due = moved.current, next_run_at(moved)
    assert (due is not None) == (moved.status in {S.ACTIVE, S.WAITING_FOR_LEAD})
    if moved.status in LIVE:
        assert run is not None
    else:
        assert moved.status is S.FOUND or run is None or run.state is StepState.UNKNOWN
