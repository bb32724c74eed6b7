"""Parses an incoming e-mail: headers, parts and texts, also of malformed messages.

No input raises. The standard library's parser runs with the policy compat32, which never refuses
a message; what it does raise on (a charset that is none, a thousand nested parts) is read as far as it can be.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from itertools import islice
from typing import Any

from sequences_mcp.lazy_dataclasses import dataclass, field

LONGEST = 200_000  # letters of one part that are looked at
MOST_PARTS = 200
MOST_ADDRESSES = 100
MOST_IDS = 20  # of the messages that one answers
LONGEST_FROM = 2_000  # letters; of a longer one the beginning of the name and the address count
MOST_HEADERS, LONGEST_HEADER, MOST_INSIDE, LONGEST_READ = 200, 2_000, 20, 20_000
_READ = ("text", "message", "multipart")
ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'|/=]{1,64}@[A-Za-z0-9\u0080-\uffff][A-Za-z0-9.\u0080-\uffff-]{1,253}")
_ID = re.compile(r"<\s*([^<>\s@]{1,250}@[^<>\s@]{1,250})\s*>")
_OURS = re.compile(r"(?<![a-z0-9])([a-z2-7]{32})@([a-z0-9.\u0080-\uffff-]+)")
_WORDS = re.compile(r"\w+")
_UNSTORED = re.compile("[\0\ud800-\udfff]")  # what not every database can hold, and no reader sees
_QUOTED_ENDS = re.compile(r"=\r?\n")


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A message and what is read in it; ``root`` keeps the parts for those who look at their types.

    ``sender`` is the address of From as it stands there; ``text`` what a reader sees first; ``everything`` all
    that is written anywhere in it, the messages inside it with their headers too, but for attachments.
    """

    root: Message
    sender: str
    sender_name: str
    subject: str
    sent_at: datetime | None
    text: str
    everything: str = field(repr=False)

    def header(self, name: str) -> str:
        """Return the first header of a name, decoded, on one line; empty where there is none."""
        return decoded_header(raw_header(self.root, name))

    @property
    def ids(self) -> frozenset[str]:
        """Everything of the form of a Message-ID, in lower case and without the brackets."""
        return frozenset(result.lower() for result in _ID.findall(self.everything)[:500])

    @property
    def message_id(self) -> str:
        """Its own id in brackets, or nothing where what stands there has not the form of one."""
        return next((f"<{item}>" for item in _ID.findall(self.header("Message-ID"))), "")

    @property
    def answered(self) -> str:
        """The ids of what it answers, as References has them, else In-Reply-To; the first and the last few."""
        ids = [f"<{item}>" for item in _ID.findall(self.header("References") or self.header("In-Reply-To"))]
        return " ".join(ids if len(ids) <= MOST_IDS else [ids[0], *ids[1 - MOST_IDS :]])

    @property
    def own_ids(self) -> frozenset[str]:
        """What has the form of our Message-IDs (``channels.message.message_id``), brackets or not."""
        text = self.everything.lower().replace("%40", "@")
        texts = (text, _QUOTED_ENDS.sub("", text)) if "=\n" in text or "=\r\n" in text else (text,)
        return frozenset(
            f"{local}@{host.rstrip('.-')}" for item in texts for local, host in _OURS.findall(item)[:200]
        )

    @property
    def addresses(self) -> frozenset[str]:
        """The first addresses that are written anywhere in it, as they stand there."""
        result = (match.group().strip(".") for match in ADDRESS.finditer(self.everything))
        return frozenset(address for address, _ in zip(result, range(MOST_ADDRESSES), strict=False))


def parse_inbound(data: bytes) -> ParsedMessage:
    """Return what is read in the bytes of a message."""
    root = _parsed(data)
    name, address = _first_address(raw_header(root, "From") or raw_header(root, "Sender"))
    return ParsedMessage(
        root=root,
        sender=address,
        sender_name=name,
        subject=decoded_header(raw_header(root, "Subject")),
        sent_at=_date(root.get("Date")),
        text=readable_text(root),
        everything="\n".join(_written(root)),
    )


# Codecs of Python's that are no charset of e-mails. The first two take minutes for some hundred kilobytes.
_NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})


def _is_charset(name: str) -> bool:
    """Say whether a text may be decoded with this name: Python refuses unknown ones by itself."""
    try:
        return codecs.lookup(name).name not in _NO_CHARSETS
    except (LookupError, ValueError):
        return True


class _InboundPart(Message):
    """A message or a part of one whose charset is one of e-mails, or is not said; the library decodes with it."""

    def get_param(self, param: str, failobj: Any = None, *places: Any, **given: Any) -> Any:
        value = super().get_param(param, failobj, *places, **given)
        return failobj if param == "charset" and isinstance(value, str) and not _is_charset(value) else value

    def get_content_charset(self, failobj: Any = None) -> Any:
        name = super().get_content_charset(failobj)
        return failobj if isinstance(name, str) and not _is_charset(name) else name


# A type of a thousand parameters says nothing more, and takes the library seconds.
_LONG_FIELD = re.compile(rb"(?im)^(content-[a-z-]{1,40}:(?:[^\r\n]|\r?\n[ \t]){4000})(?:[^\r\n]|\r?\n[ \t])+")


def _parsed(data: bytes) -> Message:
    from email.parser import BytesHeaderParser, BytesParser

    data = _LONG_FIELD.sub(rb"\1", data)
    try:
        root = BytesParser(_InboundPart).parsebytes(data)
        for _ in root.walk():
            pass
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return BytesHeaderParser(_InboundPart).parsebytes(data)
    return root


def inside_of(part: Message) -> list[Message] | str:
    """Return the parts or messages inside a part, or its text; nothing where its type is broken."""
    try:
        inside = part.get_payload()
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return ""
    if isinstance(inside, list):
        return [item for item in inside if isinstance(item, Message)]
    return inside if isinstance(inside, str) else ""


def own_parts(message: Message) -> Iterator[Message]:
    """Yield the parts of a message but for those of messages inside it: what they are says nothing about it."""
    waiting, number = [message], 0
    while waiting and number < MOST_PARTS:
        part, number = waiting.pop(0), number + 1
        yield part
        inside = inside_of(part)
        if part.get_content_maintype() == "multipart" and isinstance(inside, list):
            waiting[:0] = inside


def first_texts(message: Message) -> Message:
    """Return a copy with only the first characters of headers and texts, for checks of every line."""
    bare = Message()
    for name, value in islice(message.raw_items(), MOST_HEADERS):
        bare[name] = str(value)[:LONGEST_HEADER]
    inside = inside_of(message)
    if isinstance(inside, list):
        texts = [part for part in inside[:MOST_INSIDE] if part.get_content_maintype() in _READ]
        bare.set_payload([first_texts(part) for part in texts])
    else:
        bare.set_payload(inside[:LONGEST_READ])
    return bare


def readable_text(message: Message) -> str:
    """Return the text that a reader sees first: the first plain part that says anything, else the HTML as text."""
    plain, rich = "", ""
    for part in own_parts(message):
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment":
            continue
        if kind == "text/plain" and not plain.strip():
            plain = part_text(part)
        elif kind == "text/html" and not rich:
            rich = part_text(part)
    return plain if plain.strip() or not rich else html_text(rich)


def part_text(part: Message) -> str:
    """Return a part's text, decoded as far as it can be."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        payload = None
    if not isinstance(payload, bytes):
        inside = inside_of(part)
        return _UNSTORED.sub("", inside)[:LONGEST] if isinstance(inside, str) else ""
    try:
        charset = part.get_content_charset() or "utf-8"
    except (ValueError, LookupError, TypeError, AttributeError):
        charset = "utf-8"
    return _UNSTORED.sub("", decoded_bytes(payload[: 4 * LONGEST], charset))[:LONGEST]


def decoded_bytes(data: bytes, charset: str) -> str:
    """Return text in a charset, or in the one that it seems to be in where the named one is none or is wrong."""
    named = _SUPERSETS.get(charset.strip("\"' ").lower(), charset)
    named = named if _is_charset(named) else "utf-8"
    # Western charsets take any bytes: what reads as UTF-8 is that, whatever its header says.
    for name in ("utf-8", named) if named == "cp1252" else (named, "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    try:
        result = data.decode(named, "replace")
    except (LookupError, ValueError):
        return data.decode("latin-1")
    broken = result.count("\ufffd")
    if broken and 2 * broken > sum(letter > "\x7f" for letter in result):
        return data.decode("cp1252", "replace")
    return result


# What programs name, and what they write.
_SUPERSETS = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252",
    "windows-1252": "cp1252", "ansi_x3.4-1968": "cp1252", "unknown-8bit": "cp1252", "x-unknown": "cp1252",
    "default": "cp1252", "iso-8859-9": "cp1254", "iso-8859-8-i": "iso-8859-8", "gb2312": "gb18030",
    "gbk": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "shift-jis": "cp932",
    "x-sjis": "cp932", "iso-2022-jp": "iso2022_jp_ext", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
    "unicode-1-1-utf-7": "utf-7",
}  # fmt: skip


def raw_header(message: Message, name: str) -> str | None:
    """Return the first header of a name as it was written; ``Message.get`` loses bytes outside ASCII."""
    return next((str(value) for ours, value in message.raw_items() if ours.lower() == name.lower()), None)


def decoded_header(value: object) -> str:
    """Return a header's value with its encoded words decoded, on one line."""
    if value is None:
        return ""
    from email.errors import MessageError
    from email.header import decode_header

    text = str(value)[:20_000]
    if not text.isascii():  # raw bytes, which stand here as surrogates
        text = decoded_bytes(text.encode("utf-8", "surrogateescape"), "utf-8")
    try:
        parts = decode_header(text) if "=?" in text else [(text, None)]
    except (ValueError, LookupError, TypeError, MessageError):
        parts = [(text, None)]
    words = (part if isinstance(part, str) else decoded_bytes(part, charset or "ascii") for part, charset in parts)
    return " ".join(_UNSTORED.sub("", "".join(words)).split())


def _first_address(value: object) -> tuple[str, str]:
    """Return name and address of the first mailbox of a header; an address that is none is empty."""
    from email.utils import getaddresses

    whole = decoded_header(value)
    text = (
        whole if len(whole) <= LONGEST_FROM else " ".join((*_WORDS.findall(whole[:200]), _last_in_brackets(whole)))
    )
    try:
        result = getaddresses([text])
    except (ValueError, IndexError, TypeError, RecursionError):
        result = []
    name, address = next(((name, item) for name, item in result if "@" in item), ("", ""))
    if not address and (match := ADDRESS.search(text)):
        name, address = "", match.group()
    return name[:200], address if len(address) <= 320 else ""


def _last_in_brackets(text: str) -> str:
    """Return the last address in angle brackets of a header that is too long to be read whole; or nothing."""
    start, end = text.rfind("<"), text.rfind(">")
    return text[start : end + 1] if 0 <= start < end <= start + 320 else ""


def _date(value: object) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(str(value))
        return (at if at.utcoffset() is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _written(message: Message) -> Iterator[str]:
    """Yield the headers of the message and of those inside it, and every text part."""
    waiting, number = [message], 0
    while waiting and number < MOST_PARTS:
        part, number = waiting.pop(0), number + 1
        inside = inside_of(part)
        yield "\n".join(f"{name}: {_unfolded(value)}" for name, value in part.raw_items())[:LONGEST]
        if isinstance(inside, list):
            waiting[:0] = inside
        elif part.get_content_maintype() in ("text", "message"):
            text = part_text(part)
            yield html_text(text) if part.get_content_type() == "text/html" else text


def _unfolded(value: object) -> str:
    text = str(value)
    is_plain = text.isascii() and "=?" not in text and "\0" not in text
    return " ".join(text.split()) if is_plain else decoded_header(text)


_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "ul", "ol", "hr", "blockquote"})
_UNSEEN = frozenset({"style", "script", "head", "title"})
# No letter is looked at twice: html.parser takes a minute for 400 kB of "<!--".
_TAG = re.compile(r"<(?:(/?)([A-Za-z][A-Za-z0-9]{0,30})\b[^<>]*|[!?][^<>]*)>")


def html_text(html: str) -> str:
    """Return what HTML shows as plain text, a line for each block; ``> `` begins each line of a quotation."""
    shown, pieces, at, unseen, quoted = _without_comments(html[:LONGEST]), [], 0, 0, 0
    for match in _TAG.finditer(shown):
        if not unseen:
            pieces.append(_words_of_html(shown[at : match.start()]))
        at, tag = match.end(), (match[2] or "").lower()
        step = -1 if match[1] else 1
        if tag in _UNSEEN:
            unseen = max(unseen + step, 0)
        elif tag == "body":
            unseen = 0
        elif tag == "blockquote":
            quoted = max(quoted + step, 0)
        if tag in _BREAKS:
            pieces.append("\n" + "> " * min(quoted, 3))
    if not unseen:
        pieces.append(_words_of_html(shown[at:]))
    lines = (" ".join(line.split()) for line in "".join(pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _words_of_html(text: str) -> str:
    from html import unescape

    words = " ".join(unescape(text).split())
    return f"{' ' if text[:1].isspace() else ''}{words}{' ' if text[-1:].isspace() else ''}"


def _without_comments(html: str) -> str:
    """Return HTML without its comments; one that does not end hides nothing."""
    pieces, at = [], 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        pieces.append(html[at:start])
        at = end + 3
    return "".join([*pieces, html[at:]])
