"""Attempts to send, whose numbers are the leases, and what they leave of a mailbox's limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sequences_mcp.engine.store import mailboxes
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros

ROLLING = timedelta(hours=24)
Answer: TypeAlias = Literal["accepted", "recipient", "mailbox", "doubtful", "died"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One claim of one text: who sends it under which lease, and the very bytes, as a SHA-256."""

    lease: int
    key: str
    generation: int
    sender: str
    message_id: str
    message_digest: bytes
    claimed_at: datetime


def next_lease(store: Store) -> int:
    """Return the next number of a counter that only ever rises; inside a transaction it is nobody else's."""
    return int(store.rows("attempts.next_lease")[0]["lease"])


def insert(store: Store, attempt: Attempt) -> None:
    """Write an attempt down, in the transaction of its claim."""
    store.write(
        "attempts.insert",
        lease=attempt.lease,
        key=attempt.key,
        generation=attempt.generation,
        sender=attempt.sender,
        message_id=attempt.message_id,
        message_digest=attempt.message_digest,
        claimed_at=to_micros(attempt.claimed_at),
    )


def give_back(store: Store, lease: int) -> None:
    """Note that nothing was accepted, so that the attempt uses up nothing of the limits."""
    store.write("attempts.give_back", lease=lease)


def answered(store: Store, lease: int, answer: Answer, *, code: str = "") -> None:
    """Note what an attempt was answered, and what a refusal is known by."""
    store.write("attempts.answer", lease=lease, answer=answer, code=code)


def tries(store: Store, key: str, *, generation: int, since: datetime | None) -> int:
    """Return how often sending one text came as far as its recipient, or ended the program, since an instant.

    What a server refused whoever sends, or no server answered, is no try of this text.
    """
    row = store.rows("attempts.count_since", key=key, generation=generation, since=to_micros(since) or 0)[0]
    return int(row["found"])


def longest_rest(store: Store, sender: str, *, since: datetime, until: datetime) -> timedelta:
    """Return the longest time between two instants in which a mailbox had nothing accepted."""
    row = store.rows("attempts.longest_rest", sender=sender, since=to_micros(since), until=to_micros(until))[0]
    return timedelta(microseconds=int(row["rest"] or 0))


def pull_back(store: Store, sender: str, *, now: datetime) -> None:
    """Let attempts that lie in the future, because the clock was ahead, count as made now."""
    newest = from_micros(store.rows("attempts.newest", sender=sender)[0]["at"])
    if newest is not None and newest > now:
        store.write("attempts.pull_back", sender=sender, now=to_micros(now))


def mailbox_opens(
    store: Store, sender: str, *, daily_cap: int, spacing: int, now: datetime, account: str | None = None
) -> tuple[datetime, str] | None:
    """Return from when a mailbox may be used again and what it waits for; None when it was never used.

    ``daily_cap`` counts messages in any 24 hours; ``spacing`` is in seconds between two attempts, failed ones too.
    """
    newest = from_micros(store.rows("attempts.newest", sender=sender)[0]["at"])
    if newest is None:
        return None
    waits = [(newest + timedelta(seconds=spacing), f"the mailbox leaves {spacing} s between two e-mails")]
    capped = store.row("attempts.nth_newest", sender=sender, skip=max(daily_cap, 1) - 1)
    if capped is not None:
        free = from_micros(capped["at"]) + ROLLING
        waits.append((free, f"the mailbox has used up its {daily_cap} e-mails in 24 hours"))
    if rest := mailboxes.resting(store, sender, now=now, account=account):
        waits.append((rest.until, f"the mailbox rests, refused since {rest.since:%Y-%m-%d %H:%M} UTC: {rest.why}"))
    return max(waits, key=lambda wait: wait[0])
