"""A place in a text, shown: ``…at ⟦[company]⟧, we…``."""

from __future__ import annotations

from sequences_mcp.domain.invisible import draw

_AROUND = 24
_MOST = 80
_ON_ONE_LINE = str.maketrans({"\n": "⏎", "\t": " "})


def excerpt(text: str, start: int, end: int) -> str:
    """Return the place between ⟦ and ⟧ with a little of what surrounds it, on one line, invisibles spelled out."""
    inside = text[start:end] if end - start <= _MOST else f"{text[start : start + _MOST]}…"
    before = ("…" if start > _AROUND else "") + text[max(0, start - _AROUND) : start]
    after = text[end : end + _AROUND] + ("…" if len(text) > end + _AROUND else "")
    return shown(before) + "⟦" + shown(inside) + "⟧" + shown(after)


def shown(text: str) -> str:
    """Return a text on one line, with what cannot be seen, or written down, spelled out."""
    return draw(text.replace("\r\n", "\n"), keep="\n\t").translate(_ON_ONE_LINE)
