"""Write the generated parts of the docs: the tables of tools and of settings.

    python -m scripts.readme

Each part stands in a file of its own, between ``<!-- name -->`` and ``<!-- /name -->``; a test says so when one is
out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
FIGURES = DOCS / "figures.md"


def tools() -> str:
    """Return the table of tools, in the order of the catalogue."""
    from mcp.types import Tool

    from sequences_mcp.server.catalog import listed_tools

    def effect(tool: Tool) -> str:
        hints = tool.annotations
        assert hints is not None, f"{tool.name} has no hints"
        if hints.read_only_hint:
            return "reads"
        return "cannot be undone" if hints.destructive_hint else "writes"

    rows = ([f"`{tool.name}`", _first_sentence(tool.description or ""), effect(tool)] for tool in listed_tools())
    return table(("tool", "does", "effect"), rows)


def settings() -> str:
    """Return the table of settings, in the order of ``settings.py``."""
    from sequences_mcp.settings import TABLE

    rows = ([f"`{one.name}`", one.meaning, _default(one.default)] for one in TABLE)
    return table(("setting", "meaning", "default"), rows)


def _default(text: str) -> str:
    return text or "none"


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.])\s", " ".join(text.split()), maxsplit=1)[0]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; a bar inside a cell stays a bar."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# The part stands in the file of its name.
PARTS: Mapping[str, Callable[[], str]] = {"tools": tools, "settings": settings}


def filled(text: str, parts: Mapping[str, str]) -> str:
    """Return the text with each part between its marks; ValueError for a mark that is not there exactly once."""
    for name, body in parts.items():
        opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if (text.count(opening), text.count(closing)) != (1, 1):
            raise ValueError(f"The text has {text.count(opening)} parts called {name}, not one.")
        before, _, rest = text.partition(opening)
        text = f"{before}{opening}{body}\n{closing}{rest.partition(closing)[2]}"
    return text


def main() -> None:
    """Rewrite the files in place."""
    for name, part in PARTS.items():
        file = DOCS / f"{name}.md"
        file.write_text(filled(file.read_text(encoding="utf-8"), {name: part()}), encoding="utf-8")


if __name__ == "__main__":
    main()
