"""Write docs/pictures/demo.svg: what the demo prints in a terminal, from a real run.

    python -m scripts.pictures

Long lines are cut at the width of the picture, the middle of the story is left out, and ids, ports and hours are
those of that run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from html import escape
from pathlib import Path

from sequences_mcp.demo import demo

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "demo.svg"
COLUMNS = 104
LETTER, LINE, MARGIN = 8.4, 19, 24  # pixels, at a size of 14
# Each part of the story from the line that begins so, for so many lines.
PARTS = (
    ("You: Draft", 9),
    ("You: Show", 7),
    ("You: Good", 16),
    ("└─ You tick", 1),
    ("    5 e-mails have left", 1),
    ("You: Pause", 4),
    ("You: We won", 5),
    ("Maria answers", 1),
    ("You: Did anybody", 4),
)
COLOURS = {"You:": "#8bd5ca", "Claude:": "#c6a0f6", "Maria": "#f5a97f", "  →": "#8aadf4", "  ←": "#a6da95"}


def chosen(lines: list[str]) -> Iterator[str]:
    """Yield the lines of the picture; ValueError for a part that the story no longer has."""
    for number, (beginning, count) in enumerate(PARTS):
        at = next((at for at, line in enumerate(lines) if line.startswith(beginning)), None)
        if at is None:
            raise ValueError(f"The demo has no line that begins with {beginning!r}.")
        if number and beginning.startswith(("You:", "Maria")):
            yield ""
        yield from (line for line in lines[at : at + count] if line.strip() or count > 9)
        if count == 16:
            yield "│ …"


def drawn(lines: list[str]) -> str:
    """Return the lines as an SVG that needs no font or script from elsewhere."""
    width, height = round(2 * MARGIN + COLUMNS * LETTER), 2 * MARGIN + len(lines) * LINE
    rows = []
    for number, line in enumerate(lines):
        text = line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…"
        colour = next((colour for start, colour in COLOURS.items() if line.startswith(start)), "#cad3f5")
        y = MARGIN + (number + 1) * LINE - 5
        rows.append(f'<text x="{MARGIN}" y="{y}" fill="{colour}" xml:space="preserve">{escape(text)}</text>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-label="The demo in a terminal: drafting, previewing, approving, pausing, stopping, an answer">',
            f'<rect width="{width}" height="{height}" rx="10" fill="#24273a"/>',
            '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
            *rows,
            "</g>",
            "</svg>",
            "",
        ]
    )


def main() -> None:
    """Run the demo and draw it."""
    printed: list[str] = []
    asyncio.run(demo(lambda text: printed.extend(str(text).split("\n"))))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(list(chosen(printed))), encoding="utf-8")


if __name__ == "__main__":
    main()
