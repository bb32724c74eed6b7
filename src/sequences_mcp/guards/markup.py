"""Finds HTML and Markdown in a text, and returns the plain text that replaces it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache
from typing import NamedTuple

from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.words import lines

# HTML allows numeric entities, and these names, without a semicolon.
_OLD = (
    "nbsp|amp|lt|gt|quot|apos|copy|reg|trade|shy|[aeiou](?:acute|grave|circ|uml)|ntilde|ccedil|szlig|"
    "hellip|[nm]dash|"
    "[lr][sd]quo|euro|[lr]aquo|middot|bull|zwnj|zwj"
)
ENTITY = LazyPattern(
    r"&(?:(?:amp;){1,4}(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});|"
    rf"#[0-9]{{1,8}};?|#[xX][0-9a-fA-F]{{1,7}};?|[A-Za-z][A-Za-z0-9]{{1,31}};|(?:{_OLD})(?![A-Za-z0-9=;_]))"
)
TAG = LazyPattern(r"</?([A-Za-z][A-Za-z0-9:-]{0,30})(\s[^<>]*|/?)>|<![^<>]*>")

# Without its semicolon and with a letter behind it, as in "R&ampD"; in the query of a link "&" begins a name.
_RUN_ON = LazyPattern(
    r"&(?P<name>amp|nbsp|quot|apos|[aeiou](?:acute|grave|circ|uml)|ntilde|ccedil|hellip|[nm]dash|"
    r"[lr][sd]quo|[lr]aquo)"
    r"(?=[A-Za-z])"
)


@cache
def _elements(kind: str) -> frozenset[str]:
    return frozenset(name for sort, names in lines("element") if sort == kind for name in names.split())


def is_markup_tag(match: re.Match[str]) -> bool:
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
    """Return what replaces a match of TAG: nothing, a line break, or the match itself where it is no markup."""
    if not is_markup_tag(match):
        return match[0]
    return "\n" if match[1] and match[1].lower() in _elements("block") else ""


def decode(entity: str) -> str:
    """Return the character an entity stands for, or the entity itself; one of "&amp;#39;" counts as one."""
    import html

    shown = html.unescape(entity)
    for _ in range(entity.count("amp;")):
        shown = html.unescape(shown)
    return html.unescape(f"{entity};") if shown == entity and entity[-1] != ";" else shown


_COMMENT = LazyPattern(
    r"(?s)<!--.{0,4000}?(?:-->|$)|<(?:style|script|title)\b[^<>]*>.{0,20000}?</(?:style|script|title)\s*>"
)
# A tag without its ">"; short names need an attribute or a slash, since "x <p" is a comparison.
_UNCLOSED = LazyPattern(
    r"(?i)<(?:a\s+href\s?=|img\s+src\s?=|/?(?:br|div|span|strong|table|tbody|blockquote)\b|"
    r"/(?:p|li|ul|ol|tr|td|th|h[1-6]|em|html|body|font)\b|(?:p|li|td|tr|font|body|hr|"
    r"meta)\s+[a-z-]+\s?=)[^<>\n]{0,300}"
)
_LINK = LazyPattern(r"(?is)<a\s[^<>]{0,300}?href\s?=\s?[\"']?([^\"'\s<>]{1,2000})[^<>]{0,300}>(.{0,500}?)</a\s*>")
_BLANKS = LazyPattern(r"[ \t]*\n[ \t]*\n[ \t\n]*")
_BLOCK_ENDS = frozenset(
    {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "section"}
)
_BREAKS = frozenset({"br", "tr", "hr", "dt", "dd"})


def markup_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of tags, whole or unclosed, of comments and of entities, in no order."""
    if "<" in text:
        for pattern in (_COMMENT, _UNCLOSED):
            yield from (match.span() for match in pattern.finditer(text))
        yield from (match.span() for match in TAG.finditer(text) if is_markup_tag(match))
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
    if not is_markup_tag(match):
        return match[0]
    name = (match[1] or "").lower()
    if name in _BREAKS:
        return "\n" if name in ("br", "hr") or match[0].startswith("</") else ""
    if name == "li":
        return "\n" if match[0].startswith("</") else "- "
    if name in ("td", "th"):
        return " " if match[0].startswith("</") else ""
    return "\n\n" if name in _BLOCK_ENDS and match[0].startswith("</") else ""


_FENCE = LazyPattern(
    r"(?m)^[ \t]{0,3}(`{3,}|~{3,})[^`\n]{0,80}\n(?P<inner>(?:.*\n){0,400}?)[ \t]{0,3}\1[`~]*[ \t\r]*$",
    needs=("```", "~~~"),
    signs="`~",
)
_LOOSE_FENCE = LazyPattern(r"(?m)^[ \t]{0,3}(?:`{3,}|~{3,})[^`\n]{0,80}$|`{3,}", needs=("```", "~~~"), signs="`~")
_TABLE = LazyPattern(
    r"(?m)(?:^[^\n|]{0,500}\|[^\n]{0,500}\n)?"
    r"^[ \t]{0,3}(?:\|[ \t]{0,20}:?-{2,}|:?-{3,}:?[ \t]{0,20}\|)[-:| \t\r]{0,200}$"
    r"(?:\n[^\n|]{0,500}\|[^\n]{0,500}$){0,200}",
    needs=("|-", "| -", "|:", "| :", "-|", "- |"),
    signs="|",
)
_IMAGE = LazyPattern(
    r"!?\[(?P<shown>[^\[\]\n]{0,300})\]\(\s?<?(?P<target>(?:https?|mailto|"
    r"tel):[^()\s<>]{1,2000}(?:\([^()\s]{0,200}\))?[^()\s<>]{0,500})>?(?:\s[\"'(][^\n]{0,200}?[\"')])?\s?\)",
    needs=("](",),
    signs="[",
)
_HEADING = LazyPattern(
    r"(?m)^[ \t]{0,3}#{1,6}[ \t]+(?P<inner>\S[^\n]{0,300}?)[ \t]*#*[ \t\r]*$", needs=("# ", "#\t"), signs="#"
)
_UNDERLINED = LazyPattern(r"(?m)^(?P<inner>[^\n]{1,200}\S)[ \t\r]*\n={3,}[ \t\r]*$", needs=("===",), signs="=")
_QUOTE = LazyPattern(r"(?m)^[ \t]{0,3}>[ \t>]{0,8}(?P<inner>[^\s>=\d][^\n]{0,500})$", needs=(">",), signs=">")
_CODE = LazyPattern(
    r"(?<![\w`\\])(`{1,2})(?=[^\s`])(?P<inner>[^`\n]{1,300})(?<=[^\s`])\1(?![`\w])", needs=("`",), signs="`"
)
_STRONG = LazyPattern(
    r"(?<![\w*\\])(\*{2,3})(?=[^\s*])(?P<inner>[^\n]{1,400}?)(?<=[^\s*])\1(?![\w*])|"
    r"(?<=\w)\*\*(?=[^\s*\d])(?P<mid>[^*\n]{1,100})(?<=\S)\*\*",
    needs=("**",),
    signs="*",
)
_UNDERSCORED = LazyPattern(
    r"(?<![\w\\])__(?=[^\s_])(?P<inner>[^\n_]{1,200}?)(?<=[^\s_])__(?!\w)", needs=("__",), signs="_"
)
_STRUCK = LazyPattern(
    r"(?<![\w~])~~(?=[^\s~])(?P<inner>[^~\n]{1,300}?)(?<=[^\s~])~~(?![\w~])", needs=("~~",), signs="~"
)
_EMPHASIS = LazyPattern(
    r"(?<![\w*\\/])\*(?=[^\s*])(?P<inner>[^*\n]{1,300}?)(?<=[^\s*])\*(?![\w*])", needs=("*",), signs="*"
)
_ITALICS = LazyPattern(
    r"(?<![\w_\\/@.:-])_(?=[^\s_])(?P<inner>[^_\n]{1,300}?)(?<=[^\s_])_(?![\w_])", needs=("_",), signs="_"
)
_NAMES_OF_CODE = frozenset(
    [
        "init",
        "main",
        "name",
        "file",
        "all",
        "doc",
        "dict",
        "class",
        "module",
        "slots",
        "version",
        "call",
        "enter",
        "exit",
        "getattr",
        "getattribute",
        "setattr",
        "delattr",
        "str",
        "repr",
        "eq",
        "ne",
        "lt",
        "gt",
        "le",
        "ge",
        "hash",
        "len",
        "iter",
        "next",
        "add",
        "sub",
        "mul",
        "getitem",
        "setitem",
        "delitem",
        "contains",
        "bool",
        "new",
        "del",
        "import",
        "future",
        "pycache",
        "typename",
        "proto",
        "dirname",
        "filename",
        "tests",
        "mocks",
        "aenter",
        "aexit",
        "await",
        "annotations",
        "builtins",
        "path",
        "package",
        "author",
        "license",
        "post",
        "func",
    ]
)
_REFERENCE = LazyPattern(r"\[(?P<inner>[^\[\]\n]{1,200})\]\[(?P<name>[^\[\]\n]{0,60})\]", needs=("][",), signs="[")
_ESCAPED = LazyPattern(r"(?<![\w\\])\\(?P<inner>[*#`])(?=\w)", needs=("\\*", "\\#", "\\`"), signs="\\")
_RULE = LazyPattern(r"[ \t]*\|?[ \t]*:?-{3,}[-|: \t]*")

_Plain = Callable[[re.Match[str]], str]


class MarkdownSpan(NamedTuple):
    """A span of Markdown, and the plain text that replaces it."""

    start: int
    end: int
    plain: str


def _inner(match: re.Match[str]) -> str:
    results = match.groupdict()
    return results["inner"] if results["inner"] is not None else results.get("mid") or ""


def _markdown_linked(match: re.Match[str]) -> str:
    shown, target = match["shown"].strip(), match["target"].removeprefix("mailto:").removeprefix("tel:")
    return target if shown in ("", target) else f"{shown} ({target})"


def _rows(match: re.Match[str]) -> str:
    rows = [line.strip().strip("|").split("|") for line in match[0].split("\n") if not _RULE.fullmatch(line)]
    return "\n".join(", ".join(cell.strip() for cell in row if cell.strip()) for row in rows)


def _fenced(match: re.Match[str]) -> str:
    return match["inner"].removesuffix("\n")


def _nothing(_: re.Match[str]) -> str:
    return ""


_ALWAYS: tuple[tuple[LazyPattern, _Plain], ...] = (
    (_FENCE, _fenced),
    (_LOOSE_FENCE, _nothing),
    (_TABLE, _rows),
    (_IMAGE, _markdown_linked),
    (_HEADING, _inner),
    (_UNDERLINED, _inner),
    (_QUOTE, _inner),
    (_STRONG, _inner),
    (_UNDERSCORED, _inner),
    (_STRUCK, _inner),
    (_REFERENCE, _inner),
    (_ESCAPED, _inner),
)
# WhatsApp renders these itself, so in a WhatsApp message they are intended.
_NOT_IN_WHATSAPP: tuple[tuple[LazyPattern, _Plain], ...] = (
    (_CODE, _inner),
    (_EMPHASIS, _inner),
    (_ITALICS, _inner),
)


def find_markdown(text: str, letters: AbstractSet[str], *, in_whatsapp: bool = False) -> Iterator[MarkdownSpan]:
    """Yield each span of Markdown with its plain text; lists are left alone, since they read well as they are.

    ``letters`` are the characters that occur in the text.
    """
    for pattern, plain in _ALWAYS if in_whatsapp else (*_ALWAYS, *_NOT_IN_WHATSAPP):
        if pattern.signs.isdisjoint(letters) or not pattern.may_match(text):
            continue
        for match in pattern.finditer(text):
            if not _is_something_else(pattern, match):
                yield MarkdownSpan(*match.span(), plain(match))


def _is_something_else(pattern: LazyPattern, match: re.Match[str]) -> bool:
    """Say whether a match is the name of code, ``__init__``, or two brackets that no definition follows."""
    if pattern is _UNDERSCORED:
        return match["inner"] in _NAMES_OF_CODE
    return pattern is _REFERENCE and f"\n[{match['name'] or match['inner']}]:" not in match.string
