"""What came in: how far each folder was read, what was looked at, what was found about which run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime

from sequences_mcp.domain.inbound import FolderMark, InboundEntry, InboxState
from sequences_mcp.store.contacts import escaped
from sequences_mcp.store.database import Database
from sequences_mcp.store.statements import from_micros, to_micros

_INSTANTS = ("sent_at", "until", "found_at")
_FIELDS = tuple(field.name for field in fields(InboundEntry))


class InboxRepository:
    """How far each mailbox was read, by the name that an account has here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def marks(self, mailbox: str) -> dict[str, FolderMark]:
        """Return how far each folder of a mailbox was read."""
        rows = self._database.rows("inbound.folders", mailbox=mailbox)
        return {row["folder"]: FolderMark(row["uidvalidity"], row["last_uid"], row["modseq"]) for row in rows}

    def keep_mark(self, mailbox: str, folder: str, *, mark: FolderMark) -> None:
        """Note how far a folder was read; under one counting that never goes back."""
        self._database.write(
            "inbound.keep_folder",
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
        )

    def read(self, mailbox: str, *, began: datetime, now: datetime) -> None:
        """Note that a walk that began then had an answer of every folder."""
        self._database.write("inbound.read", mailbox=mailbox, began=to_micros(began), now=to_micros(now))

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
        """Forget what was looked at so long ago that no walk comes upon it again."""
        self._database.write("inbound.forget", before=to_micros(before))

    def insert(self, entry: InboundEntry) -> None:
        """Store what came in about a run."""
        values = {name: getattr(entry, name) for name in _FIELDS}
        self._database.write("inbound.insert", **values | {name: to_micros(values[name]) for name in _INSTANTS})

    def of_run(self, sequence_id: str) -> list[InboundEntry]:
        """Return what came in about a run, the oldest first."""
        result = []
        for row in self._database.rows("inbound.of_sequence", sequence_id=sequence_id):
            facts = {name: row[name] for name in _FIELDS if name != "sequence_id"}
            facts |= {name: from_micros(row[name]) for name in _INSTANTS}
            result.append(InboundEntry(sequence_id=sequence_id, **facts))
        return result

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
