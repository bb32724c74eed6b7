"""Blueprint versions, waived warnings, allowed starts, and changes at vendors that wait for a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from functools import lru_cache

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Blueprint, Step, built_rules, built_sourcing, built_step
from sequences_mcp.domain.digests import canonical
from sequences_mcp.domain.entries import QueueTally
from sequences_mcp.domain.findings import Waiver
from sequences_mcp.domain.ids import UNVERSIONED, provider_of
from sequences_mcp.domain.page import Page
from sequences_mcp.ports.embedded import CHANGE_LASTS, PendingChange
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros


class BlueprintRepository:
    """Blueprint versions, and which of them the operator allowed to start."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_version(self, blueprint: Blueprint) -> None:
        """Store one version; StoreError when it is there already."""
        self._database.write(
            "blueprints.add_version",
            blueprint_id=blueprint.id,
            version=blueprint.version,
            name=blueprint.name,
            steps=steps_json(blueprint.steps),
            sourcing=canonical(blueprint.sourcing.model_dump(mode="json")).decode(),
            created_at=to_micros(blueprint.created_at),
            replies=canonical(blueprint.replies.model_dump(mode="json", exclude_defaults=True)).decode(),
        )

    def find(self, blueprint_id: str, *, version: int | None = None) -> Blueprint | None:
        """Return one version, the newest by default, or None."""

        def read() -> Blueprint | None:
            if version is None:
                row = self._database.row("blueprints.newest", blueprint_id=blueprint_id)
            else:
                row = self._database.row("blueprints.version", blueprint_id=blueprint_id, version=version)
            return _from_row(row) if row else None

        # A list of plans asks for the blueprint of each.
        return self._database.remembered(("blueprint", blueprint_id, version), read)

    def names(self, versions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the name of each of these versions, by id and version."""
        wanted = tuple(dict.fromkeys(versions))

        def read() -> dict[tuple[str, int], str]:
            rows = self._database.rows("blueprints.names", versions=json.dumps(wanted))
            return {(row["blueprint_id"], row["version"]): row["name"] for row in rows}

        return dict(self._database.remembered(("names of blueprints", wanted), read)) if wanted else {}

    def set_archived(self, blueprint_id: str, *, archived: bool, now: datetime) -> bool:
        """Put a blueprint away or take it back; False when it was so already."""
        if archived:
            written = self._database.write("blueprints.archive", blueprint_id=blueprint_id, now=to_micros(now))
        else:
            written = self._database.write("blueprints.unarchive", blueprint_id=blueprint_id)
        return bool(written)

    def set_owner(self, blueprint_id: str, owner: str) -> None:
        """Write down who made a new blueprint."""
        self._database.write("blueprints.own", blueprint_id=blueprint_id, owner=owner)

    def set_private(self, blueprint_id: str, *, private: bool, now: datetime) -> bool:
        """Make a blueprint that has an owner theirs alone, or everybody's; False when it was so already."""
        if private:
            return bool(
                self._database.write("blueprints.keep_private", blueprint_id=blueprint_id, now=to_micros(now))
            )
        return bool(self._database.write("blueprints.share", blueprint_id=blueprint_id))

    def private(self) -> Mapping[str, str]:
        """Return the owner of each blueprint that is somebody's alone, by its id."""

        def read() -> dict[str, str]:
            return {row["blueprint_id"]: row["owner"] for row in self._database.rows("blueprints.private")}

        return self._database.remembered("private blueprints", read)

    def page(
        self, provider: str, *, page: int, size: int, archived: bool = False, reader: str = ""
    ) -> Page[Blueprint]:
        """Return the newest version of each blueprint of a provider, archived or not, the latest change first.

        ``reader``: without those that are somebody else's alone; empty: all.
        """
        first, past = f"{provider}:", f"{provider};"  # the character that follows the colon: every id between them
        with self._database.snapshot():
            wanted = {"first": first, "past": past, "archived": archived, "reader": reader}
            rows = self._database.rows("blueprints.page", **wanted, size=size, skip=(page - 1) * size)
            total = self._database.rows("blueprints.count", **wanted)[0]["found"]
        return Page(tuple(map(_from_row, rows)), total, page, size)

    def pinned(self, named: Iterable[str], *, now: datetime) -> frozenset[str]:
        """Return the blueprints of the setting, each as ``id@version`` where its provider has versions.

        A bare id means the version that was newest when the setting was first read with this database. That is
        kept, so that another version, written later, is not allowed by a restart. An id of nothing stays bare and,
        where there are versions, allows nothing.
        """
        return frozenset(self._pinned(item, now=now) for item in named)

    def _pinned(self, named: str, *, now: datetime) -> str:
        if "@" in named or provider_of(named) in UNVERSIONED:
            return named
        known = self._database.row("allowed.version", blueprint_id=named)
        if known is None:
            newest = self.find(named)
            if newest is None:
                return named
            self._database.write(
                "allowed.insert", blueprint_id=named, version=newest.version, read_at=to_micros(now)
            )
            known = self._database.row("allowed.version", blueprint_id=named)
        return f"{named}@{known['version']}" if known else named


def steps_json(steps: Items[Step]) -> str:
    """Return steps as they are stored, in the names of the wire."""
    return canonical([step.model_dump(mode="json") for step in steps]).decode()


@lru_cache(maxsize=64)
def steps_from_json(text: str) -> tuple[Step, ...]:
    """Return stored steps; the text is what decides, so remembering it cannot go stale.

    They were validated before they were stored, so they are built without validating them again: the first read of
    a process would otherwise build pydantic's schemas, which takes longer than everything else about it.
    """
    return tuple(map(built_step, json.loads(text)))


def _from_row(row: Row) -> Blueprint:
    return Blueprint.model_construct(
        id=row["blueprint_id"],
        name=row["name"],
        version=row["version"],
        steps=steps_from_json(row["steps"]),
        sourcing=built_sourcing(json.loads(row["sourcing"])),
        created_at=from_micros(row["created_at"]),
        replies=built_rules(json.loads(row["replies"])),
        archived=bool(row["is_archived"]),
        owner=row["owner"] or "",
        private=bool(row["is_private"]),
    )


class WaiverRepository:
    """Warnings that a person accepts for a blueprint until an instant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, waiver: Waiver, *, now: datetime) -> None:
        """Store a waiver: a warning that a person accepts for a blueprint until an instant."""
        self._database.write(
            "waivers.insert",
            blueprint_id=waiver.blueprint_id,
            rule=waiver.rule,
            reason=waiver.reason,
            actor=waiver.actor,
            created_at=to_micros(now),
            until=to_micros(waiver.until),
        )

    def in_force(self, blueprint_id: str, *, now: datetime) -> tuple[Waiver, ...]:
        """Return a blueprint's waivers that hold now: of each rule the one that holds longest."""
        rows = self._database.remembered(
            ("waivers", blueprint_id),
            lambda: tuple(self._database.rows("waivers.of", blueprint_id=blueprint_id)),
        )
        by_rule = {
            row["rule"]: Waiver(
                blueprint_id=row["blueprint_id"],
                rule=row["rule"],
                reason=row["reason"],
                actor=Actor(row["actor"]),
                until=from_micros(row["until"]),
            )
            for row in rows
            if row["until"] > to_micros(now)
        }
        return tuple(by_rule.values())


class ChangeRepository:
    """Changes at vendors that wait for a person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, change: PendingChange) -> None:
        """Store a change at a vendor that waits for approval."""
        self._database.write(
            "changes.insert",
            id=change.id,
            tool=change.tool,
            subject=change.subject,
            arguments=_text(change.arguments),
            earlier=_text(change.earlier),
            asked_at=to_micros(change.asked_at),
            digest_version=change.digest_version,
        )

    def find(self, change_id: str) -> PendingChange | None:
        """Return the change with this id, or None."""
        row = self._database.row("changes.find", id=change_id)
        return _changes_from_row(row) if row else None

    def of_request(self, subject: str, fingerprint: str) -> PendingChange | None:
        """Return the approved change of this request's digest, or None."""
        row = self._database.row("changes.of_request", subject=subject, fingerprint=fingerprint)
        return self.find(row["id"]) if row else None

    def same(
        self,
        tool: str,
        subject: str,
        *,
        arguments: Mapping[str, object],
        earlier: Mapping[str, object],
        now: datetime,
    ) -> str | None:
        """Return the id of a waiting change with the same arguments, or None."""
        values = {"tool": tool, "subject": subject, "arguments": _text(arguments), "earlier": _text(earlier)}
        row = self._database.row("changes.same", **values, since=to_micros(now - CHANGE_LASTS))
        return str(row["id"]) if row else None

    def waiting(self, *, skip: int, size: int, now: datetime) -> tuple[PendingChange, ...]:
        """Return the changes that wait for a person, the oldest first."""
        rows = self._database.rows("changes.waiting", skip=skip, size=size, since=to_micros(now - CHANGE_LASTS))
        return tuple(change for row in rows if (change := self.find(row["id"])) is not None)

    def count_waiting(self, *, now: datetime) -> QueueTally:
        """Return how many changes at vendors wait, and since when."""
        with self._database.snapshot():
            newest = self._database.remembered(
                "newest change that waits", lambda: self._database.rows("changes.newest_waiting")[0]["at"]
            )
        if newest is None or newest <= to_micros(now - CHANGE_LASTS):
            return QueueTally(0, None)
        [row] = self._database.rows("changes.count_waiting", since=to_micros(now - CHANGE_LASTS))
        return QueueTally(row["number"], from_micros(row["since"]))

    def approve(self, change_id: str, *, actor: Actor, now: datetime) -> bool:
        """Record that a person approved a change; False when it was decided before."""
        return bool(self._database.write("changes.approve", id=change_id, actor=actor, now=to_micros(now)))

    def reject(self, change_id: str, *, actor: Actor, reason: str, now: datetime) -> bool:
        """Record that a change was rejected; False when it was decided before."""
        return bool(
            self._database.write("changes.refuse", id=change_id, actor=actor, reason=reason, now=to_micros(now))
        )


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False)


def _changes_from_row(row: Row) -> PendingChange:
    return PendingChange(
        id=row["id"],
        tool=row["tool"],
        subject=row["subject"],
        arguments=json.loads(row["arguments"]),
        earlier=json.loads(row["earlier"]),
        asked_at=from_micros(row["asked_at"]),
        digest_version=row["digest_version"],
        approved_by=row["approved_by"] and Actor(row["approved_by"]),
        refused_by=row["refused_by"] and Actor(row["refused_by"]),
        reason=row["reason"],
        decided_at=from_micros(row["decided_at"]),
        came_to=row["came_to"],
    )
