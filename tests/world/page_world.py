"""The real page over a real database, served on loopback and visited with a bare HTTP client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.secrecy import planted
from tests.secrecy.hearing import heard, learnt
from tests.world.clock import Clock
from tests.world.product import with_schema

from sequences_mcp.bootstrap import open_context, open_worker
from sequences_mcp.context import AppContext
from sequences_mcp.domain.plan import Plan
from sequences_mcp.review.lock import passphrase
from sequences_mcp.review.lock.passphrase import write_private
from sequences_mcp.review.page.app import build_page
from sequences_mcp.review.page.guard import Limits
from sequences_mcp.review.page.serving import PageLock, server_for, take_page_lock
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.starts import start_sequence
from sequences_mcp.settings import Settings, read_settings

T = TypeVar("T")
PASSPHRASE = planted.PASSPHRASE.value
MAIL = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "{{sourcingJobTitle}}",
    "content": "Hi {{firstname}}, would a short call about the role suit you?",
    "temporalityType": "ASAP",
}
LINKEDIN = {
    "id": "message",
    "name": "Message",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_MESSAGE",
    "content": "Hi {{firstname}}, I wrote to you by e-mail.",
    "temporalityType": "DELAYED",
    "delay": {"value": 2, "unit": "day"},
}
WRITTEN = {**MAIL, "id": "own", "name": "Own", "contentSource": "suggestedByKalent"}
UNHURRIED = Limits(head=60, body=60)  # how fast the machine is must not matter
NAMES = ("Grace", "Linus", "Barbara", "Dennis", "Radia")


@dataclass
class World:
    """A data folder with a passphrase, and who works in it."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    more: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def settings(self) -> Settings:
        """The settings of every process of this world."""
        return read_settings(
            {
                "SEQUENCES_DATA_DIR": str(self.folder),
                "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>",
                "SEQUENCES_SPACING": "0",
                **self.more,
            }
        )

    @asynccontextmanager
    async def app(self, actor: str = "agent") -> AsyncIterator[AppContext]:
        """Open the desk on the folder's database."""
        with_schema(self.folder)
        async with open_context(self.settings, worker=False, clock=self.clock, actor=actor) as app:
            yield app

    def at_desk(self, act: Callable[[AppContext], Any]) -> Any:
        """Do one thing at a desk of another process."""

        async def run() -> Any:
            async with self.app() as app:
                return await act(app)

        return apart(run)

    def plan(self, *steps: dict[str, Any], people: int = 3, first: int = 0, **facts: str) -> Plan:
        """Start a sequence for so many people, as an agent would."""

        async def start(app: AppContext) -> Plan:
            made = await create_blueprint(app, name="Engineers", steps=list(steps) or [MAIL], job_title="Engineer")
            report = await start_sequence(
                app,
                blueprint_id=made.blueprint.id,
                contacts=crowd(people, first=first, **facts),
                progress=_silent,
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
            async with open_context(self.settings, worker=True, clock=self.clock):
                for _ in range(2400):
                    if await asyncio.to_thread(seen):
                        return
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(pause.wait(), 0.05)
            raise AssertionError("it was never seen")

        apart(run)

    def mails_after_work(self) -> list[str]:
        """Let a worker do everything that is due now; return the e-mails in the outbox."""

        def work() -> None:
            with open_worker(self.settings, clock=self.clock) as worker:
                while worker.run_due():
                    pass

        with ThreadPoolExecutor(1) as pool:
            pool.submit(work).result()
        return self.mails

    @property
    def mails(self) -> list[str]:
        """The e-mails in the outbox."""
        return [path.read_text() for path in sorted((self.folder / "outbox").glob("*.eml"))]

    def lock_up(self) -> None:
        """Choose the passphrase, as a person does in the terminal."""
        write_private(self.folder / passphrase.PASSPHRASE_FILE, _hashed_passphrase())

    @contextmanager
    def page(self, limits: Limits | None = None, pauses: list[float] | None = None) -> Iterator[Visitor]:
        """Serve the page and yield a visitor who has not unlocked it; where answers are held back is noted."""

        async def held_back(seconds: float) -> None:
            if pauses is not None and seconds:
                pauses.append(seconds)

        page_lock = take_page_lock(self.folder)
        assert page_lock is not None
        asgi_app = build_page(
            partial(self.app, "page"), data_dir=self.folder, authority=page_lock.authority, pause=held_back
        )
        server = server_for(asgi_app, limits=limits or UNHURRIED)
        thread = threading.Thread(target=server.run, kwargs={"sockets": list(page_lock.sockets)}, daemon=True)
        thread.start()
        try:
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

    def send(self, method: str, path: str, *, body: str = "", headers: Mapping[str, str | None] = {}) -> Answer:
        """Send one request; a header given as None is left out."""
        sent: dict[str, str | None] = {"Host": self.page_lock.authority, "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if method == "POST":
            sent |= {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
            sent["Content-Length"] = str(len(body.encode()))
        sent |= headers
        connection = HTTPConnection("127.0.0.1", self.page_lock.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body.encode() or None)
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
    """Return the passphrase's slow hash, made once for all tests."""
    return json.dumps(passphrase.hashed_passphrase(PASSPHRASE))


async def _silent(done: int, total: int) -> None:
    """Report to nobody."""
