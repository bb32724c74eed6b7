"""The office of a task: our server on a data folder, a mail server, a clock, and what happened before.

Others who try their server write a class with the same five methods; README.md says what each has to do.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from benchmarks.agents.judging import State
from benchmarks.agents.task import AgentTask
from mcp import Client
from mcp.types import ElicitResult
from tests.secrecy.client import Client as HeardClient
from tests.world.inbound_mail import Sent, reply
from tests.world.mail_servers import Inbox, ScriptedController, bytes_of, free_port
from tests.world.product import Bureau, Desktop

from sequences_mcp.domain.actors import Actor
from sequences_mcp.engine.inbound.effects import incoming, take_in_message
from sequences_mcp.errors import ApprovalError
from sequences_mcp.services.reviews import approve_change, approve_draft, approve_plan, list_reviews, refuse_plan
from sequences_mcp.store.unit_of_work import Store

SERVER = "sequences"
PERSON = Actor("terminal:ada")
SENDER = "ada@lovelace.example"
LAST_DAY = 40  # after a task, in days: whatever is due until then is done
ANSWERS = {
    "approve": ElicitResult(action="accept", content={"approve": True}),
    "decline": ElicitResult(action="decline"),
    "close": ElicitResult(action="cancel"),
}
_SETTINGS = ("settings", "allow")  # events after which a server has to be opened anew
LINKED_IN = ("LINKEDIN_MESSAGE", "LINKEDIN_INVITATION", "LINKEDIN_INVITATION_WITH_MESSAGE", "LINKEDIN_INMAIL")


@contextmanager
def mail_server(port: int = 0) -> Iterator[tuple[int, Inbox]]:
    """Run a mail server on loopback that takes everything, unless its script says otherwise; its port, too."""
    inbox, port = Inbox({}), port or free_port()
    controller = ScriptedController(inbox, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield port, inbox
    finally:
        controller.stop()


@dataclass
class Office:
    """One task's office. ``before`` is how many e-mails had left when the player's turn began."""

    bureau: Bureau
    inbox: Inbox
    before: int = 0
    numbers: dict[str, str] = field(default_factory=dict)  # the ids of blueprints by their names

    @classmethod
    def at(cls, folder: Path, port: int, inbox: Inbox) -> Office:
        """Return an empty office on a folder, whose e-mails go to a mail server on this port of loopback."""
        return cls(Bureau.at(folder, SMTP_URL=f"smtp://127.0.0.1:{port}"), inbox)

    async def prepare(self, task: AgentTask) -> None:
        """Let happen what the task says happened before."""
        async with AsyncExitStack() as closing:
            agent: Desktop | None = None
            for event in task.history:
                [(name, given)] = event.items()
                if name in _SETTINGS:
                    agent = None
                    await closing.aclose()
                if await self._happen(name, given):
                    continue
                if agent is None:
                    connecting = HeardClient(self.bureau.server, elicitation_callback=_yes)
                    agent = Desktop(await closing.enter_async_context(connecting))
                await self._call(agent, name, given)
        self.before = len(self.inbox.taken)

    @asynccontextmanager
    async def connect(self, task: AgentTask) -> AsyncIterator[Client]:
        """Connect a client, whose dialogs the task's person answers."""
        said = ANSWERS.get(task.person.dialog)

        async def dialog(context: object, params: Any) -> ElicitResult:
            assert said is not None
            return said

        async with HeardClient(self.bureau.server, elicitation_callback=dialog if said else None) as client:
            yield client

    def state(self) -> State:
        """Return what is so now, in words of no server: README.md has the fields."""
        blueprints = self._blueprints()
        return {
            "sent": self._letters(),
            "people": self._people(),
            "runs": self._runs(),
            "waiting": self._waiting(),
            "suppressed": [
                value for (value,) in self._rows("SELECT value FROM suppression WHERE kind <> 'contact'")
            ],
            "tasks": [
                address
                for (address,) in self._rows(
                    "SELECT c.email FROM step_run r JOIN sequence s ON s.no = r.sequence_no "
                    "JOIN contact c ON c.no = s.contact_no WHERE r.state = 'open' AND r.replaced = 0"
                )
            ],
            "blueprints": blueprints,
        }

    async def go_on(self, task: AgentTask) -> None:
        """Let the person decide about what waits, then let time pass and everything due be done."""
        if task.person.afterwards == "approve":
            await self._decide("approve")
        end = self.bureau.clock.now + timedelta(days=LAST_DAY)
        self.bureau.work()
        while (due := self._next_due()) is not None and due <= end:
            self.bureau.clock.now = max(due, self.bureau.clock.now) + timedelta(minutes=1)
            self.bureau.work()

    def _next_due(self) -> datetime | None:
        [(due,)] = self._rows("SELECT min(next_run_at) FROM sequence WHERE next_run_at IS NOT NULL")
        return None if due is None else datetime.fromtimestamp(due / 1e6, UTC)

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.bureau.rows(sql, *values)

    def _letters(self) -> list[dict[str, str]]:
        letters = []
        for envelope in self.inbox.taken[self.before :]:
            mail = message_from_bytes(bytes_of(envelope), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            body = mail.get_body(("plain",))
            letters += [
                {"to": address, "subject": str(mail["Subject"] or ""), "text": body.get_content() if body else ""}
                for address in envelope.rcpt_tos
            ]
        return letters

    def _people(self) -> dict[str, dict[str, Any]]:
        names = "email first_name last_name company job_title location country time_zone phone linkedin_url notes"
        rows = self._rows(f"SELECT {names.replace(' ', ', ')} FROM contact WHERE email IS NOT NULL")
        return {row[0]: dict(zip(names.split(), row, strict=True)) for row in rows}

    def _runs(self) -> list[dict[str, Any]]:
        rows = self._rows(
            "SELECT c.email, b.name, s.status, s.paused_until FROM sequence s "
            "JOIN contact c ON c.no = s.contact_no JOIN blueprint_version b ON b.no = s.version_no ORDER BY s.no"
        )
        return [
            {
                "person": email,
                "blueprint": name,
                "status": status,
                "paused_until": datetime.fromtimestamp(until / 1e6, UTC).isoformat() if until else None,
            }
            for email, name, status, until in rows
        ]

    def _waiting(self) -> list[dict[str, Any]]:
        plans: dict[str, dict[str, Any]] = {}
        now = int(self.bureau.clock.now.timestamp() * 1e6)
        rows = self._rows(
            "SELECT p.id, b.name, c.email FROM plan p JOIN blueprint_version b ON b.no = p.version_no "
            "JOIN sequence s ON s.plan_no = p.no JOIN contact c ON c.no = s.contact_no "
            "WHERE p.status = 'waiting' AND s.status = 'FOUND' AND p.expires_at > ?",
            now,
        )
        for plan, blueprint, email in rows:
            plans.setdefault(plan, {"blueprint": blueprint, "people": []})["people"].append(email)
        return list(plans.values())

    def _blueprints(self) -> dict[str, dict[str, Any]]:
        found = {}
        rows = self._rows(
            "SELECT b.name, b.version, b.steps, b.sourcing, b.replies, a.archived_at IS NOT NULL "
            "FROM blueprint_version b LEFT JOIN archived_blueprint a ON a.blueprint_id = b.blueprint_id "
            "ORDER BY b.no"
        )
        for name, version, steps, sourcing, replies, archived in rows:
            read, about = json.loads(steps), json.loads(sourcing)
            found[name] = {
                "version": version,
                "channels": [step.get("linkedInType") or step["type"] for step in read],
                "days": [_days(step.get("delay")) for step in read],
                "variants": [len(step.get("variants") or []) for step in read],
                "text": "\n".join(_texts(read)),
                "job_title": about.get("jobTitle"),
                "location": about.get("location"),
                "stops_company": bool(json.loads(replies).get("stopCompany")),
                "archived": bool(archived),
            }
        return found

    async def _happen(self, name: str, given: Any) -> bool:
        """Let one event of a history happen that is no call of an agent's; return whether it was one."""
        match name:
            case "pass":
                self.bureau.forward(**given)
            case "work":
                self.bureau.work()
            case "settings":
                self.bureau = self.bureau.having(**given)
            case "allow":
                self.bureau = self.bureau.having(AUTO_APPROVE=",".join(self.numbers[one] for one in given))
            case "mail_server":
                self.inbox.script.clear()
                self.inbox.script.update(given)
            case "answer":
                self._answer(given["from"], given["says"])
            case "decide":
                await self._decide(given)
            case _:
                return False
        return True

    async def _call(self, agent: Desktop, name: str, given: Any) -> None:
        """Let one event of a history happen by the calls that an agent would make."""
        match name:
            case "people":
                await agent.call("save_contacts", contacts=given)
            case "blueprint":
                steps = [_step(step, number) for number, step in enumerate(given["steps"], start=1)]
                made = await agent.call("create_blueprint", **{**given, "steps": steps})
                self.numbers[given["name"]] = made["blueprint_id"]
            case "change":
                number = self.numbers[given["name"]]
                version = (await agent.call("get_blueprint", blueprint_id=number))["version"]
                changes = {key: value for key, value in given.items() if key != "name"}
                await agent.call("update_blueprint", blueprint_id=number, expected_version=version, **changes)
            case "start":
                await self._start(agent, given)
            case "suppress":
                await agent.call("suppress_contact", contact=given, reason="They asked us to.")
            case "erase":
                await agent.call("erase_contact", contact=given)
            case "record":
                await agent.call("record_reply", **given)
            case "pause":
                run = await self._run_of(agent, given["person"])
                until = self.bureau.clock.now + timedelta(days=given["days"])
                await agent.call("pause_sequence", sequence_id=run, paused_until=until.isoformat())
            case "stop":
                run = await self._run_of(agent, given)
                await agent.call("stop_sequence", sequence_id=run, reason="LOSE")
            case "edit":
                run = await self._run_of(agent, given["person"])
                steps = (await agent.call("get_sequence", sequence_id=run))["steps"]
                [draft] = [step["draft_id"] for step in steps if step["step_id"] == given["step"]]
                await agent.call("edit_draft", draft_id=draft, content=given["text"])
            case _:
                raise ValueError(f"A history has an event {name}, which is none.")

    async def _start(self, agent: Desktop, given: Mapping[str, Any]) -> None:
        """Start, and where the event says so keep the plan waiting: nobody was asked about it."""
        arguments = {"blueprint_id": self.numbers[given["blueprint"]], "contacts": given["people"]}
        if given.get("approved", True):
            await agent.call("start_sequence", **arguments)
        else:
            async with HeardClient(self.bureau.server) as alone:
                await Desktop(alone).call("start_sequence", **arguments)

    async def _run_of(self, agent: Desktop, address: str) -> str:
        return str((await agent.call("list_sequences", contact=address, sort_order="desc"))["items"][0]["id"])

    async def _decide(self, decision: str) -> None:
        """Let the person decide about everything that waits, in their terminal."""
        async with self.bureau.app(str(PERSON)) as app:
            reviews = await list_reviews(app, size=100)
            for plan in reviews.plans.items:
                if decision == "refuse":
                    await refuse_plan(app, plan_id=plan.id, reason="Not these people.", actor=PERSON)
                    continue
                with suppress(ApprovalError):  # its texts are missing, or another plan has its people by now
                    await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=PERSON)
            if decision == "refuse":
                return
            for change in reviews.changes.items:
                await approve_change(app, change_id=change.id, digest=change.digest, actor=PERSON)
            for draft in reviews.drafts.items:
                if draft.sequence.status != "FOUND" and draft.run.content:
                    await approve_draft(app, draft_id=draft.id, digest=draft.digest, actor=PERSON)

    def _answer(self, address: str, says: str) -> None:
        """Let an answer come to the mailbox: to the newest e-mail that this person got."""
        [mail] = [
            message_from_bytes(bytes_of(envelope), policy=policy.default)
            for envelope in self.inbox.taken
            if address in envelope.rcpt_tos
        ][-1:]
        sent = Sent(str(mail["Message-ID"]), sender=SENDER, recipient=address, subject=str(mail["Subject"]))
        item = incoming(reply(sent, says), arrived_at=self.bureau.clock.now)
        with Store.open(self.bureau.workspace, now=self.bureau.clock.now) as store, store.transaction() as work:
            take_in_message(work, item, address=SENDER, now=self.bureau.clock.now)


async def _yes(context: object, params: Any) -> ElicitResult:
    return ANSWERS["approve"]


def _days(delay: Mapping[str, Any] | None) -> int:
    return int(delay["value"]) if delay else 0


def _texts(steps: list[dict[str, Any]]) -> Iterator[str]:
    for step in steps:
        for text in (step, *(step.get("variants") or [])):
            yield f"{text.get('subject') or ''}\n{text.get('content') or ''}"


def _step(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return a step of a history as create_blueprint takes it."""
    channel, days = given["channel"], given.get("after_days")
    step: dict[str, Any] = {
        "id": given.get("id", f"step{number}"),
        "name": given.get("name", f"Step {number}"),
        "type": "LINKEDIN" if channel in LINKED_IN else channel,
        "content": given.get("text", ""),
        "temporalityType": "DELAYED" if days else "ASAP",
    }
    step |= {"linkedInType": channel} if channel in LINKED_IN else {}
    step |= {"subject": given["subject"]} if "subject" in given else {}
    step |= {"delay": {"value": days, "unit": "day"}} if days else {}
    step |= {"contentSource": "suggestedByKalent"} if given.get("written") else {}
    return step
