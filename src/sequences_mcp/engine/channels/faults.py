"""The errors of a delivery, each for what is certain about it.

``message`` and ``data["why"]`` are this program's words, with at most the code of an answer. What a server says
is ``data["server_reply"]`` alone: a stranger's words, whatever they ask for.

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

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sequences_mcp.domain import invisible
from sequences_mcp.engine.channels.replies import Blame, Judgement, judge
from sequences_mcp.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRejectedError,
    DeliveryUnknownError,
    DeliveryWithheldError,
)

_GONE = "Nothing is sent to this address again; with another one (save_contacts), retry_failed plans what is left."
_REFUSES = "retry_failed plans what is left, once the mailbox takes e-mail or the person has another address."
_LONGEST = 300
_MOST = 20_000  # more of an answer is not looked at
_NOBODY_REACHED = Judgement(Blame.MAILBOX, "")


def said(code: int | str, reply: bytes | str) -> str:
    """Return a server's answer as text, whole: ``shown`` makes of it what is kept."""
    text = reply[:_MOST].decode("utf-8", "replace") if isinstance(reply, bytes) else reply[:_MOST]
    return f"{code} {text}".strip()


def shown(reply: str, *, clean: Callable[[str], str]) -> str:
    """Return a server's answer as one line in which everything can be seen, cleaned of secrets, then shortened.

    ``clean`` runs over it as it was given and as one line, before anything is cut off: half a secret is one too.
    """
    line = clean(" ".join(clean(reply).split()))
    line = invisible.draw(clean(invisible.strip(line)), keep="")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def deferred(
    why: str, *, phase: str, judged: Judgement = _NOBODY_REACHED, reply: str = ""
) -> DeliveryDeferredError:
    """Return the error for an e-mail that was certainly not accepted and may be tried again."""
    return DeliveryDeferredError(
        f"The e-mail was not accepted: {why}.",
        next_step="It is tried again later by itself; `sequences-mcp doctor` checks the mail server.",
        data={"phase": phase, "why": why, **_facts(judged), **_said(reply)},
    )


def withheld(
    why: str, *, phase: str, code: str = "", reply: str = "", next_step: str = ""
) -> DeliveryWithheldError:
    """Return the error for an e-mail that must not be tried again before a person has looked at it."""
    return DeliveryWithheldError(
        f"The e-mail was not sent: {why}.",
        next_step=next_step or "edit_draft changes its text; a person then approves it, or approves it as it is.",
        data={"phase": phase, "why": why, **_facts(Judgement(Blame.TEXT, code)), **_said(reply)},
    )


def refused(code: int, reply: bytes, *, phase: str) -> DeliveryError:
    """Return the error for an answer to MAIL, RCPT, DATA or the final dot that is not a yes."""
    answer = said(code, reply)
    judged = judge(phase, code, " ".join(said("", reply).split())[:_LONGEST])
    why = f"the server answered {judged.code} to {phase}"
    if judged.blame is Blame.TEXT:
        return withheld(why, phase=phase, code=judged.code, reply=answer)
    if judged.blame in (Blame.MAILBOX, Blame.LATER):
        return deferred(why, phase=phase, judged=judged, reply=answer)
    return DeliveryRejectedError(
        f"The mail server says that this recipient takes no e-mail: it answered {judged.code} to {phase}.",
        next_step=_GONE if judged.blame is Blame.GONE else _REFUSES,
        data={"phase": phase, "bounced": judged.blame is Blame.GONE, **_facts(judged), **_said(answer)},
    )


def unknown(why: str, *, reply: str = "") -> DeliveryUnknownError:
    """Return the error for an e-mail that may or may not have been accepted."""
    return DeliveryUnknownError(
        f"The e-mail may have been delivered: {why}.",
        next_step="Look in the Sent folder, then settle it in the review; no second one is sent by itself.",
        data=_said(reply),
    )


@contextmanager
def deferring(phase: str) -> Iterator[None]:
    """Turn a network failure before the final dot into a deferral. Every error of smtplib is an OSError."""
    try:
        yield
    except OSError as error:
        code = str(getattr(error, "smtp_code", "") or "")
        judged = Judgement(Blame.MAILBOX, code)
        raise deferred(f"{described(error)} ({phase})", phase=phase, judged=judged, reply=_reply(error)) from error


def _facts(judged: Judgement) -> dict[str, object]:
    return {"blame": judged.blame.value, "code": judged.code, "doubtful": judged.doubtful}


def _said(reply: str) -> dict[str, str]:
    return {"server_reply": reply} if reply else {}


def described(error: OSError) -> str:
    """Return what went wrong with a connection, without the server's words."""
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if code := getattr(error, "smtp_code", None):
        return f"the server answered {code}"
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__


def _reply(error: OSError) -> str:
    reply = getattr(error, "smtp_error", None)
    return said(getattr(error, "smtp_code", ""), reply) if isinstance(reply, bytes | str) else ""
