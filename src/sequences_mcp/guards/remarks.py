"""What people and programs add to a name, a company or a title: terms of work, notes, counts, an end cut off.

The words stand in ``lexicon/remark.txt``. ``has_remark`` says whether there is such an addition,
``without_remarks`` returns the value without it, and ``leaves_nothing`` says that no true value would be
left.
"""

from __future__ import annotations

from functools import cache

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.salutations import word_key
from sequences_mcp.guards.rule import PERSON, Fact, Value
from sequences_mcp.guards.words import lines

_LONGEST = 200
_END = r"\s?[)\]!.?]*\s*\Z"
_APART = r"(?:\s*[(\[·|,:–—/]|\s-)\s*"
_COUNTED = (
    r"followers?|employees|connections|mitarbeiter(?:innen)?|abonnés|employés|seguidores|empleados|dipendenti|"
    r"pracowników|medewerkers"
)
_SPAN = r"(?:yrs?|mos?|years?|months?|jahre?n?|monate?n?|ans?|mois|años?|meses|anni|mesi)"
# A length of time in small letters, "Acme 2 yrs"; a number of people; a list or a text that was cut off; a doubt.
_OF_BOTH = LazyPattern(
    rf"(?:^|[\s(·|,–-])(?:\d{{1,3}}\s?{_SPAN}\.?[\s)]*)+\Z|(?i:(?:^|[\s(·|,–-])[\d.,]{{1,12}}k?\+?(?:\s?[-–]\s?[\d.,]{{1,12}}k?)?\+?"
    rf"\s(?:{_COUNTED})\b.*\Z)|"
    r"(?i:,?\s(?:and|und|et|y|e|\+|&)?\s?\+?\d{1,5}\s(?:more|others?|weitere|autres|más|altri|mais)\.?\s*\Z)|"
    r"(?:,\s*)?(?:\.{3}|…)(?i:\s*(?:see more|show more|mehr anzeigen|voir plus))?\s*\Z|"
    r"[!?]{2,}\s*\Z|\s\?\s*\Z|\s?\(\?.*\Z|\s(?:at|@|bei|chez|and|und|&)\s*\Z"
)
_OF_COMPANY = LazyPattern(
    r"\A(?:(?:(?:Jobs|Karriere|Careers|Working|Work|Arbeiten|Stellenangebote) )?(?:at|bei|chez|presso)|probably|"
    r"vielleicht|wahrscheinlich|probablement) (?=[A-Z0-9])|"
    r"\A(?:[zZ]{3,}[\s_.-]*|[zZ]{2}_|(?i:duplicate|dupe)[\s:–-]+)(?=[A-Z])|"
    r"\s\(\d{1,2}\)\s*\Z|\s\(?#\d{2,9}\)?\s*\Z|"
    r"\s(?:via [A-Z]|\(via |c/o ).*\Z|\slogo\s*\Z"
)
_POST_AT = LazyPattern(
    r"(?i)\A(?:[^\W\d_][\w.&/-]* ){0,4}(?:ceo|cto|cfo|coo|cmo|founder|engineer|developer|manager|director|"
    r"recruiter|consultant|designer|analyst|intern|geschäftsführer(?:in)?|entwickler(?:in)?) "
    r"(?:at|@|bei|chez|presso) (?=\S)"
)
_YEAR = r"(?:19|20)\d\d"
_PERIOD = LazyPattern(
    r"(?i)\s\(\s?(?:(?:bis|until|till|up to|from|since|seit|von|depuis|jusqu['’](?:en|à)|hasta|desde|fino al)"
    rf"\s[\d/.]{{0,6}}{_YEAR}|{_YEAR}\s?[-–]\s?(?:{_YEAR}|today|present|now|heute|aujourd['’]hui|hoy|oggi)?)\s?\)\s*\Z"
)
_TITLE_GONE = LazyPattern(
    r"(?i)\A(?:ex|former|formerly|ehemaliger?|ancien(?:ne)?|past)[\s-](?=\w)|"
    r"\A(?:[a-z]{3,9}\.? )?(?:19|20)\d\d\s?[-–]|\s(?:until|bis) (?:19|20)\d\d\s*\Z"
)
_OPEN = LazyPattern(r"(?i)\A#?open ?to ?work\W+(?=\w)")
_GONE = LazyPattern(r"\A(?:ex|formerly|previously|ehemals|vormals|anciennement)[ -](?=[A-Z])")
# Around a person's name: what sorts it to the end of a list, a dagger, a letter of an enumeration, a note.
_OF_PERSON = LazyPattern(
    r"\A(?:zz+|xx+|ZZ+|XX+)[\s_.-]*(?=[A-Z][a-z])|\A\W*(?:[a-z]|\d{1,3})\)\s*|\A\d{1,3}\.\s+|\A\W*[†‡✝]\s*|"
    r"[†‡✝]\W*\Z|\s\(?(?i:she|he|they|sie|er|elle|il|ella|él)\s?/\s?\w+.*\Z|"
    r"\s(?:call|ask|see|mail|ring|from|anrufen|siehe|rappeler|llamar)\b.*\Z"
)
_INSTEAD = LazyPattern(
    r"\A(?i:todo|tbd|tbc|note|check)\s*:|\A(?:see|ask|call|siehe|frag|voir|demander|ver|preguntar) \S"
)


@cache
def _either(kind: str) -> str:
    words = sorted((word for sort, rest in lines("remark") if sort == kind for word in rest.split()), key=len)
    return "|".join(word.replace("_", r"\s").replace("'", "['’]").replace(".", r"\.") for word in reversed(words))


@cache
def _added(fact: Fact) -> LazyPattern:
    """Return the pattern of the words that are no part of such a value."""
    if fact in PERSON:
        return LazyPattern(
            rf"(?i:\s(?:{_either('behind')}){_END}|(?:^|\s)(?:{_either('loose')}){_END}|\A(?:{_either('before')})\s(?=\S))|"
            rf"\s(?:{_either('small')}){_END}|\A(?:{_either('past')})[\s-](?=[A-Z])|"
            rf"\s(?:{_either('capitals')})\s*\Z|\A(?:{_either('capitals')})\s(?=[A-Z][a-z])"
        )
    apart = ["terms", "unsure", *(["relation", "past"] if fact is Fact.COMPANY else [])]
    words = "|".join(map(_either, apart))
    return LazyPattern(
        rf"(?i:{_APART}(?:{words}){_END}|[\s(·|,–—-](?:{_either('loose')}){_END})|\s(?:TODO|TBC|TBD|DNC)\s*\Z"
    )


@cache
def _behind(kind: str) -> LazyPattern:
    """Return the pattern of words of one kind that stand behind a value, apart from it."""
    return LazyPattern(rf"(?i){_APART}(?:{_either(kind)}){_END}")


def _patterns(fact: Fact) -> tuple[LazyPattern, ...]:
    if fact in PERSON:
        return (_added(fact), _OF_PERSON)
    if fact is Fact.COMPANY:
        return (_added(fact), _OF_BOTH, _OF_COMPANY, _PERIOD, _GONE, _POST_AT)
    if fact is Fact.TITLE:
        return (_added(fact), _OF_BOTH, _PERIOD, _TITLE_GONE, _OPEN, _behind("past"))
    return (_behind("unsure"), _OF_BOTH)


def has_remark(value: Value) -> bool:
    """Say whether a name, a company, a title or a place has something in it that somebody noted there."""
    text = value.text
    if len(text) > _LONGEST or (value.fact not in PERSON and text.isalpha()):
        return False
    if _INSTEAD.match(text) or (value.fact in PERSON and text.count("(") != text.count(")")):
        return True
    return any(pattern.search(text) for pattern in _patterns(value.fact))


def leaves_nothing(value: Value) -> bool:
    """Say whether without what was noted the value would be wrong: somebody has left, or only a note is there."""
    if _INSTEAD.match(value.text):
        return True
    past = {Fact.COMPANY: (_GONE, _PERIOD, _behind("past")), Fact.TITLE: (_TITLE_GONE, _PERIOD, _behind("past"))}
    return any(pattern.search(value.text) for pattern in past.get(value.fact, ()))


def without_remarks(text: str, fact: Fact) -> str:
    """Return a value without what somebody noted there."""
    for pattern in _patterns(fact):
        text = pattern.sub("", text)
    return text.strip()


@cache
def remarked_words() -> frozenset[str]:
    """Return the words that stand before or behind a person's name in any case."""
    phrases = (
        phrase
        for sort, rest in lines("remark")
        if sort in ("before", "behind", "loose")
        for phrase in rest.split()
    )
    return frozenset(word_key(word) for phrase in phrases for word in phrase.replace("-", "_").split("_"))
