"""What an incoming e-mail is: a complaint, a returned e-mail, an automatic reply, or a person's reply.

Hard signs come first, because the reports of Google and Microsoft also say that they are automatic replies: a part
of RFC 5965 (a complaint), a part of RFC 3464 (a delivery status), what flufl.bounce knows of other mail systems, a
mailer's name, the marks of RFC 3834, an empty return path with words of its kind. A message without any of these
is a person's.
"""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from email.message import Message
from enum import StrEnum

from sequences_mcp.domain.threads import ANSWER_OR_COPY_PREFIX
from sequences_mcp.engine.channels.replies import Blame, judge_reply
from sequences_mcp.engine.inbound.opt_out import phrases
from sequences_mcp.engine.inbound.parsing import (
    ADDRESS,
    ParsedMessage,
    decoded_header,
    first_texts,
    inside_of,
    own_parts,
    part_text,
)
from sequences_mcp.lazy_dataclasses import dataclass


class InboundKind(StrEnum):
    """What came in.

    ``returned``: a mailer's message that says too little, so that a person has to look. ``delayed`` and
    ``soft_bounce`` are noted, the third ends in a hold. ``automatic`` is any other machine's: nothing follows.
    ``opt_out`` is a reply, told apart once the text that we sent is taken out of it.
    """

    REPLY = "reply"
    OPT_OUT = "opt_out"
    AWAY = "away"
    AUTOMATIC = "automatic"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    DELAYED = "delayed"
    RETURNED = "returned"
    COMPLAINT = "complaint"


OF_MAILERS = frozenset(
    {InboundKind.HARD_BOUNCE, InboundKind.SOFT_BOUNCE, InboundKind.DELAYED, InboundKind.RETURNED}
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a message is; ``addresses`` those it names as failing, ``why`` the status and the mailer's words.

    ``final`` are those of them at which the mailer says that it failed in the end, where it says that.
    ``by_subject``: only its subject says that it is automatic, which may be the subject of an e-mail of ours.
    ``is_uncertain``: it reads like an automatic message, and neither a mark nor its own words say that it is one.
    """

    kind: InboundKind
    addresses: frozenset[str] = frozenset()
    why: str = ""
    by_subject: bool = False
    is_uncertain: bool = False
    final: frozenset[str] = frozenset()

    @property
    def failing(self) -> frozenset[str]:
        """The addresses at which it failed: where an e-mail was forwarded, not the one that was written to."""
        return self.final or self.addresses


_LONGEST_WHY = 300
MOST_OF_NOTE = 1_200  # letters of a message that bears no mark: a machine says it at once


def judge_inbound(message: ParsedMessage) -> Judged:
    """Return what a message is."""
    parts = own_parts(message.root)
    types = {part.get_content_type().replace("/global-", "/"): part for part in parts}  # RFC 6533
    if (report := types.get("message/feedback-report")) is not None:
        return _complaint(message, report)
    if (status := types.get("message/delivery-status")) is not None:
        if judged := _by_status(message, _blocks(status)):
            return judged
    elif "message/disposition-notification" in types or _report_type(message) == "disposition-notification":
        return Judged(InboundKind.AUTOMATIC)
    elif _report_type(message) == "delivery-status" and (
        judged := _by_status(message, _lines(message.everything))
    ):
        return judged
    if _COMPLAINS.match(message.subject) and _has_original(message):
        return Judged(InboundKind.COMPLAINT, why="a complaint: the recipient marked it as spam")
    if judged := _by_detectors(message):
        return judged
    if _is_mailer(message) and (returned := _returned(message)):
        return returned
    is_from_nobody = message.header("Return-Path").replace(" ", "") == "<>"
    if (is_marked := _is_automatic(message)) or _has_automatic_subject(message):
        kind = InboundKind.AWAY if _is_away(message) else InboundKind.AUTOMATIC
        return Judged(kind, by_subject=not is_marked and not is_from_nobody)
    if (by_words := _automatic_by_words(message)) is not None:
        return by_words
    # An empty return path alone is no sign: a program that fetches mail into a mailbox leaves it on everything.
    return Judged(InboundKind.AWAY if is_from_nobody and _is_away(message) else InboundKind.REPLY)


def _report_type(message: ParsedMessage) -> str:
    if message.root.get_content_type() != "multipart/report":
        return ""
    try:
        result = message.root.get_param("report-type", "")
    except (ValueError, LookupError, TypeError):
        return ""
    return result.lower() if isinstance(result, str) else ""


# Complaints

# Of those who send no report of RFC 5965, with our e-mail attached.
_COMPLAINS = re.compile(
    r"complaint about message from|(?:e-?mail )?(?:abuse|feedback|spam) (?:report|complaint)|spam report",
    re.IGNORECASE,
)


def _complaint(message: ParsedMessage, report: Message) -> Judged:
    """Return what an abuse report says; one about anything else than abuse is no complaint (RFC 5965, 7.3)."""
    fields = dict(_fields(_inner_text(report)))
    if fields.get("feedback-type", "abuse").lower() in ("not-spam", "auth-failure", "dmarc", "virus"):
        return Judged(InboundKind.AUTOMATIC)
    named = ADDRESS.findall(f"{fields.get('original-rcpt-to', '')} {fields.get('removal-recipient', '')}")
    return Judged(InboundKind.COMPLAINT, _clean(named), "a complaint: the recipient marked it as spam")


# Delivery status


def _blocks(part: Message) -> list[Mapping[str, str]]:
    """Return the blocks of a delivery status: the message's own, then one for each recipient."""
    inside = inside_of(part)
    if isinstance(inside, list):
        blocks: list[Mapping[str, str]] = [
            {name.lower(): decoded_header(value) for name, value in item.items()} for item in inside
        ]
        if any("action" in block or "status" in block or "final-recipient" in block for block in blocks):
            return blocks
    return _lines(_inner_text(part))


def _inner_text(part: Message) -> str:
    """Return the text of a report's part, which the parser may have read as messages, or left encoded."""
    inside = inside_of(part)
    if not isinstance(inside, list):
        return part_text(part)
    pieces = []
    for item in inside:
        pieces += [
            "\n".join(f"{name}: {decoded_header(value)}" for name, value in item.items()),
            part_text(item),
        ]
    text = "\n\n".join(pieces).strip()
    if part.get("Content-Transfer-Encoding", "").strip().lower() == "base64":
        try:
            return b64decode("".join(text.split()), validate=False).decode("utf-8", "replace")
        except (BinasciiError, ValueError):
            return text
    return text


def _fields(text: str) -> Iterator[tuple[str, str]]:
    unfolded = re.sub(r"\r?\n[ \t]+", " ", text)
    for line in unfolded.splitlines():
        name, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[A-Za-z][A-Za-z-]{2,40}", name.strip()):
            yield name.strip().lower(), value.strip()


def _lines(text: str) -> list[Mapping[str, str]]:
    """Return the blocks of fields of a delivery status that is plain text."""
    blocks = [dict(_fields(block)) for block in re.split(r"\r?\n\s*\r?\n", text)]
    return [block for block in blocks if "final-recipient" in block or "action" in block]


def _by_status(message: ParsedMessage, blocks: Iterable[Mapping[str, str]]) -> Judged | None:
    """Return the worst result in a delivery status, or None where it has none."""
    result: list[Judged] = []
    for block in blocks:
        action = block.get("action", "").split(" ")[0].strip(" ;").lower()
        status = next(iter(re.findall(r"[245]\.\d{1,3}\.\d{1,3}", block.get("status", ""))), "")
        diagnostic = block.get("diagnostic-code", "")
        if not action and not status:
            continue
        final = _clean(ADDRESS.findall(block.get("final-recipient", "")))
        named = final | _clean(ADDRESS.findall(block.get("original-recipient", "")))
        why = " ".join(f"{status} {diagnostic}".split())[:_LONGEST_WHY]
        if action in ("delivered", "relayed", "expanded") or (not action and status.startswith("2")):
            result.append(Judged(InboundKind.AUTOMATIC, named, why))
        elif action == "delayed":
            result.append(Judged(InboundKind.DELAYED, named, why))
        else:
            hard = is_hard(status, diagnostic or _failing_line(message))
            kind = InboundKind.HARD_BOUNCE if hard else InboundKind.SOFT_BOUNCE
            result.append(Judged(kind, named, why, final=final))
    order = (InboundKind.HARD_BOUNCE, InboundKind.SOFT_BOUNCE, InboundKind.DELAYED, InboundKind.AUTOMATIC)
    return min(result, key=lambda judged: order.index(judged.kind), default=None)


_ENHANCED = re.compile(r"(?<![\d.])#?([45])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[\s\-]|$)")
# By themselves, of the address: RFC 3463, RFC 7505 (null MX). Never: 5.1.0, 5.1.7 and 5.1.8 are about the sender,
# 5.2.2 is a full mailbox, 5.3.x the system, 5.7.x a policy.
_GONE = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "1.351"})
_UNDECIDED = frozenset({"0.0", "5.0", "4.4", "1.4", "2.0", "4.0", "6.0"})


def is_hard(status: str, words: str) -> bool:
    """Say whether a status (``5.1.1``, or empty) and a server's words mean that the address does not exist."""
    codes = [".".join(match) for match in _ENHANCED.findall(words[:2_000])]
    if status.startswith("4") or (not status and codes and all(code.startswith("4") for code in codes)):
        return False
    ours = status.partition(".")[2]
    exact = [ours] if ours and not _is_open(ours) else []
    # Its server may have said it more exactly than the mailer that passed it on.
    decided = [code.partition(".")[2] for code in codes if code.startswith("5")]
    exact += [code for code in decided if not _is_open(code)]
    if exact:
        return all(code in _GONE for code in exact) and not _contradicts(words)
    code = next((int(result) for result in _CODE.findall(words[:2_000])), 550)
    return code >= 500 and reason_in_words(words) is Blame.GONE and not phrases("resting").search(words[:2_000])


def _is_open(code: str) -> bool:
    """Say whether a status code without its class says nothing of the cause, as every x.0.y does."""
    return code in _UNDECIDED or code.startswith("0.")


def reason_in_words(words: str) -> Blame | None:
    """Return what a mailer's words say of why something came back; None where they leave it open."""
    plain = _own_words(words)
    judged = judge_reply("RCPT", 550, plain)
    if not judged.is_unclear and judged.blame is not Blame.GONE:
        return judged.blame
    if phrases("full").search(plain):
        return Blame.LATER
    # An explanation of what may have happened names the reasons that there are, not the one that it was.
    sure = " ".join(part for part in re.split(r"(?<=[.;!?])\s", plain) if not phrases("perhaps").search(part))
    says_gone = judge_reply("RCPT", 550, sure).blame is Blame.GONE or bool(phrases("nobody").search(sure))
    return Blame.GONE if says_gone else None


def _contradicts(words: str) -> bool:
    """Say whether words tell of something else than an address that does not exist, which their code says."""
    reason = reason_in_words(words)
    return reason in (Blame.LATER, Blame.TEXT, Blame.MAILBOX) or (
        reason is not Blame.GONE and bool(phrases("resting").search(words[:2_000]))
    )


def _own_words(text: str) -> str:
    """Return a server's words without codes, on one line."""
    plain = _ENHANCED.sub(" ", text[:2_000])
    return " ".join(re.sub(r"^\s*(?:smtp;)?\s*[45]\d\d[\s-]", " ", plain).split())


# Other mail systems


def _by_detectors(message: ParsedMessage) -> Judged | None:
    """Return what flufl.bounce finds, which knows the texts of many mail systems."""
    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").disabled = True  # a detector that fails over a stranger's text says nothing
    try:
        temporary, permanent = all_failures(first_texts(_without_messages(message.root)))
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, IndexError, RecursionError):
        return None  # its detectors trust what they read, and a stranger wrote it
    if not temporary and not permanent:
        return None
    named = _failing(message, (address.decode("ascii", "replace") for address in permanent or temporary))
    if not permanent:
        kind = InboundKind.DELAYED if _says_delayed(message) else InboundKind.SOFT_BOUNCE
        return Judged(kind, named, _failing_line(message)[:_LONGEST_WHY])
    return _named_failure(message, named)


def _failing(message: ParsedMessage, addresses: Iterable[str]) -> frozenset[str]:
    """Return addresses without those that cannot be failing: whose mailbox it came to, and what is an id."""
    never = _clean(ADDRESS.findall(message.header("To"))) | message.ids | _clean([message.sender])
    if named := _clean(addresses) - never:
        return named
    return _clean(ADDRESS.findall(_before_the_original(message))) - never


def _without_messages(root: Message) -> Message:
    """Return a message without the messages inside it, which its writer only forwards; a report is left whole."""
    if root.get_content_maintype() != "multipart" or root.get_content_type() == "multipart/report":
        return root
    if not isinstance(inside := inside_of(root), list):
        return root
    ours = [part for part in inside if part.get_content_type() != "message/rfc822"]
    if len(ours) == len(inside):
        return root
    bare = copy(root)
    bare.set_payload(list[Message | str](ours))
    return bare


def _named_failure(message: ParsedMessage, named: frozenset[str]) -> Judged:
    line = _failing_line(message)
    kind = InboundKind.HARD_BOUNCE if is_hard("", line) else InboundKind.SOFT_BOUNCE
    if kind is InboundKind.SOFT_BOUNCE and _says_delayed(message):
        kind = InboundKind.DELAYED
    return Judged(kind, named, line[:_LONGEST_WHY])


def _says_delayed(message: ParsedMessage) -> bool:
    """Say whether a mailer tells that it still tries, and not that it has given up."""
    words = f"{message.subject}\n{_before_the_original(message)[:2_000]}"
    return bool(phrases("delays").search(words)) and not phrases("given_up").search(_IN_CASE.sub(" ", words))


# "You will be told if the delivery fails permanently": it has not.
_IN_CASE = re.compile(
    r"\b(?:if|unless|until|should|falls|wenn|si|se|als|jeśli|om|hvis|jos|если|якщо)\b[^.;!?\n]{0,120}",
    re.IGNORECASE,
)


_SAYS_WHY = re.compile(
    r"\b[45]\d\d[\s-]|\b[45]\.\d{1,3}\.\d{1,3}\b|unknown|no such|not (?:exist|found)|doesn't|invalid|full"
    r"|quota|refused|rejected|denied|blocked|disabled|unroute?able|could not|couldn't",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"(?im)^[^\w\n]{0,200}(?:this is a copy of|below (?:this line )?is a copy|included is a copy|received:"
    r"|return-path:|the (?:original(?! message was received)|following|body|header|first)[^\n]{0,40}message"
    r"|original message|message headers?|returned message|undelivered message)"
)


def _failing_line(message: ParsedMessage) -> str:
    """Return the lines in which a mailer says why, of what stands before the copy of our message."""
    lines = (" ".join(line.split()) for line in _before_the_original(message).splitlines())
    return " ".join(line for line in lines if _says_why(line))[:1_000]


def _says_why(line: str) -> bool:
    return bool(
        _SAYS_WHY.search(line) or any(phrases(name).search(line) for name in ("nobody", "full", "resting"))
    )


def _before_the_original(message: ParsedMessage) -> str:
    return _ORIGINAL.split(message.text, maxsplit=1)[0][:10_000] or message.text[:2_000]


_MAILERS = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|mail(?:er)?[-.]delivery\S*|microsoftexchange[0-9a-f]*|mdaemon|mmdf"
    r"|delivery[-_.]?(?:failure|status|notification)\S*|undeliverable\S*|nondelivery\S*)@.*|10000@qq\.com",
    re.IGNORECASE,
)
_PERHAPS_MAILERS = re.compile(
    r"(?:postmaster|bounces?|mail-?admin|mail-router|mta|smtp-?gateway|mail-?system|system)@.*", re.IGNORECASE
)
_MAILER_NAMES = re.compile(
    r"mail delivery (?:sub)?system|mail delivery service|mailer.?daemon|mail administrator|system administrator"
    r"|internet mail delivery|postmaster|microsoft outlook$|delivery subsystem",
    re.IGNORECASE,
)


def may_be_report(message: ParsedMessage) -> bool:
    """Say whether a message shows any sign of a mail system's report; what shows none is not looked at as one."""
    return (
        message.root.get_content_type() == "multipart/report"
        or "message/delivery-status" in message.everything
        or _is_mailer(message)
        or message.header("Return-Path").replace(" ", "") == "<>"
        or bool(_MAILER_NAMES.search(message.sender_name))
        or _names_failure(message)
    )


def _is_mailer(message: ParsedMessage) -> bool:
    """Say whether a mail system wrote it: by its address, or by its name and a subject of its kind."""
    if _MAILERS.fullmatch(message.sender) or message.header("X-Failed-Recipients"):
        return True
    # People write from such addresses too, above all where they answer.
    if _PERHAPS_MAILERS.fullmatch(message.sender) and not (
        _ANSWERS.match(message.subject) and message.header("Return-Path").replace(" ", "") != "<>"
    ):
        return True
    if not _names_failure(message):
        return False
    names_itself = bool(_MAILER_NAMES.search(message.sender_name))
    is_nobody = message.header("Return-Path").replace(" ", "") == "<>" or not message.sender
    if names_itself or is_nobody:
        return True
    # A person's answer to a report begins with "Re:" or "Fwd:".
    return not _ANSWERS.match(message.subject) and (
        _has_original(message) or bool(_ENHANCED.search(_failing_line(message)))
    )


_ANSWERS = re.compile(ANSWER_OR_COPY_PREFIX, re.IGNORECASE)


def _names_failure(message: ParsedMessage) -> bool:
    return bool(phrases("failure_subjects").search(message.subject))


def _returned(message: ParsedMessage) -> Judged | None:
    """Judge a mailer's message that no detector knows; None where it may not be a mailer's."""
    named = _clean(ADDRESS.findall(message.header("X-Failed-Recipients")))
    line = _failing_line(message)
    if _says_delayed(message):
        return Judged(InboundKind.DELAYED, named, line[:_LONGEST_WHY])
    if _ENHANCED.search(line) or _CODE.search(line) or reason_in_words(line) is not None:
        return _named_failure(message, named)
    if not _names_failure(message) and not line and not _has_original(message):
        return Judged(InboundKind.AUTOMATIC) if _MAILERS.fullmatch(message.sender) else None
    return Judged(InboundKind.RETURNED, named, (line or message.subject)[:_LONGEST_WHY])


def _has_original(message: ParsedMessage) -> bool:
    """Say whether a copy of another message, or of its headers, stands in it."""
    types = {part.get_content_type() for part in own_parts(message.root)}
    return bool(types & {"message/rfc822", "text/rfc822-headers"} or _COPIED_HEADERS.search(message.text))


_COPIED_HEADERS = re.compile(r"(?im)^[^\w\n]{0,5}(?:message-id|received|return-path)\s*:\s*\S")


# Automatic replies

_MARKS = (
    "X-Autoreply",
    "X-Auto-Reply",
    "X-AutoReply-From",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Mail-Autoreply",
    "X-Autogenerated",
    "X-Auto-Response",
    "X-FC-MachineGenerated",
    "X-Vacation",
    "X-Out-Of-Office",
    "X-ServiceNow-Generated",
    "X-Ricevuta",  # of Italian certified mail
)
_OF_MACHINES = ("bulk", "junk")
_NO_REPLY = re.compile(
    r"(?:[^@]*[._-])?(?:no-?_?reply|auto-?(?:reply|answer|respon\w+)|do-?_?not-?_?reply|nicht-?antworten|ne-?pas-?repondre)(?:[._+-][^@]*)?@.*"
)


def _is_automatic(message: ParsedMessage) -> bool:
    """Say whether a header marks it as automatic (RFC 3834, or what mail programs write in its place)."""
    submitted = message.header("Auto-Submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(message.header(name).lower() not in ("", "no", "false") for name in _MARKS):
        return True
    precedence = message.header("Precedence").lower()
    if precedence in ("auto_reply", "auto-reply") or (
        precedence in _OF_MACHINES and not message.header("List-Id")
    ):
        return True
    if "rules agent" in message.header("X-MS-Exchange-Generated-Message-Source").lower():
        return True
    if "autoresponder" in message.header("X-POST-MessageClass").lower():
        return True
    if message.header("Delivered-To").lower() == "autoresponder":
        return True
    return bool(_NO_REPLY.fullmatch(message.sender.lower()))


_ANSWERED = r"(?:(?:re|aw|sv|rif|antw|odp)\s*:\s*)*(?:{})"


def _has_automatic_subject(message: ParsedMessage) -> bool:
    """Say whether its subject is an automatic reply's, and its text too where a person may write the subject."""
    if not phrases("automatic_subjects", _ANSWERED).match(message.subject):
        return False
    words = _first_words(message)
    if not words or not phrases("weak_subjects", _ANSWERED).match(message.subject):
        return True
    names = ("away", "absence_notes", "machine_words", "acknowledgements", "left")
    return not phrases("of_persons").search(words) and any(phrases(name).search(words) for name in names)


def _is_away(message: ParsedMessage) -> bool:
    return bool(phrases("away").search(f"{message.subject}\n{message.text[:5_000]}".replace("’", "'")))


def _automatic_by_words(message: ParsedMessage) -> Judged | None:
    """Return what a message without any mark is by what it says, or None where a person may have written it.

    A machine says that it is one. An absence note only has sentences that such notes have; one that also continues
    the conversation (away next week, but happy to talk) is a person's.
    """
    words = phrases("courtesies").sub(" ", _first_words(message))
    if phrases("of_persons").search(words):
        return None
    is_note = phrases("absence_notes").search(words) or phrases("instead").search(words)
    if is_note and phrases("away").search(words):
        return Judged(InboundKind.AWAY)
    if phrases("machine_words").search(words):
        return Judged(InboundKind.AUTOMATIC)
    has_left = phrases("left").search(words) and phrases("instead").search(words)
    if has_left or phrases("acknowledgements").search(words):
        return Judged(InboundKind.AUTOMATIC, is_uncertain=True)
    return None


def says_that_they_left(message: ParsedMessage) -> bool:
    """Say whether an automatic reply tells that the person no longer works there."""
    return bool(phrases("left").search(f"{message.subject}\n{_first_words(message)}"))


def _first_words(message: ParsedMessage) -> str:
    """Return the beginning of a message on one line, up to where it quotes another one."""
    lines: list[str] = []
    for line in message.text[:MOST_OF_NOTE].replace("’", "'").splitlines():
        if line.lstrip().startswith(">") or phrases("attributions").fullmatch(line.strip()[:400]):
            break
        lines.append(line)
    return " ".join(" ".join(lines).split())


def _clean(addresses: Iterable[str]) -> frozenset[str]:
    """Return addresses as they are compared, those too that a report writes in xtext (RFC 3461, section 4)."""
    result = {address.strip(" .<>\"'") for address in addresses}
    result |= {re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), address) for address in result}
    return frozenset(address.lower() for address in result if "@" in address)
