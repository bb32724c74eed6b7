"""The errors of a delivery, each for what is certain about it.

==================  ============================================  ===============================================
answer              before the final dot, or to it                what follows
==================  ============================================  ===============================================
about the mailbox   deferred, ``data["blame"]`` is ``mailbox``    the mailbox rests; the e-mail waits
about the person    deferred (``later``) or rejected              the e-mail waits, or its sequence ends
about this text     withheld                                      a person looks at it
none after the dot  unknown                                       a person settles it; nothing is sent again
==================  ============================================  ===============================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sequences_mcp.engine.channels.replies import Blame, Judgement, judge
from sequences_mcp.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRejectedError,
    DeliveryUnknownError,
    DeliveryWithheldError,
)

_LONGEST = 300
_NOBODY_REACHED = Judgement(Blame.MAILBOX, "")


def words(reply: bytes | str) -> str:
    """Return a server's answer as one line of printable text, shortened."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def deferred(why: str, *, phase: str, judged: Judgement = _NOBODY_REACHED) -> DeliveryDeferredError:
    """Return the error for an e-mail that was certainly not accepted and may be tried again."""
    return DeliveryDeferredError(
        f"The e-mail was not accepted: {why}.",
        next_step="It is tried again later by itself; `sequences-mcp doctor` checks the mail server.",
        data={"phase": phase, "why": why, **_facts(judged)},
    )


def withheld(why: str, *, phase: str, code: str = "") -> DeliveryWithheldError:
    """Return the error for an e-mail that must not be tried again before a person has looked at it."""
    return DeliveryWithheldError(
        f"The e-mail was not sent: {why}.",
        next_step="edit_draft changes its text; a person then approves it, or approves it as it is.",
        data={"phase": phase, "why": why, **_facts(Judgement(Blame.TEXT, code))},
    )


def refused(code: int, reply: bytes, *, phase: str) -> DeliveryError:
    """Return the error for an answer to MAIL, RCPT, DATA or the final dot that is not a yes."""
    said = words(reply)
    judged = judge(phase, code, said)
    why = f"the server answered {code} {said} to {phase}"
    if judged.blame is Blame.TEXT:
        return withheld(why, phase=phase, code=judged.code)
    if judged.blame in (Blame.MAILBOX, Blame.LATER):
        return deferred(why, phase=phase, judged=judged)
    return DeliveryRejectedError(
        f"The mail server says that this recipient takes no e-mail: {code} {said}.",
        next_step="Check the address; a new sequence is needed to write to this person again.",
        data={"phase": phase, "bounced": judged.blame is Blame.GONE, **_facts(judged)},
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
        code = str(getattr(error, "smtp_code", "") or "")
        raise deferred(
            f"{_described(error)} ({phase})", phase=phase, judged=Judgement(Blame.MAILBOX, code)
        ) from error


def _facts(judged: Judgement) -> dict[str, object]:
    return {"blame": judged.blame.value, "code": judged.code, "doubtful": judged.doubtful}


def _described(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    reply = getattr(error, "smtp_error", None)
    if isinstance(reply, bytes | str):
        return f"the server answered {getattr(error, 'smtp_code', '')} {words(reply)}"
    return words(str(error)) or type(error).__name__
