"""The server of several tenants as an ASGI app: an endpoint for each, below one address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Scope

from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.server.http.app import (
    HttpServer,
    Surroundings,
    build_gate,
    endpoint_app,
    healthz,
    metrics_app,
)
from sequences_mcp.server.http.callers import Caller, Verify
from sequences_mcp.server.http.endpoints import Endpoint, metadata_url, tenant_of, tenants_metadata_routes
from sequences_mcp.server.http.gate import RequestGate, UserRates
from sequences_mcp.server.http.observing import HttpTally
from sequences_mcp.server.http.options import ServeOptions, path_of_tenant
from sequences_mcp.server.http.sites import TenantSites
from sequences_mcp.server.http.tenancy import OpenTenants, ServedTenant, TenantLookup


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCheck:
    """Says whom a token stands for, where it is one for this tenant and its user may use that.

    It is refused alike whether there is such a tenant, whether the token is one for it, and whether the user may.
    """

    verify_token: Verify
    tenant: str
    admits: Callable[[str, str], bool]

    async def verify(self, token: str) -> Caller | None:
        """Return whom the token stands for, or None; SequencesError where nobody can tell just now."""
        caller = await self.verify_token(token)
        return caller if caller is not None and self.admits(self.tenant, caller.subject) else None


def build_tenants_app(
    given: Surroundings,
    options: ServeOptions,
    *,
    source: TenantLookup,
    verify_for: Callable[[str], Verify],
    given_for: Callable[[str], Surroundings],
    port: int,
    metrics_port: int | None = None,
) -> RequestGate:
    """Return the app that is served on ``port``; on ``metrics_port`` it answers with numbers alone.

    ``verify_for`` returns what says who a token for a tenant stands for, ``given_for`` what a tenant's server is
    given; SequencesError where its settings are wrong.
    """
    assert given.keys is not None  # without an issuer there are no tenants: ServeOptions.require_sound
    counts, keys = HttpTally(), given.keys

    def resource_of(name: str) -> str:
        return options.address(port, path=path_of_tenant(name))

    def endpoint_of(scope: Scope) -> Endpoint | None:
        if (name := tenant_of(scope)) is None:
            return None
        return Endpoint(verify=verify_for(name), metadata_url=metadata_url(resource_of(name)), tenant=name)

    @asynccontextmanager
    async def serve(name: str) -> AsyncIterator[ServedTenant]:
        server = HttpServer(given_for(name), resource=resource_of(name))
        inner = endpoint_app(server, options, port=port, path=path_of_tenant(name))

        async def is_sound() -> bool:
            return (await server.standing())[0]

        async with inner.router.lifespan_context(inner):
            yield ServedTenant(inner, is_sound, server.context)

    tenants = OpenTenants(source=source, serve=serve, most=options.tenants_open, idle=options.tenant_idle)

    async def readyz(_: Request) -> Response:
        if not keys.are_known:
            await keys.look()
        broken, known = tenants.standing()
        facts = {"issuer": keys.are_known, "tenants": tenants.are_listed, "draining": gate.drained.is_set()}
        ready = facts["issuer"] and facts["tenants"] and not facts["draining"] and (not known or broken < known)
        # Whoever asks may be anybody: which tenants there are, and how many, they are not told.
        return JSONResponse({"ready": ready, **facts, "all_tenants": not broken}, 200 if ready else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with tenants.running():
            yield

    routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
    routes += tenants_metadata_routes(keys.issuer, resource_of)
    app = Starlette(routes=[*routes, Mount("/", tenants)], lifespan=lifespan)
    gate = build_gate(given, options, port=port, app=app, endpoint_of=endpoint_of, counts=counts)
    gate.site_at = TenantSites(
        names=source.names,
        version=source.version,
        sites=lambda name: source.sites(name, partial(tenants.context_of, name)),
        elapsed=given.elapsed,
        taken=gate.hosts,
    ).find
    gate.tenant_rates = UserRates(options.tenant_rate, given.elapsed)
    if metrics_port is not None:
        gate.metrics, gate.metrics_port = metrics_app(given, counts, measure=tenants.measured), metrics_port
    return gate
