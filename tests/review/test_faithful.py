"""What a terminal would hide, reorder or obey is drawn instead."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences_mcp.review.faithful import faithful


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[1;1Happroved", "⟨U+001B⟩[2J⟨U+001B⟩[1;1Happroved"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("a\bb\x7f", "a⟨U+0008⟩b⟨U+007F⟩"),
        ("tab\there", "tab⟨U+0009⟩here"),
        ("\u202egro.live\u202c", "⟨U+202E⟩gro.live⟨U+202C⟩"),
        ("\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"),
        ("ad\u200bmin", "ad⟨U+200B⟩min"),
        ("ad\u00admin", "ad⟨U+00AD⟩min"),
        ("ad\u200dmin", "ad⟨U+200D⟩min"),
        ("\ufeffHi", "⟨U+FEFF⟩Hi"),
        ("\u3164", "⟨U+3164⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("private\ue000", "private⟨U+E000⟩"),
        ("half\ud800", "half⟨U+D800⟩"),
        ("a\u2028b\u2029c", "a⟨U+2028⟩b⟨U+2029⟩c"),
        ("⟨U+200B⟩", "⟨U+200B⟩"),
    ],
)
def test_what_hides_reorders_or_commands_is_drawn(text: str, shown: str) -> None:
    assert faithful(text) == shown


@pytest.mark.parametrize(
    "text", ["Zoë", "李小龍", "👩‍💻 and 👨‍👩‍👧", "می‌خواهم", "שלום", "naïve—“quoted”", "two\nlines", "क्‍ष"]
)
def test_what_scripts_and_emoji_are_written_with_stays(text: str) -> None:
    assert faithful(text) == text


def test_a_line_break_is_drawn_where_one_line_is_meant() -> None:
    assert faithful("a\nb", lines=False) == "a⟨U+000A⟩b"


@given(st.text(), st.booleans())
def test_nothing_that_commands_a_terminal_passes(text: str, lines: bool) -> None:
    shown = faithful(text, lines=lines)
    assert {c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Co", "Zl", "Zp")} <= {"\n"}
    assert faithful(shown, lines=lines) == shown
    assert ("\n" in shown) == ("\n" in text and lines)
