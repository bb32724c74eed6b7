"""A mailbox read from a real Dovecot: what servers do that a reader does not expect, and what stays untouched."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from tests.secrecy.hearing import heard
from tests.secrecy.planted import MISTYPED
from tests.world.dovecot import GMAIL, PASSWORD, USER, WITHOUT_IDLE, Dovecot, dovecot

from sequences_mcp.domain.inbound import FolderMark
from sequences_mcp.engine.channels.mail_server import Password, Security
from sequences_mcp.engine.inbound.imap import LARGEST, ImapServer, ImapWalker
from sequences_mcp.engine.inbound.reader import pause_after
from sequences_mcp.errors import InboxUnreadError, SettingsError
from sequences_sandbox.imap import ImapFaults, KeptMailbox, imap_server

TODAY = datetime.now(UTC)
LAST_MONTH = (TODAY - timedelta(days=30)).date()


def mail(subject: str, body: str = "hello") -> bytes:
    return f"From: bob@acme.example\r\nTo: {USER}\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


@contextmanager
def connected(server: Dovecot) -> Iterator[ImapWalker]:
    mailbox = ImapWalker(ImapServer.parse(server.url))
    try:
        yield mailbox
    finally:
        mailbox.close()


def walked(
    mailbox: ImapWalker, marks: dict[str, FolderMark], *, since: date = LAST_MONTH
) -> list[tuple[str, str]]:
    """Return folder and subject of what is new, and move the marks."""
    found = []
    for batch in mailbox.walk(dict(marks), since=lambda: since):
        marks[batch.folder] = batch.mark
        found += [(batch.folder, str(message_from_bytes(one.data)["Subject"])) for one in batch.messages]
    return found


def test_what_is_delivered_is_found_in_the_very_next_walk_on_the_kept_connection(dovecot: Dovecot) -> None:
    marks: dict[str, FolderMark] = {}
    with connected(dovecot) as mailbox:
        assert walked(mailbox, marks) == []
        for number in range(10):
            dovecot.deliver(mail(f"number {number}"))
            assert walked(mailbox, marks) == [("INBOX", f"number {number}")]
        assert mailbox.logins == 1


def commands(mailbox: ImapWalker) -> int:
    """Return how many commands its connection has been given so far."""
    assert mailbox._client is not None
    return int(mailbox._client._imap.tagnum)


ODD_NAMES = ("2026", "Entwürfe & mehr", 'with "quotes"', "a\\b", "NIL", "Work/Below", "日本")


@pytest.mark.parametrize("capability", ["", WITHOUT_IDLE], ids=["LIST-STATUS", "without it"])
def test_what_is_new_is_found_whatever_the_folder_is_called_and_whether_states_come_with_the_list(
    capability: str,
) -> None:
    with dovecot(capability=capability) as server, connected(server) as mailbox:
        marks: dict[str, FolderMark] = {}
        with server.person() as person:
            for name in ODD_NAMES:
                person.create_folder(name)
            assert walked(mailbox, marks) == []
            for name in ODD_NAMES:
                person.append(name, mail(f"in {ODD_NAMES.index(name)}"))
        found = dict(walked(mailbox, marks))
        assert found == {name: f"in {ODD_NAMES.index(name)}" for name in ODD_NAMES}
        assert walked(mailbox, marks) == []


def test_a_walk_with_nothing_new_is_one_command_however_many_folders_there_are(dovecot: Dovecot) -> None:
    marks: dict[str, FolderMark] = {}
    with dovecot.person() as person, connected(dovecot) as mailbox:
        for number in range(20):
            person.create_folder(f"Folder {number}")
        walked(mailbox, marks)
        before = commands(mailbox)
        assert walked(mailbox, marks) == []
        assert commands(mailbox) - before == 1


def test_a_search_for_what_is_new_does_not_bring_the_last_old_message_again(dovecot: Dovecot) -> None:
    marks: dict[str, FolderMark] = {}
    dovecot.deliver(mail("old"))
    with connected(dovecot) as mailbox:
        assert walked(mailbox, marks) == [("INBOX", "old")]
        marks = {folder: FolderMark(mark.uidvalidity, mark.last_uid, 0) for folder, mark in marks.items()}
        assert walked(mailbox, marks) == []  # the state is not known, so every folder is searched with n:*


def test_a_first_walk_brings_the_last_thirty_days_in_batches(dovecot: Dovecot) -> None:
    with dovecot.person() as person:
        for number in range(130):
            person.append("INBOX", mail(f"number {number}"), msg_time=TODAY - timedelta(days=2))
        person.append("INBOX", mail("too old"), msg_time=TODAY - timedelta(days=40))
    with connected(dovecot) as mailbox:
        batches = [
            len(batch.messages) for batch in mailbox.walk({}, since=lambda: LAST_MONTH) if batch.folder == "INBOX"
        ]
    assert batches == [100, 30, 0]


def test_a_folder_made_anew_is_walked_again(dovecot: Dovecot) -> None:
    marks: dict[str, FolderMark] = {}
    with connected(dovecot) as mailbox, dovecot.person() as person:
        person.create_folder("Work")
        person.append("Work", mail("first"))
        assert walked(mailbox, marks) == [("Work", "first")]
        before = marks["Work"].uidvalidity
        person.delete_folder("Work")
        while person.folder_exists("Work") or not _made_anew(person, before):
            pass
        person.append("Work", mail("first"))
        person.append("Work", mail("second"))
        assert walked(mailbox, marks) == [("Work", "first"), ("Work", "second")]
        assert marks["Work"].uidvalidity != before


def _made_anew(person, before: int) -> bool:  # type: ignore[no-untyped-def]
    """Make the folder, and again while it has the old counting, which is of the second it was made in."""
    person.create_folder("Work")
    if person.folder_status("Work", ["UIDVALIDITY"])[b"UIDVALIDITY"] != before:
        return True
    person.delete_folder("Work")
    return False


def test_a_reply_that_was_moved_away_or_deleted_is_found_and_our_own_folders_are_not_read(
    dovecot: Dovecot,
) -> None:
    with dovecot.person() as person:
        person.append("Archive", mail("moved"))
        person.append("Junk", mail("junk"))
        for folder in ("Sent", "Drafts", "Trash"):
            person.append(folder, mail(folder))
    with connected(dovecot) as mailbox:
        assert sorted(walked(mailbox, {})) == [("Archive", "moved"), ("Junk", "junk"), ("Trash", "Trash")]


def test_where_all_mail_is_one_folder_only_that_and_spam_and_trash_are_read() -> None:
    with dovecot(GMAIL) as server:
        with server.person() as person:
            for folder in GMAIL:
                person.append(folder, mail(folder))
        server.deliver(mail("in the inbox"))
        with connected(server) as mailbox:
            assert sorted(walked(mailbox, {})) == [("All Mail", "All Mail"), ("Bin", "Bin"), ("Spam", "Spam")]


def test_a_connection_that_was_cut_is_made_again_within_the_same_walk(dovecot: Dovecot) -> None:
    marks: dict[str, FolderMark] = {}
    with connected(dovecot) as mailbox:
        walked(mailbox, marks)
        dovecot.kick()
        dovecot.deliver(mail("after"))
        assert walked(mailbox, marks) == [("INBOX", "after")]
        assert mailbox.logins == 2


def test_a_refused_sign_in_is_said_and_tried_once(dovecot: Dovecot) -> None:
    server = ImapServer.parse(dovecot.url)
    wrong = ImapServer(
        host=server.host,
        port=server.port,
        security=Security.PLAIN,
        username=USER,
        password=Password(MISTYPED.value),
    )
    with pytest.raises(InboxUnreadError, match="refuses to sign in") as caught:
        walked(ImapWalker(wrong), {})
    assert caught.value.data["refused"]
    assert MISTYPED.value not in heard("the error", f"{caught.value} {caught.value.data}")
    dovecot.finish()  # it writes a connection down once that has ended
    assert (dovecot.folder / "dovecot.log").read_text().count("auth failed, 1 attempts") == 1


def test_the_end_of_a_message_that_is_appended_waits_for_no_acknowledgement(dovecot: Dovecot) -> None:
    with connected(dovecot) as mailbox:
        walked(mailbox, {})
        assert mailbox._client is not None
        assert mailbox._client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_server_that_is_not_there_is_said(dovecot: Dovecot) -> None:
    with connected(dovecot) as mailbox:
        walked(mailbox, {})
        dovecot.stop()
        with pytest.raises(InboxUnreadError, match="cannot be read"):
            walked(mailbox, {})
        dovecot.start()
        assert walked(mailbox, {}) == []


def test_nothing_is_marked_moved_or_deleted(dovecot: Dovecot) -> None:
    dovecot.deliver(mail("unread"))
    with dovecot.person() as person:
        person.append("INBOX", mail("read"), flags=[b"\\Seen", b"\\Flagged", b"$Label1"])
        person.append("INBOX", mail("deleted"), flags=[b"\\Deleted"])
        person.append("Archive", mail("archived"))
    before = dovecot.state()
    with connected(dovecot) as mailbox:
        marks: dict[str, FolderMark] = {}
        assert len(walked(mailbox, marks)) == 4
        walked(mailbox, marks)
    assert dovecot.state() == before
    assert len(before["INBOX"]) == 3


def test_of_a_large_message_the_beginning_is_read(dovecot: Dovecot) -> None:
    with dovecot.person() as person:
        person.append("INBOX", mail("large", ("x" * 990 + "\r\n") * 1_000))
    with connected(dovecot) as mailbox:
        [message] = [one for batch in mailbox.walk({}, since=lambda: LAST_MONTH) for one in batch.messages]
    assert (len(message.data), message.size > 900_000) == (LARGEST, True)


def test_a_folder_that_is_renamed_meanwhile_is_read_under_its_new_name(dovecot: Dovecot) -> None:
    with dovecot.person() as person, connected(dovecot) as mailbox:
        for name in ("One", "Two"):
            person.create_folder(name)
            person.append(name, mail(name))
        found, renamed = [], ""
        for batch in mailbox.walk({}, since=lambda: LAST_MONTH):
            if not renamed and batch.folder in ("One", "Two"):
                renamed = "Two" if batch.folder == "One" else "One"
                person.rename_folder(renamed, "Three")
            found += [(batch.folder, renamed.encode() in one.data) for one in batch.messages]
    assert [is_renamed for folder, is_renamed in found if folder == "Three"] == [True]
    assert len(found) == 2


def test_a_folder_that_was_never_readable_is_named_and_holds_nothing_up(dovecot: Dovecot) -> None:
    with dovecot.person() as person:
        person.create_folder("Shared")
    marks: dict[str, FolderMark] = {}
    dovecot.deliver(mail("in the inbox"))
    with dovecot.unreadable("Shared"), connected(dovecot) as mailbox:
        assert walked(mailbox, marks) == [("INBOX", "in the inbox")]
        assert mailbox.left_out == ("Shared",)
    with connected(dovecot) as mailbox:
        walked(mailbox, marks)
        assert mailbox.left_out == ()


@pytest.mark.parametrize("folder", ["Work", "Junk"])
def test_a_folder_that_was_read_before_or_always_matters_is_named_where_it_cannot_be_read(
    dovecot: Dovecot, folder: str
) -> None:
    marks: dict[str, FolderMark] = {}
    with dovecot.person() as person:
        person.create_folder("Work")
    with connected(dovecot) as mailbox:
        walked(mailbox, marks)
    dovecot.deliver(mail("in the inbox"))
    with dovecot.unreadable(folder), connected(dovecot) as mailbox:
        with pytest.raises(InboxUnreadError, match=f"the folder “{folder}” cannot be read"):
            walked(mailbox, marks)
        assert marks["INBOX"].last_uid == 1  # what can be read is read all the same


def test_after_the_server_was_put_back_what_comes_under_an_old_number_is_found(dovecot: Dovecot) -> None:
    marks: dict[str, FolderMark] = {}
    dovecot.deliver(mail("first"))
    with connected(dovecot) as mailbox:
        walked(mailbox, marks)
    with dovecot.put_back():
        for number in range(3):
            dovecot.deliver(mail(f"later {number}"))
        with connected(dovecot) as mailbox:
            assert len(walked(mailbox, marks)) == 3
            before = marks["INBOX"]
    dovecot.deliver(mail("under number 2"))
    with connected(dovecot) as mailbox:
        assert ("INBOX", "under number 2") in walked(mailbox, marks)
        assert marks["INBOX"].last_uid < before.last_uid
        dovecot.deliver(mail("under number 3"))
        assert walked(mailbox, marks) == [("INBOX", "under number 3")]


@contextmanager
def lying(
    faults: ImapFaults, *, password: str = PASSWORD, with_token: bool = False
) -> Iterator[tuple[KeptMailbox, ImapWalker]]:
    """Serve a mailbox with faults that no sound server has, in a thread of its own."""
    mailbox, ready, over = KeptMailbox(faults=faults), threading.Event(), asyncio.Event()
    ports: list[int] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with imap_server(mailbox, user=USER, password=PASSWORD) as port:
            ports.append(port)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    account = quote(USER, safe="") + (";AUTH=XOAUTH2" if with_token else f":{quote(password, safe='')}")
    walker = ImapWalker(
        ImapServer.parse(f"imap://{account}@127.0.0.1:{ports[0]}"),
        tokens=(lambda refused: password) if with_token else None,
    )
    try:
        yield mailbox, walker
    finally:
        walker.close()
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.mark.parametrize(
    ("password", "with_token"),
    [
        (MISTYPED.value, False),
        (f'{MISTYPED.value}" and \\', False),
        (f"{MISTYPED.value}  two", False),
        (f"{MISTYPED.value} 'q'", False),
        (MISTYPED.value.replace(" ", "-"), True),
    ],
)
def test_what_a_refusing_server_repeats_shows_no_form_of_the_secret(password: str, with_token: bool) -> None:
    refusing = lying(ImapFaults(echoes=True), password=password, with_token=with_token)
    with refusing as (_, walker), pytest.raises(InboxUnreadError) as caught:
        walked(walker, {})
    said = heard("the error", f"{caught.value} {caught.value.data}")
    assert "no such account" in said and "…" in said and "battery" not in said and "staple" not in said


def test_a_message_whose_text_the_server_keeps_back_does_not_count_as_read() -> None:
    marks: dict[str, FolderMark] = {}
    faults = ImapFaults(without_text=True)
    with lying(faults) as (mailbox, walker):
        mailbox.deliver(mail("kept back"))
        with pytest.raises(InboxUnreadError, match="the folder “INBOX” cannot be read") as caught:
            walked(walker, marks)
        assert "no text of the message with UID 1" in str(caught.value.data["server_reply"])
        faults.without_text = False
        assert walked(walker, marks) == [("INBOX", "kept back")]


def test_a_server_that_asks_for_patience_is_said_and_read_once_it_has_time() -> None:
    marks: dict[str, FolderMark] = {}
    faults = ImapFaults(throttled=True)
    with lying(faults) as (mailbox, walker):
        mailbox.deliver(mail("waits"))
        with pytest.raises(InboxUnreadError) as caught:
            walked(walker, marks)
        assert "Too many commands" in str(caught.value.data["server_reply"])
        assert not caught.value.data["refused"]  # so it is tried again in seconds, then ever more seldom
        assert [pause_after(number, refused=False) for number in (1, 2, 9)] == [5.0, 10.0, 300.0]
        faults.throttled = False
        assert walked(walker, marks) == [("INBOX", "waits")]


def test_a_server_that_stops_answering_is_left_at_once_when_the_program_ends() -> None:
    faults = ImapFaults()
    with lying(faults) as (_, walker):
        walked(walker, {})
        faults.silent = True
        ended: list[InboxUnreadError] = []

        def walk() -> None:
            try:
                walked(walker, {})
            except InboxUnreadError as error:
                ended.append(error)

        thread = threading.Thread(target=walk, daemon=True)
        thread.start()
        walker.interrupt()
        thread.join(walker.answer_within / 2)
        assert not thread.is_alive()
        assert len(ended) == 1


def test_what_comes_between_a_walk_and_the_waiting_for_news_is_not_waited_for(dovecot: Dovecot) -> None:
    marks: dict[str, FolderMark] = {}
    with connected(dovecot) as mailbox:
        walked(mailbox, marks)
        dovecot.deliver(mail("in between"))
        waiting = threading.Thread(target=partial(mailbox.wait, threading.Event(), seconds=3_600), daemon=True)
        waiting.start()
        waiting.join(60)
        assert not waiting.is_alive()
        assert walked(mailbox, marks) == [("INBOX", "in between")]


def test_a_message_of_25_megabytes_costs_no_more_than_its_beginning(dovecot: Dovecot) -> None:
    with dovecot.person() as person:
        person.append("INBOX", mail("huge", ("x" * 997 + "\r\n") * 26_000))
    dovecot.deliver(mail("after it"))
    with connected(dovecot) as mailbox:
        found = [one for page in mailbox.walk({}, since=lambda: LAST_MONTH) for one in page.messages]
    assert [(len(one.data) <= LARGEST, one.size > 25_000_000) for one in found] == [(True, True), (True, False)]


def test_over_tls_with_a_certificate_that_is_checked(tmp_path: Path) -> None:
    import ssl

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(key)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with dovecot(certificate=(chain, key)) as server:
        secure = ImapServer(
            host="127.0.0.1",
            port=server.tls_port,
            security=Security.TLS,
            username=USER,
            password=Password(PASSWORD),
        )
        trusted, strange = ImapWalker(secure, context=trust), ImapWalker(secure)
        assert walked(trusted, {}) == []
        with pytest.raises(InboxUnreadError, match="certificate"):
            walked(strange, {})
        trusted.close()


URLS: Mapping[str, str] = {
    "imap://ada:x@imap.example.com": "unencrypted",
    "imaps://imap.example.com": "user and a password",
    "imaps://ada@imap.example.com": "user and a password",
    "http://ada:x@imap.example.com": "does not start with imaps",
    "imaps://ada:x@imap.example.com/INBOX": "something follows the host",
    "imaps://ada:x@:993": "no host",
    "imaps://ada:x/y@imap.example.com": "percent-encoded",
    "imaps://ada:x@imap.example.com:99999": "port",
}


@pytest.mark.parametrize(("url", "why"), URLS.items())
def test_an_address_of_a_mailbox_that_is_none_is_refused(url: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        ImapServer.parse(url)
    assert url not in str(caught.value)


def test_an_address_of_a_mailbox_is_read() -> None:
    server = ImapServer.parse("imaps://ada%40example.com:p%2Fw@imap.example.com")
    assert (server.where, server.username, server.port) == ("imaps://imap.example.com:993", "ada@example.com", 993)
    assert ImapServer.parse("imap://ada:x@127.0.0.1:1143").where == "imap://127.0.0.1:1143"
    assert "p/w" not in repr(server)
