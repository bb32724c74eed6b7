"""Markdown: every channel sends plain text, so a reader would see the signs as they stand."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards import markdown
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every piece of Markdown with the plain text as the fix; WhatsApp draws emphasis itself."""
    for found in markdown.find(text.original, text.raw.letters, in_whatsapp=text.channel is Channel.WHATSAPP):
        yield Hit(found.start, found.end, fix=found.plain)


RULE = Rule(
    id="channel.markdown",
    severity=Severity.WARNING,
    message="These are signs of Markdown, which would be seen as they stand: write plain text.",
    accept=(
        "* item\n- item\n1. item",
        "5 * 3 * 2 and 2**10",
        "snake_case_name and __init__",
        "#1 in C# since 2020\n> 5 years",
        "price* (*without tax)",
    ),
    reject=(
        "a **bold** word",
        "an *important* word",
        "an _important_ word",
        "# The role",
        "[role](https://acme.com/jobs)",
        "![logo](https://acme.com/logo.png)",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "```\ncode\n```",
        "the `make` command",
        "> as you wrote",
        "~~old~~ new",
        "The role\n========",
        "a __strong__ word",
        "the [role][1]\n\n[1]: https://acme.com",
    ),
    source="CommonMark; GitHub Flavored Markdown",
    check=check,
    signs=frozenset("`~|[#=>*_\\"),
)
