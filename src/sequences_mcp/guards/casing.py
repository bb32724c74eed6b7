"""How a name, a title and a place are written in a sentence: MARIA is Maria, VAN DER BERG is van der Berg."""

from __future__ import annotations

import unicodedata
from functools import cache

from sequences_mcp.domain import salutations
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.salutations import word_key as _key
from sequences_mcp.guards.rule import PERSON, Fact, Value
from sequences_mcp.guards.words import known_names, lines

_INVERTED = LazyPattern(
    r"[a-z][A-Z]{2,}|[A-Z]{2,}[a-z]+[A-Z]+[a-z]*|[A-Z](?:[a-z][A-Z]){2,}|[a-z](?:[A-Z][a-z])+[A-Z][a-z]?"
)


def is_miscased(value: Value) -> bool:
    """Say whether a value is all in capitals or all in small letters where a sentence would have neither."""
    return cased(value.text, value.fact) != value.text


def cased(text: str, fact: Fact) -> str:
    """Return a value with the capitals that a sentence would have."""
    words = text.split(" ")
    if fact in PERSON:
        if all(_is_particle(word) for word in words) or not any(map(_has_case, words)):
            return text
        if text == text.lower() or _is_inverted(text):
            return " ".join(_capital(word) for word in words)
        return " ".join(_capital(word) if _is_shouted(word) else word for word in words)
    if fact is Fact.PLACE and text == text.lower() and any(map(_has_case, words)):
        return " ".join(_capital(word) for word in words)
    least = 4 if fact is Fact.PLACE else 6
    if text == text.upper() and any(_is_shouted(word, least=least) for word in words):
        return " ".join(word if word in _acronyms() else _capital(word) for word in words)
    return text


@cache
def _acronyms() -> frozenset[str]:
    return frozenset(word for sort, rest in lines("capitals") if sort == "acronym" for word in rest.split())


def _has_case(word: str) -> bool:
    return word.lower() != word.upper() and not "\u10a0" <= word[:1] <= "\u10ff"  # Georgian has no sentence case


def _is_particle(word: str) -> bool:
    return word.lower() == word and _key(word) in known_names("particle", "capitals")


def _is_inverted(text: str) -> bool:
    """Say whether a name was typed with the shift key the wrong way: "mARIA"."""
    return bool(_INVERTED.fullmatch(text))


def _is_shouted(word: str, *, least: int = 3) -> bool:
    letters = [letter for letter in word if letter.isalpha()]
    if len(letters) < least or not all(map(str.isupper, letters)):
        return False
    if _key(word) in salutations.GENERATIONS or salutations.is_degree(word) or word.count(".") > 1:
        return False
    bare = unicodedata.normalize("NFD", "".join(letters))
    is_initials = bare.isascii() and len(bare) == 3 and not any(vowel in bare for vowel in "AEIOUY")
    return not is_initials


def _capital(word: str) -> str:
    if _is_particle(word.lower()):
        return word.lower()
    for sign in ("-", "'", "’"):
        if sign in word:
            return sign.join(map(_capital, word.split(sign)))
    small = word.lower().replace("i\u0307", "i")
    if small.startswith("mc") and len(small) > 3:
        return f"Mc{small[2:3].upper()}{small[3:]}"
    return word[:1].upper() + small[1:]
