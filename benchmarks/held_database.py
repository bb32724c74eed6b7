"""What still works while another program holds the database in an open read transaction, by default for 80 s.

The real server runs over stdio in a process of its own, with its worker and a mail server on loopback. At the
final dot of an e-mail another program opens a read transaction and keeps it, as a database browser does. While it
is open:

- a suppression, a stop, a pause and a recorded reply wait, and are done at its end; what is read is answered,
- the receipt of the accepted e-mail lies beside the database, synced, and is written down at the end: the e-mail
  counts as sent, with the server's words, and leaves once.

Exit status 1 when one of these does not hold. Needs the rollback journal: with a write-ahead log no reader holds a
writer up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import TextContent

from sequences_mcp.demo.stage import client_of

READER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN")
database.execute("SELECT count(*) FROM contact").fetchone()
print("reading", flush=True)
sys.stdin.readline()
"""
MAIL = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "A role in Lisbon",
    "content": "Hi {{firstname}}, would a short call about the role suit you?",
    "temporalityType": "ASAP",
}
TASK = {
    "id": "message",
    "name": "Message",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_MESSAGE",
    "content": "Hi {{firstname}}, would a short call about the role suit you?",
    "temporalityType": "ASAP",
}
NAMES = ("Maria", "Jonas", "Aiko", "Tom")
SAFE = ("suppress_contact", "stop_sequence", "pause_sequence", "record_reply")
ACCEPTED = "250 2.0.0 queued as 4Xy"
PATIENCE = 60.0  # seconds for what takes a moment


@dataclass
class Mailbox:
    """What the mail server took; at the first final dot it has another program read, and answers then."""

    database: Path
    taken: int = 0
    reader: asyncio.subprocess.Process | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Take one message."""
        self.taken += 1
        if self.reader is None:
            self.reader = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                READER,
                str(self.database),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert self.reader.stdout is not None
            await self.reader.stdout.readline()
            self.held.set()
        return ACCEPTED


@asynccontextmanager
async def mail_server(mailbox: Mailbox) -> AsyncIterator[int]:
    """Run a mail server on a free loopback port."""
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, enable_SMTPUTF8=True), host="127.0.0.1", port=0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool; its facts, errors included, with the seconds that it took."""
    begun = time.monotonic()
    result = await client.call_tool(tool, arguments, read_timeout_seconds=200)
    block = result.content[0]
    assert isinstance(block, TextContent)
    return {**json.loads(block.text), "took": time.monotonic() - begun}


async def fill(client: Client) -> dict[str, str]:
    """Start four people with tasks alone; return their runs by name."""
    people = [
        {"email": f"{name.lower()}@{name.lower()}.example", "first_name": name, "linkedin_url": _profile(name)}
        for name in NAMES
    ]
    made = await call(client, "create_blueprint", name="Tasks", steps=[TASK])
    started = await call(client, "start_sequence", blueprint_id=made["blueprint_id"], contacts=people)
    assert started["outcome"] == "done", started
    return {row["name"]: row["id"] for row in (await call(client, "list_sequences"))["items"]}


def _profile(name: str) -> str:
    return f"https://www.linkedin.com/in/{name.lower()}"


async def measured(folder: Path, seconds: float) -> dict[str, dict[str, Any]]:
    """Hold the database for so many seconds and return what became of each call, and of the e-mail."""
    mailbox = Mailbox(folder / "sequences.db")
    async with mail_server(mailbox) as port:
        settings = {
            "SEQUENCES_DATA_DIR": str(folder),
            "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>",
            "SEQUENCES_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
            "SEQUENCES_SPACING": "0",
        }
        async with client_of(lambda _: None, settings) as client:
            runs = await fill(client)
            made = await call(client, "create_blueprint", name="Mail", steps=[MAIL])
            people = [{"email": "lea@lea.example", "first_name": "Lea"}]
            await call(client, "start_sequence", blueprint_id=made["blueprint_id"], contacts=people)
            await asyncio.wait_for(mailbox.held.wait(), PATIENCE)
            assert mailbox.reader is not None
            assert mailbox.reader.stdin is not None
            next_week = (datetime.now(UTC) + timedelta(days=7)).isoformat()
            tools = {
                "suppress_contact": {"contact": "maria@maria.example", "reason": "asked"},
                "stop_sequence": {"sequence_id": runs["Jonas"], "reason": "LOSE"},
                "pause_sequence": {"sequence_id": runs["Aiko"], "paused_until": next_week},
                "record_reply": {"who": "tom@tom.example", "answer": "replied"},
            }
            waiting = {tool: asyncio.create_task(call(client, tool, **more)) for tool, more in tools.items()}
            begun = time.monotonic()
            read = await call(client, "list_sequences")
            await _kept(folder / "receipts")
            await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begun)))
            early = [tool for tool, task in waiting.items() if task.done()]
            receipts = len(list((folder / "receipts").glob("*.json")))
            mailbox.reader.stdin.write(b"\n")
            await mailbox.reader.wait()
            found = {tool: await task for tool, task in waiting.items()}
            mail = await _written_down(client)
    return {
        **{tool: {**facts, "early": tool in early} for tool, facts in found.items()},
        "read": read,
        "mail": {**mail, "receipts": receipts, "left": mailbox.taken},
    }


async def _kept(receipts: Path) -> None:
    """Return when a receipt is there, at most a minute later."""
    give_up = time.monotonic() + PATIENCE
    while not list(receipts.glob("*.json")) and time.monotonic() < give_up:
        await asyncio.sleep(0.05)


async def _written_down(client: Client) -> dict[str, Any]:
    """Return the run of the e-mail once its outcome is in the database, at most a minute later."""
    give_up = time.monotonic() + PATIENCE
    while True:
        rows = (await call(client, "list_sequences"))["items"]
        [run] = [row for row in rows if row["name"] == "Lea"]
        facts = await call(client, "get_sequence", sequence_id=run["id"])
        if facts["steps"][0]["state"] in ("sent", "unknown", "failed") or time.monotonic() > give_up:
            return facts
        await asyncio.sleep(0.5)


def main() -> int:
    """Run and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--seconds", type=float, default=80.0)
    options = wanted.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(Path(folder), options.seconds))
    for tool in (*SAFE, "read"):
        facts = found[tool]
        said = f"{facts.get('outcome', 'answered'):<9} after {facts['took']:5.1f} s"
        print(f"  {tool:<18} {said} {facts.get('message', '')}".rstrip())
    mail = found["mail"]
    step = mail["steps"][0]
    print(f"  e-mail             {step['state']}, {step.get('server_reply')!r}, left {mail['left']} time(s)")
    print(f"  receipts beside the database while it was held: {mail['receipts']}")
    return 0 if holds(found) else 1


def holds(found: dict[str, dict[str, Any]]) -> bool:
    """Say whether everything that holds back was done once the database was free, and the e-mail is known."""
    mail = found["mail"]
    step = mail["steps"][0]
    is_known = (step["state"], step.get("server_reply")) == ("sent", ACCEPTED)
    is_done = all(found[tool]["outcome"] == "done" and not found[tool]["early"] for tool in SAFE)
    return is_done and is_known and (mail["receipts"], mail["left"]) == (1, 1) and "items" in found["read"]


if __name__ == "__main__":
    sys.exit(main())
