"""The panel's two tools: what a person is shown in a chat, and which proofs let a plan go."""

from __future__ import annotations

import hashlib
import json

import pytest
from tests.review_page.test_forgery_matrix import sql
from tests.review_page.test_page_plan import paused_in
from tests.review_page.test_page_screens import TOOLS
from tests.review_page.test_page_vendor import planned
from tests.world.page import LINKEDIN, MAIL, PASSPHRASE, WRITTEN, PageWorld, chat, lock_up, proven
from tests.world.stores import of_a_file

from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.review.lock import passphrase
from sequences_mcp.services.reviews import edit_draft
from sequences_mcp.services.sequences import resume_sequence

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


@pytest.fixture
def world(world: PageWorld) -> PageWorld:
    """Return a world in which the passphrase can be proven in a chat."""
    lock_up(world)
    return world


@ERAS
async def test_a_person_approves_in_the_chat_and_the_mails_leave(world: PageWorld, era: str) -> None:
    plan = world.plan(people=2)
    async with chat(world, mode=era) as host:
        shown = await host.show(plan)
        worked, facts = await host.approve(plan, proven(shown))
    assert worked, facts
    assert (facts["status"], facts["outcome"]) == ("approved", "done")
    present = world.present(plan.id)
    assert (present.status, present.decided_by) == (PlanStatus.APPROVED, "panel")
    world.work_until(lambda: len(world.mails) == 2)


async def test_the_exact_texts_are_shown_and_what_hides_is_drawn(world: PageWorld) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202egnp\u200b"
    plan = world.plan(people=2)
    sql(world, "UPDATE step_run SET content = ?", f"Hi {hostile}, a <b>bold</b> idea.")  # the guards let none in
    async with chat(world) as host:
        shown = await host.show(plan)
    [text] = shown["person"]["texts"]
    content = "".join(part["text"] for part in text["content"])
    assert content == "Hi <img src=x onerror=alert(1)>⟨U+202E⟩gnp⟨U+200B⟩, a <b>bold</b> idea."


async def test_the_people_stand_beside_the_texts_of_one_with_what_is_filled_in_marked(world: PageWorld) -> None:
    plan = world.plan(MAIL, LINKEDIN, people=22, company="Hopper Ltd", job_title="Admiral")
    async with chat(world) as host:
        first, second = await host.show(plan), await host.show(plan, page=2)
        linus = await host.read(plan, second["after"])
    assert [len(page["persons"]["items"]) for page in (first, second)] == [20, 2]
    assert first["persons"]["has_more"]
    assert [row["facts"] for row in second["persons"]["items"]] == ["Admiral, Hopper Ltd"] * 2
    marked = [(part["field"], part["text"]) for part in linus["person"]["texts"][0]["content"] if "field" in part]
    assert marked == [("First name", "Linus")]
    assert linus["person"]["fields"] == [{"label": "First name", "value": "Linus"}]
    assert {"label": "Company", "value": "Hopper Ltd"} in linus["person"]["about"]
    assert [step["name"] for step in linus["person"]["texts"]] == ["Hello", "Message"]


async def test_the_list_in_the_panel_is_searched_and_filtered_and_leads_through_what_is_to_be_read(
    world: PageWorld,
) -> None:
    plan = world.plan(WRITTEN, people=6, texts={"own": {"content": "Hi {{firstname}}, your talk was good."}})
    async with chat(world) as host:
        found = await host.call("show_plan", plan_id=plan.id, listing=":linus")
        assert [row["name"] for row in found["persons"]["items"]] == ["Linus Hopper1"]
        assert (await host.call("show_plan", plan_id=plan.id, listing="own"))["persons"]["total_count"] == 6
        worked, facts = await host.raw("show_plan", plan_id=plan.id, listing="nonsense")
        assert not worked and "no kind of people" in facts["message"]
        opened = await host.call("show_plan", plan_id=plan.id)
        read = await host.read(plan, opened["person"]["id"])
        assert (opened["unread"], read["unread"]) == (6, 5)
        assert read["turn"] == read["after"] == read["persons"]["items"][1]["id"]
        assert [row["state"] for row in read["persons"]["items"][:2]] == ["read", "to read"]


async def test_a_pause_is_shown_and_one_taken_away_after_it_was_read_is_told_before_a_yes_counts(
    world: PageWorld,
) -> None:
    plan = world.plan(people=2)
    run = paused_in(world, plan.id)
    async with chat(world) as host:
        shown = await host.show(plan)
        world.at_desk(lambda app: resume_sequence(app, sequence_id=run))
        why = await host.refused(plan, proven(await host.show(plan)))  # the panel looks again before it approves
        again = await host.show(plan)
        worked, _ = await host.approve(plan, proven(again))
    [told], [] = ([line for line in one["findings"] if "Paused" in line] for one in shown["persons"]["items"])
    assert told.startswith("Paused: once approved, nothing is sent before 2026-11-25 12:00 UTC")
    assert "paused or resumed" in why and "Grace Hopper0: resumed" in why
    assert not [line for one in again["persons"]["items"] for line in one["findings"]]
    assert worked


async def test_wrong_passphrases_approve_nothing_are_audited_and_keep_the_right_one_out_of_nothing(
    world: PageWorld,
) -> None:
    plan = world.plan(people=2)
    async with chat(world) as host:
        for _ in range(6):
            shown = await host.show(plan)
            assert "wrong" in await host.refused(plan, proven(shown, typed="correct horse batterx"))
        worked, _ = await host.approve(plan, proven(await host.show(plan)))
    assert worked
    entries = world.at_desk(lambda app: app.records.list_audit(page=1, size=50)).items
    noted = [one.detail["one_after_another"] for one in entries if one.action == "passphrase.wrong"]
    assert noted == [6, 5, 4, 3, 2, 1]


async def test_a_proof_is_good_once(world: PageWorld) -> None:
    plan, other = world.plan(people=1), world.plan(LINKEDIN, people=1, first=1)
    async with chat(world) as host:
        await host.show(other)
        given = proven(await host.show(plan))
        assert (await host.approve(plan, given))[0]
        for one in (plan, other):
            assert await host.refused(one, given)
    assert world.present(other.id).status is PlanStatus.WAITING


@pytest.mark.parametrize(
    "bound", [{"plan_id": "local:plan_1"}, {"digest": "0" * 64}, {"decision": "refuse"}, {"people": "60"}]
)
async def test_a_proof_of_something_else_is_none(world: PageWorld, bound: dict[str, str]) -> None:
    plan = world.plan(people=1)
    async with chat(world) as host:
        await host.refused(plan, proven(await host.show(plan), **bound))
    assert world.present(plan.id).status is PlanStatus.WAITING


@pytest.mark.parametrize("given", ["", ".", "a.b.c.d", "x" * 3999, "....", "n.AAAA.AAAA.AAAA"])
async def test_what_is_no_proof_is_refused(world: PageWorld, given: str) -> None:
    plan = world.plan(people=1)
    async with chat(world) as host:
        await host.show(plan)
        assert "wrong" in await host.refused(plan, given)


async def test_a_challenge_is_one_plans_and_lasts_half_an_hour(world: PageWorld) -> None:
    plan, other = world.plan(people=1), world.plan(LINKEDIN, people=1, first=1)
    async with chat(world) as host:
        theirs = await host.show(other)
        mine = await host.show(plan)
        swapped = {**mine, "challenge": theirs["challenge"]}
        await host.refused(plan, proven(swapped))
        late = proven(mine)
        world.clock.forward(minutes=30)
        await host.refused(plan, late)
    assert world.present(plan.id).status is PlanStatus.WAITING


async def test_what_changed_since_it_was_shown_is_not_approved(world: PageWorld) -> None:
    plan = world.plan(people=1)
    async with chat(world) as host:
        shown = await host.show(plan)
        people = await host.call("list_reviews", plan_id=plan.id)
        assert people["plans"]["items"][0]["plan_id"] == plan.id
        detail = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0]
        draft = f"local:draft_{detail.sequence.steps[0].key}"
        world.at_desk(lambda app: edit_draft(app, draft_id=draft, content="The agent's own words."))
        assert "Open one person" in await host.refused(plan, proven(shown))
        await host.show(plan)
        assert await host.refused(plan, proven(shown))
    assert world.present(plan.id).status is PlanStatus.WAITING


async def test_unread_plans_and_unread_texts_are_not_approved(world: PageWorld) -> None:
    plan = world.plan(WRITTEN, people=6, texts={"own": {"content": "Hi {{firstname}}, your talk was good."}})
    async with chat(world) as host:
        shown = await host.show(plan, reads=False)
        shown = await host.read(plan, shown["person"]["id"])
        assert "have not been opened" in await host.refused(plan, proven(shown))
        shown = await host.show(plan)
        assert (await host.approve(plan, proven(shown)))[0]


async def test_more_than_fifty_people_take_their_number(world: PageWorld) -> None:
    plan = world.plan(people=51)
    async with chat(world) as host:
        shown = await host.show(plan)
        assert shown["many"]
        await host.refused(plan, proven(shown, people=""))
        assert (await host.approve(plan, proven(await host.show(plan))))[0]


async def test_a_no_needs_no_proof(world: PageWorld) -> None:
    plan = world.plan(people=1)
    async with chat(world) as host:
        facts = await host.call("decide_plan", plan_id=plan.id, digest=plan.digest, decision="refuse")
    assert facts["status"] == "refused"
    assert world.present(plan.id).decided_by == "panel"


@of_a_file
async def test_a_passphrase_from_before_is_typed_once_elsewhere_and_counts_here_then(world: PageWorld) -> None:
    record = json.loads(world.workspace.passphrase.read_text())
    salt = bytes.fromhex(record["salt"])
    slow = hashlib.scrypt(PASSPHRASE.encode(), salt=salt, n=2**16, r=8, p=1, maxmem=2**28, dklen=32)
    old = {"salt": record["salt"], "hash": slow.hex(), "n": 2**16, "r": 8, "p": 1}
    world.workspace.passphrase.write_text(json.dumps(old))
    plan = world.plan(people=1)
    async with chat(world) as host:
        shown = await host.show(plan)
        assert "Type it once on the review page or in a terminal" in shown["elsewhere"]
        assert "challenge" not in shown
        assert await host.refused(plan, "n.AAAA.AAAA.AAAA")
        passphrase.check_passphrase(world.safe, PASSPHRASE)
        assert (await host.approve(plan, proven(await host.show(plan))))[0]


async def test_a_verifier_of_another_passphrase_counts_for_nothing(world: PageWorld) -> None:
    plan = world.plan(people=1)
    world.lock_up()  # chosen anew where nothing was written for proofs; the old verifier is still there
    async with chat(world) as host:
        assert "challenge" not in await host.show(plan)


async def test_with_a_passkey_the_panel_leads_to_the_page(world: PageWorld) -> None:
    plan = world.plan(people=1)
    async with chat(world) as host:
        before = await host.show(plan)
        keys = [{"id": "x", "public_key": "00", "registered_at": ""}]
        world.workspace.passkeys.write_text(json.dumps(keys))
        shown = await host.show(plan)
        assert "passkey" in shown["elsewhere"]
        assert "challenge" not in shown
        assert "passkey" in await host.refused(plan, proven(before))
    assert world.present(plan.id).status is PlanStatus.WAITING


@of_a_file
async def test_whoever_reads_the_file_and_one_proof_cannot_make_the_next(world: PageWorld) -> None:
    """What plain SCRAM would allow: the key is computed from its hash and a proof, and used again."""
    plan, other = world.plan(people=1), world.plan(LINKEDIN, people=1, first=1)
    before = json.loads(world.workspace.proof.read_text())
    async with chat(world) as host:
        seen = proven(await host.show(plan))
        assert (await host.approve(plan, seen))[0]
        after = json.loads(world.workspace.proof.read_text())
        assert before["salt"] != after["salt"] and before["key"] != after["key"]
        shown = await host.show(other)
        old = {**shown["challenge"], "salt": before["salt"]}
        assert "wrong" in await host.refused(other, proven({**shown, "challenge": old}))
    assert PASSPHRASE not in json.dumps(after) + seen


async def test_a_client_without_panels_cannot_use_its_tools(world: PageWorld) -> None:
    plan = world.plan(people=1)
    async with chat(world, panels=False) as model:
        assert not (await model.raw("show_plan", plan_id=plan.id))[0]
        arguments = {"plan_id": plan.id, "digest": plan.digest, "decision": "refuse"}
        assert not (await model.raw("decide_plan", **arguments))[0]
    assert world.present(plan.id).status is PlanStatus.WAITING


@ERAS
async def test_the_panels_document_is_a_resource_with_a_policy_of_its_own(world: PageWorld, era: str) -> None:
    async with chat(world, mode=era) as host:
        listed = (await host.client.list_resources()).resources
        [found] = [one for one in listed if one.uri.startswith("ui://")]
        [body] = (await host.client.read_resource(found.uri)).contents
        extensions = host.client.server_capabilities.extensions
    assert found.mime_type == body.mime_type == "text/html;profile=mcp-app"
    assert body.meta is not None and body.meta["ui"]["csp"]["connectDomains"] == []
    if era == "auto":  # the handshake of 2025-11-25 has no word for extensions of a server
        assert extensions is not None and "io.modelcontextprotocol/ui" in extensions
    assert "default-src 'none'; script-src 'sha256-" in body.text
    for outside in ("http://", "https://", "innerHTML", "/*script*/", "/*style*/", "unsafe"):
        assert outside not in body.text


async def test_what_goes_wrong_in_the_panel_is_told_to_a_person_with_no_tool_named(world: PageWorld) -> None:
    plan, void = world.plan(people=1), world.plan(people=1, first=1)
    sql(world, "UPDATE plan SET status = 'void', reason = 'start_sequence begins a new one' WHERE id = ?", void.id)
    told = []
    async with chat(world) as host:
        refused = {"plan_id": plan.id, "digest": plan.digest, "decision": "refuse", "proof": ""}
        assert (await host.raw("decide_plan", **refused))[0]
        told.append((await host.raw("decide_plan", **refused))[1])
        told.append((await host.raw("decide_plan", **{**refused, "decision": "approve"}))[1])
        told.append((await host.raw("show_plan", plan_id="local:plan_1", page=1))[1])
        told.append({"message": (await host.show(void))["reason"], "next": ""})
    assert "A new start begins a new one" in told[-1]["message"]
    for one in told:
        words = f"{one['message']} {one['next']}"
        assert len(words) > 10 and not TOOLS.search(words), words


async def test_what_was_served_counts_only_once_the_panel_reports_that_it_was_on_screen(world: PageWorld) -> None:
    plan = world.plan(WRITTEN, people=3, texts={"own": {"content": "Hi {{firstname}}, your talk was good."}})
    async with chat(world) as host:
        shown = await host.show(plan, reads=False)
        assert [duty["done"] for duty in shown["duties"]] == [False, False]
        assert "Open one person" in await host.refused(plan, proven(shown))
        seen = await host.call("show_plan", plan_id=plan.id, seen=shown["person"]["texts"][0]["mark"])
        assert [duty["done"] for duty in seen["duties"]] == [True, False]
        why = await host.refused(plan, proven(seen))
        assert "have not been opened: " in why and "(own)" in why and why.count("(own)") == 2
        assert (await host.approve(plan, proven(await host.show(plan))))[0]


async def test_a_report_of_a_text_that_has_changed_since_or_was_never_served_counts_for_nothing(
    world: PageWorld,
) -> None:
    plan = world.plan(people=1)
    async with chat(world) as host:
        shown = await host.show(plan, reads=False)
        mark = shown["person"]["texts"][0]["mark"]
        detail = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0]
        draft = f"local:draft_{detail.sequence.steps[0].key}"
        world.at_desk(lambda app: edit_draft(app, draft_id=draft, content="The agent's own words."))
        late = await host.call("show_plan", plan_id=plan.id, seen=f"{mark},{'0' * 16},,x")
        assert [duty["done"] for duty in late["duties"]] == [False, False]
        assert "Open one person" in await host.refused(plan, proven(late), digest=late["digest"])


@pytest.mark.usefixtures("clarky")
async def test_of_a_vendors_plan_without_known_texts_what_the_vendor_is_given_has_to_have_been_on_screen(
    world: PageWorld,
) -> None:
    plan = planned(world, note="Likes tea.")
    async with chat(world) as host:
        shown = await host.show(plan, reads=False)
        first = shown["person"]
        assert first["handed"].endswith("note: Likes tea.") and not first["texts"]
        assert [duty.get("done") for duty in shown["duties"]] == [False, None]  # a warning too
        assert "Open one person" in await host.refused(plan, proven(shown))
        sql(world, "UPDATE sequence SET handover = replace(handover, 'tea', 'ale')")
        late = await host.call("show_plan", plan_id=plan.id, seen=first["mark"])
        assert [duty.get("done") for duty in late["duties"]] == [False, None]
        seen = await host.call("show_plan", plan_id=plan.id, seen=late["person"]["mark"])
        assert [duty.get("done") for duty in seen["duties"]] == [True, None]
        sql(world, "UPDATE sequence SET handover = replace(handover, 'ale', 'tea')")
        assert (await host.approve(plan, proven(await host.show(plan))))[0]
