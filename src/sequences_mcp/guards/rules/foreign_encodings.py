"""What an encoding left in a text that was never decoded: rules of the layer ``foreign``."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.encodings import BROKEN_SIGNS, EncodedSpan, broken_letters, escapes, percent, quoted
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.views import TextView


def _hit(text: GuardedText, view: TextView, span: EncodedSpan) -> Hit:
    plain = span.plain
    if plain is not None and text.is_subject and any(letter in plain for letter in "\n\t"):
        plain = " "
    start, end = view.span(span.start, span.end)
    return Hit(start, end, plain, severity=None if span.is_certain else Severity.WARNING)


def _escape(text: GuardedText) -> Iterator[Hit]:
    """Return every escape, with the character that it stands for as the fix."""
    for view in text.views:
        if "\\" in view.letters or "u00" in view.lower:
            for span in escapes(view.text):
                yield _hit(text, view, span)


ESCAPE = Rule(
    id="foreign.escape",
    severity=Severity.ERROR,
    message="This is an escape of JSON or of a program, sent as it stands: write the character itself.",
    accept=(
        "C:\\new\\notes.txt and \\\\nas\\team",
        "¯\\_(ツ)_/¯",
        "a \\neq b, 2\\times 3",
        "regex: ^\\d{3}\\n$",
        "C:\\temp, C:\\\\temp\\\\new",
    ),
    reject=(
        "Hi {{firstname}},\\n\\nI saw",
        "your talk.\\nich",
        'the \\"best\\" team',
        "caf\\u00e9",
        "caf\\\\u00E9",
        "Hello\\tMaria",
        "Hi,\\\\nI saw",
        "it\\x27s",
        "well \\U0001F600 done \\u{1F600}",
        "24\\/7",
    ),
    source="ours; RFC 8259, 7",
    check=_escape,
    signs=frozenset("\\u"),
)


_HEADER = LazyPattern(r"\w{1,20}:")


def _encoded(text: GuardedText) -> Iterator[Hit]:
    """Return every character written as in a URL or in the source of an e-mail, with the character as the fix."""
    view = text.raw
    for span in percent(view.text) if "%" in view.letters else ():
        if not (text.is_subject and _HEADER.match(view.text, span.end)):  # of a header, another rule tells
            yield _hit(text, view, span)
    for span in quoted(view.text) if "=" in view.letters else ():
        if not (text.is_subject and view.text.startswith("=?", span.start)):  # of a subject, another rule tells
            yield _hit(text, view, span)


ENCODED = Rule(
    id="foreign.encoded",
    severity=Severity.ERROR,
    message="This is written as in a URL or in the source of an e-mail: write the character itself.",
    accept=("100% remote, 50%20 off", "https://acme.com/a%20b?c=%C3%A9", "x=20", "%20 indirim"),
    reject=(
        "Hello%20Maria",
        "caf%C3%A9",
        "caf=C3=A9",
        "It=E2=80=99s",
        "see you=20\nsoon",
        "=?utf-8?Q?caf=C3=A9?=",
    ),
    source="RFC 3986, 2.1; RFC 2045, 6.7; RFC 2047",
    check=_encoded,
    signs=frozenset("%="),
)


# A letter that an encoding did not have: "M?ller". After the "?" of a question there is a space.
_LOST = LazyPattern(r"\?(?<=[^\W\d_].)[^\W\d_A-Z]{2,20}(?![\w=/?&.])", needs=("?",))
_LONGEST_WORD = 40


def _mojibake(text: GuardedText) -> Iterator[Hit]:
    """Return every letter that came out broken, with what it was as the fix."""
    if not text.letters.isdisjoint(BROKEN_SIGNS):
        for span in broken_letters(text.raw.text):
            yield _hit(text, text.raw, span)
    for match in text.raw.find(_LOST):
        word = text.raw.text[max(0, match.start() - _LONGEST_WORD) : match.start()].split()[-1]
        if word.replace("'", "").isalpha():  # and not the query of an address
            yield Hit(match.start() - len(word), match.end(), severity=Severity.WARNING)


MOJIBAKE = Rule(
    id="foreign.mojibake",
    severity=Severity.ERROR,
    message="These letters are broken: UTF-8 was read in another encoding.",
    accept=("Café, naïve, São Paulo", "«MAÇû, CAFÉ”, IRMÃ…"),
    reject=("CafÃ©", "caf\ufffd", "Itâ€™s", "ÐŸÑ€Ð¸Ð²ÐµÑ‚", "ðŸ˜€", "Â£50", "Herr M?ller"),
    source="ours",
    check=_mojibake,
    signs=BROKEN_SIGNS | {"?"},
)
