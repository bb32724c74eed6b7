"""What both acts of the demo use: a mail server, the vendors' sandbox, the MCP server with a client, a narrator.

Everything listens on loopback and keeps what it gets in memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
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

    from sequences_sandbox.faults import Faults
    from sequences_sandbox.imap import KeptMailbox
    from sequences_sandbox.world import World

Say = Callable[[str], object]

SENDER = "Ada Lovelace <ada@lovelace.example>"
PATIENCE = 30.0  # seconds
LIVE = ("FOUND", "ACTIVE", "WAITING_FOR_LEAD", "WAITING_FOR_USER")
LOOK_EVERY = 0.02


class DemoInbox:
    """The messages that the demo's mail server received, with a way to wait for more."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self._arrived = asyncio.Condition()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Store one message."""
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
async def mail_server() -> AsyncIterator[tuple[DemoInbox, int]]:
    """Run a mail server on a free loopback port."""
    try:
        from aiosmtpd.smtp import SMTP
    except ImportError as error:
        raise SettingsError(
            "The demo needs a mail server of its own.", next_step="Install it: pip install 'sequences-mcp[demo]'."
        ) from error
    mailbox = DemoInbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, enable_SMTPUTF8=True), host="127.0.0.1", port=0)
    async with server:
        yield mailbox, server.sockets[0].getsockname()[1]


@asynccontextmanager
async def answers() -> AsyncIterator[tuple[KeptMailbox, str]]:
    """Run the server of the sender's mailbox on loopback; yield the mailbox and its address as a setting."""
    from urllib.parse import quote

    from sequences_sandbox.imap import KeptMailbox, imap_server

    mailbox, user, password = KeptMailbox(), "ada@lovelace.example", "demo"
    async with imap_server(mailbox, user=user, password=password) as port:
        yield mailbox, f"imap://{quote(user, safe='')}:{password}@127.0.0.1:{port}"


def answer_to(message: EmailMessage, text: str) -> bytes:
    """Return what the recipient of an e-mail answers from their mail program."""
    answer = EmailMessage()
    answer["From"], answer["To"] = message["To"], message["From"]
    answer["Subject"] = f"Re: {message['Subject']}"
    answer["Date"] = datetime.now(UTC)
    answer["Message-ID"] = f"<answer@{str(message['To']).rpartition('@')[2].strip('>')}>"
    answer["In-Reply-To"] = answer["References"] = str(message["Message-ID"])
    quoted = "\n".join(f"> {line}" for line in message.get_content().splitlines())
    answer.set_content(f"{text}\n\n{quoted}\n")
    return answer.as_bytes()


@asynccontextmanager
async def client_of(say: Say, settings: dict[str, str]) -> AsyncIterator[Client]:
    """Run the server over stdio with these settings and yield a client that approves in every dialog."""
    from mcp import Client, StdioServerParameters
    from mcp.types import ElicitResult

    async def dialog(context: object, params: Any) -> ElicitResult:
        say("\n┌─ The client shows you a dialog:")
        for line in params.message.splitlines():
            say(f"│ {line}")
        say("└─ You tick “Start this”.\n")
        return ElicitResult(action="accept", content={"approve": True})

    server = StdioServerParameters(command=sys.executable, args=["-m", "sequences_mcp"], env=settings)
    async with Client(server, elicitation_callback=dialog) as client:
        yield client


@asynccontextmanager
async def vendors() -> AsyncIterator[tuple[World, Faults, int]]:
    """Serve Kalent, Clarky and Topo on a free loopback port; yield their world, their faults and the port."""
    from sequences_sandbox.faults import Faults
    from sequences_sandbox.seeds import seeded
    from sequences_sandbox.serve import build, listening, loopback_server

    world, faults, listener = seeded(lambda: datetime.now(UTC)), Faults(), listening(0)
    serving = loopback_server(build(world, faults))
    task = asyncio.create_task(serving.serve(sockets=[listener]))
    try:
        yield world, faults, listener.getsockname()[1]
    finally:
        serving.should_exit = True
        await task


class Narrator:
    """Calls tools, and prints each call, its answer, and what the person and the model say."""

    def __init__(self, client: Client, say: Say) -> None:
        self._client = client
        self.say = say

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool, print it on a line, and return its result or error as a dictionary."""
        self.say(f"  → {tool}({_short(arguments)})")
        facts = await self._facts(tool, arguments)
        if "outcome" in facts:
            self.say(f"  ← {facts['outcome']}: {facts.get('message') or facts['next']}")
        return facts

    async def once_ended(self, sequence_id: str) -> dict[str, Any]:
        """Return a run once it is over."""
        async with asyncio.timeout(PATIENCE):
            run = await self._facts("get_sequence", {"sequence_id": sequence_id})
            while run["status"] in LIVE:
                await asyncio.sleep(LOOK_EVERY)
                run = await self._facts("get_sequence", {"sequence_id": sequence_id})
        return run

    async def _facts(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = await self._client.call_tool(tool, arguments)
        facts: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
        return facts

    def you(self, text: str) -> None:
        """Print what the person says."""
        self.say(f"\nYou: {text}")

    def claude(self, text: str) -> None:
        """Print what the model says."""
        self.say(f"Claude: {text}")


def quoted_lines(text: str) -> str:
    """Return a text with a line at its left."""
    lines = (line for part in text.strip().split("\n") for line in textwrap.wrap(part, 84) or [""])
    return "\n".join(f"      │ {line}".rstrip() for line in lines)


def _short(arguments: dict[str, Any]) -> str:
    shown = json.dumps(arguments, ensure_ascii=False)
    return textwrap.shorten(shown, width=90, placeholder=" …")


def next_monday() -> str:
    """Return nine o'clock on the next Monday."""
    today = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=7 - today.weekday())).isoformat()
