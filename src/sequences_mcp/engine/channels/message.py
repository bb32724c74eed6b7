"""One composed e-mail, and what its delivery returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The bytes of one e-mail and its envelope: one sender, one recipient.

    ``data`` has CRLF line ends and no dot-stuffing. ``smtputf8`` says that an address is outside ASCII, which the
    server has to offer SMTPUTF8 for (RFC 6531).
    """

    message_id: str
    sender: str
    recipient: str
    data: bytes
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of acceptance: the server's own words, or the file written."""

    reply: str
