"""What each tool answers, through a client, over a database."""

from __future__ import annotations

from typing import Any

import anyio.lowlevel
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, WRITTEN, Desktop, World, people, tomorrow, yes


async def run_of(desktop: Desktop, *steps: dict[str, Any], contact: dict[str, Any] | None = None) -> str:
    """Start one person, with the yes of the dialog, and return the run."""
    blueprint = await desktop.blueprint(*steps)
    started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[contact or GRACE])
    assert started["outcome"] == "done"
    return str(started["sample"]["sequence_id"])


async def test_list_providers_says_who_sends_how_and_what_is_missing(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        state = await desktop.call("list_providers")
    assert [provider["name"] for provider in state["providers"]] == ["local"]
    assert state["sender"] == "Ada Lovelace <ada@lovelace.example>"
    assert state["delivery"].startswith("outbox: ")
    assert any("SEQUENCES_SMTP_URL" in line for line in state["broken"])
    assert (state["waiting_plans"], state["waiting_drafts"], state["open_tasks"]) == (0, 0, 0)


async def test_blueprints_are_listed_newest_first_in_pages(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        ids = [await desktop.blueprint(MAIL, LINKEDIN) for _ in range(3)]
        first = await desktop.call("list_blueprints", size=2)
        second = await desktop.call("list_blueprints", size=2, page=2)
    assert {row["id"] for row in first["items"] + second["items"]} == set(ids)
    assert (first["total_count"], first["total_pages"], first["has_more"]) == (3, 2, True)
    assert (second["page"], second["has_more"], len(second["items"])) == (2, False, 1)
    assert first["items"][0]["channels"] == ["EMAIL", "LINKEDIN"]


async def test_a_blueprint_comes_back_as_it_was_given(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        found = await desktop.call("get_blueprint", blueprint_id=await desktop.blueprint(MAIL, LINKEDIN))
    assert found["steps"] == [MAIL, LINKEDIN]
    assert (found["version"], found["job_title"], found["findings"]) == (1, "Engineer", [])


async def test_long_texts_are_cut_and_full_shows_them_whole(world: World, era: str) -> None:
    long = {**MAIL, "content": "Hi {{firstname}}, " + "a word and one more. " * 300}
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint(long, LINKEDIN)
        cut = await desktop.call("get_blueprint", blueprint_id=blueprint)
        whole = await desktop.call("get_blueprint", blueprint_id=blueprint, full=True)
    assert cut["steps"][0]["content"].endswith("more characters]")
    assert cut["steps"][1] == LINKEDIN
    assert "full: true" in cut["note"]
    assert whole["steps"] == [long, LINKEDIN] and "note" not in whole


async def test_a_change_makes_a_new_version_and_a_stale_one_shows_what_changed(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint()
        changed = {**MAIL, "content": "Hi {{firstname}}, may I write to you about a role?"}
        update: dict[str, Any] = {"blueprint_id": blueprint, "expected_version": 1, "steps": [changed]}
        second = await desktop.call("update_blueprint", **update)
        stale = await desktop.refused("update_blueprint", **update)
        old = await desktop.call("get_blueprint", blueprint_id=blueprint, version=1)
    assert (second["version"], old["steps"]) == (2, [MAIL])
    assert stale["code"] == "stale_version"
    assert "may I write to you" in str(stale)


async def test_a_check_saves_nothing_and_can_return_the_steps_mended(world: World, era: str) -> None:
    steps = [{**MAIL, "content": "Hi {{firstName}}, would a short call suit you?"}]
    async with world.client(era) as desktop:
        checked = await desktop.call("check_blueprint", steps=steps, apply_fixes=True)
        again = await desktop.call("check_blueprint", steps=checked["fixed_steps"])
        listed = await desktop.call("list_blueprints")
    assert checked["errors"] >= 1 and checked["next"].startswith("Mend")
    assert "{{firstname}}" in checked["fixed_steps"][0]["content"]
    assert (again["errors"], again["next"], listed["total_count"]) == (0, "These steps can be saved.", 0)


async def test_a_preview_shows_final_texts_and_local_times_and_changes_nothing(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        contact = {**GRACE, "time_zone": "America/New_York"}
        shown = await desktop.call(
            "preview_sequence", blueprint_id=blueprint, contacts=[contact, {**LINUS, "first_name": None}]
        )
        found = await desktop.call("find_contacts")
    grace, linus = shown["people"]
    assert [step["content"][:9] for step in grace["steps"]] == ["Hi Grace,", "Hi Grace,"]
    assert grace["steps"][0]["at"] == "Mon 2026-11-23 08:00 America/New_York"
    assert grace["steps"][0]["waits_for_window"] is True
    assert "left_out" not in grace and "{{firstname}}" in linus["left_out"][0]
    assert (shown["people_count"], shown["left_out_count"], found["total_count"]) == (2, 1, 0)


async def test_a_preview_fills_in_the_text_of_somebody_who_cannot_be_reached(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint(LINKEDIN)
        known = {name: value for name, value in GRACE.items() if name != "linkedin_url"}
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[known])
        [person] = shown["people"]
        assert "No LinkedIn URL is known" in person["left_out"][0]
        assert person["steps"][0]["content"] == "Hi Grace, I wrote to you by e-mail."


async def test_contacts_are_met_again_by_address_and_notes_are_appended(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        first = await desktop.call("save_contacts", contacts=[{**GRACE, "note": "Met at a talk"}])
        again = await desktop.call(
            "save_contacts", contacts=[{"email": "GRACE@Hopper.example", "company": "Navy", "note": "Moved"}]
        )
        [grace] = (await desktop.call("find_contacts", query="hopper"))["items"]
    assert (first["created"], first["updated"], again["created"], again["updated"]) == (1, 0, 0, 1)
    assert (grace["first_name"], grace["company"]) == ("Grace", "Navy")
    assert grace["notes"] == ("[via API 2026-11-23T12:00:00Z] Met at a talk\n[via API 2026-11-23T12:00:00Z] Moved")


async def test_a_run_is_paused_resumed_and_stopped(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        run = await run_of(desktop, MAIL, LINKEDIN)
        paused = await desktop.call("pause_sequence", sequence_id=run, paused_until=tomorrow())
        resumed = await desktop.call("resume_sequence", sequence_id=run)
        stopped = await desktop.call("stop_sequence", sequence_id=run, reason="WIN")
        late = await desktop.refused("pause_sequence", sequence_id=run, paused_until=tomorrow())
    assert (paused["status"], paused["paused_until"]) == ("WAITING_FOR_LEAD", "2026-11-24T12:00:00+00:00")
    assert resumed["status"] == "ACTIVE"
    assert [(one["id"], one["status"]) for one in stopped["stopped"]] == [(run, "STOPPED_EARLY")]
    assert late["code"] == "conflict" and "STOPPED_EARLY" in late["message"]


async def test_a_pause_into_the_past_is_refused(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        run = await run_of(desktop)
        error = await desktop.refused("pause_sequence", sequence_id=run, paused_until="2020-01-01T00:00:00Z")
    assert error["outcome"] == "refused"


async def test_stopping_a_company_names_everybody_there(world: World, era: str) -> None:
    crowd = people(40)
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint()
    world.changes["auto_approve"] = frozenset({f"{blueprint}@1"})
    async with world.client(era) as desktop:
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[*crowd, LINUS], auto_approve=True)
        runs = await desktop.call("list_sequences", size=1)
        stopped = await desktop.call(
            "stop_sequence", sequence_id=runs["items"][0]["id"], reason="LOSE", scope="COMPANY"
        )
        left = await desktop.call("list_sequences", status="ACTIVE")
    assert stopped["stopped_count"] == len(stopped["stopped"]) + len(stopped["also_stopped"]) == 40
    assert [row["name"] for row in left["items"]] == ["Linus Torvalds"]


async def test_sequences_are_filtered_sorted_and_paged(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint()
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(12))
        page = await desktop.call("list_sequences", status="FOUND", blueprint_id=blueprint)
        last = await desktop.call("list_sequences", page=2)
        none = await desktop.call("list_sequences", created_after=tomorrow())
        active = await desktop.call("list_sequences", status="ACTIVE")
    assert (len(page["items"]), page["total_count"], page["total_pages"]) == (10, 12, 2)
    assert (len(last["items"]), none["total_count"], active["total_count"]) == (2, 0, 0)


async def test_a_run_shows_every_step_what_is_next_and_the_ids_to_act_on(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        run = await desktop.call("get_sequence", sequence_id=await run_of(desktop, MAIL, LINKEDIN))
    mail, message = run["steps"]
    assert (run["status"], run["provider_status"], run["blueprint_version"]) == ("ACTIVE", "ACTIVE", 1)
    assert (mail["subject"], mail["recipient"]) == ("Engineer", "grace@hopper.example")
    assert mail["draft_id"].startswith("local:draft_")
    assert (message["channel"], message["state"]) == ("LINKEDIN_MESSAGE", "planned")
    assert run["why"]


async def test_an_override_changes_the_pending_texts_and_null_removes_it(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        run = await run_of(desktop)
        await desktop.call("update_sequence", sequence_id=run, variables={"firstname": "Amazing"})
        changed = await desktop.call("get_sequence", sequence_id=run)
        await desktop.call("update_sequence", sequence_id=run, variables={"firstname": None})
        back = await desktop.call("get_sequence", sequence_id=run)
    assert changed["variables"] == {"firstname": "Amazing"}
    assert changed["steps"][0]["content"].startswith("Hi Amazing,")
    assert "variables" not in back and back["steps"][0]["content"].startswith("Hi Grace,")


async def test_a_missing_text_is_listed_written_and_waits_to_be_read(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint(WRITTEN)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        [missing] = (await desktop.call("list_reviews", plan_id=started["plan_id"]))["drafts"]["items"]
        written = await desktop.call("edit_draft", draft_id=missing["id"], content="Hi Grace, I liked your talk.")
        reviews = await desktop.call("list_reviews", plan_id=started["plan_id"])
    assert (missing["why"], missing["step_id"], missing["name"]) == ("missing", "own", "Grace Hopper")
    assert (written["outcome"], written["content"]) == ("waiting_for_approval", "Hi Grace, I liked your talk.")
    assert [draft["why"] for draft in reviews["drafts"]["items"]] == ["written"]


async def test_suppressing_a_domain_stops_what_runs_and_says_so_twice(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        run = await run_of(desktop)
        first = await desktop.call("suppress_contact", contact="hopper.example", reason="asked")
        again = await desktop.call("suppress_contact", contact="hopper.example", reason="asked")
    assert (first["kind"], first["value"], first["already"]) == ("domain", "hopper.example", False)
    assert [one["id"] for one in first["stopped"]] == [run]
    assert (again["already"], again["stopped"]) == (True, [])


async def test_a_step_by_hand_becomes_a_task_with_its_text_and_is_closed_by_its_outcome(
    world: World, era: str
) -> None:
    world.worker = True
    by_hand = {**LINKEDIN, "temporalityType": "ASAP", "delay": None}
    async with world.client(era, yes) as desktop:
        run = await run_of(desktop, by_hand)
        with anyio.fail_after(20):
            while not (tasks := await desktop.call("list_tasks"))["items"]:
                await anyio.lowlevel.checkpoint()
        [task] = tasks["items"]
        shown = await desktop.call("get_sequence", sequence_id=run)
        done = await desktop.call("complete_task", task_id=task["id"], outcome="done")
        again = await desktop.refused("complete_task", task_id=task["id"], outcome="skipped")
        left = await desktop.call("list_tasks")
    assert (task["recipient"], task["sequence_id"]) == (GRACE["linkedin_url"], run)
    assert task["content"] == "Hi Grace, I wrote to you by e-mail."
    assert shown["status"] == "WAITING_FOR_USER" and shown["steps"][0]["task_id"] == task["id"]
    assert (done["state"], done["outcome"]) == ("done", "done")
    assert (again["code"], left["total_count"]) == ("conflict", 0)


async def test_there_are_no_tasks_before_a_step_by_hand_is_due(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        tasks = await desktop.call("list_tasks")
        error = await desktop.refused("complete_task", task_id="local:task_0", outcome="done")
    assert (tasks["items"], tasks["total_count"]) == ([], 0)
    assert error["code"] == "not_found"
