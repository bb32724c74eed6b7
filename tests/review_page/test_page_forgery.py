"""Forty ways to make messages leave without a person's yes to exactly them: none of them works.

The scripts go up the ladder of approvals: a tool's argument, a token of another tool, the chat's dialog, a page
without a passphrase, a page with one, the database itself. After each of them the worker does all that is due, and
the outbox is empty.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from mcp.types import ElicitResult
from tests.secrecy.client import Client
from tests.world.page import MAIL, PASSPHRASE, Answer, PageWorld, Visitor, apart, crowd

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan
from sequences_mcp.errors import SequencesError
from sequences_mcp.server.app import build_server
from sequences_mcp.services.blueprints import update_blueprint
from sequences_mcp.services.reviews import edit_draft
from sequences_mcp.services.starts import start_sequence


@dataclass
class Scene:
    """A plan that waits or was approved, a person who unlocked the page, and an agent without a passphrase."""

    world: PageWorld
    plan: Plan
    person: Visitor
    agent: Visitor
    key: str

    @property
    def path(self) -> str:
        """The plan's screen."""
        return f"/plans/{self.plan.id}"

    def approves(self, digest: str | None = None) -> Answer:
        """The person reads a sample and says yes, to the state they were shown."""
        self.person.get(self.person.get(f"{self.path}/sample").headers["location"])
        return self.person.post(f"{self.path}/approve", digest=digest or self.plan.digest)

    def sql(self, *statements: str) -> None:
        """Somebody rewrites the database, its own rules dropped first."""
        with closing(sqlite3.connect(self.world.folder / "sequences.db")) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in names:
                database.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                database.execute(statement)
            database.commit()

    def tool(self, name: str, answer: ElicitResult | None = None, **arguments: Any) -> None:
        """An agent calls a tool; ``answer`` is what its host says to every dialog by itself."""

        async def dialog(context: object, params: object) -> ElicitResult:
            assert answer is not None
            return answer

        async def run() -> None:
            callback = dialog if answer else None
            async with Client(build_server(self.world.app), elicitation_callback=callback) as client:
                await client.call_tool(name, arguments)

        apart(run)

    def tries(self, act: Callable[[Any], Any]) -> None:
        """An agent does something at a desk of its own and is refused."""
        with pytest.raises(SequencesError):
            self.world.at_desk(act)

    def start(self, **more: Any) -> dict[str, Any]:
        """Return the arguments of a start of the same blueprint."""
        return {"blueprint_id": self.plan.header.blueprint_id, "contacts": crowd(2), **more}


Script = Callable[[Scene], object]


def posts(path: str, **fields: str) -> Script:
    """An agent sends a form, with whatever it was told."""

    def script(scene: Scene) -> None:
        body = urlencode({"digest": scene.plan.digest, "csrf": "guess", "people": "2", **fields})
        answer = scene.agent.send("POST", scene.path + path, body=body)
        assert answer.status in (401, 403)

    return script


def posts_with(headers: Mapping[str, str | None]) -> Script:
    """Another site sends the person's own form with the person's own cookie."""

    def script(scene: Scene) -> None:
        scene.person.get(scene.person.get(f"{scene.path}/sample").headers["location"])
        body = urlencode({"digest": scene.plan.digest, "csrf": scene.person.get("/").field("csrf")})
        answer = scene.person.send("POST", f"{scene.path}/approve", body=body, headers=headers)
        assert answer.status in (403, 405, 415, 421)

    return script


def after_approval(*statements: str) -> Script:
    """The person approves, then somebody rewrites rows."""

    def script(scene: Scene) -> None:
        assert scene.approves().status == 303
        scene.sql(*statements)

    return script


def under(**settings: str) -> Script:
    """The person approves, then the settings change."""

    def script(scene: Scene) -> None:
        assert scene.approves().status == 303
        scene.world.more |= settings

    return script


def guesses_passphrases(scene: Scene) -> None:
    for guess in ("", "password", "letmein", PASSPHRASE.split()[0], PASSPHRASE[:-1], PASSPHRASE.upper()):
        assert scene.agent.unlock(guess).status == 403


def replays_the_form_of_another_plan(scene: Scene) -> None:
    other = scene.world.plan({**MAIL, "content": "Something else."}, people=2)
    scene.person.get(scene.person.get(f"{scene.path}/sample").headers["location"])
    assert scene.person.post(f"{scene.path}/approve", digest=other.digest).status == 409


def approves_unread(scene: Scene) -> None:
    assert scene.person.post(f"{scene.path}/approve", digest=scene.plan.digest).status == 409


def approves_too_late(scene: Scene) -> None:
    scene.world.clock.forward(hours=24)
    scene.person.cookie = ""
    scene.person.unlock()
    assert scene.approves().status == 409


def approves_after_an_edit(scene: Scene) -> None:
    draft = f"local:draft_{scene.key}"
    scene.world.at_desk(lambda app: edit_draft(app, draft_id=draft, content="The agent's own words."))
    assert scene.approves().status == 409


def approves_after_a_new_version(scene: Scene) -> None:
    async def renew(app: Any) -> None:
        steps = [{**MAIL, "content": "Another template."}]
        own = scene.plan.header.blueprint_id
        await update_blueprint(
            app, blueprint_id=own, expected_version=1, name="Engineers", steps=steps, job_title="Engineer"
        )

    scene.world.at_desk(renew)
    assert scene.approves().status == 409


def approves_a_refused_plan(scene: Scene) -> None:
    scene.person.post(f"{scene.path}/refuse")
    assert scene.approves().status == 409


def injects(content: str, subject: str) -> Script:
    """An agent smuggles a header into a text."""

    def script(scene: Scene) -> None:
        draft = f"local:draft_{scene.key}"
        scene.tries(lambda app: edit_draft(app, draft_id=draft, content=content, subject=subject))

    return script


def claims_to_be_allowed(scene: Scene) -> None:
    async def silent(done: int, total: int) -> None:
        """Report to nobody."""

    own = scene.plan.header.blueprint_id
    scene.tries(
        lambda app: start_sequence(app, blueprint_id=own, contacts=crowd(2), auto_approve=True, progress=silent)
    )


STEP = "UPDATE step_run SET {} WHERE subject = 'Engineer'"
DIALOG = {"accepts without a tick": ElicitResult(action="accept", content={"approve": False})}
DIALOG |= {word: ElicitResult(action=word) for word in ("decline", "cancel")}


def _starts_with(answer: ElicitResult, scene: Scene) -> None:
    scene.tool("start_sequence", answer, **scene.start())


SCRIPTS: dict[str, Script] = {
    "0 an argument that says approved": lambda scene: scene.tool("start_sequence", **scene.start(approved=True)),
    "0 an argument that says auto_approve": lambda scene: scene.tool(
        "start_sequence", **scene.start(auto_approve=True)
    ),
    "0 auto_approve past the tool": claims_to_be_allowed,
    "0 a tool called approve_plan": lambda scene: scene.tool("approve_plan", plan_id=scene.plan.id),
    "0 resuming what never started": lambda scene: scene.tool("resume_sequence", sequence_id=scene.key),
    "1 the digest as a token": lambda scene: scene.tool("start_sequence", **scene.start(digest=scene.plan.digest)),
    "1 the digest as an idempotency key": lambda scene: scene.tool(
        "start_sequence", **scene.start(idempotency_key=scene.plan.digest)
    ),
    "1 a digest of something else": lambda scene: scene.tries(
        lambda app: app.plans.approve_plan(scene.plan.id, digest="0" * 64, actor=Actor("agent"))
    ),
    **{f"2 a host whose dialog {word}": partial(_starts_with, answer) for word, answer in DIALOG.items()},
    "3 the page without a session": posts("/approve"),
    "3 the page with a digest and a guessed token": posts("/approve", csrf="0" * 43),
    "3 taking a void plan for one's own": posts("/renew"),
    "3 a cookie made up": posts_with({"Cookie": "sequences_review=AAAA"} | {"Origin": "http://evil.example"}),
    "4 guessing the passphrase": guesses_passphrases,
    "4 a form of another plan": replays_the_form_of_another_plan,
    "4 a yes without reading": approves_unread,
    "4 a yes that comes too late": approves_too_late,
    "4 a yes to what was edited meanwhile": approves_after_an_edit,
    "4 a yes after a new version": approves_after_a_new_version,
    "4 a yes to what was refused": approves_a_refused_plan,
    "4 a form of another site": posts_with({"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}),
    "4 a form of a sandboxed frame": posts_with({"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
    "4 a form of another port": posts_with({"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"}),
    "4 a form without an origin": posts_with({"Origin": None, "Sec-Fetch-Site": None}),
    "4 a rebound name": posts_with({"Host": "evil.example"}),
    "4 a rebound name with the port": posts_with({"Host": "127.0.0.1:80"}),
    "4 JSON in place of a form": posts_with({"Content-Type": "application/json"}),
    "4 text in place of a form": posts_with({"Content-Type": "text/plain"}),
    "4 a header in the subject": injects("Hello there.", "Hi\r\nBcc: evil@evil.example"),
    "4 a header in the text": injects("Hello [name]\r\n.\r\nBcc: evil@evil.example", "Hi"),
    "5 a row's text edited": after_approval(STEP.format("content = 'Pay here'")),
    "5 a row's recipient swapped": after_approval(STEP.format("recipient = 'evil@evil.example'")),
    "5 a Bcc put into a row's subject": after_approval(
        STEP.format("subject = 'x' || char(10) || 'Bcc: e@e.example'")
    ),
    "5 everybody's address swapped": after_approval(
        "UPDATE contact SET email = 'evil' || no || '@evil.example', email_key = 'evil' || no || '@evil.example'"
    ),
    "5 a text passed off as another generation": after_approval(STEP.format("generation = generation + 1")),
    "5 the digest recomputed for a text of one's own": after_approval(
        STEP.format("content = 'Pay here'"),
        "UPDATE plan SET digest = replace(digest, substr(digest, 1, 4), 'beef')",
    ),
    "5 the plan's terms rewritten": after_approval(
        "UPDATE plan SET terms = replace(terms, 'ada@lovelace.example', 'eve@evil.example')"
    ),
    "5 the list of digests cut off": after_approval("UPDATE plan_texts SET digests = x''"),
    "5 the approval removed": after_approval("DELETE FROM approval"),
    "5 another sender": under(SEQUENCES_SENDER="Eve <eve@evil.example>"),
    "5 another cap": under(SEQUENCES_DAILY_CAP="10000"),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_no_message_leaves(world: PageWorld, script: Script) -> None:
    world.more["SEQUENCES_ELICITATION"] = "on"
    plan = world.plan(people=2)
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1))
    with world.page() as person:
        person.unlock()
        key = people.items[0].sequence.steps[0].key
        script(Scene(world, plan, person, Visitor(person.page_lock), key))
    assert world.mails_after_work() == []


def test_with_the_persons_own_yes_messages_leave(world: PageWorld) -> None:
    plan = world.plan(people=2)
    with world.page() as person:
        person.unlock()
        assert Scene(world, plan, person, person, "").approves().status == 303
    assert len(world.mails_after_work()) == 2


def test_there_are_forty_of_them() -> None:
    assert len(SCRIPTS) >= 40


def test_a_race_with_an_edit_sends_nothing_unread(world: PageWorld) -> None:
    """Both at once: whichever comes first, the text that nobody read stays here."""
    plan = world.plan(people=2)
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1))
    draft = f"local:draft_{people.items[0].sequence.steps[0].key}"

    def edit() -> None:
        with suppress(SequencesError):
            world.at_desk(lambda app: edit_draft(app, draft_id=draft, content="The agent's own words."))

    with world.page() as person:
        person.unlock()
        scene = Scene(world, plan, person, person, "")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda act: act(), (edit, scene.approves)))
    assert not any("own words" in mail for mail in world.mails_after_work())


def test_two_people_deciding_at_once_decide_once(world: PageWorld) -> None:
    plan = world.plan(people=2)
    with world.page() as person:
        person.unlock()
        scene = Scene(world, plan, person, person, "")
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: scene.approves().status, range(4)))
    assert sorted(answers) == [303, 409, 409, 409]
    assert len(world.mails_after_work()) == 2
