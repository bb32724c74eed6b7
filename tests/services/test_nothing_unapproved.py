"""A long walk through the tools in any order: what left was said yes to, and what is held says why."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

import pytest
from tests.world.product import GRACE, LINUS, MAIL, Bureau, Desktop

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.digests import text_digest
from sequences_mcp.errors import SequencesError
from sequences_mcp.review.decide import approve_in_terminal, look_up
from sequences_mcp.services.sequences import get_sequence

LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 1, "unit": "day"}}
PEOPLE = (GRACE, LINUS, {"email": "zoe@globex.example", "first_name": "Zoe"})
STEPS = 120


@dataclass
class Walk:
    """An agent that calls whatever it likes, and a person who sometimes says yes in a terminal."""

    bureau: Bureau
    desktop: Desktop
    chance: random.Random
    blueprint: str

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool; a refusal is as good an answer as any."""
        result = await self.desktop.raw(tool, **arguments)
        facts: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
        return facts

    async def run(self) -> dict[str, Any] | None:
        """Return some run."""
        found = (await self.call("list_sequences", size=100))["items"]
        if not found:
            return None
        return await self.call("get_sequence", sequence_id=self.chance.choice(found)["id"])

    async def start(self) -> None:
        """Ask for a start of some people."""
        people = self.chance.sample(PEOPLE, self.chance.randint(1, 3))
        automatic = self.chance.random() < 0.3
        number = self.chance.randint(0, 10**9)
        await self.call(
            "start_sequence",
            blueprint_id=self.blueprint,
            contacts=people,
            auto_approve=automatic,
            idempotency_key=str(number),
        )

    async def rewrite(self) -> None:
        """Change the blueprint."""
        version = (await self.call("get_blueprint", blueprint_id=self.blueprint))["version"]
        words = f"Hi {{{{firstname}}}}, may I ask you about role {self.chance.randint(1, 9)}?"
        steps = [{**MAIL, "content": words}, LATER]
        await self.call("update_blueprint", blueprint_id=self.blueprint, expected_version=version, steps=steps)

    async def edit(self) -> None:
        """Write another text for one person."""
        if (run := await self.run()) and (
            drafts := [one["draft_id"] for one in run["steps"] if "draft_id" in one]
        ):
            words = self.chance.choice(["Hello, other words?", "Hello, one more time?"])
            await self.call("edit_draft", draft_id=self.chance.choice(drafts), content=words)

    async def override(self) -> None:
        """Change a variable of a run."""
        if run := await self.run():
            value = self.chance.choice(["Gracia", "Ada", None])
            await self.call("update_sequence", sequence_id=run["id"], variables={"firstname": value})

    async def move(self) -> None:
        """Pause, resume or stop a run."""
        if run := await self.run():
            tool, more = self.chance.choice(
                [
                    ("pause_sequence", {"paused_until": self.bureau.clock.now.replace(year=2028).isoformat()}),
                    ("resume_sequence", {}),
                    ("resume_sequence", {}),
                    ("stop_sequence", {"reason": "WIN"}),
                ]
            )
            await self.call(tool, sequence_id=run["id"], **more)

    async def correct(self) -> None:
        """Change a fact of a contact."""
        known = (await self.call("find_contacts", query="grace"))["items"]
        if known:
            await self.call("save_contacts", contacts=[{"id": known[0]["id"], "last_name": "Hopper-Murray"}])

    async def withdraw(self) -> None:
        """Take a plan back."""
        plans = (await self.call("list_reviews"))["plans"]["items"]
        if plans:
            await self.call("withdraw_plan", plan_id=self.chance.choice(plans)["plan_id"])

    async def decide(self) -> None:
        """Let a person approve one thing that waits, after looking at it."""
        found = await self.call("list_reviews")
        ids = [one["plan_id"] for one in found["plans"]["items"]] + [one["id"] for one in found["drafts"]["items"]]
        if not ids:
            return
        own = self.chance.choice(ids)
        async with self.bureau.app() as app:
            try:
                shown = await look_up(app, own, renew=True)
                await approve_in_terminal(app, own, seen=shown, people=None, actor=Actor("person"))
            except SequencesError:
                return

    async def work(self) -> None:
        """Let time pass and the worker work."""
        self.bureau.forward(hours=self.chance.choice([1, 8, 30]))
        self.bureau.work()


async def covered(bureau: Bureau) -> int:
    """Return how many e-mails left, after checking that a yes covers the exact text of each."""
    sql = "SELECT id, digests FROM plan JOIN plan_texts ON plan_texts.plan_no = plan.no"
    plans: dict[str, Any] = dict(bureau.rows(sql))
    said = set(bureau.rows("SELECT subject, digest FROM approval"))
    digests = {digest for _, digest in said}
    left = 0
    async with bureau.app() as app:
        for (own,) in bureau.rows("SELECT id FROM sequence"):
            sequence = (await get_sequence(app, sequence_id=own)).sequence
            for run in sequence.steps:
                if run.state.value == "held":
                    assert run.reason, (own, run.step.id)
                if run.state.value != "sent":
                    continue
                left += 1
                digest = text_digest(sequence, run)
                texts = plans[sequence.plan_id]
                by_plan = digest in texts and any(subject == sequence.plan_id for subject, _ in said)
                assert by_plan or digest.hex() in digests, (own, run)
                mails = [one for one in bureau.outbox if one["To"].addresses[0].addr_spec == run.recipient]
                assert any((run.content or "").strip() in one.get_content() for one in mails), (own, run)
    return left


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_tools_are_called_only_what_a_person_said_yes_to_leaves(bureau: Bureau, seed: int) -> None:
    async with bureau.client("auto") as desktop:
        walk = Walk(bureau, desktop, random.Random(seed), await desktop.blueprint(MAIL, LATER))
        ways = [walk.start, walk.decide, walk.decide, walk.work, walk.work, walk.edit, walk.override]
        ways += [walk.move, walk.rewrite, walk.correct, walk.withdraw]
        for _ in range(STEPS):
            await walk.chance.choice(ways)()
    left = await covered(bureau)
    assert left == len(bureau.outbox) > 0
