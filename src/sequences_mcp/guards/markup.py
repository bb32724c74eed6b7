"""Tags and entities, as far as telling markup from text needs it."""

from __future__ import annotations

import re
from functools import cache

from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.words import lines

ENTITY = Lazy(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")
TAG = Lazy(r"</?([A-Za-z][A-Za-z0-9:-]{0,30})(\s[^<>]*|/?)>|<![^<>]*>")


@cache
def _elements(kind: str) -> frozenset[str]:
    return frozenset(name for sort, names in lines("element") if sort == kind for name in names.split())


def is_tag(match: re.Match[str]) -> bool:
    """Say whether a match of TAG is markup: a comment, an element of HTML, or Office's ``o:p``."""
    name = match[1]
    if name is None or ":" in name:
        return True
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

    return html.unescape(entity)
