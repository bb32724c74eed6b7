"""Names of nobody, of ``lexicon/sample.txt``: in a text, as a person's name, as a company's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.lookalikes import key
from sequences_mcp.guards.views import TextView
from sequences_mcp.guards.words import lines, words_of

_SHORT = 3
_ACRONYM = 4


@cache
def _phrases(kind: str) -> tuple[str, ...]:
    return tuple(
        phrase.replace("_", " ") for sort, rest in lines("sample") if sort == kind for phrase in rest.split()
    )


@cache
def _keys(*kinds: str) -> frozenset[str]:
    return frozenset(key(phrase) for kind in kinds for phrase in _phrases(kind))


def _either(phrases: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, set(phrases)), key=len, reverse=True))


def _shortest(needs: Iterable[str]) -> list[str]:
    """Return the strings of which each of ``needs`` has at least one in it."""
    smallest: list[str] = []
    for need in sorted(set(needs), key=len):
        if not any(short in need for short in smallest):
            smallest.append(need)
    return smallest


@cache
def _patterns() -> tuple[LazyPattern, LazyPattern]:
    """Return the patterns of whole names, and of samples before a form."""
    forms = [form for phrase in _phrases("form") for form in (phrase.upper(), phrase.title())]
    capitals = [phrase.upper() if len(phrase) < _ACRONYM else phrase.title() for phrase in _phrases("sample")]
    return (
        LazyPattern(rf"(?<!\w)(?:{_either(map(str.title, _phrases('written')))})(?!\w)"),
        LazyPattern(rf"(?<!\w)(?:{_either(capitals)}) (?:{_either([*forms, 'GmbH'])})(?!\w)"),
    )


@cache
def _any() -> LazyPattern:
    """Return what tells quickly that a text has none of them; its source matches nothing."""
    samples = [f"{phrase} " for phrase in _phrases("sample")]
    return LazyPattern(r"(?!)", needs=_shortest([*_phrases("written"), *samples]))


@cache
def _letters_pattern() -> LazyPattern:
    letters = sorted((phrase.upper() for phrase in _phrases("letters")), key=len, reverse=True)
    initials = "".join(sorted({letter[0] for letter in letters}))
    either = "|".join(rf"(?<={letter[0]}){letter[1:]}" for letter in letters)
    return LazyPattern(rf"[{initials}](?<=\w .)(?:{either})(?!\w)")


@cache
def greeted_samples() -> LazyPattern:
    """Return the names that stand for nobody behind a greeting; in a signature they may be meant."""
    return LazyPattern(rf"(?:{_either(map(str.title, _phrases('greeted')))})(?!\w)")


@cache
def _generic_end() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{_either(map(str.title, _phrases('generic')))}) \Z")


def find_samples(view: TextView) -> Iterator[tuple[int, int]]:
    """Yield the places of the names of nobody in a text."""
    if view.signs_any("XYZ"):
        yield from _letters(view)
    if not view.may_have(_any()):
        return
    whole, before_form = _patterns()
    for pattern in (whole, before_form):
        yield from (match.span() for match in view.find(pattern))


def _letters(view: TextView) -> Iterator[tuple[int, int]]:
    for match in view.find(_letters_pattern()):
        if generic := _generic_end().search(view.text[max(0, match.start() - 20) : match.start()]):
            yield match.start() - len(generic[0]), match.end()


def is_sample_person(text: str) -> bool:
    """Say whether a whole name is nobody's: "Max Mustermann", "xxxx"."""
    bare = key(text)
    is_one_letter = len(bare) >= _SHORT and bare.isascii() and bare.isalpha() and len(set(bare)) == 1
    return is_one_letter or bare in _keys("person", "greeted", "written")


def is_sample_company(text: str) -> bool:
    """Say whether a company is none: "Company XYZ", "Test GmbH", "Musterfirma"."""
    words = words_of(text)
    if key(text) in _keys("company", "written"):
        return True
    rest = "".join(word for word in words if word not in _keys("form", "generic"))
    if len(rest) == len("".join(words)) or rest not in _keys("sample", "vague", "letters"):
        return bool(words) and len(words) == 1 and rest in ("xyz", "xxx")
    return rest in _keys("sample", "vague") or any(
        word in _keys("generic") for word in words
    )  # "X Corp" is a company
