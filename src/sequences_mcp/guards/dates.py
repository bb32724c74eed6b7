"""Finds dates that no calendar has, and those that programs write where a date is missing."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from functools import cache
from itertools import islice

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.views import TextView

# What programs write where a date is missing: the beginnings of the epochs of Unix, Excel, .NET and MySQL.
_EPOCH = LazyPattern(
    r"(?<![\d/.-])(?:1970-01-01|0?1[/.]0?1[/.](?:1970|1900|0001)|1899-12-3[01]|12/3[01]/1899|3[01][/.]12[/.]1899|"
    r"0000-00-00|00[/.]00[/.]0000|0001-01-01)(?![\d/-])|Thu,? (?:Jan 0?1|0?1 Jan) 1970|"
    r"(?<![\w/=-])\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?![\w-])",
    needs=("1970", "1900", "1899", "000", "t0", "t1", "t2"),
)
_ISO = LazyPattern(r"[12](?<![\w/.=-].)((?:(?<=1)9|(?<=2)0)\d\d)-([01]\d)-(\d\d)(?![\w-])", needs=("-0", "-1"))
_MONTHS = {
    2: "february feb februar febrero février fevrier febbraio fevereiro februari lutego февраля лютого",
    4: "april apr avril abril aprile kwietnia апреля квітня nisan",
    6: "june jun juin junio giugno junho juni czerwca июня червня haziran",
    9: "september sept sep septembre septiembre settembre setembro września сентября вересня eylül",
    11: "november nov novembre noviembre novembro listopada ноября листопада kasım",
}
_MOST_DAYS = {2: 29}


@cache
def _month_of() -> dict[str, int]:
    return {name: month for month, names in _MONTHS.items() for name in names.split()}


_MONTH = "|".join(sorted({name for names in _MONTHS.values() for name in names.split()}, key=len, reverse=True))
# Begins with a set and looks back from there: the search then skips all other letters.
_DAY = LazyPattern(r"[239](?:(?<=2)9|(?<=3)\d)(?![\d%.,:-])", signs="239")
_AFTER_DAY = LazyPattern(rf"(?i)(?:st|nd|rd|th|\.|º)?[ \u00a0](?:of |de |d['’])?({_MONTH})(?!\w)")
_BEFORE_DAY = LazyPattern(rf"(?i)(?<!\w)({_MONTH})\.?[ \u00a0]\Z|(?<!\d)(2|4|6|9|11)月\Z")
_NO_DAY = LazyPattern(r"[\d.,:%-]\Z")
_AROUND = 12
_MOST_DAYS_EXAMINED = 200


def strange_dates(view: TextView) -> Iterator[tuple[int, int]]:
    """Yield the place of every such date."""
    yield from (match.span() for match in view.find(_EPOCH))
    for match in view.find(_ISO):
        if not _is_day(int(match[0][:4]), int(match[2]), int(match[3])):
            yield match.span()
    for match in islice(view.find(_DAY), _MOST_DAYS_EXAMINED):
        if named := _named(view.text, *match.span()):
            yield named


def _named(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the place of a day and its month's name when that month has no such day."""
    before = text[max(0, start - _AROUND) : start]
    if _NO_DAY.search(before):
        return None
    after, ahead = _AFTER_DAY.match(text, end), _BEFORE_DAY.search(before)
    if after:
        month, span = after[1], (start, after.end())
    elif ahead and text[end : end + 1] not in (":", "%"):
        month, span = ahead[1] or ahead[2], (start - len(ahead[0]), end)
    else:
        return None
    number = int(month) if month.isdigit() else _month_of()[month.lower()]
    return span if int(text[start:end]) > _MOST_DAYS.get(number, 30) else None


def _is_day(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
