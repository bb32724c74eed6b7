"""What a pair of square brackets is: a link, a footnote, code, a range, a tag, or a placeholder.

Shape decides first; words only where shape does not. What no shape explains is a placeholder (Kalent refuses
"unresolved bracket placeholders"), and what could be meant is in doubt and goes to a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from sequences_mcp.guards.brackets import Pair
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import COVER, View
from sequences_mcp.guards.words import has_field, is_field, is_name, is_tag


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
    meaning: Meaning


_TARGET = Lazy(r"\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)")
_REAL_TARGET = Lazy(
    r"(?:[a-z][a-z0-9+.-]*:(?://)?[^\s]+|//[^\s]+|/[^\s]*|www\.[^\s]+|[^\s/]+\.[a-z]{2,}(?:[/?#:].*)?|\ufdd0+)", 2
)
_DIGITS = Lazy(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
_RANGE = Lazy(
    r"[~≈<>≥≤]?[\s$€£¥]*[+-]?\d[\d\s\u00a0\u202f.,'’:/hkKMm%€$£¥]*(?:(?:[-–—~〜/]|to|à|bis|a)[\s$€£¥\u00a0\u202f]*\d[\d\s\u00a0\u202f.,'’:/hkKMm%€$£¥]*)+\w{0,4}[€$£¥%]?"
)
_NUMBERS = Lazy(
    r"[\d\s\u00a0\u202f.,;:+%€$£¥°/*()\[\]<>=–—−-]*\d[\d\s\u00a0\u202f.,;:+%€$£¥°/*()\[\]<>=–—−-]*[kKM]?[€$£¥%]?"
)
_ISSUE = Lazy(r"(?:#\d+|[A-Z][A-Z0-9]*(?:-\d+)+)")
_UNIT = Lazy(r"\d[\d.,]*\s*[^\W\d_]{1,12}\.?")
_CLASS = Lazy(r"\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|\\[wdsWDS])(?:[A-Za-z0-9]-[A-Za-z0-9]|\\[wdsWDS]|[._+-])*")
_TYPES = Lazy(
    r"(?:(?:u?int(?:8|16|32|64)?|str|string|float(?:32|64)?|double|bool|boolean|bytes?|object|Any|None|dict|list|char|rune|error|[A-Z])(?:\s*,\s*|\s*\|\s*|$))+"
)
_GENDER = Lazy(r"[A-Za-zÀ-ÿ]{1,2}(?:\s*[/|,*]\s*[A-Za-zÀ-ÿ]{1,2})+")
_ACRONYM = Lazy(r"[A-Z][A-Z0-9&+./]{1,5}(?: \d[\d.:-]*)?")
_VERSION = Lazy(r"v?\d+(?:\.\d+)*(?:[a-z]+\d*)?")
_EDITORIAL = Lazy(
    r"(?:edit|[ée]dit[ée]?|update|upd|maj|mise [àa] jour|n\.?d\.?[tlrae]\.?|note|nota|nb|n\.b\.|ps|anm\.?|anmerkung|hinweis)\s*[:：].+",
    2 | 16,
)
_ATTRIBUTE = Lazy(r"[A-Za-z_][\w-]*\s*[~|^$*]?=\s*(?:\"[^\"]*\"|'[^']*')")
_ELLIPSIS = Lazy(r"\s*(?:\.\s?\.\s?\.|…|⋯)\s*")
_BLANK_X = Lazy(r"(?:X+|N+|XYZ|ABC|\?+|_+|-+|\*+|\.{1,2})(?:\s.*)?", 16)
_LITERALS = Lazy(r"\s*(?:\"[^\"]*\"|'[^']*'|-?\d[\d.]*)(?:\s*,\s*(?:\"[^\"]*\"|'[^']*'|-?\d[\d.]*))*\s*,?\s*")
_OPERATORS = Lazy(r"[\w\s]*[-+*/%:.()<>=,]\s*[\w\s\-+*/%:.()<>=,\"'\[\]]*")
_ADDRESS = Lazy(r"(?:https?://[^\s\[\]…]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)")
_QUOTES = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』", "‘": "’"}


def squares(text: Text) -> Iterator[Square]:
    """Return the square brackets of every view with what each is."""
    for view in text.views:
        for pair in view.squares.pairs:
            inner = view.text[pair.open + 1 : pair.close]
            yield Square(view, pair, inner, _meaning(text, view, pair, inner))


def _meaning(text: Text, view: View, pair: Pair, inner: str) -> Meaning:
    if inner.strip().casefold() in text.policy.allowed_brackets:
        return Meaning.FINE
    after = view.text[pair.close + 1 : pair.close + 2]
    before = view.text[max(0, pair.open - 1) : pair.open]
    if (linked := _as_link(view, pair, inner, after)) is not None:
        return linked
    if (coded := _as_code(view, pair, inner, before=before, after=after)) is not None:
        return coded
    if _is_fine(view, pair, inner.strip(), before=before):
        return Meaning.FINE
    return Meaning.DOUBT if _is_doubtful(text, view, pair, inner.strip()) else Meaning.PLACEHOLDER


def _as_link(view: View, pair: Pair, inner: str, after: str) -> Meaning | None:
    if view.text[pair.open - 1 : pair.open] == "<" and inner.startswith(("if ", "endif")):
        return Meaning.FINE
    if after == ":" and _line_start(view.text, pair.open) and "\n" not in inner:
        rest = view.text[pair.close + 2 :].split("\n", 1)[0].strip()
        if inner.startswith("^") or _REAL_TARGET.fullmatch(rest.split(" ")[0]):
            return Meaning.FINE
    if inner.startswith("^"):
        return Meaning.FINE if f"[{inner}]:" in view.text else Meaning.DOUBT
    if after == "(":
        return _as_inline_link(view, pair, inner)
    if after == "[" or view.text[pair.open - 1 : pair.open] == "]" or f"[{inner}]:" in view.text:
        return _as_reference(view, pair, inner)
    if after == " " and (match := _TARGET.match(view.text, pair.close + 2)) and _REAL_TARGET.fullmatch(match[1]):
        return Meaning.PLACEHOLDER if is_field(inner) else Meaning.DOUBT
    return None


def _as_inline_link(view: View, pair: Pair, inner: str) -> Meaning | None:
    match = _TARGET.match(view.text, pair.close + 1)
    if match is None:
        return None
    if not _REAL_TARGET.fullmatch(match[1]):
        attached = view.text[pair.open - 1 : pair.open].isalnum()
        return None if attached else Meaning.DEAD_LINK
    if is_name(inner) or ("[" in inner and "](" not in inner):
        return Meaning.DOUBT
    return Meaning.FINE


def _as_reference(view: View, pair: Pair, inner: str) -> Meaning | None:
    text = view.text
    name = inner
    if text[pair.close + 1 : pair.close + 2] == "[":
        end = text.find("]", pair.close + 2, pair.close + 100)
        name = text[pair.close + 2 : end] or inner if end > 0 else inner
    return Meaning.FINE if f"[{name}]:" in text else None


def _as_code(view: View, pair: Pair, inner: str, *, before: str, after: str) -> Meaning | None:
    if not (before and (before.isalnum() or before in "_])")) or (before == "]" and not _chained(view, pair)):
        return None
    if not before.isascii():
        return None
    if not inner.strip():
        return Meaning.FINE
    if len(inner.strip()) == 1 and inner.strip() not in "?X":
        return Meaning.FINE
    if _LITERALS.fullmatch(inner) or _TYPES.fullmatch(inner) or _NUMBERS.fullmatch(inner):
        return Meaning.FINE
    if _OPERATORS.fullmatch(inner) and not has_field(inner):
        return Meaning.FINE
    if after in ("", "=", "[", "(", ".", ")", ";", "`") or not has_field(inner):
        return Meaning.DOUBT if " " not in inner.strip() else None
    return None


def _chained(view: View, pair: Pair) -> bool:
    return any(
        other.close == pair.open - 1 and other.open and view.text[other.open - 1].isalnum()
        for other in view.squares.pairs
    )


def _is_fine(view: View, pair: Pair, inner: str, *, before: str) -> bool:
    if inner in ("x", "X", "") and _is_task_box(view.text, pair):
        return True
    if _DIGITS.fullmatch(inner) or _RANGE.fullmatch(inner) or _NUMBERS.fullmatch(inner) or _CLASS.fullmatch(inner):
        return True
    if _ISSUE.fullmatch(inner) and not has_field(inner):
        return True
    if _ADDRESS.fullmatch(inner) or (before == "/" and ":" in inner):
        return True
    if before in ("=", "(") or view.text[max(0, pair.open - 2) : pair.open] in ("= ", ": "):
        if _LITERALS.fullmatch(inner):
            return True
    quoted = inner == "sic" or bool(_ELLIPSIS.fullmatch(inner)) or (len(inner) == 1 and inner.isalpha())
    return quoted and _is_quoted(view.text, pair.open)


def _is_task_box(text: str, pair: Pair) -> bool:
    line = text[text.rfind("\n", 0, pair.open) + 1 : pair.open].strip()
    return pair.close - pair.open <= 2 and (line in ("-", "*", "+", "•") or line.rstrip(".)").isdigit())


def _is_quoted(text: str, place: int) -> bool:
    start = max(text.rfind("\n\n", 0, place) + 1, place - 1000)
    before = text[start:place]
    if before.count('"') % 2:
        return True
    return any(before.count(opening) > before.count(closing) for opening, closing in _QUOTES.items())


def _is_doubtful(text: Text, view: View, pair: Pair, inner: str) -> bool:
    if COVER in inner or "\n" in inner:
        return False
    if not inner:
        return pair.close == pair.open + 1
    if _ELLIPSIS.fullmatch(inner) or inner in ("sic", "x", "!"):
        return True
    if _ATTRIBUTE.fullmatch(inner):
        return True
    if _BLANK_X.fullmatch(inner) or is_field(inner):
        return False
    if any(shape.fullmatch(inner) for shape in (_GENDER, _VERSION, _EDITORIAL, _LITERALS)):
        return True
    if len(inner) == 1 or is_tag(inner):
        return True
    if _ACRONYM.fullmatch(inner) or (_UNIT.fullmatch(inner) and not has_field(inner)):
        return True
    if view.text[pair.open] == "［" or view.text[pair.close] == "］":
        return not has_field(inner)
    return (
        text.is_subject
        and pair.open == 0
        and inner[0].isupper()
        and len(inner.split()) <= 2
        and not has_field(inner)
    )


def _line_start(text: str, place: int) -> bool:
    return not text[text.rfind("\n", 0, place) + 1 : place].strip()
