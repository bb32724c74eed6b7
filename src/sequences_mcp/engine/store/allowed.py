"""Which versions of blueprints the operator allowed to start unasked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sequences_mcp.domain.ids import UNVERSIONED, provider_of
from sequences_mcp.engine.store import blueprints
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import to_micros


def pinned(store: Store, named: Iterable[str], *, now: datetime) -> frozenset[str]:
    """Return the blueprints of the setting, each as ``id@version`` where its provider has versions.

    A bare id means the version that was newest when the setting was first read with this database. That is kept,
    so that another version, written later, is not allowed by a restart. An id of nothing stays bare and, where
    there are versions, allows nothing.
    """
    return frozenset(_pinned(store, one, now=now) for one in named)


def _pinned(store: Store, named: str, *, now: datetime) -> str:
    if "@" in named or provider_of(named) in UNVERSIONED:
        return named
    known = store.row("allowed.version", blueprint_id=named)
    if known is None:
        newest = blueprints.find(store, named)
        if newest is None:
            return named
        store.write("allowed.insert", blueprint_id=named, version=newest.version, read_at=to_micros(now))
        known = store.row("allowed.version", blueprint_id=named)
    return f"{named}@{known['version']}" if known else named
