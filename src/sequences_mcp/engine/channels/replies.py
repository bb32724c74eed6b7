"""A mail server's answers that are not an acceptance: what each is about, and the error it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from sequences_mcp.domain import invisible
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRejectedError,
    DeliveryUnknownError,
    DeliveryWithheldError,
)
from sequences_mcp.lazy_dataclasses import dataclass


class Blame(StrEnum):
    """What a refusal is about, which decides what follows from it.

    ``mailbox``: the sender's mailbox cannot send to anybody at present, so it pauses. ``gone``: the address does
    not exist, and is never written to again. ``refuses``: the recipient's mailbox takes no e-mail at all.
    ``later``: the recipient's mailbox takes none just now. ``text``: a person has to look at this e-mail.
    """

    MAILBOX = "mailbox"
    GONE = "gone"
    REFUSES = "refuses"
    LATER = "later"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ReplyJudgement:
    """What an answer is about; ``is_unclear`` where it does not say. ``code`` identifies repeated answers."""

    blame: Blame
    code: str
    is_unclear: bool = False


def judge_reply(phase: str, code: int, text: str) -> ReplyJudgement:
    """Return what an answer that is not an acceptance is about; ``text`` has no code and one line."""
    enhanced = _enhanced(code, text)
    known = f"{code} {enhanced}" if enhanced else str(code)
    named = phase == "RCPT" or phase in ("DATA", "the final dot")
    if not named or code in _OURS or not 400 <= code <= 599:
        return ReplyJudgement(Blame.MAILBOX, known)
    words = _without_addresses(text)
    blame = _decided(enhanced, words) if enhanced else _by_words(code, words, at_rcpt=phase == "RCPT")
    if blame is None:
        return ReplyJudgement(Blame.MAILBOX, known, is_unclear=code >= 500)
    if blame in (Blame.GONE, Blame.REFUSES) and code < 500:
        blame = Blame.LATER
    return ReplyJudgement(blame, known)


# "Sign in first", "use encryption", "out of order", "no such command", "closing": about us, whenever it is said.
_OURS = frozenset({421, 432, 454, 500, 502, 503, 504, 521, 530, 534, 535, 538})
_ENHANCED = re.compile(r"\s*([45])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_ENHANCED_LATE = re.compile(r"\(#\s?([45])\.(\d{1,3})\.(\d{1,3})\)")  # as qmail writes it, at the end


def _enhanced(code: int, text: str) -> str:
    """Return the enhanced code, or nothing: one of another class than the answer's contradicts it."""
    match = _ENHANCED.match(text) or _ENHANCED_LATE.search(text)
    return ".".join(match.groups()) if match and match[1] == str(code)[0] else ""


def _without_addresses(text: str) -> str:
    """Return the words without addresses and links, in which any word may stand."""
    return re.sub(r"<[^<>]*>|\S+@\S+|https?://\S+", " ", text)


def _words_of(pattern: str) -> LazyPattern:
    return LazyPattern(f"(?ix){pattern}")


# Of the sender or of how much was sent, whatever code stands before it: Postfix says "Sender address rejected:
# User unknown" with 5.1.1, Exchange "SendAsDenied" with 5.2.0, others "sending quota exceeded" with 5.2.2.
_SENDER = _words_of(
    r"""
      sender\ (?:address|domain|verify|verification|is|not|denied|rejected|unknown|identity|authentication)
    | (?:bad|banned|blocked|invalid|unauthenticated|unverified|unknown|outbound)\ (?:outbound\ )?senders?\b
    | from[\ -]address | envelope[\ -]from | return[\ -]path | not\ owned\ by | identit(?:y|ies)
    | send\ ?-?as | permissions?\ to\ send | (?:allowed|authori[sz]ed|permitted)\ to\ (?:send|relay)
    | storedrv\.submission | (?:to|no)\ relay\b
    | relay(?:ing)?\ (?:access|not|is\ not|denied|disallowed|prohibited)
    | (?:sending|submission|outbound|outgoing|hourly|daily|monthly|send|relay)
      (?:\ \w+){0,3}\ (?:limits?|quotas?|thresholds?|credits?)\b
    | unusual\ (?:sending|rate|activity) | throttl | your\ (?:account|mailbox|ip|domain|host|server)\b
    | spam | \bspf\b | \bdkim | dmarc | blac?klist | blocklist | reputation | \brbl\b | dnsbl
    """
)
# Of the account, the connection or the server, where the code does not say otherwise.
_SERVER = _words_of(
    r"""
      sender | relay | rcpthosts | locally\ hosted | mail\ from
    | authenticat | credentials? | log(?:ged)?\ in\b | \bauth\b | password | verified
    | (?:message|messages|rate|recipients?|connections?)(?:\ \w+){0,2}\ (?:limits?|quotas?|thresholds?)\b
    | (?:limit|quota|rate|credits?)\ (?:of|for|exceeded|reached) | too\ many | too\ fast | rate[\ -]?limit
    | (?:maximum|max)\ (?:sending|credits|number|recipients|messages) | slow\ down | suspicious
    | block | polic(?:y|ies) | content | client\ host | \bhelo | \behlo | reverse\ dns | \bptr\b | connections?\b
    | (?:internal|configuration|local|temporary|server|system|processing|unexpected)\ (?:\w+\ )?
      (?:error|problem|failure)
    | disk | insufficient | traceback | exception | error:\ \( | try\ again\ later | not\ accepting
    """
)
_GREYLIST = _words_of(r"gr[ae]y-?list")
_RESTRICTED = _words_of(r"RESOLVER\.RST | recipient\ is\ not\ authori | restricted\ recipient")
_SIZE = _words_of(r"(?:message|size|mail|data)[^.]{0,40}\ (?:too\ (?:big|large|long)|size|maximum)")
_FULL = _words_of(
    r"""
      (?:mailbox|account|inbox|recipient|user)[^.]{0,60}
        (?:full|over[\ -]?quota|quota|storage|receiving\ (?:mail|messages))
    | over[\ -]?quota | receive\ limit | exceeded\ storage
    """
)
_NOBODY = _words_of(
    r"""
      (?:user|mailbox|account|recipient|address|person|alias)\b[^.;:]{0,60}
        (?:unknown|not\ (?:be\ )?(?:found|exist|known|listed)|doesn't\ exist|invalid|no\ longer)
    | (?:unknown|invalid|no\ such|nonexist\w*|non-exist\w*)\ (?:local\ )?
      (?:user|mailbox|recipient|account|address|person|alias)
    | no\ (?:mailbox|account|user|recipient|one)\ (?:here\ )?(?:by\ that|with\ that|named|found)
    | (?:doesn't|does\ not)\ have\ an?\ [\w.]{1,40}\ ?account | un-?rout(?:e)?able
    | (?:recipient\ )?domain\ (?:does\ not\ exist|not\ found) | host\ or\ domain\ name\ not\ found
    | not\ a\ valid\ (?:recipient|mailbox) | recipnotfound
    """
)
_CLOSED = _words_of(
    r"""
      (?:mailbox|account|user|recipient)[^.;:]{0,40}(?:disabled|inactive|closed|deactivated|unavailable|not\ local)
    | mailbox\ name\ not\ allowed | recipient\ address\ rejected
    | recipient\ (?:address\ )?(?:was\ )?(?:denied|refused)
    """
)

# The enhanced codes that say by themselves who it is about.
_CODES: dict[str, Blame] = {
    "1.1": Blame.GONE,
    "1.2": Blame.GONE,
    "1.3": Blame.GONE,
    "1.4": Blame.REFUSES,
    "1.6": Blame.GONE,
    "1.7": Blame.MAILBOX,
    "1.8": Blame.MAILBOX,
    "1.10": Blame.GONE,
    "1.20": Blame.TEXT,
    "1.90": Blame.MAILBOX,
    "2.1": Blame.REFUSES,
    "2.2": Blame.LATER,
    "2.3": Blame.TEXT,
    "2.121": Blame.LATER,
    "2.122": Blame.LATER,
    "2.252": Blame.MAILBOX,
    "3.4": Blame.TEXT,
    "4.4": Blame.REFUSES,
    "4.5": Blame.MAILBOX,
    "4.310": Blame.REFUSES,
    "7.17": Blame.REFUSES,  # the mailbox has had another owner since (RFC 7293)
    "7.18": Blame.REFUSES,
    "7.26": Blame.MAILBOX,
    "7.57": Blame.MAILBOX,
    "7.60": Blame.MAILBOX,
}


def _decided(enhanced: str, words: str) -> Blame | None:
    """Return what an enhanced code says, with the words where they contradict or complete it."""
    kind, subject, detail = enhanced.split(".")
    if _GREYLIST.search(words):
        return Blame.LATER
    if subject == "2" and _FULL.search(words) and not _SENDER.search(words):
        return Blame.LATER
    if _SENDER.search(words):
        return Blame.MAILBOX
    blame = _CODES.get(f"{subject}.{detail}")
    if kind == "4":
        return blame if blame is Blame.MAILBOX else Blame.LATER if subject in ("1", "2") else Blame.MAILBOX
    if blame is not None:
        return blame
    if subject == "6" or _RESTRICTED.search(words):
        return Blame.TEXT
    if _SERVER.search(words):
        return Blame.MAILBOX
    return None if subject == "7" else _of_recipient(words)


def _by_words(code: int, words: str, *, at_rcpt: bool) -> Blame | None:
    """Return what an answer without an enhanced code says."""
    if code == 523 or (code != 451 and _SIZE.search(words)):
        return Blame.TEXT
    if _GREYLIST.search(words):
        return Blame.LATER
    if _SENDER.search(words):
        return Blame.MAILBOX
    if _FULL.search(words):
        return Blame.LATER
    if _RESTRICTED.search(words):
        return Blame.TEXT
    if blame := _of_recipient(words):
        return blame if code != 451 else Blame.MAILBOX
    if _SERVER.search(words):
        return Blame.MAILBOX
    if at_rcpt and code in (450, 551):  # RFC 5321: mailbox unavailable; user not local
        return Blame.LATER if code == 450 else Blame.REFUSES
    return None


def _of_recipient(words: str) -> Blame | None:
    if _NOBODY.search(words):
        return Blame.GONE
    return Blame.REFUSES if _CLOSED.search(words) else None


_GONE = "Nothing is sent to this address again; with another one (save_contacts), retry_failed plans what is left."
_REFUSES = "retry_failed plans what is left, once the mailbox takes e-mail or the person has another address."
_LONGEST = 300
_MOST = 20_000  # more of an answer is not looked at
_NOBODY_REACHED = ReplyJudgement(Blame.MAILBOX, "")


def server_words(code: int | str, reply: bytes | str) -> str:
    """Return a server's answer as text, whole: ``shown`` makes of it what is kept."""
    text = reply[:_MOST].decode("utf-8", "replace") if isinstance(reply, bytes) else reply[:_MOST]
    return f"{code} {text}".strip()


def server_words_shown(reply: str, *, clean: Callable[[str], str]) -> str:
    """Return a server's answer as one line in which everything can be seen, cleaned of secrets, then shortened.

    ``clean`` takes secrets out before anything is cut off, because a part of a secret must not be shown either.
    """
    line = clean(" ".join(clean(reply).split()))
    line = invisible.draw(clean(invisible.strip(line)), keep="")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


_TOKEN = re.compile(r"<([^<>\s@]{6,200}@[^<>\s]{3,200})>|(?<![\w.-])([A-Za-z0-9][\w.-]{19,150})(?![\w.@-])")


def provider_ids(reply: str) -> tuple[str, ...]:
    """Return the ids that a mail server's acceptance names, as they may stand in answers: in lower case.

    Amazon answers ``250 Ok 0100018f…-000000`` and writes ``<that@eu-west-1.amazonses.com>`` into the e-mail;
    Exchange names the whole id in brackets. A short queue id is left out: servers use those again.
    """
    result = (whole or bare for whole, bare in _TOKEN.findall(reply[:2_000]))
    return tuple(dict.fromkeys(token.lower() for token in result))[:5]


_AMAZON = re.compile(r"250 Ok ([0-9a-f]{16}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d{6})")
_AMAZON_HOST = re.compile(r"//email-smtp(?:-fips)?\.([a-z0-9-]{5,30})\.amazonaws\.com\b")
_WHOLE_ID = re.compile(r"250 2\.0\.0 OK (<[!-;=?-~]{6,200}@[!-;=?-~]{3,200}>)")


def provider_message_id(reply: str, *, server: str) -> str:
    """Return the Message-ID that a provider wrote into an e-mail in place of ours, or nothing where none is known.

    Amazon answers with the part before the @; what follows is its region's (``email`` in us-east-1), out of the
    server's address, ``smtps://email-smtp.eu-west-1.amazonaws.com:465``. Microsoft answers with the whole id.
    """
    if whole := _WHOLE_ID.match(reply):
        return whole[1]
    local, region = _AMAZON.match(reply), _AMAZON_HOST.search(server)
    if not local or not region:
        return ""
    return f"<{local[1]}@{'email' if region[1] == 'us-east-1' else region[1]}.amazonses.com>"


def deferred_error(
    why: str,
    *,
    phase: str,
    judged: ReplyJudgement = _NOBODY_REACHED,
    reply: str = "",
    next_step: str = "It is tried again later by itself; `sequences-mcp doctor` checks the mail server.",
) -> DeliveryDeferredError:
    """Return the error for an e-mail that was certainly not accepted and may be tried again."""
    return DeliveryDeferredError(
        f"The e-mail was not accepted: {why}.",
        next_step=next_step,
        data={"phase": phase, "why": why, **_facts(judged), **_error_words(reply)},
    )


def withheld_error(
    why: str, *, phase: str, code: str = "", reply: str = "", next_step: str = ""
) -> DeliveryWithheldError:
    """Return the error for an e-mail that must not be tried again before a person has looked at it."""
    return DeliveryWithheldError(
        f"The e-mail was not sent: {why}.",
        next_step=next_step or "edit_draft changes its text; a person then approves it, or approves it as it is.",
        data={"phase": phase, "why": why, **_facts(ReplyJudgement(Blame.TEXT, code)), **_error_words(reply)},
    )


def refused_error(code: int, reply: bytes, *, phase: str) -> DeliveryError:
    """Return the error for an answer to MAIL, RCPT, DATA or the final dot that is not an acceptance."""
    answer = server_words(code, reply)
    judged = judge_reply(phase, code, " ".join(server_words("", reply).split())[:_LONGEST])
    why = f"the server answered {judged.code} to {phase}"
    if judged.blame is Blame.TEXT:
        return withheld_error(why, phase=phase, code=judged.code, reply=answer)
    if judged.blame in (Blame.MAILBOX, Blame.LATER):
        return deferred_error(why, phase=phase, judged=judged, reply=answer)
    return DeliveryRejectedError(
        f"The mail server says that this recipient takes no e-mail: it answered {judged.code} to {phase}.",
        next_step=_GONE if judged.blame is Blame.GONE else _REFUSES,
        data={"phase": phase, "bounced": judged.blame is Blame.GONE, **_facts(judged), **_error_words(answer)},
    )


def unknown_error(why: str, *, reply: str = "") -> DeliveryUnknownError:
    """Return the error for an e-mail that may or may not have been accepted."""
    return DeliveryUnknownError(
        f"The e-mail may have been delivered: {why}.",
        next_step="Look in the Sent folder, then resolve it in the review; no second one is sent by itself.",
        data=_error_words(reply),
    )


@contextmanager
def deferring(phase: str) -> Iterator[None]:
    """Turn a network failure before the final dot into a deferral. Every error of smtplib is an OSError."""
    try:
        yield
    except OSError as error:
        code = str(getattr(error, "smtp_code", "") or "")
        judged = ReplyJudgement(Blame.MAILBOX, code)
        raise deferred_error(
            f"{described(error)} ({phase})", phase=phase, judged=judged, reply=_reply(error)
        ) from error


def _facts(judged: ReplyJudgement) -> dict[str, object]:
    return {"blame": judged.blame.value, "code": judged.code, "doubtful": judged.is_unclear}


def _error_words(reply: str) -> dict[str, str]:
    return {"server_reply": reply} if reply else {}


def described(error: OSError) -> str:
    """Return a description of a connection's failure, without the server's words."""
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if code := getattr(error, "smtp_code", None):
        return f"the server answered {code}"
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__


def _reply(error: OSError) -> str:
    reply = getattr(error, "smtp_error", None)
    return server_words(getattr(error, "smtp_code", ""), reply) if isinstance(reply, bytes | str) else ""
