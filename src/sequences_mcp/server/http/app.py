"""The server as an ASGI app: the endpoint of Streamable HTTP, and whether it is alive and ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp import types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.errors import SequencesError
from sequences_mcp.server import catalog
from sequences_mcp.server.app import IN_CHAT, INSTRUCTIONS, LogLevel, OpenContext, SequencesServer
from sequences_mcp.server.http.callers import CURRENT, PLACE, CallersContext, Verify
from sequences_mcp.server.http.gate import BODY_LIMIT, RequestGate, UserRates
from sequences_mcp.server.http.observing import METRICS_TYPE, HttpTally, metrics_text
from sequences_mcp.server.http.options import ENDPOINT, ServeOptions

if TYPE_CHECKING:
    from sequences_mcp.domain.records import WorkMetrics

REMEMBERED = 15.0  # seconds: how old the numbers about the work may be
Measure = Callable[[], "Awaitable[WorkMetrics]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the app is given: ``open_context`` and who a token stands for; the time, and where lines are written.

    ``does_work``: this process does the due work as well, and is not ready where nobody does. ``measure`` returns
    numbers about the work; SequencesError where it cannot.
    """

    open_context: OpenContext
    verify: Verify
    measure: Measure
    clock: Callable[[], datetime]
    elapsed: Callable[[], float]
    write: Callable[[str], None]
    vendors: Collection[str] = ()
    log_level: LogLevel = "WARNING"
    does_work: bool = True


class HttpServer(SequencesServer):
    """The server for callers at other machines, each of whom is somebody else."""

    def __init__(self, given: Surroundings) -> None:
        super().__init__(
            CallersContext(given.open_context),
            log_level=given.log_level,
            vendors=given.vendors,
            instructions=INSTRUCTIONS.replace(IN_CHAT, f"on the review page or in a terminal, {PLACE}"),
            lists="private",
        )
        self.middleware.append(noted)

    async def standing(self) -> tuple[bool, bool]:
        """Return whether the database answers, and whether somebody does the due work."""
        try:
            app = await self._opened.get()
            return True, bool(app.workers())
        except SequencesError:
            return False, False


async def noted(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Note in the request's own record what it asks for, and how a tool's call ended."""
    call = CURRENT.get()
    if call is None:
        return await call_next(ctx)
    call.rpc = ctx.method[:80]
    name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else None
    call.tool = name if name in catalog.tool_names(VENDORS) else ""
    call.failed = True
    result = await call_next(ctx)
    is_error = result.is_error if isinstance(result, types.CallToolResult) else _says_error(result)
    call.failed = bool(is_error)
    return result


def _says_error(result: HandlerResult) -> bool:
    return isinstance(result, dict) and bool(result.get("isError"))


def build_http_app(
    given: Surroundings, options: ServeOptions, *, port: int, metrics_port: int | None = None
) -> RequestGate:
    """Return the app that is served on ``port``; on ``metrics_port`` it answers with numbers alone."""
    server = HttpServer(given)
    hosts, origins = options.hosts(port), options.allowed_origins(port)
    inner = server.streamable_http_app(
        streamable_http_path=ENDPOINT,
        max_request_body_size=BODY_LIMIT,
        transport_security=TransportSecuritySettings(allowed_hosts=[*hosts], allowed_origins=[*origins]),
    )
    counts = HttpTally()

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        database, works = await server.standing()
        facts = {"database": database, "worker": works, "draining": gate.drained.is_set()}
        ready = database and (works or not given.does_work) and not facts["draining"]
        return JSONResponse({"ready": ready, **facts}, 200 if ready else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner):
            yield

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Mount("/", inner)]
    gate = RequestGate(
        app=Starlette(routes=routes, lifespan=lifespan),
        hosts=hosts,
        origins=origins,
        verify=given.verify,
        rates=UserRates(options.per_minute, given.elapsed),
        counts=counts,
        write=given.write,
        clock=given.clock,
        elapsed=given.elapsed,
        metrics=_metrics_app(given, counts) if metrics_port is not None else None,
        metrics_port=metrics_port,
    )
    return gate


def _metrics_app(given: Surroundings, counts: HttpTally) -> Starlette:
    """Return what answers ``/metrics``; the numbers about the work are at most ``REMEMBERED`` seconds old."""
    known: list[tuple[float, WorkMetrics]] = []
    reading = asyncio.Lock()

    async def metrics(_: Request) -> Response:
        async with reading:
            if not known or given.elapsed() - known[0][0] > REMEMBERED:
                known.clear()
                try:
                    known.append((given.elapsed(), await given.measure()))
                except SequencesError:
                    return Response(metrics_text(counts, None), media_type=METRICS_TYPE)
        return Response(metrics_text(counts, known[0][1]), media_type=METRICS_TYPE)

    return Starlette(routes=[Route("/metrics", metrics)])
