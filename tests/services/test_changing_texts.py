"""Changing what one person gets: overrides that merge, texts that are rewritten, and what a yes then covers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.product import GRACE, MAIL, Bureau, Desktop, plant, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.errors import ApprovalError
from sequences_mcp.services.reviews import approve_plan

TEMPLATE = {
    **MAIL,
    "subject": "{{candidateCompanyName}} and you",
    "content": "Hi {{firstname}}, you are {{candidateJobTitle}} at {{candidateCompanyName}}.",
}
LATER = {**TEMPLATE, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 1, "unit": "day"}}
NAVY = {**GRACE, "company": "Navy", "job_title": "Admiral"}


async def planned(desktop: Desktop, contact: dict[str, Any], *steps: dict[str, Any]) -> str:
    """Plan a start for one person and return the run."""
    blueprint = await desktop.blueprint(*(steps or [TEMPLATE]))
    started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[contact])
    return str(started["sample"]["sequence_id"])


async def text_of(desktop: Desktop, run: str, number: int = 0) -> tuple[str, str]:
    """Return subject and content of one step."""
    step = (await desktop.call("get_sequence", sequence_id=run))["steps"][number]
    return step["subject"], step["content"]


async def test_overrides_merge_and_null_takes_one_away(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        run = await planned(desktop, {**NAVY, "variables": {"firstname": "Amazing"}})
        assert await text_of(desktop, run) == ("Navy and you", "Hi Amazing, you are Admiral at Navy.")
        changes: list[tuple[dict[str, str | None], str]] = [
            ({"candidateCompanyName": "Yale"}, "Hi Amazing, you are Admiral at Yale."),
            ({"candidateCompanyName": "Vassar"}, "Hi Amazing, you are Admiral at Vassar."),
            ({"firstname": None, "candidateJobTitle": "Dean"}, "Hi Grace, you are Dean at Vassar."),
            ({"candidateCompanyName": None}, "Hi Grace, you are Dean at Navy."),
            ({"lastname": None}, "Hi Grace, you are Dean at Navy."),
        ]
        for change, text in changes:
            await desktop.call("update_sequence", sequence_id=run, variables=change)
            assert (await text_of(desktop, run))[1] == text
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert seen["variables"] == {"candidateJobTitle": "Dean"}


async def test_an_override_is_refused_whole_when_one_part_of_it_is_wrong(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        run = await planned(desktop, {"email": "a@b.example", "variables": dict(OVERRIDES)})
        before = await desktop.call("get_sequence", sequence_id=run)
        for variables, words in [
            ({"firstname": "Ada", "firstName": "Ada"}, "'firstName' is not a variable"),
            ({"firstname": "Ada", "company": None}, "'company' is not a variable"),
            ({"firstname": "\u200b"}, "the value of firstname is blank"),
            ({}, "variables is empty"),
            ({"firstname": "Ada", "candidateJobTitle": None}, "{{candidateJobTitle}} would be blank"),
        ]:
            error = await desktop.refused("update_sequence", sequence_id=run, variables=variables)
            assert words in error["message"]
        assert await desktop.call("get_sequence", sequence_id=run) == before


OVERRIDES = {"firstname": "Alan", "candidateJobTitle": "Reader", "candidateCompanyName": "King’s"}


async def test_a_text_written_for_one_person_is_not_overwritten_by_an_override(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        run = await planned(desktop, NAVY, TEMPLATE, LATER)
        draft = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]["draft_id"]
        await desktop.call("edit_draft", draft_id=draft, content="Dear {{firstname}}, this one is yours.")
        await desktop.call("update_sequence", sequence_id=run, variables={"firstname": "Amazing"})
        assert await text_of(desktop, run) == ("Navy and you", "Dear Grace, this one is yours.")
        assert (await text_of(desktop, run, 1))[1] == "Hi Amazing, you are Admiral at Navy."


async def test_a_subject_that_stays_is_not_filled_in_a_second_time(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        run = await planned(desktop, {**NAVY, "company": "Plain & Co"})
        draft = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]["draft_id"]
        plant(bureau.folder, "Plain", "{{lastname}}")
        error = await desktop.refused("edit_draft", draft_id=draft, content="Hi {{firstname}}, this is new.")
        assert error["code"] == "refused_by_guards"
        assert (await text_of(desktop, run))[0] == "{{lastname}} & Co and you"
        await desktop.call(
            "edit_draft", draft_id=draft, content="Hi {{firstname}}, again.", subject="{{lastname}}"
        )
        assert await text_of(desktop, run) == ("Hopper", "Hi Grace, again.")
        await desktop.call("edit_draft", draft_id=draft, content="Hi {{firstname}}, at last.")
        assert await text_of(desktop, run) == ("Hopper", "Hi Grace, at last.")


async def test_a_draft_that_the_guards_refuse_stays_as_it_was(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        run = await planned(desktop, NAVY)
        draft = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]["draft_id"]
        before = await text_of(desktop, run)
        for text in ("Hi {{firstName}}.", "Hi [name].", "Hi {{candidateLocation}}.", ""):
            error = await desktop.refused("edit_draft", draft_id=draft, content=text)
            assert (error["code"], bool(error["findings"])) == ("refused_by_guards", True)
        subject = await desktop.refused("edit_draft", draft_id=draft, content="Hi.", subject="To [company]")
        assert subject["findings"][0]["field"] == "subject"
        assert await text_of(desktop, run) == before


async def test_every_change_under_way_waits_for_a_yes_and_what_has_left_stays(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await planned(desktop, NAVY, TEMPLATE, LATER)
        bureau.work()
        sent, later = (await desktop.call("get_sequence", sequence_id=run))["steps"]
        assert (sent["state"], "draft_id" in sent) == ("in_outbox", False)
        changed = await desktop.call("update_sequence", sequence_id=run, variables={"firstname": "Amazing"})
        assert changed["status"] == "WAITING_FOR_USER"
        bureau.forward(days=2)
        bureau.work()
        assert len(bureau.outbox) == 1
        assert await text_of(desktop, run) == ("Navy and you", "Hi Grace, you are Admiral at Navy.")
        [waiting] = (await desktop.call("list_reviews"))["drafts"]["items"]
        assert (waiting["id"], waiting["why"]) == (later["draft_id"], "edited")


async def test_running_sequences_stay_on_their_version_of_a_blueprint(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await planned(desktop, NAVY, TEMPLATE, LATER)
        bureau.work()
        blueprint = (await desktop.call("get_sequence", sequence_id=run))["blueprint_id"]
        await desktop.call(
            "update_blueprint",
            blueprint_id=blueprint,
            expected_version=1,
            steps=[{**TEMPLATE, "content": "Hi {{firstname}}, version two."}, LATER],
        )
        bureau.forward(days=2)
        bureau.work()
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert (seen["status"], seen["blueprint_version"]) == ("COMPLETED", 1)
    assert {mail.get_content().strip() for mail in bureau.outbox} == {"Hi Grace, you are Admiral at Navy."}


async def test_a_plan_on_an_older_version_of_its_blueprint_cannot_be_approved(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        run = await planned(desktop, NAVY)
        seen = await desktop.call("get_sequence", sequence_id=run)
        await desktop.call("update_blueprint", blueprint_id=seen["blueprint_id"], expected_version=1, name="Other")
        plan = (await desktop.call("list_reviews", plan_id=seen["plan_id"]))["plans"]["items"][0]
    async with bureau.app() as app:
        with pytest.raises(ApprovalError, match="the blueprint has a newer version than the plan"):
            await approve_plan(app, plan_id=plan["plan_id"], digest=plan["digest"], actor=Actor("test"))
    bureau.work()
    assert bureau.outbox == []
