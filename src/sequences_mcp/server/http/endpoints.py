"""The endpoints, of the one data folder or of each tenant, and where clients learn how to sign in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from sequences_mcp.domain.workspace import is_tenant_name
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.server.http.access import SCOPES
from sequences_mcp.server.http.callers import Verify
from sequences_mcp.server.http.options import ENDPOINT, path_of_tenant

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a request is for: who may call there, and where clients learn where to sign in for it.

    ``tenant`` is the name of the tenant whose endpoint it is, empty for the server's one data folder.
    """

    verify: Verify
    metadata_url: str = ""
    tenant: str = ""


# Returns the endpoint that a request is for, None for everything else, where nothing tells what is stored.
EndpointOf = Callable[[Scope], Endpoint | None]


def tenant_of(scope: Scope) -> str | None:
    """Return the tenant whose endpoint a request names, whether or not there is one; None for other paths.

    The path has to be spelled as it is: with an escape in it, a proxy might have taken it for another one.
    """
    path: str = scope["path"]
    name = path.removeprefix("/t/").removesuffix(ENDPOINT)
    is_plain = scope.get("raw_path") in (None, path.encode("utf-8", "surrogatepass"))
    return name if is_plain and is_tenant_name(name) and path == path_of_tenant(name) else None


def metadata_url(resource: str) -> str:
    """Return where clients read about a resource (RFC 9728, 3.1): the well-known part goes before its path."""
    parts = urlsplit(resource)
    return urlunsplit((parts.scheme, parts.netloc, f"{WELL_KNOWN}{parts.path}", "", ""))


def _metadata(issuer: str, resource: str) -> Response:
    """Return what tells clients where to sign in, and for what."""
    facts = {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "sequences-mcp",
    }
    return JSONResponse(facts, headers={"cache-control": "public, max-age=3600", "vary": "origin"})


def metadata_routes(issuer: str, resource: str) -> list[Route]:
    """Return the metadata of the one endpoint, under both addresses that clients may ask."""

    async def metadata_here(_: Request) -> Response:
        return _metadata(issuer, resource)

    return [Route(f"{WELL_KNOWN}{ENDPOINT}", metadata_here), Route(WELL_KNOWN, metadata_here)]


def tenants_metadata_routes(issuer: str, resource_of: Callable[[str], str]) -> list[Route]:
    """Return the metadata of every endpoint that a tenant could have: nobody learns which there are."""

    async def metadata_there(request: Request) -> Response:
        name = request.path_params["tenant"]
        if not is_tenant_name(name):
            raise HTTPException(404)
        return _metadata(issuer, resource_of(name))

    return [Route(f"{WELL_KNOWN}{path_of_tenant('{tenant}')}", metadata_there)]
