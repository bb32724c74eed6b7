"""What people answer, as seven mail programs write it: above, below and between the lines of what they answer.

The tables are those of ``corpus/replies.toml``; here is how a program quotes, and in which charsets and encodings.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from quopri import encodestring
from textwrap import fill
from typing import Any

from tests.world.inbound_mail import Sent, raw
from tests.world.mail_corpus import _encoded_subject, table

from sequences_mcp.guards.law import built_in

SENT = Sent()
PLACES = ("above", "below", "between")


@dataclass(frozen=True)
class Answered:
    """An answer in a language: its paragraphs, what of ours it answers, and a program's words."""

    sent: Sent
    ours: tuple[str, ...]
    answers: tuple[str, ...]
    introduction: str
    labels: tuple[str, ...]
    divider: str
    phone: str

    @property
    def headers(self) -> list[str]:
        """The headers of ours as Outlook shows them."""
        values = ("Ada Lovelace <ada@example.com>", "Monday, 23 November 2026 09:00", "Bob", self.sent.subject)
        return [f"{label}: {value}" for label, value in zip(self.labels, values, strict=True)]


def answered(language: dict[str, Any], answers: tuple[str, ...] = ()) -> Answered:
    """Return an answer in a language, its own or others."""
    ours = (*language["ours"][:2], "Ada Lovelace\nExample Ltd", language["ours"][2])
    return Answered(
        sent=replace(SENT, text="\n\n".join(ours)),
        ours=ours,
        answers=answers or tuple(language["answers"]),
        introduction=language["introduction"],
        labels=tuple(language["labels"]),
        divider=language["divider"],
        phone=language["phone"],
    )


def _woven(item: Answered, place: str, quote: Callable[[str], str], introduction: str) -> str:
    """Return answers and quoted paragraphs in the order of a place."""
    quoted = [quote(paragraph) for paragraph in item.ours]
    said = "\n\n".join(item.answers)
    if place == "above":
        return "\n\n".join([said, introduction, *quoted])
    if place == "below":
        return "\n\n".join([introduction, *quoted, said])
    pieces = [introduction]
    for number, paragraph in enumerate(quoted):
        pieces += [paragraph, *item.answers[number : number + 1]]
    return "\n\n".join(pieces)


def _marked(paragraph: str) -> str:
    return "\n".join(f"> {line}" for line in paragraph.splitlines())


def _paragraphs(text: str, *, attributes: str = "") -> str:
    return "".join(f"<p{attributes}>{escape(line)}</p>" for line in text.split("\n\n"))


def _html_woven(item: Answered, place: str, quote: Callable[[str], str], introduction: str) -> str:
    quoted = [quote(paragraph) for paragraph in item.ours]
    said = "".join(f"<div>{escape(answer)}</div><div><br></div>" for answer in item.answers)
    if place == "above":
        return f"{said}{introduction}{''.join(quoted)}"
    if place == "below":
        return f"{introduction}{''.join(quoted)}{said}"
    pieces = [introduction]
    for number, paragraph in enumerate(quoted):
        pieces += [paragraph, *(f"<div>{escape(answer)}</div>" for answer in item.answers[number : number + 1])]
    return "".join(pieces)


def _head(item: Answered, more: str) -> str:
    subject = _encoded_subject(f"Re: {item.sent.subject}")
    return (
        f"From: Bob Miller <{item.sent.recipient}>\nTo: {item.sent.sender}\nSubject: {subject}\n"
        f"Message-ID: <reply-1@acme.example>\nIn-Reply-To: {item.sent.message_id}\n"
        f"References: {item.sent.message_id}\nMIME-Version: 1.0\n{more}"
    )


def _single(item: Answered, text: str, content_type: str) -> bytes:
    return raw(_head(item, f"Content-Type: {content_type}\nContent-Transfer-Encoding: 8bit"), text)


def _both(item: Answered, text: str, html: str) -> bytes:
    body = (
        f"--B\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n\n"
        "--B\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        f"<html><body>{html}\n--B--\n"
    )
    return raw(_head(item, 'Content-Type: multipart/alternative; boundary="B"'), body)


def _gmail(item: Answered, place: str) -> bytes:
    style = ' class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid"'
    html = _html_woven(
        item,
        place,
        lambda text: f"<blockquote{style}>{_paragraphs(text)}</blockquote>",
        f'<div dir="ltr" class="gmail_attr">{escape(item.introduction)}<br></div>',
    )
    return _both(item, _woven(item, place, _marked, item.introduction), html)


def _outlook(item: Answered, place: str) -> bytes:
    headers = "\n".join(item.headers)
    html = _html_woven(
        item,
        place,
        lambda text: _paragraphs(text, attributes=' class="MsoNormal"'),
        f'<div style="border-top:solid #E1E1E1 1.0pt">{"<br>".join(map(escape, item.headers))}</div>',
    )
    return _both(item, _woven(item, place, str, f"{item.divider}\n{headers}"), html)


def _new_outlook(item: Answered, place: str) -> bytes:
    headers = "<br>".join(f"<b>{escape(line.partition(':')[0])}:</b>{escape(line[4:])}" for line in item.headers)
    html = _html_woven(
        item,
        place,
        lambda text: f'<div class="elementToProof">{escape(text)}</div>',
        f'<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">{headers}</div>',
    )
    return _single(item, f"<html><body>{html}</body></html>", "text/html; charset=utf-8")


def _apple(item: Answered, place: str) -> bytes:
    html = _html_woven(
        item,
        place,
        lambda text: f'<blockquote type="cite"><div>{_paragraphs(text)}</div></blockquote>',
        f'<div><blockquote type="cite"><div>{escape(item.introduction)}</div></blockquote></div>',
    )
    return _both(item, _woven(item, place, _marked, f"> {item.introduction}"), html)


def _thunderbird(item: Answered, place: str) -> bytes:
    def flowed(text: str) -> str:
        words, lines = text.split(), [""]
        for word in words:
            if len(lines[-1]) + len(word) > 60:
                lines.append("")
            lines[-1] += f"{word} "
        return "\n".join(f"> {line}" for line in lines).rstrip()

    text = _woven(item, place, flowed, item.introduction)
    return _single(item, text, "text/plain; charset=utf-8; format=flowed; delsp=no")


def _iphone(item: Answered, place: str) -> bytes:
    signed = replace(item, answers=(*item.answers[:-1], f"{item.answers[-1]}\n\n{item.phone}"))
    return _single(item, _woven(signed, place, _marked, f"> {item.introduction}\n>"), "text/plain; charset=utf-8")


def _android(item: Answered, place: str) -> bytes:
    html = _html_woven(
        item,
        place,
        lambda text: f'<div dir="ltr" class="yahoo_quoted">{escape(text)}<br></div>',
        f'<div style="font-family:Helvetica">{escape(item.introduction)}</div>',
    )
    return _single(item, f"<div>{html}</div>", "text/html; charset=utf-8")


PROGRAMS: dict[str, Callable[[Answered, str], bytes]] = {
    "Gmail": _gmail,
    "Outlook": _outlook,
    "the new Outlook": _new_outlook,
    "Apple Mail": _apple,
    "Thunderbird": _thunderbird,
    "iPhone": _iphone,
    "Yahoo on Android": _android,
}


@dataclass(frozen=True)
class ReplyItem:
    """A reply with what is new in it and what of ours it quotes."""

    name: str
    data: bytes
    answers: tuple[str, ...]
    ours: tuple[str, ...]
    subject: str = SENT.subject


@cache
def replies() -> tuple[ReplyItem, ...]:
    """What people answer in each language, by each program, at each place: 210."""
    return tuple(
        ReplyItem(f"{language['name']}, {name}, {place}", program(item, place), item.answers, item.ours)
        for language in table("replies")["language"]
        for item in [answered(language)]
        for name, program in PROGRAMS.items()
        for place in PLACES
    )


def _flat(table_of: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table_of.items() for text in texts]


@cache
def opt_outs() -> tuple[ReplyItem, ...]:
    """Every opt-out, by one program after the other and at one place after the other."""
    return tuple(_said("opt_outs"))


@cache
def no_opt_outs() -> tuple[ReplyItem, ...]:
    """What has words of an opt-out and is none."""
    return tuple(_said("no_opt_outs"))


@cache
def present() -> tuple[ReplyItem, ...]:
    """People who tell of an absence and answer all the same."""
    return tuple(_said("present"))


def _said(name: str) -> Iterator[ReplyItem]:
    tables = table("replies")
    languages = {language["name"]: language for language in tables["language"]}
    programs = list(PROGRAMS.items())
    for number, (language, text) in enumerate(_flat(tables[name])):
        item = answered(languages.get(language, languages["English"]), (text,))
        program, write = programs[number % len(programs)]
        place = PLACES[number % 2]
        yield ReplyItem(f"{language}, {program}, {place}: {text}", write(item, place), (text,), item.ours)


# Charsets and encodings


@dataclass(frozen=True)
class Charset:
    """A text in a charset; ``named`` is what the header says, right or wrong."""

    text: str
    real: str
    named: str
    encoding: str = "8bit"


CHARSETS = (
    Charset("Grüße aus Köln, das klingt gut.", "utf-8", "utf-8", "base64"),
    Charset("Grüße aus Köln, das klingt gut.", "utf-8", "UTF-8", "quoted-printable"),
    Charset("Grüße aus Köln, das klingt gut.", "windows-1252", "windows-1252"),
    Charset("Grüße – „gut“ für 50 €", "windows-1252", "windows-1252", "quoted-printable"),
    Charset("Grüße – „gut“ für 50 €", "windows-1252", "iso-8859-1"),  # as browsers read it
    Charset("Cela m'intéresse, à mardi.", "iso-8859-15", "iso-8859-15", "base64"),
    Charset("Dziękuję, chętnie się spotkam.", "iso-8859-2", "iso-8859-2"),
    Charset("Dziękuję, chętnie się spotkam.", "windows-1250", "cp1250", "quoted-printable"),
    Charset("ありがとうございます。火曜日で結構です。", "iso-2022-jp", "iso-2022-jp", "7bit"),
    Charset("ありがとうございます。火曜日で結構です。", "shift_jis", "Shift_JIS", "base64"),
    Charset("ありがとうございます。火曜日で結構です。", "euc-jp", "euc-jp"),
    Charset("谢谢，我很感兴趣，周二可以。", "gb18030", "gb18030"),
    Charset("谢谢，我很感兴趣，周二可以。", "gb2312", "gb2312", "base64"),
    Charset("謝謝，我很感興趣，週二可以。", "big5", "big5"),
    Charset("감사합니다. 화요일에 통화할 수 있습니다.", "euc-kr", "ks_c_5601-1987"),
    Charset("Спасибо, мне интересно.", "koi8-r", "koi8-r"),
    Charset("Спасибо, мне интересно.", "windows-1251", "windows-1251", "quoted-printable"),
    Charset("Ευχαριστώ, με ενδιαφέρει.", "iso-8859-7", "iso-8859-7"),
    Charset("שלום, זה מעניין אותי.", "windows-1255", "windows-1255"),
    Charset("Teşekkürler, ilgileniyorum.", "iso-8859-9", "iso-8859-9"),
    Charset("Danke schön", "utf-7", "unicode-1-1-utf-7", "7bit"),
    Charset("Danke schön, bis Dienstag.", "utf-16", "utf-16", "base64"),
    Charset("Danke schön, bis Dienstag.", "utf-8", "us-ascii"),
    Charset("Danke schön, bis Dienstag.", "utf-8", "x-unknown"),
    Charset("Danke schön, bis Dienstag.", "windows-1252", "utf-8"),
    Charset("Danke schön, bis Dienstag.", "utf-8", "iso-8859-1; reply-type=original"),
    Charset("Danke schön, bis Dienstag.", "utf-8", ""),
    Charset("Danke schön, bis Dienstag.", "utf-8", '"utf-8'),
)


def in_charset(item: Charset, *, html: bool = False) -> bytes:
    """Return a reply whose text is in a charset."""
    text = f"<html><body><p>{item.text}</p></body></html>" if html else f"{item.text}\n"
    data = text.encode(item.real)
    if item.encoding == "base64":
        data = b64encode(data)
    elif item.encoding == "quoted-printable":
        data = encodestring(data)
    named = f"; charset={item.named}" if item.named else ""
    head = _head(
        answered(table("replies")["language"][0]), f"Content-Type: text/{'html' if html else 'plain'}{named}"
    )
    return f"{head}\nContent-Transfer-Encoding: {item.encoding}\n\n".encode() + data


# Programs and gateways that quote in other ways than the seven, ours ending in the line that the product offers

PLAIN, RICH = "text/plain; charset=utf-8", "text/html; charset=utf-8"
BANNER = (
    "CAUTION: This email originated from outside of the organization. Do not click links or open attachments "
    "unless you recognize the sender and know the content is safe."
)


@cache
def further_replies() -> tuple[ReplyItem, ...]:
    """What people answer in each language by each of these, to a text that ends in the offered line of its law."""
    lines = {name: language.lines["opt_out_line"] for name, language in built_in().languages.items()}
    return tuple(
        ReplyItem(f"{language['name']}, {program}", data, item.answers, item.ours)
        for language, tag in zip(table("replies")["language"], lines, strict=True)
        for item in [answered({**language, "ours": [*language["ours"][:2], lines[tag]]})]
        for program, data in (*_by_plain_programs(item), *_by_rich_programs(item))
    )


def _by_plain_programs(item: Answered) -> Iterator[tuple[str, bytes]]:
    said, ours, introduction = "\n\n".join(item.answers), "\n\n".join(item.ours), item.introduction
    headers, last = "\n".join(item.headers), ours.splitlines()[-1]
    wrapped = "\n".join(fill(line, 50) for line in ours.splitlines())
    halves = "\n".join(f"> {line}" if place % 2 else line for place, line in enumerate(wrapped.splitlines()))
    below = {
        "Proton": f"Sent with Proton Mail secure email.\n\n{introduction}\n\n{_marked(ours)}",
        "Superhuman": f"Sent via Superhuman ( https://sprh.example )\n\n{introduction}\n\n{_marked(wrapped)}",
        "a gateway's warning": f"{item.divider}\n{headers}\n\n{BANNER}\n\n{ours}",
        "Mail.ru": f"--\nBob\n\nПонедельник, 23 ноября 2026, 9:00 от Ada <ada@example.com>:\n{_marked(ours)}",
        "QQ": f"---------- 原始邮件 ----------\n发件人: Ada <ada@example.com>;\n主题: Hi\n\n{ours}",
        "NetEase": f"\n\nAt 2026-11-23 09:00:00, Ada <ada@example.com> wrote:\n{_marked(ours).replace('> ', '>')}",
        "Naver": f"-----Original Message-----\nFrom: Ada<ada@example.com>\nSubject: Hi\n\n{ours}",
        "Notes": f"\n\nVon:\tAda <ada@example.com>\nAn:\tBob\nDatum:\t23.11.2026 09:00\nBetreff:\tHi\n\n{wrapped}",
        "bars": f"{introduction}\n" + "\n".join(f"| {line}" for line in ours.splitlines()),
        "twice": f"{introduction}\n" + "\n".join(f">> {line}" for line in ours.splitlines()),
        "every other line marked": f"{introduction}\n{halves}",
        "straight quotation marks": f"{introduction}\n\n{ours.translate(STRAIGHT)}",
        "letters that were lost": introduction + "\n\n" + "".join(c if ord(c) < 256 else "?" for c in ours),
        "the last line": _marked(last),
        "the last line, unmarked": last,
    }
    for program, text in below.items():
        yield program, _single(item, f"{said}\n\n{text}", PLAIN)


STRAIGHT = str.maketrans("„“”«»’", '"""""\'')


def _by_rich_programs(item: Answered) -> Iterator[tuple[str, bytes]]:
    said, ours = escape("\n\n".join(item.answers)), escape("\n\n".join(item.ours))
    introduction, broken = escape(item.introduction), ours.replace("\n", "<br>")
    below = {
        "Outlook on a phone": f"<div>Get Outlook for iOS</div><hr><b>From:</b> Ada<br><div>{broken}</div>",
        "Yandex": f"<div>23.11.2026, 09:00, Ada &lt;ada@example.com&gt;:</div><blockquote>{broken}</blockquote>",
        "Samsung": f"<div>---- Original message ----</div><div>{broken.replace('<br>', '</div><div>')}</div>",
        "unbroken spaces": f"<p>{introduction}</p><p>{broken.replace(' ', '&nbsp;').replace('<br>', '<br> ')}</p>",
        "HEY": f"<div>On November 23, Ada &lt;ada@example.com&gt; wrote:</div><blockquote>{ours}</blockquote>",
    }
    for program, html in below.items():
        yield program, _single(item, f"<html><body><div>{said}</div>{html}</body></html>", RICH)
