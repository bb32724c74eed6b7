"""What came of runs adds up, whatever happened to them; shares have their published intervals."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences_mcp.domain.blueprint import Blueprint, Channel, Sourcing, Step, Temporality, Variant
from sequences_mcp.domain.reports import (
    STANDINGS,
    STEP_STANDINGS,
    OutcomeRow,
    OutcomeTally,
    ReceivedEntry,
    Share,
    StepEntry,
    SubjectTally,
    blueprint_report,
    compare_subjects,
    gain_span,
    tally_people,
    tally_step,
)
from sequences_mcp.domain.run import LIVE, SequenceStatus, StepState, StopReason

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
WORDS = ("reply", "replied", "interested", "not_interested")
STORED = (*WORDS, "opt_out", "complaint", "away", "out_of_office", "hard_bounce", "soft_bounce", "won", "lost")
PLACES = 3
moments = st.integers(0, 60).map(lambda hours: NOON + timedelta(hours=hours))


@st.composite
def steps(draw: st.DrawFn, place: int) -> StepEntry:
    state = draw(st.sampled_from(StepState))
    is_over = state in (StepState.SENT, StepState.DONE)
    return StepEntry(
        place=place,
        state=state,
        at=draw(moments) if is_over else None,
        in_outbox=state is StepState.SENT and draw(st.booleans()),
        was_refused=state is StepState.FAILED and draw(st.booleans()),
    )


@st.composite
def received(draw: st.DrawFn) -> ReceivedEntry:
    by_hand = draw(st.booleans())
    return ReceivedEntry(
        kind=draw(st.sampled_from(STORED)),
        at=draw(moments),
        dated=None if by_hand else draw(st.none() | moments),
        place=None if by_hand else draw(st.none() | st.integers(0, PLACES - 1)),
        by_hand=by_hand,
    )


@st.composite
def histories(draw: st.DrawFn) -> OutcomeRow:
    return OutcomeRow(
        blueprint_id="local:bp_1",
        version=draw(st.integers(1, 3)),
        provider="local",
        status=draw(st.sampled_from(SequenceStatus)),
        has_begun=draw(st.booleans()),
        stop_reason=draw(st.none() | st.sampled_from(StopReason)),
        steps=tuple(draw(steps(place)) for place in range(PLACES)),
        received=tuple(draw(st.lists(received(), max_size=4))),
        number=draw(st.integers(1, 3)),
    )


crowds = st.lists(histories(), max_size=25)


def everybody_is_in_one_standing_and_in_one_for_each_step(rows: list[OutcomeRow]) -> None:
    tally = tally_people(rows)
    assert sum(getattr(tally, name) for name in STANDINGS) == tally.people == sum(row.number for row in rows)
    for place in range(PLACES):
        of_step = tally_step(place, rows)
        assert of_step.people == sum(row.number for row in rows if row.has_begun)
        assert sum(getattr(of_step, name) for name in STEP_STANDINGS) == of_step.people


def a_count_of_ones_own_finds_the_same(rows: list[OutcomeRow]) -> None:
    """Count again, in the plainest way, what blueprint_report counts."""
    naive: Counter[str] = Counter()
    for row in [each for each in rows for _ in range(each.number)]:
        if not row.has_begun:
            continue
        kinds = [entry.kind for entry in row.received]
        sent = [step for step in row.steps if step.at is not None and not step.in_outbox]
        answered = row.status == "SUCCEEDED" or any(kind in WORDS for kind in kinds)
        naive["messages"] += len(sent)
        naive["sent"] += 1 if sent else 0
        naive["replied"] += answered
        naive["replied_of_sent"] += answered and bool(sent)
        naive["waiting"] += row.status in LIVE or row.status == "FOUND"
        naive["failed"] += row.status == "FAILED"
        naive["bounced"] += "hard_bounce" in kinds or any(step.was_refused for step in row.steps)
        naive["opted_out"] += "opt_out" in kinds or "complaint" in kinds
        naive["away"] += "away" in kinds or "out_of_office" in kinds
        said = {"won": "WIN", "lost": "LOSE", "not_interested": "LOSE"}
        recorded = [entry for entry in row.received if entry.kind in said]
        newest = max(recorded, key=lambda entry: entry.at, default=None)
        ending = said[newest.kind] if newest else row.stop_reason
        naive["won"] += ending == "WIN"
        naive["lost"] += ending == "LOSE"
    tally = tally_people(rows)
    assert {name: getattr(tally, name) for name in naive} == dict(naive)


def versions_weeks_and_steps_add_up_to_the_whole(rows: list[OutcomeRow]) -> None:
    report = blueprint_report(BLUEPRINT, rows, steps_of=lambda version: BLUEPRINT.steps)
    tally = report.tally
    for name in (*STANDINGS, "people", "sent", "messages", "replied", "won", "lost", "bounced", "opted_out"):
        assert sum(getattr(version.tally, name) for version in report.versions) == getattr(tally, name), name
    assert sum(week.sent for week in report.weeks) == tally.messages
    assert sum(step.tally.sent or 0 for version in report.versions for step in version.steps) == tally.messages
    in_words = [row.number for row in rows if row.has_begun and row.first_answer is not None]
    assert sum(week.replied for week in report.weeks) == sum(in_words)
    assert all(week.monday.weekday() == 0 for week in report.weeks)
    replied = sum(step.tally.replied or 0 for version in report.versions for step in version.steps)
    assert replied <= (tally.replied or 0)


def the_order_of_the_rows_does_not_matter(rows: list[OutcomeRow], random: object) -> None:
    shuffled = sorted(rows, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert tally_people(shuffled) == tally_people(rows)


@given(crowds, st.randoms())
def test_whatever_happened_to_runs_what_came_of_them_adds_up(rows: list[OutcomeRow], random: object) -> None:
    """Hold each crowd against all four laws: to make one up takes ten times as long as to count it."""
    everybody_is_in_one_standing_and_in_one_for_each_step(rows)
    a_count_of_ones_own_finds_the_same(rows)
    versions_weeks_and_steps_add_up_to_the_whole(rows)
    the_order_of_the_rows_does_not_matter(rows, random)


STEP = Step(
    id="hello", name="Hello", type=Channel.EMAIL, subject="Hi", content="Hello.", temporality_type=Temporality.ASAP
)
BLUEPRINT = Blueprint(
    id="local:bp_1",
    name="Engineers",
    version=3,
    steps=tuple(STEP.model_copy(update={"id": f"s{place}"}) for place in range(PLACES)),
    sourcing=Sourcing(),
    created_at=NOON,
)


def sent_row(*entries: ReceivedEntry, **facts: object) -> OutcomeRow:
    first = StepEntry(place=0, state=StepState.SENT, at=NOON)
    then = StepEntry(place=1, state=StepState.SENT, at=NOON + timedelta(days=3))
    known = {"version": 1, "provider": "local", "status": SequenceStatus.ACTIVE, "has_begun": True}
    return OutcomeRow(
        blueprint_id="local:bp_1",
        steps=(first, then),
        received=entries,
        **{**known, **facts},  # type: ignore[arg-type]
    )


def test_an_answer_belongs_to_the_step_it_names_else_to_the_last_one_before_it() -> None:
    early = sent_row(ReceivedEntry(kind="reply", at=NOON + timedelta(hours=5)))
    late = sent_row(ReceivedEntry(kind="replied", at=NOON + timedelta(days=4), by_hand=True))
    named = sent_row(ReceivedEntry(kind="reply", at=NOON + timedelta(days=4), place=0))
    replied = [tally_step(place, [early, late, named]).replied for place in (0, 1)]
    assert replied == [2, 1]


def test_the_time_to_a_reply_is_the_median_of_those_that_came_by_mail() -> None:
    rows = [
        sent_row(ReceivedEntry(kind="reply", at=NOON + timedelta(hours=9), dated=NOON + timedelta(hours=2))),
        sent_row(ReceivedEntry(kind="reply", at=NOON + timedelta(hours=6), dated=NOON - timedelta(days=300))),
        sent_row(ReceivedEntry(kind="replied", at=NOON + timedelta(hours=40), by_hand=True)),
        sent_row(),
    ]
    assert tally_people(rows).time_to_reply == timedelta(hours=4)
    assert tally_people(rows[2:]).time_to_reply is None


def test_what_was_recorded_last_decides_who_is_won() -> None:
    won = ReceivedEntry(kind="won", at=NOON + timedelta(days=9), by_hand=True)
    lost = ReceivedEntry(kind="not_interested", at=NOON + timedelta(days=2), by_hand=True)
    tally = tally_people([sent_row(lost, won, stop_reason=StopReason.LOSE), sent_row(stop_reason=StopReason.WIN)])
    assert (tally.won, tally.lost, tally.interested, tally.not_interested) == (2, 0, 1, 0)


def test_of_a_vendors_runs_what_it_does_not_tell_is_unknown_and_never_0() -> None:
    unread = OutcomeRow(
        blueprint_id="kalent:bp",
        version=1,
        provider="kalent",
        status=SequenceStatus.ACTIVE,
        has_begun=True,
        steps=(StepEntry(place=0, state=StepState.PLANNED),),
    )
    tally = tally_people([unread, unread])
    assert (tally.people, tally.waiting) == (2, 2)
    untold = ("sent", "messages", "bounced", "opted_out", "away", "won", "lost", "replied", "interested")
    assert {getattr(tally, name) for name in untold} == {None}
    assert tally.reply_share is None
    told = OutcomeRow(
        blueprint_id="topo:t",
        version=1,
        provider="topo",
        status=SequenceStatus.SUCCEEDED,
        has_begun=True,
        read_at=NOON,
        last_executed_at=NOON,
    )
    assert (tally_people([told]).replied, tally_people([told]).sent) == (1, 1)


@pytest.mark.parametrize(
    ("number", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_published_wilson_interval(number: int, of: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I."""
    assert Share(number, of).span == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_a_difference_has_the_published_interval(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10."""
    assert gain_span(Share(*first), Share(*second)) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 400), st.integers(0, 400))
def test_an_interval_contains_its_share(number: int, more: int) -> None:
    share = Share(number, number + more)
    low, high = share.span
    assert 0 <= low <= high <= 1
    assert low <= share.value <= high


def arm(subject: str, number: int, of: int) -> SubjectTally:
    return SubjectTally(subject=subject, versions=(1,), share=Share(number, of))


def test_a_better_subject_is_told_with_by_how_much() -> None:
    told = compare_subjects("s0", [arm("Plain", 10, 200), arm("Short", 40, 200)])
    assert told.gain is not None and told.gain[0] > 0
    assert told.words.startswith("“Short” gets more replies than the other: by ")


@pytest.mark.parametrize(
    "arms",
    [
        [arm("a", 12, 100), arm("b", 9, 100)],
        [arm("a", 6, 8), arm("b", 0, 400)],
        [arm("a", 0, 0), arm("b", 0, 0)],
        [arm("a", 20, 100), arm("b", 8, 100), arm("c", 19, 100)],
    ],
    ids=["close", "a handful", "nobody", "only one of two is told apart"],
)
def test_where_it_can_be_chance_it_is_said_to_be_too_few(arms: list[SubjectTally]) -> None:
    told = compare_subjects("s0", arms)
    assert told.gain is None
    assert told.words.startswith("Too few to tell")


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=4))
def test_equal_shares_are_never_told_apart(pairs: list[tuple[int, int]]) -> None:
    first = pairs[0]
    arms = [arm(f"{place}", first[0], sum(first)) for place in range(len(pairs))]
    assert compare_subjects("s0", arms).gain is None


def test_the_subjects_of_two_versions_are_compared_and_the_weeks_counted() -> None:
    def row(version: int, *entries: ReceivedEntry) -> OutcomeRow:
        return sent_row(*entries, version=version)

    reply = ReceivedEntry(kind="reply", at=NOON + timedelta(hours=1), place=0)
    rows = [row(1, reply) if place < 4 else row(1) for place in range(100)]
    rows += [row(2, reply) if place < 40 else row(2) for place in range(100)]
    subjects = {1: "Old", 2: "New"}
    report = blueprint_report(
        BLUEPRINT, rows, steps_of=lambda version: [STEP.model_copy(update={"subject": subjects[version]})]
    )
    [compared] = report.subjects
    assert [(tally.subject, tally.share.number, tally.share.of) for tally in compared.subjects] == [
        ("New", 40, 100),
        ("Old", 4, 100),
    ]
    assert "“New” gets more replies" in compared.words
    assert [(week.monday, week.sent, week.replied) for week in report.weeks] == [(date(2026, 11, 23), 400, 44)]


def test_each_person_counts_for_the_variant_they_got_and_the_verdict_names_them() -> None:
    reply = ReceivedEntry(kind="reply", at=NOON + timedelta(hours=1), place=0)
    texts = tuple(Variant(subject=subject) for subject in ("Old", "New", "Newer"))
    step = STEP.model_copy(update={"variants": texts, "subject": None})

    def crowd(replied: tuple[int, int, int]) -> list[OutcomeRow]:
        rows = []
        for number, answers in enumerate(replied):
            for place in range(100):
                row = sent_row(*([reply] if place < answers else []), version=1)
                rows.append(replace(row, steps=tuple(replace(part, variant=number) for part in row.steps)))
        return rows

    [clear] = blueprint_report(BLUEPRINT, crowd((4, 40, 5)), steps_of=lambda version: [step]).variants
    assert [variant.words for variant in clear.variants] == ["A 4 of 100", "B 40 of 100", "C 5 of 100"]
    assert clear.words.startswith("B 40 of 100 against C 5 of 100, A 4 of 100: B gets more replies")
    assert clear.gain is not None and 0 < clear.gain[0] < 0.35 < clear.gain[1]
    [close] = blueprint_report(BLUEPRINT, crowd((39, 40, 5)), steps_of=lambda version: [step]).variants
    assert close.gain is None and close.words.startswith("Too few to tell: B 40 of 100 against A 39 of 100")


def test_nothing_is_counted_of_nobody() -> None:
    report = blueprint_report(BLUEPRINT, [], steps_of=lambda version: BLUEPRINT.steps)
    assert (report.tally.people, report.versions, report.weeks, report.subjects) == (0, (), (), ())
    assert report.tally.reply_share == Share(0, 0)
    assert isinstance(report.tally, OutcomeTally)


def test_what_came_and_its_note_at_the_same_instant_count_alike_in_whichever_order_they_are_read() -> None:
    came = ReceivedEntry(kind="reply", at=NOON + timedelta(hours=2))
    noted = ReceivedEntry(kind="interested", at=came.at, by_hand=True)
    rows = [replace(sent_row(came), received=received) for received in ((came, noted), (noted, came))]
    assert {row.time_to_answer for row in rows} == {timedelta(hours=2)} and all(row.is_interested for row in rows)
