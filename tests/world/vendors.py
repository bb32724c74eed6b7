"""The vendors: a sandbox really served on loopback, the product connected to it, and starts there."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.secrecy import planted
from tests.world import product
from tests.world.data_folder import Clock
from tests.world.product import MAIL, Desktop, text_of
from tests.world.stores import shell

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan
from sequences_mcp.ports.vendor import ClaimedBatch, PreflightSnapshot
from sequences_mcp.services.enrolment import enrol_at_vendor
from sequences_mcp.services.reviews import approve_plan
from sequences_mcp.vendors.pacing import Elapsed, Timing
from sequences_sandbox.faults import Faults
from sequences_sandbox.seeds import CLARKY_TEMPLATES, KEYS_KEYS, seeded
from sequences_sandbox.serve import HOST, PATHS, build, listening, loopback_server
from sequences_sandbox.world import ApiKey, RequestLimits, VendorName, World

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
# The planted secrets are keys beside the sandbox's own, which everybody knows, and may do what those may.
TOKENS = {
    ("kalent", "everything"): planted.KALENT_KEY.value,
    ("clarky", "everything"): planted.CLARKY_KEY.value,
    ("topo", "everything"): planted.TOPO_KEY.value,
    ("topo", "read only"): planted.READ_ONLY_KEY.value,
}
PREFIX: dict[VendorName, str] = {"kalent": "/kalent/api/v1", "clarky": "/clarky/api/v1", "topo": "/topo/v1"}


def header_for(vendor: VendorName, token: str) -> dict[str, str]:
    """Return the header in which a vendor wants its key."""
    return {"x-api-key": token} if vendor == "kalent" else {"authorization": f"Bearer {token}"}


def token_of(vendor: VendorName, name: str = "everything") -> str:
    """Return the token of one of the sandbox's keys."""
    return next(key.token for key in keys()[vendor] if key.name == name)


def keys() -> dict[VendorName, tuple[ApiKey, ...]]:
    """Return the keys of the sandboxes of tests, the planted ones first."""
    return {vendor: (*_planted(vendor), *known) for vendor, known in KEYS_KEYS.items()}


def _planted(vendor: VendorName) -> Iterator[ApiKey]:
    for key in KEYS_KEYS[vendor]:
        if (vendor, key.name) in TOKENS:
            yield replace(key, token=TOKENS[vendor, key.name])


def planted_world(clock: Callable[[], datetime], *, limits: RequestLimits | None = None) -> World:
    """Return a new world whose keys are the planted ones."""
    world = seeded(clock, limits=limits)
    world.keys = keys()
    return world


@dataclass
class Sandbox:
    """One served sandbox."""

    http: httpx.AsyncClient
    clock: Clock
    world: World  # what the vendors have and were asked
    faults: Faults

    async def call(
        self, vendor: VendorName, method: str, path: str, *, key: str = "everything", **rest: Any
    ) -> httpx.Response:
        headers = {**header_for(vendor, token_of(vendor, key)), **rest.pop("headers", {})}
        return await self.http.request(method, PREFIX[vendor] + path, headers=headers, **rest)

    async def kalent(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return await self.call("kalent", method, path, **rest)

    async def clarky(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return await self.call("clarky", method, path, **rest)

    async def topo(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return await self.call("topo", method, path, **rest)

    async def fault(self, fault: str, **rest: Any) -> None:
        """Ask for a fault."""
        (await self.http.post("/_faults", json={"fault": fault, **rest})).raise_for_status()

    async def happen(self, vendor: VendorName, what: str, to: str) -> httpx.Response:
        """Let a person do something at a vendor's end."""
        return await self.http.post("/_happenings", json={"vendor": vendor, "what": what, "id": to})

    async def received(self) -> list[dict[str, Any]]:
        """Return what the vendors were asked."""
        rows: list[dict[str, Any]] = (await self.http.get("/_requests")).json()
        return rows


@dataclass
class Server:
    """One server for the whole session, in a thread of its own; each test gets a fresh application."""

    app: ASGIApp | None = None
    origin: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    @contextmanager
    def running(self) -> Iterator[Server]:
        listener = listening(0)
        self.origin = f"http://{HOST}:{listener.getsockname()[1]}"
        serving = loopback_server(self)
        thread = Thread(target=lambda: asyncio.run(serving.serve(sockets=[listener])))
        thread.start()
        try:
            yield self
        finally:
            serving.should_exit = True
            thread.join(timeout=60)

    @asynccontextmanager
    async def sandbox(self, *, limits: RequestLimits | None = None) -> AsyncIterator[Sandbox]:
        """Put a fresh world behind the port."""
        clock = Clock(START)
        world, faults = planted_world(clock, limits=limits), Faults()
        self.app = build(world, faults)
        async with httpx.AsyncClient(base_url=self.origin, timeout=60, verify=False) as http:
            yield Sandbox(http, clock, world, faults)


@dataclass
class Skipped:
    """Time that passes as usual, but for the waits between calls: those are over at once."""

    seconds: float = 0.0

    @property
    def elapsed(self) -> Elapsed:
        """What a desk is given for it."""
        return Elapsed(monotonic=lambda: time.monotonic() + self.seconds, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass(kw_only=True)
class Connected(product.World):
    """The product before a served sandbox."""

    origin: str
    sandbox: Sandbox
    keys: dict[VendorName, str] = field(default_factory=dict)
    elsewhere: dict[VendorName, str] = field(default_factory=dict)
    timing: Timing | None = None
    apart: bool = False  # no key of a vendor is set
    skipped: Skipped = field(default_factory=Skipped)

    @property
    def environ(self) -> dict[str, str]:
        """The environment a host would give the server."""
        return {**dict(self._accounts()), **super().environ}

    def _accounts(self) -> Iterator[tuple[str, str]]:
        for vendor, path in () if self.apart else PATHS.items():
            yield f"{vendor.upper()}_API_KEY", token_of(vendor, self.keys.get(vendor, "everything"))
            yield f"{vendor.upper()}_BASE_URL", self.elsewhere.get(vendor, self.origin + path)

    @property
    def passing(self) -> dict[str, Any]:
        """How time passes for what is opened; between calls to a vendor, at once."""
        return {**super().passing, "timing": self.timing, "elapsed": self.skipped.elapsed}

    async def writes(self) -> list[dict[str, Any]]:
        """Return the writes the vendors were asked for."""
        return [row for row in await self.sandbox.received() if row["method"] != "GET"]


@asynccontextmanager
async def connected(folder: Path, served: Server) -> AsyncIterator[Connected]:
    """Connect a server on an empty database to a fresh sandbox."""
    async with served.sandbox() as sandbox:
        yield Connected(folder=folder, origin=served.origin, sandbox=sandbox)


async def sourcing_of(desktop: Desktop) -> str:
    """Return a sourcing of the sandbox."""
    found = await desktop.call("list_sourcings")
    return str(found["items"][0]["id"])


async def unknown(desktop: Desktop, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool whose outcome nobody can tell, and return what it says."""
    result = await desktop.raw(tool, **arguments)
    assert result.is_error
    facts: dict[str, Any] = next(iter((result.meta or {}).values()))
    assert facts["outcome"] == "unknown", facts
    return facts


TEXT = {**MAIL, "subject": "A role", "content": "Hi {{firstname}}, would a short call suit you?"}
SLOW = {**TEXT, "temporalityType": "DELAYED", "delay": {"value": 2, "unit": "day"}}
INES, PRIYA, OLUMIDE = (f"kalent:candidate_{name}" for name in ("ines", "priya", "olumide"))
ZOE = {"email": "zoe@new.example", "first_name": "Zoe", "company": "New"}
ALI = {"email": "ali@new.example", "first_name": "Ali", "company": "New"}
VENDORS = ("kalent", "clarky", "topo")
ENDS = {"kalent": "*/start", "clarky": "*/sequences/start", "topo": "*/contact-entries"}


@dataclass
class Start:
    """What is started for whom; the same call again tells what became of it."""

    blueprint_id: str
    contacts: list[Any]
    more: dict[str, Any] = field(default_factory=dict)

    async def ask(self, desktop: Desktop) -> dict[str, Any]:
        """Call start_sequence."""
        return await desktop.call(
            "start_sequence", blueprint_id=self.blueprint_id, contacts=self.contacts, **self.more
        )

    async def told(self, desktop: Desktop) -> dict[str, Any]:
        """Call it again after a decision, and return what it says, errors included."""
        result = await desktop.raw(
            "start_sequence", blueprint_id=self.blueprint_id, contacts=self.contacts, **self.more
        )
        facts: dict[str, Any] = json.loads(text_of(result))
        return facts


async def start_at(
    vendor: str, desktop: Desktop, *, contacts: list[Any] | None = None, step: dict[str, Any] = SLOW
) -> Start:
    """Return a start of two people at a vendor; at Kalent of a blueprint with this one step."""
    if vendor == "kalent":
        made = await desktop.call("create_blueprint", name="Role", steps=[step], provider="kalent:sourcing_1")
        return Start(made["blueprint_id"], contacts or [INES, PRIYA])
    if vendor == "clarky":
        return Start(f"clarky:{CLARKY_TEMPLATES[0]}", contacts or [ZOE, ALI])
    return Start(await active_template(desktop), contacts or [ZOE, ALI])


async def active_template(desktop: Desktop) -> str:
    """Return the id of a template of Topo's that takes people."""
    page = await desktop.call("list_blueprints", provider="topo")
    return str(next(one["id"] for one in page["items"] if one["name"] == "Three e-mails"))


async def approve(vendors: Connected, asked: dict[str, Any], *, go: bool = True) -> Plan:
    """Say yes to a plan as the person's own process does; ``go`` hands it over as well."""
    async with vendors.app() as app:
        plan = await approve_plan(app, plan_id=asked["plan_id"], digest=asked["digest"], actor=Actor("ada"))
        if go:
            await enrol_at_vendor(app, plan_id=plan.id)
        return plan


async def also_said_yes(
    vendors: Connected, desktop: Desktop, vendor: str, **more: Any
) -> tuple[Start, dict[str, Any]]:
    """Ask for a start after something else has happened, and say yes to it; return it and its plan.

    Where it comes first, ``kept_starts`` takes less time.
    """
    start = await start_at(vendor, desktop, **more)
    plan = await start.ask(desktop)
    await approve(vendors, plan, go=False)
    return start, plan


async def enrolled(vendors: Connected, vendor: str) -> list[dict[str, Any]]:
    """Return the requests that enrol people, as the vendor received them."""
    ends = {"kalent": "/start", "clarky": "/sequences/start", "topo": "/contact-entries"}[vendor]
    return [one for one in await vendors.writes() if one["path"].endswith(ends)]


def rows(vendors: Connected, sql: str) -> list[tuple[Any, ...]]:
    """Look into the database as somebody with a shell would."""
    return vendors.rows(sql)


def tampered(vendors: Connected, *statements: str) -> None:
    """Change the database as somebody with a shell would."""
    with shell(vendors.folder) as database:
        for sql in statements:
            database.execute(sql)


async def taken_by(app: AppContext, plan_id: str) -> ClaimedBatch:
    """Take the people of a plan as a process does that is about to make its request."""
    people = await app.vendor_runs.next_people(plan_id, size=100)
    marks = PreflightSnapshot() if not people else await _before(app, plan_id)
    taken = await app.vendor_runs.take(plan_id, [one.id for one in people], before=marks)
    assert taken is not None
    return taken


async def _before(app: AppContext, plan_id: str) -> PreflightSnapshot:
    plan = await app.plans.get_plan(plan_id)
    people = await app.vendor_runs.next_people(plan_id, size=100)
    return await app.providers[plan.header.provider].preflight(plan, people)


def statuses(vendors: Connected) -> list[str]:
    """Return the runs' statuses in order."""
    return [status for (status,) in rows(vendors, "SELECT status FROM sequence ORDER BY no")]
