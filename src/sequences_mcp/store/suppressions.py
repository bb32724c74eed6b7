"""The list of those who must never be contacted again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequences_mcp.domain import actors
from sequences_mcp.domain.entries import Suppression
from sequences_mcp.domain.erasure import WHY
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.suppressions import SuppressionKey
from sequences_mcp.store import journals
from sequences_mcp.store.database import Database, Row, page_of
from sequences_mcp.store.statements import from_micros, to_micros

if TYPE_CHECKING:
    from sequences_mcp.store.erasure import ErasureRepository

ELSEWHERE = "lifted on another host"
IN_JOURNAL = ("address", "domain", "contact")
FEW = 20  # entries that are looked up one by one
log = logging.getLogger(__name__)


class SuppressionRepository:
    """The list of those who must never be contacted again, and its journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def _erased(self) -> ErasureRepository:
        from sequences_mcp.store.erasure import ErasureRepository

        return ErasureRepository(self._database)

    def add(self, key: SuppressionKey, *, reason: str, actor: actors.Actor, now: datetime) -> bool:
        """Add a suppression to the list and to its journal; False when it is there already.

        An entry that the worker made by itself is from then on recorded as made by ``actor``. Who was erased is
        kept out by a hash, so that nothing of theirs is written down again.
        """
        kind, value = key
        if kind != "domain" and self._erased.known([key]):
            return False
        row = {"kind": kind, "value": value, "reason": reason, "actor": actor}
        added = self._database.write("suppressions.insert", **row, created_at=to_micros(now))
        if not added:
            added = self._database.write("suppressions.adopt", **row, engine=actors.WORKER)
        if added:
            self._erased.end_lifted(kind, value)
            self._note(key, do="suppress", reason=reason, actor=actor, now=now)
        return added > 0

    def of_engine(self, key: SuppressionKey) -> str | None:
        """Return why the engine itself added a suppression (a bounce, an opt-out), or None where it did not."""
        row = self._row(key)
        return str(row["reason"]) if row is not None and row["actor"] == actors.WORKER else None

    def _row(self, key: SuppressionKey) -> Row | None:
        return self._database.row("suppressions.find", kind=key[0], value=key[1])

    def lift(self, key: SuppressionKey, *, reason: str, actor: actors.Actor, now: datetime) -> bool:
        """Remove a suppression, and write that to the journal; False when it is not on the list."""
        kind, value = key
        was_erased = self._erased.lift(key, reason=reason, actor=actor, now=now)
        if (row := self._row(key)) is None:
            return was_erased
        at = max(now, from_micros(row["created_at"]))  # it was put there while the clock was ahead
        self._database.write("suppressions.lift_before", kind=kind, value=value, at=to_micros(at))
        # Later than it was put there, as the journals of other hosts have it.
        self._erased.keep_lifted(kind, value, at=max(to_micros(now), row["created_at"] + 1))
        self.note_lifted(key, reason=reason, actor=actor, now=at)
        return True

    def note_lifted(self, key: SuppressionKey, *, reason: str, actor: actors.Actor, now: datetime) -> None:
        """Write to the journal that a person lifted a suppression, so that no restored database brings it back."""
        self._note(key, do="lift", reason=reason, actor=actor, now=now)

    def replay(self, records: Iterable[Mapping[str, Any]]) -> int:
        """Apply the journal to the list, inside the caller's transaction; return how many entries were added.

        A lift ends only what was put on the list before it, also one that stands in another host's journal. Only
        what is not so already is written, because the whole journal is read with each change of the list.
        """
        records = list(records)
        ended = {id(record) for record in self._ended(records)}
        records = [record for record in records if id(record) not in ended]
        regained = self._erased.replay(records)
        records = [record for record in records if record.get("kind") in IN_JOURNAL and record.get("value")]
        listed = self._listed(records)
        for record in records:
            key = record["kind"], record["value"]
            entry = {"kind": key[0], "value": key[1]}
            if record.get("do") == "lift":
                self._database.write("suppressions.lift_before", **entry, at=record["at"])
                self._erased.keep_lifted(*key, at=record["at"])
                if key in listed and listed[key][1] <= record["at"]:
                    del listed[key]
                continue
            suppression = {**entry, "reason": record["reason"], "actor": record["actor"]}
            if key not in listed:
                regained += self._database.write("suppressions.insert", **suppression, created_at=record["at"])
                listed[key] = record["actor"], record["at"]
            elif listed[key][0] == actors.WORKER != record["actor"]:
                self._database.write("suppressions.adopt", **suppression, engine=actors.WORKER)
                listed[key] = record["actor"], listed[key][1]
        return regained

    def _listed(self, records: Sequence[Mapping[str, Any]]) -> dict[SuppressionKey, tuple[str, int]]:
        """Return who made the entries that the list has of these lines, and when; for many, all entries."""
        keys = {(record["kind"], record["value"]) for record in records}
        if len(keys) > FEW:
            rows = self._database.rows("suppressions.all")
        else:
            rows = [row for key in keys if (row := self._row(key)) is not None]
        return {(row["kind"], row["value"]): (row["actor"], row["created_at"]) for row in rows}

    def _ended(self, records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return the lines by which something was put on the list that a person has taken off it since."""
        lifted = {row["hash"]: row["at"] for row in self._database.rows("suppressions.lifted")}
        if not lifted:
            return []
        hash_of = self._erased.lifted_hash
        return [
            record
            for record in records
            if record.get("do") != "lift"
            and record.get("value")
            and lifted.get(hash_of(record["kind"], record["value"]), -1) > record["at"]
        ]

    def write_all(self, path: Path, *, known: Iterable[Mapping[str, Any]]) -> int:
        """Append to the journal what only the list has, and what was taken off it on another host.

        Return its size in bytes, -1 if it cannot be written.
        """
        known = list(known)
        present = {(item.get("kind"), item.get("value")) for item in known}
        lifts = {(item["kind"], item["value"]): item["at"] for item in known if item.get("do") == "lift"}
        lacking: list[Mapping[str, Any]] = []
        for item in self._ended(known):
            if lifts.get((item["kind"], item["value"]), -1) < item["at"]:
                lift = {"do": "lift", "kind": item["kind"], "value": item["value"], "at": item["at"]}
                lacking.append({**lift, "reason": ELSEWHERE, "actor": actors.ENGINE})
        for row in self._database.rows("suppressions.all"):
            if (row["kind"], row["value"]) not in present:
                facts = {name: row[name] for name in ("kind", "value", "reason", "actor")}
                lacking.append({"do": "suppress", "at": row["created_at"], **facts})
        lacking += [line for line in self._erased.lines() if (line["kind"], line["value"]) not in present]
        try:
            if lacking:
                journals.append_lines(path, lacking)
        except OSError as error:
            log.warning("The journal of suppressions cannot be written: %s", error)
            return -1
        return journals.journal_size(path)

    def _note(self, key: SuppressionKey, *, do: str, reason: str, actor: actors.Actor, now: datetime) -> None:
        """Write one line into the journal once the list is committed; whatever prevents it, it is added later."""
        kind, value = key
        record = {"do": do, "at": to_micros(now), "kind": kind, "value": value, "reason": reason, "actor": actor}

        def write() -> None:
            try:
                journals.append_line(self._database.workspace.suppression_journal, record)
            except OSError as error:
                log.warning("The journal of suppressions cannot be written: %s", error)

        self._database.write(
            "lineage.suppressions_read", suppressions_read=-1
        )  # compared as a whole at the next start
        self._database.after_commit(write)

    def page(self, *, page: int, size: int) -> Page[Suppression]:
        """Return the list, the newest first."""
        return page_of(self._database, "records.suppressions", _suppression, page=page, size=size)

    def has_any(self) -> bool:
        """Say whether anybody is on the list, by name or as the hash of somebody who was erased."""
        return self._database.row("suppressions.any") is not None or is_anybody_erased(self._database)

    def after(self, mark: SuppressionKey, *, size: int) -> tuple[list[Suppression], SuppressionKey]:
        """Return the entries behind one, by kind and value, a part of them, and the key of the last."""
        rows = self._database.rows("suppressions.after", kind=mark[0], value=mark[1], size=size)
        return list(map(_suppression, rows)), (rows[-1]["kind"], rows[-1]["value"]) if rows else mark

    def matching(
        self, keys: Iterable[SuppressionKey], *, old: Iterable[SuppressionKey] = ()
    ) -> dict[SuppressionKey, str]:
        """Return the reasons of those keys that are on the list.

        ``old`` are spellings of earlier versions: they count for what was listed then, not for what was listed
        since.
        """
        present = list(dict.fromkeys(keys))
        wanted = [(*key, 0) for key in present] + [(*key, 1) for key in dict.fromkeys(old)]
        rows = self._database.rows("suppressions.matching", wanted=json.dumps(wanted))
        listed = {(row["kind"], row["value"]): row["reason"] for row in rows}
        if not is_anybody_erased(self._database):
            return listed
        return dict.fromkeys(self._erased.known(present), WHY) | listed


def is_anybody_erased(database: Database) -> bool:
    """Say whether the hash of anybody who was erased is kept; asked again only after something was committed."""
    return database.remembered("erased people", lambda: bool(database.rows("erasure.has_hashes")[0]["found"]))


def _suppression(row: Row) -> Suppression:
    return Suppression(
        kind=row["kind"],
        value=row["value"],
        reason=row["reason"],
        actor=actors.Actor(row["actor"]),
        created_at=from_micros(row["created_at"]),
    )
