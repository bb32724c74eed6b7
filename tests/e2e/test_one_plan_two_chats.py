"""Two chats, each with a server process of its own, work on one plan at the same time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.world.installation import Installation
from tests.world.product import GRACE, LINUS, WRITTEN, Desktop, text_of

FIRST = {"subject": "Compilers", "content": "Hi Grace, would a short call about compilers suit you?"}
PEOPLE = [
    {**GRACE, "texts": {"own": FIRST}},
    {**LINUS, "texts": {"own": {**FIRST, "content": "Hi Linus, a call?"}}},
]
ROUNDS = 4


@asynccontextmanager
async def two_chats(installation: Installation) -> AsyncIterator[tuple[Desktop, Desktop]]:
    """Yield two chats without dialogs, so that every plan waits."""
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(installation.client("auto")) for _ in range(2)]
        yield first, second


async def said(desktop: Desktop, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool and return what it says, errors included."""
    facts: dict[str, Any] = json.loads(text_of(await desktop.raw(tool, **arguments)))
    return facts


async def waiting(desktop: Desktop) -> list[dict[str, Any]]:
    """Return the plans that wait, as a chat sees them."""
    found: list[dict[str, Any]] = (await desktop.call("list_reviews"))["plans"]["items"]
    return found


async def test_one_start_asked_for_in_two_chats_at_once_is_one_plan(installation: Installation) -> None:
    async with two_chats(installation) as chats:
        blueprint = await chats[0].blueprint(WRITTEN)
        for number in range(ROUNDS):
            arguments = {"blueprint_id": blueprint, "contacts": PEOPLE, "idempotency_key": f"start {number}"}
            answers = await asyncio.gather(*(said(chat, "start_sequence", **arguments) for chat in chats))
            assert {answer["outcome"] for answer in answers} == {"waiting_for_approval"}, answers
            [plan_id] = {answer["plan_id"] for answer in answers}
            seen = [await waiting(chat) for chat in chats]
            assert seen[0] == seen[1]
            assert [plan["plan_id"] for plan in seen[0]] == [plan_id]
            await chats[0].call("withdraw_plan", plan_id=plan_id)


async def test_texts_of_one_plan_edited_in_two_chats_at_once_are_each_whole_and_sealed(
    installation: Installation,
) -> None:
    async with two_chats(installation) as chats:
        blueprint = await chats[0].blueprint(WRITTEN)
        plan = await chats[0].call("start_sequence", blueprint_id=blueprint, contacts=PEOPLE)
        drafts = (await chats[0].call("list_reviews", plan_id=plan["plan_id"]))["drafts"]["items"]
        digests = {plan["digest"]}
        for number in range(ROUNDS):
            texts = [f"Hi {name}, would day {number} suit you for a call?" for name in ("Ada", "Bo")]
            edits = (
                said(chat, "edit_draft", draft_id=drafts[0]["id"], content=text)
                for chat, text in zip(chats, texts, strict=True)
            )
            assert {one["outcome"] for one in await asyncio.gather(*edits)} == {"waiting_for_approval"}
            seen = [await chat.call("list_reviews", plan_id=plan["plan_id"]) for chat in chats]
            assert seen[0] == seen[1]
            assert sum(text in json.dumps(seen[0]) for text in texts) == 1
            digests.add(seen[0]["plans"]["items"][0]["digest"])
        assert len(digests) == ROUNDS + 1


async def test_a_plan_withdrawn_in_one_chat_while_the_other_edits_it_is_over_in_both(
    installation: Installation,
) -> None:
    async with two_chats(installation) as chats:
        blueprint = await chats[0].blueprint(WRITTEN)
        for number in range(ROUNDS):
            plan = await chats[0].call(
                "start_sequence", blueprint_id=blueprint, contacts=PEOPLE, idempotency_key=f"start {number}"
            )
            [draft, _] = (await chats[0].call("list_reviews", plan_id=plan["plan_id"]))["drafts"]["items"]
            edited, withdrawn, again = await asyncio.gather(
                said(chats[0], "edit_draft", draft_id=draft["id"], content=f"Hi Grace, would day {number} do?"),
                said(chats[1], "withdraw_plan", plan_id=plan["plan_id"]),
                said(chats[0], "withdraw_plan", plan_id=plan["plan_id"]),
            )
            assert edited["outcome"] in ("waiting_for_approval", "refused")
            assert "done" in (withdrawn["outcome"], again["outcome"]), (withdrawn, again)
            assert [await waiting(chat) for chat in chats] == [[], []]
            late = await chats[0].refused("edit_draft", draft_id=draft["id"], content="Hi Grace, one more?")
            assert late["code"] == "conflict"
