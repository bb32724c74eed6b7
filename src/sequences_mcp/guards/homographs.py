"""Hosts and addresses whose letters are not what they seem: of several scripts, or all look-alikes of Latin ones.

Scripts may be mixed as Unicode's "highly restrictive" profile allows: Latin with Japanese, Korean or Chinese
(https://www.unicode.org/reports/tr39/, 5.2).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sequences_mcp.guards.lazy import Lazy

_HOST = Lazy(
    r"(?<![\w.-])(?P<before>(?:[A-Za-z][A-Za-z0-9+.-]{0,20}://|[\w.+-]{0,64}@|www\.)?)"
    r"(?P<host>(?:[\w\u00b7-]{1,63}[.\u3002\uff0e\uff61]){1,8}[^\W_][\w-]{1,62})(?![\w-])"
)
# A letter beyond ASCII beside a dot of a host: most texts have none, and are done with.
_DOT = "[.\u3002\uff0e\uff61]"
_STRANGE = Lazy(rf"[^\W\x00-\x7f][\w-]{{0,62}}{_DOT}\w|\w{_DOT}[\w-]{{0,62}}[^\W\x00-\x7f]")
_STRANGE_MAILBOX = Lazy(r"[^\W\x00-\x7f][\w.+-]{0,63}@")
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
# Letters of other scripts that are drawn as Latin small letters (confusables.txt of Unicode TR 39).
_LOOK_LATIN = frozenset("асԁеһіјӏорԛѕѵԝхуүӕɡοναρυικωνոսօհցզոɑıᴏᴠᴡᴢꜱ")
_LATIN_SEEMING = frozenset("ɡɑıᴏᴠᴡᴢꜱ")


class Homograph(NamedTuple):
    """A host of that kind: its place, its name on the wire, and whether scripts are mixed in one label.

    ``wire`` is None where it is what stands before the @ of an address.
    """

    start: int
    end: int
    wire: str | None
    is_mixed: bool


def find(text: str) -> Iterator[Homograph]:
    """Return the hosts of a text, in links, in addresses and bare, and the mailboxes that look like another."""
    if not (_STRANGE.search(text) or _STRANGE_MAILBOX.search(text) or "xn--" in text.lower()):
        return
    for match in _HOST.finditer(text):
        yield from _mailbox(match["before"], start=match.start())
        host = match["host"]
        if host.isascii() and "xn--" not in host.lower():
            continue
        shown = _shown(host)
        is_host = bool(match["before"]) or (shown.rpartition(".")[2].isascii() and shown == shown.lower())
        labels = shown.lower().replace("\u3002", ".").replace("\uff0e", ".").replace("\uff61", ".").split(".")
        is_mixed = any(map(_is_mixed, labels))
        if is_host and (is_mixed or any(map(_looks_latin, labels))):
            yield Homograph(*match.span("host"), _wire(host), is_mixed)


def _mailbox(before: str, *, start: int) -> Iterator[Homograph]:
    if not before.endswith("@") or before.isascii():
        return
    parts = before[:-1].lower().replace("+", ".").replace("-", ".").replace("_", ".").split(".")
    is_mixed = any(map(_is_mixed, parts))
    if is_mixed or any(map(_looks_latin, parts)):
        yield Homograph(start, start + len(before) - 1, None, is_mixed)


def _shown(host: str) -> str:
    from sequences_mcp.domain.addresses import shown_host

    return shown_host(host.lower()) if "xn--" in host.lower() else host


@lru_cache(maxsize=1024)
def _wire(host: str) -> str:
    from sequences_mcp.domain.addresses import host_key

    return host_key(host)


@lru_cache(maxsize=4096)
def _is_mixed(label: str) -> bool:
    if label.isascii():
        return False
    scripts = {_script(letter) for letter in label if letter.isalpha()}
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


def _looks_latin(label: str) -> bool:
    """Say whether all letters of a label are drawn as Latin ones, and some are of another script or shape."""
    letters = [letter for letter in label if letter.isalpha()]
    strange = [letter for letter in letters if not letter.isascii()]
    if not strange or not all(letter in _LOOK_LATIN for letter in strange):
        return False
    return len(strange) == len(letters) or any(letter in _LATIN_SEEMING for letter in strange)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ", 1)[0]
