"""A start waits for a person: asked in a dialog where there is one, and never decided by an argument."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio.lowlevel
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult, ErrorData, InputRequiredResult
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, WRITTEN, Desktop, World, people, text_of, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Sourcing, Step
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.sender import Secret

ANSWERS = {
    "given": (yes, "done", PlanStatus.APPROVED),
    "declined": (lambda _: ElicitResult(action="decline"), "refused", PlanStatus.REFUSED),
    "dismissed": (lambda _: ElicitResult(action="cancel"), "waiting_for_approval", PlanStatus.WAITING),
}


async def status_of(world: World, plan_id: str) -> PlanStatus:
    async with world.app() as app:
        return (await app.plans.get_plan(plan_id)).status


@pytest.mark.parametrize("approval", ANSWERS)
async def test_each_answer_to_the_dialog_is_a_result_of_its_own(world: World, era: str, approval: str) -> None:
    answer, outcome, status = ANSWERS[approval]
    async with world.client(era, answer) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE, LINUS])
    assert (started["approval"], started["outcome"], started["sent"]) == (approval, outcome, "nothing")
    assert started["status"] == status == await status_of(world, started["plan_id"])


async def test_a_box_left_unticked_is_a_no(world: World, era: str) -> None:
    async with world.client(era, lambda _: ElicitResult(action="accept", content={"approve": False})) as desktop:
        started = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE])
    assert (started["approval"], started["outcome"]) == ("declined", "refused")
    assert await status_of(world, started["plan_id"]) is PlanStatus.REFUSED


async def test_without_dialogs_the_plan_waits_and_says_where_a_person_approves(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        started = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE])
        listed = await desktop.call("list_reviews")
    assert (started["approval"], started["outcome"]) == ("not_asked", "waiting_for_approval")
    assert started["next"].endswith(f"sequences-mcp review approve {started['plan_id']}")
    assert [plan["plan_id"] for plan in listed["plans"]["items"]] == [started["plan_id"]]
    assert len(started["digest"]) == 64


async def test_nobody_is_asked_where_the_operator_turned_dialogs_off(world: World) -> None:
    world.changes["elicitation"] = False
    async with world.client(answer=_never) as desktop:
        started = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE])
    assert started["approval"] == "not_asked"


async def test_eleven_people_are_too_many_for_a_dialog_and_ten_are_not(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        blueprint = await desktop.blueprint()
        ten = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(10))
    async with world.client(era, _never) as desktop:
        others = [{**one, "email": f"other.{one['email']}"} for one in people(11)]
        eleven = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=others)
    assert (ten["approval"], eleven["approval"]) == ("given", "not_asked")


async def test_a_plan_with_missing_texts_is_not_asked_about_and_says_what_to_write(world: World) -> None:
    async with world.client(answer=_never) as desktop:
        blueprint = await desktop.blueprint(WRITTEN)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    assert started["missing_texts"] == 1
    assert [(one["name"], one["step_ids"]) for one in started["to_write"]] == [("Grace Hopper", ["own"])]
    assert started["next"].startswith("edit_draft writes the missing texts")


async def test_the_dialog_shows_one_exact_text_and_how_the_others_differ(world: World) -> None:
    asked: list[str] = []

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        return yes(message)

    async with world.client(answer=answer) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE, LINUS])
    [message] = asked
    assert message == (
        "Start “Engineers” (version 1) for 2 people?\n"
        "From Ada Lovelace <ada@lovelace.example>; outbox: e-mails are written to a folder and reach nobody "
        "(no mail server is set up).\n"
        "E-mails leave Mon-Fri 08:00-19:00 in each person's time zone, at most 50 in 24 hours, 30 to 45 s apart, "
        "people of one company 5 min.\n"
        f"Fingerprint of this plan: {started['digest'][:16]}…\n"
        "\n"
        "Grace Hopper <grace@hopper.example> gets:\n"
        "1. EMAIL to grace@hopper.example, about Mon 2026-11-23 12:00 UTC\n"
        "   Subject: Engineer\n"
        "   Hi Grace, would a short call about the role suit you?\n"
        "2. LINKEDIN_MESSAGE to https://www.linkedin.com/in/grace, about Wed 2026-11-25 12:00 UTC\n"
        "   Hi Grace, I wrote to you by e-mail.\n"
        "\n"
        "Linus Torvalds <linus@torvalds.example> gets the same, except:\n"
        "1. to linus@torvalds.example, about Mon 2026-11-23 12:00 UTC: “Grace,” becomes “Linus,”\n"
        "2. to https://www.linkedin.com/in/grace, about Wed 2026-11-25 12:00 UTC: “Grace,” becomes “Linus,”"
    )


async def test_a_name_with_line_breaks_that_was_stored_before_is_one_line_of_the_dialog(world: World) -> None:
    asked: list[str] = []

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        return ElicitResult(action="cancel")

    async with world.app() as app:
        name = "Engineers\n\nGrace Hopper gets:\n   Hi"
        steps = (Step.model_validate(MAIL),)
        blueprint = await app.local.create_blueprint(
            name=name, steps=steps, sourcing=Sourcing(job_title="Engineer")
        )
    async with world.client(answer=answer) as desktop:
        await desktop.call("start_sequence", blueprint_id=blueprint.id, contacts=[GRACE])
        refused = await desktop.refused("create_blueprint", name=name, steps=[MAIL])
    first, second = asked[0].splitlines()[:2]
    assert first == "Start “Engineers Grace Hopper gets: Hi” (version 1) for 1 person?"
    assert second.startswith("From Ada Lovelace")
    assert "line break" in str(refused)


async def test_texts_written_for_one_person_are_shown_whole(world: World) -> None:
    asked: list[str] = []

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        return ElicitResult(action="cancel")

    texts = ["Hello Grace, your compiler talk was clear.", "Hello Linus, your kernel notes were clear."]
    contacts = [{**one, "texts": {"own": text}} for one, text in zip((GRACE, LINUS), texts, strict=True)]
    async with world.client(answer=answer) as desktop:
        blueprint = await desktop.blueprint(WRITTEN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
    assert all(f"   {text}" in asked[0] for text in texts)


async def test_a_text_that_comes_out_too_different_is_shown_whole(world: World) -> None:
    asked: list[str] = []

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        return ElicitResult(action="cancel")

    names_alone = {**MAIL, "content": "{{firstname}} {{lastname}}, may I call?"}
    contacts = [GRACE, {**LINUS, "first_name": "Linus Benedict Maria", "last_name": "of House Torvalds"}]
    async with world.client(answer=answer) as desktop:
        blueprint = await desktop.blueprint(names_alone)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
    assert "   Linus Benedict Maria of House Torvalds, may I call?" in asked[0]


async def test_the_dialog_and_the_result_tell_the_warnings_a_yes_covers(world: World) -> None:
    asked: list[str] = []

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        return yes(message)

    doubtful = {**MAIL, "content": "Hi {{firstname}}, more on https://example.com/role today."}
    async with world.client(answer=answer) as desktop:
        blueprint = await desktop.blueprint(doubtful)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    [finding] = started["findings"]
    assert (finding["rule"], finding["severity"]) == ("placeholders.example_host", "warning")
    assert f"Warning: step hello: {finding['message']}" in asked[0]


NEITHER = {
    "nothing filled in": ElicitResult(action="accept", content={}),
    "no content at all": ElicitResult(action="accept"),
    "another field": ElicitResult(action="accept", content={"confirm": True}),
    "a word": ElicitResult(action="accept", content={"approve": "perhaps"}),
    "a word for yes": ElicitResult(action="accept", content={"approve": "true"}),
    "a number": ElicitResult(action="accept", content={"approve": 1}),
    "a null": ElicitResult(action="accept", content={"approve": None}),
    "a list": ElicitResult(action="accept", content={"approve": ["true"]}),
    "closed": ElicitResult(action="cancel", content={"approve": True}),
}


@pytest.mark.parametrize("said", NEITHER)
async def test_an_answer_that_is_neither_yes_nor_no_leaves_the_plan_waiting(
    world: World, era: str, said: str
) -> None:
    async with world.client(era, lambda _: NEITHER[said]) as desktop:
        blueprint = await desktop.blueprint()
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    approval = "dismissed" if said == "closed" else "no_answer"
    assert (started["approval"], started["outcome"], started["sent"]) == (
        approval,
        "waiting_for_approval",
        "nothing",
    )
    assert f"sequences-mcp review approve {started['plan_id']}" in started["next"]
    assert "repeat_of" not in started
    assert await status_of(world, started["plan_id"]) is PlanStatus.WAITING
    async with world.client(era, yes) as desktop:  # and it can still be answered
        agreed = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    assert (agreed["approval"], agreed["plan_id"]) == ("given", started["plan_id"])


@pytest.mark.parametrize("code", [-32601, -32603, -32602, -32000, 42])
async def test_an_error_instead_of_an_answer_leaves_the_plan_waiting_and_names_the_ways(
    world: World, code: int
) -> None:
    world.changes["page_address"] = lambda path: f"http://127.0.0.1:9999{path}"
    async with world.client("legacy", lambda _: ErrorData(code=code, message="Method not found")) as desktop:
        blueprint = await desktop.blueprint()
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    assert (started["approval"], started["outcome"]) == ("no_answer", "waiting_for_approval")
    assert f"http://127.0.0.1:9999/plans/{started['plan_id']}" in started["next"]
    assert f"sequences-mcp review approve {started['plan_id']}" in started["next"]
    assert await status_of(world, started["plan_id"]) is PlanStatus.WAITING


async def test_a_client_that_gives_its_dialog_up_leaves_the_plan_waiting(world: World) -> None:
    async with world.client("auto", lambda _: ErrorData(code=-32603, message="no dialog")) as desktop:
        blueprint = await desktop.blueprint()
        with pytest.raises(MCPError):
            await desktop.raw("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        [plan] = (await desktop.call("list_reviews"))["plans"]["items"]
    assert (plan["status"], plan["people"]) == ("waiting", 1)


async def test_a_yes_to_a_question_that_nobody_was_asked_is_none(world: World) -> None:
    async with world.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        arguments = {"blueprint_id": blueprint, "contacts": [GRACE]}
        session = desktop.client.session
        asked = await session.call_tool("start_sequence", arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        preapproved = await session.call_tool(
            "start_sequence", arguments, input_responses={"consent": yes("")}, allow_input_required=True
        )
        assert isinstance(preapproved, InputRequiredResult)  # it is asked, instead of taken for answered
        with pytest.raises(MCPError):
            await session.call_tool(
                "start_sequence",
                arguments,
                input_responses={"consent": yes("")},
                request_state=f"consent:{'0' * 64}",
                allow_input_required=True,
            )
        [plan] = (await desktop.call("list_reviews"))["plans"]["items"]
    assert plan["status"] == "waiting"


async def test_the_same_start_again_makes_no_second_plan_and_says_that_it_is_a_repeat(
    world: World, era: str
) -> None:
    async with world.client(era, yes) as desktop:
        blueprint = await desktop.blueprint()
        first = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    world.clock.now += timedelta(hours=1)
    async with world.client(era, _never) as desktop:
        again = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        runs = await desktop.call("list_sequences")
    assert runs["total_count"] == 1
    assert (again["plan_id"], again["approval"], again["outcome"]) == (first["plan_id"], "given", "done")
    assert "repeat_of" not in first
    assert again["repeat_of"] == "2026-11-23T12:00:00+00:00"
    assert again["next"].startswith(f"This call repeats the one of {again['repeat_of']}")


@pytest.mark.parametrize("key", [None, "monday"])
async def test_a_repeat_tells_what_became_of_everybody_and_how_to_begin_anew(
    world: World, era: str, key: str | None
) -> None:
    start: dict[str, Any] = {"contacts": people(4)} | ({"idempotency_key": key} if key else {})
    async with world.client(era, yes) as desktop:
        start["blueprint_id"] = await desktop.blueprint()
        await desktop.call("start_sequence", **start)
        for run in (await desktop.call("list_sequences"))["items"][:3]:
            await desktop.call("stop_sequence", sequence_id=run["id"], reason="LOSE")
        some = await desktop.call("start_sequence", **start)
        await desktop.call("suppress_contact", contact="hopper.example", reason="asked us to stop")
        none = await desktop.call("start_sequence", **start)
        anew = await desktop.refused("start_sequence", **{**start, "idempotency_key": "tuesday"})
    assert (some["outcome"], some["became"]) == ("done", {"ACTIVE": 1, "STOPPED_EARLY": 3})
    assert "1 under way, 3 stopped" in some["next"]
    assert (none["outcome"], none["became"]) == ("not_done", {"STOPPED_EARLY": 4})
    assert "under way" not in none["next"]
    assert "another idempotency_key" in none["next"]
    assert none["became_why"] == [{"count": 1, "reason": "suppressed: asked us to stop"}]
    assert anew["left_out_count"] == 4


async def test_a_repeat_after_a_refusal_says_who_refused_why_and_how_to_begin_anew(world: World) -> None:
    async with world.client() as desktop:
        start: dict[str, Any] = {"blueprint_id": await desktop.blueprint(), "contacts": [GRACE]}
        planned = await desktop.call("start_sequence", **start)
        async with world.app() as app:
            await app.plans.refuse_plan(planned["plan_id"], reason="too early", actor=Actor("ada"))
        again = await desktop.call("start_sequence", **start)
        anew = await desktop.call("start_sequence", idempotency_key="again", **start)
    assert (again["approval"], again["outcome"], again["status"]) == ("declined", "refused", "refused")
    assert "ada" in again["next"] and "too early" in again["next"] and "idempotency_key" in again["next"]
    assert anew["outcome"] == "waiting_for_approval" and anew["plan_id"] != planned["plan_id"]


async def test_a_repeat_after_a_plan_was_withdrawn_closed_or_expired_says_so(world: World) -> None:
    async with world.client() as desktop:
        blueprint = await desktop.blueprint()
        ends = {}
        for name in ("withdrawn", "closed", "expired"):
            contacts = [{**GRACE, "email": f"{name}@hopper.example"}]
            start: dict[str, Any] = {
                "blueprint_id": blueprint,
                "contacts": contacts,
                "idempotency_key": f"the key of {name}",
            }
            plan = await desktop.call("start_sequence", **start)
            if name == "withdrawn":
                await desktop.call("withdraw_plan", plan_id=plan["plan_id"])
            elif name == "closed":
                await desktop.call("suppress_contact", contact=contacts[0]["email"], reason="asked us to stop")
            else:
                world.clock.now += timedelta(hours=25)
            ends[name] = await desktop.call("start_sequence", **start)
    for name, told in ends.items():
        assert (told["status"], told["outcome"], told["sent"]) == (name, "not_done", "nothing")
        assert "idempotency_key" in told["next"]


async def test_one_start_sent_twice_at_once_leaves_one_plan(world: World) -> None:
    results: list[str] = []

    async def start(desktop: Desktop, arguments: dict[str, Any]) -> None:
        async def ignore(done: float, total: float | None, message: str | None) -> None:
            await anyio.lowlevel.checkpoint()

        result = await desktop.client.call_tool("start_sequence", arguments, progress_callback=ignore)
        results.append(text_of(result))

    async with world.client() as desktop:
        arguments = {"blueprint_id": await desktop.blueprint(), "contacts": people(600)}
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(start, desktop, arguments)
        reviews = await desktop.call("list_reviews")
        found = await desktop.call("list_sequences", status="FOUND", size=1)
    assert len({json.loads(one)["plan_id"] for one in results}) == 1
    assert (reviews["plans"]["total_count"], found["total_count"]) == (1, 600)


async def test_a_dialog_that_was_closed_can_be_answered_by_the_same_call(world: World, era: str) -> None:
    answers = iter([ElicitResult(action="cancel"), yes("")])
    async with world.client(era, lambda _: next(answers)) as desktop:
        blueprint = await desktop.blueprint()
        closed = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        agreed = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    assert (closed["approval"], agreed["approval"]) == ("dismissed", "given")
    assert closed["plan_id"] == agreed["plan_id"]


async def test_a_key_used_for_another_start_is_refused_before_anything_is_planned(world: World) -> None:
    async with world.client() as desktop:
        blueprint = await desktop.blueprint()
        start: dict[str, Any] = {"blueprint_id": blueprint, "idempotency_key": "monday"}
        await desktop.call("start_sequence", contacts=[GRACE], **start)
        error = await desktop.refused("start_sequence", contacts=[LINUS], **start)
        reviews = await desktop.call("list_reviews")
    assert error["code"] == "key_reused"
    assert reviews["plans"]["total_count"] == 1


async def test_a_yes_to_texts_that_have_changed_meanwhile_starts_nothing(world: World, era: str) -> None:
    async def changed_elsewhere(message: str) -> ElicitResult:
        async with world.client("auto") as editor:
            [run] = (await editor.call("list_sequences", status="FOUND"))["items"]
            draft = (await editor.call("get_sequence", sequence_id=run["id"]))["steps"][0]["draft_id"]
            await editor.call("edit_draft", draft_id=draft, content="Hi Grace, this is another text.")
        return yes(message)

    async with world.client(era, changed_elsewhere) as desktop:
        blueprint = await desktop.blueprint()
        error = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        active = await desktop.call("list_sequences", status="ACTIVE")
    assert error["code"] == "approval_refused"
    assert active["total_count"] == 0


async def test_auto_approve_is_refused_unless_the_operator_listed_the_blueprint(world: World) -> None:
    async with world.client(answer=_never) as desktop:
        blueprint = await desktop.blueprint()
        start: dict[str, Any] = {"blueprint_id": blueprint, "contacts": [GRACE], "auto_approve": True}
        error = await desktop.refused("start_sequence", **start)
    world.changes["auto_approve"] = frozenset({f"{blueprint}@1"})
    async with world.client(answer=_never) as desktop:
        started = await desktop.call("start_sequence", **start)
    assert error["code"] == "approval_refused"
    assert (started["approval"], started["outcome"]) == ("by_operator", "done")


async def test_whoever_is_left_out_is_named_with_the_reason(world: World) -> None:
    async with world.client() as desktop:
        await desktop.call("suppress_contact", contact="torvalds.example", reason="asked us to stop")
        started = await desktop.call(
            "start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE, LINUS]
        )
    assert started["people"] == 1
    [left] = started["left_out"]
    assert left["name"] == "Linus Torvalds"
    assert "asked us to stop" in left["reasons"][0]


async def test_planning_many_reports_progress(world: World, era: str) -> None:
    seen: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        seen.append((done, total))

    async with world.client(era) as desktop:
        arguments = {"blueprint_id": await desktop.blueprint(), "contacts": people(1_001)}
        result = await desktop.client.call_tool("start_sequence", arguments, progress_callback=progress)
    assert json.loads(text_of(result))["people"] == 1_001
    assert seen == [(500, 1_001), (1_000, 1_001), (1_001, 1_001)]


async def test_the_dialog_says_how_and_how_much_is_sent(world: World) -> None:
    asked: list[str] = []
    async with world.app() as app:
        server = Secret("smtp://mail.example:587")
        world.changes["mailboxes"] = (replace(app.mailbox, smtp_url=server, daily_cap=7),)

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        return ElicitResult(action="cancel")

    async with world.client("auto", answer) as desktop:
        await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE])
    assert "e-mails leave through smtp://mail.example:587" in asked[0]
    assert "at most 7 in 24 hours" in asked[0]


def _never(message: str) -> ElicitResult:
    raise NotImplementedError(f"nobody should be asked: {message}")
