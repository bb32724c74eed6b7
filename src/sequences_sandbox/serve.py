"""The sandbox as one application, served on loopback."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from sequences_mcp.errors import InvalidArgumentsError
from sequences_sandbox.clarky import CLARKY
from sequences_sandbox.control import Control
from sequences_sandbox.faults import Faults, Injector
from sequences_sandbox.kalent import KALENT
from sequences_sandbox.rest import mounted
from sequences_sandbox.seeds import CLARKY_TEMPLATES, KEYS_KEYS, UNPLACED_TALENT, seeded
from sequences_sandbox.topo import TOPO
from sequences_sandbox.world import VendorName, World

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn import Server


VENDORS = (KALENT, CLARKY, TOPO)


def build(world: World, faults: Faults) -> Starlette:
    """Return the application; resets need the protocol that ``serve`` gives to uvicorn."""
    routes = [*Control(world, faults).routes(), *(mounted(vendor, world) for vendor in VENDORS)]
    return Starlette(routes=routes, middleware=[Middleware(Injector, world=world, faults=faults, vendors=VENDORS)])


HOST = "127.0.0.1"
# The setting of each vendor, and where its API is below the sandbox.
PATHS: dict[VendorName, str] = {"kalent": "/kalent/api", "clarky": "/clarky/api/v1", "topo": "/topo/v1"}


async def serve(port: int, *, clock: Callable[[], datetime], say: Callable[[str], None]) -> None:
    """Serve until interrupted; ``say`` gets the text a person should see once the port is open.

    Port 0 takes a free one. Raises InvalidArgumentsError when the port cannot be had.
    """
    from sequences_sandbox.faults import Faults

    listener = listening(port)
    say(welcome(listener.getsockname()[1]))
    await loopback_server(build(seeded(clock), Faults())).serve(sockets=[listener])


def listening(port: int) -> socket.socket:
    """Return a socket that listens on loopback alone."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise InvalidArgumentsError(
            f"Port {port} on {HOST} cannot be had: {error.strerror}.",
            next_step="Choose another port, or 0 for any that is free.",
        ) from error


def loopback_server(app: ASGIApp) -> Server:
    """Return a quiet server for the application, whose connections can be reset.

    The date of an answer is the sandbox's own; uvicorn's would be a second one.
    """
    from uvicorn import Config, Server

    from sequences_sandbox.faults import AbortableProtocol

    config = Config(
        app,
        http=AbortableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    return Server(config)


def settings(port: int) -> dict[str, str]:
    """Return the environment that points the three vendors at a sandbox on this port."""
    variables: dict[str, str] = {}
    for name, path in PATHS.items():
        variables[f"{name.upper()}_API_KEY"] = KEYS_KEYS[name][0].token
        variables[f"{name.upper()}_BASE_URL"] = f"http://{HOST}:{port}{path}"
    return variables


def welcome(port: int) -> str:
    """Return what a person needs to try it: the settings, other keys, ids that no API lists, the switches."""
    block = {"mcpServers": {"sequences": {"command": "sequences-mcp", "env": settings(port)}}}
    others = [f"  {key.token}  {vendor}: {key.name}" for vendor, keys in KEYS_KEYS.items() for key in keys[1:]]
    return "\n".join(
        [
            f"Kalent, Clarky and Topo as a sandbox on http://{HOST}:{port}. Nobody real is reached. Put this into",
            "your client's configuration:",
            "",
            json.dumps(block, indent=2),
            "",
            "Keys that show what else can be met:",
            *others,
            "",
            f"Clarky templates (its API lists none): {', '.join(CLARKY_TEMPLATES)}",
            f"A Kalent talent who is in no sourcing yet: {UNPLACED_TALENT}",
            "",
            "Switches: POST /_clock, /_happenings, /_faults; GET /_requests. Ctrl-C ends it; nothing is kept.",
        ]
    )
