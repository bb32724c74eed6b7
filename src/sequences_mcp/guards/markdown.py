"""Markdown in a text: where it stands, and the plain text instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sequences_mcp.guards.lazy import Lazy

_FENCE = Lazy(
    r"(?m)^[ \t]{0,3}(`{3,}|~{3,})[^`\n]{0,80}\n(?P<inner>(?:.*\n){0,400}?)[ \t]{0,3}\1[`~]*[ \t]*$",
    needs=("```", "~~~"),
)
_LOOSE_FENCE = Lazy(r"(?m)^[ \t]{0,3}(?:`{3,}|~{3,})[^`\n]{0,80}$|`{3,}", needs=("```", "~~~"))
_TABLE = Lazy(
    r"(?m)(?:^[^\n|]{0,500}\|[^\n]{0,500}\n)?"
    r"^[ \t]{0,3}(?:\|[ \t]{0,20}:?-{2,}|:?-{3,}:?[ \t]{0,20}\|)[-:| \t]{0,200}$"
    r"(?:\n[^\n|]{0,500}\|[^\n]{0,500}$){0,200}",
    needs=("|-", "| -", "|:", "| :", "-|", "- |"),
)
_IMAGE = Lazy(
    r"!?\[(?P<shown>[^\[\]\n]{0,300})\]\(\s?<?(?P<target>(?:https?|mailto|tel):[^()\s<>]{1,2000}(?:\([^()\s]{0,200}\))?[^()\s<>]{0,500})>?(?:\s[\"'(][^\n]{0,200}?[\"')])?\s?\)",
    needs=("](",),
)
_HEADING = Lazy(r"(?m)^[ \t]{0,3}#{1,6}[ \t]+(?P<inner>\S[^\n]{0,300}?)[ \t]*#*[ \t]*$", needs=("# ", "#\t"))
_UNDERLINED = Lazy(r"(?m)^(?P<inner>[^\n]{1,200}\S)[ \t]*\n={3,}[ \t]*$", needs=("===",))
_QUOTE = Lazy(r"(?m)^[ \t]{0,3}>[ \t>]{0,8}(?P<inner>[^\s>=\d][^\n]{0,500})$", needs=(">",))
_CODE = Lazy(r"(?<![\w`\\])(`{1,2})(?=[^\s`])(?P<inner>[^`\n]{1,300})(?<=[^\s`])\1(?![`\w])", needs=("`",))
_STRONG = Lazy(
    r"(?<![\w*\\])(\*{2,3})(?=[^\s*])(?P<inner>[^\n]{1,400}?)(?<=[^\s*])\1(?![\w*])|(?<=\w)\*\*(?=[^\s*\d])(?P<mid>[^*\n]{1,100})(?<=\S)\*\*",
    needs=("**",),
)
_UNDERSCORED = Lazy(r"(?<![\w\\])__(?=[^\s_])(?P<inner>[^\n_]{1,200}?)(?<=[^\s_])__(?!\w)", needs=("__",))
_STRUCK = Lazy(r"(?<![\w~])~~(?=[^\s~])(?P<inner>[^~\n]{1,300}?)(?<=[^\s~])~~(?![\w~])", needs=("~~",))
_EMPHASIS = Lazy(r"(?<![\w*\\/])\*(?=[^\s*])(?P<inner>[^*\n]{1,300}?)(?<=[^\s*])\*(?![\w*])", needs=("*",))
_ITALICS = Lazy(r"(?<![\w_\\/@.:-])_(?=[^\s_])(?P<inner>[^_\n]{1,300}?)(?<=[^\s_])_(?![\w_])", needs=("_",))
_NAME_OF_CODE = Lazy(r"[a-z][a-z0-9]*")
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
)
# WhatsApp draws these itself, so there they are meant.
_NOT_IN_WHATSAPP: tuple[tuple[Lazy, _Plain], ...] = ((_CODE, _inner), (_EMPHASIS, _inner), (_ITALICS, _inner))


def find(text: str, *, in_whatsapp: bool = False) -> Iterator[Found]:
    """Return each piece of Markdown, with the plain text in its place; lists are read as they stand."""
    lower = text.lower()
    for pattern, plain in _ALWAYS if in_whatsapp else (*_ALWAYS, *_NOT_IN_WHATSAPP):
        if not pattern.may_match(lower):
            continue
        for match in pattern.finditer(text):
            is_code = pattern is _UNDERSCORED and _NAME_OF_CODE.fullmatch(match["inner"])
            if not is_code:
                yield Found(*match.span(), plain(match))
