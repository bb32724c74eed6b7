"""Companies, titles and places with more in them than that: a headline of a profile, a heading before it."""

from __future__ import annotations

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.salutations import word_key
from sequences_mcp.guards.remarks import has_remark, without_remarks
from sequences_mcp.guards.rule import Fact, Value
from sequences_mcp.guards.words import known_names

_EDGE_SIGNS = " \t\u00a0,;:|/\\-–—_*•·"
# What stands between the parts of a headline; " @ " stands before a company, in a title.
_HEADLINE = LazyPattern(r"\s*\|+\s*|\s(?:[•·▪►»★☆]|//+)\s|\s@\s?")
# What people say of themselves, or an advertisement says, in place of a title.
_CLAIM = LazyPattern(
    r"(?i)(?:at (?=\w)|#[^\W\d]|(?:i|we) help\b|i am\b|i['’]m\b|ich (?:bin|helfe)\b|je suis\b|j['’]aide\b|"
    r"we are\b|we['’]re\b|wir suchen\b|looking for\b|searching for\b|(?:gesucht|wanted)\s?:|\d+\+? years\b|"
    r".*\sgesucht\Z|helping (?!hand|teacher)\w+ \w+|on a mission\b|(?:passionate|obsessed) about\b)"
)
_PLACES = LazyPattern(r"[|;]|\s[•·]\s|,\s*,")
_TWICE = LazyPattern(r"(?s)(.{2,80})\s?[,;/]\s?\1")
_LABEL = LazyPattern(r"([^\W\d_]{2,20}(?: [^\W\d_]{1,20}){0,2})\s?[:=]\s?(?=\S)")
_HALF_QUOTED = LazyPattern(r"(?i)\A\"[^\"]*\Z|\A[^\"]*[^\d\"]\"\Z|\A'(?![stn][\s-])[^'’]*\Z")
_LONGEST = 200


def is_labelled(text: str, kind: str) -> bool:
    """Say whether the heading of a column of this kind stands before a value: "Company: Acme"."""
    label = _LABEL.match(text)
    return label is not None and word_key(label[1]) in known_names(kind, "heading")


def is_half(text: str) -> bool:
    """Say whether one of two parentheses or quotes is missing, as where a value was cut off."""
    return text.count("(") != text.count(")") or _HALF_QUOTED.search(text) is not None


def is_headline(value: Value) -> bool:
    """Say whether a company or a place has more in it than its name, or a title more than two.

    "CTO | Founder" and "Developer @ Acme" are titles as people have them; an advertisement is part of neither.
    """
    if value.fact not in (Fact.TITLE, Fact.COMPANY, Fact.PLACE) or len(value.text) > _LONGEST:
        return False
    if has_remark(value) or (value.fact is Fact.TITLE and _CLAIM.match(value.text)):
        return True
    if value.fact is Fact.PLACE:
        return _PLACES.search(value.text) is not None
    if _TWICE.fullmatch(value.text):
        return True
    least = 1 if value.fact is Fact.COMPANY else 2
    return sum(1 for _ in _HEADLINE.finditer(value.text.strip(_EDGE_SIGNS))) >= least


def bare_phrase(text: str, fact: Fact) -> str:
    """Return what of a company, a title or a place is its name."""
    text = text.strip(_EDGE_SIGNS)
    if is_labelled(text, fact.value):
        text = _LABEL.sub("", text)
    if match := (_PLACES if fact is Fact.PLACE else _HEADLINE).search(text):
        text = text[: match.start()].strip(_EDGE_SIGNS)
    text = without_remarks(text, fact).strip(_EDGE_SIGNS)
    if fact in (Fact.TITLE, Fact.PLACE):
        text = text.rstrip("?! ") if fact is Fact.TITLE else text.rstrip("? ")
    if is_half(text):
        text = text.strip("()\"' ")
    match = _TWICE.fullmatch(text) if len(text) <= _LONGEST else None
    return match[1] if match else text
