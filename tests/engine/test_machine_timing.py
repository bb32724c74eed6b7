"""When steps are due, and what pauses do to that."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.engine.sequence_builders import (
    SETTLED,
    START,
    active,
    after,
    after_events,
    claimed,
    delayed,
    email,
    handed_over,
    invitation,
    sent,
    sequence,
    skipping,
    tick,
    ticked,
)

from sequences_mcp.domain.run import Run, SequenceStatus, StepState, TaskOutcome
from sequences_mcp.engine.events import (
    Deferred,
    Delivered,
    Event,
    HandedToServer,
    Paused,
    PlanApproved,
    Resumed,
    TaskCompleted,
    Tick,
)
from sequences_mcp.engine.machine import advance, next_run_at
from sequences_mcp.errors import InvalidArgumentsError

INVITED, ACCEPTED = TaskCompleted("K1", TaskOutcome.DONE), TaskCompleted("K1", TaskOutcome.ACCEPTED)
SKIPPED = TaskCompleted("K1", TaskOutcome.SKIPPED)


def invited(*steps: dict[str, object]) -> Run:
    return after_events(ticked(active(*steps)), INVITED)


def test_a_first_step_is_due_at_the_yes_not_at_the_plan() -> None:
    state = after_events(sequence(email()), PlanApproved(), now=after(hours=3))
    assert next_run_at(state) == after(hours=3)


def test_a_delay_counts_from_when_the_step_before_was_executed() -> None:
    state = sent(active(email(), delayed(3)), after(hours=5))
    assert next_run_at(state) == after(days=3, hours=5)


@pytest.mark.parametrize("now", [START, after(days=2, hours=23)])
def test_a_tick_before_anything_is_due_returns_the_very_same_sequence(now: datetime) -> None:
    state = sent(active(email(), delayed(3)), START)
    assert advance(state, tick(now), now) == (state, ())
    assert advance(state, tick(now), now)[0] is state


@pytest.mark.parametrize(
    ("own", "asking", "days"), [(None, None, 14), (5, None, 5), (None, 7, 7), (5, 7, 5)], ids=str
)
def test_an_invitation_times_out_by_its_own_policy_or_the_asking_steps(
    own: int | None, asking: int | None, days: int
) -> None:
    first = invitation(**skipping(invite_timeout_days=own))
    state = invited(first, email(**SETTLED, **skipping(invite_timeout_days=asking)))
    assert next_run_at(state) == after(days=days)


def test_an_accepted_invitation_lets_the_next_step_go_at_once() -> None:
    state = after_events(invited(invitation(), email(**SETTLED)), ACCEPTED, now=after(days=2))
    assert next_run_at(state) == after(days=2)


def test_an_invitation_accepted_after_its_timeout_changes_nothing() -> None:
    state = after_events(invited(invitation(), email(**SETTLED)), ACCEPTED, now=after(days=20))
    assert next_run_at(state) == after(days=14)


def test_a_task_can_be_completed_as_accepted_in_one_go() -> None:
    state = after_events(ticked(active(invitation(), email(**SETTLED))), ACCEPTED, now=after(days=1))
    assert state.steps[0].state is StepState.DONE
    assert next_run_at(state) == after(days=1)


def test_a_skipped_invitation_is_settled_at_once() -> None:
    state = after_events(ticked(active(invitation(), email(**SETTLED))), SKIPPED, now=after(days=1))
    assert next_run_at(state) == after(days=1)
    assert state.steps[0].executed_at is None


def test_waiting_for_an_invitation_counts_from_it_also_with_a_step_between() -> None:
    state = sent(invited(invitation(), delayed(3), email(**SETTLED)), after(days=3))
    assert next_run_at(state) == after(days=14)


def test_a_step_never_comes_before_the_one_in_front_of_it() -> None:
    state = after_events(invited(invitation(), delayed(20), email(**SETTLED)), ACCEPTED, now=after(days=1))
    assert next_run_at(sent(state, after(days=20))) == after(days=20)


def test_a_step_skipped_for_want_of_an_address_keeps_the_rhythm() -> None:
    state = ticked(
        active(delayed(3, **skipping(skip_step_if_no_contact=True)), delayed(3)), after(days=3), has_contact=False
    )
    assert state.steps[0].state is StepState.SKIPPED
    assert next_run_at(state) == after(days=6)


def pause(state: Run, *, at: datetime, until: datetime) -> Run:
    return after_events(state, Paused(until), now=at)


@pytest.mark.parametrize(
    "resumption", [Resumed(), Tick(lease=9, lease_expires_at=after(days=4))], ids=["a person", "time"]
)
def test_delays_stand_still_during_a_pause(resumption: Event) -> None:
    state = pause(active(delayed(3)), at=after(days=1), until=after(days=3))
    assert next_run_at(state) == after(days=3)
    state = after_events(state, resumption, now=after(days=3))
    assert (state.status, next_run_at(state)) == (SequenceStatus.ACTIVE, after(days=5))


def test_resuming_early_moves_by_the_time_really_paused() -> None:
    state = pause(active(delayed(3)), at=after(days=1), until=after(days=30))
    assert next_run_at(after_events(state, Resumed(), now=after(days=2))) == after(days=4)


def test_a_pause_that_ended_unnoticed_moves_delays_to_its_end_only() -> None:
    state = pause(active(delayed(3)), at=after(days=1), until=after(days=2))
    assert next_run_at(ticked(state, after(days=9))) == after(days=4)


def test_an_invitations_timeout_stands_still_during_a_pause() -> None:
    state = pause(invited(invitation(), email(**SETTLED)), at=after(days=1), until=after(days=8))
    assert next_run_at(ticked(state, after(days=8))) == after(days=21)


def test_a_second_pause_adds_to_the_first() -> None:
    state = pause(invited(invitation(), email(**SETTLED)), at=after(days=1), until=after(days=2))
    state = pause(ticked(state, after(days=2)), at=after(days=3), until=after(days=5))
    assert next_run_at(ticked(state, after(days=5))) == after(days=17)


def test_extending_a_pause_counts_from_its_beginning() -> None:
    state = pause(active(delayed(3)), at=after(days=1), until=after(days=2))
    state = pause(state, at=after(days=1, hours=6), until=after(days=5))
    assert next_run_at(ticked(state, after(days=5))) == after(days=7)


def test_what_was_due_before_a_pause_is_due_at_its_end() -> None:
    state = pause(active(email()), at=after(days=1), until=after(days=3))
    state = ticked(state, after(days=3))
    due = next_run_at(state)
    assert due is not None
    assert due <= after(days=3)
    assert ticked(state, after(days=3)).steps[0].state is StepState.CLAIMED


def test_a_clock_that_starts_during_a_pause_starts_at_its_end() -> None:
    state = pause(handed_over(email(), delayed(2)), at=after(minutes=1), until=after(days=3))
    state = after_events(state, Delivered(1, "250 ok"), now=after(minutes=5))
    assert state.status is SequenceStatus.WAITING_FOR_LEAD
    assert next_run_at(ticked(state, after(days=3))) == after(days=5)


def test_a_hold_until_an_instant_is_wall_clock_time_and_does_not_move() -> None:
    opening = after(days=5)
    state = pause(ticked(active(email()), opens_at=opening), at=after(days=1), until=after(days=2))
    assert next_run_at(ticked(state, after(days=2))) == opening


def test_a_pause_has_to_end_in_the_future() -> None:
    with pytest.raises(InvalidArgumentsError, match="has to end in the future"):
        after_events(active(email()), Paused(START))


def test_an_e_mail_past_the_dot_is_watched_during_a_pause() -> None:
    state = pause(handed_over(), at=after(minutes=1), until=after(days=3))
    assert next_run_at(state) == after(minutes=11)
    state = ticked(state, after(minutes=11))
    assert (state.status, state.steps[0].state) == (SequenceStatus.WAITING_FOR_LEAD, StepState.UNKNOWN)
    assert ticked(state, after(days=3)).status is SequenceStatus.WAITING_FOR_USER


NAIVE = START.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("event", "now"),
    [
        (Resumed(), NAIVE),
        (Paused(NAIVE), START),
        (Tick(lease=1, lease_expires_at=NAIVE), START),
        (Tick(lease=1, lease_expires_at=START, opens_at=NAIVE), START),
        (HandedToServer(1, NAIVE), START),
        (Deferred(1, "later", NAIVE), START),
    ],
    ids=["now", "pause", "lease", "window", "handed over", "retry"],
)
def test_a_naive_time_is_refused_wherever_it_comes_in(event: Event, now: datetime) -> None:
    with pytest.raises(InvalidArgumentsError, match="without its offset from UTC"):
        advance(claimed(), event, now)


def test_times_of_any_offset_are_compared_as_instants() -> None:
    from zoneinfo import ZoneInfo

    tokyo = (START + timedelta(minutes=1)).astimezone(ZoneInfo("Asia/Tokyo"))
    assert next_run_at(pause(active(email()), at=START, until=tokyo)) == after(minutes=1)
