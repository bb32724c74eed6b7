"""Whether this database is the one that sent last: compared with the machine, the file and the journals beside it.

Every hand-over is committed here first and then written to ``sent.log``, before the final dot or the request. So a
line there that the database does not know means that the database is an older state, put back. A database on
another machine, in a copied file, or without any past beside the traces of one, stands still until a person has
told in a terminal what it is.

A database on a server may lack its last commits after a replica took the server's place. Each host that notices
this compares its journals; hosts that hand over the same things stand still until all of them have.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from sequences_mcp.domain import actors
from sequences_mcp.domain.entries import Standstill, StandstillKind, UnseenHandover
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ConflictError, StoreUnwritableError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.store import journals
from sequences_mcp.store.audit import AuditRepository
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.filesystem import number_of
from sequences_mcp.store.statements import from_micros, to_micros

MARK = "sent.{}.mark"
_MARK = re.compile(r"sent\.(\d+)\.mark")
OLDER = "the database was put back to an older state, and the journal beside it says that this left on {at}"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatabaseLocation:
    """Where a database file is now: machine and file are None where the system does not tell them reliably."""

    folder: Path
    machine: str | None
    file: str | None
    mark: str | None

    @classmethod
    def of(cls, workspace: Workspace) -> DatabaseLocation:
        """Return the location of a workspace's database."""
        header = journals.first_line(workspace.sent_journal)
        mark = None if header is None else str(header.get("mark", ""))
        return cls(workspace.folder, machine(), number_of(workspace.sent_journal), mark)


class LineageRepository:
    """Whether this database is the one that sent last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: set[tuple[str, str]] = set()

    def look(self, *, now: datetime) -> None:
        """Compare the database with its place and its journals, and write down what does not fit.

        What fits costs a few reads. Raises StoreError, and StoreUnwritableError when a journal cannot be made.
        """
        place = DatabaseLocation.of(self._database.workspace)
        row = self._database.row("lineage.present")
        if row is not None and _fits(row, place) and not _has_new_line(row):
            if not _has_news(row, place.folder):
                return
            if self._database.in_transaction and (row["file"] or not place.file):
                self._take_in(row, place.folder, now=now)  # after every step, so that nothing is read twice
                return
        with self._database.transaction():
            # Read again: another process may have begun the journal since, before this transaction.
            place = DatabaseLocation.of(self._database.workspace)
            row = self._database.row("lineage.present")
            if row is None:
                self._give_place(place, now=now)
            else:
                self._notice(row, place, now=now)
            self._take_in(self._database.rows("lineage.present")[0], place.folder, now=now)
        self._begin_sent()

    def _take_in(self, row: Row, folder: Path, *, now: datetime) -> None:
        """Read what the journals have since they were read last."""
        if journals.journal_size(folder / journals.SUPPRESSIONS) != row["suppressions_read"]:
            self._regain_suppressions(row["suppressions_read"], folder, now=now)
        if not self._stands_here():
            self._read_sent(row["sent_read"], folder, now=now)
            if _has_new_line(row):
                self._note_line(row, now=now)

    def require_here(self) -> None:
        """Raise StoreUnwritableError where this database was moved to another place."""
        if (row := self._database.row("lineage.moved")) is not None:
            raise was_moved(row, title=self._database.title)

    def standstills(self) -> list[Standstill]:
        """Return why this database must not send; empty where it may."""
        return list(self._database.remembered("standstills", self._standstills))

    def _standstills(self) -> tuple[Standstill, ...]:
        rows = self._database.rows("lineage.standstills")
        return tuple([Standstill(row["kind"], from_micros(row["since"])) for row in rows])

    def _stands_here(self) -> bool:
        """Say whether a person has to tell first what this database is."""
        return any(row["kind"] != "failed_over" for row in self._database.rows("lineage.standstills"))

    def hands_over(self, what: str) -> None:
        """Note in the open transaction, once, what this host hands over: a mailbox's e-mails, a vendor's people.

        After the server was replaced, all that hand over the same wait until this host has compared its journal.
        """
        line = self._database.line
        if not line or (what, line) in self._noted:
            return
        self._database.write("lineage.hands_over", what=what)
        self._database.after_commit(partial(self._noted.add, (what, line)))

    def brings_back_erased(self) -> bool:
        """Say whether somebody is in the database who was erased after the state that was put back."""
        return self._database.remembered("erased people are back", self._brings_back)

    def _brings_back(self) -> bool:
        return self._database.row("lineage.brings_back") is not None

    def require_going(self) -> None:
        """Raise ConflictError while this database must not send."""
        for standstill in self.standstills():
            raise ConflictError(f"{standstill.what} Nothing leaves.", next_step=standstill.remedy)

    def go_on(self, *, now: datetime, actor: actors.Actor) -> list[Standstill]:
        """End a standstill because a person confirmed that the database belongs here; return its kinds."""
        with self._database.transaction():
            results = self.standstills()
            place = DatabaseLocation.of(self._database.workspace)
            kinds = {result.kind for result in results}
            mark = place.mark or _fresh_mark()
            self._database.write("lineage.adopt", mark=mark, machine=place.machine, file=place.file)
            self._database.write("lineage.go_on")
            if "failed_over" in kinds:
                self._database.write("lineage.hosts_are_lost")
            for path in _marks(place.folder):
                path.unlink(missing_ok=True)
            if "begun_anew" in kinds:  # what was sent before is known to be none of this database's
                self._database.write(
                    "lineage.sent_read", sent_read=journals.journal_size(place.folder / journals.SENT)
                )
            else:
                read = self._database.rows("lineage.present")[0]["sent_read"]
                self._read_sent(read, place.folder, now=now)
            self._append("database.taken_over", actor=actor, now=now, kinds=sorted(kinds))
        self._begin_sent()
        return results

    def note_email(
        self, *, lease: int, key: str, message_id: str, sender: str, recipient: str, now: datetime
    ) -> tuple[int, int]:
        """Append an e-mail to the journal, after its commit and before the final dot; return where its line is.

        Raises StoreUnwritableError; then the e-mail must not be sent.
        """
        return self._note(
            {
                "kind": "email",
                "at": to_micros(now),
                "lease": lease,
                "key": key,
                "message_id": message_id,
                "sender": sender,
                "recipient": recipient,
            },
        )

    def knows_line(self, line: tuple[int, int]) -> None:
        """Pass over a line of the journal, in the transaction that finds its e-mail as it was handed over.

        Where something else stands before it that was not read yet, all of it is read by and by.
        """
        self._database.write_soon("lineage.line_read", begun=line[0], sent_read=line[1])

    def note_operation(self, operation: dict[str, Any], *, sequences: list[str], now: datetime) -> None:
        """Append an operation to the journal, after its commit and before its request; StoreUnwritableError."""
        self._note({"kind": "vendor", "at": to_micros(now), "sequences": sequences, **operation})

    def unseen(self) -> list[UnseenHandover]:
        """Return what the journal has as sent, but neither this database nor the run concerned has."""
        return [
            UnseenHandover(
                kind=row["kind"],
                key=row["key"],
                at=from_micros(row["at"]),
                why=row["why"],
                facts=json.loads(row["facts"]),
            )
            for row in self._database.rows("lineage.open_unseen")
        ]

    def unseen_number(self) -> int:
        """Return how much left, or may have left, without this database knowing of it."""
        return sum(
            int(self._database.rows("lineage.unseen_since", kind=kind)[0]["number"])
            for kind in ("email", "vendor")
        )

    def runs_that_may_send(self) -> list[str]:
        """Return the runs of which an e-mail may leave, now or after an approval."""
        return [row["id"] for row in self._database.rows("lineage.going")]

    def left_unseen(self, key: str) -> str | None:
        """Return why a step may have left without this database knowing, or None."""
        row = self._database.row("lineage.unseen_by_key", key=key)
        return None if row is None else str(row["why"])

    def wrote_to(self, recipient: str) -> str | None:
        """Return, in words, when an address got an e-mail that this database does not have; None if none."""
        row = self._database.row("lineage.unseen_to", recipient=recipient)
        if row is None:
            return None
        return (
            f"this address got an e-mail on {from_micros(row['at']):%Y-%m-%d %H:%M} UTC that this database forgot"
        )

    def mark_told(self, key: str) -> None:
        """Record that an unseen e-mail was applied to its step, so that it is not applied again."""
        self._database.write("lineage.told", key=key)

    def may_have_left(self, keys: dict[str, str | None], *, why: str, now: datetime) -> None:
        """Note that these steps, each with its recipient, may have left elsewhere."""
        for key, recipient in keys.items():
            facts = {"kind": "email", "at": to_micros(now), "recipient": recipient}
            self._insert(facts, key=key, why=why, now=now)

    def _give_place(self, place: DatabaseLocation, *, now: datetime) -> None:
        """Record the location of a database that has none yet: a new one, or one of an older version."""
        is_new = bool(self._database.rows("lineage.is_new")[0]["new"])
        mark = place.mark or _fresh_mark()
        self._database.write("lineage.adopt", mark=mark, machine=place.machine, file=place.file)
        if is_new and _has_past(place.folder):
            self._database.write("lineage.stand_still", kind="begun_anew", since=to_micros(now))
            _log_standstill("begun_anew", now)

    def _notice(self, row: Row, place: DatabaseLocation, *, now: datetime) -> None:
        kind = _strange(row, place)
        if kind is not None and self._database.write("lineage.stand_still", kind=kind, since=to_micros(now)):
            _log_standstill(kind, now)

    def _note_line(self, row: Row, *, now: datetime) -> None:
        """Write down that this host's journals were compared with the server that has its place now."""
        if row["line"] is not None:
            log.warning("The database server was replaced: this host has compared what it sent with it.")
            self._append("database.failed_over", actor=actors.ENGINE, now=now)
        self._database.write("lineage.compared", now=to_micros(now))
        self._database.write("lineage.compared_all")

    def _begin_sent(self) -> None:
        """Make the journal where there is none, and remember which file it is.

        Not in the transaction that made the row: a journal without a row would be an earlier database's trace.
        """
        row = self._database.rows("lineage.present")[0]
        place = DatabaseLocation.of(self._database.workspace)
        if self._stands_here() or (place.mark is not None and (row["file"] or not place.file)):
            return
        with self._database.transaction():
            place = DatabaseLocation.of(self._database.workspace)
            if place.mark is None:
                with _writable(place.folder):
                    journals.begin_journal(place.folder / journals.SENT, {"mark": row["mark"]})
                place = DatabaseLocation.of(self._database.workspace)
            self._database.write("lineage.adopt", mark=row["mark"], machine=place.machine, file=place.file)

    def _read_sent(self, read: int, folder: Path, *, now: datetime) -> None:
        """Read what the journal has behind the bytes read so far; record what this database does not have."""
        records, end = journals.journal_tail(folder / journals.SENT, read)
        strangers = [record for record in records if "kind" in record and not self._known(record)]
        for stranger in strangers:
            key = stranger["key"] if stranger["kind"] == "email" else stranger["id"]
            why = OLDER.format(at=f"{from_micros(stranger['at']):%Y-%m-%d %H:%M} UTC")
            self._insert(stranger, key=key, why=why, now=now)
        self._database.write("lineage.sent_read", sent_read=end)
        if strangers:
            log.error("The database is older than what was sent: %d hand-overs are unknown to it.", len(strangers))
            self._append("database.older", actor=actors.ENGINE, now=now, unknown=len(strangers))

    def _known(self, item: dict[str, Any]) -> bool:
        if item["kind"] == "email":
            return bool(
                self._database.rows("lineage.knows_email", lease=item["lease"], message_id=item["message_id"])
            )
        return bool(self._database.rows("lineage.knows_operation", id=item["id"]))

    def _insert(self, facts: dict[str, Any], *, key: str, why: str, now: datetime) -> None:
        self._database.write(
            "lineage.insert_unseen",
            kind=facts["kind"],
            at=facts["at"],
            key=key,
            recipient=facts.get("recipient"),
            facts=json.dumps(facts),
            why=why,
            found_at=to_micros(now),
        )

    def _regain_suppressions(self, read: int, folder: Path, *, now: datetime) -> None:
        """Merge the suppression list and its journal: each gets the entries that only the other has."""
        from sequences_mcp.store.suppressions import SuppressionRepository

        suppressions, path = SuppressionRepository(self._database), folder / journals.SUPPRESSIONS
        whole = read < 0 or journals.journal_size(path) < read
        records, end = journals.journal_tail(path, 0 if whole else read)
        regained = suppressions.replay(records)
        if whole:
            end = suppressions.write_all(path, known=records)
        self._database.write("lineage.suppressions_read", suppressions_read=end)
        if regained:
            self._append("suppression.regained", actor=actors.ENGINE, now=now, regained=regained)

    def _append(self, action: str, *, actor: actors.Actor, now: datetime, **detail: object) -> None:
        audit = AuditRepository(self._database)
        audit.record(at=now, actor=actor, action=action, subject="database", detail=detail)

    def _note(self, record: dict[str, Any]) -> tuple[int, int]:
        with _writable(self._database.workspace.folder):
            line = journals.append_line(self._database.workspace.sent_journal, record)
            _raise_mark(self._database.workspace.folder)
        return line


def was_moved(row: Row, *, title: str) -> StoreUnwritableError:
    """Return the error for a database that was moved to another place, with what a person does to open that."""
    at, place = f"{from_micros(row['at']):%Y-%m-%d %H:%M} UTC", row["place"]
    named = f'Set `database = "{place}"` in settings.toml, or SEQUENCES_DATABASE_URL.'
    in_folder = "Remove `database` and `database_password` from settings.toml there, and SEQUENCES_DATABASE_URL."
    return StoreUnwritableError(
        f"The database {title} was moved on {at} to {place}; this is a copy that is used no more.",
        next_step=named if "://" in place else in_folder,
    )


@cache
def machine() -> str | None:
    """Return a hash that names this machine and nothing else, or None where nothing lasting does.

    As systemd asks (machine-id(5)), the id itself is not stored. A container's made-up host name is none.
    """
    result = _machine_id()
    return sha256(f"sequences-mcp:{result}".encode()).hexdigest()[:32] if result else None


def _machine_id() -> str | None:
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    for file in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            result = Path(file).read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        if re.fullmatch(r"[0-9a-f]{32}", result):
            return result
    if sys.platform == "darwin":
        return _darwin_id()
    name = socket.gethostname()
    return None if re.fullmatch(r"[0-9a-f]{12}|localhost.*|", name) else name


def _darwin_id() -> str | None:
    import ctypes

    made = ctypes.create_string_buffer(16)
    wait = (ctypes.c_long * 2)(1, 0)
    done = ctypes.CDLL(None).gethostuuid(made, wait)
    return made.raw.hex() if done == 0 else None


def _fits(row: Row, place: DatabaseLocation) -> bool:
    return place.mark == row["mark"] and not _strange(row, place)


def _strange(row: Row, place: DatabaseLocation) -> StandstillKind | None:
    """Return which of machine and file differ; what either side does not know is not compared."""
    if place.mark is not None and place.mark != row["mark"]:
        return "other_folder"
    if row["machine"] and place.machine and row["machine"] != place.machine:
        return "other_machine"
    if (row["file"] and place.file and row["file"] != place.file) or is_cut(place.folder):
        return "copied"
    if place.mark is None and (row["file"] or row["sent_read"]):  # the journal was begun, and is not here
        return "copied"
    return None


def _has_new_line(row: Row) -> bool:
    """Say whether the server was replaced since this host's journals were compared; of a file, never."""
    return bool(row["line"] != row["present_line"])


def _has_news(row: Row, folder: Path) -> bool:
    sizes = (journals.journal_size(folder / journals.SENT), journals.journal_size(folder / journals.SUPPRESSIONS))
    return sizes != (row["sent_read"], row["suppressions_read"])


def _has_past(folder: Path) -> bool:
    """Say whether a folder shows traces of a database that was there before."""
    if any(path.exists() for path in Workspace(folder).traces) or _marks(folder):
        return True
    try:
        return bool(json.loads(Workspace(folder).passphrase.read_text("utf-8")).get("database"))
    except (OSError, ValueError, AttributeError):
        return False


def _raise_mark(folder: Path) -> None:
    """Keep the journal's length in a file's name: a copy of the whole folder, put over it, does not undo that."""
    size = journals.journal_size(folder / journals.SENT)
    os.close(os.open(folder / MARK.format(size), os.O_WRONLY | os.O_CREAT, 0o600))
    for path, number in _marks(folder).items():
        if number < size:
            path.unlink(missing_ok=True)


def _marks(folder: Path) -> dict[Path, int]:
    try:
        with os.scandir(folder) as entries:
            marks = [match for entry in entries if (match := _MARK.fullmatch(entry.name))]
    except FileNotFoundError:
        return {}
    return {folder / match[0]: int(match[1]) for match in marks}


def is_cut(folder: Path) -> bool:
    """Say whether the journal has become shorter: it was replaced by an older copy, or deleted."""
    return max(_marks(folder).values(), default=0) > journals.journal_size(folder / journals.SENT)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnwritableError(
            f"The journal of what was sent, in {folder}, cannot be written: {error.strerror or error}.",
            next_step="Nothing was handed over. Check the folder's permissions and the free space on its disk.",
        ) from error


def _log_standstill(kind: StandstillKind, now: datetime) -> None:
    standstill = Standstill(kind, now)
    log.error("%s %s", standstill.what, standstill.remedy)


def _fresh_mark() -> str:
    return secrets.token_hex(16)
