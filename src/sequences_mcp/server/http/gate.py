"""What every request passes before the server sees it: its host and origin, its token, its user's rate.

An ASGI middleware around everything. It writes the access log and counts what it lets through and what it refuses.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.server import catalog
from sequences_mcp.server.http.access import (
    CALL,
    READ,
    SCOPES,
    TOOL_SCOPES,
    in_order,
    insufficient,
    scopes_needed,
)
from sequences_mcp.server.http.callers import CURRENT, Caller, CallRecord
from sequences_mcp.server.http.cross_site import readable_by
from sequences_mcp.server.http.endpoints import Endpoint, EndpointOf
from sequences_mcp.server.http.observing import HttpTally, RequestLine
from sequences_mcp.server.http.sites import OPT_OUT, FindSite, HostedSites

HEALTH = ("/healthz", "/readyz")  # for whoever watches over the process, which may know it by its address alone
PAGE_RATED = ("/sign-in", "/sign-in/back", "/unlock")
LONGEST_TOKEN = 8 * 1024
HEAD_LIMIT = 16 * 1024  # bytes of all headers
BODY_LIMIT = 12 * 1024 * 1024  # bytes; ten thousand contacts with every field are a little less
LISTEN = b"subscriptions/listen"
MINUTE = 60.0
MOST_USERS = 10_000
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
Heads: TypeAlias = Mapping[str, Items[str]]  # a request's headers by their names in small letters


def heads_of(scope: Scope) -> Heads:
    """Return the headers of a request: every value of each name, in order."""
    heads: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        heads.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return heads


def refusal(status: int, code: str, message: str, *, next_step: str, headers: Mapping[str, str] = {}) -> Response:
    """Return an answer that says what is wrong and what to do next."""
    return JSONResponse({"error": code, "message": message, "next": next_step}, status, headers=dict(headers))


def bearer(heads: Heads) -> str | None:
    """Return the token of a request, of at most ``LONGEST_TOKEN`` characters.

    None where there is none; nothing where there are several, or what is there cannot be one.
    """
    given = [value.partition(" ") for value in heads.get("authorization", ())]
    tokens = [token.strip() for scheme, _, token in given if scheme.lower() == "bearer"]
    if not tokens:
        return None
    is_one = len(given) == 1 and " " not in tokens[0] and len(tokens[0]) <= LONGEST_TOKEN
    return tokens[0] if is_one else ""


@dataclass(slots=True)
class UserRates:
    """How many requests each user may still make: as many as a minute allows at once, and then as they come."""

    per_minute: int
    now: Callable[[], float]
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict, init=False)

    def wait(self, subject: str) -> float:
        """Count one request of a user; return 0.0, or for how many seconds they have to wait."""
        now = self.now()
        left, since = self._left.pop(subject, (float(self.per_minute), now))
        left = min(self.per_minute, left + (now - since) * self.per_minute / MINUTE)
        may = left >= 1
        self._left[subject] = (left - may, now)
        if len(self._left) > MOST_USERS:
            self._left.popitem(last=False)
        return 0.0 if may else (1 - left) * MINUTE / self.per_minute


@dataclass(frozen=True, slots=True)
class PostedCall:
    """What a request asks for, as its body says. The SDK says later what else is wrong with that."""

    method: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, body: bytes) -> PostedCall:
        """Return what a body asks for; nothing where it is no request."""
        with suppress(ValueError, RecursionError):
            message = json.loads(body)
            if isinstance(message, dict) and isinstance(method := message.get("method"), str):
                params = message.get("params")
                return cls(method, params if isinstance(params, dict) else {})
        return cls()

    @property
    def is_safe(self) -> bool:
        """Whether it only holds messages back; such a call is never kept waiting."""
        tool = self.params.get("name")
        return self.method == CALL and tool in catalog.TOOLS and tool not in TOOL_SCOPES


async def whole_body(receive: Receive) -> tuple[bytes | None, Receive]:
    """Return a body, None where it is too long, and a ``receive`` that gives it once more."""
    body, messages = bytearray(), list[Message]()
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            return None, receive
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    rest = iter(messages)

    async def again() -> Message:
        return next(rest, None) or await receive()

    return bytes(body), again


def only_listens(scope: Scope) -> bool:
    """Say whether a request asks for a stream that goes on until the client or the server ends it."""
    # The first, where there are several: what reads them behind the gate does so too.
    method = next((value for name, value in scope["headers"] if name == b"mcp-method"), None)
    return bool(scope["method"] == "GET" or method == LISTEN)


async def passed_until(ended: asyncio.Event, app: ASGIApp, request: tuple[Scope, Receive, Send]) -> None:
    """Pass a request on; once ``ended`` is set it is as if the client had gone, and the answer ends."""
    scope, receive, send = request
    is_open = False

    async def passed_on(message: Message) -> None:
        nonlocal is_open
        is_open = message["type"] == "http.response.start" or message.get("more_body", False)
        await send(message)

    async def until_ended() -> Message:
        received, over = asyncio.ensure_future(receive()), asyncio.ensure_future(ended.wait())
        try:
            done, _ = await asyncio.wait({received, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:  # also where a stream that has ended by itself asks no longer: the drain may be weeks away
            received.cancel()
            over.cancel()
        return received.result() if received in done else {"type": "http.disconnect"}

    await app(scope, until_ended, passed_on)
    if is_open and ended.is_set():
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@dataclass(slots=True, kw_only=True)
class RequestGate:
    """ASGI middleware: refuses what may not pass, and tells who calls to what comes behind it.

    ``hosts`` and ``origins`` are those that a request may name, ``sites`` the origins of other web sites whose
    pages may read what is answered; ``endpoint_of`` says what a request is for, ``write`` takes the lines of the
    access log; ``tenant_rates`` is what all users of a tenant together may ask for. What names a host that
    ``site_at`` knows is that one's, which judges for itself and knows no tokens. Once ``drained`` is set, streams
    that have no end of their own are ended.
    """

    app: ASGIApp
    hosts: frozenset[str]
    origins: frozenset[str]
    sites: frozenset[str]
    endpoint_of: EndpointOf
    rates: UserRates
    counts: HttpTally
    write: Callable[[str], None]
    clock: Callable[[], Any]
    elapsed: Callable[[], float]
    tenant_rates: UserRates | None = None
    metrics: ASGIApp | None = None
    metrics_port: int | None = None
    site_at: FindSite = HostedSites().find
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http":  # the lifespan of the app
            await self.app(scope, receive, send)
            return
        if self.metrics is not None and (scope.get("server") or ("", 0))[1] == self.metrics_port:
            await self.metrics(scope, receive, send)
            return
        line = RequestLine(self.clock(), self.elapsed(), method=scope["method"], path=scope["path"])
        line.client = (scope.get("client") or ("", 0))[0]

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                line.status = message["status"]
                given = list(message.get("headers", ()))
                names = {name for name, _ in given}
                message["headers"] = [*given, *(header for header in HEADERS if header[0] not in names)]
            elif message["type"] == "http.response.body":
                line.sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._answered(scope, receive, watched, line=line)
        except ClientDisconnect:
            line.status = 0  # who left in the middle of a request gets no answer, whatever was written meanwhile
        finally:
            self.counts.add(line, now=self.elapsed())
            if scope["path"] not in HEALTH:
                self.write(line.text(now=self.elapsed()))

    async def _answered(self, scope: Scope, receive: Receive, send: Send, *, line: RequestLine) -> None:
        heads = heads_of(scope)
        if _has_two_ends(scope, heads):
            await _UNCLEAR(scope, receive, send)
            return
        if (app := await self._named_app(heads, scope["path"])) is not None:
            wait = self._wait_at_page(scope["path"], client=line.client)
            await (_too_many(wait) if wait else app)(scope, receive, send)
            return
        if scope["path"] not in HEALTH and (wrong := self._misdirected(scope, heads)) is not None:
            await wrong(scope, receive, send)
            return
        passed = partial(self._passed, line=line, heads=heads)
        site = next(iter(heads.get("origin", ())), None)
        await (readable_by(site, passed) if site in self.sites else passed)(scope, receive, send)

    async def _passed(
        self, scope: Scope, receive: Receive, send: Send, *, line: RequestLine, heads: Heads
    ) -> None:
        endpoint = self.endpoint_of(scope)
        if endpoint is None:  # nothing there tells anything about what is stored
            await self.app(scope, receive, send)
            return
        caller = await self._caller(heads, endpoint)
        if isinstance(caller, Response):
            await caller(scope, receive, send)
            return
        line.call = CallRecord(caller, tenant=endpoint.tenant)
        wait = self._wait(line.call)
        if wait or not caller.scopes.issuperset(SCOPES):
            body, receive = await whole_body(receive)
            if (refused := _refusal(caller, body, wait=wait, endpoint=endpoint)) is not None:
                await refused(scope, receive, send)
                return
        token = CURRENT.set(line.call)
        try:
            # A stream that the client would keep open for good ends when the server is drained.
            if only_listens(scope):
                await passed_until(self.drained, self.app, (scope, receive, send))
            else:
                await self.app(scope, receive, send)
        finally:
            CURRENT.reset(token)

    def _wait_at_page(self, path: str, *, client: str) -> float:
        """Return for how many seconds a client has to wait: signing in and opting out have rates of their own."""
        rated = OPT_OUT if path.startswith(OPT_OUT) else path if path in PAGE_RATED else ""
        return self.rates.wait(f"{rated} {client}") if rated else 0.0

    async def _named_app(self, heads: Heads, path: str) -> ASGIApp | None:
        """Return what answers under the host name of a request alone, None where that is the server's own."""
        hosts = heads.get("host", ())
        return await self.site_at(hosts[0], path) if len(hosts) == 1 else None

    def _misdirected(self, scope: Scope, heads: Heads) -> Response | None:
        """Return the refusal of a request for another host, from an unlisted web site, or with too long a head."""
        if sum(map(len, chain.from_iterable(scope["headers"]))) > HEAD_LIMIT:
            return refusal(
                431, "head_too_long", f"Headers are at most {HEAD_LIMIT:,} bytes.", next_step="Send fewer of them."
            )
        hosts = heads.get("host", ())
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return refusal(
                421,
                "wrong_host",
                "This server does not go by that name.",
                next_step="Use its own address; --allow-host adds a name.",
            )
        origins = heads.get("origin", ())
        if origins and (len(origins) > 1 or origins[0] not in self.origins):
            return refusal(
                403,
                "wrong_origin",
                "This web site may not use this server.",
                next_step="--allow-origin adds a site.",
            )
        return None

    def _wait(self, call: CallRecord) -> float:
        """Count a request of a user, and of their tenant; return for how many seconds they have to wait."""
        of_user = self.rates.wait(f"{call.tenant}/{call.caller.subject}")
        of_tenant = self.tenant_rates.wait(call.tenant) if self.tenant_rates and call.tenant else 0.0
        return max(of_user, of_tenant)

    async def _caller(self, heads: Heads, endpoint: Endpoint) -> Caller | Response:
        token = bearer(heads)
        try:
            caller = await endpoint.verify(token) if token else None
        except SequencesError as error:
            return refusal(
                503, error.code, error.message, next_step=error.next_step, headers={"retry-after": "10"}
            )
        if caller is not None:
            return caller
        code = "no_token" if token is None else "invalid_token"
        return refusal(
            401,
            code,
            "A token is needed." if token is None else "The token is not valid.",
            next_step="Sign in, and send the header Authorization: Bearer TOKEN.",
            headers=_challenge(endpoint, "" if token is None else code, scopes=READ),
        )


def _has_two_ends(scope: Scope, heads: Heads) -> bool:
    """Say whether programs on the way may have differed about where a request ends (RFC 9112, 6.1 and 11.2)."""
    return "transfer-encoding" in heads and ("content-length" in heads or scope["http_version"] == "1.0")


_UNCLEAR = refusal(
    400,
    "two_lengths",
    "Nobody can tell where this request ends.",
    next_step="Send Content-Length or Transfer-Encoding: chunked, not both.",
    headers={"connection": "close"},
)


def _refusal(caller: Caller, body: bytes | None, *, wait: float, endpoint: Endpoint) -> Response | None:
    """Return why a request is not passed on: it is too long, too soon, or more than the user lets it do."""
    if body is None:
        return refusal(
            413, "too_long", f"A request has at most {BODY_LIMIT:,} bytes.", next_step="Send it in several."
        )
    call = PostedCall.of(body)
    if wait and not call.is_safe:
        return _too_many(wait)
    lacking = scopes_needed(call.method, call.params) - caller.scopes
    if not lacking:
        return None
    error = insufficient(lacking)
    # What the token has is named too: a client signs in for exactly what it is told.
    challenge = _challenge(endpoint, error.code, scopes=in_order(lacking | caller.scopes))
    return refusal(403, error.code, error.message, next_step=error.next_step, headers=challenge)


def _challenge(endpoint: Endpoint, error: str, *, scopes: str) -> dict[str, str]:
    """Return the header that says with what to come back (RFC 6750, 3; RFC 9728, 5.1)."""
    parts = [f'error="{error}"'] if error else []
    if endpoint.metadata_url:
        parts += [f'scope="{scopes}"', f'resource_metadata="{endpoint.metadata_url}"']
    return {"www-authenticate": " ".join(["Bearer", ", ".join(parts)]).rstrip()}


def _too_many(wait: float) -> Response:
    seconds = str(max(1, round(wait + 0.5)))
    return refusal(
        429,
        "too_many_requests",
        f"You have made too many requests; the next is answered in {seconds} s.",
        next_step="Wait so long. Pausing, stopping and suppressing are answered at any time.",
        headers={"retry-after": seconds},
    )
