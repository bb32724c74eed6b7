"""Copies of sent e-mails in the mailbox's folder of sent mail, for a person's own mail program.

The e-mail has left before: a copy that cannot be stored is only logged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from sequences_mcp.domain.sender import Secret
from sequences_mcp.engine.channels.mail_server import MailServer, Tokens
from sequences_mcp.engine.channels.message import ComposedMessage
from sequences_mcp.engine.inbound.imap import ImapServer, ImapWalker
from sequences_mcp.errors import InboxUnreadError

log = logging.getLogger(__name__)
WAITS = 900.0  # seconds after a failure, in which the next e-mails go without a copy
# Whose mail servers put what they are given to send among what was sent.
KEEPING = ("gmail.com", "googlemail.com", "google.com", "office365.com", "outlook.com", "hotmail.com", "live.com")


def keeps_copies(host: str) -> bool:
    """Say whether a mail server puts a copy of what leaves by it into the mailbox by itself."""
    return any(f".{host.lower()}".endswith(f".{known}") for known in KEEPING)


@dataclass(slots=True)
class SentCopies:
    """The folder of sent mail of one mailbox, over one connection that stays open; None where none is kept."""

    mailbox: ImapWalker | None
    monotonic: Callable[[], float] = time.monotonic
    _not_before: float = field(default=float("-inf"))

    def keep(self, message: ComposedMessage) -> None:
        """Put a copy, marked as read, among what was sent, unless it is there; a failure is logged."""
        if self.mailbox is None or self.monotonic() < self._not_before:
            return
        try:
            if self.mailbox.put_sent(message.data, message_id=message.message_id) is None:
                log.warning("%s has no folder of sent mail: no copies are kept", self.mailbox.server.where)
                self._not_before = self.monotonic() + WAITS
        except InboxUnreadError as error:
            log.warning("No copy of an e-mail that left was kept: %s", error.message)
            self._not_before = self.monotonic() + WAITS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.mailbox is not None:
            self.mailbox.close()


def sent_copies(imap_url: Secret | None, smtp_url: Secret | None, tokens: Tokens | None) -> SentCopies:
    """Return what stores copies; it stores none where the mail server does so, or no mailbox is set up."""
    if imap_url is None or smtp_url is None or keeps_copies(MailServer.parse(smtp_url.value).host):
        return SentCopies(None)
    server = ImapServer.parse(imap_url.value)
    return SentCopies(ImapWalker(server, tokens=tokens, connect_within=5, answer_within=10))
