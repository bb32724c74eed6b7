"""A new world, with everybody in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sequences_mcp.sandbox.seeds.clarky import clarky_at
from sequences_mcp.sandbox.seeds.kalent import kalent_at
from sequences_mcp.sandbox.seeds.keys import KEYS
from sequences_mcp.sandbox.seeds.topo import topo_at
from sequences_mcp.sandbox.world.whole import RequestLimits, World


def seeded(clock: Callable[[], datetime], *, limits: RequestLimits | None = None) -> World:
    """Return a new world at the clock's time; the limits are Clarky's published ones unless given."""
    now = clock()
    return World(
        clock=clock,
        kalent=kalent_at(now),
        clarky=clarky_at(now),
        topo=topo_at(now),
        keys=KEYS,
        limits=limits or RequestLimits(),
    )
