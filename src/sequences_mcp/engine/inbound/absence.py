"""Until when somebody is away, from the text of their automatic reply, in ten languages and a few more.

It has its own table of months and weekdays instead of a library: dateparser searches a text in about 100 ms and
loads for longer than the server takes to start, and it finds dates in phone numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache

from sequences_mcp.engine.inbound.opt_out import FOLDER

LONGEST = timedelta(days=14)
USUAL = timedelta(days=7)
NEAR = timedelta(days=90)  # a day that nothing announces, and that is later, is another thing than a return
LOOKED_AT = 5_000  # letters

# What stands before the day on which somebody is back: a date that follows is the one that counts.
_UNTIL = re.compile(
    r"\b(?:until|till|til|through|thru|back|return\w*|resum\w*|available\s+again|up\s+to|bis|zurück|wieder|ab\s+dem|ab"
    r"|jusqu\w*|retour|de\s+retour|reviens|rentre|à\s+partir|hasta|vuelvo|regreso|regresar\w*|volver\w*|a\s+partir"
    r"|fino|sino|rientr\w*|torn\w*|dal|até|voltar\w*|volto|regresso|retorn\w*|tot|terug|vanaf|weer|t/m|do|wracam|wróc\w*|powrót|od"
    r"|till|tillbaka|åter|t\.o\.m|til|tilbage|tilbake|igen|asti|saakka|takaisin|palaan|до|вернусь|まで|戻り|至|返回)\b|まで|戻り|至|返回",
    re.IGNORECASE,
)
_NEAR = 60  # letters between such a word and its date


def away_until(text: str, received_at: datetime) -> datetime:
    """Return until when a run waits for somebody whose automatic reply says so.

    The day that the text names, at its beginning in UTC, but at most 14 days after the reply came; 7 days after it
    where no day to come is named.
    """
    words = unicodedata.normalize("NFC", text[:LOOKED_AT]).casefold()
    today = received_at.astimezone(UTC).date()
    named = sorted((start, day) for start, day in _dates(words, today) if day > today)
    after = [day for start, day in named if any(0 <= start - end <= _NEAR for end in _ends_before(words, start))]
    if not named:
        return received_at + USUAL
    near = [day for _, day in named if day <= today + NEAR]
    if not after and not near:
        return received_at + USUAL
    day = max(after or near)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return min(at, received_at + LONGEST)


def _ends_before(words: str, start: int) -> Iterator[int]:
    """Yield the end of each phrase announcing a return that stands shortly before a position."""
    begin = max(start - _NEAR - 20, 0)
    return (begin + match.end() for match in _UNTIL.finditer(words[begin:start]))


@cache
def _numbers(name: str) -> Mapping[str, int]:
    """Return the names of months or weekdays with their numbers, from 1; one line of the file has those of one."""
    lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return {word: number for number, line in enumerate(lines, 1) for word in line.split()}


@cache
def _named_date() -> re.Pattern[str]:
    months, first = (
        "|".join(sorted(map(re.escape, names), key=len, reverse=True))
        for names in (_numbers("months"), filter(_ENGLISH.match, _numbers("months")))
    )
    day = r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|º|°|ª|η|\.|:e|-?го)?"
    year = r"(?:[\s,.-]*(?:de\s+)?(20\d\d))?"
    return re.compile(
        rf"{day}[\s-]*(?:of\s+|de\s+|di\s+|d'|ב)?({months})\b\.?{year}|\b({first})\b\.?\s+{day}(?!\d|:){year}"
    )


@cache
def _named_month() -> re.Pattern[str]:
    months = "|".join(sorted(map(re.escape, _numbers("months")), key=len, reverse=True))
    return re.compile(rf"(?<![\d.]\s)(?<!\d)\b({months})\b\.?\s+(?:de\s+)?(20\d\d)")


# Before the day stands the month in English and its relatives: "out 3" is no day of outubro.
_ENGLISH = re.compile(r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|des|okt|szep|ápr|máj|jún|júl")
_NUMERIC = re.compile(
    r"(?<![\d/])(?<!\d[.-])(?:(20\d\d)[-./](\d{1,2})[-./](\d{1,2})|(\d{1,2})([./-])(\d{1,2})(?:\5(20\d\d|\d\d))?)\.?(?![\d/-]|\.\d)"
    r"|(?:(20\d\d)\s*[年년]\s*)?(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]"
)
_TOMORROW = re.compile(
    r"\b(?:tomorrow|demain|domani|amanhã|jutro|imorgon|i\s+morgen|huomenna|завтра)\b|\bmorgen\b(?=\s+wieder)"
)


def _dates(words: str, today: date) -> Iterator[tuple[int, date]]:
    """Yield each day that is named, with where it stands; one without a year is the next of that name."""
    for match in _named_date().finditer(words):
        day, month, year = (match[1], match[2], match[3]) if match[2] else (match[5], match[4], match[6])
        yield from _known(match.start(), _day(today, year, month=_numbers("months")[month], day=int(day)))
    for match in _named_month().finditer(words):
        yield from _known(match.start(), _day(today, match[2], month=_numbers("months")[match[1]], day=1))
    for match in _NUMERIC.finditer(words):
        yield from _known(match.start(), _numeric(match, today))
    names = _numbers("weekdays")
    for match in re.finditer(r"[^\W\d_]+(?:-feira)?", words):
        if (number := names.get(match.group())) is not None and not re.match(
            r"[\s,.]*(?:the\s+|den\s+|dem\s+|le\s+|el\s+|de\s+|dia\s+|dnia\s+)?(?:\d|[^\W\d_]+\.?\s+\d)",
            words[match.end() :],
        ):
            yield match.start(), today + timedelta(days=(number - 1 - today.weekday() - 1) % 7 + 1)
    for match in _TOMORROW.finditer(words):
        yield match.start(), today + timedelta(days=1)


def _known(start: int, day: date | None) -> Iterator[tuple[int, date]]:
    if day is not None:
        yield start, day


def _numeric(match: re.Match[str], today: date) -> date | None:
    """Return the day of a date in figures; of two readings (day first, month first) the nearer one to come."""
    if match[1]:
        return _day(today, match[1], month=int(match[2]), day=int(match[3]))
    if match[9]:
        return _day(today, match[8], month=int(match[9]), day=int(match[10]))
    first, sign, second, year = int(match[4]), match[5], int(match[6]), match[7]
    if sign == "-" and not year:  # a span of days or of hours
        return None
    whole = f"20{year}" if year and len(year) == 2 else year
    readings = [_day(today, whole, month=second, day=first)]
    if sign == "/":
        readings.append(_day(today, whole, month=first, day=second))
    coming = [day for day in readings if day is not None and day > today]
    return min(coming, default=readings[0])


def _day(today: date, year: str | None, *, month: int, day: int) -> date | None:
    try:
        if year:
            return date(int(year), month, day)
        result = date(today.year, month, day)
        # In December "8 January" is next month's; in January "20 December" has been.
        return date(today.year + 1, month, day) if result < today - timedelta(days=90) else result
    except ValueError:
        return None
