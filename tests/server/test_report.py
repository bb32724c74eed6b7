"""What came of blueprints, told through the tool: counts, intervals, subjects compared; unknown is absent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from benchmarks import tokens
from tests.server.test_vendor_runs_suppressed import running
from tests.world.answers import ADA, comes_in
from tests.world.inbound_mail import Sent, complaint, reply, report
from tests.world.product import MAIL, Bureau, Desktop, mailing, people, text_of, yes
from tests.world.vendors import Connected

from sequences_mcp.domain.actors import Actor
from sequences_mcp.services.reviews import approve_plan

LATER = {**MAIL, "id": "again", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}


async def begun_by_mail(bureau: Bureau, desktop: Desktop, number: int, blueprint: str) -> dict[str, Sent]:
    """Start so many people and let a mail server take the first e-mail of each; return what left, by recipient."""
    await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(number))
    bureau.work()
    rows = bureau.rows("SELECT recipient, message_id FROM step_run WHERE state = 'sent' AND replaced = 0")
    return {to: Sent(message_id=message_id, sender=ADA, recipient=to) for to, message_id in rows}


async def agreed(bureau: Bureau, plan: dict[str, Any]) -> None:
    """Let a person approve a plan, and send what is due of it."""
    async with bureau.app() as app:
        await approve_plan(app, plan_id=plan["plan_id"], digest=plan["digest"], actor=Actor("ada"))
    bureau.work()


def address(number: int) -> str:
    return f"person{number}@hopper.example"


async def test_a_report_counts_what_left_and_what_came_back(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, _):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL, LATER)
            sent = await begun_by_mail(connected, desktop, 8, blueprint)
            connected.forward(hours=2)
            comes_in(connected, reply(sent[address(0)], "Yes, gladly."))
            comes_in(connected, reply(sent[address(1)], "Please unsubscribe me."))
            comes_in(connected, report(sent[address(2)], status="5.1.1"))
            comes_in(connected, complaint(sent[address(3)]))
            until = (connected.clock.now + timedelta(days=9)).isoformat()
            await desktop.call("record_reply", who=address(4), answer="out_of_office", until=until)
            await desktop.call("record_reply", who=address(5), answer="not_interested")
            await desktop.call("record_reply", who=address(0), answer="interested")
            told = await desktop.call("report", blueprint_id=blueprint)
    [item] = told["items"]
    expected = {"people": 8, "sent": 8, "messages": 8, "replied": 2, "interested": 1, "not_interested": 1}
    expected |= {"opted_out": 2, "bounced": 1, "failed": 1, "away": 1, "waiting": 3, "won": 0, "lost": 1}
    assert {name: item[name] for name in expected} == expected
    assert item["reply_rate"].startswith("2 of 8, too few to tell (")
    assert item["median_time_to_reply"] == "2 h"
    hello, again = item["steps"]
    assert (hello["step_id"], hello["sent"], hello["replied"], hello["bounced"]) == ("hello", 8, 2, 1)
    assert (again["sent"], again["waiting"], again["replied"]) == (0, 3, 0)
    assert item["weeks"] == {"2026-11-23": {"sent": 8, "replied": 2}}
    assert "versions" not in item and "subjects" not in item


async def test_an_address_that_is_refused_at_once_has_bounced(bureau: Bureau) -> None:
    with mailing(bureau, {"RCPT": "550 5.1.1 no such user"}) as (connected, _):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            await begun_by_mail(connected, desktop, 1, blueprint)
            [item] = (await desktop.call("report"))["items"]
    assert (item["sent"], item["bounced"], item["failed"], item["reply_rate"]) == (0, 1, 1, "nobody yet")


async def test_what_was_written_to_the_outbox_folder_is_not_told_as_sent(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await begun_by_mail(bureau, desktop, 2, blueprint)
        [item] = (await desktop.call("report", blueprint_id=blueprint))["items"]
        past = await desktop.call("report", page=3)
    assert (past["total_count"], past["total_pages"], past["items"]) == (1, 1, [])
    assert (item["people"], item["sent"], item["in_outbox"]) == (2, 0, 2)


async def test_somebody_is_won_long_after_their_run_was_over(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await begun_by_mail(bureau, desktop, 2, blueprint)
        runs = (await desktop.call("list_sequences"))["items"]
        assert {one["status"] for one in runs} == {"COMPLETED"}
        bureau.forward(days=30)
        done = await desktop.call("record_reply", who=runs[0]["id"], answer="won")
        assert (done["runs"], "report counts them as won" in done["next"]) == ({}, True)
        [item] = (await desktop.call("report"))["items"]
        assert (item["won"], item["lost"], item["interested"]) == (1, 0, 1)
        bureau.forward(days=1)
        await desktop.call("record_reply", who=runs[0]["id"], answer="lost")
        [item] = (await desktop.call("report"))["items"]
        assert (item["won"], item["lost"]) == (0, 1)
        kinds = [one["kind"] for one in (await desktop.call("list_replies"))["items"]]
        assert kinds == ["lost", "won"]


async def test_won_is_about_the_run_that_is_named_and_ends_what_is_under_way(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        first = await desktop.blueprint(MAIL)
        await begun_by_mail(bureau, desktop, 1, first)
        [old] = (await desktop.call("list_sequences"))["items"]
        second = await desktop.blueprint(LATER)
        await desktop.call("start_sequence", blueprint_id=second, contacts=people(1))
        done = await desktop.call("record_reply", who=old["id"], answer="won")
        assert list(done["runs"].values()) == ["STOPPED_EARLY"]
        told = {one["blueprint_id"]: one["won"] for one in (await desktop.call("report"))["items"]}
        assert told[first] == 1


async def test_whoever_waits_for_approval_or_was_taken_out_has_not_begun(bureau: Bureau) -> None:
    bureau.changes["elicitation"] = False
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))
        await desktop.call("record_reply", who=address(0), answer="opt_out")
        [item] = (await desktop.call("report", blueprint_id=blueprint))["items"]
    assert (item["people"], item["to_approve"], item["taken_out"], item["waiting"], item["sent"]) == (
        3,
        2,
        1,
        0,
        0,
    )


async def test_two_subjects_are_compared_with_counts_and_an_interval_or_told_to_be_too_few(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, _):
        connected.changes["elicitation"] = False
        async with connected.client("auto") as desktop:
            blueprint = await desktop.blueprint({**MAIL, "subject": "A role"})
            first = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(30))
            await agreed(connected, first)
            [(to, message_id), *_] = connected.rows("SELECT recipient, message_id FROM step_run ORDER BY no")
            comes_in(connected, reply(Sent(message_id=message_id, sender=ADA, recipient=to), "Yes."))
            new = {**MAIL, "subject": "Ten minutes on Tuesday"}
            await desktop.call("update_blueprint", blueprint_id=blueprint, expected_version=1, steps=[new])
            others = [{**one, "email": f"second{place}@x.example"} for place, one in enumerate(people(30))]
            second = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=others)
            await agreed(connected, second)
            [compared] = (await desktop.call("report", blueprint_id=blueprint))["items"][0]["subjects"]
            assert compared["verdict"].startswith("Too few to tell")
            rows = connected.rows("SELECT recipient, message_id FROM step_run WHERE recipient LIKE 'second%'")
            for to, message_id in rows[:14]:
                comes_in(connected, reply(Sent(message_id=message_id, sender=ADA, recipient=to), "Gladly."))
            [item] = (await desktop.call("report", blueprint_id=blueprint))["items"]
    [compared] = item["subjects"]
    assert list(compared["subjects"]) == ["Ten minutes on Tuesday", "A role"]
    assert compared["subjects"]["Ten minutes on Tuesday"].startswith("14 of 30, 46.7 % (")
    assert compared["verdict"].startswith("“Ten minutes on Tuesday” gets more replies than the other: by ")
    assert [(one["version"], one["people"], one["replied"]) for one in item["versions"]] == [
        (2, 30, 14),
        (1, 30, 1),
    ]


SUBJECTS = ["A role", "Ten minutes on Tuesday"]
TESTED = {**{name: value for name, value in MAIL.items() if name != "subject"}}
TESTED["variants"] = [{"name": "plain", "subject": SUBJECTS[0]}, {"subject": SUBJECTS[1]}]


async def answered(connected: Bureau, subject: str, *, number: int) -> None:
    """Let so many of those who were sent an e-mail with this subject answer it."""
    rows = connected.rows(
        "SELECT recipient, message_id FROM step_run WHERE subject = ? AND state = 'sent' ORDER BY no", subject
    )
    for to, message_id in rows[:number]:
        comes_in(connected, reply(Sent(message_id=message_id, sender=ADA, recipient=to), "Gladly."))


async def test_variants_are_compared_with_counts_and_an_interval_or_told_to_be_too_few(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, _):
        connected.changes["elicitation"] = False
        async with connected.client("auto") as desktop:
            blueprint = await desktop.blueprint(TESTED)
            await agreed(
                connected, await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(60))
            )
            await answered(connected, SUBJECTS[0], number=1)
            [item] = (await desktop.call("report", blueprint_id=blueprint))["items"]
            assert item["variants"][0]["verdict"].startswith("Too few to tell: A 1 of 30 against B 0 of 30; ")
            await answered(connected, SUBJECTS[1], number=12)
            [item] = (await desktop.call("report", blueprint_id=blueprint))["items"]
    [compared] = item["variants"]
    assert (compared["step_id"], compared["versions"]) == ("hello", [1])
    first, second = compared["variants"]
    assert (first["variant"], first["name"], first["subject"], first["sent"]) == ("A", "plain", SUBJECTS[0], 30)
    assert second["reply_rate"].startswith("12 of 30, 40.0 % (")
    assert compared["verdict"].startswith("B 12 of 30 against A 1 of 30: B gets more replies, by ")
    assert compared["verdict"].endswith(" points of a hundred.")
    [subjects] = item["subjects"]
    assert list(subjects["subjects"]) == SUBJECTS[::-1]
    assert "“Ten minutes on Tuesday” gets more replies than the other" in subjects["verdict"]
    assert "subject" not in item["steps"][0] and item["steps"][0]["sent"] == 60


async def test_variants_that_a_new_version_keeps_count_together_and_changed_ones_apart(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, _):
        connected.changes["elicitation"] = False
        async with connected.client("auto") as desktop:
            blueprint = await desktop.blueprint(TESTED)
            await agreed(
                connected, await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(6))
            )
            changed = {**TESTED, "variants": [*TESTED["variants"], {"subject": "Rust"}]}
            for version, steps in ((1, [TESTED, LATER]), (2, [changed, LATER])):
                await desktop.call(
                    "update_blueprint", blueprint_id=blueprint, expected_version=version, steps=steps
                )
                more = [{**one, "email": f"v{version}x{place}@x.example"} for place, one in enumerate(people(6))]
                await agreed(
                    connected, await desktop.call("start_sequence", blueprint_id=blueprint, contacts=more)
                )
            [item] = (await desktop.call("report", blueprint_id=blueprint))["items"]
    told = {tuple(one["versions"]): [it["sent"] for it in one["variants"]] for one in item["variants"]}
    assert told == {(1, 2): [6, 6], (3,): [2, 2, 2]}


async def test_a_text_of_their_own_counts_for_no_variant(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, _):
        connected.changes["elicitation"] = False
        async with connected.client("auto") as desktop:
            blueprint = await desktop.blueprint(TESTED)
            plan = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(4))
            draft = plan["sample"]["steps"][0]["draft_id"]
            await desktop.call("edit_draft", draft_id=draft, content="Hello Grace, may I ask about your book?")
            [plan] = (await desktop.call("list_reviews"))["plans"]["items"]
            await agreed(connected, plan)
            [item] = (await desktop.call("report", blueprint_id=blueprint))["items"]
    assert sorted(one["sent"] for one in item["variants"][0]["variants"]) == [1, 2]
    assert item["steps"][0]["sent"] == 4


@pytest.mark.parametrize("vendor", ["kalent", "clarky", "topo"])
async def test_of_a_vendor_what_it_does_not_tell_is_absent_and_the_note_says_so(
    vendors: Connected, vendor: str
) -> None:
    await running(vendors, vendor)
    async with vendors.client("auto") as desktop:
        told = await desktop.call("report", provider=vendor)
        [item] = told["items"]
        assert (item["people"], item["waiting"]) == (1, 1)
        assert item.keys().isdisjoint({"bounced", "opted_out", "away", "won", "messages", "reply_rate"})
        assert "absent, not 0" in told["note"]
        whole = (await desktop.call("report", blueprint_id=item["blueprint_id"]))["items"][0]
        assert "steps" not in whole and "weeks" not in whole


async def test_what_a_vendor_tells_of_a_reply_and_what_was_recorded_here_is_counted(vendors: Connected) -> None:
    sample = await running(vendors, "topo")
    async with vendors.client("auto") as desktop:
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
        await desktop.call("record_reply", who=run["id"], answer="won")
        [item] = (await desktop.call("report", provider="topo"))["items"]
    assert (item["won"], item["interested"]) == (1, 1)
    assert "bounced" not in item


async def test_a_blueprint_that_is_not_known_is_an_error_that_says_what_to_do(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        missing = await desktop.refused("report", blueprint_id="local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV")
        assert missing["code"] == "not_found"
        wrong = await desktop.refused("report", blueprint_id="local:ct_01ARZ3NDEKTSV4RRFFQ69G5FAV")
        assert wrong["code"] == "wrong_id"
        nobody = await desktop.refused("report", provider="nobody")
        assert nobody["code"] == "not_supported"
        assert (await desktop.call("report"))["items"] == []


async def test_a_report_fits_a_result_however_much_there_is(bureau: Bureau) -> None:
    """Six versions of five steps with long names and subjects, answers in many weeks, and a page of blueprints."""
    long = "Extraordinarily long words about the same old thing " * 3

    def steps(version: int) -> list[dict[str, Any]]:
        later = {"temporalityType": "DELAYED", "delay": {"value": 8, "unit": "day"}}
        texts = {"name": long, "subject": f"{version} {long}"[:150]}
        return [{**MAIL, **texts, "id": f"step{place}", **(later if place else {})} for place in range(5)]

    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(*steps(0))
        for version in range(1, 7):
            contacts = [{**one, "email": f"v{version}p{place}@x.example"} for place, one in enumerate(people(3))]
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
            for _ in range(5):
                bureau.work()
                bureau.forward(days=8, hours=1)
            await desktop.call(
                "update_blueprint", blueprint_id=blueprint, expected_version=version, steps=steps(version)
            )
        for place in range(10):
            other = await desktop.blueprint({**MAIL, "id": f"o{place}"})
            contacts = [{**one, "email": f"o{place}@x.example"} for one in people(1)]
            await desktop.call("start_sequence", blueprint_id=other, contacts=contacts)
        sizes = {
            "whole": tokens.counter().count(text_of(await desktop.raw("report", blueprint_id=blueprint))),
            "page": tokens.counter().count(text_of(await desktop.raw("report"))),
        }
        shown = (await desktop.call("report", blueprint_id=blueprint))["items"][0]
    assert max(sizes.values()) <= 2_000, sizes
    assert "older or further" in shown["shortened"]
