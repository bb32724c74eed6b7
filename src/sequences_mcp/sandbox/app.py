"""The three vendors and the sandbox's own switches as one application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware

from sequences_mcp.sandbox.clarky.api import CLARKY
from sequences_mcp.sandbox.control import Control
from sequences_mcp.sandbox.faults.injector import Injector
from sequences_mcp.sandbox.faults.rule import Faults
from sequences_mcp.sandbox.kalent.api import KALENT
from sequences_mcp.sandbox.rest.surface import mounted
from sequences_mcp.sandbox.topo.api import TOPO
from sequences_mcp.sandbox.world.whole import World

VENDORS = (KALENT, CLARKY, TOPO)


def build(world: World, faults: Faults) -> Starlette:
    """Return the application; resets need the protocol that ``serve`` gives to uvicorn."""
    routes = [*Control(world, faults).routes(), *(mounted(vendor, world) for vendor in VENDORS)]
    return Starlette(routes=routes, middleware=[Middleware(Injector, world=world, faults=faults, vendors=VENDORS)])
