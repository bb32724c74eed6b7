"""Every word that a rule could look for, collected from the word lists and from the patterns' sources.

A word of ordinary letters that contains none of them cannot make any rule about texts find something, wherever it
stands. So values made of such words, which nearly all names are, need not be checked by those rules. The
collection may contain more than the rules look for, never less; ``tests/guards/test_guard_vocabulary.py`` checks
that.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.encodings import may_be_broken
from sequences_mcp.guards.lookalikes import key
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.words import lines
from sequences_mcp.remembering import VALUES

# Latin letters, without two that look like others (dotless i and kra).
_WORD = LazyPattern("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0130\u0132-\u017e]{3,20}")
_ORDINARY = LazyPattern(r"[^\W_]+(?:(?:[ '’-]| & )[^\W_]+)*")
_BETWEEN = LazyPattern(r"[^\W_]+")
_ESCAPE = LazyPattern(r"\\.")
_OPTIONAL = LazyPattern(r"\w\?")
_EITHER = LazyPattern(r"\[([^\W\d_]{2,4})\]")  # one of a few letters: personali[sz]e
_LETTERS = LazyPattern(r"[^\W\d_]+")
_INSIDE = 4
"""Known words of at least so many letters count anywhere inside a word, those of three only at its ends."""
OF_VALUES_ALONE = frozenset({"capitals", "no_company", "remark", "team"})
"""The word lists that only rules about values read (``names.py``); those look at every value."""


@VALUES.up_to(65_536)
def is_unheard_of(value: str, policy: GuardPolicy) -> bool:
    """Say whether a value consists of words that no rule and no house policy looks for.

    Only single spaces, hyphens, apostrophes and " & " may stand between them.
    """
    if _ORDINARY.fullmatch(value) is None or may_be_broken(value):
        return False
    words = [match[0] for match in _BETWEEN.finditer(value)]
    letters = [word for word in words if not word.isdigit()]
    return words[:1] == letters[:1] != [] and all(_is_unknown(word, policy.forbidden) for word in letters)


def _is_unknown(word: str, forbidden: tuple[str, ...]) -> bool:
    bare = key(word)
    if _WORD.fullmatch(word) is None or len(set(bare)) < 3:  # may be a format such as XXX or Mmm
        return False
    heads, ends = _known()
    for place in range(len(bare)):
        if any(bare.startswith(known, place) for known in heads.get(bare[place : place + _INSIDE], ())):
            return False
    return bare[:3] not in ends and bare[-3:] not in ends and not any(bare in key(phrase) for phrase in forbidden)


@cache
def _known() -> tuple[dict[str, list[str]], frozenset[str]]:
    """Return the words of four letters and more by their first four, and those of three."""
    written = {word[0] for text in set(_sources()) for word in _LETTERS.finditer(text)}
    known = set(map(key, written))
    heads: dict[str, list[str]] = {}
    for word in known:
        if len(word) >= _INSIDE:
            heads.setdefault(word[:_INSIDE], []).append(word)
    return heads, frozenset(word for word in known if len(word) == 3)


def _sources() -> Iterator[str]:
    """Yield the word lists, and of each module of the guards its patterns and the words that it names."""
    from sequences_mcp.guards import catalogue  # imports the modules of all rules

    for path in sorted(Path(__file__).with_name("lexicon").glob("*.txt")):
        if path.stem not in OF_VALUES_ALONE:
            yield from (rest for _, rest in lines(path.stem))
    room = catalogue.__package__
    alone = (__name__, f"{room}.remarks", f"{room}.headlines")  # these have patterns for values alone
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{room}.") and name not in alone:
            for known, value in list(vars(module).items()):
                if not known.startswith("__"):
                    yield from _texts(value)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, LazyPattern):
        yield from value.needs
        yield from _spelled(value.source)
    elif isinstance(value, re.Pattern):
        yield from _spelled(str(value.pattern))
    elif isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset | set | dict):
        for item in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _texts(item)


def _spelled(source: str) -> Iterator[str]:
    """Yield a pattern without its escapes, with each choice of letters, and with and without optional letters."""
    plain = _ESCAPE.sub(" ", source)
    for choice in range(4):
        spelled = _EITHER.sub(lambda match, at=choice: match[1][min(at, len(match[1]) - 1)], plain)  # type: ignore[misc]
        yield from (spelled.replace("?", ""), _OPTIONAL.sub("", spelled))
