"""The product over HTTP on loopback, in a thread of its own, and those who call it: clients, and raw requests."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult
from tests.secrecy import planted
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard
from tests.world.product import Desktop, World

from sequences_mcp.context import AT_PAGE
from sequences_mcp.domain.records import WorkMetrics
from sequences_mcp.engine.measures import measure
from sequences_mcp.http_connection import ConnectionLimits
from sequences_mcp.server.http.app import Surroundings, build_http_app
from sequences_mcp.server.http.callers import TokenFileCheck, Verify
from sequences_mcp.server.http.gate import HEALTH, RequestGate
from sequences_mcp.server.http.listening import HttpListener, bound, listener
from sequences_mcp.server.http.options import ServeOptions
from sequences_mcp.server.http.sites import HostedPage
from sequences_mcp.store.unit_of_work import Store

TOKEN = planted.CLARKY_KEY.value  # long enough for a file, and searched for in all that a run leaves
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
MODERN = "2026-07-28"


class Reply(NamedTuple):
    """What was answered to a raw request."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def facts(self) -> dict[str, Any]:
        """The answer as an object of JSON."""
        facts: dict[str, Any] = json.loads(self.text)
        return facts


class Lines(list[str]):
    """A log that another thread writes, and that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._longer = threading.Condition()

    def write(self, line: str) -> None:
        """Take one more line."""
        with self._longer:
            self.append(line)
            self._longer.notify_all()

    def wait(self, number: int) -> None:
        """Wait until there are so many lines."""
        with self._longer:
            assert self._longer.wait_for(lambda: len(self) >= number, timeout=60)


@dataclass
class Served:
    """A server that listens, and who calls it; ``lines`` is its access log."""

    port: int
    metrics_port: int | None
    gate: RequestGate
    server: HttpListener
    lines: Lines = field(default_factory=Lines)
    tls: ssl.SSLContext | None = None
    path: str = "/mcp"

    @property
    def url(self) -> str:
        """The address of the endpoint."""
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}{self.path}"

    @property
    def log(self) -> list[dict[str, Any]]:
        """The access log, read."""
        return [json.loads(heard("the access log", line)) for line in self.lines]

    def ask(
        self,
        method: str = "POST",
        path: str | None = None,
        *,
        token: str = TOKEN,
        body: bytes | object = b"",
        port: int | None = None,
        **headers: str,
    ) -> Reply:
        """Send one request, its headers named with _ for -; return what was answered, once it is logged."""
        path = path or self.path
        number = len(self.lines) + (port is None and path not in HEALTH)
        sent = {"Host": f"localhost:{self.port}", **(JSON if method == "POST" else {})}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        where = ("127.0.0.1", port or self.port)
        kind = HTTPSConnection(*where, timeout=60, context=self.tls) if self.tls else None
        connection = kind or HTTPConnection(*where, timeout=60)
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            text = heard("an answer over HTTP", answer.read().decode())
            self.lines.wait(number)
            return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, text)
        finally:
            connection.close()

    def tool(self, name: str, *, token: str = TOKEN, **arguments: Any) -> Reply:
        """Call a tool by one request of the newer protocol."""
        return self.rpc("tools/call", token=token, name=name, arguments=arguments)

    def rpc(self, method: str, *, token: str = TOKEN, **params: Any) -> Reply:
        """Make one request of the newer protocol."""
        envelope = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": envelope}}
        named = params.get("name", params.get("uri"))
        header = {"Mcp_Name": named} if named else {}
        return self.ask(token=token, body=body, MCP_Protocol_Version=MODERN, Mcp_Method=method, **header)

    @asynccontextmanager
    async def client(
        self,
        mode: str = "auto",
        *,
        token: str = TOKEN,
        answer: Callable[[str], ElicitResult] | None = None,
        **more: Any,
    ) -> AsyncIterator[Desktop]:
        """Connect a client of one era; ``answer`` answers its dialogs, as whoever wrote the client wishes."""

        async def dialog(context: object, params: Any) -> ElicitResult:
            assert answer is not None
            return answer(params.message)

        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(
            headers=headers,
            timeout=httpx2.Timeout(60),
            verify=self.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        ) as http:
            transport = streamable_http_client(self.url, http_client=http)
            callback = dialog if answer else None
            async with Client(transport, mode=mode, elicitation_callback=callback, **more) as client:
                yield Desktop(client)


def token_file(folder: Path, token: str = TOKEN) -> TokenFileCheck:
    """Write a token into a file that only its owner reads."""
    path = folder / "token.secret"
    path.touch(mode=0o600)
    path.write_text(f"{token}\n", encoding="utf-8")
    return TokenFileCheck(path)


@contextmanager
def serving(
    world: World,
    options: ServeOptions | None = None,
    *,
    verify: Verify | None = None,
    limits: ConnectionLimits | None = None,
    page: Callable[[int], HostedPage] | None = None,
    port: int = 0,
    **given: Any,
) -> Iterator[Served]:
    """Serve a world's data folder over HTTP, with a review page where ``page`` makes one; stop it gracefully."""
    options = replace(options or ServeOptions(), port=0)

    async def measured() -> WorkMetrics:
        with Store.open(world.workspace, now=world.clock(), url=world.settings.database_url) as store:
            return measure(store, now=world.clock())

    lines = Lines()
    surroundings = Surroundings(
        **{
            "open_context": world.app,
            "verify": verify or token_file(world.folder.parent).verify,
            "measure": measured,
            "clock": world.clock,
            "elapsed": time.monotonic,
            "write": lines.write,
            "vendors": world.settings.accounts.keys(),
            "does_work": False,
            **given,
        }
    )

    def build(*, port: int, metrics_port: int | None) -> RequestGate:
        given = replace(surroundings, page=page(port), place=AT_PAGE) if page else surroundings
        return build_http_app(given, options, port=port, metrics_port=metrics_port)

    with listened(build, options, lines=lines, limits=limits, port=port) as served:
        yield served


@contextmanager
def listened(
    build: Callable[..., RequestGate],
    options: ServeOptions,
    *,
    lines: Lines,
    limits: ConnectionLimits | None = None,
    port: int = 0,
) -> Iterator[Served]:
    """Have what ``build`` makes for a port, and for one of its numbers, answer there; stop it gracefully."""
    sockets = [bound(options.host, port), *([] if options.metrics is None else [bound(options.host, 0)])]
    port, *further = (one.getsockname()[1] for one in sockets)
    metrics_port = further[0] if further else None
    gate = build(port=port, metrics_port=metrics_port)
    server = listener(gate, options, drained=gate.drained, limits=limits)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    served = Served(port, metrics_port, gate, server, lines)
    if options.certificate:
        served.tls = ssl.create_default_context(cafile=str(options.certificate))
    try:
        assert served.ask("GET", "/healthz", token="").status == 200
        yield served
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()
