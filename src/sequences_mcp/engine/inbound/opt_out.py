"""Whether a reply asks never to be written to again, in the languages most used for outreach.

Conservative: a phrase counts only if it is about its writer and us ("remove me from your list"), or a bare word
("stop") that is all the message says. What is not recognised ends the run all the same (``effects``): what is
decided here is only whether its writer is never written to again. The phrases stand in ``phrases/``, one
expression a line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sequences_mcp.engine.inbound import wishes
from sequences_mcp.engine.inbound.parsing import ParsedMessage

MOST_WORDS = 250  # of the new text: a longer one is a letter, which a person reads
LONGEST_TEXT = 10_000  # letters
LONGEST_LINE = 1_000  # letters; a longer line introduces no quotation, and is costly to compare
WITH_A_SUBJECT = 12  # words of a message whose subject alone says it
FOLDER = Path(__file__).parent / "phrases"
_SENTENCE_ENDS = re.compile(r"[.!;]\s+")
_PIECE_ENDS = re.compile(r"[.,;!]\s+|\s[-–—]\s")
_WORDS = re.compile(r"\w+")
# What many companies write below every e-mail about their own lists: nobody asks for anything in it.
_CONDITION = re.compile(
    r"\bif you(?:(?:'d| would) (?:like|prefer)|(?: no longer| do not| don'?t)? (?:want|wish)) to "
    r"(?:unsubscribe|opt|receive|get|hear|be)\b[^.?!,:;]*"
    r"|\bif you are not (?:the|an) (?:intended|named|correct) (?:recipient|addressee)\b[^.?!]*"
    r"|\b(?:wenn|falls|sollten) sie (?:keine|nicht mehr|künftig)\b[^.?!,:;]*"
    r"|\b(?:als|indien|wilt) u geen\b[^.?!,:;]*",
    re.IGNORECASE,
)
# Outlook quotes with the headers of what it answers, in the reader's language.
_HEADER_LINE = re.compile(r"\s*[^\W\d_]{1,14}\s?::?\s.*(?:@|\b20\d\d\b|\d:\d\d)")
_POLITE = (
    r"(?:please|pls|plz|kindly|graag|s'il vous pla[iî]t|svp|bitte|merci de|por favor|per favore|proszę|danke"
    r"|thanks|thank you|merci|gracias|grazie|tack|tak)"
)


# What narrows a wish to a time, a place or a channel: "do not write to me before Monday".
_NOT_NARROWED = (
    r"(?![^.!?;\n]{0,60}?(?:\b(?:before|until|till|by phone|at (?:work|the office|home)|(?:on|via) \w+|instead|vor"
    r"|bis|sondern|per \w+|avant|jusqu\w*|plutôt|mais|antes|hasta|sino|mejor|prima|fino|até|mas|prefiro|voor"
    r"|tot|maar|przed|tylko|före|förrän|utan|før|men|ennen|mutta)\b|до |перед|сюда|まで|以前"
    r"|까지|قبل |حتى |לפני |עד ))"
)


@cache
def phrases(name: str, form: str = "(?:{})") -> re.Pattern[str]:
    """Return the phrases of a file as one expression; ``form`` is what stands around them."""
    lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    expressions = (line for line in lines if line and not line.startswith("# "))
    result = [line.replace("~", _NOT_NARROWED).replace(" ", r"\s+") for line in expressions]
    return re.compile(form.replace("{}", "|".join(result)), re.IGNORECASE)


def is_opt_out(new: str, subject: str = "", *, offered: frozenset[str] = frozenset()) -> bool:
    """Say whether the new text of a reply (``own_text.new_text``), or its whole subject, is an opt-out.

    ``offered`` are the answers that our e-mail named for it (``offered_answers``).
    """
    text = unicodedata.normalize("NFKC", new).replace("’", "'")
    if len(text) > LONGEST_TEXT or len(_WORDS.findall(text)) > MOST_WORDS:
        return False
    body = _body(text)
    whole = " ".join(body)
    if _is_bare(subject) and len(_WORDS.findall(whole)) <= WITH_A_SUBJECT:
        return True
    if body and any(_is_bare(line) for line in (whole, body[0], body[-1])):
        return True
    if phrases("engaged").search(whole):
        return False
    is_short = len(_WORDS.findall(whole)) <= WITH_A_SUBJECT and "?" not in whole
    if is_short and any(_is_bare(sentence) for sentence in _SENTENCE_ENDS.split(whole)):
        return True
    if is_short and _is_bare_in_courtesy(_PIECE_ENDS.split(whole)):
        return True
    if is_short and offered and any(_is_offered(part, offered) for part in (*body, *_SENTENCE_ENDS.split(whole))):
        return True
    without_footers = _CONDITION.sub(" ", whole)
    if any(phrases("opt_out").search(sentence) for sentence in wishes.unlimited_sentences(without_footers)):
        return True
    return wishes.asks_for_no_more(without_footers)


# "Just reply "no thanks" and I will not write again": what stands in quotation marks, or in capitals.
_ANSWER_WITH = re.compile(
    r"\b(?i:reply|respond|answer|write back|antwort|répon|rispond|antwoord|odpis|odpowi|svar|vasta|ответ)"
    r"\w*[^.!?\n]{0,40}?(?:[\"'„“”«»‹›]\s?([^\"'„“”«»‹›\n]{1,40}?)\s?[\"'“”«»‹›]|\b([A-Z]{2,12})\b)"
)
_NOT_WORDS = r"(?:no|not|nope|nein|kein|non|pas|não|nao|nee|niet|geen|nie|nej|inte|nei|ikke|ei|нет|не)"
_THANKS = (
    r"(?:thanks|thank you|thx|danke|vielen dank|merci|gracias|grazie|obrigad[oa]|bedankt|dank u|dank je|dziękuję"
    r"|tack|tak|takk|kiitos|спасибо)"
)
_NO_THANKS = re.compile(rf"{_NOT_WORDS} {_THANKS}(?: {_THANKS}| \w+ \w+| \w+)?", re.IGNORECASE)


def offered_answers(ours: Iterable[str]) -> frozenset[str]:
    """Return the answers that our texts offer for opting out: those that begin with a word for no.

    A reply that is only such an answer is an opt-out, as our e-mail promises. Each is returned in lower case and
    without punctuation.
    """
    named = (first or second for text in ours for first, second in _ANSWER_WITH.findall(text[:LONGEST_TEXT]))
    return frozenset(words for words in map(_plain, named) if re.match(rf"{_NOT_WORDS}\b", words))


def _plain(text: str) -> str:
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def _is_offered(text: str, offered: frozenset[str]) -> bool:
    """Say whether a text is one of these answers and no more, or a no with thanks where one of them is."""
    words = _plain(text)
    is_thanked = any(_NO_THANKS.fullmatch(answer) for answer in offered)
    return words in offered or (is_thanked and bool(_NO_THANKS.fullmatch(words)))


_BY_SUBJECT = re.compile(r"\s*unsubscribe\s+[a-z2-7]{32}@", re.IGNORECASE)
_BY_ADDRESS = re.compile(r"\+unsub-[a-z2-7]{32}@", re.IGNORECASE)


def is_unsubscribing(message: ParsedMessage) -> bool:
    """Say whether a message went where List-Unsubscribe of an e-mail of ours says (``channels.message``)."""
    to = " ".join(message.header(name) for name in ("To", "Delivered-To", "X-Original-To", "Envelope-To"))
    return bool(_BY_SUBJECT.match(message.subject) or _BY_ADDRESS.search(to))


def _is_bare(line: str) -> bool:
    """Say whether a line is a bare word of opt-out, politely or not."""
    words = " ".join(unicodedata.normalize("NFKC", line).split()).strip(" .!,;:-–—*\"'()[]„“”«»")
    return bool(words) and bool(
        phrases("opt_out_words", rf"(?:{_POLITE}[\s,]+)?(?:{{}})(?:[\s,]+{_POLITE})?").fullmatch(words)
    )


def _is_bare_in_courtesy(pieces: list[str]) -> bool:
    """Say whether one of these pieces is a bare word of opt-out, and the others are courtesy, a no, or a name."""
    words = [piece.strip(" .!,;") for piece in pieces if piece.strip()]
    others = [piece for piece in words if not _is_bare(piece)]
    return len(others) < len(words) and all(map(_is_courtesy, others))


_NO_OR_NAME = re.compile(rf"(?i:{_POLITE}|{_NOT_WORDS}(?: \w+){{0,2}})|[^\W\d_a-z][\w'-]*(?: [^\W\d_a-z][\w'-]*)?")


def _is_courtesy(piece: str) -> bool:
    return bool(
        _NO_OR_NAME.fullmatch(piece)
        or phrases("greetings", r"(?:{})\b[^.!?]{0,40}").fullmatch(piece)
        or phrases("closings", r"(?:{})\W*").fullmatch(piece)
    )


def _body(text: str) -> list[str]:
    """Return the lines of a message without its greeting, its closing and what follows them."""
    lines: list[str] = []
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if not line:
            continue
        if not lines and phrases("greetings", r"(?:{})\b[^.!?,，]{0,40}?[,!.:]?").fullmatch(line):
            continue
        if len(line) <= LONGEST_LINE and phrases("attributions").fullmatch(line):
            if lines:
                break
            continue  # they answer below what they quote
        if not lines and _HEADER_LINE.match(line):
            continue
        if lines and phrases("closings", r"(?:{})\W*").fullmatch(line):
            break
        lines.append(line)
    return lines
