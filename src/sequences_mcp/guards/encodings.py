"""Finds what an encoding left in a text that was never decoded, and the characters that it stands for.

``escapes`` are those of JSON and of programs (``\\n``, ``\\u00e9``, ``\\x27``), ``percent`` those of URLs,
``quoted`` those of e-mail (RFC 2045, 2047), ``broken_letters`` UTF-8 that was read as Windows-1252. Each yields
spans with the text that they stand for, and whether they can be nothing else. Paths of Windows, commands of TeX,
regular expressions, URLs and e-mail addresses are written so, and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

from sequences_mcp.domain.patterns import LazyPattern


class EncodedSpan(NamedTuple):
    """A span, the text it stands for if that can be told, and whether it can be nothing else."""

    start: int
    end: int
    plain: str | None
    is_certain: bool


_AROUND = 200
_TRIES = 1_000
"""A limit on the work for one text: so many places of each kind are examined."""


def _token(text: str, match: re.Match[str]) -> str:
    """Return the characters without blanks around a match, and the match."""
    before = text[max(0, match.start() - _AROUND) : match.start()]
    after = text[match.end() : match.end() + _AROUND]
    first = before.split()[-1] if before and not before[-1].isspace() else ""
    last = after.split(None, 1)[0] if after and not after[0].isspace() else ""
    return f"{first}{match[0]}{last}"


def _beside(text: str, match: re.Match[str]) -> tuple[str, str]:
    """Return the character before a match and the one after it, each empty at an end of the text."""
    return text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]


_ESCAPE = LazyPattern(
    r"""(?x)
    (?P<breaks>(?:\\{1,4}[rn])+)
    | \\{1,4}(?P<tab>t)
    | (?P<codes>(?:\\{1,4}u[0-9a-fA-F]{4})+)
    | \\{1,4}(?:U(?P<long>[0-9a-fA-F]{8})|u\{(?P<braced>[0-9a-fA-F]{1,6})\})
    | (?P<bytes>(?:\\{1,4}x[0-9a-fA-F]{2})+)
    | (?P<octal>(?:\\{1,4}[0-3][0-7]{2})+)
    | \\{1,4}(?P<quote>["'])
    | (?<=[\w:/"'])(?P<slashes>(?:\\{1,2}/)+)(?=[\w"'.])
    """,
    needs=("\\",),
)
_BARE_CODE = LazyPattern(r"(?<=[a-z])u(?P<code>00[c-f][0-9a-f])(?![0-9A-Za-f])", needs=("u00",))
_PATH = LazyPattern(r"(?:^|[^\w])[A-Za-z]:\\|^[\"'(<]{0,2}\\\\[\w.-]{1,60}\\{1,2}\w|\\\\?[dwsbDWSB](?![a-z])")
_TEX = """
    ne neq neg nu nabla not nolimits nonumber newline newpage newcommand noindent ni nmid rho right
    rangle rightarrow rm ref rceil rfloor renewcommand raggedright rule tau theta times text textbf
    textit texttt tfrac tan tanh to top triangle tilde therefore title today thinspace
    """
_COMMAND = LazyPattern(r"\\+([A-Za-z]+)")
_BRACKETS = frozenset("[]{}")
_LETTERS = {"n": "\n", "r": "\n", "t": "\t"}


def escapes(text: str) -> Iterator[EncodedSpan]:
    """Yield every escape of JSON or of a program, doubled ones too; brackets are the matter of other rules."""
    for match in islice(_ESCAPE.finditer(text), _TRIES):
        if _PATH.search(_token(text, match)):
            continue
        if match["breaks"] or match["tab"]:
            yield from _letter(text, match)
        elif match["quote"]:
            yield EncodedSpan(*match.span(), match["quote"], True)
        elif match["slashes"]:
            yield EncodedSpan(*match.span(), "/" * match["slashes"].count("/"), True)
        else:
            yield from _code(match)
    for match in islice(_BARE_CODE.finditer(text), _TRIES):
        yield EncodedSpan(*match.span(), chr(int(match["code"], 16)), False)


def _letter(text: str, match: re.Match[str]) -> Iterator[EncodedSpan]:
    """Judge ``\\n``, ``\\r\\n`` and ``\\t``: before a small letter they may begin a name or a command."""
    breaks = match["breaks"] or ""
    command = _COMMAND.match(text, match.start())
    if command and command[1] in _TEX.split():
        return
    before, after = _beside(text, match)
    plain = "\n" * max(breaks.count("n"), breaks.count("r")) if breaks else "\t"
    is_run = len(plain) > 1 or "r" in breaks
    is_alone = before.isspace() and after.isspace() and not is_run
    ends_well = before in tuple(".,;:!?)…\"'»”") and bool(before)
    if is_run or ends_well or (not after.islower() and not is_alone):
        yield EncodedSpan(*match.span(), plain, True)
    elif before.isalnum() or is_alone:
        yield EncodedSpan(*match.span(), plain, False)


def _code(match: re.Match[str]) -> Iterator[EncodedSpan]:
    """Yield a character written by its number, unless it is a bracket, or a letter that nobody writes so."""
    if match["codes"]:
        units = b"".join(int(code, 16).to_bytes(2, "big") for code in re.findall(r"u(.{4})", match["codes"]))
        plain = units.decode("utf-16-be", "replace")
    elif match["long"] or match["braced"]:
        number = int(match["long"] or match["braced"], 16)
        plain = chr(number) if number < 0x110000 else "\ufffd"
    else:
        octets = match["bytes"]
        numbers = re.findall(r"x(..)", octets) if octets else re.findall(r"([0-7]{3})", match["octal"])
        plain = _text_of(bytes(int(number, 16 if octets else 8) for number in numbers))
        if plain.isascii() and plain.isalnum():
            return
    if not _BRACKETS.isdisjoint(plain):
        return
    is_shown = plain.isprintable() and "\ufffd" not in plain
    is_certain = not match["octal"] or not plain.isascii()
    yield EncodedSpan(*match.span(), plain if is_shown else None, is_certain)


def _text_of(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


# It begins with the sign itself, which a search skips to.
_PERCENT = LazyPattern(r"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*", needs=("%",))
_LINK = LazyPattern(r"(?i)://|www\.|mailto:|@|\w\.[a-z]{2,}[/?#]|^/|[?&]\w{1,40}=|[&?]")


def percent(text: str) -> Iterator[EncodedSpan]:
    """Yield every character written as in a URL that stands in no URL: ``Hello%20Maria``, ``caf%C3%A9``."""
    for match in islice(_PERCENT.finditer(text), _TRIES):
        plain = _of_utf8(match[0].replace("%", ""))
        before, after = _beside(text, match)
        if plain is None or before.isdigit() or before == "%" or not _BRACKETS.isdisjoint(plain):
            continue
        if (plain.isascii() and plain.isalnum()) or _LINK.search(_token(text, match)):
            continue
        if not plain.isascii() or (before.isalpha() and after.isalpha()) or (before in tuple(".,;:!?") and before):
            yield EncodedSpan(*match.span(), plain, True)
        elif before.isalpha() or after.isalpha():
            yield EncodedSpan(*match.span(), plain, False)


def _of_utf8(digits: str) -> str | None:
    """Return the text that bytes in hexadecimal are in UTF-8, if they are a text of characters that are seen."""
    try:
        plain = bytes.fromhex(digits).decode("utf-8")
    except UnicodeDecodeError:
        return None
    lined = plain.replace("\r\n", "\n").replace("\r", "\n")
    return lined if lined.replace("\n", "").isprintable() else None


_QUOTED = LazyPattern(r"=[0-9A-F]{2}(?:=[0-9A-F]{2})*(?:=\r?\n(?:=[0-9A-F]{2})+)*", needs=("=",))
_SOFT_BREAK = LazyPattern(r"(?m)(?<=^.{68})[^\n]{0,7}[^\n=](?P<end>=\r?\n)(?=\S)", needs=("=",))
_ENCODED_WORD = LazyPattern(r"=\?[\w-]{1,40}(?:\*[\w-]{1,20})?\?[bBqQ]\?[^?\s]{1,200}\?=", needs=("=?",))
_OF_LINES = ("=20", "=0D=0A", "=0A")


def quoted(text: str) -> Iterator[EncodedSpan]:
    """Yield every character written as in the source of an e-mail: ``caf=C3=A9``, ``=?utf-8?Q?caf=C3=A9?=``."""
    words = [match.span() for match in islice(_ENCODED_WORD.finditer(text), _TRIES)]
    for start, end in words:
        yield EncodedSpan(start, end, _decoded(text[start:end]), True)
    for match in islice(_QUOTED.finditer(text), _TRIES):
        if any(start <= match.start() < end for start, end in words) or _LINK.search(_token(text, match)):
            continue
        plain = _of_utf8(re.sub(r"=\r?\n|=", "", match[0]))
        before, after = text[max(0, match.start() - 2) : match.start()], text[match.end() : match.end() + 1]
        if plain is not None and not plain.isascii():
            yield EncodedSpan(*match.span(), plain, True)
        elif (
            match[0] in _OF_LINES
            and text[max(0, match.start() - 2) : match.start()].isalpha()
            and after in ("\n", "\r")
        ):
            yield EncodedSpan(*match.span(), "", False)
        elif match[0] == "=3D" and after in ("'", '"', ""):
            yield EncodedSpan(*match.span(), "=", False)
        elif plain is None and len(match[0]) == 3 and before.isalpha() and before.islower() and match[0] > "=C0":
            yield EncodedSpan(*match.span(), chr(int(match[0][1:], 16)), False)
    for match in islice(_SOFT_BREAK.finditer(text), _TRIES):
        yield EncodedSpan(*match.span("end"), "", False)


def _decoded(word: str) -> str | None:
    from email.errors import MessageError
    from email.header import decode_header, make_header

    try:
        plain = str(make_header(decode_header(word)))
    except (MessageError, LookupError, UnicodeError, ValueError):
        return None
    return plain if plain != word and plain.isprintable() else None


# The characters that the bytes 80 to BF are in Windows-1252.
_NEXT = (
    "\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c"
    "\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
)
BROKEN_SIGNS = frozenset([*map(chr, range(0xC2, 0xF5)), "\ufffc", "\ufffd"])
"""The characters of which one begins every letter that came out broken."""

_BROKEN = LazyPattern(
    f"(?:[\u00c2-\u00df][{_NEXT}]|[\u00e0-\u00ef][{_NEXT}]{{2}}|[\u00f0-\u00f4][{_NEXT}]{{3}})+|[\ufffc\ufffd]"
)
_MAY_BREAK = LazyPattern(f"[\u00c2-\u00f4][{_NEXT}]")
# Signs that may follow the last letter of a word in capitals: "MAÇÃ»", "CAFÉ…".
_CLOSING = frozenset(
    "\u00a0\u00ae\u00bb\u00ab\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u2022\u203a\u2122\u00aa\u00ba"
)


def may_be_broken(text: str) -> bool:
    """Say whether a text has two letters that could be one in UTF-8, read in another encoding."""
    return not text.isascii() and _MAY_BREAK.search(text) is not None


def broken_letters(text: str) -> Iterator[EncodedSpan]:
    """Yield every letter that came out broken, with what it was if that can be told."""
    for match in islice(_BROKEN.finditer(text), _TRIES):
        if match[0][0] in "\ufffc\ufffd":
            yield EncodedSpan(*match.span(), None, False)
        elif (plain := _repaired(match[0])) is not None and _is_broken(text, match, len(plain)):
            again = _repaired(plain)
            plain = again if again is not None and _MAY_BREAK.search(plain) else plain
            plain = plain.replace("\u00a0", " ").replace("\ufeff", "")
            is_shown = plain.isprintable()
            yield EncodedSpan(*match.span(), plain if is_shown and "\ufffd" not in plain else None, True)


def _is_broken(text: str, match: re.Match[str], size: int) -> bool:
    """Say whether letters that could be UTF-8 are nothing else; ``size`` is how many letters they would be."""
    before, after = _beside(text, match)
    lead, second = match[0][0], match[0][1]
    if size > 1 or lead >= "\u00f0" or match[0][:2] == "\u00e2\u20ac" or match[0][:3] in ("ï¿½", "ï»¿"):
        return True
    if lead >= "\u00e0":
        return second not in _CLOSING
    if before.islower():
        return True
    if second in _CLOSING:
        return lead in "ÃÂ" and not before.isupper() and second != "\u00ae" and (lead == "Ã" or second == "\u00a0")
    return lead in "ÃÂ" or (after.islower() and lead in "ÄÅÎÏÐÑØÙ")


@cache
def _octet_of() -> dict[str, int]:
    table = {chr(number): number for number in range(0x80, 0x100)}
    for number in range(0x80, 0xA0):
        letter = bytes([number]).decode("cp1252", "ignore")
        if letter:
            table[letter] = number
    return table


def _repaired(letters: str) -> str | None:
    """Return what letters are whose bytes in Windows-1252 are read as UTF-8, or None if they are no UTF-8."""
    table = _octet_of()
    try:
        return bytes(table[letter] for letter in letters).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None
