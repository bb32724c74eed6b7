"""A mailbox that a server refuses rests: for all processes, until an instant, longer after each refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros

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
    found = Rest(
        sender=row["sender"],
        since=from_micros(row["since"]),
        until=from_micros(row["until"]),
        refusals=row["refusals"],
        why=row["why"],
        account=row["account"],
        reply=row["reply"],
    )
    return None if found.until > now + LONGEST_REST else found


def refused(store: Store, sender: str, *, why: str, account: str, now: datetime, reply: str = "") -> Rest:
    """Let a mailbox rest: a minute, then twice as long after each refusal, at most an hour. Return the rest."""
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


def tried(store: Store, rest: Rest, *, until: datetime) -> None:
    """Keep every other process off a mailbox while one try is under way, until an instant."""
    store.write("mailboxes.postpone", sender=rest.sender, until=to_micros(until))


def free(store: Store, sender: str, *, now: datetime) -> None:
    """Let the next try come at once: the one under way has told nothing about the mailbox."""
    store.write("mailboxes.advance", sender=sender, now=to_micros(now))


def accepted(store: Store, sender: str) -> None:
    """End a mailbox's rest."""
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
