"""A control character, a lone surrogate, hidden letters, or marks that show a text in another order."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain import invisible
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import COVER


def check(text: Text) -> Iterator[Hit]:
    """Return every run of them that no emoji and no script of the text needs, with dropping it as the fix."""
    if text.raw.is_usual:
        return
    letters = text.raw.letters - {COVER}
    # A noncharacter of the text itself stands in the views as U+FFFD.
    if "\ufffd" not in letters and not invisible.may_hide("".join(letters)):
        return
    for run in invisible.find(text.original, direction=True):
        names = invisible.names_of(text.original, run)
        yield Hit(*run, fix="", message=f"{names} cannot be seen, or hides what can, and must not be sent.")


RULE = Rule(
    id="channel.control",
    severity=Severity.ERROR,
    message="This cannot be seen, or hides what can, and must not be sent.",
    accept=(
        "line\r\nline\ttab",
        "مرحبا \u200e{{firstname}}\u200e",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "❤\ufe0f 👩🏽\u200d⚕\ufe0f",
    ),
    reject=(
        "Hi\x00 there",
        "role \u202ecod.exe",
        "Hi\U000e0048\U000e0069",
        "\u202btext\u202c",
        "Hi\ufe01\ufe02 there",
        "a co\u00adder",
        "⠀\u2800",
    ),
    source="Unicode TR 36, 3; UTS 51; RFC 5322, 2.2",
    check=check,
)
