"""The review page and the panel in a chat, each with somebody who uses it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from tests.secrecy import planted
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard, learnt
from tests.world.data_folder import LEAST_IN_A_PANEL, QUICK, choose_passphrase, quick_derivation
from tests.world.product import LINKEDIN as LINKEDIN
from tests.world.product import MAIL as MAIL
from tests.world.product import World

from sequences_mcp.context import AppContext
from sequences_mcp.domain.plan import Plan
from sequences_mcp.http_connection import ConnectionLimits
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.private_files import write_private
from sequences_mcp.review.lock import passkeys, passphrase
from sequences_mcp.review.lock.first_visit import FolderSetup
from sequences_mcp.review.page.address import PageAddress
from sequences_mcp.review.page.app import build_page
from sequences_mcp.review.page.serving import PageLock, server_for, take_page_lock
from sequences_mcp.server.app import build_server
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.starts import start_sequence

T = TypeVar("T")
PASSPHRASE = planted.PASSPHRASE.value
WRITTEN = {**MAIL, "id": "own", "name": "Own", "contentSource": "suggestedByKalent"}
UNHURRIED = ConnectionLimits(head=60, body=60)  # how fast the machine is must not matter
NAMES = ("Grace", "Linus", "Barbara", "Dennis", "Radia")


@dataclass
class PageWorld(World):
    """A data folder with a passphrase, and who works in it."""

    standing: ClassVar = {"SEQUENCES_SPACING": "0"}

    def at_desk(self, act: Callable[[AppContext], Any]) -> Any:
        """Do one thing at a desk of another process."""

        async def run() -> Any:
            async with self.app() as app:
                return await act(app)

        return apart(run)

    def plan(self, *steps: dict[str, Any], people: int = 3, first: int = 0, **facts: Any) -> Plan:
        """Start a sequence for so many people, as an agent would."""

        async def start(app: AppContext) -> Plan:
            made = await create_blueprint(app, name="Engineers", steps=list(steps) or [MAIL], job_title="Engineer")
            report = await start_sequence(
                app,
                blueprint_id=made.blueprint.id,
                contacts=crowd(people, first=first, **facts),
                progress=unheard,
            )
            return report.plan

        plan: Plan = self.at_desk(start)
        return plan

    def present(self, plan_id: str) -> Plan:
        """Return a plan as it is now."""
        plan: Plan = self.at_desk(lambda app: app.plans.get_plan(plan_id))
        return plan

    def work_until(self, seen: Callable[[], bool]) -> None:
        """Let a worker do the due work until something is seen, at most two minutes."""

        async def run() -> None:
            pause = asyncio.Event()
            async with replace(self, worker=True).app():
                for _ in range(2400):
                    if await asyncio.to_thread(seen):
                        return
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(pause.wait(), 0.05)
            raise AssertionError("it was never seen")

        apart(run)

    def mails_after_work(self) -> list[str]:
        """Let a worker do everything that is due now; return the e-mails in the outbox."""

        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.work).result()
        return self.mails

    @property
    def mails(self) -> list[str]:
        """The e-mails in the outbox."""
        return [path.read_text() for path in sorted((self.folder / "outbox").glob("*.eml"))]

    def lock_up(self) -> None:
        """Choose the passphrase, as a person does in the terminal."""
        write_private(self.workspace.passphrase, _hashed_passphrase())

    def code(self, record: KeptRecord) -> str:
        """Have the terminal print a code, which is checked as quickly as the passphrase."""
        return passkeys.new_code(self.safe, record, now=self.clock(), derivation=quick_derivation())

    @contextmanager
    def page(
        self,
        limits: ConnectionLimits | None = None,
        pauses: list[float] | None = None,
        *,
        setup: FolderSetup | None = None,
    ) -> Iterator[Visitor]:
        """Serve the page and yield a visitor who has not unlocked it; where answers are held back is noted."""

        async def held_back(seconds: float) -> None:
            if pauses is not None and seconds:
                pauses.append(seconds)

        page_lock = take_page_lock(self.workspace)
        assert page_lock is not None
        asgi_app = build_page(
            partial(self.app, "page"),
            place=PageAddress.on_loopback(page_lock.authority),
            pause=held_back,
            setup=setup,
        )
        server = server_for(asgi_app, limits=limits or UNHURRIED)
        thread = threading.Thread(target=server.run, kwargs={"sockets": list(page_lock.sockets)}, daemon=True)
        thread.start()
        try:
            Visitor(page_lock).get("/")  # answered once the page has opened its database, as a person finds it
            yield Visitor(page_lock)
        finally:
            server.should_exit = True
            thread.join(60)
            page_lock.release()


@dataclass
class Answer:
    """What the page answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    def field(self, name: str) -> str:
        """Return the value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, self.text
        return found[1]


@dataclass
class Visitor:
    """A browser of sorts: it keeps what the page gives it and says where it comes from, unless told otherwise."""

    page_lock: PageLock
    cookie: str = field(default="", repr=False)
    key: str = ""

    @property
    def origin(self) -> str:
        """The page's origin."""
        return f"http://{self.page_lock.authority}"

    def send(
        self, method: str, path: str, *, body: str | bytes = "", headers: Mapping[str, str | None] = {}
    ) -> Answer:
        """Send one request; a header given as None is left out."""
        raw = body.encode() if isinstance(body, str) else body
        sent: dict[str, str | None] = {"Host": self.page_lock.authority, "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if method == "POST":
            sent |= {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
            sent["Content-Length"] = str(len(raw))
        sent |= headers
        connection = HTTPConnection("127.0.0.1", self.page_lock.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(raw or None)
            return self._read(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Look at a screen."""
        return self.send("GET", path)

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form, with the token of this session."""
        if self.cookie and "csrf" not in fields:
            fields["csrf"] = self.get("/").field("csrf")
        if self.key:
            fields.setdefault("key", self.key)
        return self.send("POST", path, body=urlencode(fields))

    def unlock(self, given: str = PASSPHRASE, *, script: bool = True, **fields: str) -> Answer:
        """Type the passphrase; the page's script is handed a second secret, and keeps it."""
        body = urlencode({"passphrase": given, **fields})
        answer = self.send("POST", "/unlock", body=body, headers={"Accept": "application/json"} if script else {})
        if script and answer.status == 200:
            self.key = json.loads(answer.text)["key"]
        return answer

    def _read(self, response: HTTPResponse) -> Answer:
        text = response.read().decode()
        for value in response.headers.get_all("set-cookie", []):
            self.cookie = value.partition(";")[0]
            learnt("a session's cookie", self.cookie.partition("=")[2].strip('"'))
        heard("a page", text)
        return Answer(response.status, dict(response.headers.items()), text)


def apart(run: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a thread of its own: a browser driver keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(run())).result()


def crowd(number: int, *, first: int = 0, **facts: str) -> list[dict[str, str]]:
    """Return so many people, no two alike."""
    return [
        {
            "email": f"person{index}@hopper.example",
            "first_name": NAMES[index % len(NAMES)],
            "last_name": f"Hopper{index}",
            "linkedin_url": f"https://www.linkedin.com/in/person{index}",
            **facts,
        }
        for index in range(first, first + number)
    ]


@cache
def _hashed_passphrase() -> str:
    """Return the passphrase's hash, checked in a sixtieth of the usual time: its file says how it is made."""
    return json.dumps(passphrase.hashed_passphrase(PASSPHRASE, quick_derivation()))


async def unheard(done: int, total: int) -> None:
    """Report to nobody."""


WITH_PANELS = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]


def lock_up(world: PageWorld, *, in_browser: bool = False) -> None:
    """Choose the passphrase in the terminal; what a proof is held against is written with it."""
    choose_passphrase(world.workspace, PASSPHRASE, n=LEAST_IN_A_PANEL if in_browser else QUICK)


@cache
def key_of(typed: str, derivation: str) -> bytes:
    """Return the key of a passphrase, derived as the panel is told."""
    name, n, r, p, salt = derivation.split(":")
    assert name == "scrypt"
    return passphrase.Derivation(bytes.fromhex(salt), int(n), int(r), int(p)).key(typed)


@dataclass
class Chat:
    """A host with panels, connected to the server."""

    client: Client

    async def raw(self, tool: str, **arguments: Any) -> tuple[bool, dict[str, Any]]:
        """Call a tool; return whether it worked, and what it said."""
        result = await self.client.call_tool(tool, arguments)
        return not result.is_error, json.loads(result.content[0].text)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that works."""
        worked, facts = await self.raw(tool, **arguments)
        assert worked, facts
        return facts

    async def show(self, plan: Plan, page: int = 1, *, reads: bool = True) -> dict[str, Any]:
        """Let the panel show a page of a plan and report, as a person does who reads all they have to of it."""
        shown = await self.call("show_plan", plan_id=plan.id, page=page)
        first = shown.get("person", {}).get("id")
        for row in shown["persons"]["items"]:
            if reads and (row["unread"] or row["id"] == first):
                shown = await self.read(plan, row["id"])
        return shown

    async def read(self, plan: Plan, person: str) -> dict[str, Any]:
        """Let the panel show one person and report that all about them was on screen."""
        shown = await self.call("show_plan", plan_id=plan.id, person=person)
        return await self.call("show_plan", plan_id=plan.id, person=person, seen=marks_of(shown))

    async def refused(self, plan: Plan, given: str, *, digest: str | None = None) -> str:
        """Approve with a proof that does not count; return why."""
        worked, facts = await self.approve(plan, given, digest=digest)
        assert not worked, facts
        return str(facts["message"])

    async def approve(self, plan: Plan, given: str, *, digest: str | None = None) -> tuple[bool, dict[str, Any]]:
        """Approve with a proof."""
        sent = {"plan_id": plan.id, "digest": digest or plan.digest, "decision": "approve", "proof": given}
        return await self.raw("decide_plan", **sent)


def marks_of(shown: dict[str, Any]) -> str:
    """Return what the panel reports once all about the person it shows was on screen."""
    person = shown["person"]
    return ",".join(part["mark"] for part in (person, *person["texts"]) if "mark" in part)


def proven(shown: dict[str, Any], *, typed: str = PASSPHRASE, **bound: str) -> str:
    """Return the proof for a plan as it was shown; ``bound`` changes what it is bound to."""
    asked, salt = shown["challenge"], secrets.token_bytes(passphrase.SALT)
    whole = key_of(typed, asked["derivation"])
    key = passphrase.client_key(whole, bytes.fromhex(asked["salt"]))
    next_key = passphrase.stored_key(passphrase.client_key(whole, salt))
    stated = str(shown["waiting"]) if shown["many"] else ""
    facts = {"plan_id": shown["plan_id"], "digest": shown["digest"], "decision": "approve", "people": stated}
    given = passphrase.Proof(asked["nonce"], b"", salt, next_key)
    return sealed(given, key, passphrase.message(given, {**facts, **bound}.values()))


def sealed(given: passphrase.Proof, key: bytes, said: bytes) -> str:
    """Return a proof as it travels."""
    import hmac

    signature = hmac.digest(passphrase.stored_key(key), said, "sha256")
    covered = bytes(one ^ other for one, other in zip(key, signature, strict=True))
    parts = (b64encode(part).decode() for part in (covered, given.next_salt, given.next_key))
    return ".".join((given.nonce, *parts))


@asynccontextmanager
async def chat(world: PageWorld, *, mode: str = "auto", panels: bool = True) -> AsyncIterator[Chat]:
    """Connect a host."""
    async with Client(build_server(world.app), mode=mode, extensions=WITH_PANELS if panels else None) as client:
        yield Chat(client)


class Bridge:
    """One MCP client, kept open in a thread of its own, for whoever has no loop."""

    def __init__(self, world: PageWorld) -> None:
        self._world = world
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._ready = threading.Event()
        self._client: Any = None
        self.calls: list[dict[str, Any]] = []
        self._asked: list[Future[Any]] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    def __enter__(self) -> Bridge:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_closed = True
        wait(self._asked, timeout=10)
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()

    async def _run(self) -> None:
        async with Client(build_server(self._world.app), extensions=WITH_PANELS) as self._client:
            self._ready.set()
            await self._over.wait()

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Send one request of the host's to the server, and return the result as it goes over the wire.

        ConnectionError once it is closed: a page may ask for something as it is left.
        """
        with self._lock:
            if self._is_closed:
                raise ConnectionError("this client is closed")
            if method == "tools/call":
                self.calls.append(params)
            self._asked.append(asyncio.run_coroutine_threadsafe(self._ask(method, params), self._loop))
            asked = self._asked[-1]
        return asked.result(60)

    async def _ask(self, method: str, params: dict[str, Any]) -> Any:
        if method == "tools/call":
            result = await self._client.call_tool(params["name"], params.get("arguments") or {})
        elif method == "resources/read":
            result = await self._client.read_resource(params["uri"])
        else:
            result = await self._client.list_tools()
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)
