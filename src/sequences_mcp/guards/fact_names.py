"""Values that are not a fact but its name, or a request for it: ``contact.company``, "your company here".

The name of a fact is compared in one form, whatever joins its words (dots, underscores, hyphens, slashes, arrows,
capitals, spaces), whatever their case, and without the object that it belongs to ("contact", "lead", "user"). A
request is read by what its words do: "your", "insert", "here", in each language of ``lexicon/request.txt``.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from functools import cache

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.lookalikes import key
from sequences_mcp.guards.words import is_field, is_glue, is_name, lines, words_of
from sequences_mcp.remembering import VALUES

_LONGEST = 100
_SIGNS = " \t\u00a0.,;:!?…*_~$#@%&^|/\\<>{}[]()\"'“”‘’«»=-"
# Words without a space between them, as a program joins them.
_JOINED = LazyPattern(r"[^\W_]+(?:(?:_+|\.|->|=>|::?|/|-)[^\W_]+)+")
_CAMEL = LazyPattern(r"[a-z]{2,}(?:[A-Z][a-z]+)+\d*")
_PASCAL = LazyPattern(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+\d*")
_NUMBER = LazyPattern(r"(?<=[^\W\d_])\d{1,3}\Z")
_SINGLE = LazyPattern(r"[^\W\d_]{2,}\d{0,3}")
_AN_ARTICLE = LazyPattern(r"(?i)\b(?:l|d|dell|all|nell|un)['’](?=\w)")
_WITHOUT_SPACES = LazyPattern(
    r"(?P<ask>(?:请|請)?(?:在此处?|在这里|此处)?(?:填写|填寫|填入|输入|輸入|插入)?"
    r"(?:您的|你的|贵|貴方の|あなたの|お客様の|귀하의|당신의)?(?:ここに|여기에 ?)?)"
    r"(?P<what>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{1,12}?)"
    r"(?P<end>(?:をここに)?(?:を(?:入れる|入れて|書く|書いて|ご?記入|ご?入力|挿入)(?:して(?:ください|下さい))?|在此处?|在这里|"
    r"[을를] ?(?:입력|기입|작성)(?:하세요|해 ?주세요)?)?)[。!！]?"
)


class Certainty(IntEnum):
    """How sure it is that a value was never filled in: ``LIKELY`` is for a person to say."""

    NO = 0
    LIKELY = 1
    SURE = 2


@cache
def _facts() -> frozenset[str]:
    """Return the names of facts in every list, as they are compared."""
    phrases = _phrases_of("fact", "heading", "name", "variable")
    return frozenset(result for phrase in phrases if (result := key(phrase)))


@cache
def _phrases() -> frozenset[str]:
    """Return those that have two words or more."""
    phrases = _phrases_of("fact", "heading", "variable")
    return frozenset(key(phrase) for phrase in phrases if len(words_of(phrase.strip("_"))) > 1)


def _phrases_of(*names: str) -> Iterator[str]:
    """Yield what stands in these lists, words joined by underscores."""
    return (phrase for name in names for _, rest in lines(name) for phrase in rest.split())


@cache
def asking_phrases(kind: str) -> frozenset[tuple[str, ...]]:
    """Return the words and phrases of ``lexicon/request.txt`` that do one thing, as the keys of their words."""
    rows = (word for sort, rest in lines("request") if sort == kind for word in rest.split())
    return frozenset(tuple(words_of(row)) for row in rows)


@cache
def asking_words() -> frozenset[str]:
    """Return every word that can make a request of a value."""
    kinds = ("your", "here", "please", "strong", "weak")
    return frozenset(word for kind in kinds for phrase in asking_phrases(kind) for word in phrase)


def is_surely_unfilled(text: str) -> bool:
    """Say whether ``unfilled`` is sure; of words with spaces between them only a request can be."""
    bare = text.strip(_SIGNS)
    if "@" in bare and len(bare) <= _LONGEST and bare.isascii():
        return _as_request(bare) is Certainty.SURE  # an address, as each of ten thousand people has
    return unfilled(text) is Certainty.SURE


@VALUES.up_to(1_024)  # two rules and the quick look before them ask about each value
def unfilled(text: str) -> Certainty:
    """Say whether a whole value is the name of a fact, or asks for one."""
    bare = text.strip(_SIGNS)
    if not bare or len(bare) > _LONGEST:
        return Certainty.NO
    if _SINGLE.fullmatch(bare):
        if _CAMEL.fullmatch(bare) or _PASCAL.fullmatch(bare):
            return max(_as_identifier(bare, "A"), _as_request(bare))
        return Certainty.NO if bare.isascii() else _without_spaces(bare)
    if " " not in bare and (joined := _JOINED.fullmatch(bare)):
        signs = "".join(sign for sign in "_.>:/-" if sign in joined[0].replace("->", ">"))
        return max(_as_identifier(bare, signs), _as_request(bare))
    if not bare.isascii() and (certainty := _without_spaces(bare)):
        return certainty
    return max(_as_phrase(bare), _as_request(bare))


@cache
def _ordering_words() -> frozenset[str]:
    """Return the words that orders are made of, one of which stands in every order."""
    return frozenset(word for phrase in asking_phrases("strong") for word in phrase)


@VALUES.up_to(1_024)
def orders_fact(line: str) -> bool:
    """Say whether a whole line of a text orders somebody to put a fact there: "Bitte Firma einfügen".

    Remembered, because most lines are the same in the texts of all people.
    """
    if not line.isascii() and _without_spaces(line):
        return True
    return not _ordering_words().isdisjoint(words_of(line)) and _as_request(line) is Certainty.SURE


def _as_identifier(text: str, signs: str) -> Certainty:
    """Judge words that are joined as in a program; ``signs`` are what joins them, "A" for capitals."""
    words = words_of(_NUMBER.sub("", text))
    while len(words) > 2 and words[-1].isdigit():
        words = words[:-1]
    rest = _without_owner(words)
    fact, has_owner = "".join(rest), len(rest) < len(words)
    if not has_owner and fact not in _phrases():
        return Certainty.SURE if _is_code(text, signs) and is_field(text) else Certainty.NO
    if fact not in _facts() and not is_field(" ".join(rest)):
        return Certainty.NO
    is_plain_word = len(rest) == 1 and not is_name(fact)
    if has_owner and is_plain_word and not _is_code(text, signs) and signs not in (".", ">"):
        return Certainty.NO  # "Customer-Contact", "User/Client"
    if signs == "A" and text[0].isupper() and words[0] == "my":
        return Certainty.LIKELY
    return Certainty.SURE


def _is_code(text: str, signs: str) -> bool:
    """Say whether words are joined as nobody joins the words of a name: by underscores, or by a capital inside."""
    return "_" in signs or (signs == "A" and text[0].islower())


def _without_owner(words: list[str]) -> list[str]:
    """Return the words of a fact's name without those of what it belongs to: "contact", "custom", "current"."""
    while len(words) > 1 and (words[0],) in asking_phrases("owner"):
        words = words[1:]
    return words


# Alone before "company" these make no company's name, as "Record Company" is one.
_PEOPLE = frozenset(["contact", "candidate", "recipient", "prospect", "recruiter", "sender", "addressee"])


def _as_phrase(text: str) -> Certainty:
    """Judge words with spaces between them: "Company Name", "contact company", "nom de l'entreprise"."""
    words = words_of(_AN_ARTICLE.sub("", text))
    if len(words) < 2:
        return Certainty.NO
    rest = _without_owner(words)
    if "".join(words) in _phrases() or (len(rest) < len(words) and "".join(rest) in _phrases()):
        return Certainty.LIKELY
    has_owner = len(rest) == 1 and (not text.istitle() or words[0] in _PEOPLE)
    if has_owner and is_name(rest[0]):
        return Certainty.LIKELY
    named = [word for word in words if not is_glue(word)]
    is_of = len(named) == 2 and len(words) > 2 and is_name(named[0]) and "".join(named[1:]) in _facts()
    return Certainty.LIKELY if is_of else Certainty.NO


def _as_request(text: str) -> Certainty:
    """Judge "your company", "insert company", "company here", "please enter your company name here"."""
    words = words_of(_AN_ARTICLE.sub("", text))
    if len(words) < 2 or not any(word in asking_words() for word in words):
        return Certainty.NO
    left = words
    requests: dict[str, bool] = {}
    for kind in ("please", "here", "strong", "weak", "please"):
        left = _taken(left, kind, requests)
    left = _taken_from_end(left, requests)
    left = _without_articles(left)
    left = _without_articles(_taken(left, "your", requests))
    left = _taken_from_end(left, requests)
    if not requests or not left:
        return Certainty.NO
    if not ("".join(left) in _facts() or is_field(" ".join(left))):
        return Certainty.NO
    return _sure_of(text, left, requests)


def _sure_of(text: str, left: list[str], requests: dict[str, bool]) -> Certainty:
    is_order, is_yours, is_place = requests.get("strong"), requests.get("your"), requests.get("here")
    if is_order or (is_yours and is_place):
        return Certainty.SURE
    if requests.get("weak") and (is_yours or is_place or requests.get("please")):
        return Certainty.SURE
    is_small = text in (text.lower(), text.upper())
    is_certain = is_name(" ".join(left)) or "".join(left) in _phrases()
    if is_certain and is_small and (is_yours or is_place):
        return Certainty.SURE
    return Certainty.LIKELY if is_certain or is_yours or not text.istitle() else Certainty.NO


def _taken(words: list[str], kind: str, requests: dict[str, bool]) -> list[str]:
    """Return the words without the phrase of a kind that they begin with, and note that it was there."""
    for size in (3, 2, 1):
        if len(words) > size and tuple(words[:size]) in asking_phrases(kind):
            requests[kind] = True
            return words[size:]
    return words


def _taken_from_end(words: list[str], requests: dict[str, bool]) -> list[str]:
    """Return the words without what ends a request: "here", "goes here", "einfügen", "bitte"."""
    is_shorter = True
    while is_shorter:
        is_shorter = False
        for kind in ("here", "goes", "strong", "weak", "please"):
            if len(words) > 1 and (words[-1],) in asking_phrases(kind) and words[-1] not in _NOT_LAST:
                words, requests[kind], is_shorter = words[:-1], True, True
    return words


# Verbs of a language that puts them first; at the end, these are facts.
_NOT_LAST = frozenset(["type", "contact", "complete"])


def _without_articles(words: list[str]) -> list[str]:
    while len(words) > 1 and is_glue(words[0]) and (words[0],) not in asking_phrases("your"):
        words = words[1:]
    return words


def _without_spaces(text: str) -> Certainty:
    """Judge a request in Chinese, Japanese or Korean: "请填写公司", "会社名を入力"."""
    match = _WITHOUT_SPACES.fullmatch(text)
    if match is None or not (match["ask"] or match["end"]) or not is_field(match["what"]):
        return Certainty.NO
    return Certainty.SURE
