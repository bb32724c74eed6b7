"""Who answered, here and at vendors, and up to when that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.inbound import InboxState
from sequences_mcp.domain.page import Page
from sequences_mcp.ports.embedded import ReceivedReply, ReplyFilter

NOT_READ = "not read: no IMAP is set for it, so answers there are not known here"
NEVER = "never read so far: a worker reads it (an open chat with this server, or `sequences-mcp work`)"


@dataclass(frozen=True, slots=True)
class RepliesReport:
    """A page of what came back, and, by mailbox, up to when its answers are known."""

    page: Page[ReceivedReply]
    read_up_to: Mapping[str, str]


async def list_replies(app: AppContext, *, wanted: ReplyFilter, provider: str = LOCAL) -> RepliesReport:
    """Return one page of what came back, the newest first; an id in the filter says whose runs are meant."""
    of_id = provider_of(wanted.sequence_id or wanted.blueprint_id or "")
    where = app.named(of_id if provider == LOCAL and of_id in app.providers else provider)
    page = await where.list_replies(wanted)
    return RepliesReport(page, await read_up_to(app) if where.name == LOCAL else {})


async def read_up_to(app: AppContext) -> dict[str, str]:
    """Return, by mailbox, in words, when it was last read whole and what stands in the way."""
    sending = {mailbox.terms.sender_address: mailbox for mailbox in app.mailboxes if mailbox.sender is not None}
    states = await app.records.inboxes(sending)
    now = app.clock()
    return {
        address: _reading_words(states[address], now=now) if mailbox.is_read else NOT_READ
        for address, mailbox in sending.items()
    }


def _reading_words(state: InboxState | None, *, now: datetime) -> str:
    if state is None:
        return NEVER
    read = state.read_up_to
    when = f"{read.isoformat(timespec='seconds')}, {ago(now - read)}" if read else "never read so far"
    return f"{when}; since then it cannot be read: {state.error}" if state.error else when


def ago(passed: timedelta) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = max(int(passed.total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
