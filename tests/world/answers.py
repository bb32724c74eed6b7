"""People who were written to and what comes back from them, as the reader takes it in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.secrecy.planted import SMTP_PASSWORD
from tests.world.inbound_mail import Sent
from tests.world.product import GRACE, MAIL, Bureau, Desktop, World
from tests.world.stores import open_store

from sequences_mcp.engine.inbound.effects import incoming, take_in_message

LATER = {**MAIL, "id": "again", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
ADA = "ada@lovelace.example"
NOWHERE = f"imap://ada:{quote(SMTP_PASSWORD.value, safe='')}@127.0.0.1:1"


async def begun(bureau: Bureau, desktop: Desktop, *people: dict[str, Any]) -> dict[str, Sent]:
    """Send the first of two e-mails to each of these people; return what they got, by recipient."""
    blueprint = await desktop.blueprint(MAIL, LATER)
    await desktop.call("start_sequence", blueprint_id=blueprint, contacts=list(people or [GRACE]))
    bureau.work()
    return {
        str(mail["To"]): Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]))
        for mail in bureau.outbox
    }


def comes_in(bureau: World, data: bytes) -> str | None:
    """Let a message come in, as the reader takes it in."""
    with open_store(bureau.folder, now=bureau.clock.now) as store, store.transaction() as work:
        item = incoming(data, arrived_at=bureau.clock.now)
        return take_in_message(work, item, address=ADA, now=bureau.clock.now)


def was_read(bureau: World, at: datetime) -> None:
    """Note that the mailbox was read whole."""
    with open_store(bureau.folder, now=bureau.clock.now) as store:
        store.inboxes.read(ADA, began=at, now=bureau.clock.now)


def as_read(bureau: Bureau) -> Bureau:
    """Give the bureau a mailbox that is read by some process."""
    return bureau.having(IMAP_URL=NOWHERE)
