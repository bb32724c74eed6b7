"""Markup in a subject, which is plain text."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.markup import ENTITY, TAG, decode, is_tag
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_LINK = Lazy(r"!?\[[^\[\]\n]{0,200}\]\([^()\s]{0,300}\)")


def check(text: Text) -> Iterator[Hit]:
    """Return every link, tag and entity in a subject; the fix of an entity is its character."""
    if not text.is_subject:
        return
    for match in _LINK.finditer(text.raw.text):
        yield Hit(*match.span())
    for match in TAG.finditer(text.raw.text):
        if is_tag(match):
            yield Hit(*match.span())
    for match in ENTITY.finditer(text.raw.text):
        if decode(match[0]) != match[0]:
            yield Hit(*match.span(), fix=decode(match[0]))


RULE = Rule(
    id="channel.subject_markup",
    severity=Severity.ERROR,
    message="A subject is plain text: this would be shown as it stands.",
    accept=("C++/Rust @ Acme & friends", "a < b > c &c;"),
    reject=("[text](https://acme.com)", "Hi&nbsp;{{firstname}}", "<b>Role</b>"),
    source="RFC 5322, 3.6.5",
    example="subject",
    check=check,
    signs=frozenset("[<&"),
)
