"""What is wrong with names, titles and companies as values: the predicates of the rules ``values.*``.

``is_plain`` is a fast check that nearly every value passes; the others run only for those that do not. ``likely``
returns the probable value, as the fix.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from sequences_mcp.domain import salutations
from sequences_mcp.domain.invisible import strip
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.salutations import word_key as _key
from sequences_mcp.guards.encodings import may_be_broken
from sequences_mcp.guards.fact_names import Certainty, asking_words, is_surely_unfilled, unfilled
from sequences_mcp.guards.lookalikes import fold, key
from sequences_mcp.guards.rule import PERSON, SHORT, Fact, Value
from sequences_mcp.guards.words import lines, means_nothing

_LONGEST = 200
_NICKNAME = LazyPattern(r"(?i)\s(?:and|aka|a\.k\.a\.|or|und|et|y|at|bei|chez)\s|[\"“”„].*[\"“”]|[€$£¥?]")
_QUOTED = LazyPattern(r"""\s*(["“”„«»‹›「『(*_`~]+|['‘](?!t\b))\s*(.*?)\s*["“”„«»‹›」』)*_`~'’]+\s*""")
_EMAIL = LazyPattern(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>().,;]+")
_SEPARATOR = LazyPattern(r"\s*(?:[|•·;:#@/\\~+=(\[{<>*]|\s[-–—]+\s|\s&\s|,)\s*")
# What stands between the parts of a headline; " @ " stands before a company, in a title.
_HEADLINE = LazyPattern(r"\s*\|+\s*|\s(?:[•·▪►»★☆]|//+)\s|\s@\s?")
# What people add to their company or title: an advertisement, or on what terms they work there.
_ADDED = LazyPattern(
    r"(?i)(?:\s*[(·|,–—]|\s-)\s*(?:hiring(?: now)?|contract(?:or)?|internship|permanent|temporary|"
    r"werkstudent(?:in)?|prakti(?:kum|kant(?:in)?)|ausbildung|trainee|intern|remote|stag(?:e|iaire)|alternance|dnc|tbc|"
    r"do not (?:contact|e-?mail|call)|blacklist(?:ed)?)\s?[)!.]*\s*\Z|"
    r"[\s(·|,–—-]+(?:we(?:['’]re| are) (?:now )?hiring|(?:is|now) hiring|join us|wir (?:suchen|stellen ein)|"
    r"on recrute|estamos contratando|stiamo assumendo|full[- ]time|part[- ]time|vollzeit|teilzeit|"
    r"temps plein|temps partiel)\s?[)!.]*\s*\Z|!{2,}\s*\Z"
)
_AROUND_COMPANY = LazyPattern(r"\A(?:at|bei|chez|presso) (?=[A-Z0-9])|\svia [A-Z].*\Z")
_OF_TWO = LazyPattern(r"([^\W\d_]{2,})[._]([^\W\d_]{2,})")
_JOINED_NAME = LazyPattern(r"[^\W\d_]{3,}[._]([^\W\d_]{2,})")
_HOST_ENDS = frozenset(
    ["com", "net", "org", "io", "ai", "co", "de", "fr", "eu", "uk", "es", "it", "nl", "app", "dev"]
)
_EDGE_SIGNS = " \t\u00a0,;:|/\\-–—_*•·"
_END = LazyPattern(r"[,;:|/\\–—_*•·!?¡¿…’‘\s-]+\Z")
_START = LazyPattern(r"^[,;:|/\\–—_*•·!?¡¿.\s-]+")
_INITIALS = LazyPattern(r"(?:[^\W\d_]\.?[ -]?){1,4}")
_ORDINAL = LazyPattern(r"\b\d(?:st|nd|rd|th)\b")
_WORD = LazyPattern(r"[^\W\d_]+(?:['’.][^\W\d_]+)*\.?")
_BETWEEN = re.compile("[ '’-]")
_PART = LazyPattern(r"[^\s/&,+-]+")
_MOST_WORDS = 4
_SHORT = 4
_INVERTED = LazyPattern(r"[a-z][A-Z]{2,}|[A-Z]{2,}[a-z]+[A-Z]+[a-z]*")
_STYLED = LazyPattern("[\U0001d400-\U0001d7ff\uff01-\uff5e\u2460-\u24ff]")
_OF_EMOJI = frozenset("\ufe0f\ufe0e\u200d\u20e3")


@cache
def _known_names(kind: str, name: str) -> frozenset[str]:
    return frozenset(_both(rest for sort, rest in lines(name) if sort == kind))


def _both(rows: Iterable[str]) -> Iterator[str]:
    """Yield each word of a list as it is compared, with its accents and without."""
    for word in (word for row in rows for word in row.split()):
        yield _key(word)
        if len(word) > _SHORT:  # a short word without its accents may be a real name: Ho, Adi, Ten
            yield key(word)


def is_plain_name(text: str) -> bool:
    """Say whether a name is certainly a name: a few capitalised words, no title, team or heading among them."""
    words = _BETWEEN.split(text) if len(text) <= _LONGEST else []
    if not words or len(words) > _MOST_WORDS or not all(map(_is_plain_word, words)):
        return False
    if any(_key(word) in _listed() for word in [text, *words]):
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
    return frozenset().union(_both(rows), *around)


def is_heading(value: Value) -> bool:
    """Say whether a value is the heading of its column in a spreadsheet: "First name"."""
    kind = "person" if value.fact in PERSON else value.fact.value
    inner = _unquoted(value.text)
    return _key(inner) in _known_names(kind, "heading") or _is_of_any_column(inner)


def _is_of_any_column(text: str) -> bool:
    """Say whether a value names a fact, whichever, or asks for it: "Company Name", "contact.company".

    One plain word is not enough: "Title" and "City" are parts of real names.
    """
    return unfilled(text) is not Certainty.NO


def is_placeholder(value: Value) -> bool:
    """Say whether a value is the name of a fact as programs write it, or asks for one: "your company here"."""
    return is_surely_unfilled(_unquoted(value.text))


def is_team(value: Value) -> bool:
    """Say whether a name is a department's, a team's or a mailbox's; alone, "Sales" is a surname too."""
    words = [result for part in _PART.finditer(value.text) if (result := _key(part[0]))]
    named = [word for word in words if word in _known_names("all", "team")]
    if len(words) > 1 and any(word in _known_names("any", "team") for word in words):
        return True
    if len(words) > 1 and words[-1] in _known_names("form", "team"):
        return True
    is_whole = bool(named) and all(word in _known_names("glue", "team") for word in words if word not in named)
    return is_whole and (value.fact is not Fact.LAST or len(words) > 1)


def is_no_company(value: Value) -> bool:
    """Say whether a company, or a title, is what people enter when they have none."""
    text = _key(_unquoted(value.text))
    if text in _known_names("seeking", "no_company"):
        return value.fact in (Fact.COMPANY, Fact.TITLE)
    return value.fact is Fact.COMPANY and text in _known_names("xx", "no_company")


def has_picture(value: Value) -> bool:
    """Say whether a value has an emoji, a decoration or letters drawn in another style."""
    return not value.text.isascii() and _undecorated(value.text) != " ".join(value.text.split())


def is_quoted(value: Value) -> bool:
    """Say whether the whole value stands in quotes, parentheses or marks of emphasis."""
    match = _QUOTED.fullmatch(value.text)
    return bool(match and any(map(str.isalnum, match[2])))


def has_email(value: Value) -> bool:
    """Say whether a value has an e-mail address, or the handle of an account, in it."""
    text = value.text.strip()
    joined = _JOINED_NAME.fullmatch(text) if value.fact in PERSON else None
    return bool(joined and joined[1] not in _HOST_ENDS) or bool(_EMAIL.search(text)) or text.startswith("@")


def has_loose_end(value: Value) -> bool:
    """Say whether a value begins or ends with a sign that would be misplaced inside a sentence."""
    text = " ".join(value.text.split())
    if value.fact in PERSON:
        if _END.search(text) or _START.search(text):
            return any(map(str.isalnum, text))
        return text.endswith(".") and not _may_end_in_a_dot(text)
    return bool(text.strip(_EDGE_SIGNS)) and (text[-1] in ",;:|/\\–—-_•·" or text[0] in ",;:|/\\–—_•·")


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
    return any(map(str.isdigit, value.text)) and not any(map(str.isalpha, value.text))


def has_more(value: Value) -> bool:
    """Say whether a name has something behind it: a degree, a title, an advertisement, another name."""
    text = " ".join(value.text.split()).strip(_EDGE_SIGNS)
    if _parts(text)[1]:
        return True
    words = text.split()
    if words and salutations.is_degree(words[-1]):
        return True
    return value.fact is Fact.FIRST and (len(words) > _MOST_WORDS or bool(_NICKNAME.search(text)))


def is_headline(value: Value) -> bool:
    """Say whether a company has more in it than its name, or a title more than two: a headline of a profile.

    "CTO | Founder" and "Developer @ Acme" are titles as people have them; an advertisement is part of neither.
    """
    if value.fact not in (Fact.TITLE, Fact.COMPANY):
        return False
    if _ADDED.search(value.text) or (value.fact is Fact.COMPANY and _AROUND_COMPANY.search(value.text)):
        return True
    least = 1 if value.fact is Fact.COMPANY else 2
    return sum(1 for _ in _HEADLINE.finditer(value.text.strip(_EDGE_SIGNS))) >= least


def _parts(text: str) -> tuple[str, str]:
    """Return a name and what stands behind the first sign that no name has; "Silva, Jr." is a name."""
    match = _SEPARATOR.search(text)
    if not match:
        return text, ""
    head, rest = text[: match.start()], text[match.end() :]
    if match[0].strip() == "," and _key(rest) in salutations.GENERATIONS:
        return text, ""
    return head, rest or match[0].strip()


def is_miscased(value: Value) -> bool:
    """Say whether a value is all in capitals or all in small letters where a sentence would have neither."""
    return _cased(value.text, value.fact) != value.text


def _cased(text: str, fact: Fact) -> str:
    words = text.split(" ")
    if fact in PERSON:
        if all(_is_particle(word) for word in words) or not any(map(_has_case, words)):
            return text
        if text == text.lower() or _is_inverted(text):
            return " ".join(_capital(word) for word in words)
        return " ".join(_capital(word) if _is_shouted(word) else word for word in words)
    if fact is Fact.PLACE and text == text.lower() and any(map(_has_case, words)):
        return " ".join(_capital(word) for word in words)
    least = 4 if fact is Fact.PLACE else 6
    if text == text.upper() and any(_is_shouted(word, least=least) for word in words):
        return " ".join(word if word in _acronyms() else _capital(word) for word in words)
    return text


@cache
def _acronyms() -> frozenset[str]:
    return frozenset(word for sort, rest in lines("capitals") if sort == "acronym" for word in rest.split())


def _has_case(word: str) -> bool:
    return word.lower() != word.upper() and not "\u10a0" <= word[:1] <= "\u10ff"  # Georgian has no sentence case


def _is_particle(word: str) -> bool:
    return word.lower() == word and _key(word) in _known_names("particle", "capitals")


def _is_inverted(text: str) -> bool:
    """Say whether a name was typed with the shift key the wrong way: "mARIA"."""
    return bool(_INVERTED.fullmatch(text))


def _is_shouted(word: str, *, least: int = 3) -> bool:
    letters = [letter for letter in word if letter.isalpha()]
    if len(letters) < least or not all(map(str.isupper, letters)):
        return False
    if _key(word) in salutations.GENERATIONS or salutations.is_degree(word) or word.count(".") > 1:
        return False
    bare = unicodedata.normalize("NFD", "".join(letters))
    is_initials = bare.isascii() and len(bare) == 3 and not any(vowel in bare for vowel in "AEIOUY")
    return not is_initials


def _capital(word: str) -> str:
    if _is_particle(word.lower()):
        return word.lower()
    for sign in ("-", "'", "’"):
        if sign in word:
            return sign.join(map(_capital, word.split(sign)))
    small = word.lower().replace("i\u0307", "i")
    if small.startswith("mc") and len(small) > 3:
        return f"Mc{small[2:3].upper()}{small[3:]}"
    return word[:1].upper() + small[1:]


def likely(value: Value) -> str | None:
    """Return what the value should likely be, or None where that cannot be told."""
    if len(value.text) > _LONGEST:
        return None
    text = " ".join(_undecorated(strip(value.text)).split())
    is_person = value.fact in PERSON
    if is_person:
        text = _likely_name(text, value.fact)
    else:
        text = _unquoted(text).strip(_EDGE_SIGNS)
        if match := _HEADLINE.search(text):
            text = text[: match.start()].strip(_EDGE_SIGNS)
        text = _ADDED.sub("", text)
        text = _AROUND_COMPANY.sub("", text) if value.fact is Fact.COMPANY else text
    text = _cased(text, value.fact)
    guess = Value(text, value.fact)
    if text == value.text or not any(map(str.isalpha, text)) or is_heading(guess):
        return None
    is_nobody = is_person and (is_team(guess) or has_salutation(guess) or is_initial(guess))
    return None if is_nobody else text


def _likely_name(text: str, fact: Fact) -> str:
    if email := _EMAIL.search(text):
        rest = (text[: email.start()] + text[email.end() :]).strip(_EDGE_SIGNS + "<>()")
        text = rest or _of_address(email[0], fact)
    if "://" in text or "?" in text:
        return ""  # an address, or letters that were lost: nothing tells the name
    text = _unquoted(text).lstrip("@")
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


def _undecorated(text: str) -> str:
    """Return a value without emoji and decorations, and letters of a style as plain ones."""
    if text.isascii():
        return " ".join(text.split())
    words = "".join(_plain_letters(text)).split()
    return " ".join(fold(word) if _is_of_two_scripts(word) else word for word in words)


def _plain_letters(text: str) -> Iterator[str]:
    # Joiners and selectors go with the emoji that they belong to; in a name of Indic letters they are letters.
    has_emoji = any(unicodedata.category(letter) == "So" for letter in text)
    for letter in text:
        category = unicodedata.category(letter)
        if _STYLED.match(letter):
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
_CASED = (Fact.TITLE, Fact.PLACE)
_OF_PERSONS = (
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


@lru_cache(maxsize=8192)
def is_plain(value: Value) -> bool:
    """Say whether no rule about values can apply to this value: a fast check before all of them."""
    text = value.text
    is_person = value.fact in PERSON
    if is_person and is_plain_name(text):
        return True
    # What stands in parentheses may be a request to whoever fills it in: the rules about texts read it.
    if "(" in text or _PLAIN.fullmatch(text) is None or _is_suspicious(text) or _is_uncertain(text):
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
    if not ends_well or "@" in text or not any(map(str.isalpha, text)):
        return False
    if value.fact in _CASED and (text == text.lower() or text == text.upper()) and is_miscased(value):
        return False
    return not (is_heading(value) or is_no_company(value) or is_headline(value))
