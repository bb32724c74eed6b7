"""What left stands in the Sent folder, as if the person had sent it by their own mail program."""

from __future__ import annotations

import pytest
from tests.world.dovecot import Dovecot, dovecot, has_dovecot
from tests.world.mail_servers import bytes_of, free_port
from tests.world.product import GRACE, LINUS, Bureau, mailing, yes

from sequences_mcp.domain.sender import Secret
from sequences_mcp.engine.channels.message import ComposedMessage
from sequences_mcp.engine.inbound.appending import keeps_copies, sent_copies


def sent_folder(server: Dovecot, folder: str = "Sent") -> list[tuple[bytes, frozenset[bytes]]]:
    """Return what is in the folder, with its flags."""
    with server.person() as person:
        person.select_folder(folder, readonly=True)
        uids = person.search("ALL")
        rows = person.fetch(uids, ["BODY.PEEK[]", "FLAGS"]) if uids else {}
    return [(rows[uid][b"BODY[]"], frozenset(rows[uid][b"FLAGS"])) for uid in uids]


def message(number: int = 1) -> ComposedMessage:
    own_id = f"<m{number}@example.com>"
    data = f"From: a@example.com\r\nMessage-ID: {own_id}\r\n\r\nHello.\r\n".encode()
    return ComposedMessage(message_id=own_id, sender="a@example.com", recipient="b@x.example", data=data)


async def started(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE, LINUS])


async def test_each_e_mail_that_left_is_in_sent_once_read_and_byte_for_byte(
    bureau: Bureau, dovecot: Dovecot
) -> None:
    with mailing(bureau.having(IMAP_URL=dovecot.url), {}) as (connected, inbox):
        await started(connected)
        connected.work()
        copies = sent_folder(dovecot)
        left = [bytes_of(envelope) for envelope in inbox.taken]
    assert len(left) == 2 and sorted(data for data, _ in copies) == sorted(left)
    assert all(b"\\Seen" in flags and b"\\Draft" not in flags for _, flags in copies)


async def test_a_mailbox_that_is_not_there_is_no_failure_of_the_send(
    bureau: Bureau, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = f"imap://ada:pw@127.0.0.1:{free_port()}"
    with mailing(bureau.having(IMAP_URL=nowhere), {}) as (connected, inbox), caplog.at_level("WARNING"):
        await started(connected)
        connected.work()
        assert len(inbox.taken) == 2
    assert caplog.text.count("No copy of an e-mail") == 1  # the second one does not wait for it again


def test_a_copy_that_is_there_is_not_put_there_again(dovecot: Dovecot) -> None:
    copies = sent_copies(Secret(dovecot.url), Secret("smtp://127.0.0.1:25"), tokens=None)
    with copies:
        for number in (1, 1, 2):
            copies.keep(message(number))
    assert [data for data, _ in sent_folder(dovecot)] == [message(1).data, message(2).data]


@pytest.mark.skipif(not has_dovecot(), reason="Dovecot is not installed")
def test_the_folder_is_looked_for_once_a_connection_and_again_after_it_was_renamed() -> None:
    with dovecot({"Drafts": "\\Drafts"}) as server, server.person() as person:
        person.create_folder("Sent Messages")
        with sent_copies(Secret(server.url), Secret("smtp://127.0.0.1:25"), tokens=None) as copies:
            assert copies.mailbox is not None
            spent = []
            for number in (1, 2):
                copies.keep(message(number))
                assert copies.mailbox._client is not None
                spent.append(int(copies.mailbox._client._imap.tagnum))
            assert 2 * (spent[1] - spent[0]) <= spent[0]  # no sign-in and no list any more
            person.rename_folder("Sent Messages", "Sent Items")
            copies.keep(message(3))
        assert [data for data, _ in sent_folder(server, "Sent Items")] == [message(one).data for one in (1, 2, 3)]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("smtp.gmail.com", True),
        ("smtp-relay.gmail.com", True),
        ("smtp.office365.com", True),
        ("smtp-mail.outlook.com", True),
        ("smtp.fastmail.com", False),
        ("gmail.com.example.org", False),
        ("notgmail.com", False),
    ],
)
def test_where_the_provider_keeps_copies_none_is_added(host: str, *, expected: bool) -> None:
    assert keeps_copies(host) is expected
    urls = Secret("imap://a:b@127.0.0.1"), Secret(f"smtps://a:b@{host}")
    assert (sent_copies(*urls, tokens=None).mailbox is None) is expected
