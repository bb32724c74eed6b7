"""The server as an ASGI app: the endpoint of Streamable HTTP, and whether it is alive and ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from mcp import MCPError, types
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import Tool as ListedTool
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from sequences_mcp.context import AT_PAGE
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.server import catalog
from sequences_mcp.server.app import IN_CHAT, INSTRUCTIONS, LogLevel, OpenContext, OpenedContext, SequencesServer
from sequences_mcp.server.http.access import CALL, NEEDS, SCOPES, TOOL_SCOPES, insufficient, scopes_needed
from sequences_mcp.server.http.callers import CURRENT, PLACE, Caller, CallersContext, Verify
from sequences_mcp.server.http.endpoints import Endpoint, EndpointOf, metadata_routes, metadata_url
from sequences_mcp.server.http.gate import BODY_LIMIT, RequestGate, UserRates
from sequences_mcp.server.http.observing import METRICS_TYPE, HttpTally, metrics_text
from sequences_mcp.server.http.options import ENDPOINT, ServeOptions
from sequences_mcp.server.http.sites import HostedPage, HostedSites

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext
    from sequences_mcp.domain.records import WorkMetrics
    from sequences_mcp.server.http.issuer import IssuerKeys

KEY, LONGEST_KEY = "idempotency_key", 200
MARK = 16  # hexadecimal digits that tell users apart
REMEMBERED = 15.0  # seconds: how old the numbers about the work may be
Measure = Callable[[], "Awaitable[WorkMetrics]"]
Measured: TypeAlias = "Mapping[str, WorkMetrics | None]"  # by tenant; None where the database was not to be had


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the app is given: ``open_context`` and who a token stands for; the time, and where lines are written.

    ``keys`` are those of the issuer whose tokens ``verify`` takes, where callers sign in. ``does_work``: this
    process does the due work as well, and is not ready where nobody does. ``measure`` returns numbers about the
    work; SequencesError where it cannot. ``page`` is the review page, where it has a name of its own, ``opt_out``
    what recipients opt out at with one click; ``place`` is where a person decides, in words.
    """

    open_context: OpenContext
    verify: Verify
    measure: Measure
    clock: Callable[[], datetime]
    elapsed: Callable[[], float]
    write: Callable[[str], None]
    keys: IssuerKeys | None = None
    vendors: Collection[str] = ()
    log_level: LogLevel = "WARNING"
    does_work: bool = True
    page: HostedPage | None = None
    opt_out: HostedPage | None = None
    place: str = PLACE

    @property
    def ways(self) -> str:
        """Where a person decides, in words that tell a client."""
        return self.place if self.place == AT_PAGE else f"on the review page or in a terminal, {self.place}"


@dataclass(frozen=True, slots=True)
class CallerLookup:
    """The SDK's view of whom the gate let in: it binds sessions to them and compares the resource once more."""

    issuer: str
    resource: str

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the present caller, without their token, which nothing behind the gate needs."""
        call = CURRENT.get()
        if call is None:
            return None
        caller = call.caller
        return AccessToken(
            token="",
            client_id=caller.client,
            scopes=sorted(caller.scopes),
            resource=self.resource,
            subject=caller.subject,
            claims={"iss": self.issuer},
        )


class HttpServer(SequencesServer):
    """The server for callers at other machines, each of whom is somebody else.

    ``resource`` is the address that tokens are for, where callers sign in.
    """

    def __init__(self, given: Surroundings, *, resource: str) -> None:
        issuer = given.keys.issuer if given.keys else ""
        sign_in = (
            AuthSettings(
                issuer_url=AnyHttpUrl(issuer),
                resource_server_url=AnyHttpUrl(resource),
                validate_token_resource=True,
            )
            if issuer
            else None
        )
        super().__init__(
            CallersContext(given.open_context, place=given.place),
            log_level=given.log_level,
            vendors=given.vendors,
            instructions=INSTRUCTIONS.replace(IN_CHAT, given.ways),
            lists="private",
            auth=sign_in,
            token_verifier=CallerLookup(issuer, resource) if issuer else None,
        )
        self._has_users = bool(issuer)
        self.middleware.append(permitted)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[OpenedContext, Any] | None = None
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a tool; each user's idempotency keys are their own."""
        call = CURRENT.get()
        if call is not None and self._has_users:
            arguments = with_own_key(arguments, call.caller)
        return await super().call_tool(name, arguments, context)

    async def list_tools(self) -> list[ListedTool]:
        """Return the tools; what the caller's scopes do not cover says which scope it needs."""
        call = CURRENT.get()
        scopes = call.caller.scopes if call else frozenset(SCOPES)
        listed = []
        for tool in await super().list_tools():
            needed = TOOL_SCOPES.get(tool.name)
            meta = {**(tool.meta or {}), NEEDS: needed}
            lacks = needed is not None and needed not in scopes
            listed.append(tool.model_copy(update={"meta": meta}) if lacks else tool)
        return listed

    async def context(self) -> AppContext:
        """Return the context of no caller, for what is served beside the tools; SequencesError."""
        return await self._opened.whole()

    async def standing(self) -> tuple[bool, bool]:
        """Return whether the database answers, and whether somebody does the due work."""
        try:
            app = await self._opened.get()
            return True, bool(app.workers())
        except SequencesError:
            return False, False


def with_own_key(arguments: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """Return the arguments of a call with its idempotency key marked as this user's; a long key becomes its hash.

    The record of calls is the folder's: one user's ``import-1`` is not another's.
    """
    key = arguments.get(KEY)
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        return arguments  # what is wrong with it is told as it came
    mark = sha256(caller.subject.encode()).hexdigest()[:MARK]
    own_key = f"{key}@{mark}"
    return {**arguments, KEY: own_key if len(own_key) <= LONGEST_KEY else sha256(own_key.encode()).hexdigest()}


async def permitted(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Refuse what the caller's scopes do not cover, whatever the gate read; note how a tool's call ended."""
    call = CURRENT.get()
    if call is None:
        return await call_next(ctx)
    call.rpc = ctx.method[:80]
    name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else None
    call.tool = name if name in catalog.tool_names(VENDORS) else ""
    call.failed = True
    if lacking := scopes_needed(ctx.method, ctx.params) - call.caller.scopes:
        error = insufficient(lacking)
        if ctx.method != CALL:
            raise MCPError(code=types.INVALID_REQUEST, message=str(error), data=dict(error.data))
        from sequences_mcp.server.boundary import refused_result

        return refused_result(error)
    result = await call_next(ctx)
    is_error = result.is_error if isinstance(result, types.CallToolResult) else _says_error(result)
    call.failed = bool(is_error)
    return result


def _says_error(result: HandlerResult) -> bool:
    return isinstance(result, dict) and bool(result.get("isError"))


def endpoint_app(server: HttpServer, options: ServeOptions, *, port: int, path: str = ENDPOINT) -> Starlette:
    """Return the SDK's app of a server at a path. It checks ``Host`` and ``Origin`` once more."""
    return server.streamable_http_app(
        streamable_http_path=path,
        max_request_body_size=BODY_LIMIT,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[*options.hosts(port)], allowed_origins=[*options.allowed_origins(port)]
        ),
    )


def build_gate(
    given: Surroundings,
    options: ServeOptions,
    *,
    port: int,
    app: ASGIApp,
    endpoint_of: EndpointOf,
    counts: HttpTally,
) -> RequestGate:
    """Return what every request passes before ``app`` sees it."""
    return RequestGate(
        app=app,
        hosts=options.hosts(port),
        origins=options.allowed_origins(port),
        sites=options.sites,
        endpoint_of=endpoint_of,
        rates=UserRates(options.per_minute, given.elapsed),
        counts=counts,
        write=given.write,
        clock=given.clock,
        elapsed=given.elapsed,
    )


async def healthz(_: Request) -> Response:
    """Say that the process answers at all."""
    return PlainTextResponse("ok\n")


def build_http_app(
    given: Surroundings, options: ServeOptions, *, port: int, metrics_port: int | None = None
) -> RequestGate:
    """Return the app that is served on ``port``; on ``metrics_port`` it answers with numbers alone."""
    resource = options.address(port)
    server = HttpServer(given, resource=resource)
    inner = endpoint_app(server, options, port=port)
    counts = HttpTally()
    endpoint = Endpoint(verify=given.verify, metadata_url=metadata_url(resource) if given.keys else "")

    async def readyz(_: Request) -> Response:
        database, works = await server.standing()
        facts = {"database": database, "worker": works, "draining": gate.drained.is_set()}
        ready = database and (works or not given.does_work) and not facts["draining"]
        if given.keys is not None:
            if not given.keys.are_known:
                await given.keys.look()
            facts["issuer"] = given.keys.are_known
            ready = ready and facts["issuer"]
        return JSONResponse({"ready": ready, **facts}, 200 if ready else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner), AsyncExitStack() as beside:
            for page in filter(None, (given.page, given.opt_out)):
                await beside.enter_async_context(page.app.router.lifespan_context(page.app))
            yield

    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", readyz)]
    if given.keys is not None:
        routes += metadata_routes(given.keys.issuer, resource)
    routes.append(Mount("/", inner))
    gate = build_gate(
        given,
        options,
        port=port,
        app=Starlette(routes=routes, lifespan=lifespan),
        endpoint_of=lambda scope: endpoint if scope["path"] == ENDPOINT else None,
        counts=counts,
    )
    gate.site_at = HostedSites(page=given.page, opt_out=given.opt_out).find
    if metrics_port is not None:
        gate.metrics, gate.metrics_port = metrics_app(given, counts), metrics_port
    return gate


async def measured_once(measure: Measure) -> Measured:
    """Return the numbers of the one data folder, which has no name."""
    try:
        return {"": await measure()}
    except SequencesError:
        return {"": None}


def metrics_app(
    given: Surroundings, counts: HttpTally, *, measure: Callable[[], Awaitable[Measured]] | None = None
) -> Starlette:
    """Return what answers ``/metrics``; the numbers about the work are at most ``REMEMBERED`` seconds old.

    ``measure`` returns them by tenant, where the server has tenants.
    """
    known: list[tuple[float, Measured]] = []
    reading = asyncio.Lock()

    async def metrics(_: Request) -> Response:
        async with reading:
            if not known or given.elapsed() - known[0][0] > REMEMBERED:
                known[:] = [(given.elapsed(), await (measure() if measure else measured_once(given.measure)))]
        return Response(metrics_text(counts, known[0][1]), media_type=METRICS_TYPE)

    return Starlette(routes=[Route("/metrics", metrics)])
