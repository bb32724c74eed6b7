"""What a merge of wrong or missing values reads like: rules of the layer ``foreign``."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.line_leftovers import Kind, leftovers
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.samples import greeted_samples
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.views import TextView

_TWICE = LazyPattern(r"(?P<word>[^\W\d_]{2,30})(?:,[ \t]{0,2}|[ \t])(?P=word)(?=[ \t]?[,!.:;\n]|[ \t]|$)")
_NEXT = LazyPattern(r"[^\W\d_]{2,20}(?=[ \t,])")
_LAST_WORD = LazyPattern(r"[^\W\d_]{2,20}(?=[ \t]{1,3}\Z)")
_LONGEST_SALUTATION = 40
_SALUTED = LazyPattern(r"[^\W\d_a-z\ufdd0][\w.'’-]{0,20}(?: [^\W\d_a-z][\w.'’-]{0,20})?\W{1,4}|\ufdd0+\W{0,4}")
_ENDS_SALUTATION = (",", "!", ":", ".", "،", "，", "！", "、")


def _doubled(text: GuardedText) -> Iterator[Hit]:
    """Return a name that follows itself in a greeting, a greeting that follows itself, and a second salutation."""
    for view in text.views:
        for match in view.find_greeted(_TWICE):
            yield Hit(*view.span(*match.span()))
        for place in view.greetings:
            following = _NEXT.match(view.text, place)
            before = _LAST_WORD.search(view.text[max(0, place - 24) : place])
            if following and before and following[0][0].isupper() and following[0].lower() == before[0].lower():
                yield Hit(*view.span(*following.span()))
        if second := _second_salutation(view):
            yield Hit(*view.span(*second))


def _second_salutation(view: TextView) -> tuple[int, int] | None:
    """Return the second of two lines at the beginning that are nothing but a salutation."""
    if len(view.greetings) < 2:
        return None
    heads: list[tuple[int, int]] = []
    at = 0
    for line in view.text[:200].split("\n"):
        is_short = line.strip() and len(line) <= _LONGEST_SALUTATION and line.rstrip().endswith(_ENDS_SALUTATION)
        if line.strip():
            greeted = [
                view.text[place : at + len(line)] for place in view.greetings if at <= place <= at + len(line)
            ]
            if not is_short or not greeted or not _SALUTED.fullmatch(greeted[0]):
                return None
            heads.append((at, at + len(line)))
            if len(heads) == 2:
                return heads[1]
        at += len(line) + 1
    return None


DOUBLED = Rule(
    id="foreign.doubled",
    severity=Severity.WARNING,
    message="A name or a greeting stands twice here.",
    accept=("Hi Maria, Mario asked me.", "Hej hej Maria,", "Hi Maria,\nhello from Paris!"),
    reject=("Hi Maria Maria, a word", "Hi Maria,Maria,", "Hi Hi Maria,", "Hi Maria,\n\nHello Maria,\n\na word"),
    source="ours",
    check=_doubled,
)


def _strange_date(text: GuardedText) -> Iterator[Hit]:
    """Return every date that a program writes for none, or that no calendar has."""
    return _of_lines(text, Kind.DATE)


def _of_lines(text: GuardedText, kind: Kind) -> Iterator[Hit]:
    for view in text.views:
        for leftover in leftovers(view):
            if leftover.kind is kind:
                yield Hit(*view.span(leftover.start, leftover.end))


STRANGE_DATE = Rule(
    id="foreign.strange_date",
    severity=Severity.WARNING,
    message="No calendar has this date, or a program writes it where a date is missing.",
    accept=("on 29 February 2028", "until 31/12", "by 2027-02-28", "since 1970", "30 novembre"),
    reject=(
        "on 30 February",
        "on 1/1/1970",
        "Monday, 31 November",
        "by 2026-13-45",
        "at 2026-05-01T10:00:00Z",
        "2月30日",
    ),
    source="ours",
    check=_strange_date,
)


def _sample_name(text: GuardedText) -> Iterator[Hit]:
    """Return every name of a person or a company that stands in examples alone."""
    yield from _of_lines(text, Kind.SAMPLE)
    for view in text.views:
        for match in view.find_greeted(greeted_samples()):
            yield Hit(*view.span(*match.span()))


SAMPLE_NAME = Rule(
    id="foreign.sample_name",
    severity=Severity.WARNING,
    message="This is a name from an example or a template: put the real one.",
    accept=("Hi Max, a role at Muster & Sons", "an example company", "Example Street Media", "we test companies"),
    reject=(
        "Hallo Max Mustermann,",
        "Dear John Doe,",
        "a role at Company XYZ",
        "at XYZ Corp",
        "die Musterfirma GmbH",
    ),
    source="ours",
    check=_sample_name,
)
