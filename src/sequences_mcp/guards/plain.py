"""One look that tells a plain value from all others, fast enough for ten thousand contacts.

A value that passes here passes every rule of ``values/``; a test says so. Only what fails is looked at closely.
"""

from __future__ import annotations

from functools import lru_cache

from sequences_mcp.guards import names
from sequences_mcp.guards.facts import PERSON, SHORT, Fact, Value
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.words import means_nothing

# Letters of the common scripts written from left to right, digits, and the signs that names and titles have.
_PLAIN = Lazy(
    r"[A-Za-z\u00c0-\u024f\u0370-\u058f\u0900-\u0dff\u0e00-\u0eff\u1e00-\u1fff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"
    r"0-9\u0300-\u033f .,'’&/()+#@|:!·•–—-]{2,200}"
)

# An address, an entity without its semicolon, a tag between signs, a format: each is for its rule to judge.
_MARK = Lazy(
    r"[×÷]|://|xn--|&#?[a-z0-9]|"
    r"[#@:|+!-]\w+[#@:|+!-](?!\w)|(?:^|\W)[:@!#]\w|XX|__|(?i:dd|jj|tt|gg)[/.-]MM|[Oo]bject |"
    r"(?:candidate|sourcing|recruiter)[A-Z]|"
    r"(?i:language model|as an ai|like me to|want me to|me know if|feel free|this (?:helps|works|draft|version)|"
    r"sure|certainly|of course|absolutely|great|ok|got it|no problem|here|below is|voici|hier|aqu|ecco|oto|words|"
    r"characters|word count|quer que|vuoi che|souhaitez|soll ich|(?:can|could) (?:make|write|create|"
    r"also|draft)|don['’]t)\b|"
    r"(?i:hook|icebreaker|opener|placeholder|personali[sz]|accroche|gancho|gancio|openingszin|einstieg|value prop|"
    r"(?:opening|first|intro|closing) line|body|corps|corpo|frase|appel|llamada|handlung|cta|"
    r"call to action|null|undefined|firstname|lastname|invalid|todo|fixme|subject|insert|add|fill|"
    r"enter)"
)

_DOTTED = Lazy(r"\w\.\w")  # a host, whose letters may not be what they seem
_CASED = (Fact.TITLE, Fact.PLACE)
_OF_PERSONS = (
    names.has_loose_end,
    names.is_heading,
    names.has_digits,
    names.is_miscased,
    names.is_team,
    names.has_email,
    names.is_quoted,
    names.has_picture,
    names.is_initial,
    names.has_salutation,
    names.has_more,
)


@lru_cache(maxsize=8192)
def is_plain(value: Value) -> bool:
    """Say whether no rule about values can have anything against this one."""
    text = value.text
    is_person = value.fact in PERSON
    if is_person and names.is_plain_name(text):
        return True
    if _PLAIN.fullmatch(text) is None or _MARK.search(text) or (not text.isascii() and _DOTTED.search(text)):
        return False
    if not any(map(str.isalnum, text)) or means_nothing(text) or "www." in text.lower() or "  " in text:
        return False
    if is_person:
        return not any(rule(value) for rule in _OF_PERSONS)
    return value.fact not in SHORT or _is_plain_phrase(value)


def _is_plain_phrase(value: Value) -> bool:
    text = value.text
    ends_well = text[0].isalnum() and (text[-1].isalnum() or text[-1] in ").+!#")
    if not ends_well or "@" in text or not any(map(str.isalpha, text)):
        return False
    if value.fact in _CASED and (text == text.lower() or text == text.upper()):
        return not names.is_miscased(value) and not names.is_heading(value)
    return not names.is_heading(value) and not names.is_no_company(value)
