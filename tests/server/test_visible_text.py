"""What cannot be seen is drawn, and what is too long is cut where it shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences_mcp.server.text import cut, fair_limit, visible_text, visible_throughout


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u202cc", "a⟨U+202E⟩b⟨U+202C⟩c"),
        ("a\u2066b\u2069c", "a⟨U+2066⟩b⟨U+2069⟩c"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("tag\U000e0041\U000e007f", "tag⟨U+E0041⟩⟨U+E007F⟩"),
        ("bell\x07 escape\x1b[31m", "bell⟨U+0007⟩ escape⟨U+001B⟩[31m"),
        ("line\r\nline\ttab\n", "line\nline\ttab\n"),
        ("one\u2028two", "one⟨U+2028⟩two"),
        ("lone \ud800 half", "lone ⟨U+D800⟩ half"),
    ],
)
def test_characters_that_hide_or_reorder_text_are_drawn(text: str, shown: str) -> None:
    assert visible_text(text) == shown


@pytest.mark.parametrize("text", ["👩‍💻", "می‌خواهم", "שלום\u200f!", "Zoë 你好", "naïve—“quoted”"])
def test_what_scripts_and_emoji_are_written_with_stays(text: str) -> None:
    assert visible_text(text) == text


def test_every_string_inside_a_value_is_made_visible() -> None:
    assert visible_throughout({"a\x00": ["b\u202e", {"c": "d\x07"}], "n": 1}) == {
        "a⟨U+0000⟩": ["b⟨U+202E⟩", {"c": "d⟨U+0007⟩"}],
        "n": 1,
    }


def test_a_cut_text_says_how_much_is_missing() -> None:
    assert cut(30 * "ab", 4) == "abab… [56 more characters]"
    assert cut("abcd", 4) == "abcd"
    assert cut("abcdef", 4) == "abcdef"  # to say that two are missing would take more


@given(st.lists(st.integers(0, 5_000), max_size=12), st.integers(0, 4_000))
def test_a_fair_cut_fits_the_budget_and_wastes_none_of_it(lengths: list[int], budget: int) -> None:
    limit = fair_limit(lengths, budget=budget)
    shown = sum(min(length, limit) for length in lengths)
    assert shown <= budget or shown == 0
    if sum(lengths) <= budget:
        assert shown == sum(lengths)
    else:
        assert shown + len(lengths) > budget
