"""What people do: edits, approvals, tasks, contacts without an address, and the words they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engine.sequence_builders import (
    SETTLED,
    active,
    after,
    after_events,
    claimed,
    delayed,
    email,
    handed_over,
    invitation,
    sequence,
    skipping,
    tick,
    ticked,
)

from sequences_mcp.domain.run import Run, SequenceStatus, StepState, StopReason, TaskOutcome
from sequences_mcp.engine import events as ev
from sequences_mcp.engine.machine import APPROVAL, EDITED, NO_ADDRESS, advance, next_run_at
from sequences_mcp.engine.sequences import run_outlook
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError

S = SequenceStatus
STOP = ev.Stopped(StopReason.WIN)


def rewritten(step: str = "s1") -> ev.Rewritten:
    return ev.Rewritten({step: ("New subject", "New text")})


def test_a_text_edited_before_the_start_is_a_new_generation_and_waits_for_the_plan_alone() -> None:
    run = after_events(sequence(email()), rewritten()).steps[0]
    assert (run.content, run.generation, run.state) == ("New text", 1, StepState.PLANNED)


def test_the_first_text_of_a_step_written_per_contact_is_its_first_generation() -> None:
    from dataclasses import replace

    state = sequence(email())
    state = replace(state, steps=(replace(state.steps[0], content=None),))
    assert after_events(state, rewritten()).steps[0].generation == 0


def test_a_text_edited_in_a_live_sequence_waits_for_its_own_approval_and_keeps_its_time() -> None:
    state = after_events(active(delayed(3)), rewritten())
    run = state.steps[0]
    assert (run.state, run.reason, run.generation) == (StepState.HELD, EDITED, 1)
    assert (state.status, next_run_at(state)) == (S.WAITING_FOR_USER, None)
    state = after_events(state, ev.DraftApproved("K1"), now=after(days=1))
    assert (state.status, next_run_at(state)) == (S.ACTIVE, after(days=3))


def test_a_later_text_may_be_edited_while_the_step_before_it_goes_out() -> None:
    state = after_events(handed_over(email(), email()), rewritten("s2"))
    assert state.status is S.ACTIVE
    assert after_events(state, ev.Delivered(1, "250 ok")).status is S.WAITING_FOR_USER


def test_approving_the_plan_again_releases_what_waits_for_it_and_not_an_edited_text() -> None:
    state = ticked(active(email(), email()), blocked=f"{APPROVAL} is void: the window changed")
    state = after_events(state, rewritten("s2"), ev.PlanApproved())
    assert [run.state for run in state.steps] == [StepState.PLANNED, StepState.HELD]
    assert state.status is S.ACTIVE


@pytest.mark.parametrize(
    "state",
    [claimed(), handed_over(), after_events(handed_over(), ev.Lost(1, "gone")), ticked(active(invitation()))],
    ids=lambda state: state.steps[0].state,
)
def test_a_text_that_may_have_been_seen_can_no_longer_change(state: Run) -> None:
    with pytest.raises(ConflictError, match="can no longer change"):
        advance(state, rewritten(), after())


def test_one_text_that_cannot_change_keeps_all_from_changing() -> None:
    state = claimed(email(), email())
    both = ev.Rewritten({"s1": (None, "a"), "s2": (None, "b")})
    with pytest.raises(ConflictError):
        advance(state, both, after())


def test_an_edit_of_a_step_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(InvalidArgumentsError, match="no step 's9'") as caught:
        advance(sequence(email(), email()), rewritten("s9"), after())
    assert "'s1', 's2'" in caught.value.next_step


def test_variables_are_replaced_with_the_texts_or_kept_when_not_given() -> None:
    state = after_events(sequence(email()), ev.Rewritten({}, {"firstname": "Bob"}))
    assert after_events(state, rewritten()).variables == {"firstname": "Bob"}


def test_a_text_that_is_not_held_for_a_person_cannot_be_approved_alone() -> None:
    held_by_window = ticked(active(email()), opens_at=after(hours=1))
    for state in (active(email()), held_by_window):
        with pytest.raises(ConflictError, match="does not wait for an approval"):
            advance(state, ev.DraftApproved("K1"), after())


def test_a_due_step_of_another_channel_is_a_task_for_a_person() -> None:
    state = ticked(active(invitation(), email()), opens_at=after(hours=9))
    assert (state.steps[0].state, state.status) == (StepState.OPEN, S.WAITING_FOR_USER)


def test_a_task_done_starts_the_clock_of_the_next_step() -> None:
    state = after_events(
        ticked(active(invitation(), delayed(2))), ev.TaskCompleted("K1", TaskOutcome.DONE), now=after(days=1)
    )
    assert (state.status, next_run_at(state)) == (S.ACTIVE, after(days=3))


def test_only_an_invitation_can_be_accepted() -> None:
    from sequences_mcp.domain.blueprint import Channel

    state = ticked(active(email(type=Channel.SMS, subject=None)))
    with pytest.raises(InvalidArgumentsError, match="no invitation"):
        advance(state, ev.TaskCompleted("K1", TaskOutcome.ACCEPTED), after())


@pytest.mark.parametrize("outcome", TaskOutcome)
def test_a_task_is_completed_once(outcome: TaskOutcome) -> None:
    state = after_events(ticked(active(invitation(), delayed(1))), ev.TaskCompleted("K1", TaskOutcome.ACCEPTED))
    with pytest.raises(ConflictError, match="no open task"):
        advance(state, ev.TaskCompleted("K1", outcome), after())


def test_an_unknown_task_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="no step with the key K9"):
        advance(active(email()), ev.TaskCompleted("K9", TaskOutcome.DONE), after())


def test_a_contact_without_an_address_holds_the_step_for_a_person_unless_it_may_be_skipped() -> None:
    held = ticked(active(email()), has_contact=False)
    assert (held.steps[0].state, held.steps[0].reason) == (StepState.HELD, NO_ADDRESS)
    assert held.status is S.WAITING_FOR_USER
    skipped = ticked(active(email(**skipping(skip_step_if_no_contact=True))), has_contact=False)
    assert (skipped.steps[0].state, skipped.status) == (StepState.SKIPPED, S.COMPLETED)


def test_a_stop_records_its_reason_and_cancels_what_had_not_happened() -> None:
    state = after_events(ticked(active(invitation(), email())), STOP)
    assert (state.status, state.stop_reason) == (S.STOPPED_EARLY, StopReason.WIN)
    assert {run.state for run in state.steps} == {StepState.CANCELLED}


def test_a_sequence_that_ends_is_no_longer_paused() -> None:
    state = after_events(active(email()), ev.Paused(after(days=1)), STOP)
    assert (state.paused_since, state.paused_until) == (None, None)


def test_a_start_without_steps_is_complete_rather_than_stuck() -> None:
    assert after_events(sequence(), ev.PlanApproved()).status is S.COMPLETED


INVITED = after_events(ticked(active(invitation(), email(**SETTLED))), ev.TaskCompleted("K1", TaskOutcome.DONE))
OUTLOOKS = {
    "found": (sequence(email()), None, "approval of its plan"),
    "due": (active(email()), 0, "is due now"),
    "delayed": (active(delayed(2)), 2, "delay of 2 days after the previous step"),
    "one day": (active(delayed(1)), 1, "delay of 1 day after"),
    "invitation": (INVITED, 14, "until the invitation is accepted or times out"),
    "window": (ticked(active(email()), opens_at=after(days=1)), 1, "held: outside the sending window"),
    "blocked": (ticked(active(email()), blocked="a finding"), None, "held: a finding"),
    "task": (ticked(active(invitation())), None, "a task for a person; complete_task"),
    "in flight": (handed_over(), 0, "is being sent"),
    "unknown": (after_events(handed_over(), ev.Lost(1, "no answer")), None, "may or may not have been delivered"),
    "paused": (after_events(active(delayed(2)), ev.Paused(after(days=5))), 5, "paused until 2026-"),
    "stopped": (after_events(active(email()), STOP), None, "over: it was stopped"),
    "cut short": (after_events(handed_over(), STOP), None, "whether 'Step 1' was delivered is unknown"),
    "opted out": (after_events(active(email()), ev.OptedOut("asked to")), None, "over: asked to"),
}


@pytest.mark.parametrize(("state", "days", "words"), OUTLOOKS.values(), ids=OUTLOOKS.keys())
def test_the_outlook_says_what_happens_next_and_why_it_waits(state: Run, days: int | None, words: str) -> None:
    found = run_outlook(state, after())
    assert words in found.why
    assert found.next_at == (None if days is None else after(days=days))


def test_the_outlook_never_promises_something_in_the_past() -> None:
    assert run_outlook(active(email()), after(days=3)).next_at == after(days=3)


def test_what_was_paused_before_the_yes_starts_paused_and_goes_on_by_itself() -> None:
    state = after_events(sequence(delayed(2), email()), ev.Paused(after(days=5)))
    assert (state.status, next_run_at(state)) == (S.FOUND, None)
    assert "paused: after the approval nothing leaves before 2026-" in run_outlook(state, after()).why
    started, effects = advance(state, ev.PlanApproved(), after(days=1))
    assert (started.status, started.paused_until, effects) == (S.WAITING_FOR_LEAD, after(days=5), ())
    assert next_run_at(started) == after(days=5)
    going, _ = advance(started, tick(after(days=5)), after(days=5))
    assert (going.status, next_run_at(going)) == (S.ACTIVE, after(days=7))


def test_a_pause_that_ended_before_the_yes_holds_nothing_back() -> None:
    state = after_events(sequence(email()), ev.Paused(after(days=1)))
    started, _ = advance(state, ev.PlanApproved(), after(days=2))
    assert (started.status, started.paused_until) == (S.ACTIVE, None)
    assert "paused" not in run_outlook(state, after(days=2)).why


def test_resuming_before_the_yes_takes_the_pause_away_and_starts_nothing() -> None:
    state = after_events(sequence(email()), ev.Paused(after(days=5)))
    resumed, effects = advance(state, ev.Resumed(), after(days=1))
    assert (resumed.status, resumed.paused_until, effects) == (S.FOUND, None, ())
    assert next_run_at(resumed) is None
    with pytest.raises(ConflictError, match="not paused: it waits for a person's approval"):
        advance(resumed, ev.Resumed(), after(days=1))


def test_what_had_waited_before_its_yes_is_due_at_the_end_of_the_pause_and_no_later() -> None:
    done = replace(sequence(email(), delayed(3)).steps[0], state=StepState.SENT)
    again = sequence(email(), delayed(3))
    state = after_events(replace(again, steps=(done, *again.steps[1:])), ev.Paused(after(days=9)))
    started, _ = advance(state, ev.PlanApproved(), after(days=4))
    going, _ = advance(started, tick(after(days=9)), after(days=9))
    assert next_run_at(going) == after(days=9)
