"""What this program puts into a mailbox: drafts of answers, and copies of the e-mails that left.

Nothing is sent from here. A person opens a draft in their own mail program, reads it and sends it; it was composed
in the thread of what it answers. Copies are for that program's folder of sent mail; the e-mail has left before, so
a copy that cannot be stored is only logged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from sequences_mcp.domain.sender import Secret
from sequences_mcp.engine.channels.mail_server import MailServer, Tokens
from sequences_mcp.engine.channels.message import ComposedMessage, Correspondence, compose, message_id
from sequences_mcp.errors import DraftUnknownError, InboxUnreadError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.embedded import AnswerDraft

if TYPE_CHECKING:
    from sequences_mcp.engine.inbound.imap import ImapWalker


def compose_draft(answer: AnswerDraft, *, key: bytes) -> ComposedMessage:
    """Return the e-mail of an answer, closed by the sender's signature; InvalidArgumentsError for a bad text.

    ``key`` is a secret of this installation: the same answer gets the same Message-ID. The line on how to
    opt out is left out: it is for e-mails that nobody asked for.
    """
    name, address = answer.name, answer.sender.address
    return compose(
        sender=answer.sender,
        recipient=answer.recipient,
        subject=answer.subject,
        content=answer.sender.signed(answer.content, says_no=True),
        message_id=message_id(key, sequence_id=name, step_key="answer", generation=0, sender=address),
        date=answer.at,
        within=Correspondence(answers=answer.answers, refers_to=answer.refers_to),
    )


def append_draft(walker: ImapWalker, message: ComposedMessage) -> str:
    """Put a composed draft into the mailbox's folder of drafts; return the folder's name. Ends the connection.

    Raises InboxUnreadError where it is not there, and DraftUnknownError where the connection was lost and it could
    not be looked for.
    """
    from sequences_mcp.engine.inbound.imap import NO_DRAFTS

    where = walker.server.where
    try:
        return walker.put_draft(message.data, message_id=message.message_id)
    except InboxUnreadError as error:
        why = str(error.data["why"])
        if error.data.get("lost") and walker.logins:
            raise DraftUnknownError(
                f"Whether the draft stands in the mailbox at {where} is not known: {why}.",
                next_step="The same call again looks for it and puts it there once. Nothing was sent.",
            ) from error
        mend = "Call again later."
        if why == NO_DRAFTS or error.data.get("refused"):
            mend = "Create a folder named Drafts in it." if why == NO_DRAFTS else error.next_step
        raise InboxUnreadError(
            f"The draft was not put into the mailbox at {where}: {why}.",
            next_step=f"{mend} Until then, give the text to the person to send themselves.",
            data=error.data,
        ) from error
    finally:
        walker.close()


async def put_answer(answer: AnswerDraft, *, url: str, tokens: Tokens | None, key: bytes) -> str:
    """Compose an answer and put it into the folder of drafts at ``imaps://…``; return the folder's name."""
    from sequences_mcp.engine.inbound.imap import ImapServer, ImapWalker

    message = compose_draft(answer, key=key)
    return await asyncio.to_thread(append_draft, ImapWalker(ImapServer.parse(url), tokens=tokens), message)


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
    from sequences_mcp.engine.inbound.imap import ImapServer, ImapWalker

    server = ImapServer.parse(imap_url.value)
    return SentCopies(ImapWalker(server, tokens=tokens, connect_within=5, answer_within=10))
