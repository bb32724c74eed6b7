"""The product on a folder of a test: one way to open it, with a clock that the test moves and clients of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from mcp.types import CallToolResult, ElicitResult, ErrorData
from tests.secrecy.client import Client
from tests.world.data_folder import NOON, Clock, with_schema
from tests.world.mail_servers import CALM, Inbox, mail_server, patience
from tests.world.stores import address_of, shell

from sequences_mcp.bootstrap import open_context, open_worker
from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.channels import smtp
from sequences_mcp.engine.channels.mail_server import MailServer, Timeouts
from sequences_mcp.server.app import SequencesServer, build_server
from sequences_mcp.settings import Settings, read_settings
from sequences_mcp.store.safekeeping import FolderRecords

Answer = ElicitResult | ErrorData
ERAS = ("auto", "legacy")
SENDER = "Ada Lovelace <ada@lovelace.example>"
MAIL: dict[str, Any] = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "{{sourcingJobTitle}}",
    "content": "Hi {{firstname}}, would a short call about the role suit you?",
    "temporalityType": "ASAP",
}
LINKEDIN: dict[str, Any] = {
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
    """The product on a data folder: whatever a test opens on it has these settings and this clock."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    changes: dict[str, Any] = field(default_factory=dict)  # of the context, made once it is open
    worker: bool = False
    more: dict[str, str] = field(default_factory=dict, repr=False)  # settings, by the names of their variables
    timeouts: Timeouts = CALM
    standing: ClassVar[dict[str, str]] = {}

    @property
    def workspace(self) -> Workspace:
        """The data folder and the files in it by name."""
        return Workspace(self.folder)

    @property
    def safe(self) -> FolderRecords:
        """What approvals are checked with."""
        return FolderRecords(self.workspace)

    @property
    def environ(self) -> dict[str, str]:
        """The environment a host would give the server."""
        return {
            "SEQUENCES_DATA_DIR": str(self.folder),
            "SEQUENCES_SENDER": SENDER,
            **({"SEQUENCES_DATABASE_URL": url} if (url := address_of(self.folder)) else {}),
            **self.standing,
            **self.more,
        }

    @property
    def settings(self) -> Settings:
        """The settings as the product reads them."""
        return read_settings(self.environ)

    @property
    def passing(self) -> dict[str, Any]:
        """How time passes for what is opened."""
        return {"clock": self.clock}

    @property
    def server(self) -> SequencesServer:
        """A server as a process of its own would build it."""
        return build_server(self.app, vendors=self.settings.accounts.keys())

    @asynccontextmanager
    async def app(self, actor: str = "agent") -> AsyncIterator[AppContext]:
        """Open the context on the folder's database."""
        with_schema(self.folder)
        async with open_context(self.settings, worker=self.worker, actor=Actor(actor), **self.passing) as app:
            yield replace(app, **self.changes) if self.changes else app

    @asynccontextmanager
    async def client(
        self, mode: str = "auto", answer: Callable[[str], Answer | Awaitable[Answer]] | None = None
    ) -> AsyncIterator[Desktop]:
        """Connect a client of one era; ``answer`` is the person at its dialogs."""

        async def dialog(context: object, params: Any) -> Answer:
            assert answer is not None
            said = answer(params.message)
            return said if isinstance(said, ElicitResult | ErrorData) else await said

        callback = dialog if answer else None
        async with Client(self.server, mode=mode, elicitation_callback=callback) as client:
            yield Desktop(client)

    def work(self, *, most: int | None = None) -> None:
        """Do all that is due now, or so much of it; a mail server is waited for as long as ``timeouts`` say."""
        with_schema(self.folder)
        settings = self.settings
        for mailbox in settings.mailboxes:
            with open_worker(settings, mailbox=mailbox, clock=self.clock) as worker:
                if mailbox.smtp_url is not None:
                    server = MailServer.parse(mailbox.smtp_url.value)
                    tokens = mailbox.tokens(self.clock)
                    worker.deliver = partial(smtp.deliver_by_smtp, server, timeouts=self.timeouts, tokens=tokens)
                if most is not None:
                    worker.run_due(limit=most)
                    continue
                while worker.run_due():
                    pass

    def forward(self, **span: float) -> None:
        """Move the clock on."""
        self.clock.forward(**span)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what the database itself says, as to somebody with a shell."""
        with shell(self.folder) as database:
            rows: list[tuple[Any, ...]] = database.execute(sql, values).fetchall()
        return rows


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
    """Return the one text of a result; behind it may be links."""
    block, *links = result.content
    assert all(link.type == "resource_link" for link in links)
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


@dataclass
class Bureau(World):
    """A world without a window, a cap or a spacing, whose settings a test changes by name."""

    standing: ClassVar = {
        "SEQUENCES_SPACING": "0",
        "SEQUENCES_DAILY_CAP": "10000",
        "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
    }

    @classmethod
    def at(cls, folder: Path, **settings: str) -> Bureau:
        """Return a bureau on a folder, with these settings, named without their prefix."""
        return cls(folder / "data").having(**settings)

    def having(self, **settings: str) -> Bureau:
        """Return the same bureau, with the same clock, after these settings were changed."""
        return replace(self, more={**self.more, **{f"SEQUENCES_{k}": v for k, v in settings.items()}})

    @property
    def outbox(self) -> list[EmailMessage]:
        """The e-mails written so far, by recipient."""
        files = (self.folder / "outbox").glob("*.eml")
        found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return sorted(found, key=lambda mail: str(mail["To"]))


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    """The product on an empty database, at noon of a Monday, writing to its outbox."""
    return Bureau.at(tmp_path)


@contextmanager
def mailing(bureau: Bureau, script: dict[str, str]) -> Iterator[tuple[Bureau, Inbox]]:
    """Give a bureau a mail server that plays a script; the test may change the script while it runs."""
    with mail_server(script) as running:
        connected = bureau.having(SMTP_URL=f"smtp://127.0.0.1:{running.port}")
        yield replace(connected, timeouts=patience(script)), running.inbox


_TRIGGER = "step_run_text_is_never_changed"
_FACTS = ("first_name", "last_name", "company", "job_title", "location", "notes")


def plant(folder: Path, plain: str, hostile: str) -> None:
    """Put one string in the place of another in every contact and every text of a data folder."""
    with shell(folder) as database, database.without("step_run", _TRIGGER):
        for table, columns in (("contact", _FACTS), ("step_run", ("subject", "content"))):
            for column in columns:
                database.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?) WHERE instr({column}, ?) > 0",
                    (plain, hostile, plain),
                )
