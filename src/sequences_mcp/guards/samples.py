"""Names of nobody, of ``lexicon/sample.txt``: in a text, as a person's name, as a company's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.salutations import word_key
from sequences_mcp.guards.lookalikes import key
from sequences_mcp.guards.views import TextView
from sequences_mcp.guards.words import lines

_SHORT = 3
_ACRONYM = 4
_MOST_BY_CHANCE = 5
_LONGEST = 100
_VOWELS = frozenset("aeiouyаеиоуыэюя")


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


@cache
def sample_words() -> frozenset[str]:
    """Return the whole names of persons that are nobody's, by key, with their accents and without."""
    kinds = ("person", "greeted", "written")
    return _keys(*kinds) | {word_key(phrase) for kind in kinds for phrase in _phrases(kind)}


def is_sample_person(text: str) -> bool:
    """Say whether a whole name is nobody's: "Max Mustermann", "John Doe"."""
    return key(text[:_LONGEST]) in sample_words()


def is_carried_sample(text: str) -> bool:
    """Say whether the whole name is one of those that people have all the same: "John Doe"."""
    return key(text[:_LONGEST]) in _keys("carried")


_BEFORE_A_FORM = ("sample", "vague", "written")


def is_sample_place(text: str) -> bool:
    """Say whether a place is one of examples: "Musterstadt", "Anytown"."""
    return key(text[:_LONGEST]) in _keys("place")


def is_sample_company(text: str) -> bool:
    """Say whether a company is none: "Company XYZ", "Test GmbH", "Musterfirma"."""
    words = [word for part in text[:_LONGEST].split() if (word := key(part))]
    if key(text[:_LONGEST]) in _keys("company", "written"):
        return True
    rest = "".join(word for word in words if word not in _keys("form", "generic"))
    if not rest and not _keys("form").isdisjoint(words) and not _keys("generic").isdisjoint(words):
        return True  # "Company Inc"
    if rest.rstrip("0123456789") in _keys("sample") and words[-1].isdigit():
        return True  # "Test 123", "Test Company 2"
    if len(rest) == len("".join(words)) or rest not in _keys(*_BEFORE_A_FORM, "letters"):
        return len(words) == 1 and rest in ("xyz", "xxx")
    # "X Corp" is a company
    return rest in _keys(*_BEFORE_A_FORM) or not _keys("generic").isdisjoint(words)


# The rows of keyboards for English, German, French and Russian.
_ROWS = (
    "qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn "
    "йцукенгшщзхъ фывапролджэ ячсмитьбю"
)
_KEYS = f"{_ROWS} {_ROWS[::-1]}"
_SURE_KEYS = frozenset(["asdf", "qwer", "qsdf", "фыва", "йцук"])
_MANY_LETTERS = LazyPattern(r"([^\W\d_])\1{3}")


def is_typed_at_random(text: str, *, least: int = _SHORT) -> bool:
    """Say whether a value is one letter again and again or a row of keys: "Xxxx", "asdfgh", "qweqwe".

    ``least`` is from how many times on the one letter is none's name: AAA is a company.
    """
    if len(text) < _SHORT or len(text) > _LONGEST:
        return False
    words = text.casefold().split()
    letters = set("".join(words))
    if len(letters) == 1 and text.isalpha() and text.isascii():
        return len(text) >= least and text != "III"
    return _MANY_LETTERS.search(text.casefold()) is not None or all(map(_is_row_of_keys, words))


def _is_row_of_keys(word: str) -> bool:
    """Say whether a word is keys beside one another: six, fewer from the row's first on or without a vowel.

    Three or four may be there twice. "Wertz", "Wert" and "Azer" are names.
    """
    if len(word) < _ACRONYM:
        return False
    for size in (3, 4):
        piece = word[:size]
        if len(word) >= 2 * size and word == (piece * len(word))[: len(word)] and piece in _KEYS:
            return True
    if word not in _KEYS:
        return False
    begins_a_row = len(word) > _ACRONYM and f" {word}" in f" {_ROWS}"
    return begins_a_row or len(word) > _MOST_BY_CHANCE or word in _SURE_KEYS or _VOWELS.isdisjoint(word)
