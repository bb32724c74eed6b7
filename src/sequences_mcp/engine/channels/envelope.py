"""The last look at the bytes of an e-mail: they say what the envelope says, and nothing a server could misread."""

from __future__ import annotations

import re

from sequences_mcp.engine.channels.faults import withheld
from sequences_mcp.engine.channels.message import Message

_LONGEST_LINE = 998  # RFC 5322, section 2.1.1
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_ONCE = ("from", "to", "subject", "date", "message-id")
_NEVER = re.compile(r"cc|bcc|sender|resent-.*")


def flaw(message: Message) -> str | None:
    """Return what is wrong with a message, or None.

    One sender and one recipient, the same in the envelope and in the headers, no other recipient of any kind; CRLF
    line ends alone (anything else lets a server see a second message), no NUL, no line that is too long.
    """
    if message.smtputf8 == f"{message.sender}{message.recipient}".isascii():
        return "it does not say rightly whether its addresses need SMTPUTF8"
    if _BARE.search(message.data):
        return "its lines do not all end in CRLF, or it contains a NUL"
    if max(map(len, message.data.split(b"\r\n"))) > _LONGEST_LINE:
        return f"it has a line of more than {_LONGEST_LINE} bytes"
    headers = _headers(message.data)
    names = [name for name, _ in headers]
    if wrong := [name for name in _ONCE if names.count(name) != 1]:
        return f"it does not have exactly one {', '.join(wrong)} header"
    if extra := [name for name in names if _NEVER.fullmatch(name)]:
        return f"it has a {', '.join(extra)} header"
    return _mismatch(message, dict(headers))


def require_sound(message: Message) -> None:
    """Raise DeliveryWithheldError for a message with a flaw: it must not leave."""
    if why := flaw(message):
        raise withheld(why, phase="check")


def _headers(data: bytes) -> list[tuple[str, str]]:
    head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    lines = re.sub(r"\r\n(?=[ \t])", "", head).split("\r\n")
    return [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _mismatch(message: Message, headers: dict[str, str]) -> str | None:
    from email.utils import getaddresses

    for name, address in (("from", message.sender), ("to", message.recipient)):
        if [found for _, found in getaddresses([headers[name]])] != [address]:
            return f"its {name} header is not the envelope's one address"
    if headers["message-id"] != message.message_id:
        return "its message-id header is another one"
    return None
