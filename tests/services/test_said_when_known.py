"""What is known is said when it is known, counted before it is listed, and counted as its words say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, Bureau, Desktop, mailing, people, text_of, yes

from sequences_mcp.planning.warnings import number_of_warnings
from sequences_mcp.review import terminal
from sequences_mcp.review.decide import look_up
from sequences_mcp.review.presentation import present_plan
from sequences_mcp.services.reviews import list_reviews

DOUBTFUL = {
    **MAIL,
    "content": "Hi {{firstname}}, you work as {{candidateJobTitle}}; more on https://example.com/role",
}
ODD = {**GRACE, "job_title": "Head of [everything]"}
ODDER = {**LINUS, "job_title": "Head of [nothing]"}
SMS = {**LINKEDIN, "id": "text", "name": "Text", "type": "SMS", "policy": {"skipStepIfNoContact": True}}
SMS.pop("linkedInType")


async def numbers_of_warnings(bureau: Bureau, desktop: Desktop, started: dict[str, Any]) -> dict[str, int]:
    """Return the number of warnings of a plan as each surface tells it."""
    [listed] = (await desktop.call("list_reviews"))["plans"]["items"]
    async with bureau.app() as app:
        plan = await app.plans.get_plan(started["plan_id"])
        seen = await present_plan(app, plan)
        reviews = await list_reviews(app)
        head = (await look_up(app, plan.id)).lines
        [line] = terminal.review_list(reviews)
        told = {
            "the function": await number_of_warnings(app, plan),
            "the page and the panel": seen.warnings,
            "the terminal's list": int(found[1]) if (found := re.search(r"(\d+) warning", line)) else 0,
            "the terminal's head": int(found[1]) if (found := re.search(r"(\d+) warning", head[0])) else 0,
            "the terminal's lines": sum(one.startswith("  Warning: ") for one in head),
        }
    return {**told, "start_sequence": started["warnings"], "list_reviews": listed["warnings"]}


@pytest.mark.parametrize("contacts", [[GRACE | {"job_title": "Admiral"}], [ODD], [ODD, ODDER]])
async def test_one_number_of_warnings_is_told_everywhere(bureau: Bureau, contacts: list[Any]) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(DOUBTFUL)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
        numbers = await numbers_of_warnings(bureau, desktop, started)
    assert len(set(numbers.values())) == 1, numbers
    assert numbers["the function"] >= 1


async def test_the_dialog_tells_as_many_warnings_as_everything_else(bureau: Bureau) -> None:
    asked: list[str] = []

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        return ElicitResult(action="cancel")

    async with bureau.client("auto", answer) as desktop:
        blueprint = await desktop.blueprint(DOUBTFUL)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[ODD, ODDER])
    number = started["warnings"]
    assert f"Approving covers {number} warnings." in asked[0]
    assert sum(line.startswith("Warning: ") for line in asked[0].splitlines()) == number


async def test_the_number_follows_an_edit(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(DOUBTFUL)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[ODD])
        draft = started["sample"]["steps"][0]["draft_id"]
        await desktop.call("edit_draft", draft_id=draft, content="Hi Grace, a short word about the role.")
        again = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[ODD])
        numbers = await numbers_of_warnings(bureau, desktop, again)
    assert len(set(numbers.values())) == 1, numbers
    assert again["warnings"] < started["warnings"]


async def test_steps_that_never_happened_are_not_counted_as_done(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(2))
        first, second = (await desktop.call("list_sequences"))["items"]
        await desktop.call("stop_sequence", sequence_id=first["id"], reason="LOSE")
        bureau.work()
        rows = {one["id"]: one["steps_done"] for one in (await desktop.call("list_sequences"))["items"]}
    assert rows == {first["id"]: "0 of 2", second["id"]: "1 of 2"}


async def test_after_a_yes_each_step_tells_what_became_of_it(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))
        run = (await desktop.call("list_sequences"))["items"][0]
        await desktop.call("stop_sequence", sequence_id=run["id"], reason="LOSE")
        bureau.work()
    async with bureau.app() as app:
        seen = await present_plan(app, await app.plans.get_plan(started["plan_id"]))
    assert [step.reach_words for step in seen.steps] == [
        "2 written to the outbox folder, 1 never reached",
        "1 never reached, 2 to come",
    ]


async def test_an_outbox_is_never_called_sent(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        start: dict[str, Any] = {"blueprint_id": blueprint, "contacts": people(2)}
        await desktop.call("start_sequence", **start)
        bureau.work()
        again = await desktop.call("start_sequence", **start)
        run = (await desktop.call("list_sequences"))["items"][0]["id"]
        step = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]
    assert again["sent"] == "nothing: 2 e-mails written to the outbox folder, which reaches nobody"
    assert step["state"] == "in_outbox"


async def test_e_mails_that_left_are_counted_as_sent(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, _):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL, LINKEDIN)
            start: dict[str, Any] = {"blueprint_id": blueprint, "contacts": people(2)}
            await desktop.call("start_sequence", **start)
            connected.work()
            again = await desktop.call("start_sequence", **start)
        assert again["sent"] == "2 e-mails"


async def test_a_company_stop_counts_first_and_fits_a_result(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        crowd = [{**one, "company": "Hopper"} for one in people(96)]
        blueprint = await desktop.blueprint()
        quiet = bureau.having(ELICITATION="off")
        async with quiet.client("auto") as other:
            await other.call("start_sequence", blueprint_id=blueprint, contacts=crowd)
        run = (await desktop.call("list_sequences"))["items"][0]["id"]
        result = await desktop.raw("stop_sequence", sequence_id=run, reason="LOSE", scope="COMPANY")
    told = json.loads(text_of(result))
    assert told["stopped_count"] == 96
    assert len(told["stopped"]) + len(told["also_stopped"]) == 96
    assert len(text_of(result)) < 6_000


async def test_a_suppressed_domain_counts_what_it_stopped(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint()
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(60))
        told = await desktop.call("suppress_contact", contact="hopper.example", reason="asked us to stop")
    assert told["stopped_count"] == 60
    assert len(told["stopped"]) + len(told["also_stopped"]) == 60


async def test_equal_reasons_of_those_left_out_are_one_line_with_a_number(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(5))
        nameless = [{"email": f"nobody{n}@hopper.example"} for n in range(30)]
        for nobody in nameless[:5]:
            await desktop.call("suppress_contact", contact=nobody["email"], reason="asked us to stop")
        contacts = [*people(5), *nameless, {**GRACE, "email": "one@elsewhere.example"}]
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
        preview = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=contacts)
        error = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=nameless)
    for told in (started, preview):
        assert told["left_out_count"] >= 35
        assert sorted(one["count"] for one in told["left_out_why"])[-1] == 30
        assert len(told["left_out_why"]) <= 6
        # Who is listed and nameless is counted for both.
        assert {"count": 5, "reason": "suppressed: asked us to stop"} in told["left_out_why"]
    assert (error["left_out_count"], error["left_out_why"][0]["count"]) == (30, 30)


async def test_a_blueprint_says_at_save_what_people_must_have_what_is_by_hand_and_how_long_it_takes(
    bureau: Bureau,
) -> None:
    capped = bureau.having(DAILY_CAP="50")
    titled = {**MAIL, "content": "Hi {{firstname}}, you work as {{candidateJobTitle}}."}
    async with capped.client("auto") as desktop:
        made = await desktop.call(
            "create_blueprint", name="A", steps=[titled, LINKEDIN, SMS], job_title="Engineer"
        )
    needs = "\n".join(made["people_need"])
    assert "e-mail address: step hello" in needs and "LinkedIn URL: step message" in needs
    assert "phone number, or step text is skipped" in needs
    assert "job_title" in needs and "first_name" in needs
    assert [one.partition(":")[0] for one in made["by_hand"]] == ["message", "text"]
    assert "for 100 people over 2 days or more, at most 50 in 24 hours" in made["pace"]


async def test_a_start_tells_when_each_step_is_due_who_is_skipped_and_how_long_it_takes(bureau: Bureau) -> None:
    async with bureau.having(DAILY_CAP="2").client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL, SMS)
        contacts = people(5)
        contacts[3] = {**contacts[3], "phone": "+4915112345678"}
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
    hello, text = started["sample"]["due"]
    assert hello.startswith("hello: about Mon 2026-11-23")
    assert text == "text: will be skipped, no phone number is known"
    assert started["will_skip"] == {"text": 4}
    assert "5 e-mails, over 3 days or more" in started["pace"]
    assert started["sender"] == "Ada Lovelace <ada@lovelace.example>"


SAME = {"email": "s@hopper.example", "first_name": "Smith", "last_name": "SMITH", "company": "Hopper"}
SEEMING = {"email": "\u0430@hopper.example", "first_name": "Grace", "last_name": "Hopper", "company": "Hopper"}


WHOLE = {"email": "w@hopper.example", "first_name": "Grace Hopper", "last_name": "Hopper", "company": "Hopper"}
TURNED = {**WHOLE, "first_name": "HOPPER, Grace"}
NOBODY = {**WHOLE, "first_name": "John", "last_name": "Doe"}


@pytest.mark.parametrize(
    ("one", "rule"),
    [
        (SAME, "person.same_names"),
        (WHOLE, "person.whole_name"),
        (TURNED, "person.whole_name"),
        (SEEMING, "person.lookalike_address"),
        (NOBODY, "person.sample_name"),
    ],
    ids=["same names", "whole name", "turned name", "address", "nobody"],
)
async def test_what_no_fact_shows_by_itself_is_a_warning_before_the_yes(
    tmp_path: Path, one: dict[str, str], rule: str
) -> None:
    bureau = Bureau.at(tmp_path)
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        asked = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[one])
        plain = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    assert rule in json.dumps(asked) and rule not in json.dumps(plain)
    async with bureau.app() as app:
        seen = await look_up(app, asked["plan_id"])
    said = ("the same", "has the last name", "look like Latin", "from examples")
    assert any(words in line for line in seen.lines for words in said)


async def test_a_refused_start_says_who_was_saved_and_who_was_known_before(tmp_path: Path) -> None:
    bureau = Bureau.at(tmp_path)
    people = [GRACE, LINUS]
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        for one in people:
            await desktop.call("save_contacts", contacts=[one])
            await desktop.call("suppress_contact", contact=one["email"], reason="asked")
        await desktop.call("suppress_contact", contact="new@hopper.example", reason="asked")
        known = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=people)
        named = await desktop.refused(
            "start_sequence", blueprint_id=blueprint, contacts=[one["email"] for one in people]
        )
        new = {**GRACE, "email": "new@hopper.example"}
        mixed = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[*people, new])
    assert [(one["saved"], one["known_before"]) for one in (known, named, mixed)] == [(0, 2), (0, 2), (1, 2)]
