"""The bytes of an e-mail: headers, composition, and the checks of them before they leave."""

from __future__ import annotations

import hmac
import re
import unicodedata
from base64 import b32encode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sequences_mcp.domain.addresses import wire_address
from sequences_mcp.domain.markdown import Letter
from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.replies import withheld_error
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from email.message import EmailMessage
    from email.policy import EmailPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedMessage:
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
class Correspondence:
    """The conversation that an e-mail continues, and the addresses by which its recipient can unsubscribe.

    ``answers`` is the Message-ID of what it answers, ``refers_to`` those before that, the oldest first. With
    ``unsubscribes`` it names the address that an opt-out is written to, and ``one_click`` the one that it is
    posted to (RFC 8058), where there is one.
    """

    answers: str = ""
    refers_to: tuple[str, ...] = ()
    unsubscribes: bool = False
    one_click: str = ""


ALONE = Correspondence()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of acceptance: the server's own words, or the file written."""

    reply: str


_SIZE = 20  # 160 bits are 32 letters without padding


def message_id(key: bytes, *, sequence_id: str, step_key: str, generation: int, sender: str) -> str:
    """Return ``<base32(HMAC-SHA256(key, sequence|step|generation))@sender-domain>``.

    ``key`` is a secret of this installation; ``sender`` the address whose domain the id ends in.
    """
    name = f"{sequence_id}|{step_key}|{generation}".encode()
    local = b32encode(hmac.digest(key, name, "sha256")[:_SIZE]).decode("ascii").lower()
    return f"<{local}@{wire_address(sender).rpartition('@')[2]}>"


# Printable ASCII without a space at either end and without what a reader would take for an encoded word.
_PLAIN = re.compile(r"(?!.*=\?)(?! )[ -~]{1,900}(?<! )")
# Words with one space between them; readers make one of two (RFC 5322, section 2.2.3).
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# What ends a line for one reader or another, or cannot be written at all.
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_WORD_BYTES = 45  # 60 letters of base 64, in an encoded word of at most 75 (RFC 2047, section 2)


def is_fit(text: str) -> bool:
    """Say whether a text may stand in a header: no line break of any kind, no control character but a tab."""
    if text.isascii() and text.isprintable():
        return True
    return not any(unicodedata.category(c) in _UNFIT for c in text if c != "\t")


def unstructured(text: str) -> str:
    """Return the value of a Subject."""
    return text if not text or _PLAIN.fullmatch(text) else _encoded_words(text)


def mailbox(name: str, address: str) -> str:
    """Return the value of a From or To with one mailbox."""
    return f"{_phrase(name)} <{address}>" if name else address


def _phrase(name: str) -> str:
    if not _PLAIN.fullmatch(name):
        return _encoded_words(name)
    if _ATOMS.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(text: str) -> str:
    """Return RFC 2047 words, one a line; none splits a letter."""
    words = [b""]
    for letter in text:
        piece = letter.encode("utf-8")
        if len(words[-1]) + len(piece) > _WORD_BYTES:
            words.append(b"")
        words[-1] += piece
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode('ascii')}?=" for word in words)


_ID = re.compile(r"<[!-;=?-~]{1,240}@[!-;=?-~]{1,240}>")  # printable ASCII without brackets and spaces
_MOST_REFERENCES = 20


def _thread_headers(answered: Correspondence) -> dict[str, str]:
    """Return In-Reply-To and References (RFC 5322, section 3.6.4), one id a line.

    A text that is not a Message-ID is left out: it may come from a server or a stranger's e-mail.
    """
    if not _ID.fullmatch(answered.answers):
        return {}
    before = [
        item for item in dict.fromkeys(answered.refers_to) if _ID.fullmatch(item) and item != answered.answers
    ]
    ids = [*before[:1], *before[1:][-_MOST_REFERENCES:], answered.answers]
    return {"In-Reply-To": answered.answers, "References": "\r\n ".join(ids)}


UNSUBSCRIBE = "unsubscribe"
_TAG = "unsub-"
_LONGEST_LOCAL = 64  # RFC 5321, section 4.5.3.1.1


def _unsubscribe_headers(sender: Sender, *, mine: str, own_id: str, one_click: str) -> dict[str, str]:
    """Return List-Unsubscribe (RFC 2369) and, with an address to post to, List-Unsubscribe-Post (RFC 8058).

    The message's own id is the token: it is an HMAC, so it cannot be forged, and the reader finds it wherever it
    stands in what comes in. Each header is one line: signatures of DKIM were seen to break on folded ones.
    """
    from urllib.parse import quote

    token, _, host = own_id.strip("<>").partition("@")
    local, _, own_host = mine.rpartition("@")
    tagged = f"{local}+{_TAG}{token}"
    if sender.plus_addresses and "+" not in local and len(tagged.encode()) <= _LONGEST_LOCAL and host == own_host:
        ways = [f"mailto:{quote(f'{tagged}@{host}', safe=_SAFE)}?subject={UNSUBSCRIBE}"]
    else:
        ways = [f"mailto:{quote(mine, safe=_SAFE)}?subject={quote(f'{UNSUBSCRIBE} {token}@{host}')}"]
    posted = {"List-Unsubscribe-Post": _ONE_CLICK} if one_click else {}
    return {"List-Unsubscribe": ", ".join(f"<{way}>" for way in [*ways, *filter(None, [one_click])]), **posted}


_ONE_CLICK = "List-Unsubscribe=One-Click"
_SAFE = "@+!$'*-._~"  # of an address in a URL (RFC 6068, section 2)


def compose(
    *,
    sender: Sender,
    recipient: str,
    subject: str,
    content: str | Letter,
    message_id: str,
    date: datetime,
    within: Correspondence = ALONE,
) -> ComposedMessage:
    """Return an e-mail from one person to one person, in the conversation that it continues.

    It is text, or, of what was written in Markdown, text and HTML that say the same (RFC 2046, section 5.1.4).
    The same arguments give the same bytes. ``date`` is aware. Raises InvalidArgumentsError for what is not one
    plain address, for a line break or another control character in a header, and for a text that has no bytes.
    """
    _require_fit(
        {"sender's name": sender.name, "subject": subject, "message id": message_id},
        content=content if isinstance(content, str) else f"{content.plain}{content.html}",
    )
    mine, theirs = _wire(sender.address), _wire(recipient)
    headers = {
        "From": mailbox(sender.name, mine),
        "To": mailbox("", theirs),
        "Subject": unstructured(subject),
        "Date": _date(date, sender.time_zone),
        "Message-ID": message_id,
        **_thread_headers(within),
    }
    if sender.reply_to:
        headers["Reply-To"] = mailbox(sender.name, _wire(sender.reply_to))
    if within.unsubscribes:
        headers |= _unsubscribe_headers(sender, mine=mine, own_id=message_id, one_click=within.one_click)
    mail = _mail()
    for name, value in headers.items():
        mail[name] = value
    if isinstance(content, str):
        mail.set_content(content, charset="utf-8", cte=_encoding(content, language=content))
    else:
        _set_both(mail, content, sender)
    message = ComposedMessage(
        message_id=message_id,
        sender=mine,
        recipient=theirs,
        data=mail.as_bytes(),
        smtputf8=not (mine + theirs).isascii(),
    )
    if why := message_flaw(message):
        raise _unfit(f"The e-mail cannot be composed: {why}.")
    return message


def _mail() -> EmailMessage:
    from email.message import EmailMessage

    return EmailMessage(policy=_policy())


@cache
def _policy() -> EmailPolicy:
    """Return the policy of SMTP, but that a header is written as it was set.

    The library's folding writes what is longer than a line as encoded words, also in List-Unsubscribe, References
    and Message-ID, where RFC 2047 (section 5) allows none, and it drops or adds spaces between long words of a
    subject. ``cte_type`` is never 8bit, so that no server has to offer 8BITMIME.
    """
    from email.policy import SMTP, EmailPolicy

    class AsSet(EmailPolicy):
        def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
            return name, value

        def header_fetch_parse(self, name: str, value: Any) -> Any:
            return value

    return AsSet(linesep=SMTP.linesep, cte_type="7bit", utf8=True, refold_source="none")


def _encoding(content: str, *, language: str) -> str | None:
    return None if content.isascii() else "quoted-printable" if _is_latin(language) else "base64"


_PAGE = '<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"></head>\n<body dir="auto">\n{}\n</body>\n</html>\n'


def _set_both(mail: EmailMessage, letter: Letter, sender: Sender) -> None:
    """Set the text and the HTML of what was written in Markdown, the text first.

    Nothing in the HTML is fetched from elsewhere but the picture of the signature, where the operator set one.
    """
    from html import escape

    address, name = escape(sender.signature_picture), escape(sender.name)
    picture = f'\n<p><img src="{address}" alt="{name}"></p>' if address else ""
    html = _PAGE.format(letter.html + picture)
    boundary = sha256(f"{mail['Message-ID']}\n{html}".encode()).hexdigest()[:32]
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = f'multipart/alternative;\r\n boundary="=_{boundary}"'
    for text, kind in ((letter.plain, "plain"), (html, "html")):
        part = _mail()
        part.set_content(text, subtype=kind, charset="utf-8", cte=_encoding(text, language=letter.plain))
        del part["MIME-Version"]  # which stands above
        mail.attach(part)


def _is_latin(content: str) -> bool:
    """Say whether at least half of the letters are Latin: quoted-printable leaves such a text readable."""
    letters = [letter for letter in content if letter.isalpha()]
    latin = sum(letter.isascii() or unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return 2 * latin >= len(letters)


def _date(date: datetime, zone: str) -> str:
    from email.utils import format_datetime
    from zoneinfo import ZoneInfo

    if date.utcoffset() is None:
        raise _unfit("The date has no offset from UTC.")
    return format_datetime(date.astimezone(ZoneInfo(zone)) if zone else date)


def _wire(address: str) -> str:
    wire = wire_address(address)
    if not is_fit(wire):
        raise _unfit(f"{address[:80]!r} is not one plain e-mail address.")
    return wire


def _require_fit(headers: Mapping[str, str], *, content: str) -> None:
    for name, value in headers.items():
        if not is_fit(value):
            raise _unfit(f"The {name} contains a line break or another control character.")
    if _UNWRITABLE.search(content):
        raise _unfit("The text contains a character that cannot be written in an e-mail.")


def _unfit(message: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        message, next_step="Correct the text with edit_draft or the address with save_contacts."
    )


_LONGEST_LINE = 998  # RFC 5322, section 2.1.1
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_ONCE = ("from", "to", "subject", "date", "message-id")
_AT_MOST_ONCE = ("in-reply-to", "references", "reply-to", "list-unsubscribe", "list-unsubscribe-post")
_NEVER = re.compile(r"cc|bcc|sender|resent-.*")


def message_flaw(message: ComposedMessage) -> str | None:
    """Return what is wrong with a message, or None.

    One sender and one recipient, the same in the envelope and in the headers, no other recipient of any kind; CRLF
    line ends alone (anything else lets a server see a second message), no NUL, no line that is too long.
    """
    if message.smtputf8 == f"{message.sender}{message.recipient}".isascii():
        return "it does not say rightly whether its addresses need SMTPUTF8"
    if _BARE.search(message.data):
        return "its lines do not all end in CRLF, or it contains a NUL"
    if max(map(len, message.data.split(b"\r\n"))) > _LONGEST_LINE:
        return f"it has a line of more than {_LONGEST_LINE} bytes"
    headers = _headers(message.data)
    names = [name for name, _ in headers]
    if wrong := [name for name in _ONCE if names.count(name) != 1]:
        return f"it does not have exactly one {', '.join(wrong)} header"
    if twice := [name for name in _AT_MOST_ONCE if names.count(name) > 1]:
        return f"it has more than one {', '.join(twice)} header"
    if extra := [name for name in names if _NEVER.fullmatch(name)]:
        return f"it has a {', '.join(extra)} header"
    return _mismatch(message, dict(headers))


def require_sound_message(message: ComposedMessage) -> None:
    """Raise DeliveryWithheldError for a message with a flaw: it must not leave."""
    if why := message_flaw(message):
        raise withheld_error(why, phase="check")


def require_sender(address: str, deliver: Callable[..., Receipt]) -> Callable[..., Receipt]:
    """Return ``deliver`` restricted to the messages of one mailbox.

    It raises DeliveryWithheldError, before it connects, for a message from another address.
    """
    mine = wire_address(address)

    def guarded(message: ComposedMessage, **points: Any) -> Receipt:
        if message.sender != mine:
            raise withheld_error(f"it is from {message.sender} and this mailbox is {mine}", phase="check")
        return deliver(message, **points)

    return guarded


def _headers(data: bytes) -> list[tuple[str, str]]:
    head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    lines = re.sub(r"\r\n(?=[ \t])", "", head).split("\r\n")
    return [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _mismatch(message: ComposedMessage, headers: dict[str, str]) -> str | None:
    from email.utils import getaddresses

    for name, address in (("from", message.sender), ("to", message.recipient)):
        if [result for _, result in getaddresses([headers[name]])] != [address]:
            return f"its {name} header is not the envelope's one address"
    if headers.get("list-unsubscribe-post", _ONE_CLICK) != _ONE_CLICK:
        return "its list-unsubscribe-post header is none"
    if "list-unsubscribe-post" in headers and "<https://" not in headers.get("list-unsubscribe", ""):
        return "it offers one click without an address to post to"
    if len(getaddresses([headers.get("reply-to", "a@b")])) != 1:
        return "its reply-to header is not one address"
    if headers["message-id"] != message.message_id:
        return "its message-id header is another one"
    return None
