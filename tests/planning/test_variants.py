"""Who gets which variant of a step: equal shares, the same for the same people, kept, and covered by the yes."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world.product import GRACE, LINKEDIN, MAIL, Bureau, Desktop, mailing, people, yes
from tests.world.stores import of_a_file
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.digests import text_digest
from sequences_mcp.domain.run import Run
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.planning.variants import shared_out
from sequences_mcp.ports.embedded import PlannedPerson
from sequences_mcp.review.decide import approve_in_terminal, look_up

BODY = MAIL["content"]
SUBJECTS = [{"subject": "A role at Acme"}, {"subject": "{{firstname}}, a question"}]
TESTED = {**{name: value for name, value in MAIL.items() if name != "subject"}, "variants": SUBJECTS}
FOLLOW_UP = {
    **{name: value for name, value in MAIL.items() if name != "subject"},
    "id": "later",
    "content": "Hi {{firstname}}, may I ask once more?",
    "temporalityType": "DELAYED",
    "delay": {"value": 3, "unit": "day"},
}
NOTE = {
    **LINKEDIN,
    "content": "",
    "variants": [{"content": "Hi {{firstname}}, shall we talk?"}, {"content": "Hello, a word?"}],
}
BLUEPRINT = "local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV"
STEP = Step.model_validate(TESTED)
PERSONS = st.dictionaries(
    st.text(CHARACTERS, min_size=1, max_size=8), st.text(CHARACTERS, min_size=1, max_size=20), max_size=80
)


def of_number(number: int) -> Step:
    """Return a step with so many variants."""
    return Step.model_validate({**TESTED, "variants": [{"subject": f"Subject {n}"} for n in range(number)]})


async def variants_of(bureau: Bureau, *, place: int = 0) -> dict[str, int]:
    """Return the variant of one step of each planned person, by address, as the database has it."""
    rows = bureau.rows(
        "SELECT contact.email, r.variant FROM step_run r JOIN sequence s ON s.no = r.sequence_no"
        " JOIN contact ON contact.no = s.contact_no WHERE r.replaced = 0 AND r.step = ? ORDER BY s.no",
        place,
    )
    return dict(rows)


async def started(desktop: Desktop, blueprint: str, contacts: list[Any], **more: Any) -> dict[str, Any]:
    """Plan a start."""
    return await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts, **more)


async def approved(bureau: Bureau, plan_id: str, *, number: int) -> str:
    """Let a person read a plan in the terminal and approve it; return what was on the screen."""
    async with bureau.app() as app:
        seen = await look_up(app, plan_id)
        await approve_in_terminal(app, plan_id, seen=seen, people=number, actor=Actor("ada"))
    return "\n".join(seen.lines)


@settings(max_examples=60, deadline=None)
@given(PERSONS, st.integers(2, 4), st.randoms(use_true_random=False))
def test_shares_are_equal_and_the_order_in_which_people_are_named_changes_nothing(
    keys: dict[str, str], number: int, chance: Any
) -> None:
    shares = shared_out(BLUEPRINT, of_number(number), keys)
    counts = Counter(shares.values())
    assert set(shares) == set(keys)
    assert max(counts.values(), default=0) - min((counts[n] for n in range(number)), default=0) <= 1
    if len(set(keys.values())) == len(keys):
        shuffled = list(keys)
        chance.shuffle(shuffled)
        assert shared_out(BLUEPRINT, of_number(number), {who: keys[who] for who in shuffled}) == shares


@settings(max_examples=60, deadline=None)
@given(PERSONS, st.data())
def test_whoever_has_a_variant_keeps_it_and_the_others_even_the_shares_out(
    keys: dict[str, str], data: Any
) -> None:
    some = data.draw(st.lists(st.sampled_from(sorted(keys)), unique=True)) if keys else []
    given_before = {who: data.draw(st.integers(0, 1)) for who in some}
    out = data.draw(st.frozensets(st.sampled_from(sorted(keys)))) if keys else frozenset()
    shares = shared_out(BLUEPRINT, STEP, keys, given_before=given_before, left_out=out)
    assert {who: shares[who] for who in given_before} == given_before
    before = Counter(variant for who, variant in given_before.items() if who not in out)
    counts = Counter(variant for who, variant in shares.items() if who not in out)
    lead = abs(before[0] - before[1])
    fresh = sum(who not in given_before and who not in out for who in keys)
    assert abs(counts[0] - counts[1]) <= max(1, lead - fresh)


def test_people_who_are_started_one_by_one_are_shared_out_as_well() -> None:
    counts = Counter(shared_out(BLUEPRINT, STEP, {"x": f"person{n}@hopper.example"})["x"] for n in range(1_000))
    assert 400 < counts[0] < 600


async def test_sixty_people_are_thirty_and_thirty_the_same_in_another_order_and_another_database(
    bureau: Bureau, tmp_path: Any
) -> None:
    everybody = people(60)
    other = Bureau.at(tmp_path / "other")
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(TESTED, FOLLOW_UP)
        plan = await started(desktop, blueprint, everybody)
    first = await variants_of(bureau)
    assert Counter(first.values()) == {0: 30, 1: 30}
    assert plan["variants"] == {"hello": {"A": 30, "B": 30}}
    async with bureau.client("auto") as desktop:  # another process, the people the other way round
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=everybody[::-1])
        letters = {one["email"]: one["steps"][0]["variant"] for one in shown["people"]}
        assert letters == {email: "AB"[first[email]] for email in letters}
        await started(desktop, blueprint, everybody[::-1])
    assert await variants_of(bureau) == first
    async with other.client("auto") as desktop:
        await desktop.blueprint(TESTED, FOLLOW_UP)
    other_id = other.rows("SELECT blueprint_id FROM blueprint_version")[0][0]
    keys = {one["email"]: one["email"] for one in everybody}
    assert shared_out(blueprint, STEP, keys) == first
    assert shared_out(other_id, STEP, keys) != first


async def test_a_follow_up_answers_with_the_subject_of_the_variant_that_the_person_got(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(TESTED, FOLLOW_UP)
        plan = await started(desktop, blueprint, people(4))
        shown = await approved(bureau, plan["plan_id"], number=4)
        bureau.work()
        bureau.forward(days=4)
        bureau.work()
        runs = (await desktop.call("list_sequences"))["items"]
        details = [await desktop.call("get_sequence", sequence_id=one["id"]) for one in runs]
    subjects = {str(mail["Subject"]) for mail in bureau.outbox}
    assert subjects == {"A role at Acme", "Grace, a question", "Re: A role at Acme", "Re: Grace, a question"}
    for detail in details:
        hello, later = detail["steps"]
        assert hello["subject"] == {"A": "A role at Acme", "B": "Grace, a question"}[hello["variant"]]
        assert later["subject"] == f"Re: {hello['subject']}"
        assert "variant" not in later
    assert "variants A 2, B 2" in shown
    assert "Subject: A role at Acme" in shown and "Subject: Grace, a question" in shown
    assert "EMAIL to person0@hopper.example, variant " in shown


async def test_every_channel_with_a_text_has_variants_each_step_its_own_shares(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(TESTED, NOTE)
        plan = await started(desktop, blueprint, people(8))
    assert plan["approval"] == "given"
    assert Counter((await variants_of(bureau, place=0)).values()) == {0: 4, 1: 4}
    assert Counter((await variants_of(bureau, place=1)).values()) == {0: 4, 1: 4}


async def test_somebody_in_a_second_start_keeps_their_variant_and_so_in_a_newer_version(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(TESTED)
        plan = await started(desktop, blueprint, people(7))
        first = await variants_of(bureau)
        await desktop.call("withdraw_plan", plan_id=plan["plan_id"])
        await started(desktop, blueprint, people(20), idempotency_key="again")
        second = await variants_of(bureau)
        assert {email: second[email] for email in first} == first
        assert Counter(second.values()) == {0: 10, 1: 10}
        steps = [{**TESTED, "variants": [*SUBJECTS, {"subject": "Rust at Acme"}]}]
        await desktop.call("update_blueprint", blueprint_id=blueprint, expected_version=1, steps=steps)
        await started(desktop, blueprint, people(30), idempotency_key="newer")
    third = await variants_of(bureau)
    assert {email: third[email] for email in second} == second
    assert Counter(third.values()) == {0: 10, 1: 10, 2: 10}


async def test_whoever_must_not_be_written_to_takes_nobodys_place(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(TESTED)
        for number in range(10):
            await desktop.call("suppress_contact", contact=f"person{number}@hopper.example", reason="asked us")
        plan = await started(desktop, blueprint, people(30))
    assert plan["left_out_count"] == 10
    assert plan["variants"] == {"hello": {"A": 10, "B": 10}}


async def test_a_failed_run_that_is_planned_anew_keeps_its_variant(bureau: Bureau) -> None:
    with mailing(bureau, {"RCPT": "550 5.1.1 no such user"}) as (connected, _):
        async with connected.client("auto") as desktop:
            blueprint = await desktop.blueprint(TESTED, FOLLOW_UP)
            plan = await started(desktop, blueprint, people(10))
            first = await variants_of(connected)
            await approved(connected, plan["plan_id"], number=10)
            connected.work()
            again = await desktop.call("retry_failed", blueprint_id=blueprint)
    assert again["people"] == sum(
        status == "FAILED" for (status,) in connected.rows("SELECT status FROM sequence")
    )
    assert again["people"]
    assert await variants_of(connected) == first


async def test_a_text_of_their_own_stands_for_the_variant_and_is_read_like_any_other(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(TESTED)
        plan = await started(desktop, blueprint, people(2))
        draft = plan["sample"]["steps"][0]["draft_id"]
        own = "Hello Grace, I read your book on compilers. Could we talk?"
        await desktop.call("edit_draft", draft_id=draft, content=own, subject="Your book")
        waiting = await desktop.call("list_reviews", plan_id=plan["plan_id"])
        assert waiting["plans"]["items"][0]["to_read"] == 1
        again = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(2))
        assert sum(again["variants"]["hello"].values()) == 1
        await approved(bureau, plan["plan_id"], number=2)
    bureau.work()
    assert "Your book" in {str(mail["Subject"]) for mail in bureau.outbox}
    assert len(bureau.outbox) == 2


async def test_a_variant_that_the_guards_refuse_for_one_person_leaves_out_that_person_alone(
    bureau: Bureau,
) -> None:
    company = {**TESTED, "variants": [{"subject": "A role"}, {"subject": "A role near {{candidateCompanyName}}"}]}
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(company)
        plan = await started(desktop, blueprint, people(12))
        given = await desktop.call("get_blueprint", blueprint_id=blueprint)
    assert plan["variants"] == {"hello": {"A": 6}}
    assert plan["left_out_count"] == 6
    assert "{{candidateCompanyName}} would be blank" in plan["left_out"][0]["reasons"][0]
    assert given["steps"][0]["variants"] == company["variants"]


async def test_the_digest_covers_which_variant_a_person_was_given(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        await started(desktop, await desktop.blueprint(TESTED), people(2))
    async with bureau.app() as app:
        [plan] = (await app.plans.list_plans(page=1, size=1)).items
        runs: list[Run] = [one.sequence for one in (await app.plans.list_people(plan.id, page=1, size=5)).items]
    assert plan.digest_version == 2
    for run in runs:
        [step] = run.steps
        swapped = replace(step, variant=1 - (step.variant or 0))
        assert text_digest(run, swapped) != text_digest(run, step)


@of_a_file
async def test_a_variant_that_was_changed_in_the_database_is_held_and_not_sent(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        plan = await started(desktop, await desktop.blueprint(TESTED), people(2))
        await approved(bureau, plan["plan_id"], number=2)
    with closing(sqlite3.connect(bureau.folder / "sequences.db")) as database, database:
        with pytest.raises(sqlite3.IntegrityError, match="keeps the variant"):
            database.execute("UPDATE step_run SET variant = 1 - variant")
        database.execute("DROP TRIGGER step_run_variant_is_never_changed")
        database.execute("UPDATE step_run SET variant = 1 - variant WHERE step = 0 AND variant = 0")
    bureau.work()
    assert len(bureau.outbox) == 1
    [(reason,)] = bureau.rows("SELECT reason FROM step_run WHERE state = 'held'")
    assert "not the one that was approved" in reason


async def test_a_plan_takes_nobody_whose_steps_are_not_one_of_the_variants(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(TESTED)
        await started(desktop, blueprint, [GRACE])
    async with bureau.app() as app:
        [plan] = (await app.plans.list_plans(page=1, size=1)).items
        [detail] = (await app.plans.list_people(plan.id, page=1, size=1)).items
        [step] = detail.sequence.steps
        opened = await app.plans.open_plan(plan.header)
        for wrong in (
            replace(step, step=STEP, variant=None),
            replace(step, step=STEP, variant=0),
            replace(step, variant=1 - (step.variant or 0)),
            replace(step, variant=None),
            replace(step, variant=7),
        ):
            person = PlannedPerson(
                contact=detail.contact, variables={}, time_zone="UTC", steps=(replace(wrong, key="k"),)
            )
            with pytest.raises(InvalidArgumentsError, match="are not those of the blueprint's version"):
                await app.plans.add_people(opened.id, [person])
