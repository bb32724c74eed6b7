"""Which answer of a mail server means what, and whose fault it is.

========================  =============================  =========================================================
phase                     5xx                            anything else than yes
========================  =============================  =========================================================
connect … sign in, MAIL   deferred: our own account      deferred
RCPT, DATA, final dot     rejected: this recipient or    deferred for 4xx; after the dot, unknown for no answer or
                          this text                      one that is none
========================  =============================  =========================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sequences_mcp.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRejectedError,
    DeliveryUnknownError,
)

# RFC 3463 and the IANA registry: what says that the address itself cannot be written to. 5.1.0, 5.1.7 and 5.1.8
# are as often said of the sender, and a suppression is for ever.
_DEAD = re.compile(r"5\.1\.(?:1|2|3|6|10)(?!\d)")
# "Sign in first", "use encryption", "out of order": about us, at whatever phase it is said.
_OURS = frozenset({503, 530, 534, 535, 538})
_LONGEST = 300


def words(reply: bytes | str) -> str:
    """Return a server's answer as one line of printable text, shortened."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def deferred(why: str, *, phase: str) -> DeliveryDeferredError:
    """Return the error for an e-mail that was certainly not accepted."""
    return DeliveryDeferredError(
        f"The e-mail was not accepted: {why}.",
        next_step="It is tried again later by itself; `sequences-mcp doctor` checks the mail server.",
        data={"phase": phase, "why": why},
    )


def refused(code: int, reply: bytes, *, phase: str) -> DeliveryError:
    """Return the error for an answer to RCPT, DATA or the final dot that is not a yes."""
    why = f"{code} {words(reply)}"
    if not 500 <= code <= 599 or code in _OURS:
        return deferred(f"the server answered {why} to {phase}", phase=phase)
    return DeliveryRejectedError(
        f"The mail server refused the e-mail for good: {why}.",
        next_step="Check the address and the text; a new sequence is needed to write to this person again.",
        data={"phase": phase, "code": code, "bounced": _DEAD.match(words(reply)) is not None},
    )


def unknown(why: str) -> DeliveryUnknownError:
    """Return the error for an e-mail that may or may not have been accepted."""
    return DeliveryUnknownError(
        f"The e-mail may have been delivered: {why}.",
        next_step="Look in the Sent folder, then settle it in the review; no second one is sent by itself.",
    )


@contextmanager
def deferring(phase: str) -> Iterator[None]:
    """Turn a network failure before the final dot into a deferral. Every error of smtplib is an OSError."""
    try:
        yield
    except OSError as error:
        raise deferred(f"{_described(error)} ({phase})", phase=phase) from error


def _described(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    reply = getattr(error, "smtp_error", None)
    if isinstance(reply, bytes | str):
        return f"the server answered {getattr(error, 'smtp_code', '')} {words(reply)}"
    return words(str(error)) or type(error).__name__
