"""The nine variables of a step's text, and how they are filled in.

Names and rule: https://docs.kalent.ai, "Create sequence blueprint": only these nine, byte for byte. Nine fixed
names need no template engine: the text is cut at the exact tokens and a value is never looked at again, so a
value that itself contains ``{{firstname}}`` stays text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from sequences_mcp.domain.invisible import is_hidden

VARIABLES: Mapping[str, str] = {
    "firstname": "the contact's first name",
    "lastname": "the contact's last name",
    "candidateJobTitle": "the contact's present job title",
    "candidateCompanyName": "the contact's present company",
    "candidateLocation": "where the contact is",
    "sourcingJobTitle": "the job title being filled",
    "sourcingLocation": "where that job is",
    "recruiterFirstname": "the sender's first name",
    "recruiterLastname": "the sender's last name",
}

LABELS: Mapping[str, str] = {
    "firstname": "First name",
    "lastname": "Last name",
    "candidateJobTitle": "Title",
    "candidateCompanyName": "Company",
    "candidateLocation": "Location",
    "sourcingJobTitle": "Job",
    "sourcingLocation": "Job location",
    "recruiterFirstname": "Sender's first name",
    "recruiterLastname": "Sender's last name",
}
"""What the value of each is called beside a text, as a field of a form is."""
OF_CONTACT = frozenset(name for name, meaning in VARIABLES.items() if "contact" in meaning)
"""Those whose value differs from one contact to the next."""

TOKEN = re.compile(r"\{\{(" + "|".join(VARIABLES) + r")\}\}")


def used_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the variables that occur in any of the texts, in the order of the list above."""
    return _used_in(tuple(texts))


@lru_cache(maxsize=64)  # a plan asks the same few templates for each of its people
def _used_in(texts: tuple[str, ...]) -> tuple[str, ...]:
    names = {name for text in texts for name in TOKEN.findall(text)}
    return tuple(name for name in VARIABLES if name in names)


# Spaces, unassigned and private characters, and marks without a letter to sit on.
_SHORT = 100
_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})


def is_blank(value: str | None) -> bool:
    """Say whether a reader would see nothing: an absent value, or one of characters that show nothing."""
    if value and value[0].isascii() and value[0].isalnum():
        return False  # as nearly every value is: this is asked tens of times for each of ten thousand people
    characters = set(value) if value and len(value) > _SHORT else value or ""  # a long text repeats its characters
    return not any(unicodedata.category(c) not in _BLANK and not is_hidden(c) for c in characters)


def missing(text: str, values: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the variables in ``text`` whose value is absent or blank."""
    return missing_in((text,), values)


def missing_in(texts: Iterable[str], values: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the variables in any of the texts whose value is absent or blank."""
    return tuple([name for name in _used_in(tuple(texts)) if is_blank(values.get(name))])


def fill_in(text: str, values: Mapping[str, str | None]) -> str:
    """Return ``text`` with each exact token replaced by its value.

    Raises KeyError for a value that is absent or blank; call ``missing`` first.
    """
    pieces = list(_cut(text))
    for place in range(1, len(pieces), 2):  # the names stand between the pieces of text
        value = (values.get(pieces[place]) or "").strip()
        if not (value[:1].isalnum() and value.isascii()) and is_blank(value):  # most need no closer look
            raise KeyError(pieces[place])
        pieces[place] = value
    return "".join(pieces)


def filled_parts(text: str, values: Mapping[str, str | None]) -> tuple[tuple[str, str | None], ...]:
    """Return the parts of ``fill_in``'s text in order: each with the name of its variable, None for fixed words.

    A value that is absent is an empty part.
    """
    return tuple(
        (piece, None) if place % 2 == 0 else ((values.get(piece) or "").strip(), piece)
        for place, piece in enumerate(_cut(text))
    )


def readable(text: str, values: Mapping[str, str | None]) -> str:
    """Return a template for people to read: what is known filled in, of the rest what it is, in brackets."""
    return TOKEN.sub(lambda token: (values.get(token[1]) or "").strip() or f"({LABELS[token[1]].lower()})", text)


@lru_cache(maxsize=64)
def _cut(text: str) -> tuple[str, ...]:
    """Return a template's pieces of text, and between each two of them the name of the variable there."""
    return tuple(TOKEN.split(text))
