"""Starts that were asked for and approved: made once a process, then put into the folder of each test that asks.

Connecting a client, asking over MCP and saying yes take half of the time of a test of what comes then, and are the
same each time. What is put is all that they leave: the files of the data folder and the state of the vendors.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.world.stores import ON_POSTGRES
from tests.world.vendors import Connected, Start, approve, start_at

from sequences_mcp.store.filesystem import number_of
from sequences_sandbox.world import World

_kept: dict[str, Kept] = {}


@dataclass(frozen=True)
class Kept:
    """What a start left behind, and what it was told."""

    files: Mapping[str, bytes]
    sandbox: World
    start: Start
    plan: dict[str, Any]

    def put(self, vendors: Connected) -> None:
        """Let a folder and a sandbox, both new, have this past.

        The database is told that its journal is another file now, as it would be taken for a copy.
        """
        vendors.folder.mkdir(mode=0o700, parents=True)
        for name, content in self.files.items():
            path = vendors.folder / name
            path.touch(mode=0o600)
            path.write_bytes(content)
        with closing(sqlite3.connect(vendors.workspace.database)) as database, database:
            database.execute("UPDATE lineage SET file = ?", (number_of(vendors.workspace.sent_journal),))
        _with_state_of(self.sandbox, vendors.sandbox.world)


async def asked_for(vendors: Connected, vendor: str, **more: Any) -> tuple[Start, dict[str, Any]]:
    """Ask for a start as a client does that leaves then; return it and its plan.

    Before anything else has happened in the world: what is there already would not stay.
    """
    return await _past(vendors, vendor, more, yes=False, go=False)


async def said_yes(
    vendors: Connected, vendor: str, *, go: bool = False, **more: Any
) -> tuple[Start, dict[str, Any]]:
    """Ask for a start and say yes to it, before anything else; ``go`` hands it over as well."""
    return await _past(vendors, vendor, more, yes=True, go=go)


async def _past(
    vendors: Connected, vendor: str, more: dict[str, Any], *, yes: bool, go: bool
) -> tuple[Start, dict[str, Any]]:
    assert not vendors.folder.exists(), "it was used before"
    if ON_POSTGRES:
        return await _made(vendors, vendor, more, yes=yes, go=go)
    key = repr((vendor, more, yes, go, _circumstances(vendors)))
    if key in _kept:
        _kept[key].put(vendors)
    else:
        start, plan = await _made(vendors, vendor, more, yes=yes, go=go)
        files = {path.name: path.read_bytes() for path in vendors.folder.iterdir()}
        state = vendors.sandbox.world
        _kept[key] = Kept(files, _with_state_of(state, copy(state)), start, plan)
    return deepcopy((_kept[key].start, _kept[key].plan))


async def _made(
    vendors: Connected, vendor: str, more: dict[str, Any], *, yes: bool, go: bool
) -> tuple[Start, dict[str, Any]]:
    async with vendors.client() as desktop:
        start = await start_at(vendor, desktop, **more)
        plan = await start.ask(desktop)
    if yes:
        await approve(vendors, plan, go=go)
    return start, plan


def _circumstances(vendors: Connected) -> tuple[object, ...]:
    """Return all that what a start leaves depends on, but for the folder."""
    settings = replace(vendors, folder=Path("anywhere")).environ
    world = vendors.sandbox.world
    return settings, vendors.clock.now, vendors.changes, world.now(), world.limits, vendors.sandbox.faults.rules


def _with_state_of(kept: World, world: World) -> World:
    """Return a sandbox's world with the state of another one."""
    world.kalent, world.clarky, world.topo = kept.kalent, kept.clarky, kept.topo
    world.ahead, world.count = kept.ahead, kept.count
    world.recent = {key: copy(times) for key, times in kept.recent.items()}
    world.received = copy(kept.received)
    return world
