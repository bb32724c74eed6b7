"""What a person reads in a terminal before a yes, and what that yes covers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.product import GRACE, LINUS, MAIL, WRITTEN, Bureau, Desktop, people, plant

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.run import StepRun
from sequences_mcp.errors import ApprovalError
from sequences_mcp.review.decide import Look, approve_in_terminal, look_up
from sequences_mcp.review.terminal import review_list, step_in_full
from sequences_mcp.services.reviews import list_reviews

LINES = {**MAIL, "content": "Hi {{firstname}},\nthe same for all\nyours, {{recruiterFirstname}}"}
ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202eGrace"


async def planned(desktop: Desktop, contacts: list[dict[str, Any]], step: dict[str, Any] = LINES) -> str:
    """Plan a start and return the plan."""
    blueprint = await desktop.blueprint(step)
    started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
    return str(started["plan_id"])


async def draft_of(desktop: Desktop, name: str) -> str:
    """Return the first draft of a person."""
    runs = (await desktop.call("list_sequences", size=100))["items"]
    [run] = [run["id"] for run in runs if run["name"].startswith(name)]
    return str((await desktop.call("get_sequence", sequence_id=run))["steps"][0]["draft_id"])


async def shown(bureau: Bureau, identifier: str, *, full: bool = False) -> Look:
    """Return what the terminal shows."""
    async with bureau.app() as app:
        return await look_up(app, identifier, full=full)


async def test_the_first_person_is_shown_whole_and_the_others_by_what_differs(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        plan = await planned(desktop, [GRACE, LINUS])
    text = "\n".join((await shown(bureau, plan)).lines)
    assert text.count("│ the same for all") == 1
    assert text.count("│ Hi Grace,") == text.count("│ Hi Linus,") == 1
    assert "Delivery: files in the outbox folder; no mail server is set, nothing is sent" in text
    assert "\n".join((await shown(bureau, plan, full=True)).lines).count("│ the same for all") == 2


async def test_texts_nobody_has_to_read_are_still_shown_whole_where_their_lines_differ_in_number(
    bureau: Bureau,
) -> None:
    step = {**WRITTEN, "content": "Dear {{firstname}}", "policy": {"autoValidateAIDraft": True}}
    long = {**GRACE, "texts": {"own": "Dear Grace,\nthe same\ntell me to stop\nAda"}}
    short = {**LINUS, "texts": {"own": "Dear Linus,\nthe same\nAda"}}
    async with bureau.client("auto") as desktop:
        plan = await planned(desktop, [long, short], step)
    lines = (await shown(bureau, plan)).lines
    linus = lines[next(at for at, line in enumerate(lines) if line.startswith("── Linus")) :]
    assert [line for line in linus if "│" in line] == ["  │ Dear Linus,", "  │ the same", "  │ Ada"]


async def test_a_text_that_lost_a_line_is_shown_whole(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        plan = await planned(desktop, [GRACE, LINUS])
        draft = await draft_of(desktop, "Linus")
        await desktop.call("edit_draft", draft_id=draft, content="Hi {{firstname}},\nyours, Ada")
    lines = (await shown(bureau, plan)).lines
    linus = lines[next(at for at, line in enumerate(lines) if line.startswith("── Linus")) :]
    assert [line for line in linus if "│" in line] == ["  │ Hi Linus,", "  │ yours, Ada"]


async def test_whoever_has_a_warning_or_a_text_of_their_own_is_shown_whole(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        warned = await planned(desktop, [GRACE, {**LINUS, "first_name": "LINUS"}])
        own = [{**one, "texts": {"own": f"Dear {one['first_name']},\nall mine\nAda"}} for one in people(3)]
        written = await planned(desktop, own, {**WRITTEN, "content": "Dear {{firstname}}"})
    assert "\n".join((await shown(bureau, warned)).lines).count("│ the same for all") == 2
    assert "\n".join((await shown(bureau, written)).lines).count("all mine") == 3


async def test_no_stored_text_commands_the_terminal(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        contact = {**GRACE, "first_name": "Escape", "last_name": "Zerowidth", "company": "Colour"}
        plan = await planned(
            desktop,
            [{**LINUS, "company": "Kernel"}, contact],
            {**LINES, "subject": "{{lastname}} {{candidateCompanyName}}"},
        )
        runs = (await desktop.call("list_sequences"))["items"]
        [run] = [run for run in runs if "Escape" in run["name"]]
        draft = (await desktop.call("get_sequence", sequence_id=run["id"]))["steps"][0]["draft_id"]
    for plain, hostile in [("Escape", ESCAPE), ("Zerowidth", "zero\u200bwidth"), ("Colour", "a\x9b31mb")]:
        plant(bureau.folder, plain, hostile)
    async with bureau.app() as app:
        listed = list(review_list(await list_reviews(app, plan_id=plan)))
    text = "\n".join([*(await shown(bureau, plan)).lines, *(await shown(bureau, draft)).lines, *listed])
    assert "Hi ⟨U+001B⟩]0;owned⟨U+0007⟩⟨U+001B⟩[2J⟨U+202E⟩Grace," in text
    assert "Subject: zero⟨U+200B⟩width a⟨U+009B⟩31mb" in text
    assert not set(text) & set("\x1b\x07\x9b\u202e\u200b")


async def test_a_yes_covers_the_very_texts_that_were_shown(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        plan = await planned(desktop, [GRACE])
        seen = await shown(bureau, plan)
        draft = await draft_of(desktop, "Grace")
        await desktop.call("edit_draft", draft_id=draft, content="Hi {{firstname}}, something else entirely.")
        async with bureau.app() as app:
            with pytest.raises(ApprovalError, match="has changed since it was shown"):
                await approve_in_terminal(app, plan, seen=seen, people=None, actor=Actor("test"))
            again = await look_up(app, plan)
            said = await approve_in_terminal(app, plan, seen=again, people=None, actor=Actor("test"))
        runs = (await desktop.call("list_sequences"))["items"]
    assert said.startswith(f"{plan} is approved: 1 person, 1 text to read one by one. Nothing of it leaves before")
    assert [run["status"] for run in runs] == ["ACTIVE"]


async def test_an_edited_text_under_way_is_approved_as_it_was_read(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        plan = await planned(desktop, [GRACE])
        async with bureau.app() as app:
            await approve_in_terminal(app, plan, seen=await look_up(app, plan), people=None, actor=Actor("test"))
        draft = await draft_of(desktop, "Grace")
        await desktop.call("edit_draft", draft_id=draft, content="Hi Grace, one.")
        seen = await shown(bureau, draft)
        await desktop.call("edit_draft", draft_id=draft, content="Hi Grace, two.")
        async with bureau.app() as app:
            with pytest.raises(ApprovalError, match="has changed since it was shown"):
                await approve_in_terminal(app, draft, seen=seen, people=None, actor=Actor("test"))
    bureau.work()
    assert bureau.outbox == []
    async with bureau.app() as app:
        await approve_in_terminal(app, draft, seen=await look_up(app, draft), people=None, actor=Actor("test"))
    bureau.work()
    assert [mail.get_content().strip() for mail in bureau.outbox] == ["Hi Grace, two."]


async def test_more_than_fifty_people_are_approved_by_their_number(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        many = await planned(desktop, people(51))
        some = await planned(desktop, [{**one, "email": f"x{one['email']}"} for one in people(50)])
    async with bureau.app() as app:
        seen = await look_up(app, many)
        for number in (None, 0, 50, 52):
            with pytest.raises(ApprovalError, match=r"reaches 51 people\. State that number: --people 51"):
                await approve_in_terminal(app, many, seen=seen, people=number, actor=Actor("test"))
        assert "is approved" in await approve_in_terminal(app, many, seen=seen, people=51, actor=Actor("test"))
        assert "is approved" in await approve_in_terminal(
            app, some, seen=await look_up(app, some), people=None, actor=Actor("test")
        )


async def test_a_list_that_goes_on_says_where(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        for one in people(3):
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[one])
    async with bureau.app() as app:
        pages = [list(review_list(await list_reviews(app, page=page, size=1))) for page in (1, 2, 3)]
    assert [page[-1] for page in pages[:2]] == ["There is more: --page 2.", "There is more: --page 3."]
    assert "more" not in pages[2][-1]


@pytest.mark.parametrize(
    ("setting", "said"),
    [("on", "Warning: [own] policy.autoValidateAIDraft is set: "), ("off", "it has no effect while")],
)
async def test_the_terminal_says_that_texts_may_go_unread_and_whether_they_may(
    bureau: Bureau, setting: str, said: str
) -> None:
    bureau = bureau.having(UNREAD_DRAFTS=setting)
    step = {**WRITTEN, "id": "own", "policy": {"autoValidateAIDraft": True}}
    async with bureau.client("auto") as desktop:
        plan = await planned(
            desktop, [{**GRACE, "texts": {"own": {"content": "Hi {{firstname}}, a talk."}}}], step
        )
    async with bureau.app() as app:
        seen = await look_up(app, plan)
        assert said in "\n".join(seen.lines)
        assert "approved" in await approve_in_terminal(app, plan, seen=seen, people=None, actor=Actor("ada"))


def test_a_steps_id_with_line_breaks_that_was_stored_before_is_one_line_of_the_terminal() -> None:
    step = Step.model_validate({**MAIL, "id": "mail] EMAIL to nobody\n  │ Hi Grace"})
    run = StepRun(key="k", step=step, recipient="grace@hopper.example", subject="Rust", content="Hi")
    first, *others = step_in_full(run)
    assert "EMAIL to grace@hopper.example" in first and "\n" not in first
    assert others == ["  Subject: Rust", "  │ Hi"]
