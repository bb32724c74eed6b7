"""Markdown in a text: where it stands, and the plain text instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sequences_mcp.guards.lazy import Lazy

_FENCE = Lazy(
    r"(?m)^[ \t]{0,3}(`{3,}|~{3,})[^`\n]{0,80}\n(?P<inner>(?:.*\n){0,400}?)[ \t]{0,3}\1[`~]*[ \t\r]*$",
    needs=("```", "~~~"),
    signs="`~",
)
_LOOSE_FENCE = Lazy(r"(?m)^[ \t]{0,3}(?:`{3,}|~{3,})[^`\n]{0,80}$|`{3,}", needs=("```", "~~~"), signs="`~")
_TABLE = Lazy(
    r"(?m)(?:^[^\n|]{0,500}\|[^\n]{0,500}\n)?"
    r"^[ \t]{0,3}(?:\|[ \t]{0,20}:?-{2,}|:?-{3,}:?[ \t]{0,20}\|)[-:| \t\r]{0,200}$"
    r"(?:\n[^\n|]{0,500}\|[^\n]{0,500}$){0,200}",
    needs=("|-", "| -", "|:", "| :", "-|", "- |"),
    signs="|",
)
_IMAGE = Lazy(
    r"!?\[(?P<shown>[^\[\]\n]{0,300})\]\(\s?<?(?P<target>(?:https?|mailto|tel):[^()\s<>]{1,2000}(?:\([^()\s]{0,200}\))?[^()\s<>]{0,500})>?(?:\s[\"'(][^\n]{0,200}?[\"')])?\s?\)",
    needs=("](",),
    signs="[",
)
_HEADING = Lazy(
    r"(?m)^[ \t]{0,3}#{1,6}[ \t]+(?P<inner>\S[^\n]{0,300}?)[ \t]*#*[ \t\r]*$", needs=("# ", "#\t"), signs="#"
)
_UNDERLINED = Lazy(r"(?m)^(?P<inner>[^\n]{1,200}\S)[ \t\r]*\n={3,}[ \t\r]*$", needs=("===",), signs="=")
_QUOTE = Lazy(r"(?m)^[ \t]{0,3}>[ \t>]{0,8}(?P<inner>[^\s>=\d][^\n]{0,500})$", needs=(">",), signs=">")
_CODE = Lazy(
    r"(?<![\w`\\])(`{1,2})(?=[^\s`])(?P<inner>[^`\n]{1,300})(?<=[^\s`])\1(?![`\w])", needs=("`",), signs="`"
)
_STRONG = Lazy(
    r"(?<![\w*\\])(\*{2,3})(?=[^\s*])(?P<inner>[^\n]{1,400}?)(?<=[^\s*])\1(?![\w*])|(?<=\w)\*\*(?=[^\s*\d])(?P<mid>[^*\n]{1,100})(?<=\S)\*\*",
    needs=("**",),
    signs="*",
)
_UNDERSCORED = Lazy(
    r"(?<![\w\\])__(?=[^\s_])(?P<inner>[^\n_]{1,200}?)(?<=[^\s_])__(?!\w)", needs=("__",), signs="_"
)
_STRUCK = Lazy(r"(?<![\w~])~~(?=[^\s~])(?P<inner>[^~\n]{1,300}?)(?<=[^\s~])~~(?![\w~])", needs=("~~",), signs="~")
_EMPHASIS = Lazy(
    r"(?<![\w*\\/])\*(?=[^\s*])(?P<inner>[^*\n]{1,300}?)(?<=[^\s*])\*(?![\w*])", needs=("*",), signs="*"
)
_ITALICS = Lazy(
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
_REFERENCE = Lazy(r"\[(?P<inner>[^\[\]\n]{1,200})\]\[(?P<name>[^\[\]\n]{0,60})\]", needs=("][",), signs="[")
_ESCAPED = Lazy(r"(?<![\w\\])\\(?P<inner>[*#`])(?=\w)", needs=("\\*", "\\#", "\\`"), signs="\\")
_RULE = Lazy(r"[ \t]*\|?[ \t]*:?-{3,}[-|: \t]*")

_Plain = Callable[[re.Match[str]], str]


class Found(NamedTuple):
    """A place with Markdown in it, and the plain text instead."""

    start: int
    end: int
    plain: str


def _inner(match: re.Match[str]) -> str:
    found = match.groupdict()
    return found["inner"] if found["inner"] is not None else found.get("mid") or ""


def _linked(match: re.Match[str]) -> str:
    shown, target = match["shown"].strip(), match["target"].removeprefix("mailto:").removeprefix("tel:")
    return target if shown in ("", target) else f"{shown} ({target})"


def _rows(match: re.Match[str]) -> str:
    rows = [line.strip().strip("|").split("|") for line in match[0].split("\n") if not _RULE.fullmatch(line)]
    return "\n".join(", ".join(cell.strip() for cell in row if cell.strip()) for row in rows)


def _fenced(match: re.Match[str]) -> str:
    return match["inner"].removesuffix("\n")


def _nothing(_: re.Match[str]) -> str:
    return ""


_ALWAYS: tuple[tuple[Lazy, _Plain], ...] = (
    (_FENCE, _fenced),
    (_LOOSE_FENCE, _nothing),
    (_TABLE, _rows),
    (_IMAGE, _linked),
    (_HEADING, _inner),
    (_UNDERLINED, _inner),
    (_QUOTE, _inner),
    (_STRONG, _inner),
    (_UNDERSCORED, _inner),
    (_STRUCK, _inner),
    (_REFERENCE, _inner),
    (_ESCAPED, _inner),
)
# WhatsApp draws these itself, so there they are meant.
_NOT_IN_WHATSAPP: tuple[tuple[Lazy, _Plain], ...] = ((_CODE, _inner), (_EMPHASIS, _inner), (_ITALICS, _inner))


def find(text: str, letters: AbstractSet[str], *, in_whatsapp: bool = False) -> Iterator[Found]:
    """Return each piece of Markdown, with the plain text in its place; lists are read as they stand.

    ``letters`` are those that the text has.
    """
    for pattern, plain in _ALWAYS if in_whatsapp else (*_ALWAYS, *_NOT_IN_WHATSAPP):
        if pattern.signs.isdisjoint(letters) or not pattern.may_match(text):
            continue
        for match in pattern.finditer(text):
            if not _is_something_else(pattern, match):
                yield Found(*match.span(), plain(match))


def _is_something_else(pattern: Lazy, match: re.Match[str]) -> bool:
    """Say whether a match is the name of code, ``__init__``, or two brackets that no definition follows."""
    if pattern is _UNDERSCORED:
        return match["inner"] in _NAMES_OF_CODE
    return pattern is _REFERENCE and f"\n[{match['name'] or match['inner']}]:" not in match.string
