"""What came in: how far each folder was read, what was looked at, what was found about which run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.inbound import (
    HELD_FOR_PERSON,
    STORED_AS,
    Decision,
    FolderMark,
    InboundEntry,
    InboxState,
    ReplyEntry,
)
from sequences_mcp.domain.page import Page
from sequences_mcp.ports.embedded import ReplyFilter
from sequences_mcp.store.contacts import escaped
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros

_INSTANTS = ("sent_at", "until", "found_at")
_READ, _RECORDED, _UNMATCHED = "e", "h", "u"
_STATEMENTS = {
    _READ: "inbound.read_replies",
    _RECORDED: "inbound.recorded_replies",
    _UNMATCHED: "inbound.unmatched_replies",
}
UNMATCHED_FOR, MOST_UNMATCHED = timedelta(days=30), 500
"""How long, and how many for each mailbox, messages are kept that are about no run."""
_OF_REPLY = (
    *("stored_kind", "contact_id", "sequence_id", "key", "effect", "mailbox", "sender", "subject", "text", "why"),
    *("message_id", "refers_to", "decision"),
)
_NO_CONDITIONS = {
    **dict.fromkeys(
        ("kinds", "since", "contact", "contact_pattern", "sequence_id", "blueprint_id", "source", "no")
    ),
    "waiting": False,
    "held": HELD_FOR_PERSON,
    "size": 1,
    "skip": 0,
}
_FIELDS = tuple(field.name for field in fields(InboundEntry))


class InboxRepository:
    """How far each mailbox was read, by the name that an account has here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def marks(self, mailbox: str) -> dict[str, FolderMark]:
        """Return how far each folder of a mailbox was read."""
        rows = self._database.rows("inbound.folders", mailbox=mailbox)
        return {row["folder"]: FolderMark(row["uidvalidity"], row["last_uid"], row["modseq"]) for row in rows}

    def keep_mark(self, mailbox: str, folder: str, *, mark: FolderMark, is_anew: bool = False) -> None:
        """Store how far a folder was read.

        Under one UIDVALIDITY that never goes back, unless the server has begun to give out UIDs ``is_anew``.
        """
        self._database.write(
            "inbound.keep_folder_anew" if is_anew else "inbound.keep_folder",
            mailbox=mailbox,
            folder=folder,
            uidvalidity=mark.uidvalidity,
            last_uid=mark.last_uid,
            modseq=mark.modseq,
        )

    def reading(self, mailbox: str) -> InboxState | None:
        """Return up to when a mailbox was read; None where nobody ever tried."""
        row = self._database.row("inbound.reading", mailbox=mailbox)
        if row is None:
            return None
        return InboxState(
            read_up_to=from_micros(row["read_up_to"]),
            tried_at=from_micros(row["tried_at"]),
            error=row["error"],
            reply=row["reply"],
            error_since=from_micros(row["error_since"]),
            left_out=row["left_out"],
        )

    def read(self, mailbox: str, *, began: datetime, now: datetime, left_out: Iterable[str] = ()) -> None:
        """Record that a pass that began then has read every folder, but for the unimportant ones ``left_out``."""
        names = ", ".join(f"“{name[:60]}”" for name in left_out)[:500]
        values = {"began": to_micros(began), "now": to_micros(now), "left_out": names}
        self._database.write("inbound.read", mailbox=mailbox, **values)

    def unread(self, mailbox: str, *, why: str, reply: str = "", now: datetime) -> None:
        """Note that a mailbox could not be read, and why."""
        values = {"error": why[:500], "reply": reply[:500], "now": to_micros(now)}
        self._database.write("inbound.failed", mailbox=mailbox, **values)


class InboundRepository:
    """The messages that were looked at, and those that are about a run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, digest: bytes, *, now: datetime) -> bool:
        """Note, in the caller's transaction, that a message is looked at; False where it was before."""
        return self._database.write("inbound.see", hash=digest, at=to_micros(now)) > 0

    def was_seen(self, digest: bytes) -> bool:
        """Say whether a message was looked at before."""
        return self._database.row("inbound.seen", hash=digest) is not None

    def forget(self, *, before: datetime) -> None:
        """Forget messages looked at so long ago that no later pass over the folders meets them again."""
        self._database.write("inbound.forget", before=to_micros(before))

    def begun_first(self) -> datetime | None:
        """Return when the oldest run was started that somebody may still answer; None where there is none."""
        first: int | None = self._database.rows("inbound.begun_first")[0]["at"]
        return from_micros(first)

    def insert(self, entry: InboundEntry) -> None:
        """Store what came in about a run."""
        values = {name: getattr(entry, name) for name in _FIELDS}
        self._database.write("inbound.insert", **values | {name: to_micros(values[name]) for name in _INSTANTS})

    def count(self, sequence_id: str, *, kinds: Iterable[str]) -> int:
        """Return how often something of these kinds came in about a run."""
        values = {"sequence_id": sequence_id, "kinds": json.dumps(list(kinds))}
        return int(self._database.rows("inbound.count_kinds", **values)[0]["found"])

    def keys_of_message_ids(self, ids: Iterable[str]) -> list[str]:
        """Return the steps whose e-mails had one of these Message-IDs (without brackets), the newest first."""
        wanted = json.dumps([f"<{message_id.lower()}>" for message_id in ids])
        return list(dict.fromkeys(row["key"] for row in self._database.rows("inbound.attempts_of", ids=wanted)))

    def keys_of_provider_ids(self, ids: Iterable[str]) -> list[str]:
        """Return the steps that a mail server passed on under one of these ids of its own."""
        return [row["key"] for row in self._database.rows("inbound.keys_of_provider", ids=json.dumps(list(ids)))]

    def keep_provider_ids(self, key: str, ids: Iterable[str]) -> None:
        """Note under which ids a mail server passed on a step's e-mail."""
        for provider_id in ids:
            self._database.write("inbound.keep_provider_id", id=provider_id, key=key)

    def texts_of(self, sequence_id: str) -> list[str]:
        """Return every text and subject that a run has had."""
        rows = self._database.rows("inbound.texts_of", sequence_id=sequence_id)
        return [text for row in rows for text in (row["content"], row["subject"]) if text]

    def unknown_but_named(self) -> list[str]:
        """Return the steps of unknown outcome that something which came in names: they were sent."""
        return [row["key"] for row in self._database.rows("inbound.unknown_named")]

    def live_at_host(self, host: str) -> list[str]:
        """Return the ids of some live runs that write to an address at a host."""
        rows = self._database.rows("inbound.live_at_host", pattern=f"%@{escaped(host)}")
        return [row["id"] for row in rows]

    def page(self, wanted: ReplyFilter) -> Page[ReplyEntry]:
        """Return a page of what came back, read or recorded by hand, the newest first."""
        conditions = _NO_CONDITIONS | {
            "kinds": json.dumps(STORED_AS[wanted.kind]) if wanted.kind else None,
            "since": to_micros(wanted.since),
            "contact": wanted.contact,
            "contact_pattern": f"%{escaped(wanted.contact)}%" if wanted.contact else None,
            "sequence_id": wanted.sequence_id,
            "blueprint_id": wanted.blueprint_id,
            "waiting": wanted.waiting,
        }
        with self._database.snapshot():
            skip = (wanted.page - 1) * wanted.size
            rows = self._database.rows("inbound.replies", **conditions | {"size": wanted.size, "skip": skip})
            first = rows[:1] or self._database.rows("inbound.replies", **conditions)
            entries = tuple(self._entries(rows))
        return Page(entries, first[0]["found"] if first else 0, wanted.page, wanted.size)

    def reply(self, reply_id: str) -> ReplyEntry | None:
        """Return what came back under an id of ours (``local:reply_e12``), or None."""
        numbered = reply_id.removeprefix(f"{LOCAL}:{IdKind.REPLY}_")
        source, number = numbered[:1], numbered[1:]
        if source not in _STATEMENTS or not (number.isdecimal() and number.isascii()) or len(number) > 18:
            return None
        conditions = _NO_CONDITIONS | {"source": source, "no": int(number)}
        with self._database.snapshot():
            return next(iter(self._entries(self._database.rows("inbound.replies", **conditions))), None)

    def after(self, mark: str, *, size: int) -> tuple[list[ReplyEntry], str]:
        """Return what came back after a mark, a part of it, and the mark behind it; whether it waits is not told.

        The first mark is empty. What was read comes first, then what was recorded by hand, then what is nobody's.
        """
        sources = list(_STATEMENTS)
        begun, number = (sources.index(mark[0]), int(mark[1:])) if mark else (0, 0)
        for source in sources[begun:]:
            if rows := self._database.rows("inbound.after", source=source, no=number, size=size):
                return list(self._entries(rows)), f"{source}{rows[-1]['no']}"
            number = 0
        return [], mark

    def record(self, entry: ReplyEntry) -> None:
        """Store an answer that somebody recorded by hand; it gets an id of its own."""
        self._database.write(
            "inbound.record",
            answer=entry.stored_kind,
            contact_id=entry.contact_id,
            sequence_id=entry.sequence_id,
            until=to_micros(entry.until),
            effect=entry.effect,
            actor=entry.recorded_by,
            at=to_micros(entry.at),
        )

    def has_written(self, sender: str, *, since: datetime, until: datetime) -> bool:
        """Say whether an e-mail left from an address, or may have, between two instants."""
        span = {"since": to_micros(since), "until": to_micros(until)}
        return self._database.row("inbound.has_written", sender=sender, **span) is not None

    def keep_unmatched(self, entry: InboundEntry) -> None:
        """Keep what came in about no run; of such messages only the newest are kept, and none for long."""
        values = {name: getattr(entry, name) for name in _FIELDS if name not in ("basis", "sequence_id", "key")}
        with self._database.joined():
            self._database.write(
                "inbound.keep_unmatched", **values | {name: to_micros(values[name]) for name in _INSTANTS}
            )
            before = to_micros(entry.found_at - UNMATCHED_FOR)
            self._database.write(
                "inbound.drop_unmatched", before=before, mailbox=entry.mailbox, most=MOST_UNMATCHED
            )

    def decide(
        self, reply_id: str, decision: Decision, *, sequence_id: str | None, actor: Actor, now: datetime
    ) -> str | None:
        """Note what a person decided about something that was read; None where it was decided before.

        Return the id under which it is listed from then on: what was about no run becomes one of those that are.
        """
        numbered = reply_id.removeprefix(f"{LOCAL}:{IdKind.REPLY}_")
        number = int(numbered[1:])
        values = {"decision": decision, "actor": actor, "at": to_micros(now)}
        with self._database.joined():
            if numbered[:1] == _UNMATCHED:
                if not self._database.write("inbound.decide_unmatched", no=number, **values):
                    return None
                if sequence_id is None:
                    return reply_id
                self._database.write("inbound.assign_unmatched", no=number, sequence_id=sequence_id)
                number = int(self._database.rows("inbound.assigned", no=number)[0]["no"])
            if not self._database.write("inbound.decide", no=number, sequence_id=sequence_id, **values):
                return None
        return f"{LOCAL}:{IdKind.REPLY}_{_READ}{number}"

    def _entries(self, rows: Iterable[Row]) -> Iterable[ReplyEntry]:
        """Return what came back under these sources and numbers, in this order."""
        wanted = [(row["source"], row["no"], row) for row in rows]
        known: dict[tuple[str, int], Row] = {}
        for source, statement in _STATEMENTS.items():
            numbers = json.dumps([no for of, no, _ in wanted if of == source])
            known |= {(source, row["no"]): row for row in self._database.rows(statement, numbers=numbers)}
        for source, no, row in wanted:
            facts = known[source, no]
            yield ReplyEntry(
                id=f"{LOCAL}:{IdKind.REPLY}_{source}{no}",
                waits=bool(row["waits"]),
                is_unmatched=bool(row["unmatched"]),
                is_authenticated=bool(facts["is_authenticated"]),
                at=from_micros(facts["at"]),
                until=from_micros(facts["until"]),
                sent_at=from_micros(facts["sent_at"]),
                recorded_by=facts["recorded_by"] and Actor(facts["recorded_by"]),
                **{name: facts[name] for name in _OF_REPLY},
            )
