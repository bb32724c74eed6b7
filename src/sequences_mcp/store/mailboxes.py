"""Attempts to send, numbered by their leases, and mailboxes that pause after the server refused them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sequences_mcp.store.database import Store
from sequences_mcp.store.statements import from_micros, to_micros

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


def insert_attempt(store: Store, attempt: Attempt) -> None:
    """Store an attempt, in the transaction of its claim."""
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


def attempt_answered(store: Store, lease: int, answer: Answer, *, code: str = "") -> None:
    """Note what an attempt was answered, and what a refusal is known by."""
    store.write("attempts.answer", lease=lease, answer=answer, code=code)


def count_attempts(store: Store, key: str, *, generation: int, since: datetime | None) -> int:
    """Return how often sending one text came as far as its recipient, or ended the program, since an instant.

    What a server refused whoever sends, or no server answered, is no try of this text.
    """
    row = store.rows("attempts.count_since", key=key, generation=generation, since=to_micros(since) or 0)[0]
    return int(row["found"])


def longest_rest(store: Store, sender: str, *, since: datetime, until: datetime) -> timedelta:
    """Return the longest time between two instants in which a mailbox had nothing accepted."""
    row = store.rows("attempts.longest_rest", sender=sender, since=to_micros(since), until=to_micros(until))[0]
    return timedelta(microseconds=int(row["rest"] or 0))


def pull_back_attempts(store: Store, sender: str, *, now: datetime) -> None:
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
    if rest := resting(store, sender, now=now, account=account):
        waits.append((rest.until, f"the mailbox rests, refused since {rest.since:%Y-%m-%d %H:%M} UTC: {rest.why}"))
    return max(waits, key=lambda wait: wait[0])


FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)
FORGOTTEN = timedelta(days=1)
SEVERAL = 3
LOOKED_AT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A mailbox that rests: refused since when and how often in a row, tried again when, and why.

    ``why`` is this program's words, ``reply`` the server's.
    ``account`` stands for the account that was refused: with another password or server the rest is over.
    """

    sender: str
    since: datetime
    until: datetime
    refusals: int
    why: str
    account: str
    reply: str = ""


def resting(store: Store, sender: str, *, now: datetime, account: str | None = None) -> Rest | None:
    """Return the rest of a mailbox since its last accepted e-mail, also where its next try is due; or None.

    One of another account, or that would last longer than any rest does (the clock was ahead), is none.
    """
    row = store.row("mailboxes.find", sender=sender)
    if row is None or (account is not None and row["account"] != account):
        return None
    rest = Rest(
        sender=row["sender"],
        since=from_micros(row["since"]),
        until=from_micros(row["until"]),
        refusals=row["refusals"],
        why=row["why"],
        account=row["account"],
        reply=row["reply"],
    )
    return None if rest.until > now + LONGEST_REST else rest


def mailbox_refused(store: Store, sender: str, *, why: str, account: str, now: datetime, reply: str = "") -> Rest:
    """Pause a mailbox: a minute, then twice as long after each refusal, at most an hour. Return the pause."""
    before = resting(store, sender, now=now, account=account)
    if before is not None and before.until + FORGOTTEN < now:
        before = None
    number = before.refusals + 1 if before else 1
    pause = min(FIRST_REST * (1 << min(number - 1, 10)), LONGEST_REST)
    since = min(before.since, now) if before else now
    rest = Rest(
        sender=sender, since=since, until=now + pause, refusals=number, why=why, account=account, reply=reply
    )
    _keep(store, rest)
    return rest


def mailbox_tried(store: Store, rest: Rest, *, until: datetime) -> None:
    """Reserve a paused mailbox for one trial delivery, until an instant at the latest."""
    store.write("mailboxes.postpone", sender=rest.sender, until=to_micros(until))


def free_mailbox(store: Store, sender: str, *, now: datetime) -> None:
    """End the reservation of a trial that ended without an answer about the mailbox."""
    store.write("mailboxes.advance", sender=sender, now=to_micros(now))


def mailbox_accepted(store: Store, sender: str) -> None:
    """End a mailbox's pause: the server accepted an e-mail."""
    store.write("mailboxes.recovered", sender=sender)


def refused_alike(store: Store, sender: str, *, key: str, code: str) -> set[str]:
    """Return the keys of the e-mails that were refused alike since one was accepted, this one among them."""
    people = {key}
    for row in store.rows("attempts.answered", sender=sender, size=LOOKED_AT):
        if row["code"] != code or row["answer"] == "accepted":
            break
        people.add(row["key"])
    return people


def refused_alone(store: Store, sender: str, *, key: str, generation: int, since: datetime | None) -> bool:
    """Say whether a text was refused before, and another e-mail of the mailbox accepted after that."""
    values = {"sender": sender, "key": key, "generation": generation, "since": to_micros(since) or 0}
    row = store.row("attempts.accepted_since_refused", **values)
    return row is not None and bool(row["found"])


def _keep(store: Store, rest: Rest) -> None:
    store.write(
        "mailboxes.rest",
        sender=rest.sender,
        since=to_micros(rest.since),
        until=to_micros(rest.until),
        refusals=rest.refusals,
        why=rest.why,
        account=rest.account,
        reply=rest.reply,
    )
