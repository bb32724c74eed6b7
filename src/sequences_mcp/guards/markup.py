"""Tags and entities, as far as telling markup from text needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.words import lines

# A browser reads a number, and these names, without their semicolon too.
_OLD = (
    "nbsp|amp|lt|gt|quot|apos|copy|reg|trade|shy|[aeiou](?:acute|grave|circ|uml)|ntilde|ccedil|szlig|hellip|[nm]dash|"
    "[lr][sd]quo|euro|[lr]aquo|middot|bull|zwnj|zwj"
)
ENTITY = Lazy(
    rf"&(?:#[0-9]{{1,8}};?|#[xX][0-9a-fA-F]{{1,7}};?|[A-Za-z][A-Za-z0-9]{{1,31}};|(?:{_OLD})(?![A-Za-z0-9=;_]))"
)
TAG = Lazy(r"</?([A-Za-z][A-Za-z0-9:-]{0,30})(\s[^<>]*|/?)>|<![^<>]*>")

# Without its semicolon and with a letter behind it, as in "R&ampD"; in the query of a link "&" begins a name.
_RUN_ON = Lazy(
    r"&(?P<name>amp|nbsp|quot|apos|[aeiou](?:acute|grave|circ|uml)|ntilde|ccedil|hellip|[nm]dash|[lr][sd]quo|[lr]aquo)"
    r"(?=[A-Za-z])"
)


@cache
def _elements(kind: str) -> frozenset[str]:
    return frozenset(name for sort, names in lines("element") if sort == kind for name in names.split())


def is_tag(match: re.Match[str]) -> bool:
    """Say whether a match of TAG is markup: a comment, an element of HTML, or Office's ``o:p``."""
    name = match[1]
    if name is None or ":" in name:
        return True
    if len(name) == 1 and match[2].strip(" /") and "=" not in match[2]:
        return False  # "a <b and c> d"
    if name.lower() not in _elements("html"):
        return False
    return bool(match[2]) or name.lower() not in _elements("word") or f"</{name}>" in match.string


def without(match: re.Match[str]) -> str:
    """Return what is seen in place of a match of TAG: nothing, a new line, or, where it is no markup, itself."""
    if not is_tag(match):
        return match[0]
    return "\n" if match[1] and match[1].lower() in _elements("block") else ""


def decode(entity: str) -> str:
    """Return the character an entity stands for, or the entity itself."""
    import html

    shown = html.unescape(entity)
    return html.unescape(f"{entity};") if shown == entity and entity[-1] != ";" else shown


_COMMENT = Lazy(
    r"(?s)<!--.{0,4000}?(?:-->|$)|<(?:style|script|title)\b[^<>]*>.{0,20000}?</(?:style|script|title)\s*>"
)
# What begins like a tag and never ends: for short names only with an attribute or a slash, since "x <p" compares.
_UNCLOSED = Lazy(
    r"(?i)<(?:a\s+href\s?=|img\s+src\s?=|/?(?:br|div|span|strong|table|tbody|blockquote)\b|"
    r"/(?:p|li|ul|ol|tr|td|th|h[1-6]|em|html|body|font)\b|(?:p|li|td|tr|font|body|hr|meta)\s+[a-z-]+\s?=)[^<>\n]{0,300}"
)
_LINK = Lazy(r"(?is)<a\s[^<>]{0,300}?href\s?=\s?[\"']?([^\"'\s<>]{1,2000})[^<>]{0,300}>(.{0,500}?)</a\s*>")
_BLANKS = Lazy(r"[ \t]*\n[ \t]*\n[ \t\n]*")
_ENDS = frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "section"})
_BREAKS = frozenset({"br", "tr", "hr", "dt", "dd"})


def marks(text: str) -> Iterator[tuple[int, int]]:
    """Return the places of tags, whole or unclosed, of comments and of entities, in no order."""
    if "<" in text:
        for pattern in (_COMMENT, _UNCLOSED):
            yield from (match.span() for match in pattern.finditer(text))
        yield from (match.span() for match in TAG.finditer(text) if is_tag(match))
    if "&" in text:
        yield from (match.span() for match in ENTITY.finditer(text) if decode(match[0]) != match[0])
        yield from (match.span() for match in _RUN_ON.finditer(text) if not _is_in_link(match))


def _is_in_link(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 300) : match.start()].split()
    start = before[-1] if before and not match.string[match.start() - 1 : match.start()].isspace() else ""
    return "?" in start or "://" in start or "=" in start


def plain_text(text: str) -> str:
    """Return what a reader would see of a text with tags and entities, as plain text."""
    plain = _COMMENT.sub("", text)
    plain = _LINK.sub(_linked, plain)
    plain = TAG.sub(_in_its_place, plain)
    plain = _UNCLOSED.sub("", plain)
    plain = _RUN_ON.sub(lambda match: match[0] if _is_in_link(match) else decode(f"{match[0]};"), plain)
    plain = ENTITY.sub(lambda match: decode(match[0]), plain).replace("\u00a0", " ").replace("\u00ad", "")
    return _BLANKS.sub("\n\n", plain)


def _linked(match: re.Match[str]) -> str:
    target, shown = match[1].removeprefix("mailto:"), TAG.sub(_in_its_place, match[2]).strip()
    return target if shown in ("", target) else f"{shown} ({target})"


def _in_its_place(match: re.Match[str]) -> str:
    if not is_tag(match):
        return match[0]
    name = (match[1] or "").lower()
    if name in _BREAKS:
        return "\n" if name in ("br", "hr") or match[0].startswith("</") else ""
    if name == "li":
        return "\n" if match[0].startswith("</") else "- "
    if name in ("td", "th"):
        return " " if match[0].startswith("</") else ""
    return "\n\n" if name in _ENDS and match[0].startswith("</") else ""
