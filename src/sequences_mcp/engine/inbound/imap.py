"""One connection to a mailbox over IMAP, kept open: it reads by EXAMINE and BODY.PEEK, which change nothing.

It writes nothing but messages of our own, appended to the folders of drafts and of sent mail. What servers do
that a reader of the RFC would not expect, each with a test against Dovecot: STATUS of the selected folder may
answer from an older view, so nothing is selected while it is asked; ``n:*`` always matches the last message, so
what comes is compared with the last UID; a connection that was cut is an ``imaplib.IMAP4.abort``.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias
from urllib.parse import unquote, urlsplit

from sequences_mcp.domain.inbound import FolderMark
from sequences_mcp.engine.channels.mail_server import (
    Deadline,
    Password,
    Probe,
    Security,
    Tokens,
    user_of_url,
    without_credential,
)
from sequences_mcp.engine.inbound.folders import DRAFTS, NO_FOLDER, SENT, SpecialFolder, find_folder
from sequences_mcp.engine.inbound.imap_errors import (
    is_connection_lost,
    loss_described,
    losses,
    refusal_words,
    refusals,
)
from sequences_mcp.errors import InboxUnreadError, SettingsError, SignInError
from sequences_mcp.hosts import is_loopback
from sequences_mcp.lazy_dataclasses import dataclass, field, replace

if TYPE_CHECKING:
    import ssl

    from imapclient import IMAPClient

LARGEST = 300_000  # bytes of one message that are fetched: reports and texts stand before the attachments
BATCH = 100  # messages
BATCH_BYTES = 1_000_000
ANSWER_WITHIN = (
    120.0  # seconds for a folder or a batch, however slowly a server drips; workers show themselves between
)
_OURS = frozenset({b"\\sent", b"\\drafts"})
_OF_GMAIL = frozenset({b"\\all", b"\\junk", b"\\trash"})
Matter: TypeAlias = Literal["always", "once read", "never"]
"""When the answers are unknown because a folder cannot be read. One that was never readable is somebody else's."""
_PORTS = {"imaps": 993, "imap": 143}
NO_DRAFTS = "it has no folder of drafts"
_AGAIN = "It is tried again by itself; `sequences-mcp doctor` tries the sign-in now."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """A mail server to read from and the account on it; ``security`` is TLS, or plain on this very machine.

    ``with_token``: the password is an access token of OAuth 2.0, which is given at each sign-in.
    """

    host: str
    port: int
    security: Security
    username: str
    password: Password
    with_token: bool = False

    @classmethod
    def parse(cls, url: str) -> ImapServer:
        """Return the server of ``imaps://user:password@host:993``; ``imap://`` is for this very machine alone.

        Raises SettingsError, which never repeats the URL: it may hold the password.
        """
        if any(not " " < letter <= "~" for letter in url):
            _bad("it contains a space or a letter outside ASCII; write those percent-encoded")
        account, at, _ = url.partition("://")[2].rpartition("@")
        if at and any(sign in account for sign in "#/?"):
            _bad("a `/`, `?` or `#` in its user or password has to be percent-encoded")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError:  # dropped: it may quote the password
            _bad("its host or port cannot be read")
        if parts.scheme not in _PORTS:
            _bad("it does not start with imaps://")
        if not host or port == 0 or parts.path not in ("", "/") or parts.query or parts.fragment:
            _bad("it names no host, or something follows the host")
        if parts.scheme == "imap" and not is_loopback(host):
            _bad("imap:// is unencrypted, which is for this machine only: write imaps://")
        user, with_token = user_of_url(parts.username or "")
        username, password = unquote(user), unquote(parts.password or "")
        if not username or bool(password) == with_token:
            _bad("it needs a user and a password, or ;AUTH=XOAUTH2 after the user")
        if not (username + password).isascii() or not (username + password).isprintable():
            _bad("its user or password has letters outside printable ASCII")
        return cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            security=Security.TLS if parts.scheme == "imaps" else Security.PLAIN,
            username=username,
            password=Password(password),
            with_token=with_token,
        )

    @property
    def where(self) -> str:
        """The server as ``imaps://host:port``, without the account."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'imaps' if self.security is Security.TLS else 'imap'}://{host}:{self.port}"

    @property
    def key(self) -> str:
        """The key of the mailbox in the database, which differs by account."""
        return f"{self.where} {self.username}"

    def without_password(self, text: str) -> str:
        """Return a text in which no form of the password, as it is sent, stands any more."""
        return without_credential(text, username=self.username, password=self.password)


def _bad(why: str) -> NoReturn:
    raise SettingsError(
        f"This is not the address of a mailbox: {why}.",
        next_step="Write it like `imaps://user:password@imap.example.com:993`.",
    )


@dataclass(frozen=True, slots=True)
class FetchedMessage:
    """The bytes of a message, or their beginning, the size of the whole, and when its server took it."""

    data: bytes = field(repr=False)
    size: int
    arrived_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """Where a message has arrived, its header, and whether the folder is that of spam."""

    folder: str
    head: bytes = field(repr=False)
    is_junk: bool


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """Some new messages of a folder, and how far it is read once they are dealt with.

    ``is_anew``: the server reused UIDs under the same UIDVALIDITY, so the mark may go back.
    """

    folder: str
    messages: tuple[FetchedMessage, ...]
    mark: FolderMark
    is_anew: bool = False


def _nothing() -> None:
    """Do nothing."""


@dataclass(slots=True)
class ImapWalker:
    """A mailbox, connected to when it is first needed and again after the connection was lost.

    ``connect_within`` and ``answer_within`` begin anew at each byte; ``total_within`` does not, and is for signing
    in with what follows, a folder or a batch.
    """

    server: ImapServer
    context: ssl.SSLContext | None = None
    connect_within: float = 20.0
    answer_within: float = 60.0
    total_within: float = ANSWER_WITHIN
    tokens: Tokens | None = None
    logins: int = field(default=0, init=False)
    left_out: tuple[str, ...] = field(default=(), init=False)
    _client: IMAPClient | None = field(default=None, init=False)
    _wire: socket.socket | None = field(default=None, init=False)
    _is_interrupted: bool = field(default=False, init=False)
    _lost_waits: int = field(default=0, init=False)  # in a row
    _wakes_in: str = field(default="INBOX", init=False)
    _seen: dict[str, int] = field(default_factory=dict, init=False)
    _places: dict[SpecialFolder, str] = field(default_factory=dict, init=False)  # on this connection

    def walk(
        self, marks: Mapping[str, FolderMark], *, since: Callable[[], date], alive: Callable[[], None] = _nothing
    ) -> Iterator[FetchedPage]:
        """Yield what is new in every relevant folder; InboxUnreadError where one that matters does not answer.

        What matters is the inbox, all mail, spam, and whatever was read before. ``left_out`` are afterwards the
        others that cannot be read; ``alive`` is called between folders and batches. A folder without a mark, or
        with one of another counting, is read from the day of ``since`` on. A connection that was lost meanwhile
        is made again once: what was kept open for hours may have been closed at the other end.
        """
        is_fresh = self._client is None
        known = dict(marks)
        try:
            yield from self._walked(known, since, alive)
        except InboxUnreadError as error:
            if is_fresh or self._is_interrupted or not is_connection_lost(error):
                raise
            yield from self._walked(known, since, alive)

    def _walked(
        self, marks: dict[str, FolderMark], since: Callable[[], date], alive: Callable[[], None]
    ) -> Iterator[FetchedPage]:
        with self._working() as (client, extend):
            _leave(client)
            listed, states = _listed_with_states(client)
            present, read, failed = self._relevant(listed), set[str](), dict[str, str]()
            waiting = list(present)
            while waiting:
                for folder in waiting:
                    extend()
                    alive()
                    try:
                        new = _Folder(client, folder, state=states.pop(folder, None))
                        for batch in new.pages(marks.get(folder), since=since, extend=extend):
                            yield batch
                            marks[folder] = batch.mark
                            alive()
                        read.add(folder)
                        failed.pop(folder, None)
                    except losses():
                        raise
                    except refusals() as error:
                        failed[folder] = self._shown(error)
                    _leave(client)
                # A folder that was renamed or removed meanwhile is there under another name, or not at all.
                present = self._folders(client) if failed else present
                waiting = [name for name in present if name not in read | failed.keys()]
                failed = {name: reply for name, reply in failed.items() if name in present}
            self._seen = {name: mark.last_uid for name, mark in marks.items()}
            self._mind(failed, present=present, known=marks)

    def _mind(self, failed: Mapping[str, str], *, present: Mapping[str, Matter], known: Collection[str]) -> None:
        """Raise InboxUnreadError for a folder that matters and was not read; keep the names of the others."""
        for folder, reply in failed.items():
            if present[folder] == "always" or (present[folder] == "once read" and folder in known):
                raise self._unread(f"the folder “{folder[:60]}” cannot be read", reply=reply)
        self.left_out = tuple(failed)

    def wait(self, stop: threading.Event, *, seconds: float) -> None:
        """Wait so long, less where the server tells of a new message in the inbox, or ``stop`` is set."""
        client = self._client
        if client is None or not client.has_capability("IDLE"):
            stop.wait(seconds)
            return
        try:
            with self._working() as (present, _):
                selected = present.select_folder(self._wakes_in, readonly=True)
                if int(selected.get(b"UIDNEXT", 0)) - 1 > self._seen.get(self._wakes_in, 0):
                    return  # it came after the walk had looked here, and IDLE tells of what comes from now on
                present.idle()
                for _ in range(max(int(seconds), 1)):
                    answers = present.idle_check(timeout=1)
                    if stop.is_set() or any(len(item) > 1 and item[1] == b"EXISTS" for item in answers):
                        break
                present.idle_done()
                _leave(present)
            self._lost_waits = 0
        except InboxUnreadError:  # the walk that follows connects anew, and says what is wrong
            # Where it works while waiting never does, signing in each second would lock the account.
            stop.wait(0 if self._is_interrupted else min(2.0**self._lost_waits, seconds))
            self._lost_waits = min(self._lost_waits + 1, 16)

    def folders(self) -> list[str]:
        """Return the folders that are read; InboxUnreadError."""
        with self._working() as (client, _):
            return list(self._folders(client))

    def put_draft(self, data: bytes, *, message_id: str) -> str:
        """Put a message into the folder of drafts, unless it is there already; return the folder.

        InboxUnreadError. A connection that is lost meanwhile is made again once, to see whether it got there.
        """
        folder = self._put(data, message_id, into=DRAFTS)
        if folder is None:
            raise self._unread(NO_DRAFTS)
        return folder

    def put_sent(self, data: bytes, *, message_id: str) -> str | None:
        """Put a message among what was sent, in the same way; None where there is no such folder."""
        return self._put(data, message_id, into=SENT)

    def _put(self, data: bytes, message_id: str, *, into: SpecialFolder) -> str | None:
        was_known = into in self._places  # and may have been renamed since
        try:
            return self._put_once(data, message_id, into=into)
        except InboxUnreadError as error:
            if not is_connection_lost(error) and not was_known:
                raise
            return self._put_once(data, message_id, into=into)

    def _put_once(self, data: bytes, message_id: str, *, into: SpecialFolder) -> str | None:
        with self._working() as (client, _):
            _leave(client)
            folder = self._places.get(into) or find_folder(client, into)
            if folder is None:
                return None
            self._places[into] = folder
            client.select_folder(folder, readonly=True)
            is_there = bool(client.search(["HEADER", "Message-ID", message_id]))
            _leave(client)
            if not is_there:
                client.append(folder, data, flags=list(into.flags))
            return folder

    def interrupt(self) -> None:
        """End a wait from another thread, also that for a connection; what waits ends with an InboxUnreadError.

        Nothing is read from then on.
        """
        self._is_interrupted = True
        wire = self._wire
        if wire is not None:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def find(self, mark: str) -> FoundMessage | None:
        """Return a message that has arrived with this in its subject; InboxUnreadError.

        The inbox is looked into first; where all mail is one folder, what was sent is in that too.
        """
        with self._working() as (client, _):
            _leave(client)
            junk = {str(name) for flags, _, name in client.list_folders() if b"\\junk" in _lower(flags)}
            folders = [name for name in self._folders(client) if name != self._wakes_in or name == "INBOX"]
            for folder in dict.fromkeys(("INBOX", *folders)):
                client.select_folder(folder, readonly=True)
                uids = client.search(["SUBJECT", mark])
                facts = client.fetch(uids[-1:], ["BODY.PEEK[HEADER]"]) if uids else {}
                _leave(client)
                for item in facts.values():
                    if isinstance(head := item.get(b"BODY[HEADER]"), bytes):
                        return FoundMessage(folder, head, folder in junk)
        return None

    def close(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is None:
            return
        with suppress(*losses(), *refusals()):
            try:
                with Deadline(self.answer_within) as deadline, self._watching():
                    self._watch_kept(client, deadline)
                    client.logout()
            finally:
                client.shutdown()

    @contextmanager
    def _working(self) -> Iterator[tuple[IMAPClient, Callable[[], None]]]:
        """Yield the connection under a deadline; whatever ends it becomes an InboxUnreadError."""
        total = self.total_within
        deadline = Deadline(total)
        try:
            with deadline, self._watching():
                client = self._connected(deadline)
                yield client, _seldom(partial(deadline.extend, total), seconds=total / 4)
        except losses() as error:
            self._drop()
            raise self._unread(self._why_lost(error, deadline), lost=True) from error
        except refusals() as error:
            self._drop()
            raise self._unread("the server did not do what it was asked", reply=self._shown(error)) from error

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Let interrupt() reach what is watched in the block."""
        try:
            yield
        finally:
            duplicate, self._wire = self._wire, None
            if duplicate is not None:
                duplicate.close()

    def _watch(self, sock: socket.socket, deadline: Deadline) -> None:
        """Let the deadline and interrupt() reach a connection; raise OSError where one of them came before."""
        before, self._wire = self._wire, sock.dup()
        if before is not None:
            before.close()
        deadline.watch(sock)
        if self._is_interrupted:
            raise ConnectionAbortedError("interrupted")
        if deadline.is_over:
            raise TimeoutError("timed out")

    def _watch_kept(self, client: IMAPClient, deadline: Deadline) -> None:
        connection = client.socket()
        with socket.fromfd(
            connection.fileno(), connection.family, connection.type
        ) as wire:  # one of TLS cannot be copied itself
            self._watch(wire, deadline)

    def _why_lost(self, error: BaseException, deadline: Deadline) -> str:
        """Say why a connection was lost; what cut it from here matters, not how that looked to who was reading."""
        if self._is_interrupted:
            return "the reading was interrupted"
        return loss_described(TimeoutError() if deadline.is_over else error)

    def _connected(self, deadline: Deadline) -> IMAPClient:
        if self._client is None:
            self._places.clear()
            self._client = self._signed_in(deadline)
            self.logins += 1
        else:
            self._watch_kept(self._client, deadline)
        return self._client

    def _signed_in(self, deadline: Deadline) -> IMAPClient:
        import ssl

        from imapclient import SocketTimeout

        from sequences_mcp.engine.inbound.imap_connection import WatchedImap

        logging.getLogger("imapclient").setLevel(logging.WARNING)  # at DEBUG it writes down whole messages
        is_tls = self.server.security is Security.TLS
        client = WatchedImap(
            self.server.host,
            self.server.port,
            context=(self.context or ssl.create_default_context()) if is_tls else None,
            timeout=SocketTimeout(connect=self.connect_within, read=self.answer_within),
            watch=partial(self._watch, deadline=deadline),
        )
        try:
            self._sign_in(client)
            if client.has_capability("CONDSTORE") and client.has_capability("ENABLE"):
                client.enable("CONDSTORE")
        except BaseException:
            with suppress(*losses(), *refusals()):
                client.shutdown()
            raise
        return client

    def _sign_in(self, client: IMAPClient) -> None:
        from imapclient.exceptions import LoginError

        try:
            if self.server.with_token:
                self._show_token(client)
            else:
                client.login(self.server.username, self.server.password)
        except LoginError as error:
            if isinstance(error.__context__, losses()):
                raise error.__context__ from None
            raise self._unread(
                f"the server refuses to sign in {self.server.username}", reply=self._shown(error), refused=True
            ) from None

    def _show_token(self, client: IMAPClient) -> None:
        """Sign in with an access token; one that the server refuses is renewed, once. Raises LoginError."""
        from imapclient.exceptions import LoginError

        refused = ""
        for is_last in (False, True):
            try:
                token = self.tokens(refused) if self.tokens else ""
            except SignInError as error:
                is_over = bool(error.data.get("again"))
                raise self._unread(
                    error.message.rstrip("."), refused=is_over, next_step=error.next_step
                ) from error
            self.server = replace(self.server, password=Password(token))
            try:
                client.oauth2_login(self.server.username, token)
                return
            except LoginError as error:
                if is_last or isinstance(error.__context__, losses()):
                    raise
                refused = token

    def _folders(self, client: IMAPClient) -> dict[str, Matter]:
        return self._relevant((str(name), flags) for flags, _, name in client.list_folders())

    def _relevant(self, listed: Iterable[tuple[str, Iterable[object]]]) -> dict[str, Matter]:
        """Return the folders in which answers may be: on Gmail all mail and spam, else all but our own.

        Trash is read too, though nothing waits for it: an answer may be deleted before the next walk.
        """
        real = {name: marks for name, flags in listed if not (marks := _lower(flags)) & NO_FOLDER}
        every = [name for name, flags in real.items() if b"\\all" in flags]
        self._wakes_in = every[0] if every else "INBOX"
        if every:
            real = {name: flags for name, flags in real.items() if flags & _OF_GMAIL}
        return {name: _matter(name, flags) for name, flags in real.items() if not flags & _OURS}

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*losses(), *refusals()):
                client.shutdown()

    def _shown(self, error: BaseException) -> str:
        return " ".join(self.server.without_password(refusal_words(error)).split())[:300]

    def _unread(
        self, why: str, *, reply: str = "", lost: bool = False, refused: bool = False, next_step: str = ""
    ) -> InboxUnreadError:
        usual = "Sign in again: check the user and the password." if refused else _AGAIN
        return InboxUnreadError(
            f"The inbox at {self.server.where} cannot be read: {why}.",
            next_step=next_step or usual,
            data={"why": why, "server_reply": reply, "lost": lost, "refused": refused},
        )


def _lower(flags: Iterable[object]) -> set[bytes]:
    return {flag.lower() for flag in flags if isinstance(flag, bytes)}


def _seldom(act: Callable[[], None], *, seconds: float) -> Callable[[], None]:
    """Return ``act`` limited in how often it acts: a call too soon after the last one does nothing."""
    last = time.monotonic()

    def acted() -> None:
        nonlocal last
        if time.monotonic() - last > seconds:
            act()
            last = time.monotonic()

    return acted


def _matter(name: str, flags: Collection[bytes]) -> Matter:
    if b"\\trash" in flags:
        return "never"
    return "always" if name.upper() == "INBOX" or b"\\all" in flags or b"\\junk" in flags else "once read"


def _leave(client: IMAPClient) -> None:
    """Select nothing: of a folder that is selected, STATUS may tell of an older state."""
    if client._imap.state != "SELECTED":
        return
    if client.has_capability("UNSELECT"):
        client.unselect_folder()
    else:
        client.close_folder()  # removes nothing after EXAMINE (RFC 9051, section 6.4.1)


_EXTENSIONS = ("LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE")
_Listed: TypeAlias = list[tuple[str, Iterable[object]]]
_State: TypeAlias = Mapping[bytes, int]


def _state_items(client: IMAPClient) -> list[str]:
    return ["UIDNEXT", "UIDVALIDITY", *(["HIGHESTMODSEQ"] if client.has_capability("CONDSTORE") else [])]


def _listed_with_states(client: IMAPClient) -> tuple[_Listed, dict[str, _State]]:
    """Return the folders with their flags, and in what state they are where the server tells that with the list.

    That is one round trip (RFC 5819) in place of one for each folder; of a folder that is left out, or where the
    server does not do it after all, STATUS is asked.
    """
    if all(client.has_capability(name) for name in _EXTENSIONS):
        with suppress(*refusals()):
            return _by_extended_list(client)
    return [(str(name), flags) for flags, _, name in client.list_folders()], {}


def _by_extended_list(client: IMAPClient) -> tuple[_Listed, dict[str, _State]]:
    """Ask for both in one command, which IMAPClient has no method for."""
    from imapclient.imap_utf7 import decode
    from imapclient.response_parser import parse_response

    wanted = f"RETURN (SPECIAL-USE STATUS ({' '.join(_state_items(client))}))"
    kind, answer = client._imap._simple_command("LIST", '""', '"*"', wanted)
    client._checkok("LIST", kind, answer)
    _, lines = client._imap._untagged_response(kind, answer, "LIST")
    _, states = client._imap._untagged_response(kind, answer, "STATUS")
    pairs = parse_response(states) if states and states != [None] else ()
    by_name: dict[str, _State] = {
        decode(name) if isinstance(name, bytes) else str(name): dict(zip(items[::2], items[1::2], strict=True))
        for name, items in zip(pairs[::2], pairs[1::2], strict=True)
    }
    listed: _Listed = [(str(name), flags) for flags, _, name in client._proc_folder_list(lines)]
    return listed, by_name


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is walked through; ``state`` is the one that was told with the list, where it was."""

    client: IMAPClient
    name: str
    state: _State | None = None

    def pages(
        self, before: FolderMark | None, *, since: Callable[[], date], extend: Callable[[], None]
    ) -> Iterator[FetchedPage]:
        """Yield what is new since a mark, and a batch of none where only the mark has moved."""
        client = self.client
        status = self.state or client.folder_status(self.name, _state_items(client))
        now = FolderMark(status[b"UIDVALIDITY"], status.get(b"UIDNEXT", 0) - 1, status.get(b"HIGHESTMODSEQ", 0))
        is_same = before is not None and before.uidvalidity == now.uidvalidity
        if is_same and before is not None and now.last_uid == before.last_uid and now.modseq == before.modseq:
            return
        selected = client.select_folder(self.name, readonly=True)
        validity = int(selected[b"UIDVALIDITY"])
        last_uid = int(selected.get(b"UIDNEXT", 0)) - 1
        last = before.last_uid if before is not None and before.uidvalidity == validity else None
        is_anew = last is not None and _went_back(before, FolderMark(validity, last_uid, now.modseq))
        if last is None or is_anew:
            last, result = 0, client.search(["SINCE", since()])
        else:
            result = client.search(["UID", f"{last + 1}:*"])
        fresh = sorted(int(uid) for uid in result if uid > last)  # `n:*` has the last message always
        for uids in _batches(client, fresh):
            extend()
            messages = _fetched(client, uids)
            yield FetchedPage(self.name, messages, FolderMark(validity, uids[-1], 0))
        yield FetchedPage(self.name, (), FolderMark(validity, max([last, last_uid, *fresh]), now.modseq), is_anew)


def _went_back(before: FolderMark | None, now: FolderMark) -> bool:
    """Say whether a folder has an older state than before: its server was restored and reuses UIDs."""
    if before is None:
        return False
    return -1 < now.last_uid < before.last_uid or 0 < now.modseq < before.modseq


def _batches(client: IMAPClient, uids: list[int]) -> Iterator[list[int]]:
    """Yield UIDs in batches of limited number and size."""
    for start in range(0, len(uids), BATCH):
        some = uids[start : start + BATCH]
        sizes = client.fetch(some, ["RFC822.SIZE"]) if len(some) > 1 else {}
        batch: list[int] = []
        weight = 0
        for uid in some:
            size = min(int(sizes.get(uid, {}).get(b"RFC822.SIZE", 0)), LARGEST)
            if batch and weight + size > BATCH_BYTES:
                yield batch
                batch, weight = [], 0
            batch.append(uid)
            weight += size
        yield batch


def _fetched(client: IMAPClient, uids: list[int]) -> tuple[FetchedMessage, ...]:
    """Return messages, without touching their flags; what was removed meanwhile is left out.

    Raises ValueError for one that is there and whose text the server does not give: it may be an answer.
    """
    answer = client.fetch(uids, [f"BODY.PEEK[]<0.{LARGEST}>", "INTERNALDATE", "RFC822.SIZE"])
    result, without = [], []
    for uid in uids:
        facts = answer.get(uid, {})
        data = facts.get(b"BODY[]<0>", facts.get(b"BODY[]"))
        if isinstance(data, bytes) and (data or not facts.get(b"RFC822.SIZE")):
            arrived = facts.get(b"INTERNALDATE")
            at = arrived.astimezone(UTC) if isinstance(arrived, datetime) and arrived.tzinfo else None
            result.append(FetchedMessage(data, int(facts.get(b"RFC822.SIZE", len(data))), at))
        else:
            without.append(uid)
    if without and (left := client.search(["UID", ",".join(map(str, without))])):
        raise ValueError(f"the server gives no text of the message with UID {left[0]}")
    return tuple(result)


def probe_inbox(
    server: ImapServer, *, context: ssl.SSLContext | None = None, tokens: Tokens | None = None
) -> Probe:
    """Sign in, list the folders, and say how far that went."""
    walker = ImapWalker(server, context=context, connect_within=10, answer_within=10, tokens=tokens)
    try:
        number = len(walker.folders())
    except InboxUnreadError as error:
        return Probe(False, f"{server.where}: {error.data['why']}", str(error.data["server_reply"]))
    finally:
        walker.close()
    return Probe(True, f"{server.where} answers (signed in as {server.username}); {number} folders are read")
