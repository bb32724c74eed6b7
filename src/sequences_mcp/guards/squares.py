"""What a pair of square brackets is: a link, a footnote, code, a range, a tag, or a placeholder."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.markup import TAG, without
from sequences_mcp.guards.text import GuardedText
from sequences_mcp.guards.views import Pair, TextView
from sequences_mcp.guards.words import has_field, has_glue, is_field, is_name, is_tag_word

LONGEST = 100

_AMOUNT = r"[\d\s\u00a0\u202f.,'’:/hkKMm%€$£¥]"

FOOTNOTE = LazyPattern(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
RANGE = LazyPattern(
    rf"[~≈<>≥≤]?[\s$€£¥]*\d{_AMOUNT}*(?:[-–—~〜]|to|à|bis|a)[\s$€£¥\u00a0\u202f]*\d{_AMOUNT}*(?:[^\W\d_]{{1,4}})?"
)
NUMBERS = LazyPattern(r"(?=\D*\d)[\d\s\u00a0\u202f.,;:+%€$£¥°/*()\[\]<>=–—−-]+[kKM]?[€$£¥%]?")
INTERVALS = LazyPattern(r"[\d.,;∞+− -]{1,40}\[[^\[\]]{0,80}\][\d.,;∞+− -]{1,40}")
ISSUE = LazyPattern(r"#\d+|[A-Z][A-Z0-9]*(?:-\d+)+")
CHARACTER_CLASS = LazyPattern(r"\^?(?:\w-\w|\\[wdsWDS])(?:\w-\w|\\[wdsWDS]|[._+-])*")
DERIVED = LazyPattern(r"test|inline|[\w:]{1,40}(?:\(.{1,80}\)|\s?=\s?.{1,80})")
ADDRESS = LazyPattern(r"https?://[^\s\[\]…]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
TEST = LazyPattern(r"\s?(?:-[a-z]|!) .{1,80}|\s?.{1,60} (?:-(?:eq|ne|lt|gt|le|ge)|=|==|!=) .{1,60}")
_LITERAL = r"(?:\"[^\"]*\"|'[^']*'|-?\d[\d._]*)"
LITERALS = LazyPattern(rf"\s*{_LITERAL}(?:\s*,\s*{_LITERAL})*\s*,?\s*")
LETTERS = LazyPattern(r"[a-z](?:\s*[,;]\s*[a-z])+")
ARRAY = LazyPattern(r"(?:[iuf]\d{1,3}|[A-Z]);\s?\w{1,20}")
TYPES = LazyPattern(
    r"(?:(?:u?int(?:8|16|32|64)?|str|string|float(?:32|64)?|double|bool|boolean|bytes?|object|Any|None|"
    r"dict|list|char|"
    r"rune|error|[A-Z])(?:\s*[,|]\s*|$))+"
)
PHONETIC = LazyPattern(
    r"(?=.*[ˈˌː]|.*[əɪʊɔɛʃʒŋɑɒʌɜɹʁɲɾθð].*[əɪʊɔɛʃʒŋɑɒʌɜɹʁɲɾθð])[^\W\d_A-Z][\wˈˌː.() -]{0,40}|[ˈˌ][\wˈˌː.() -]{1,40}"
)
OPENING = LazyPattern(r"[A-E]\d\d")  # of chess, in its Encyclopaedia
_BOUND = r"[-−+]?(?:\d[\d.]*|∞|[a-z])"
HALF_OPEN = LazyPattern(rf"{_BOUND}[,;] ?{_BOUND}\).{{0,60}}\({_BOUND}[,;] ?{_BOUND}")
EXPRESSION = LazyPattern(r"[\w\s]*[-+*/%:.()<>=,][\w\s\-+*/%:.()<>=,\"'\[\]]*")

GENDER = LazyPattern(r"[^\W\d_]{1,2}(?:\s*[/|,*]\s*[^\W\d_]{1,2})+")
ACRONYM = LazyPattern(r"[A-Z][A-Z0-9&+./]{1,5}(?:[ ]\d[\d.:-]*)?")
VERSION = LazyPattern(r"v?\d+(?:\.\d+)+(?:[a-z]+\d*)?|v\d+")
QUANTITY = LazyPattern(r"[~≈<>≥≤+]?\d[\d.,]*\s*[^\W\d_]{1,12}\.?(?:[ ][^\W\d_]{1,12})?")
MOMENT = LazyPattern(r"\d{1,2}\s?[h:]\s?\d{2}|\d{1,2}\.? [^\W\d_]{3,12}\.?(?: \d{4})?")
EDITORIAL = LazyPattern(
    r"(?is)(?:edit|[ée]dit[ée]?|update|upd|maj|mise [àa] jour|n\.?d\.?[tlrae]\.?|note|nota|nb|n\.b\.|ps|anm\.?|"
    r"anmerkung|hinweis)\s*[:：].+"
)
ATTRIBUTE = LazyPattern(r"[A-Za-z_][\w-]*\s*[~|^$*]?=\s*(?:\"[^\"]*\"|'[^']*')")
ELLIPSIS = LazyPattern(r"\s*(?:\.\s?\.\s?\.|…|⋯)\s*")
BLANK = LazyPattern(r"(?:X(?:[X/ .-]{0,20}X)?|XYZ|ABC|\?+|_+|-+|\*+|\.{1,2})(?:\s.*)?")


class Meaning(Enum):
    """What a pair of square brackets means: ``UNCERTAIN`` is for a person to decide."""

    FINE = "fine"
    UNCERTAIN = "uncertain"
    PLACEHOLDER = "placeholder"
    DEAD_LINK = "dead link"


class Square(NamedTuple):
    """A pair of square brackets in one view."""

    view: TextView
    pair: Pair
    inner: str

    @property
    def before(self) -> str:
        """The character before, or an empty string."""
        return self.view.text[self.pair.open - 1 : self.pair.open]

    @property
    def after(self) -> str:
        """The character after, or an empty string."""
        return self.view.text[self.pair.close + 1 : self.pair.close + 2]

    @property
    def line_before(self) -> str:
        """What stands before it on its line."""
        return self.view.text[self.view.text.rfind("\n", 0, self.pair.open) + 1 : self.pair.open]

    @property
    def span(self) -> tuple[int, int]:
        """Its place in the original text."""
        return self.view.span(self.pair.open, self.pair.close + 1)


_TARGET = LazyPattern(
    r"\([ \n]{0,4}<?([^()\s<>]{0,2000}(?:\([^()\s]{0,200}\)[^()\s<>]{0,2000}){0,4})>?"
    r"(?:[ \n]{1,4}(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|\([^()\n]{0,200}\)))?[ \n]{0,4}\)"
)
_REAL = LazyPattern(
    r"(?i)(?:[a-z][a-z0-9+.-]{0,20}:(?://)?[^\s/]\S*|//[^\s/]\S*|/\S*|www\.\S+|"
    r"[^\s/]+\.[a-z]{2,20}(?:[/?#:].*)?|\ufdd0+)"
)
_FINE = (
    FOOTNOTE,
    RANGE,
    NUMBERS,
    INTERVALS,
    CHARACTER_CLASS,
    ADDRESS,
    LETTERS,
    ARRAY,
    TEST,
    PHONETIC,
    OPENING,
    HALF_OPEN,
)
_UNCERTAIN_SHAPES = (GENDER, VERSION, EDITORIAL, LITERALS, MOMENT)
_TYPE = LazyPattern(
    r"\b(?:int|string|str|char|byte|bool|float|double|long|String|Object|number|boolean|any|[A-Z]|\w<\w{1,20}>)\Z"
)
_OTHERS = LazyPattern(r"\[[^\[\]]{0,40}\]")
_QUOTES = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』", "‘": "’"}
_QUOTED_WITHIN = 1000


def squares(text: GuardedText, *meanings: Meaning) -> Iterator[Square]:
    """Return the square brackets of every view that mean one of ``meanings``."""
    return (square for square, meaning in _judged(text) if meaning in meanings)


def _square(view: TextView, pair: Pair) -> Square:
    # Cut one letter after the longest form that is looked for: enough to tell that it is longer.
    return Square(view, pair, view.text[pair.open + 1 : min(pair.close, pair.open + LONGEST + 2)])


@lru_cache(maxsize=4)
def _judged(text: GuardedText) -> list[tuple[Square, Meaning]]:
    """Return the meaning of every pair of square brackets; cached, since several rules use it."""
    results = [_square(view, pair) for view in text.views for pair in view.squares.pairs]
    return [(square, _meaning(text, square)) for square in results]


def _meaning(text: GuardedText, square: Square) -> Meaning:
    if square.inner.strip().casefold() in text.policy.allowed_brackets:
        return Meaning.FINE
    for judge in (_as_link, _as_code):
        if (meaning := judge(square)) is not None:
            return meaning
    if len(square.inner) > LONGEST:
        return Meaning.PLACEHOLDER
    if _is_fine(square, square.inner.strip()):
        return Meaning.FINE
    return Meaning.UNCERTAIN if _is_uncertain(text, square, square.inner.strip()) else Meaning.PLACEHOLDER


def _as_link(square: Square) -> Meaning | None:
    """Judge links, references, their definitions and footnotes."""
    text, close = square.view.text, square.pair.close
    is_definition = square.after == ":" and not square.line_before.strip()
    if is_definition and _REAL.match(text[close + 2 : close + 2000].strip()):
        return Meaning.FINE
    if square.inner.startswith("^"):
        return Meaning.FINE if f"[{square.inner}]:" in text else None
    if square.after == "(":
        return _as_inline_link(square)
    if _refers(square):
        return Meaning.FINE
    target = _TARGET.match(text, close + 2) if square.after == " " else None
    return (
        Meaning.UNCERTAIN if target and _REAL.fullmatch(target[1]) and not _is_bare_field(square.inner) else None
    )


def _is_bare_field(phrase: str) -> bool:
    return is_field(phrase) and not has_glue(phrase)


def _as_inline_link(square: Square) -> Meaning | None:
    target = _TARGET.match(square.view.text, square.pair.close + 1)
    if target is None:
        return None
    if not _REAL.fullmatch(target[1]):
        return None if square.before.isalnum() else Meaning.DEAD_LINK
    looks_unfilled = is_name(square.inner) and (not has_glue(square.inner) or "your" in square.inner.casefold())
    is_nested = "[" in square.inner and "](" not in square.inner
    return Meaning.UNCERTAIN if looks_unfilled or is_nested else Meaning.FINE


def _refers(square: Square) -> bool:
    """Say whether this is half of ``[text][name]``, or ``[name]``, with a definition of the name below."""
    text, name = square.view.text, square.inner
    if square.after == "[":
        end = text.find("]", square.pair.close + 2, square.pair.close + 100)
        name = text[square.pair.close + 2 : end] or name
    return f"\n[{name}]:" in text


def _as_code(square: Square) -> Meaning | None:
    """Judge subscripts and type parameters: brackets attached to an ASCII identifier."""
    inner = square.inner.strip()
    if square.before.isdigit() and square.after.isdigit():  # between two intervals: [0, 1[ ∪ ]2, 3]
        return Meaning.FINE
    if not (square.before.isascii() and (square.before.isalnum() or square.before in ("_", ")", "]"))):
        return Meaning.FINE if _is_attribute(square, inner) else None
    if not inner or (len(inner) == 1 and inner not in "?X"):
        return Meaning.FINE
    if len(inner) > LONGEST:
        return None
    if any(shape.fullmatch(inner) for shape in (LITERALS, TYPES, NUMBERS)):
        return Meaning.FINE
    if not has_field(inner) and EXPRESSION.fullmatch(inner):
        return Meaning.FINE
    if "://" in square.line_before.split(" ")[-1] and "?" in square.line_before:
        return Meaning.FINE
    return Meaning.UNCERTAIN if " " not in inner and (_is_in_code(square) or not has_field(inner)) else None


def _is_in_code(square: Square) -> bool:
    """Say whether what stands around an attached pair is code: ``users[name].id``, or nothing at all."""
    following = square.view.text[square.pair.close + 1 : square.pair.close + 3]
    if following[:1] in ("", "\n"):
        return " " not in square.line_before
    return following[0] in "=[(`" or (following[0] == "." and following[1:].isalnum())


def _is_attribute(square: Square, inner: str) -> bool:
    """Say whether this is Rust's ``#[derive(…)]`` or Outlook's ``<!--[if mso]>``."""
    if square.line_before.endswith(("<!--", "<!", "<![endif]--")):
        return inner.startswith(("if ", "endif"))
    return square.before == "#" and bool(DERIVED.fullmatch(inner))


def _is_fine(square: Square, inner: str) -> bool:
    if inner in ("x", "X", "") and _is_task_box(square):
        return True
    if not inner and _is_empty_array(square):
        return True
    if any(shape.fullmatch(inner) for shape in _FINE) or (square.before == "/" and ":" in inner):
        return True
    if ISSUE.fullmatch(inner):
        return not has_field(inner)
    if square.line_before.endswith(("=", "= ", "(", ": ")) and LITERALS.fullmatch(inner):
        return True
    is_editors = inner == "sic" or bool(ELLIPSIS.fullmatch(inner)) or (len(inner) == 1 and inner.isalpha())
    return is_editors and _is_quoted(square)


def _is_empty_array(square: Square) -> bool:
    """Say whether nothing in brackets is code: ``a = [];``, ``f([])``, ``{"a": []}``, ``int[] a``."""
    before, rest = square.line_before, square.view.text[square.pair.close + 1 :].split("\n", 1)[0]
    if before.rstrip().endswith(("=", "(", "return", ":", "=>", "[", " of", " in")) and rest[:1] in (
        "",
        ";",
        ",",
        ")",
        "]",
        "}",
        ".",
    ):
        return not before.rstrip().endswith(":") or rest[:1] in (";", ",", "}")
    return bool(_TYPE.search(before)) and rest[:1] in (" ", ")", ",", ";", ">", "")


def _is_task_box(square: Square) -> bool:
    line = TAG.sub(without, square.line_before).rpartition("\n")[2].strip()
    return len(square.inner) <= 1 and (line in ("-", "*", "+", "•") or line.rstrip(".)").isdigit())


def _is_quoted(square: Square) -> bool:
    text, place = square.view.text, square.pair.open
    before = text[max(text.rfind("\n\n", 0, place) + 1, place - _QUOTED_WITHIN) : place]
    if before.count('"') % 2 or square.line_before.startswith(">"):
        return True
    return any(before.rfind(opening) > before.rfind(closing) for opening, closing in _QUOTES.items())


def _is_uncertain(text: GuardedText, square: Square, inner: str) -> bool:
    if not inner or "\n" in inner:
        return not inner and (not square.inner or not square.line_before.strip())
    if ELLIPSIS.fullmatch(inner) or inner in ("sic", "sic!", "!") or ATTRIBUTE.fullmatch(inner):
        return True
    if len(inner) == 1 and inner.isalpha():
        return inner not in ("X", "N") or not (
            square.line_before.strip() or square.after.strip() or _goes_on(square)
        )
    if inner.startswith("^"):
        return inner[1:].isalnum() and not has_field(inner)
    if BLANK.fullmatch(inner) or is_field(inner):
        return False
    return _is_label(text, square, inner)


def _goes_on(square: Square) -> bool:
    return bool(square.view.text[square.pair.close + 1 :].split("\n", 1)[0].strip())


def _is_label(text: GuardedText, square: Square, inner: str) -> bool:
    """Say whether a word could stand in brackets on purpose: a tag, an acronym, a quantity, a version."""
    if is_tag_word(inner) or any(shape.fullmatch(inner) for shape in _UNCERTAIN_SHAPES):
        return True
    if has_field(inner):
        return False
    if ACRONYM.fullmatch(inner) or QUANTITY.fullmatch(inner):
        return True
    if "［" in square.view.text[square.pair.open] or "］" in square.view.text[square.pair.close]:
        return True
    if inner.isalpha() and _is_quoted(square):
        return True
    at_edge = not _OTHERS.sub("", square.line_before).strip() or not _goes_on(square)
    return text.is_subject and at_edge and inner[0].isupper() and len(inner.split()) <= 2
