"""What is wrong with names, titles and companies as values: the predicates of the rules ``values.*``.

``is_plain`` is a fast check that nearly every value passes; the others run only for those that do not. ``likely``
returns the probable value, as the fix.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from sequences_mcp.domain import salutations
from sequences_mcp.domain.invisible import strip
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.salutations import word_key as _key
from sequences_mcp.guards.casing import cased, is_miscased
from sequences_mcp.guards.encodings import may_be_broken
from sequences_mcp.guards.fact_names import Certainty, asking_words, is_surely_unfilled, unfilled
from sequences_mcp.guards.headlines import bare_phrase, is_half, is_headline, is_labelled
from sequences_mcp.guards.lookalikes import fold
from sequences_mcp.guards.remarks import has_remark, leaves_nothing, remarked_words, without_remarks
from sequences_mcp.guards.rule import PERSON, SHORT, Fact, Value
from sequences_mcp.guards.samples import (
    is_sample_company,
    is_sample_person,
    is_sample_place,
    is_typed_at_random,
    sample_words,
)
from sequences_mcp.guards.words import known_names, lines, means_nothing, word_spellings
from sequences_mcp.remembering import VALUES

_LONGEST = 200
_NICKNAME = LazyPattern(r"(?i)\s(?:and|from|aka|a\.k\.a\.|or|und|et|y|at|bei|chez)\s|[\"“”„].*[\"“”]|[€$£¥?]")
_QUOTED = LazyPattern(r"""\s*(["“”„«»‹›「『(*_`~]+|['‘](?!t\b))\s*(.*?)\s*["“”„«»‹›」』)*_`~'’]+\s*""")
_EMAIL = LazyPattern(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>().,;]+")
_SEPARATOR = LazyPattern(r"\s*(?:[|•·;:#@/\\~+=(（\[{<>*]|\s[-–—]+\s|\s&\s|,)\s*")
_OF_TWO = LazyPattern(r"([^\W\d_]{2,})[._]([^\W\d_]{2,})")
_JOINED_NAME = LazyPattern(r"[^\W\d_]{3,}[._]([^\W\d_]{2,})")
_HOST_ENDS = frozenset(
    ["com", "net", "org", "io", "ai", "co", "de", "fr", "eu", "uk", "es", "it", "nl", "app", "dev"]
)
_EDGE_SIGNS = " \t\u00a0,;:|/\\-–—_*•·"
_END = LazyPattern(r"[,;:|/\\–—_*•·!?¡¿…’‘\s-]+\Z")
_POSSESSIVE = LazyPattern(r"(?<=[^\W\d_]{2})['’]s\Z")
_START = LazyPattern(r"^[,;:|/\\–—_*•·!?¡¿.\s-]+")
_INITIALS = LazyPattern(r"(?:[^\W\d_]\.?[ -]?){1,4}")
_AMOUNT = LazyPattern(r"[€$£¥]\s?\d")
_YEAR = 4
_ORDINAL = LazyPattern(r"\b\d(?:st|nd|rd|th)\b")
_WORD = LazyPattern(r"[^\W\d_]+(?:['’.][^\W\d_]+)*\.?")
_BETWEEN = re.compile("[ '’-]")
_PART = LazyPattern(r"[^\s/&,+-]+")
_MOST_WORDS = 4
_SHORT = 4
_STYLED = LazyPattern("[\U0001d400-\U0001d7ff\uff01-\uff5e\u2460-\u24ff]")
# Letters and signs of full width are at home beside these, as in 株式会社ＮＴＴドコモ and 腾讯科技（深圳）.
_EAST_ASIAN = LazyPattern("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_FULL_WIDTH = LazyPattern("[\uff01-\uff5e]")
_SIGNS_OF_NAMES = frozenset("°㈱㈲㈳㈴㈵㈶㈷㈸㈹㈺㈻㈼㈽㈾㈿㈜")
_OF_EMOJI = frozenset("\ufe0f\ufe0e\u200d\u20e3")


def is_plain_name(text: str) -> bool:
    """Say whether a name is certainly a name: a few capitalised words, no title, team or heading among them."""
    words = _BETWEEN.split(text) if len(text) <= _LONGEST else []
    if not words or len(words) > _MOST_WORDS or not all(map(_is_plain_word, words)):
        return False
    if any(_key(word) in _listed() for word in [text, *words]) or is_typed_at_random(text):
        return False
    if len(words) == 1:
        return text < "\u3000" or unfilled(text) is Certainty.NO  # a request in Chinese or Japanese has no spaces
    return not any(word.casefold() in asking_words() for word in words)


def _is_plain_word(word: str) -> bool:
    if (
        not word.isalpha()
        or _is_of_two_scripts(word)
        or may_be_broken(word)
        or any("\u0590" <= letter <= "\u08ff" or letter >= "\ua000" for letter in word)
    ):
        return False
    if word[:1].isupper():
        return len(word) > 1 and word[1:].islower()
    return word.upper() == word.lower() and not word.endswith(salutations.HONORIFICS)


_LATIN = LazyPattern("[A-Za-z]")
_LIKE_LATIN = LazyPattern("[\u0370-\u052f]")


def _is_of_two_scripts(word: str) -> bool:
    """Say whether a word mixes Latin letters with Greek or Cyrillic ones, which look like them."""
    return not word.isascii() and bool(_LIKE_LATIN.search(word)) and bool(_LATIN.search(word))


_SMALL = ("particle", "glue")


@cache
def _listed() -> frozenset[str]:
    names = ("heading", "team", "capitals", "nothing")
    rows = (rest for name in names for sort, rest in lines(name) if sort not in _SMALL)
    around = (salutations.GREETINGS, salutations.TITLES, salutations.DEGREES, salutations.GENERATIONS)
    return frozenset().union(word_spellings(rows), sample_words(), remarked_words(), *around)


_HEADINGS_TOO = ("Sample", "Person", "Sender")  # surnames, and no heading of a column of them


def is_heading(value: Value) -> bool:
    """Say whether a value is the heading of its column in a spreadsheet: "First name"."""
    kind = "person" if value.fact in PERSON else value.fact.value
    inner = _unquoted(value.text)
    if value.fact is Fact.LAST and inner in _HEADINGS_TOO:
        return False
    if value.fact not in PERSON and is_labelled(inner, kind):
        return True
    return _key(inner) in known_names(kind, "heading") or _is_of_any_column(inner)


def _is_of_any_column(text: str) -> bool:
    """Say whether a value names a fact, whichever, or asks for it: "Company Name", "contact.company".

    One plain word is not enough: "Title" and "City" are parts of real names.
    """
    return unfilled(text) is not Certainty.NO


def is_placeholder(value: Value) -> bool:
    """Say whether a value is the name of a fact as programs write it, or asks for one: "your company here"."""
    return is_surely_unfilled(_unquoted(value.text))


_LEFT_BY_PROGRAM = LazyPattern(r"(?<!\S)(?:undefined|null|NULL|none|nan|NaN|nil|n/a|#N/A)(?!\S)")
_IN_ANY_VALUE = LazyPattern(r"\A(?:undefined|null) \S|\S (?:undefined|null)\Z")


def has_leftover(value: Value) -> bool:
    """Say whether a part of a name is what a program writes for none: "undefined Silva", "null GmbH"."""
    if value.fact in PERSON:
        return " " in value.text and _LEFT_BY_PROGRAM.search(value.text) is not None
    return _IN_ANY_VALUE.search(value.text) is not None


def is_team(value: Value) -> bool:
    """Say whether a name is a department's, a team's or a mailbox's; alone, "Sales" is a surname too."""
    words = [result for part in _PART.finditer(value.text) if (result := _key(part[0]))]
    named = [word for word in words if word in known_names("all", "team")]
    if len(words) > 1 and any(word in known_names("any", "team") for word in words):
        return True
    if len(words) > 1 and words[-1] in known_names("form", "team"):
        return True
    is_whole = bool(named) and all(word in known_names("glue", "team") for word in words if word not in named)
    return is_whole and (value.fact is not Fact.LAST or len(words) > 1)


_STEALTH = LazyPattern(
    r"(?i)\bstealth\b.*\b(?:start-?up|mode|company|project|venture|fintech|saas)\Z|\A(?:start-?up )?in stealth\b"
)


def is_no_company(value: Value) -> bool:
    """Say whether a company, or a title, is what people enter when they have none."""
    if value.fact is Fact.COMPANY and _STEALTH.search(value.text):
        return True
    text = _key(_unquoted(value.text))
    if text in known_names("seeking", "no_company"):
        return value.fact in (Fact.COMPANY, Fact.TITLE)
    return value.fact is Fact.COMPANY and text in known_names("xx", "no_company")


def has_picture(value: Value) -> bool:
    """Say whether a value has an emoji, a decoration or letters drawn in another style."""
    return not value.text.isascii() and _undecorated(value.text, value.fact) != " ".join(value.text.split())


def is_quoted(value: Value) -> bool:
    """Say whether the whole value stands in quotes, parentheses or marks of emphasis."""
    match = _QUOTED.fullmatch(value.text)
    return bool(match and any(map(str.isalnum, match[2])))


def has_email(value: Value) -> bool:
    """Say whether a value has an e-mail address, or the handle of an account, in it."""
    text = value.text.strip()
    joined = _JOINED_NAME.fullmatch(text) if value.fact in PERSON else None
    return bool(joined and joined[1] not in _HOST_ENDS) or bool(_EMAIL.search(text)) or text.startswith("@")


_CASED = (Fact.TITLE, Fact.PLACE)


def has_loose_end(value: Value) -> bool:
    """Say whether a value begins or ends with a sign that would be misplaced inside a sentence."""
    text = " ".join(value.text.split())
    if value.fact in PERSON:
        if _END.search(text) or _START.search(text) or (_POSSESSIVE.search(text)):
            return any(map(str.isalnum, text))
        return text.endswith(".") and not _may_end_in_a_dot(text)
    if value.fact in _CASED or value.fact is Fact.COMPANY:
        if is_half(text):
            return True
        if text[-1:] == "!" and value.fact is Fact.TITLE:
            return True
    ends = ",;:|/\\–—-_•·" if value.fact in (Fact.COMPANY, Fact.OTHER) else ",;:|/\\–—-_•·?"
    return bool(text.strip(_EDGE_SIGNS)) and (text[-1] in ends or text[0] in ",;:|/\\–—_•·")


def _may_end_in_a_dot(text: str) -> bool:
    last = text.split()[-1]
    with_dot = (salutations.GENERATIONS, salutations.TITLES, salutations.GREETINGS)
    return bool(_INITIALS.fullmatch(last)) or any(_key(last) in words for words in with_dot)


def has_salutation(value: Value) -> bool:
    """Say whether a name has a form of address or a degree before it, or is nothing else."""
    text = value.text.strip()
    first, *_ = text.split() or [""]
    if salutations.is_form_of_address(first, alone=len(text.split()) == 1):
        return True
    return any(text != end and text.endswith(end) for end in salutations.HONORIFICS)


def _is_before_a_name(word: str) -> bool:
    return salutations.is_form_of_address(word, alone=False)


def is_initial(value: Value) -> bool:
    """Say whether a name is one letter of a script in which one letter is no name, or ends in one."""
    words = value.text.split()
    if not words:
        return False
    if len(words) == 1:
        return _is_letter(words[0])
    return value.fact is Fact.FIRST and _is_letter(words[-1]) and not _is_letter(words[0])


def _is_letter(word: str) -> bool:
    bare = word.rstrip(".")
    return len(bare) == 1 and bare.isalpha() and bare.upper() != bare.lower()


def has_digits(value: Value) -> bool:
    """Say whether a name has digits that are no ordinal; of other facts, whether they are digits alone."""
    if value.fact in PERSON:
        return any(map(str.isdigit, _ORDINAL.sub("", value.text)))
    if value.fact is Fact.COMPANY and _AMOUNT.match(value.text):
        return True
    least = _YEAR if value.fact is Fact.COMPANY else 1  # companies are called 3, 500 and 1&1
    return sum(map(str.isdigit, value.text)) >= least and not any(map(str.isalpha, value.text))


def has_more(value: Value) -> bool:
    """Say whether a name has something behind it: a degree, a title, an advertisement, a note, another name."""
    text = " ".join(value.text.split()).strip(_EDGE_SIGNS)
    if _parts(text)[1] or has_remark(value):
        return True
    words = text.split()
    if words and salutations.is_degree(words[-1]):
        return True
    return value.fact is Fact.FIRST and (len(words) > _MOST_WORDS or bool(_NICKNAME.search(text)))


def is_sample(value: Value) -> bool:
    """Say whether a name or a company is one from an example, or letters typed to fill a field."""
    if value.fact in PERSON:
        return is_sample_person(value.text) or is_typed_at_random(value.text)
    if value.fact is Fact.PLACE and is_sample_place(value.text):
        return True
    if value.fact is Fact.COMPANY and is_sample_company(value.text):
        return True
    return value.fact in (Fact.COMPANY, Fact.TITLE, Fact.PLACE) and is_typed_at_random(value.text, least=4)


_LOST_LETTER = LazyPattern(r"[^\W\d_]\?+[^\W\d_]")


def has_lost_letter(value: Value) -> bool:
    """Say whether a question mark stands inside a word, for a letter that was not read: "M?ller"."""
    return _LOST_LETTER.search(value.text) is not None


def _parts(text: str) -> tuple[str, str]:
    """Return a name and what stands behind the first sign that no name has; "Silva, Jr." is a name."""
    match = _SEPARATOR.search(text)
    if not match:
        return text, ""
    head, rest = text[: match.start()], text[match.end() :]
    if match[0].strip() == "," and _key(rest) in salutations.GENERATIONS:
        return text, ""
    return head, rest or match[0].strip()


def likely(value: Value) -> str | None:
    """Return what the value should likely be, or None where that cannot be told."""
    is_lost = is_sample(value) or has_leftover(value) or has_lost_letter(value) or _is_unread(value.text)
    if len(value.text) > _LONGEST or is_lost or leaves_nothing(value):
        return None
    if value.fact in PERSON and sum(map(str.isdigit, value.text)) > _YEAR:
        return None  # the id of something
    text = " ".join(_undecorated(strip(value.text), value.fact).split())
    is_person = value.fact in PERSON
    text = _likely_name(text, value.fact) if is_person else bare_phrase(_unquoted(text), value.fact)
    text = cased(text, value.fact)
    guess = Value(text, value.fact)
    if text == value.text or not any(map(str.isalpha, text)) or is_heading(guess) or means_nothing(text):
        return None
    is_nobody = is_person and (is_team(guess) or has_salutation(guess) or is_initial(guess))
    return None if is_nobody else text


def _is_unread(text: str) -> bool:
    """Say whether letters of a value are not those that were meant, so that none can be left out."""
    return "\ufffd" in text or (may_be_broken(text) and not text.isascii())


def _likely_name(text: str, fact: Fact) -> str:
    if email := _EMAIL.search(text):
        rest = (text[: email.start()] + text[email.end() :]).strip(_EDGE_SIGNS + "<>()")
        text = rest or _of_address(email[0], fact)
    if "://" in text or "?" in text:
        return ""  # an address, or letters that were lost: nothing tells the name
    text = _POSSESSIVE.sub("", without_remarks(_unquoted(text), fact)).lstrip("@")
    if joined := _OF_TWO.fullmatch(text):
        text = "" if joined[2] in _HOST_ENDS else _of_address(text, fact)
    head, rest = _parts(text)
    is_reversed = fact is Fact.FIRST and text[len(head) :].lstrip().startswith(",") and not _is_addition(rest)
    text = rest if is_reversed and rest else head
    words = _START.sub("", _END.sub("", _ORDINAL.sub("", text))).split()
    words = [bare for word in words if (bare := "".join(c for c in word if not c.isdigit()))]
    words = [*salutations.without_degrees(salutations.without_titles(words, _is_before_a_name))]
    if fact is Fact.FIRST:
        if len(words) > 1 and _is_letter(words[-1]) and not _is_letter(words[0]):
            words = words[:-1]
        words = words if len(words) <= _MOST_WORDS else words[:1]
    text = " ".join(words)
    for end in salutations.HONORIFICS:
        text = text.removesuffix(end) if text != end else text
    return text if _may_end_in_a_dot(text or ".") else text.rstrip(". ")


def _is_addition(rest: str) -> bool:
    """Say whether what follows a comma is a degree, a title or an advertisement rather than a first name."""
    words = rest.split()
    if not words or len(words) > 2 or not all(_WORD.fullmatch(word) for word in words):
        return True
    return any(salutations.is_degree(word) or _key(word) in salutations.GENERATIONS for word in words)


def _of_address(email: str, fact: Fact) -> str:
    parts = [part for part in email.split("@")[0].split("+")[0].replace("_", ".").split(".") if len(part) > 1]
    if len(parts) != 2 or is_team(Value(" ".join(parts))):
        return ""
    return {Fact.FIRST: parts[0], Fact.LAST: parts[1]}.get(fact, " ".join(parts))


def _unquoted(text: str) -> str:
    match = _QUOTED.fullmatch(text)
    return match[2] if match and match[2] else text


def _undecorated(text: str, fact: Fact) -> str:
    """Return a value without emoji and decorations, and letters of a style as plain ones.

    A name's letters of two scripts in one word are those of one; companies are called СберTech.
    """
    if text.isascii():
        return " ".join(text.split())
    words = "".join(_plain_letters(text)).split()
    return " ".join(fold(word) if fact in PERSON and _is_of_two_scripts(word) else word for word in words)


def _plain_letters(text: str) -> Iterator[str]:
    # Joiners and selectors go with the emoji that they belong to; in a name of Indic letters they are letters.
    has_emoji = any(unicodedata.category(letter) == "So" for letter in text)
    is_east_asian = _EAST_ASIAN.search(text) is not None
    for letter in text:
        category = unicodedata.category(letter)
        if letter in _SIGNS_OF_NAMES or (is_east_asian and _FULL_WIDTH.match(letter)):
            yield letter
        elif _STYLED.match(letter):
            yield unicodedata.normalize("NFKC", letter)
        elif letter.isascii() or (category not in ("So", "Sk", "Sm") and not (has_emoji and letter in _OF_EMOJI)):
            yield letter


# Letters of the common scripts written from left to right, digits, and the signs that names and titles have.
_PLAIN = LazyPattern(
    r"[A-Za-z\u00c0-\u024f\u0370-\u058f\u0900-\u0dff\u0e00-\u0eff\u1e00-\u1fff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"
    r"0-9\u0300-\u033f .,'’&/()+#@|:!·•–—-]{2,200}"
)

# What needs the full check: an address, an entity without semicolon, a tag between signs, a date format, a phrase.
_SUSPICIOUS_FORM = LazyPattern(
    r"[×÷]|://|xn--|&#?[a-z0-9]|"
    r"[#@:|+!-]\w+[#@:|+!-](?!\w)|(?:^|\W)[:@!#]\w|XX|__|(?i:dd|jj|tt|gg)[/.-]MM|[Oo]bject |"
    r"(?:candidate|sourcing|recruiter)[A-Z]"
)
_SUSPICIOUS_WORDS = LazyPattern(
    r"(?i:language model|as an ai|like me to|want me to|me know if|feel free|this (?:helps|works|draft|version)|"
    r"sure|certainly|of course|absolutely|great|ok|got it|no problem|here|below is|voici|hier|aqu|ecco|oto|words|"
    r"characters|word count|quer que|vuoi che|souhaitez|soll ich|(?:can|could) (?:make|write|create|"
    r"also|draft)|don['’]t)\b|"
    r"(?i:hook|icebreaker|opener|placeholder|personali[sz]|accroche|gancho|gancio|openingszin|einstieg|value prop|"
    r"(?:opening|first|intro|closing) line|body|corps|corpo|frase|appel|llamada|handlung|cta|"
    r"call to action|lorem|null|undefined|firstname|lastname|invalid|todo|fixme|subject|insert|add|fill|"
    r"enter)",
    needs=(
        *("language model", "as an ai", "like me to", "want me to", "me know if", "feel free", "this ", "sure"),
        *("certainly", "of course", "absolutely", "great", "ok", "got it", "no problem", "here", "below is"),
        *("voici", "hier", "aqu", "ecco", "oto", "words", "characters", "word count", "quer que", "vuoi che"),
        *("souhaitez", "soll ich", "can ", "could ", "don't", "don’t", "hook", "icebreaker", "opener"),
        *("placeholder", "personali", "accroche", "gancho", "gancio", "openingszin", "einstieg", "value prop"),
        *(" line", "body", "corps", "corpo", "frase", "appel", "llamada", "handlung", "cta", "call to action"),
        *("null", "undefined", "firstname", "lastname", "invalid", "todo", "fixme", "subject", "insert", "add"),
        *("fill", "enter", "lorem"),
    ),
)


def _is_suspicious(text: str) -> bool:
    if _SUSPICIOUS_FORM.search(text):
        return True
    # Letters beyond ASCII can match ASCII ones in another case, so the quick look is for ASCII alone.
    if text.isascii() and not _SUSPICIOUS_WORDS.may_match(text.lower()):
        return False
    return _SUSPICIOUS_WORDS.search(text) is not None


_DOTTED = LazyPattern(r"\w\.\w")  # a host, whose letters may not be what they seem
_OF_PERSONS = (
    has_leftover,
    is_sample,
    has_lost_letter,
    has_loose_end,
    is_heading,
    has_digits,
    is_miscased,
    is_team,
    has_email,
    is_quoted,
    has_picture,
    is_initial,
    has_salutation,
    has_more,
)


@VALUES.up_to(8_192)
def is_plain(value: Value) -> bool:
    """Say whether no rule about values can apply to this value: a fast check before all of them."""
    text = value.text
    is_person = value.fact in PERSON
    if is_person and is_plain_name(text):
        return True
    # What stands in parentheses may be a request to whoever fills it in: the rules about texts read it.
    if "(" in text or ")" in text or _PLAIN.fullmatch(text) is None or _is_suspicious(text) or _is_uncertain(text):
        return False
    if not any(map(str.isalnum, text)) or means_nothing(text) or "www." in text.lower() or "  " in text:
        return False
    if is_person:
        return not any(rule(value) for rule in _OF_PERSONS)
    return not is_placeholder(value) and (value.fact not in SHORT or _is_plain_phrase(value))


def _is_uncertain(text: str) -> bool:
    """Say whether letters outside ASCII need a closer look: in a host, or as broken ones."""
    return not text.isascii() and (_DOTTED.search(text) is not None or may_be_broken(text))


def _is_plain_phrase(value: Value) -> bool:
    text = value.text
    ends_well = text[0].isalnum() and (text[-1].isalnum() or text[-1] in ").+!#")
    if (
        not ends_well
        or (text[-1] in ")!" and has_loose_end(value))
        or "@" in text
        or not any(map(str.isalpha, text))
    ):
        return False
    if value.fact in _CASED and (text == text.lower() or text == text.upper()) and is_miscased(value):
        return False
    return not (is_heading(value) or is_no_company(value) or is_headline(value) or is_sample(value))
