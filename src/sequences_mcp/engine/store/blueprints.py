"""Blueprint versions, which never change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from collections.abc import Sequence as Items
from functools import lru_cache

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.digests import canonical
from sequences_mcp.domain.page import Page
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros


def add_version(store: Store, blueprint: Blueprint) -> None:
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


def find(store: Store, blueprint_id: str, *, version: int | None = None) -> Blueprint | None:
    """Return one version, the newest by default, or None."""
    if version is None:
        found = store.row("blueprints.newest", blueprint_id=blueprint_id)
    else:
        found = store.row("blueprints.version", blueprint_id=blueprint_id, version=version)
    return _from_row(found) if found else None


def names(store: Store, versions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the name of each of these versions, by id and version."""
    wanted = tuple(dict.fromkeys(versions))

    def read() -> dict[tuple[str, int], str]:
        rows = store.rows("blueprints.names", versions=json.dumps(wanted))
        return {(row["blueprint_id"], row["version"]): row["name"] for row in rows}

    return dict(store.remembered(("names of blueprints", wanted), read)) if wanted else {}


def page_of(store: Store, provider: str, *, page: int, size: int) -> Page[Blueprint]:
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
    """Return stored steps; the text is what decides, so remembering it cannot go stale."""
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[Step, ...]).validate_json(text)


def _from_row(row: sqlite3.Row) -> Blueprint:
    return Blueprint(
        id=row["blueprint_id"],
        name=row["name"],
        version=row["version"],
        steps=steps_from_json(row["steps"]),
        sourcing=Sourcing.model_validate_json(row["sourcing"]),
        created_at=from_micros(row["created_at"]),
    )
