"""Any order of events from any hands at any time: what must never happen does not, and every sequence can end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.engine.sequence_builders import (
    LEASE,
    SETTLED,
    START,
    active,
    after_events,
    delayed,
    email,
    invitation,
    sequence,
    skipping,
    tick,
)

from sequences_mcp.domain.run import (
    IN_FLIGHT,
    LIVE,
    TERMINAL,
    Run,
    SequenceStatus,
    StepState,
    StopReason,
    TaskOutcome,
)
from sequences_mcp.engine import events as ev
from sequences_mcp.engine.machine import APPROVAL, advance, next_run_at, waits_for_person
from sequences_mcp.engine.sequences import run_outlook
from sequences_mcp.errors import ConflictError, InvalidArgumentsError

S = SequenceStatus
KINDS = [email(), delayed(1), delayed(3, **skipping(skip_step_if_no_contact=True)), invitation(), email(**SETTLED)]
KEYS = st.sampled_from(["K1", "K2", "K3", "K4"])
SPANS = st.one_of(
    st.timedeltas(timedelta(0), timedelta(minutes=15)), st.timedeltas(timedelta(0), timedelta(days=20))
)
MOVED = {*IN_FLIGHT, StepState.SENT, StepState.DONE, StepState.OPEN, StepState.UNKNOWN, StepState.FAILED}
# The tick before which the world is looked at: nothing in the way, mostly.
FACTS = st.one_of(
    st.just({}),
    st.sampled_from(
        [
            {"opens_at": timedelta(hours=9)},
            {"blocked": "a finding"},
            {"blocked": f"{APPROVAL} is void"},
            {"forbidden": "suppressed"},
            {"has_contact": False},
        ]
    ),
)


class AnyHands(RuleBasedStateMachine):
    """Drives one sequence with legal and illegal events and keeps a history of its own to check against."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.lease = 0
        self.state: Run = sequence(email())
        self.out: set[tuple[str, int]] = set()

    @initialize(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4), approved=st.booleans())
    def plan(self, kinds: list[dict[str, Any]], approved: bool) -> None:
        self.state = sequence(*kinds)
        if approved:
            self.happens(ev.PlanApproved())

    def happens(self, event: ev.Event) -> tuple[ev.Effect, ...]:
        before = self.state
        try:
            self.state, effects = advance(before, event, self.now)
        except (ConflictError, InvalidArgumentsError):
            return ()
        self.nothing_over_changed(before)
        self.nothing_begins_without_a_yes(before, event)
        self.was_its_own_worker(before, event)
        for effect in effects:
            if isinstance(effect, ev.SendEmail):
                self.sends_once(before, effect)
        self.forget_what_certainly_did_not_leave(before, event)
        return effects

    def nothing_over_changed(self, before: Run) -> None:
        assert before.status not in TERMINAL or self.state.status is before.status
        for old, new in zip(before.steps, self.state.steps, strict=True):
            assert not old.is_over or new.state is old.state
            assert not old.is_over or (new.content, new.generation) == (old.content, old.generation)

    def nothing_begins_without_a_yes(self, before: Run, event: ev.Event) -> None:
        """Whatever is paused or resumed before the yes: only the yes ends the waiting, and a pause outlasts it."""
        if before.status is S.FOUND and self.state.status in LIVE:
            assert isinstance(event, ev.PlanApproved)
            until = before.paused_until
            assert (self.state.status is S.WAITING_FOR_LEAD) == (until is not None and until > self.now)

    def was_its_own_worker(self, before: Run, event: ev.Event) -> None:
        if isinstance(event, ev.HandedToServer | ev.Delivered | ev.Deferred | ev.Rejected | ev.Lost):
            assert event.lease in {run.lease for run in before.steps}, "a report under a lease nobody holds"

    def sends_once(self, before: Run, effect: ev.SendEmail) -> None:
        run = next(run for run in self.state.steps if run.key == effect.key)
        assert before.status is S.ACTIVE
        assert (run.key, run.generation) not in self.out, "a second e-mail for one text"
        assert run.content is not None
        self.out.add((run.key, run.generation))

    def forget_what_certainly_did_not_leave(self, before: Run, event: ev.Event) -> None:
        """Forget a text after a deferral, a person's "not sent", or a claim that ended before the dot."""
        for old, new in zip(before.steps, self.state.steps, strict=True):
            freed = old.state is StepState.CLAIMED and new.state in (StepState.PLANNED, StepState.HELD)
            deferred = isinstance(event, ev.Deferred) and old.lease == event.lease
            not_sent = isinstance(event, ev.OutcomeResolved) and old.key == event.key and not event.sent
            if freed or deferred or not_sent:
                self.out.discard((new.key, new.generation))

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @precondition(lambda self: next_run_at(self.state) is not None)
    @rule(late=st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(days=3)]))
    def time_comes(self, late: timedelta) -> None:
        due = next_run_at(self.state)
        assert due is not None
        self.now = max(self.now, due + late)

    def tick(self, facts: dict[str, Any]) -> tuple[ev.Effect, ...]:
        self.lease += 1
        before, due = self.state, next_run_at(self.state)
        effects = self.happens(tick(self.now, lease=self.lease, **facts))
        assert self.state is before or (due is not None and due <= self.now), "moved before it was due"
        assert not (effects and facts), "sent in spite of a fact against it"
        return effects

    @rule(facts=FACTS)
    def ticks(self, facts: dict[str, Any]) -> None:
        self.tick({name: self.now + v if isinstance(v, timedelta) else v for name, v in facts.items()})

    @precondition(lambda self: self.state.status is S.ACTIVE and next_run_at(self.state) is not None)
    @rule(handed_over=st.booleans())
    def a_worker_claims_and_may_die(self, handed_over: bool) -> None:
        self.now = max(self.now, next_run_at(self.state) or self.now)
        for _ in self.tick({}):
            if handed_over:
                self.happens(ev.HandedToServer(self.lease, self.now + LEASE))

    @rule(back=st.integers(0, 2))
    def a_worker_hands_over(self, back: int) -> None:
        self.happens(ev.HandedToServer(self.lease - back, self.now + LEASE))

    @rule(back=st.integers(0, 2), data=st.data())
    def a_worker_reports(self, back: int, data: st.DataObject) -> None:
        lease = self.lease - back
        reports: list[ev.Event] = [
            ev.Delivered(lease, "250 ok"),
            ev.Deferred(lease, "451 later", self.now + timedelta(minutes=5)),
            ev.Rejected(lease, "550 no", bounced=True),
            ev.Lost(lease, "gone"),
        ]
        self.happens(data.draw(st.sampled_from(reports)))

    @rule()
    def a_person_says_yes(self) -> None:
        self.happens(ev.PlanApproved())

    @rule(key=KEYS, sent=st.booleans())
    def a_person_settles(self, key: str, sent: bool) -> None:
        if any(run.key == key for run in self.state.steps):
            self.happens(ev.OutcomeResolved(key, sent))

    @rule(key=KEYS, outcome=st.sampled_from(TaskOutcome))
    def a_person_completes_a_task(self, key: str, outcome: TaskOutcome) -> None:
        if any(run.key == key for run in self.state.steps):
            self.happens(ev.TaskCompleted(key, outcome))

    @rule(step=st.sampled_from(["s1", "s2", "s3", "s4"]))
    def an_agent_edits(self, step: str) -> None:
        self.happens(ev.Rewritten({step: ("Subject", "Text")}))

    @rule(key=KEYS)
    def a_person_approves_a_text(self, key: str) -> None:
        if any(run.key == key for run in self.state.steps):
            self.happens(ev.DraftApproved(key))

    @rule(span=SPANS)
    def a_person_pauses(self, span: timedelta) -> None:
        self.happens(ev.Paused(self.now + span))

    @rule(span=SPANS)
    def the_contact_is_away(self, span: timedelta) -> None:
        self.happens(ev.Away(self.now + span))

    @rule()
    def a_person_has_to_look_first(self) -> None:
        self.happens(ev.Held("somebody answered"))

    @precondition(lambda self: self.lease > 3)
    @rule(number=st.integers(0, 2), hard=st.booleans())
    def an_e_mail_comes_back(self, number: int, hard: bool) -> None:
        sent = [run.key for run in self.state.steps if run.state is StepState.SENT]
        if sent:
            self.happens(ev.Returned(sent[number % len(sent)], hard, "no such user"))

    @rule()
    def a_person_resumes(self) -> None:
        self.happens(ev.Resumed())

    @precondition(lambda self: self.lease > 3)
    @rule(
        end=st.sampled_from(
            [ev.Stopped(StopReason.WIN), ev.Replied("yes"), ev.OptedOut("no"), ev.PlanRejected("no")]
        )
    )
    def it_ends(self, end: ev.Event) -> None:
        self.happens(end)

    @invariant()
    def at_most_one_e_mail_is_in_flight_and_only_flight_has_a_lease(self) -> None:
        assert sum(run.state in IN_FLIGHT for run in self.state.steps) <= 1
        for run in self.state.steps:
            assert (run.lease is not None) == (run.state in {*IN_FLIGHT, StepState.UNKNOWN})
            assert (run.lease_expires_at is not None) == (run.state in IN_FLIGHT)

    @invariant()
    def steps_are_executed_in_order(self) -> None:
        states = [run.state for run in self.state.steps]
        for number, state in enumerate(states):
            if state in MOVED:
                assert all(run.is_over for run in self.state.steps[:number])
        times = [run.executed_at for run in self.state.steps if run.executed_at]
        assert self.state.status not in LIVE or times == sorted(times)

    @invariant()
    def nothing_is_claimed_where_a_person_said_wait_or_stop(self) -> None:
        if self.state.status is not S.ACTIVE:
            assert StepState.CLAIMED not in {run.state for run in self.state.steps}

    @invariant()
    def whatever_is_over_left_nothing_to_do(self) -> None:
        if self.state.status in TERMINAL:
            assert all(run.is_over or run.state is StepState.UNKNOWN for run in self.state.steps)

    @invariant()
    def the_status_follows_from_the_steps_and_the_pause(self) -> None:
        run = self.state.current
        if self.state.status is not S.FOUND:  # what waits for an approval may be paused as well
            assert (self.state.paused_until is not None) == (self.state.status is S.WAITING_FOR_LEAD)
        if self.state.status in LIVE:
            assert run is not None
            waits = self.state.status is S.WAITING_FOR_USER
            assert self.state.paused_until is not None or waits == waits_for_person(run)

    @invariant()
    def something_is_due_exactly_while_it_goes_on_by_itself(self) -> None:
        goes_on = self.state.status in {S.ACTIVE, S.WAITING_FOR_LEAD}
        assert (next_run_at(self.state) is not None) == goes_on
        assert run_outlook(self.state, self.now).why

    def teardown(self) -> None:
        """In a world where everybody does their part, every sequence comes to its end."""
        for _ in range(60):
            if self.state.status in TERMINAL:
                return
            due = next_run_at(self.state)
            self.now = max(self.now, due or self.now)
            self.everybody_does_their_part()
        raise AssertionError(f"stuck: {self.state}")

    def everybody_does_their_part(self) -> None:
        run = self.state.current
        assert run is not None
        if self.state.status is S.FOUND:
            self.happens(ev.PlanApproved())
        elif self.state.status is S.WAITING_FOR_USER:
            answers: dict[StepState, ev.Event] = {
                StepState.OPEN: ev.TaskCompleted(run.key, TaskOutcome.DONE),
                StepState.UNKNOWN: ev.OutcomeResolved(run.key, sent=False),
                StepState.HELD: ev.DraftApproved(run.key),
            }
            self.happens(answers[run.state])
        else:
            for effect in self.tick({}):
                assert isinstance(effect, ev.SendEmail)
                self.happens(ev.HandedToServer(effect.lease, self.now + LEASE))
                self.happens(ev.Delivered(effect.lease, "250 ok"))


AnyHands.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_any_order_of_events_keeps_the_promises = AnyHands.TestCase


MINUTES = st.integers(0, 60 * 24 * 10).map(lambda minutes: timedelta(minutes=minutes))


@given(paused=MINUTES, length=MINUTES.filter(bool), again=MINUTES, second=MINUTES.filter(bool))
@settings(max_examples=200, deadline=None)
def test_pauses_move_what_is_not_yet_due_by_their_length_and_what_is_due_to_their_end(
    paused: timedelta, length: timedelta, again: timedelta, second: timedelta
) -> None:
    state, now = active(delayed(3)), START + paused
    for span, gap in ((length, again), (second, timedelta(0))):
        due = next_run_at(state)
        assert due is not None
        end = now + span
        state = after_events(after_events(state, ev.Paused(end), now=now), ev.Resumed(), now=end)
        moved = next_run_at(state)
        assert moved is not None
        assert moved == due + span if due > now else moved <= end
        now = end + gap
