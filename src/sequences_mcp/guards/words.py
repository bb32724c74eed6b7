"""The word lists of the guards, for what a pattern cannot decide: names of facts, tags, small words, greetings.

They are data files in ``lexicon/``; each line begins with its language. The lists are incomplete on purpose: a
word that is in none is judged by its form. Words are compared by ``lookalikes.key``, without case and accents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from unicodedata import digit

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.salutations import word_key
from sequences_mcp.guards.lookalikes import key
from sequences_mcp.remembering import VALUES

_WORD = LazyPattern(r"[^\W_]+")
_CAMEL = LazyPattern(r"(?<=[a-z])(?=[A-Z])")
_LONGEST = 100
_SHORT_WORD = 4
# What Excel, Google Sheets (#ERROR!) and LibreOffice (Err:502) show where a formula fails, in any language (#NOM?,
# #¡DIV/0!, #¿NOMBRE?, #NV), where a column is too narrow (###), and for a zero in scientific notation.
_CELL_ERROR = LazyPattern(
    r"(?i)#[¡¿]?[^\W\d_][\w/.]{0,20}[!?]|#(?:n[/.]?[adv]|null|ref|name|value|num|div/0)|##+|"
    r"#getting_data|err(?:or)?\s?[:.]?\s?#?\d{3}|loading(?:\.{3}|…)|[-+]?0[.,]?0*e[-+]?\d+"
)
# Languages whose typography sets « » tight: a field word in them may be a quotation.
_TIGHT = frozenset({"es", "it", "pt", "ru", "el"})


def lines(kind: str) -> Iterator[tuple[str, str]]:
    """Return the language and the rest of each line of a word list."""
    path = Path(__file__).with_name("lexicon") / f"{kind}.txt"
    for line in path.read_text(encoding="utf-8").splitlines():
        language, _, rest = line.partition(" ")
        if language != "#":
            yield language, rest


@cache
def known_names(kind: str, name: str) -> frozenset[str]:
    """Return the words of one kind of a word list about values, as they are compared."""
    return frozenset(word_spellings(rest for sort, rest in lines(name) if sort == kind))


def word_spellings(rows: Iterable[str]) -> Iterator[str]:
    """Yield each word of a list as it is compared, with its accents and without."""
    for word in (word for row in rows for word in row.split()):
        yield word_key(word)
        if len(word) > _SHORT_WORD:  # a short word without its accents may be a real name: Ho, Adi, Ten
            yield key(word)


@cache
def _list(kind: str) -> frozenset[str]:
    return frozenset(key(word) for _, rest in lines(kind) for word in rest.split())


@cache
def _tight_fields() -> frozenset[str]:
    return frozenset(key(word) for language, rest in lines("field") if language in _TIGHT for word in rest.split())


def words_of(phrase: str) -> list[str]:
    """Return the words of a phrase, of ``snake_case`` and of ``camelCase`` alike, by key; a long one has none."""
    if len(phrase) > _LONGEST:
        return []
    if phrase.isascii() and phrase.isalpha() and phrase[1:].islower():
        return [phrase.lower()]
    return [word for part in _WORD.finditer(_CAMEL.sub(" ", phrase)) if (word := key(part[0]))]


@VALUES.up_to(2_048)
def is_field(phrase: str) -> bool:
    """Say whether a phrase names a fact to be filled in: only field words and small words."""
    words = words_of(phrase)
    known = _list("field")
    only = all(word in known or word in _list("glue") for word in words)
    return key(phrase[:_LONGEST]) in known or (only and any(word in known for word in words))


@VALUES.up_to(2_048)
def is_name(phrase: str) -> bool:
    """Say whether a phrase stands for a name to be filled in."""
    if not is_field(phrase):
        return False
    return key(phrase) in _list("name") or any(word in _list("name") for word in words_of(phrase))


@VALUES.up_to(2_048)
def has_field(phrase: str) -> bool:
    """Say whether a field word occurs in a phrase."""
    return key(phrase[:_LONGEST]) in _list("field") or any(word in _list("field") for word in words_of(phrase))


def has_glue(phrase: str) -> bool:
    """Say whether a small word occurs in a phrase: "the role" is prose, "role" alone may be a placeholder."""
    return any(word in _list("glue") for word in words_of(phrase))


def is_glue(word: str) -> bool:
    """Say whether a word, by key, is one of the small words that may stand between field words."""
    return word in _list("glue")


def is_tag_word(phrase: str) -> bool:
    """Say whether a phrase is made of tag words."""
    words = words_of(phrase)
    return bool(words) and (all(word in _list("tag") for word in words) or key(phrase) in _list("tag"))


@cache
def _nothing() -> frozenset[str]:
    return frozenset(word for _, rest in lines("nothing") for word in rest.split())


def means_nothing(value: str) -> bool:
    """Say whether a value means "no value" ("n/a", "null", "-"), once or repeated."""
    text = value[:_LONGEST].strip().casefold()
    if _CELL_ERROR.fullmatch(text):
        return True
    words = text.split()
    return "_".join(words) in _nothing() or (len(words) > 1 and all(word in _nothing() for word in words))


def is_zero(value: str) -> bool:
    """Say whether a value has no letter and no digit but zeros ("0", "0.0", "00/00/0000"): an empty cell's."""
    return all(digit(letter, None) == 0 for letter in value[:_LONGEST] if letter.isalnum())


def may_be_quoted(phrase: str) -> bool:
    """Say whether a field word belongs to a language that sets quotes tight."""
    return all(word in _tight_fields() or word in _list("glue") for word in words_of(phrase))
