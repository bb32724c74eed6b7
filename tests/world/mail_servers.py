"""Real mail servers on loopback: one misbehaves as it is told to, one keeps what it takes on the disk."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from sequences_mcp.engine.channels.mail_server import MailServer, Security, Timeouts

DROP, STALL, HALF = "drop", "stall", "drop after half of the text"
CALM = Timeouts(connect=60, command=60, final=60)


def patience(script: dict[str, str]) -> Timeouts:
    """Return how long to wait: briefly only where the server will never answer.

    Every command has the same time, whichever of them is not answered: it is long enough for the others to be.
    """
    stalled = {phase for phase, answer in script.items() if answer == STALL}
    return Timeouts(
        connect=0.5 if "greeting" in stalled else CALM.connect,
        command=5 if stalled - {"greeting", "dot"} else CALM.command,
        final=0.5 if "dot" in stalled else CALM.final,
    )


def _abort(transport: asyncio.BaseTransport) -> None:
    """Cut a connection at once, without what still waits to be sent."""
    assert isinstance(transport, asyncio.Transport)
    transport.abort()


def bytes_of(envelope: Envelope) -> bytes:
    """Return the message of an envelope, as it came."""
    content = envelope.content or b""
    return content if isinstance(content, bytes) else content.encode()


class FakeMailServer(SMTP):
    """aiosmtpd with a script: a phase to an answer, to ``DROP`` or to ``STALL``."""

    script: dict[str, str]
    greeted = False
    in_text = False

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - the library's own name
        """Check an access token, and answer a wrong one as Google and Microsoft do: why, in a challenge."""
        proof = base64.b64decode(args[1]).decode() if len(args) > 1 else ""
        user, _, token = proof.removesuffix("\x01\x01").removeprefix("user=").partition("\x01auth=Bearer ")
        owner = self.event_handler.owner_of
        if owner is not None and user and owner(token) == user:
            return AuthResult(success=True)
        why = base64.b64encode(b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}')
        await self.push(f"334 {why.decode()}")
        assert await self._reader.readline() == b"\r\n", "after the challenge comes an empty line"
        await self.push("535 5.7.8 Username and Password not accepted.")
        return AuthResult(success=False, handled=True)

    async def play(self, phase: str) -> bool:
        """Do what the script says for a phase; False where it says nothing."""
        self.event_handler.commands.append(phase)
        answer = self.script.get(phase)
        if answer is None:
            return False
        if answer == DROP:
            assert self.transport is not None
            _abort(self.transport)
        elif answer == STALL:
            await asyncio.Event().wait()
        else:
            await self.push(answer)
        return True

    async def push(self, status: Any) -> None:
        """Say something; the first thing a server says is its greeting."""
        greets, self.greeted = not self.greeted, True
        if not (greets and await self.play("greeting")):
            await super().push(status)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the inbox of a text that was cut, once the socket is closed."""
        super().connection_lost(error)
        if self.in_text:
            self.loop.call_soon(self.event_handler.cut.set)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - the library's own name
        if not await self.play("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if not await self.play("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self.play("STARTTLS"):
            await super().smtp_STARTTLS(arg)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        if not await self.play("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        if not await self.play("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.script.get("DATA") == HALF:
            self.in_text = True
            await self.push("354 go on")
            await self._reader.readexactly(10)
            assert self.transport is not None
            _abort(self.transport)
        elif not await self.play("DATA"):
            await super().smtp_DATA(arg)


class Inbox:
    """The handler of a server: keeps every message it says yes to, plays its part after the final dot."""

    def __init__(self, script: dict[str, str]) -> None:
        self.script = script
        self.taken: list[Envelope] = []
        self.cut = threading.Event()
        self.seen = 0
        self.commands: list[str] = []
        self.owner_of: Callable[[str], str | None] | None = None  # of an access token
        self.password = ""  # of every account, where one is asked for
        self.goes_on: Callable[[Envelope], None] | None = None  # what becomes of a message that was taken

    async def handle_DATA(self, server: FakeMailServer, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the message, unless the script says otherwise."""
        self.seen += 1
        answer = self.script.get("dot")
        if answer == STALL:
            await asyncio.Event().wait()
        if answer == DROP:
            assert server.transport is not None
            _abort(server.transport)
        if answer is None or answer.startswith("2"):
            self.taken.append(envelope)
            if self.goes_on is not None:
                self.goes_on(envelope)
        return answer or "250 2.0.0 queued as 4Xy"


class ScriptedController(Controller):
    """Runs a FakeMailServer in a thread; when it stops, it leaves no connection behind."""

    def __init__(self, inbox: Inbox, **options: Any) -> None:
        super().__init__(inbox, ready_timeout=60, **options)
        self.connections: list[FakeMailServer] = []

    def _trigger_server(self) -> None:
        """Learn which port the system gave, before the library makes the first connection to it."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        begins: Callable[[], None] = super()._trigger_server
        begins()

    def factory(self) -> FakeMailServer:
        """Return one server for one connection."""
        server = FakeMailServer(self.handler, **self.SMTP_kwargs)
        server.script = self.handler.script
        self.connections.append(server)
        return server

    def stop(self, no_assert: bool = False) -> None:
        """Cut every connection that is still open, then stop."""
        asyncio.run_coroutine_threadsafe(self.cut(), self.loop).result(60)
        super().stop(no_assert)

    async def cut(self) -> None:
        """Cut every connection and wait until all are gone."""
        for server in self.connections:
            if server.transport is not None:
                _abort(server.transport)
        while any(server.transport is not None for server in self.connections):
            await asyncio.sleep(0)


class Running:
    """A server that is up: where it is and what it took."""

    def __init__(self, inbox: Inbox, port: int) -> None:
        self.inbox, self.port = inbox, port

    def server(self, security: Security = Security.PLAIN, **account: Any) -> MailServer:
        """Return the server as the product is told of it."""
        return MailServer(host="127.0.0.1", port=self.port, security=security, **account)


@contextmanager
def mail_server(script: dict[str, str] | None = None, **options: Any) -> Iterator[Running]:
    """Run a mail server on a free port of loopback."""
    inbox = Inbox(script or {})
    controller = ScriptedController(
        inbox, hostname="127.0.0.1", port=0, server_hostname="mx.example.org", **options
    )
    controller.start()
    try:
        yield Running(inbox, controller.port)
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PATIENCE = 120.0


class PostOffice(Inbox):
    """Keeps messages as numbered files; ``script`` makes the server misbehave, phase by phase."""

    def __init__(self, folder: Path) -> None:
        super().__init__({})
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self._arrived = threading.Condition()

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message as the script says; what is taken is on the disk before the answer."""
        before = len(self.taken)
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.taken) > before:
            self._keep(before, bytes_of(envelope))
        return answer

    def _keep(self, number: int, content: bytes) -> None:
        with self._arrived:
            with (self.folder / f"{number:04}.eml").open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._arrived.notify_all()

    @property
    def messages(self) -> list[EmailMessage]:
        """What is on the disk, in order of arrival."""
        files = sorted(self.folder.glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Recipient and subject of each message, sorted."""
        return sorted((str(mail["To"]), str(mail["Subject"])) for mail in self.messages)

    def wait_for(self, number: int) -> list[EmailMessage]:
        """Return all messages once there are so many; fails after two minutes."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.messages) >= number, timeout=PATIENCE)
        assert arrived, f"{len(self.messages)} of {number} e-mails arrived: {self.sent}"
        return self.messages


@contextmanager
def post_office(folder: Path) -> Iterator[PostOffice]:
    """Run a mail server that keeps its messages in a folder."""
    office = PostOffice(folder)
    controller = ScriptedController(
        office, hostname="127.0.0.1", port=office.port, server_hostname="mx.example.org", enable_SMTPUTF8=True
    )
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
