"""A mailbox that is read over IMAP on loopback: as much of RFC 9051 as a reader needs, and faults to switch on.

It holds what is put into it in memory. The program's own tests of reading use Dovecot; this is the demo's, which
needs nothing installed, and that of faults which no sound server has.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

HOST = "127.0.0.1"
CAPABILITIES = "IMAP4rev1 IDLE UNSELECT SPECIAL-USE"
SPECIAL = {"Sent": "\\Sent ", "Trash": "\\Trash ", "Junk": "\\Junk "}
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\(([^()]*)\)|(\S+)')


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message in a folder, under its number there."""

    uid: int
    data: bytes
    arrived_at: datetime


@dataclass(slots=True)
class ImapFaults:
    """What the server does wrong.

    It never answers a command; gives no text of messages; refuses everybody and repeats what they signed in with;
    tells whoever asks for folders to come back later (RFC 5530).
    """

    silent: bool = False
    without_text: bool = False
    echoes: bool = False
    throttled: bool = False


@dataclass(slots=True)
class KeptMailbox:
    """Folders of messages behind one account, with what waits for new ones."""

    folders: dict[str, list[KeptMessage]] = field(default_factory=lambda: {"INBOX": [], "Junk": [], "Sent": []})
    faults: ImapFaults = field(default_factory=ImapFaults)
    watchers: set[asyncio.Queue[str]] = field(default_factory=set)

    def deliver(self, data: bytes, *, folder: str = "INBOX", at: datetime | None = None) -> None:
        """Put a message into a folder; from the loop that serves it."""
        messages = self.folders[folder]
        uid = messages[-1].uid + 1 if messages else 1
        messages.append(
            KeptMessage(uid, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), at or datetime.now(UTC))
        )
        for watcher in self.watchers:
            watcher.put_nowait(folder)


@asynccontextmanager
async def imap_server(mailbox: KeptMailbox, *, user: str, password: str) -> AsyncIterator[int]:
    """Serve a mailbox to one account on a free loopback port; yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            await _Conversation(mailbox, (user, password), reader, writer).hold()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            connections.discard(writer)
            writer.close()

    connections: set[asyncio.StreamWriter] = set()
    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(connections):
            writer.close()


@dataclass(slots=True)
class _Conversation:
    """One connection: its state, and the answer to each command."""

    mailbox: KeptMailbox
    account: tuple[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    selected: str = ""

    async def hold(self) -> None:
        """Answer commands until the client leaves."""
        self._say(f"* OK [CAPABILITY {CAPABILITIES}] ready")
        while line := (await self.reader.readline()).decode("utf-8", "replace").strip():
            tag, _, rest = line.partition(" ")
            name, _, arguments = rest.partition(" ")
            if name.upper() == "UID":
                name, _, arguments = arguments.partition(" ")
            words = [quoted or listed or bare for quoted, listed, bare in _WORD.findall(arguments)]
            if self.mailbox.faults.silent:
                continue
            if self.mailbox.faults.echoes and name.upper() in ("LOGIN", "AUTHENTICATE"):
                await self._refuse(tag, arguments)
                continue
            if name.upper() == "IDLE":
                await self._idle()
                verdict = "OK"
            elif name.upper() == "APPEND":
                verdict = await self._append(words[0], arguments)
            else:
                verdict = self._answered(name.upper(), words)
            self._say(f"{tag} {verdict} done")
            await self.writer.drain()
            if name.upper() == "LOGOUT":
                return

    async def _refuse(self, tag: str, arguments: str) -> None:
        """Refuse to sign anybody in, and repeat what they sent, as servers do that log too much."""
        if "XOAUTH2" in arguments:
            self._say("+")
            arguments = (await self.reader.readline()).decode("utf-8", "replace").strip()
        self._say(f"{tag} NO no such account: {arguments}")
        await self.writer.drain()

    async def _append(self, folder: str, arguments: str) -> str:
        """Take a message that follows as a literal (RFC 9051, section 6.3.12) into a folder."""
        size = re.search(r"\{(\d+)\}$", arguments)
        if size is None or folder not in self.mailbox.folders:
            return "NO [TRYCREATE]"
        self._say("+ go on")
        data = await self.reader.readexactly(int(size[1]))
        await self.reader.readline()
        self.mailbox.deliver(data, folder=folder)
        return "OK"

    def _say(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())

    def _answered(self, name: str, words: list[str]) -> str:
        by_name: dict[str, Callable[[list[str]], str]] = {
            "LOGIN": lambda words: "OK" if tuple(words) == self.account else "NO [AUTHENTICATIONFAILED]",
            "CAPABILITY": self._tell_capabilities,
            "LIST": self._list,
            "STATUS": self._status,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "SEARCH": self._search,
            "FETCH": self._fetch,
        }
        if name in ("NOOP", "LOGOUT", "UNSELECT", "CLOSE"):
            self.selected = ""
            return "OK"
        return by_name[name](words) if name in by_name else "BAD"

    def _tell_capabilities(self, words: list[str]) -> str:
        self._say(f"* CAPABILITY {CAPABILITIES}")
        return "OK"

    def _list(self, words: list[str]) -> str:
        if self.mailbox.faults.throttled:
            return "NO [LIMIT] Too many commands, try again later"
        for name in self.mailbox.folders:
            self._say(f'* LIST ({SPECIAL.get(name, "")}\\HasNoChildren) "/" "{name}"')
        return "OK"

    def _next_uid(self, folder: str) -> int:
        messages = self.mailbox.folders[folder]
        return messages[-1].uid + 1 if messages else 1

    def _status(self, words: list[str]) -> str:
        if words[0] not in self.mailbox.folders:
            return "NO [NONEXISTENT]"
        self._say(f'* STATUS "{words[0]}" (UIDNEXT {self._next_uid(words[0])} UIDVALIDITY 1)')
        return "OK"

    def _select(self, words: list[str]) -> str:
        if words[0] not in self.mailbox.folders:
            return "NO [NONEXISTENT]"
        self.selected = words[0]
        self._say("* FLAGS (\\Seen \\Deleted)")
        self._say(f"* {len(self.mailbox.folders[self.selected])} EXISTS")
        self._say("* OK [UIDVALIDITY 1] as ever")
        self._say(f"* OK [UIDNEXT {self._next_uid(self.selected)}] next")
        return "OK [READ-ONLY]"

    def _search(self, words: list[str]) -> str:
        messages = self.mailbox.folders.get(self.selected, [])
        matching: Iterable[KeptMessage] = messages
        if words[0].upper() == "SINCE":
            day = datetime.strptime(words[1], "%d-%b-%Y").replace(tzinfo=UTC).date()
            matching = (message for message in messages if _day(message) >= day)
        elif words[0].upper() == "UID":
            matching = self._in_set(words[1])
        elif words[0].upper() == "HEADER":
            head = f"{words[1]}: {words[2]}".lower().encode()
            matching = (message for message in messages if head in message.data.lower())
        self._say(" ".join(["* SEARCH", *(str(message.uid) for message in matching)]))
        return "OK"

    def _in_set(self, numbers: str) -> list[KeptMessage]:
        """Return the messages of a set (``4:*``, ``1,3``); ``*`` is the last one, whatever stands before it."""
        messages = self.mailbox.folders.get(self.selected, [])
        last = messages[-1].uid if messages else 0
        wanted: set[int] = set()
        for item in numbers.split(","):
            ends = sorted(last if end == "*" else int(end) for end in item.split(":"))
            wanted.update(range(ends[0], ends[-1] + 1))
        return [message for message in messages if message.uid in wanted]

    def _fetch(self, words: list[str]) -> str:
        messages = self.mailbox.folders.get(self.selected, [])
        limit = re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", words[1], re.IGNORECASE)
        for message in self._in_set(words[0]):
            facts = f"UID {message.uid} RFC822.SIZE {len(message.data)}"
            facts += f' INTERNALDATE "{message.arrived_at:%d-%b-%Y %H:%M:%S %z}"'
            self.writer.write(f"* {messages.index(message) + 1} FETCH ({facts}".encode())
            if limit and self.mailbox.faults.without_text:
                self.writer.write(b" BODY[]<0> NIL")
            elif limit:
                part = message.data[: int(limit[1])]
                self.writer.write(f" BODY[]<0> {{{len(part)}}}\r\n".encode() + part)
            self._say(")")
        return "OK"

    async def _idle(self) -> None:
        """Tell of new messages in the selected folder until the client has had enough."""
        news: asyncio.Queue[str] = asyncio.Queue()
        self.mailbox.watchers.add(news)
        self._say("+ idling")
        ending = asyncio.ensure_future(self.reader.readline())
        try:
            while not ending.done():
                coming = asyncio.ensure_future(news.get())
                await asyncio.wait({ending, coming}, return_when=asyncio.FIRST_COMPLETED)
                if coming.done() and coming.result() == self.selected:
                    self._say(f"* {len(self.mailbox.folders[self.selected])} EXISTS")
                coming.cancel()
        finally:
            ending.cancel()
            self.mailbox.watchers.discard(news)


def _day(message: KeptMessage) -> date:
    return message.arrived_at.astimezone(UTC).date()
