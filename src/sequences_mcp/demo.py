"""The whole story on this machine: a real mail server, the real server over stdio, the real MCP client.

Nothing leaves the machine: the mail server listens on loopback and keeps what it gets in memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from sequences_mcp.errors import SettingsError

if TYPE_CHECKING:
    from mcp import Client

Say = Callable[[str], object]

SENDER = "Ada Lovelace <ada@lovelace.example>"
PATIENCE = 30.0
ROLE = {"job_title": "Staff Backend Engineer", "location": "Lisbon"}
PEOPLE = [
    {"email": "maria@globex.example", "first_name": "Maria", "last_name": "Silva", "company": "Globex"},
    {"email": "jonas@acme.example", "first_name": "Jonas", "last_name": "Weber", "company": "Acme"},
    {"email": "aiko@acme.example", "first_name": "Aiko", "last_name": "Tanaka", "company": "Acme"},
    {"email": "lea@initech.example", "first_name": "Léa", "last_name": "Martin", "company": "Initech"},
    {"email": "tom@hooli.example", "first_name": "Tom", "last_name": "Okafor", "company": "Hooli"},
]
DRAFT = "Hi {{firstName}},\n\nYour work at [company] caught my eye. Shall we talk?\n\nAda"
FIRST = (
    "Hi {{firstname}},\n\nI am hiring a {{sourcingJobTitle}} in {{sourcingLocation}}, and what you do at "
    "{{candidateCompanyName}} is close to it. Would a short call this week suit you?\n\n{{recruiterFirstname}}"
)
SECOND = (
    "Hi {{firstname}},\n\nOne more thought: the team picks its own tools and ships daily. If it is not for you, "
    "tell me and I will not write again.\n\n{{recruiterFirstname}} {{recruiterLastname}}"
)
THIRD = "Hi {{firstname}}, I wrote to you about the {{sourcingJobTitle}} role. Would you like to hear more?"


def steps(first: str) -> list[dict[str, Any]]:
    """Return the demo's three steps; the second follows after five seconds instead of days."""
    return [
        {
            "id": "hello",
            "name": "Hello",
            "type": "EMAIL",
            "subject": "{{sourcingJobTitle}} in {{sourcingLocation}}",
            "content": first,
            "temporalityType": "ASAP",
        },
        {
            "id": "thought",
            "name": "One more thought",
            "type": "EMAIL",
            "subject": "One more thought, {{firstname}}",
            "content": SECOND,
            "temporalityType": "DELAYED",
            "delay": {"value": 5, "unit": "second"},
        },
        {
            "id": "linkedin",
            "name": "LinkedIn",
            "type": "LINKEDIN",
            "linkedInType": "LINKEDIN_MESSAGE",
            "content": THIRD,
            "temporalityType": "DELAYED",
            "delay": {"value": 3, "unit": "day"},
            "policy": {"skipStepIfNoContact": True},
        },
    ]


class Mailbox:
    """What the throw-away mail server received, and a way to wait for more."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self._arrived = asyncio.Condition()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep one message."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        async with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()
        return "250 kept"

    async def wait_for(self, number: int) -> None:
        """Return when so many messages have arrived; TimeoutError after half a minute."""
        async with asyncio.timeout(PATIENCE), self._arrived:
            await self._arrived.wait_for(lambda: len(self.messages) >= number)


@asynccontextmanager
async def mail_server() -> AsyncIterator[tuple[Mailbox, int]]:
    """Run a mail server on a free loopback port."""
    try:
        from aiosmtpd.smtp import SMTP
    except ImportError as error:
        raise SettingsError(
            "The demo needs a mail server of its own.", next_step="Install it: pip install 'sequences-mcp[demo]'."
        ) from error
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, enable_SMTPUTF8=True), host="127.0.0.1", port=0)
    async with server:
        yield mailbox, server.sockets[0].getsockname()[1]


async def demo(say: Say) -> None:
    """Tell the story; ``say`` prints one line."""
    with tempfile.TemporaryDirectory(prefix="sequences-demo-") as folder:
        async with mail_server() as (mailbox, port), _client(say, folder, port) as client:
            await _Story(client, mailbox, say).tell()


@asynccontextmanager
async def _client(say: Say, folder: str, port: int) -> AsyncIterator[Client]:
    from mcp import Client, StdioServerParameters
    from mcp.types import ElicitResult

    async def dialog(context: object, params: Any) -> ElicitResult:
        say("\n┌─ The client shows you a dialog:")
        for line in params.message.splitlines():
            say(f"│ {line}")
        say("└─ You: yes\n")
        return ElicitResult(action="accept", content={"approve": True})

    environment = {
        "SEQUENCES_DATA_DIR": folder,
        "SEQUENCES_SENDER": SENDER,
        "SEQUENCES_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
        "SEQUENCES_SPACING": "0",
    }
    server = StdioServerParameters(command=sys.executable, args=["-m", "sequences_mcp"], env=environment)
    async with Client(server, elicitation_callback=dialog) as client:
        yield client


class _Story:
    """The exchange, told as it happens."""

    def __init__(self, client: Client, mailbox: Mailbox, say: Say) -> None:
        self._client = client
        self._mailbox = mailbox
        self._say = say

    async def tell(self) -> None:
        blueprint = await self._draft()
        await self._preview(blueprint)
        runs = await self._start(blueprint)
        await self._live(runs)
        self._mails()

    async def _draft(self) -> str:
        self._you("Draft a three-step sequence for our Staff Backend Engineer role in Lisbon.")
        refused = await self._call("create_blueprint", name="Staff Backend Engineer", steps=steps(DRAFT), **ROLE)
        for finding in refused["findings"]:
            self._say(f"    {finding['rule']}: {finding['excerpt']}" + _arrow(finding.get("fix")))
        self._claude("The guards refused two leftovers of a template; I mend them.")
        made = await self._call("create_blueprint", name="Staff Backend Engineer", steps=steps(FIRST), **ROLE)
        return str(made["blueprint_id"])

    async def _preview(self, blueprint: str) -> None:
        self._you("Show me what each of these five people would get.")
        await self._call("save_contacts", contacts=[_facts(person) for person in PEOPLE])
        shown = await self._call("preview_sequence", blueprint_id=blueprint, contacts=_ids(PEOPLE))
        for person in shown["people"]:
            self._say(f"    {person['name']}")
            for step in person["steps"]:
                what = step.get("subject") or f"{step['content'][:44]}…"
                self._say(f"      {step['at']}  {step['channel']:<16} {what}")
        self._say(_quoted(shown["people"][0]["steps"][0]["content"]))

    async def _start(self, blueprint: str) -> dict[str, str]:
        self._you("Good. Start it.")
        started = await self._call("start_sequence", blueprint_id=blueprint, contacts=_ids(PEOPLE))
        self._say(f"    {started['outcome']}: plan {started['plan_id']}")
        await self._mailbox.wait_for(5)
        listed = await self._call("list_sequences", size=100)
        self._say(f"    {len(self._mailbox.messages)} e-mails have left through SMTP.")
        return {run["name"]: run["id"] for run in listed["items"]}

    async def _live(self, runs: dict[str, str]) -> None:
        self._you("Pause Maria until Monday.")
        paused = await self._call("pause_sequence", sequence_id=runs["Maria Silva"], paused_until=_next_monday())
        self._say(f"    {paused['status']}, until {paused['paused_until']}")
        self._you("We won Acme, stop everyone there.")
        stopped = await self._call("stop_sequence", sequence_id=runs["Jonas Weber"], reason="WIN", scope="COMPANY")
        self._say("    stopped: " + ", ".join(one["name"] for one in stopped["stopped"]))
        await self._mailbox.wait_for(7)
        self._say("    The second step has reached the two who are still on their way, and nobody else.")
        self._you("Maria wrote that she has time after all. Resume her.")
        await self._call("resume_sequence", sequence_id=runs["Maria Silva"])
        await self._mailbox.wait_for(8)
        maria = await self._call("get_sequence", sequence_id=runs["Maria Silva"])
        self._say(f"    Maria: {maria['status']}; next: {maria['why']}")

    def _mails(self) -> None:
        self._say(f"\nThe mail server received {len(self._mailbox.messages)} e-mails, each once:")
        for message in self._mailbox.messages:
            self._say(f"    {message['To']:<24} {message['Subject']}")
        first = self._mailbox.messages[0]
        self._say("\nThe first of them:\n")
        for name in ("From", "To", "Subject", "Date", "Message-ID"):
            self._say(f"    {name}: {first[name]}")
        self._say("\n" + _quoted(first.get_content()))

    async def _call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        self._say(f"  → {tool}({_short(arguments)})")
        result = await self._client.call_tool(tool, arguments)
        facts: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
        if "outcome" in facts:
            self._say(f"  ← {facts['outcome']}: {facts.get('message') or facts['next']}")
        return facts

    def _you(self, text: str) -> None:
        self._say(f"\nYou: {text}")

    def _claude(self, text: str) -> None:
        self._say(f"Claude: {text}")


def _facts(person: dict[str, str]) -> dict[str, str]:
    handle = person["email"].partition("@")[0]
    return {**person, "time_zone": "Europe/Lisbon", "linkedin_url": f"https://www.linkedin.com/in/{handle}"}


def _next_monday() -> str:
    today = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=7 - today.weekday())).isoformat()


def _quoted(text: str) -> str:
    lines = (line for part in text.strip().split("\n") for line in textwrap.wrap(part, 84) or [""])
    return "\n".join(f"      │ {line}".rstrip() for line in lines)


def _ids(people: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"email": person["email"]} for person in people]


def _short(arguments: dict[str, Any]) -> str:
    shown = json.dumps(arguments, ensure_ascii=False)
    return textwrap.shorten(shown, width=90, placeholder=" …")


def _arrow(fix: str | None) -> str:
    return "" if fix is None else f"  →  {fix}"
