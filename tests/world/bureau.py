"""The product in one process: a real file, a clock that the test moves, a worker that works when it is told to."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

from tests.world.clock import Clock
from tests.world.fake_mail_server import CALM, Inbox, mail_server, patience
from tests.world.open_server import SENDER, World
from tests.world.product import with_schema

from sequences_mcp.bootstrap import open_context, open_worker
from sequences_mcp.context import AppContext
from sequences_mcp.engine.channels import smtp
from sequences_mcp.engine.channels.mail_server import MailServer, Timeouts
from sequences_mcp.settings import Settings, read_settings


@dataclass
class Bureau(World):
    """A world whose settings a test can change and whose due work it does itself."""

    environ: dict[str, str] = field(default_factory=dict)
    timeouts: Timeouts = CALM

    @classmethod
    def at(cls, folder: Path, **settings: str) -> Bureau:
        """Return a bureau on a folder, with these settings, named without their prefix."""
        environ = {f"SEQUENCES_{name}": value for name, value in settings.items()}
        return cls(folder=folder / "data", clock=Clock(), changes={}, environ=environ)

    def having(self, **settings: str) -> Bureau:
        """Return the same bureau, with the same clock, after these settings were changed."""
        return replace(self, environ={**self.environ, **{f"SEQUENCES_{k}": v for k, v in settings.items()}})

    @property
    def settings(self) -> Settings:
        """The settings as the product reads them."""
        base = {
            "SEQUENCES_DATA_DIR": str(self.folder),
            "SEQUENCES_SENDER": SENDER,
            "SEQUENCES_SPACING": "0",
            "SEQUENCES_DAILY_CAP": "10000",
            "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
        }
        return read_settings({**base, **self.environ})

    @asynccontextmanager
    async def app(self) -> AsyncIterator[AppContext]:
        """Open the desk on the folder's database."""
        with_schema(self.folder)
        async with open_context(self.settings, worker=False, clock=self.clock) as app:
            yield replace(app, **self.changes)

    def work(self, *, most: int | None = None) -> None:
        """Do all that is due now, or so much of it."""
        settings = self.settings
        with_schema(self.folder)
        with open_worker(settings, clock=self.clock) as worker:
            if settings.smtp_url is not None:
                server = MailServer.parse(settings.smtp_url.value)
                worker.deliver = partial(smtp.deliver_by_smtp, server, timeouts=self.timeouts)
            if most is not None:
                worker.run_due(limit=most)
                return
            while worker.run_due():
                pass

    def forward(self, **span: float) -> None:
        """Move the clock on."""
        self.clock.now += timedelta(**span)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what the database itself says."""
        with closing(sqlite3.connect(self.folder / "sequences.db")) as database:
            return database.execute(sql, values).fetchall()

    @property
    def outbox(self) -> list[EmailMessage]:
        """The e-mails written so far, by recipient."""
        files = (self.folder / "outbox").glob("*.eml")
        found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return sorted(found, key=lambda mail: str(mail["To"]))


@contextmanager
def mailing(bureau: Bureau, script: dict[str, str]) -> Iterator[tuple[Bureau, Inbox]]:
    """Give a bureau a mail server that plays a script; the test may change the script while it runs."""
    with mail_server(script) as running:
        connected = bureau.having(SMTP_URL=f"smtp://127.0.0.1:{running.port}")
        yield replace(connected, timeouts=patience(script)), running.inbox
