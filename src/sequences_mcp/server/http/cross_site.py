"""What a browser is told before and after a page of another web site calls the server (CORS).

Only sites that the operator names are told anything, each by its own name and never by ``*``. Cookies do not
count: a caller is whoever their token says, which the page has to send itself.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

# What clients of both eras of the protocol send and read:
# https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
SENT = (
    "authorization",
    "content-type",
    "accept",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
    "mcp-method",
    "mcp-name",
    "traceparent",
    "tracestate",
)
READ = ("mcp-session-id", "www-authenticate", "retry-after")
METHODS = ("GET", "POST", "DELETE")
REMEMBERED = 600  # seconds for which a browser does not ask again


def readable_by(site: str, app: ASGIApp) -> ASGIApp:
    """Return an app whose answers a page of this site may read, and which answers what its browser asks before."""
    return CORSMiddleware(
        app,
        allow_origins=(site,),
        allow_methods=METHODS,
        allow_headers=SENT,
        expose_headers=READ,
        allow_credentials=False,
        allow_private_network=True,  # a page from elsewhere to a server on this machine: the operator named it
        max_age=REMEMBERED,
    )
