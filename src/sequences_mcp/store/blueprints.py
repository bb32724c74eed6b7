"""Blueprint versions, waived warnings, allowed starts, and changes at vendors that wait for a person."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from functools import lru_cache

from sequences_mcp.domain.blueprint import Blueprint, Step, built_sourcing, built_step
from sequences_mcp.domain.digests import canonical
from sequences_mcp.domain.findings import Waiver
from sequences_mcp.domain.ids import UNVERSIONED, provider_of
from sequences_mcp.domain.page import Page
from sequences_mcp.ports.embedded import CHANGE_LASTS, PendingChange
from sequences_mcp.store.database import Store
from sequences_mcp.store.statements import from_micros, to_micros


def add_blueprint_version(store: Store, blueprint: Blueprint) -> None:
    """Store one version; StoreError when it is there already."""
    store.write(
        "blueprints.add_version",
        blueprint_id=blueprint.id,
        version=blueprint.version,
        name=blueprint.name,
        steps=steps_json(blueprint.steps),
        sourcing=canonical(blueprint.sourcing.model_dump(mode="json")).decode(),
        created_at=to_micros(blueprint.created_at),
    )


def find_blueprint(store: Store, blueprint_id: str, *, version: int | None = None) -> Blueprint | None:
    """Return one version, the newest by default, or None."""
    if version is None:
        row = store.row("blueprints.newest", blueprint_id=blueprint_id)
    else:
        row = store.row("blueprints.version", blueprint_id=blueprint_id, version=version)
    return _from_row(row) if row else None


def blueprint_names(store: Store, versions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the name of each of these versions, by id and version."""
    wanted = tuple(dict.fromkeys(versions))

    def read() -> dict[tuple[str, int], str]:
        rows = store.rows("blueprints.names", versions=json.dumps(wanted))
        return {(row["blueprint_id"], row["version"]): row["name"] for row in rows}

    return dict(store.remembered(("names of blueprints", wanted), read)) if wanted else {}


def blueprints_page(store: Store, provider: str, *, page: int, size: int) -> Page[Blueprint]:
    """Return the newest version of each blueprint of a provider, the latest change first."""
    first, past = f"{provider}:", f"{provider};"  # the character that follows the colon: every id between them
    with store.snapshot():
        rows = store.rows("blueprints.page", first=first, past=past, size=size, skip=(page - 1) * size)
        total = store.rows("blueprints.count", first=first, past=past)[0]["found"]
    return Page(tuple(map(_from_row, rows)), total, page, size)


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


def _from_row(row: sqlite3.Row) -> Blueprint:
    return Blueprint.model_construct(
        id=row["blueprint_id"],
        name=row["name"],
        version=row["version"],
        steps=steps_from_json(row["steps"]),
        sourcing=built_sourcing(json.loads(row["sourcing"])),
        created_at=from_micros(row["created_at"]),
    )


def insert_waiver(store: Store, waiver: Waiver, *, now: datetime) -> None:
    """Store a waiver: a warning that a person accepts for a blueprint until an instant."""
    store.write(
        "waivers.insert",
        blueprint_id=waiver.blueprint_id,
        rule=waiver.rule,
        reason=waiver.reason,
        actor=waiver.actor,
        created_at=to_micros(now),
        until=to_micros(waiver.until),
    )


def waivers_in_force(store: Store, blueprint_id: str, *, now: datetime) -> tuple[Waiver, ...]:
    """Return a blueprint's waivers that hold now: of each rule the one that holds longest."""
    rows = store.rows("waivers.in_force", blueprint_id=blueprint_id, now=to_micros(now))
    by_rule = {
        row["rule"]: Waiver(
            blueprint_id=row["blueprint_id"],
            rule=row["rule"],
            reason=row["reason"],
            actor=row["actor"],
            until=from_micros(row["until"]),
        )
        for row in rows
    }
    return tuple(by_rule.values())


def pinned(store: Store, named: Iterable[str], *, now: datetime) -> frozenset[str]:
    """Return the blueprints of the setting, each as ``id@version`` where its provider has versions.

    A bare id means the version that was newest when the setting was first read with this database. That is kept,
    so that another version, written later, is not allowed by a restart. An id of nothing stays bare and, where
    there are versions, allows nothing.
    """
    return frozenset(_pinned(store, item, now=now) for item in named)


def _pinned(store: Store, named: str, *, now: datetime) -> str:
    if "@" in named or provider_of(named) in UNVERSIONED:
        return named
    known = store.row("allowed.version", blueprint_id=named)
    if known is None:
        newest = find_blueprint(store, named)
        if newest is None:
            return named
        store.write("allowed.insert", blueprint_id=named, version=newest.version, read_at=to_micros(now))
        known = store.row("allowed.version", blueprint_id=named)
    return f"{named}@{known['version']}" if known else named


def insert_change(store: Store, change: PendingChange) -> None:
    """Store a change at a vendor that waits for approval."""
    store.write(
        "changes.insert",
        id=change.id,
        tool=change.tool,
        subject=change.subject,
        arguments=_text(change.arguments),
        earlier=_text(change.earlier),
        asked_at=to_micros(change.asked_at),
        digest_version=change.digest_version,
    )


def find_change(store: Store, change_id: str) -> PendingChange | None:
    """Return the change with this id, or None."""
    row = store.row("changes.find", id=change_id)
    return _changes_from_row(row) if row else None


def of_request(store: Store, subject: str, fingerprint: str) -> PendingChange | None:
    """Return the approved change of this request's digest, or None."""
    row = store.row("changes.of_request", subject=subject, fingerprint=fingerprint)
    return find_change(store, row["id"]) if row else None


def same_change(
    store: Store,
    tool: str,
    subject: str,
    *,
    arguments: Mapping[str, object],
    earlier: Mapping[str, object],
    now: datetime,
) -> str | None:
    """Return the id of a waiting change with the same arguments, or None."""
    values = {"tool": tool, "subject": subject, "arguments": _text(arguments), "earlier": _text(earlier)}
    row = store.row("changes.same", **values, since=to_micros(now - CHANGE_LASTS))
    return str(row["id"]) if row else None


def waiting_changes(store: Store, *, skip: int, size: int, now: datetime) -> tuple[PendingChange, ...]:
    """Return the changes that wait for a person, the oldest first."""
    rows = store.rows("changes.waiting", skip=skip, size=size, since=to_micros(now - CHANGE_LASTS))
    return tuple(change for row in rows if (change := find_change(store, row["id"])) is not None)


def approve_change_row(store: Store, change_id: str, *, actor: str, now: datetime) -> bool:
    """Record that a person approved a change; False when it was decided before."""
    return bool(store.write("changes.approve", id=change_id, actor=actor, now=to_micros(now)))


def reject_change_row(store: Store, change_id: str, *, actor: str, reason: str, now: datetime) -> bool:
    """Record that a change was rejected; False when it was decided before."""
    return bool(store.write("changes.refuse", id=change_id, actor=actor, reason=reason, now=to_micros(now)))


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False)


def _changes_from_row(row: sqlite3.Row) -> PendingChange:
    return PendingChange(
        id=row["id"],
        tool=row["tool"],
        subject=row["subject"],
        arguments=json.loads(row["arguments"]),
        earlier=json.loads(row["earlier"]),
        asked_at=from_micros(row["asked_at"]),
        digest_version=row["digest_version"],
        approved_by=row["approved_by"],
        refused_by=row["refused_by"],
        reason=row["reason"],
        decided_at=from_micros(row["decided_at"]),
        came_to=row["came_to"],
    )
