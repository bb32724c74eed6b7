"""An e-mail's way from its claim to its fate, and who may say what about it."""

from __future__ import annotations

import pytest
from tests.engine.sequence_builders import (
    active,
    after,
    after_events,
    claimed,
    delayed,
    email,
    handed_over,
    sent,
    tick,
    ticked,
)

from sequences_mcp.domain.run import Run, SequenceStatus, StepState, StopReason
from sequences_mcp.engine import events as ev
from sequences_mcp.engine.events import SendEmail, SuppressAddress
from sequences_mcp.engine.machine import OUTSIDE_WINDOW, TEXT_MISSING, advance, next_run_at
from sequences_mcp.errors import ConflictError

S = SequenceStatus
STOP = ev.Stopped(StopReason.LOSE)
PAUSE = ev.Paused(after(days=2))
DELIVERED = ev.Delivered(1, "250 2.0.0 queued as 4Xy")


def first(state: Run) -> StepState:
    return state.steps[0].state


def test_a_due_e_mail_is_claimed_and_asked_to_be_sent() -> None:
    state, effects = advance(active(email()), tick(after(), lease=7), after())
    assert (first(state), state.steps[0].lease) == (StepState.CLAIMED, 7)
    assert effects == (SendEmail("K1", 7),)
    assert next_run_at(state) == after(minutes=2)


def test_an_accepted_e_mail_is_sent_with_the_servers_words() -> None:
    state = after_events(handed_over(email(), email()), DELIVERED, now=after(minutes=3))
    run = state.steps[0]
    assert (run.state, run.server_reply) == (StepState.SENT, DELIVERED.reply)
    assert run.executed_at == after(minutes=3)
    assert run.lease is None
    assert state.status is S.ACTIVE


def test_the_last_acceptance_completes_the_sequence() -> None:
    state = sent(sent(active(email(), delayed(1)), after()), after(days=1))
    assert (state.status, next_run_at(state)) == (S.COMPLETED, None)


def test_a_claim_whose_worker_died_before_the_dot_is_due_again() -> None:
    state = ticked(claimed(), after(minutes=2), lease=2)
    assert (first(state), state.steps[0].lease) == (StepState.PLANNED, None)
    assert ticked(state, after(minutes=2), lease=2).steps[0].lease == 2


def test_a_worker_that_died_after_the_dot_leaves_an_unknown_that_is_never_resent_by_itself() -> None:
    state = ticked(handed_over(), after(minutes=11))
    assert (first(state), state.status, next_run_at(state)) == (StepState.UNKNOWN, S.WAITING_FOR_USER, None)
    assert advance(state, tick(after(days=99)), after(days=99)) == (state, ())


@pytest.mark.parametrize(
    "report",
    [
        ev.HandedToServer(2, after(minutes=11)),
        ev.Delivered(2, "250 ok"),
        ev.Deferred(2, "451 later", after(hours=1)),
        ev.Rejected(2, "550 no", bounced=True),
        ev.Lost(2, "gone"),
    ],
    ids=lambda report: type(report).__name__,
)
@pytest.mark.parametrize("state", [claimed(), handed_over(), active(email())], ids=lambda state: first(state))
def test_a_report_under_another_lease_is_refused(state: Run, report: ev.Event) -> None:
    with pytest.raises(ConflictError, match="Lease 2 no longer covers"):
        advance(state, report, after(minutes=1))


@pytest.mark.parametrize("end", [PAUSE, STOP, ev.OptedOut("asked to"), ev.Replied("yes")], ids=str)
def test_no_e_mail_passes_the_dot_once_a_person_paused_or_ended_the_sequence(end: ev.Event) -> None:
    state = after_events(claimed(), end)
    assert first(state) is (StepState.PLANNED if end is PAUSE else StepState.CANCELLED)
    with pytest.raises(ConflictError):
        advance(state, ev.HandedToServer(1, after(minutes=11)), after())


def test_an_e_mail_is_handed_over_once() -> None:
    with pytest.raises(ConflictError):
        advance(handed_over(), ev.HandedToServer(1, after(minutes=11)), after())


@pytest.mark.parametrize("report", [DELIVERED, ev.Lost(1, "gone")], ids=["delivered", "lost"])
def test_nothing_is_delivered_or_lost_before_it_was_handed_over(report: ev.Event) -> None:
    with pytest.raises(ConflictError):
        advance(claimed(), report, after())


@pytest.mark.parametrize(
    ("report", "becomes"),
    [
        (DELIVERED, StepState.SENT),
        (ev.Deferred(1, "451 later", after(hours=1)), StepState.CANCELLED),
        (ev.Rejected(1, "550 no", bounced=False), StepState.FAILED),
        (ev.Lost(1, "gone"), StepState.UNKNOWN),
        (ev.OutcomeResolved("K1", sent=True), StepState.SENT),
        (ev.OutcomeResolved("K1", sent=False), StepState.CANCELLED),
    ],
    ids=lambda value: str(value),
)
def test_an_e_mail_beyond_recall_when_a_person_stopped_is_still_accounted_for(
    report: ev.Event, becomes: StepState
) -> None:
    stopped = after_events(handed_over(email(), email()), STOP)
    assert [run.state for run in stopped.steps] == [StepState.UNKNOWN, StepState.CANCELLED]
    state = after_events(stopped, report, now=after(minutes=2))
    assert (first(state), state.status, next_run_at(state)) == (becomes, S.STOPPED_EARLY, None)


def test_a_deferred_e_mail_waits_for_its_retry_and_says_why() -> None:
    state = after_events(handed_over(), ev.Deferred(1, "451 greylisted", after(minutes=5)))
    run = state.steps[0]
    assert (run.state, run.reason, run.lease) == (StepState.HELD, "451 greylisted", None)
    assert (state.status, next_run_at(state)) == (S.ACTIVE, after(minutes=5))
    again = ticked(state, after(minutes=5), lease=2)
    assert (first(again), again.steps[0].reason, again.steps[0].until) == (StepState.CLAIMED, None, None)


@pytest.mark.parametrize("bounced", [True, False])
def test_a_refusal_for_good_fails_the_sequence_and_a_bounce_suppresses_the_address(bounced: bool) -> None:
    state, effects = advance(claimed(email(), email()), ev.Rejected(1, "550 no", bounced=bounced), after())
    assert (state.status, state.reason) == (S.FAILED, "550 no")
    assert [run.state for run in state.steps] == [StepState.FAILED, StepState.CANCELLED]
    assert effects == ((SuppressAddress("bob@example.org", "550 no"),) if bounced else ())


def test_its_own_worker_may_come_back_with_proof_for_an_unknown_e_mail() -> None:
    state = after_events(ticked(handed_over(), after(minutes=11)), DELIVERED, now=after(minutes=12))
    assert first(state) is StepState.SENT


def test_a_person_settles_an_unknown_as_sent_or_lets_it_go_again() -> None:
    unknown = after_events(handed_over(email(), delayed(1)), ev.Lost(1, "no answer"))
    assert next_run_at(after_events(unknown, ev.OutcomeResolved("K1", sent=True), now=after(hours=1))) == after(
        days=1, hours=1
    )
    again = after_events(unknown, ev.OutcomeResolved("K1", sent=False), now=after(hours=1))
    assert (first(again), again.steps[0].generation, again.status) == (StepState.PLANNED, 0, S.ACTIVE)
    due = next_run_at(again)
    assert due is not None
    assert due <= after(hours=1)


def test_after_a_person_decided_the_old_worker_has_nothing_more_to_say() -> None:
    unknown = after_events(handed_over(), ev.Lost(1, "no answer"), ev.OutcomeResolved("K1", sent=False))
    with pytest.raises(ConflictError):
        advance(unknown, DELIVERED, after())


def test_only_an_unknown_outcome_can_be_settled() -> None:
    waiting = ticked(active(email()), blocked="a finding")
    with pytest.raises(ConflictError, match="no unknown outcome"):
        advance(waiting, ev.OutcomeResolved("K1", sent=True), after())


def test_outside_the_window_an_e_mail_is_held_until_it_opens_and_the_sequence_stays_active() -> None:
    state, effects = advance(active(email()), tick(after(), opens_at=after(hours=5)), after())
    assert (first(state), state.steps[0].reason, effects) == (StepState.HELD, OUTSIDE_WINDOW, ())
    assert (state.status, next_run_at(state)) == (S.ACTIVE, after(hours=5))
    assert first(ticked(state, after(hours=5))) is StepState.CLAIMED


def test_what_is_blocked_waits_for_a_person_without_an_end() -> None:
    state = ticked(active(email()), blocked="placeholders: [company]")
    assert (first(state), state.steps[0].reason) == (StepState.HELD, "placeholders: [company]")
    assert (state.status, next_run_at(state)) == (S.WAITING_FOR_USER, None)


def test_what_is_forbidden_ends_the_sequence_with_the_reason() -> None:
    state = ticked(active(email(), email()), forbidden="suppressed: asked to")
    assert (state.status, state.reason) == (S.STOPPED_EARLY, "suppressed: asked to")
    assert {run.state for run in state.steps} == {StepState.CANCELLED}


def test_an_e_mail_whose_text_is_missing_is_never_claimed() -> None:
    from dataclasses import replace

    state = active(email())
    state = ticked(replace(state, steps=(replace(state.steps[0], content=None),)))
    assert (first(state), state.steps[0].reason) == (StepState.HELD, TEXT_MISSING)
