"""An answer as a draft: composed in the thread of what it answers, and put into the mailbox's folder of drafts.

Nothing is sent. A person opens the draft in their own mail program, reads it and sends it.
"""

from __future__ import annotations

import asyncio

from sequences_mcp.engine.channels.mail_server import Tokens
from sequences_mcp.engine.channels.message import ComposedMessage, Correspondence, compose, message_id
from sequences_mcp.engine.inbound.imap import NO_DRAFTS, ImapServer, ImapWalker
from sequences_mcp.errors import DraftUnknownError, InboxUnreadError
from sequences_mcp.ports.embedded import AnswerDraft


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
    message = compose_draft(answer, key=key)
    return await asyncio.to_thread(append_draft, ImapWalker(ImapServer.parse(url), tokens=tokens), message)
