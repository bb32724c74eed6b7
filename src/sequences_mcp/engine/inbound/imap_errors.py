"""What a connection over IMAP fails with, and how that is said."""

from __future__ import annotations

import ast

from sequences_mcp.errors import InboxUnreadError


def losses() -> tuple[type[BaseException], ...]:
    """Return the exceptions of a lost connection. EOFError and ValueError come from reading half an answer."""
    from imaplib import IMAP4

    from imapclient.exceptions import ProtocolError

    return (OSError, IMAP4.abort, ProtocolError, EOFError)


def refusals() -> tuple[type[BaseException], ...]:
    """Return the exceptions of a server's NO or BAD, and of an answer that cannot be parsed."""
    from imapclient.exceptions import IMAPClientError

    return (IMAPClientError, ValueError, KeyError, TypeError, IndexError)


def is_connection_lost(error: InboxUnreadError) -> bool:
    """Say whether the connection ended, so that a new one may do what this one did not."""
    return bool(error.data.get("lost")) and not error.data.get("refused")


def refusal_words(error: BaseException) -> str:
    """Return a server's words; imaplib gives them as bytes, and IMAPClient as how Python would write those."""
    text = str(error)
    try:
        words = ast.literal_eval(text) if text.startswith(("b'", 'b"')) else text
    except (ValueError, SyntaxError):  # words of a server that look like it
        return text
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else text


def loss_described(error: BaseException) -> str:
    """Return in words why a connection was lost."""
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if type(error).__name__ == "abort" or isinstance(error, EOFError):
        return "the server ended the connection"
    return " ".join(str(error).split())[:200] or type(error).__name__
