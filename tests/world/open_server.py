"""The real server over a real database in a folder of the test, with a clock that the test sets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from mcp.types import CallToolResult, ElicitResult, ErrorData
from tests.secrecy.client import Client
from tests.world.clock import NOON, Clock
from tests.world.product import with_schema

from sequences_mcp.bootstrap import open_context
from sequences_mcp.context import AppContext
from sequences_mcp.server.app import SequencesServer, build_server
from sequences_mcp.settings import read_settings

Answer = ElicitResult | ErrorData
ERAS = ("auto", "legacy")
SENDER = "Ada Lovelace <ada@lovelace.example>"
MAIL = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "{{sourcingJobTitle}}",
    "content": "Hi {{firstname}}, would a short call about the role suit you?",
    "temporalityType": "ASAP",
}
LINKEDIN = {
    "id": "message",
    "name": "Message",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_MESSAGE",
    "content": "Hi {{firstname}}, I wrote to you by e-mail.",
    "temporalityType": "DELAYED",
    "delay": {"value": 2, "unit": "day"},
}
WRITTEN = {**MAIL, "id": "own", "contentSource": "suggestedByKalent"}
GRACE = {
    "email": "grace@hopper.example",
    "first_name": "Grace",
    "last_name": "Hopper",
    "linkedin_url": "https://www.linkedin.com/in/grace",
}
LINUS = {**GRACE, "email": "linus@torvalds.example", "first_name": "Linus", "last_name": "Torvalds"}


@dataclass
class World:
    """A server, its desk while it is open, and its clock."""

    folder: Path
    clock: Clock
    changes: dict[str, Any]
    worker: bool = False

    @property
    def server(self) -> SequencesServer:
        """A server as a process of its own would build it."""
        return build_server(self.app)

    @asynccontextmanager
    async def app(self) -> AsyncIterator[AppContext]:
        """Open the desk on the folder's database."""
        settings = read_settings({"SEQUENCES_DATA_DIR": str(self.folder), "SEQUENCES_SENDER": SENDER})
        with_schema(self.folder)
        async with open_context(settings, worker=self.worker, clock=self.clock) as app:
            yield replace(app, **self.changes)

    @asynccontextmanager
    async def client(
        self, mode: str, answer: Callable[[str], Answer | Awaitable[Answer]] | None = None
    ) -> AsyncIterator[Desktop]:
        """Connect a client of one era; ``answer`` is the person at its dialogs."""

        async def dialog(context: object, params: Any) -> Answer:
            assert answer is not None
            said = answer(params.message)
            return said if isinstance(said, ElicitResult | ErrorData) else await said

        callback = dialog if answer else None
        async with Client(self.server, mode=mode, elicitation_callback=callback) as client:
            yield Desktop(client)


@dataclass
class Desktop:
    """A client, and what a person or a model would do with it."""

    client: Client

    async def raw(self, tool: str, **arguments: Any) -> CallToolResult:
        """Call a tool and return the result as it came."""
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        return result

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that works; both channels carry the same facts."""
        result = await self.raw(tool, **arguments)
        facts: dict[str, Any] = json.loads(text_of(result))
        assert not result.is_error, facts
        assert result.structured_content == facts
        return facts

    async def refused(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must answer with an error, and return what it says."""
        result = await self.raw(tool, **arguments)
        assert result.is_error, text_of(result)
        assert result.structured_content is None
        facts: dict[str, Any] = json.loads(text_of(result))
        assert facts["sent"] == "nothing"
        assert facts["next"]
        return facts

    async def blueprint(self, *steps: dict[str, Any]) -> str:
        """Save a blueprint and return its id."""
        made = await self.call(
            "create_blueprint", name="Engineers", steps=list(steps) or [MAIL], job_title="Engineer"
        )
        return str(made["blueprint_id"])

    async def contact(self, **facts: Any) -> str:
        """Save one person and return the id."""
        saved = await self.call("save_contacts", contacts=[{**GRACE, **facts}])
        return str(saved["contacts"][0]["contact_id"])


def text_of(result: CallToolResult) -> str:
    """Return the one text of a result."""
    [block] = result.content
    assert block.type == "text"
    return block.text


def people(number: int) -> list[dict[str, str]]:
    """Return so many people, no two alike."""
    return [{**GRACE, "email": f"person{index}@hopper.example"} for index in range(number)]


def yes(_: str) -> ElicitResult:
    """Return the answer of a person who ticks the box."""
    return ElicitResult(action="accept", content={"approve": True})


def tomorrow(days: int = 1) -> str:
    """Return an instant in the future, as a caller writes it."""
    return (NOON + timedelta(days=days)).isoformat()
