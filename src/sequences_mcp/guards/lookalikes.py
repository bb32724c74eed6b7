"""Lookalike letters: folded to one form for comparison, and found in hosts and addresses (homographs)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from sequences_mcp.domain import invisible
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.remembering import VALUES

# Brackets are not folded, because their meaning differs between scripts. Braces are.
_UNFOLDED = frozenset("［］＜＞（）〈〉﹤﹥﹙﹚﹝﹞⁽⁾₍₎…‥")
_BRACES = ("❴❵⦃⦄﹛﹜｛｝⎨⎬", "{}{}{}{}{}")
_LETTERS = (
    "аАвВеЕкКмМнНоОрРсСтТуУхХѕЅіІјЈһԁԛԝѵӏԌɡƒıαΑβΒεΕηΗιΙκΚνΝοΟρΡτΤυΥχΧωΖΜ",
    "aABBeEkKmMHHoOpPcCtTyYxXsSiIjJhdqwvlGgfiaAbBeEnHiIkKvNoOpPtTuYxXwZM",
)
_MOST_CACHED = 20_000

INVISIBLE = LazyPattern(f"[{invisible.CLASS}]+")


class _Table(dict[int, str]):
    """A table for ``str.translate`` that is filled on demand, up to ``_MOST_CACHED`` letters."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        plain = letter if letter in _UNFOLDED else unicodedata.normalize("NFKC", letter)
        if len(self) < _MOST_CACHED:
            self[code] = plain
        return plain


@cache
def _table() -> _Table:
    pairs = [*zip(*_LETTERS, strict=True), *zip(*_BRACES, strict=True)]
    return _Table({ord(letter): plain for letter, plain in pairs})


def fold(text: str) -> str:
    """Return a text with every letter in its folded form: NFKC, lookalikes of Latin letters as Latin letters."""
    return text if text.isascii() else text.translate(_table())


def key(word: str) -> str:
    """Return a word for comparison: letters and digits only, without case, accents or invisible characters."""
    if word.isascii():
        return "".join(filter(str.isalnum, word)).lower()
    bare = unicodedata.normalize("NFKD", INVISIBLE.sub("", fold(word))).casefold()
    return "".join(filter(str.isalnum, bare))


# Labels with dots between them. The quantifiers are possessive, so that the search stays linear.
_HOST = LazyPattern("(?<![\\w\u00b7.-])[\\w\u00b7-]++(?:[.\u3002\uff0e\uff61][\\w\u00b7-]++)++")
_BEFORE = LazyPattern(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,20}://|@)\Z")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_LOCAL = LazyPattern(r"(?<![\w.+-])[\w.+-]++\Z")
_LONGEST = 253
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
# Letters of other scripts that are drawn as Latin small letters (confusables.txt of Unicode TR 39).
_LOOK_LATIN = frozenset("асԁеһіјӏорԛѕѵԝхуүӕɡοναρυικωνոսօհցզոɑıᴏᴠᴡᴢꜱ")
_LATIN_SEEMING = frozenset("ɡɑıᴏᴠᴡᴢꜱ")


class Homograph(NamedTuple):
    """A host that looks like another: its span, its ASCII form, and whether a label mixes scripts.

    ``wire`` is None where the span is the part before the @ of an address.
    """

    start: int
    end: int
    wire: str | None
    is_mixed: bool


def find_homographs(text: str) -> Iterator[Homograph]:
    """Yield the hosts (in links, in addresses, alone) and the local parts of addresses that look like others."""
    for match in _HOST.finditer(text):
        host, start = match[0], match.start()
        if text[start - 1 : start] == "@" and start > 0:
            yield from _mailbox(text, start - 1)
        if text[match.end() : match.end() + 1] == "@":
            continue  # before an at sign stands a mailbox
        if len(host) > _LONGEST or (host.isascii() and "xn--" not in host.lower()):
            continue
        judged = _judged(host)
        if judged and (judged.seems_host or _BEFORE.search(text, max(0, match.start() - 24), match.start())):
            yield Homograph(*match.span(), judged.wire, judged.is_mixed)


class _Judged(NamedTuple):
    wire: str
    is_mixed: bool
    seems_host: bool


@VALUES.up_to(4_096)
def _judged(host: str) -> _Judged | None:
    """Return what is suspicious about a host, or None; ``seems_host``: it is a host without a scheme or @ too."""
    shown = _shown(host).lower().translate(_DOTS)
    labels = shown.split(".")
    if not any(map(_is_strange, labels)):
        return None
    ends_so = shown.rpartition(".")[2].isascii() and host == host.lower()
    return _Judged(_wire(host), any(map(_is_mixed, labels)), ends_so or labels[0] == "www")


def _is_strange(label: str) -> bool:
    return not label.isascii() and (_is_mixed(label) or _looks_latin(label))


def _mailbox(text: str, at: int) -> Iterator[Homograph]:
    before = _LOCAL.search(text, max(0, at - 64), at)
    if before is None or before[0].isascii():
        return
    parts = before[0].lower().replace("+", ".").replace("-", ".").replace("_", ".").split(".")
    is_mixed = any(map(_is_mixed, parts))
    if is_mixed or any(map(_looks_latin, parts)):
        yield Homograph(before.start(), at, None, is_mixed)


def _shown(host: str) -> str:
    from sequences_mcp.domain.addresses import shown_host

    return shown_host(host.lower()) if "xn--" in host.lower() else host


def _wire(host: str) -> str:
    from sequences_mcp.domain.addresses import host_key

    return host_key(host)


@VALUES.up_to(4_096)
def _is_mixed(label: str) -> bool:
    if label.isascii():
        return False
    scripts = {_script(letter) for letter in label if letter.isalpha()}
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


def _looks_latin(label: str) -> bool:
    """Say whether all letters of a label look Latin, and some are of another script or shape."""
    letters = [letter for letter in label if letter.isalpha()]
    strange = [letter for letter in letters if not letter.isascii()]
    if not strange or not all(letter in _LOOK_LATIN for letter in strange):
        return False
    return len(strange) == len(letters) or any(letter in _LATIN_SEEMING for letter in strange)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ", 1)[0]
