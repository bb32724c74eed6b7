"""Attempts to send, numbered by their leases, and mailboxes that pause after the server refused them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.entries import Answer, Attempt, Rest
from sequences_mcp.domain.pacing import MailThrottle
from sequences_mcp.domain.page import Page
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.store.database import Database, page_of
from sequences_mcp.store.statements import from_micros, to_micros

ROLLING = timedelta(hours=24)


class AttemptRepository:
    """Attempts to send, numbered by their leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, *, page: int, size: int) -> Page[tuple[str, datetime]]:
        """Return the keys of texts that were handed over or tried to be, each with when, the newest first."""
        return page_of(
            self._database,
            "records.mails",
            lambda row: (str(row["key"]), from_micros(row["claimed_at"])),
            page=page,
            size=size,
        )

    def next_lease(self) -> int:
        """Return the next number of a counter that only ever rises; inside a transaction it is nobody else's."""
        return int(self._database.rows("attempts.next_lease")[0]["lease"])

    def insert(self, attempt: Attempt) -> None:
        """Store an attempt, in the transaction of its claim."""
        self._database.write_soon(
            "attempts.insert",
            lease=attempt.lease,
            key=attempt.key,
            generation=attempt.generation,
            sender=attempt.sender,
            message_id=attempt.message_id,
            message_digest=attempt.message_digest,
            claimed_at=to_micros(attempt.claimed_at),
        )

    def sender_of(self, lease: int) -> str | None:
        """Return the address that an attempt was made from, or None for one that is not here."""
        row = self._database.row("attempts.sender_of", lease=lease)
        return str(row["sender"]) if row else None

    def give_back(self, lease: int) -> None:
        """Note that nothing was accepted, so that the attempt uses up nothing of the limits."""
        self._database.write("attempts.give_back", lease=lease)

    def answered(self, lease: int, answer: Answer, *, code: str = "") -> None:
        """Store the answer to an attempt, and the code by which equal refusals are recognised."""
        self._database.write_soon("attempts.answer", lease=lease, answer=answer, code=code)

    def count(self, key: str, *, generation: int, since: datetime | None) -> int:
        """Return how often sending one text came as far as its recipient, or ended the program, since an instant.

        Refusals that are about the mailbox, and attempts that no server answered, are not counted.
        """
        row = self._database.rows(
            "attempts.count_since", key=key, generation=generation, since=to_micros(since) or 0
        )[0]
        return int(row["found"])

    def longest_rest(self, sender: str, *, since: datetime, until: datetime) -> timedelta:
        """Return the longest time between two instants in which a mailbox had nothing accepted."""
        row = self._database.rows(
            "attempts.longest_rest", sender=sender, since=to_micros(since), until=to_micros(until)
        )[0]
        return timedelta(microseconds=int(row["rest"] or 0))

    def pull_back(self, sender: str, *, now: datetime) -> None:
        """Let attempts that lie in the future, because the clock was ahead, count as made now."""
        newest = self._database.row("attempts.newest", sender=sender)
        if newest is not None and from_micros(newest["at"]) > now:
            self._database.write("attempts.pull_back", sender=sender, now=to_micros(now))

    def newest_to_others(self, sender: str, *, but: str, since: datetime) -> list[tuple[datetime, str]]:
        """Return when a mailbox wrote to people of other runs than one since an instant, and to which address."""
        rows = self._database.rows("attempts.to_others", sender=sender, but=but, since=to_micros(since))
        return [(from_micros(row["at"]), str(row["recipient"])) for row in rows]

    def held_until(self, reason: str, *, now: datetime) -> datetime | None:
        """Return the latest instant until which a step is held for a reason that ends by itself, or None."""
        row = self._database.rows("attempts.held_until", reason=reason, now=to_micros(now))[0]
        until: datetime | None = from_micros(row["at"])
        return until

    def refused_alike(self, sender: str, *, key: str, code: str) -> set[str]:
        """Return the keys of the e-mails that were refused alike since one was accepted, this one among them."""
        people = {key}
        for row in self._database.rows("attempts.answered", sender=sender, size=LOOKED_AT):
            if row["code"] != code or row["answer"] == "accepted":
                break
            people.add(row["key"])
        return people

    def refused_alone(self, sender: str, *, key: str, generation: int, since: datetime | None) -> bool:
        """Say whether a text was refused before, and another e-mail of the mailbox accepted after that."""
        values = {"sender": sender, "key": key, "generation": generation, "since": to_micros(since) or 0}
        row = self._database.row("attempts.accepted_since_refused", **values)
        return row is not None and bool(row["found"])


@dataclass(frozen=True, slots=True)
class Complaints:
    """How many of the last e-mails of a mailbox were marked as spam, and when the last of them was."""

    number: int
    last: datetime

    @property
    def is_stop(self) -> bool:
        """Whether the mailbox has stopped until a person says that it goes on."""
        return self.number >= STOPS_AT

    def opens(self, now: datetime) -> datetime:
        """Return from when the mailbox may be used again."""
        if self.number < RESTS_AT:
            return self.last
        return now + FAR if self.is_stop else self.last + AFTER_COMPLAINTS

    @property
    def words(self) -> str:
        """What the mailbox waits for."""
        what = "has stopped until a person lets it go on" if self.is_stop else "rests for a day"
        return f"the mailbox {what}: {self.number} of its last {OF_THE_LAST:,} e-mails were marked as spam"


class MailboxRepository:
    """Mailboxes that pause after the server refused them, and when each may be used again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def opens(
        self, sender: str, *, limits: MailThrottle, now: datetime, account: str | None = None
    ) -> tuple[datetime, str] | None:
        """Return from when a mailbox may be used again and what it waits for; None when it was never used.

        The cap counts messages in any 24 hours; pauses are between two attempts, failed ones too.
        """
        row = self._database.row("attempts.newest", sender=sender)
        if row is None:
            return None
        newest = from_micros(row["at"])
        pause = limits.pause_after(str(row["key"]))
        seconds = int(pause.total_seconds())
        waits = [(newest + pause, f"the mailbox leaves {seconds} s between two e-mails")]
        if capped := self._capped_until(sender, limits=limits, now=now):
            waits.append(capped)
        if (complained := self.complaints(sender)) is not None:
            waits.append((complained.opens(now), complained.words))
        if rest := self.resting(sender, now=now, account=account):
            so = "refused" if rest.reply else "tried in vain"
            waits.append(
                (rest.until, f"the mailbox rests, {so} since {rest.since:%Y-%m-%d %H:%M} UTC: {rest.why}")
            )
        return max(waits, key=lambda wait: wait[0])

    def complaints(self, sender: str) -> Complaints | None:
        """Return how many of a mailbox's last 1,000 e-mails were marked as spam; None for none."""
        row = self._database.remembered(
            ("complaints", sender),
            lambda: self._database.rows("mailboxes.complaints", sender=sender, size=OF_THE_LAST)[0],
        )
        last = from_micros(row["last"])
        return Complaints(row["number"], last) if last is not None else None

    def clear_complaints(self, sender: str, *, actor: Actor, now: datetime) -> None:
        """Record a person's decision that a mailbox which was marked as spam too often may send again."""
        self._database.write("mailboxes.clear_complaints", sender=sender, actor=actor, now=to_micros(now))

    def first_use(self, sender: str) -> datetime | None:
        """Return when a mailbox first sent something, or None where it never did."""
        first: datetime | None = from_micros(self._database.rows("attempts.first", sender=sender)[0]["at"])
        return first

    def _capped_until(self, sender: str, *, limits: MailThrottle, now: datetime) -> tuple[datetime, str] | None:
        """Return until when the e-mails of 24 hours are used up, and that they are; None where they are not."""
        first = self.first_use(sender) if limits.ramp_up else None
        cap = limits.cap_at(now, first=first)
        oldest = self._nth_newest(sender, cap)
        if oldest is None:
            return None
        free = oldest + ROLLING
        if rises := limits.rises_at(now, first=first):
            then = self._nth_newest(sender, limits.cap_at(rises, first=first))
            free = min(free, rises if then is None else max(rises, then + ROLLING))
        new = f"; it is new, and may send {limits.ramp_up} more each day" if cap < limits.daily_cap else ""
        return free, f"the mailbox has used up its {cap} e-mails in 24 hours{new}"

    def _nth_newest(self, sender: str, number: int) -> datetime | None:
        row = self._database.row("attempts.nth_newest", sender=sender, skip=max(number, 1) - 1)
        return from_micros(row["at"]) if row is not None else None

    def resting(self, sender: str, *, now: datetime, account: str | None = None) -> Rest | None:
        """Return the pause of a mailbox after refusals, also once its next try is due; None where there is none.

        A pause of another account does not count, nor one longer than any can be: the clock was ahead then.
        """
        row = self._database.remembered(
            ("rest", sender), lambda: self._database.row("mailboxes.find", sender=sender)
        )
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

    def refused(self, sender: str, *, why: str, account: str, now: datetime, reply: str = "") -> Rest:
        """Pause a mailbox: a minute, then twice as long after each refusal, at most an hour. Return the pause."""
        before = self.resting(sender, now=now, account=account)
        if before is not None and before.until + FORGOTTEN < now:
            before = None
        number = before.refusals + 1 if before else 1
        pause = min(FIRST_REST * (1 << min(number - 1, 10)), LONGEST_REST)
        since = min(before.since, now) if before else now
        rest = Rest(
            sender=sender, since=since, until=now + pause, refusals=number, why=why, account=account, reply=reply
        )
        self._keep(rest)
        return rest

    def reserve(self, rest: Rest, *, until: datetime) -> None:
        """Reserve a paused mailbox for one trial delivery, until an instant at the latest."""
        self._database.write("mailboxes.postpone", sender=rest.sender, until=to_micros(until))

    def free(self, sender: str, *, now: datetime) -> None:
        """End the reservation of a trial that ended without an answer about the mailbox."""
        self._database.write("mailboxes.advance", sender=sender, now=to_micros(now))

    def accepted(self, sender: str) -> None:
        """End a mailbox's pause: the server accepted an e-mail."""
        self._database.write_soon("mailboxes.recovered", sender=sender)

    def _keep(self, rest: Rest) -> None:
        self._database.write(
            "mailboxes.rest",
            sender=rest.sender,
            since=to_micros(rest.since),
            until=to_micros(rest.until),
            refusals=rest.refusals,
            why=rest.why,
            account=rest.account,
            reply=rest.reply,
        )


FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)
FORGOTTEN = timedelta(days=1)
OF_THE_LAST = 1_000
RESTS_AT, STOPS_AT = 2, 3  # complaints: above 0.1 %, and 0.3 %
AFTER_COMPLAINTS, FAR = timedelta(days=1), timedelta(days=365)
LOOKED_AT = 50
