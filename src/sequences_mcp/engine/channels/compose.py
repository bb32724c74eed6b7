"""The bytes of an e-mail, from nothing but what is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sequences_mcp.domain.addresses import wire_address
from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.envelope import flaw
from sequences_mcp.engine.channels.header import is_fit, mailbox, unstructured
from sequences_mcp.engine.channels.message import Message
from sequences_mcp.errors import InvalidArgumentsError


def compose(
    *, sender: Sender, recipient: str, subject: str, content: str, message_id: str, date: datetime
) -> Message:
    """Return a plain-text e-mail from one person to one person.

    The same arguments give the same bytes. ``date`` is aware. Raises InvalidArgumentsError for what is not one
    plain address, for a line break or another control character in a header, and for a text that has no bytes.
    """
    _require_fit({"sender's name": sender.name, "subject": subject, "message id": message_id}, content=content)
    mine, theirs = _wire(sender.address), _wire(recipient)
    headers = {
        "From": mailbox(sender.name, mine),
        "To": mailbox("", theirs),
        "Subject": unstructured(subject),
        "Date": _date(date),
        "Message-ID": message_id,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    message = Message(
        message_id=message_id,
        sender=mine,
        recipient=theirs,
        data=head.encode() + _body(content),
        smtputf8=not (mine + theirs).isascii(),
    )
    if why := flaw(message):
        raise _unfit(f"The e-mail cannot be composed: {why}.")
    return message


def _body(content: str) -> bytes:
    """Return the MIME headers and the text; never 8bit, so that no server has to offer 8BITMIME."""
    from email.message import EmailMessage
    from email.policy import SMTP

    part = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    part.set_content(content, charset="utf-8")
    return part.as_bytes()


def _date(date: datetime) -> str:
    from email.utils import format_datetime

    if date.utcoffset() is None:
        raise _unfit("The date has no offset from UTC.")
    return format_datetime(date)


def _wire(address: str) -> str:
    wire = wire_address(address)
    if not is_fit(wire):
        raise _unfit(f"{address[:80]!r} is not one plain e-mail address.")
    return wire


def _require_fit(headers: Mapping[str, str], *, content: str) -> None:
    for name, value in headers.items():
        if not is_fit(value):
            raise _unfit(f"The {name} contains a line break or another control character.")
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in content):
        raise _unfit("The text contains a character that cannot be written in an e-mail.")


def _unfit(message: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        message, next_step="Correct the text with edit_draft or the address with save_contacts."
    )
