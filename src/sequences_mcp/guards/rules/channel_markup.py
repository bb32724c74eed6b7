"""Markup, headers and disguises that a channel does not carry: rules of the layer ``channel``."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sequences_mcp.domain import invisible
from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.markdown import faults
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards import lookalikes, markup
from sequences_mcp.guards.markup import ENTITY, TAG, decode, is_markup_tag, markup_spans, plain_text
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.views import COVER


def _written_in_markdown(content: str) -> str:
    """Return a step in Markdown as JSON, for the examples of rules."""
    return json.dumps([{"type": "EMAIL", "subject": "Rust", "format": "markdown", "content": content}])


_ENDS = r"\r\n\x0b\x0c\x85\u2028\u2029"
# Begins with a set and looks back from there: the search then skips all other letters.
_BREAK = LazyPattern(
    rf"[{_ENDS}%\\](?:(?<=[{_ENDS}])[{_ENDS}]*|(?:(?<=%)(?:0[dD]%)?0[aA]|(?<=\\)(?:[rR]\\)?[nN])(?=\w{{1,20}}:))"
)


def _header(text: GuardedText) -> Iterator[Hit]:
    """Return every line break in a subject, and every escaped one before a header."""
    if text.is_subject:
        for match in _BREAK.finditer(text.original):
            yield Hit(*match.span())


HEADER = Rule(
    id="channel.header",
    severity=Severity.ERROR,
    message="A subject is one line: a break in it could start another header.",
    accept=("Tabs\tok ?",),
    reject=("A role\r\nBcc: x@evil.test", "A role\u2028today", "A role%0d%0aBcc: x@evil.test"),
    source="RFC 5322, 2.2; CWE-93",
    example="subject",
    check=_header,
    signs=frozenset("\r\n\x0b\x0c\x85\u2028\u2029%\\"),
)


_ANSWERS = LazyPattern(
    r"(?i)[\W_]{0,8}(?:re|rép?|aw|antw|sv|vs|odp|rif|ynt|res|回复|回覆|返信)\s?(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d)?\s?[:：]"
)
_PASSES_ON = LazyPattern(r"(?i)[\W_]{0,8}(?:fwd?|tr|wg|rv|enc|doorst|转发|轉寄|転送)\s?(?:\[\d{1,3}\])?\s?[:：]")
_TICKET = LazyPattern(r"#\d+|\[[A-Z][A-Z0-9]*-\d+\]")
_NOT_PASSED_ON = "This e-mail answers the one before it and passes nothing on: leave the subject empty."


def _reply_prefix(text: GuardedText) -> Iterator[Hit]:
    """Return the prefix, unless a ticket or an earlier e-mail of the same conversation is what it answers."""
    if not text.is_subject or _TICKET.search(text.visible.text):
        return
    for view in text.views:
        if match := _PASSES_ON.match(view.text):
            yield Hit(*view.span(*match.span()), message=_NOT_PASSED_ON if text.is_follow_up else None)
        elif not text.is_follow_up and (match := _ANSWERS.match(view.text)):
            yield Hit(*view.span(*match.span()))


REPLY_PREFIX = Rule(
    id="channel.reply_prefix",
    severity=Severity.WARNING,
    message="This subject claims to answer or pass on an e-mail that was never written: take the prefix away. An "
    "e-mail step after an e-mail step answers it, and needs no subject of its own.",
    accept=("Re: [#1234] your application", "Reference: Rust", "Recruiting: Rust"),
    reject=("Re: our talk", "Fwd: opportunité", "RE : votre profil", "✉ Re: our talk", "Rе: our talk"),
    source="CAN-SPAM Act, 15 U.S.C. 7704(a)(2): no deceptive subject headings",
    example="subject",
    check=_reply_prefix,
)


_LINK = LazyPattern(r"!?\[[^\[\]\n]{0,200}\]\([^()\s]{0,300}\)")


def _subject_markup(text: GuardedText) -> Iterator[Hit]:
    """Return every link, tag and entity in a subject; the fix of an entity is its character."""
    if not text.is_subject:
        return
    for match in _LINK.finditer(text.raw.text):
        yield Hit(*match.span())
    for match in TAG.finditer(text.raw.text):
        if is_markup_tag(match):
            yield Hit(*match.span())
    for match in ENTITY.finditer(text.raw.text):
        if decode(match[0]) != match[0]:
            yield Hit(*match.span(), fix=decode(match[0]))


SUBJECT_MARKUP = Rule(
    id="channel.subject_markup",
    severity=Severity.ERROR,
    message="A subject is plain text: this would be shown as it stands.",
    accept=("C++/Rust @ Acme & friends", "a < b > c &c;"),
    reject=("[text](https://acme.com)", "Hi&nbsp;{{firstname}}", "<b>Role</b>"),
    source="RFC 5322, 3.6.5",
    example="subject",
    check=_subject_markup,
    signs=frozenset("[<&"),
)


_ENCODED = LazyPattern(r"=\?[\w-]{1,40}(?:\*[\w-]{1,20})?\?[bBqQ]\?[^?\s]{0,200}\?=", needs=("=?",))


def _encoded_word(text: GuardedText) -> Iterator[Hit]:
    """Return every encoded word in a subject."""
    if text.is_subject:
        yield from text.hits(_ENCODED)


ENCODED_WORD = Rule(
    id="channel.encoded_word",
    severity=Severity.WARNING,
    message="Some mail readers decode this and show another text.",
    accept=("What is Rust?",),
    reject=("=?utf-8?B?Qm9uam91cg==?=",),
    source="RFC 2047",
    example="subject",
    check=_encoded_word,
    signs=frozenset("="),
)


_TAGS = (
    r"\s?/?\s?(?:script|iframe|frame|object|embed|applet|form|input|button|select|textarea|base|meta|svg)"
    r"(?=[\s/>])[^<>]{0,300}>?|link\s[^<>]{1,300}>?"
)
_EVENT = r"[a-z][^<>]{0,300}?\son[a-z]{3,20}\s?="
_SCHEME = (
    r"(?:(?<=j)avascript|(?<=v)bscript):(?=[\w/(])|"
    r"(?<=[\"'(].)(?:(?<=\s)(?:javascript|vbscript)|(?<=j)avascript|(?<=v)bscript)\s?:|(?<=d)ata:text/html"
)
_NEEDS = ("<", "script", "data:text")
# Both begin with a set and look back from there: the search then skips all other letters.
_ACTIVE = LazyPattern(rf"(?s)[<jJvVdD\s](?i:(?<=<)(?:{_TAGS}|{_EVENT})|{_SCHEME})", needs=_NEEDS)
_WITHOUT_EVENTS = LazyPattern(
    rf"(?s)[<jJvVdD\s](?i:(?<=<)(?:{_TAGS})|{_SCHEME})", needs=_NEEDS
)  # of the two, the quick


def _active_content(text: GuardedText) -> Iterator[Hit]:
    """Return every piece of active content."""
    for view in text.views:
        has_event = "=" in view.letters and "on" in view.lower
        for match in view.find(_ACTIVE if has_event else _WITHOUT_EVENTS):
            yield Hit(*view.span(*match.span()))


ACTIVE_CONTENT = Rule(
    id="channel.active_content",
    severity=Severity.ERROR,
    message="Active content is not sent.",
    accept=("<p>Hi {{firstname}}</p>", "JavaScript: the good parts, in a book", "a form to fill in"),
    reject=("<script>x()</script>", '<img src="x" onerror="x()">', '<a href="javascript:x()">x</a>'),
    source="ours",
    check=_active_content,
    signs=frozenset("<:"),
)


_LINKS = (
    LazyPattern(r"\[(?P<text>[^\[\]\n]{1,300})\]\(\s?<?(?P<target>https?://[^()\s<>]{1,2000})"),
    LazyPattern(
        r"(?i)<a\s[^<>]{0,300}?href\s?=\s?[\"']?(?P<target>https?://[^\"'\s<>]{1,2000})[^<>]{0,300}>(?P<text>[^<>]{1,300})</a>"
    ),
)
_SHOWN = LazyPattern(
    r"(?i)(?:https?://)?(?P<host>(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,20})(?::\d{1,5})?(?:[/?#]\S*)?"
)

_PRODUCTS = (".js", ".ts", ".py", ".rs", ".net", ".md", ".txt", ".pdf")


def _link_mismatch(text: GuardedText) -> Iterator[Hit]:
    """Return the text of every such link; a host and its subdomains count as one."""
    for view in text.views:
        for pattern in _LINKS:
            for match in view.find(pattern):
                shown = _SHOWN.fullmatch(match["text"].strip())
                target = _SHOWN.match(match["target"])
                if shown and target and _shows_host(shown[0]) and not _is_same(shown["host"], target["host"]):
                    yield Hit(*view.span(*match.span("text")))


def _shows_host(text: str) -> bool:
    """Say whether a text shows a host, and not the name of a product such as Node.js or ASP.NET."""
    return text.startswith(("http", "www.")) or "/" in text or (text.islower() and not text.endswith(_PRODUCTS))


def _is_same(item: str, other: str) -> bool:
    shorter, longer = sorted((f".{host.lower().removeprefix('www.')}" for host in (item, other)), key=len)
    return longer.endswith(shorter)


LINK_MISMATCH = Rule(
    id="channel.link_mismatch",
    severity=Severity.ERROR,
    message="This link shows one host and leads to another.",
    accept=("[jobs.acme.com](https://www.acme.com/jobs)", "[Node.js](https://nodejs.org)"),
    reject=("[https://acme.com](https://acme.phish.io)", '<a href="https://phish.io/x">www.acme.com</a>'),
    source="ours",
    check=_link_mismatch,
    signs=frozenset("[<"),
)


_ASCII = frozenset(map(chr, range(128)))


def _homograph(text: GuardedText) -> Iterator[Hit]:
    """Return every such host with its name on the wire; one in a single script may be what it is."""
    if not any(map(str.isalpha, text.raw.letters - _ASCII)) and "xn--" not in text.raw.lower:
        return
    for homograph in lookalikes.find_homographs(text.original):
        why = (
            "mixes letters of several scripts"
            if homograph.is_mixed
            else "is written in letters that look like others"
        )
        message = f"This host {why}: on the wire it is {homograph.wire}."
        if homograph.wire is None:
            message = f"What stands before the @ of this address {why}."
        yield Hit(
            homograph.start,
            homograph.end,
            message=message,
            severity=None if homograph.is_mixed else Severity.WARNING,
        )


HOMOGRAPH = Rule(
    id="channel.homograph",
    severity=Severity.ERROR,
    message="This host is not the one it looks like.",
    accept=(
        "https://müller.example",
        "https://例え.jp/路",
        "почта.рф и яндекс.рф",
        "https://www.société.fr",
        "Node.js",
        "иван.петров@почта.рф",
        "jörg@müller.example",
    ),
    reject=(
        "https://pаypal.com/x",
        "maria@gоogle.com",
        "zоe@globex.example",
        "see www.аррӏе.com",
        "https://xn--80ak6aa92e.com",
    ),
    source="Unicode TR 36, 2; TR 39, 5",
    check=_homograph,
)


def _markup(text: GuardedText) -> Iterator[Hit]:
    """Return what lies between the first tag or entity and the last, with its plain text as the fix."""
    results = list(markup_spans(text.original))
    if results:
        start, end = min(place for place, _ in results), max(place for _, place in results)
        plain = plain_text(text.original[start:end])
        plain = " ".join(plain.split()) if text.is_subject else plain
        before, after = text.original[:start].strip(), text.original[end:].strip()
        plain = plain if before else plain.lstrip()
        yield Hit(start, end, fix=plain if after else plain.rstrip())


MARKUP = Rule(
    id="channel.markup",
    severity=Severity.ERROR,
    message="Tags and entities would be seen as they stand: write plain text.",
    accept=(
        "a < b and c > d, x <p and <3",
        "AT&T, R&D and Q&A; write to <maria@globex.example>",
        "https://acme.com/?a=1&copy=2&lt=3",
        "Vec<T> and Promise<User>",
    ),
    reject=(
        "<p>Hi {{firstname}},</p>",
        "Hi&nbsp;{{firstname}}",
        "R&amp;D",
        "R&amp D",
        "R&ampD and we&rsquore",
        "&#8217 s",
        "Hi<br>there",
        "Hi <br there",
        "Hi <!-- note --> there",
    ),
    source="ours",
    check=_markup,
    signs=frozenset("<&"),
)


def _markdown(text: GuardedText) -> Iterator[Hit]:
    """Return every piece of Markdown with the plain text as the fix; WhatsApp draws emphasis itself."""
    for result in markup.find_markdown(
        text.original, text.raw.letters, in_whatsapp=text.channel is Channel.WHATSAPP
    ):
        yield Hit(result.start, result.end, fix=result.plain)


MARKDOWN = Rule(
    id="channel.markdown",
    severity=Severity.WARNING,
    message="These are signs of Markdown, which would be seen as they stand: write plain text.",
    accept=(
        "* item\n- item\n1. item",
        "5 * 3 * 2 and 2**10",
        "snake_case_name and __init__",
        "#1 in C# since 2020\n> 5 years",
        "price* (*without tax)",
    ),
    reject=(
        "a **bold** word",
        "an *important* word",
        "an _important_ word",
        "# The role",
        "[role](https://acme.com/jobs)",
        "![logo](https://acme.com/logo.png)",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "```\ncode\n```",
        "the `make` command",
        "> as you wrote",
        "~~old~~ new",
        "The role\n========",
        "a __strong__ word",
        "the [role][1]\n\n[1]: https://acme.com",
    ),
    source="CommonMark; GitHub Flavored Markdown",
    check=_markdown,
    signs=frozenset("`~|[#=>*_\\"),
)


def _markdown_form(text: GuardedText) -> Iterator[Hit]:
    """Return all that keeps a text in Markdown from leaving as it is meant; it is about the whole of it."""
    if text.is_markdown and (why := " ".join(faults(text.original))):
        yield Hit(0, 0, message=why)


MARKDOWN_FORM = Rule(
    id="channel.markdown_form",
    severity=Severity.ERROR,
    message="This Markdown cannot leave as it is meant.",
    accept=(
        _written_in_markdown(
            "Hi {{firstname}}, see [the role of **{{sourcingJobTitle}}**](https://acme.com/jobs)."
        ),
        _written_in_markdown("- one\n  - two\n\n> `code` and *more*"),
    ),
    reject=(
        _written_in_markdown("[your page](https://acme.com/{{candidateCompanyName}})"),
        _written_in_markdown("[your page](htt{{candidateCompanyName}})"),
        _written_in_markdown('[a page](https://acme.com "for {{firstname}}")'),
        _written_in_markdown("![logo](https://acme.com/logo.png)"),
        _written_in_markdown("[our site](/jobs)"),
        _written_in_markdown("the `{{firstname}}` command"),
        _written_in_markdown("Hi {{firstname}}, one ` alone"),
        _written_in_markdown("> > > > > > > > > > > > deep"),
    ),
    source="ours: a value is never markup or a link, and nothing is fetched when an e-mail is read",
    example="steps",
    check=_markdown_form,
)


def _control(text: GuardedText) -> Iterator[Hit]:
    """Return every run of them that no emoji and no script of the text needs, with dropping it as the fix."""
    if text.raw.is_usual:
        return
    letters = text.raw.letters - {COVER}
    # A noncharacter of the text itself stands in the views as U+FFFD.
    if "\ufffd" not in letters and not invisible.may_hide("".join(letters)):
        return
    for run in invisible.hidden_spans(text.original, direction=True):
        names = invisible.names_of(text.original, run)
        yield Hit(*run, fix="", message=f"{names} cannot be seen, or hides what can, and must not be sent.")


CONTROL = Rule(
    id="channel.control",
    severity=Severity.ERROR,
    message="This cannot be seen, or hides what can, and must not be sent.",
    accept=(
        "line\r\nline\ttab",
        "مرحبا \u200e{{firstname}}\u200e",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "❤\ufe0f 👩🏽\u200d⚕\ufe0f",
    ),
    reject=(
        "Hi\x00 there",
        "role \u202ecod.exe",
        "Hi\U000e0048\U000e0069",
        "\u202btext\u202c",
        "Hi\ufe01\ufe02 there",
        "a co\u00adder",
        "⠀\u2800",
    ),
    source="Unicode TR 36, 3; UTS 51; RFC 5322, 2.2",
    check=_control,
)
