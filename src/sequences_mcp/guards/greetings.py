"""How a message begins, in the languages recruiters write in: the place where a name is due."""

from __future__ import annotations

import re
from functools import cache
from itertools import chain

from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.words import lines

MOST = 50
"""How many greetings of one text are looked at."""

# A greeting opens a line or a sentence; looking nowhere else keeps the search cheap.
_OPENING = Lazy('[\n.!?>…:;,("“”«»—–*_#\ufdd0-][ \t\u00a0]{0,8}(\\w+)')
_FIRST = Lazy("[ \t\u00a0]{0,8}(\\w+)")
_TITLE = (
    r"(?:(?:mr|mrs|ms|dr|m|mme|monsieur|madame|herr|frau|herrn|señor|señora|sr|sra|sig|pan|pani)\.?[ \t]{1,4})?"
)


@cache
def _phrases() -> dict[str, re.Pattern[str]]:
    """Return the patterns of the greetings by their first word, in small letters."""
    groups: dict[str, list[str]] = {}
    for phrase in (phrase for _, rest in lines("greeting") for phrase in rest.split()):
        groups.setdefault(phrase.split("_")[0], []).append(phrase)
    return {first: _pattern(phrases) for first, phrases in groups.items()}


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    either = "|".join(sorted(map(re.escape, phrases), key=len, reverse=True)).replace("_", r"[ \t]")
    return re.compile(rf"(?i)(?:{either})(?:[,，](?=[ \t]{{1,2}}\w))?[ \t\u00a0]{{1,8}}{_TITLE}")


def greetings(text: str) -> tuple[int, ...]:
    """Return the places just after a greeting, its blank and a title."""
    phrases = _phrases()
    found: list[int] = []
    first = _FIRST.match(text)
    openings = _OPENING.finditer(text, first.end() if first else 0)
    for opening in chain((first,) if first else (), openings):
        pattern = phrases.get(opening[1].lower())
        if pattern and (match := pattern.match(text, opening.start(1))):
            found.append(match.end())
            if len(found) == MOST:
                break
    return tuple(found)
