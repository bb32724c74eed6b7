"""What a pair of square brackets is: a link, a footnote, code, a range, a tag, or a placeholder.

Shape decides first; words only where shape does not. What no shape explains is a placeholder (Kalent refuses
"unresolved bracket placeholders"), and what could be meant is in doubt and goes to a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from sequences_mcp.guards import shapes
from sequences_mcp.guards.brackets import Pair
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.markup import TAG, without
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View
from sequences_mcp.guards.words import has_field, has_glue, is_field, is_name, is_tag


class Meaning(Enum):
    """What a pair of square brackets was found to be."""

    FINE = "fine"
    DOUBT = "doubt"
    PLACEHOLDER = "placeholder"
    DEAD_LINK = "dead link"


class Square(NamedTuple):
    """A pair of square brackets in one view."""

    view: View
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


_TARGET = Lazy(
    r"\([ \n]{0,4}<?([^()\s<>]{0,2000}(?:\([^()\s]{0,200}\)[^()\s<>]{0,2000}){0,4})>?"
    r"(?:[ \n]{1,4}(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|\([^()\n]{0,200}\)))?[ \n]{0,4}\)"
)
_REAL = Lazy(
    r"(?i)(?:[a-z][a-z0-9+.-]{0,20}:(?://)?[^\s/]\S*|//[^\s/]\S*|/\S*|www\.\S+|[^\s/]+\.[a-z]{2,20}(?:[/?#:].*)?|\ufdd0+)"
)
_FINE = (
    shapes.FOOTNOTE,
    shapes.RANGE,
    shapes.NUMBERS,
    shapes.INTERVALS,
    shapes.CHARACTER_CLASS,
    shapes.ADDRESS,
    shapes.LETTERS,
    shapes.ARRAY,
    shapes.TEST,
    shapes.PHONETIC,
    shapes.OPENING,
    shapes.HALF_OPEN,
)
_DOUBTFUL = (shapes.GENDER, shapes.VERSION, shapes.EDITORIAL, shapes.LITERALS, shapes.MOMENT)
_TYPE = Lazy(
    r"\b(?:int|string|str|char|byte|bool|float|double|long|String|Object|number|boolean|any|[A-Z]|\w<\w{1,20}>)$"
)
_OTHERS = Lazy(r"\[[^\[\]]{0,40}\]")
_QUOTES = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』", "‘": "’"}
_QUOTED_WITHIN = 1000


def squares(text: Text, *meanings: Meaning) -> Iterator[Square]:
    """Return the square brackets of every view that mean one of ``meanings``."""
    return (square for square, meaning in _judged(text) if meaning in meanings)


def _square(view: View, pair: Pair) -> Square:
    # One letter more than any shape has says that it is long; nobody asks by how much.
    return Square(view, pair, view.text[pair.open + 1 : min(pair.close, pair.open + shapes.LONGEST + 2)])


@lru_cache(maxsize=4)
def _judged(text: Text) -> list[tuple[Square, Meaning]]:
    """Judge the squares of a text once, for all the rules that ask."""
    found = [_square(view, pair) for view in text.views for pair in view.squares.pairs]
    return [(square, _meaning(text, square)) for square in found]


def _meaning(text: Text, square: Square) -> Meaning:
    if square.inner.strip().casefold() in text.policy.allowed_brackets:
        return Meaning.FINE
    for judge in (_as_link, _as_code):
        if (meaning := judge(square)) is not None:
            return meaning
    if len(square.inner) > shapes.LONGEST:
        return Meaning.PLACEHOLDER
    if _is_fine(square, square.inner.strip()):
        return Meaning.FINE
    return Meaning.DOUBT if _is_doubtful(text, square, square.inner.strip()) else Meaning.PLACEHOLDER


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
    return Meaning.DOUBT if target and _REAL.fullmatch(target[1]) and not _is_bare_field(square.inner) else None


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
    return Meaning.DOUBT if looks_unfilled or is_nested else Meaning.FINE


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
    if len(inner) > shapes.LONGEST:
        return None
    if any(shape.fullmatch(inner) for shape in (shapes.LITERALS, shapes.TYPES, shapes.NUMBERS)):
        return Meaning.FINE
    if not has_field(inner) and shapes.EXPRESSION.fullmatch(inner):
        return Meaning.FINE
    if "://" in square.line_before.split(" ")[-1] and "?" in square.line_before:
        return Meaning.FINE
    return Meaning.DOUBT if " " not in inner and (_is_in_code(square) or not has_field(inner)) else None


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
    return square.before == "#" and bool(shapes.DERIVED.fullmatch(inner))


def _is_fine(square: Square, inner: str) -> bool:
    if inner in ("x", "X", "") and _is_task_box(square):
        return True
    if not inner and _is_empty_array(square):
        return True
    if any(shape.fullmatch(inner) for shape in _FINE) or (square.before == "/" and ":" in inner):
        return True
    if shapes.ISSUE.fullmatch(inner):
        return not has_field(inner)
    if square.line_before.endswith(("=", "= ", "(", ": ")) and shapes.LITERALS.fullmatch(inner):
        return True
    is_editors = inner == "sic" or bool(shapes.ELLIPSIS.fullmatch(inner)) or (len(inner) == 1 and inner.isalpha())
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


def _is_doubtful(text: Text, square: Square, inner: str) -> bool:
    if not inner or "\n" in inner:
        return not inner and (not square.inner or not square.line_before.strip())
    if shapes.ELLIPSIS.fullmatch(inner) or inner in ("sic", "sic!", "!") or shapes.ATTRIBUTE.fullmatch(inner):
        return True
    if len(inner) == 1 and inner.isalpha():
        return inner not in ("X", "N") or not (
            square.line_before.strip() or square.after.strip() or _goes_on(square)
        )
    if inner.startswith("^"):
        return inner[1:].isalnum() and not has_field(inner)
    if shapes.BLANK.fullmatch(inner) or is_field(inner):
        return False
    return _is_label(text, square, inner)


def _goes_on(square: Square) -> bool:
    return bool(square.view.text[square.pair.close + 1 :].split("\n", 1)[0].strip())


def _is_label(text: Text, square: Square, inner: str) -> bool:
    """Say whether a word could stand in brackets on purpose: a tag, an acronym, a quantity, a version."""
    if is_tag(inner) or any(shape.fullmatch(inner) for shape in _DOUBTFUL):
        return True
    if has_field(inner):
        return False
    if shapes.ACRONYM.fullmatch(inner) or shapes.QUANTITY.fullmatch(inner):
        return True
    if "［" in square.view.text[square.pair.open] or "］" in square.view.text[square.pair.close]:
        return True
    if inner.isalpha() and _is_quoted(square):
        return True
    at_edge = not _OTHERS.sub("", square.line_before).strip() or not _goes_on(square)
    return text.is_subject and at_edge and inner[0].isupper() and len(inner.split()) <= 2
