"""The little machine behind the vendors, as properties of whole lives."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.world.vendors import START

from sequences_sandbox.runs import (
    RunState,
    SandboxRun,
    Touch,
    accepted,
    advance_run,
    due_at,
    is_waiting_for_acceptance,
    paused,
    released,
    resumed,
    started,
)

HOURS = st.integers(min_value=0, max_value=300)
TOUCHES = st.lists(
    st.builds(
        Touch,
        id=st.just("t"),
        kind=st.just("EMAIL"),
        wait=HOURS.map(lambda hours: timedelta(hours=hours)),
        block=st.sampled_from([None, None, "manual"]),
        skip=st.booleans(),
    ),
    max_size=5,
).map(tuple)


def after(hours: float) -> timedelta:
    return timedelta(hours=hours)


@given(TOUCHES, HOURS, HOURS)
def test_advancing_in_two_steps_is_advancing_in_one(touches: tuple[Touch, ...], one: int, more: int) -> None:
    run, end = started(touches, START), START + after(one + more)
    assert advance_run(advance_run(run, START + after(one)), end) == advance_run(run, end)


@given(TOUCHES, HOURS)
def test_nothing_happens_before_it_is_due_and_nothing_due_is_left(touches: tuple[Touch, ...], hours: int) -> None:
    now = START + after(hours)
    run = advance_run(started(touches, START), now)
    assert all(done.at <= now for done in run.executed)
    due = due_at(run)
    assert run.state is not RunState.RUNNING or (due is not None and due > now)


@given(TOUCHES, HOURS, HOURS, HOURS)
def test_a_pause_delays_the_rest_by_its_own_length(
    touches: tuple[Touch, ...], before: int, pause: int, later: int
) -> None:
    here = advance_run(started(touches, START), START + after(before))
    if here.state is not RunState.RUNNING:
        return
    gone_on = advance_run(here, START + after(before + later))
    held = resumed(paused(here, START + after(before), until=None), START + after(before + pause))
    moved = advance_run(held, START + after(before + pause + later))
    assert (moved.state, len(moved.executed)) == (gone_on.state, len(gone_on.executed))


def test_a_run_without_touches_is_complete() -> None:
    assert advance_run(started((), START), START).state is RunState.COMPLETED


def invited(*, accepted_after: float | None = None) -> SandboxRun:
    invitation = Touch(id="i", kind="LINKEDIN_INVITATION", resolves_after=after(48))
    run = advance_run(started((invitation, Touch(id="m", kind="MESSAGE", after_invitation=True)), START), START)
    return run if accepted_after is None else accepted(run, START + after(accepted_after))


def test_an_invitation_settles_by_its_timeout_or_by_its_acceptance() -> None:
    assert is_waiting_for_acceptance(invited())
    assert due_at(invited()) == START + after(48)
    assert invited(accepted_after=3).state is RunState.COMPLETED
    assert advance_run(invited(), START + after(48)).executed[-1].at == START + after(48)


def test_a_blocked_run_goes_on_from_where_a_person_released_it() -> None:
    touches = (Touch(id="1", kind="MANUAL", block="manual"), Touch(id="2", kind="EMAIL", wait=after(2)))
    blocked = advance_run(started(touches, START), START + after(9))
    assert (blocked.state, blocked.executed) == (RunState.BLOCKED, ())
    going = released(blocked, START + after(9), skipped=True)
    assert (going.state, due_at(going)) == (RunState.RUNNING, START + after(11))
