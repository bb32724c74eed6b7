"""Text as a person is shown it, on the page, in the panel, in a terminal: nothing hidden, no domain disguised."""

from __future__ import annotations

from sequences_mcp.domain.invisible import draw
from sequences_mcp.domain.wire_form import with_wire_forms


def as_shown(text: str, *, keep: str = "\n") -> str:
    """Return the text with what cannot be seen drawn, and domains of other scripts also as the wire has them."""
    return with_wire_forms(draw(text, keep=keep))
