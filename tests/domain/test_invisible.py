"""What cannot be seen is found, drawn and dropped; what emoji and scripts are written with is left alone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.invisible import draw, hidden_spans, is_showable, names_of, strip

BYTES = b"these are sixty-one bytes of a message that nobody saw leave."
SELECTED = "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in BYTES)

HIDDEN = {
    "a C0 control": "ad\x00min",
    "an escape": "\x1b[2J",
    "a C1 control": "\x9b31m",
    "a soft hyphen": "ad\u00admin",
    "a grapheme joiner": "ad\u034fmin",
    "a letter mark": "admin\u061c",
    "a Hangul filler": "\u3164",
    "a half-width filler": "a\uffa0b",
    "a leading filler": "\u115fa",
    "a Khmer vowel that is none": "a\u17b4b",
    "a Mongolian selector after Latin": "ad\u180bmin",
    "the newest Mongolian selector": "ad\u180fmin",
    "a zero width space": "ad\u200bmin",
    "a non-joiner in Latin": "ad\u200cmin",
    "a joiner in Latin": "ad\u200dmin",
    "a direction mark in Latin": "ad\u200emin",
    "a line separator": "a\u2028b",
    "an override": "\u202egro.live\u202c",
    "an embedding": "\u202bab\u202c",
    "an isolate": "\u2066ab\u2069",
    "a word joiner": "ad\u2060min",
    "an invisible sign of mathematics": "f\u2061(x)",
    "a deprecated shaping sign": "a\u206ab",
    "a Braille blank": "a\u2800b",
    "a selector after a letter": "ad\ufe01min",
    "an emoji selector after a letter": "ad\ufe0fmin",
    "an emoji selector after a digit that is no key": "10\ufe0f people",
    "a byte order mark": "\ufeffzoe@globex.example",
    "an annotation": "a\ufff9b\ufffac\ufffb",
    "an object replaced": "a\ufffcb",
    "a shorthand control": "a\U0001bca0b",
    "a musical control": "a\U0001d173b",
    "a tag": "tag\U000e0041",
    "tags that spell no flag": "\U0001f3f4\U000e0061\U000e0062\U000e007f",
    "tags of a flag without its end": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067 x",
    "a flag of England with more behind": (
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\U000e0061"
    ),
    "an ideographic selector after a letter": "a\U000e0100b",
    "a selector of no registered variant": "\u845b\U000e01ef",
    "an unassigned ignorable": "a\U000e0fffb",
    "half an emoji": "half\ud800",
    "a noncharacter": "a\ufdd0b\U0001fffe",
    "a second selector on an emoji": "\u2764\ufe0f\ufe0f",
    "a selector at the beginning": "\ufe0fa",
    "a joiner after an emoji and before nothing": "\U0001f44b\u200d hi",
    "more joiners than any emoji has": "\U0001f468" + "\u200d\U0001f468" * 4,
    "a non-joiner between two scripts": "\u0645\u200ca",
    "61 bytes in selectors after an emoji": "\U0001f44b" + SELECTED,
    "61 bytes in selectors after a letter": "Hi" + SELECTED + " there",
    "61 bytes, one selector after each letter": "".join(f"a{c}" for c in SELECTED),
    "many bytes, one selector after each ideograph": "\u845b\U000e0101" * 40,
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_character_that_cannot_be_seen_is_found_drawn_and_dropped(text: str) -> None:
    runs = list(hidden_spans(text))
    assert runs
    assert all(0 <= run.start < run.end <= len(text) for run in runs)
    assert "\u27e8U+" in draw(text)
    assert not list(hidden_spans(draw(text)))
    assert len(strip(text)) == len(text) - sum(run.end - run.start for run in runs)
    assert not list(hidden_spans(strip(text)))


NEEDED = {
    "letters": "Zo\u00eb Nguy\u1ec5n \u674e\u5c0f\u9f8d",
    "punctuation": "na\u00efve\u2014\u201cquoted\u201d\u00a0!\u202f:)",
    "a heart": "\u2764\ufe0f",
    "a heart as text": "\u2764\ufe0e",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "a kiss with skins": "\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3fb",
    "a profession": "\U0001f469\U0001f3fd\u200d\u2695\ufe0f",
    "a rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "an eye in a bubble": "\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f",
    "a key": "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "England": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "Wales": "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "France": "\U0001f1eb\U0001f1f7",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "a Persian abbreviation": "\u0647\u200d",
    "Hindi": "\u0915\u094d\u200d\u0937",
    "Sinhala": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Malayalam": "\u0d05\u0d35\u0d28\u0d4d\u200d",
    "Khmer words": "\u1780\u17b6\u179a\u200b\u1784\u17b6\u179a",
    "Mongolian": "\u182e\u1823\u1829\u180b\u182d\u1823\u182f",
    "a Japanese name": "\u845b\U000e0100\u57ce",
    "a vertical comma": "\u3002\ufe01",
    "Arabic numbers": "\u0600\u0661\u0662",
    "Braille": "\u2801\u2800\u2803",
    "Hebrew points": "\u05d9\u05b0\u034f\u05b7",
}


@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED.keys())
def test_what_emoji_and_scripts_are_written_with_stays(text: str) -> None:
    assert not list(hidden_spans(text))
    assert draw(text) == strip(text) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("\u05e9\u05dc\u05d5\u05dd\u200f!", 0),
        ("\u0645\u0631\u062d\u0628\u0627 \u200eAda\u200e\u060c", 0),
        ("\u0645\u0631\u062d\u0628\u0627 \u2068Ada\u2069 \u060c", 0),
        ("\u05e9\u05dc\u05d5\u05dd\u200f\u200f!", 1),
        ("\u05e9\u200f\u05dc\u05d5\u05dd", 1),
        ("\u05e9\u05dc\u05d5\u05dd\nAda\u200e!", 1),
        ("\u05e9\u05dc\u05d5\u05dd \u2068Ada", 1),
        ("\u05e9\u05dc\u05d5\u05dd \u202eAda\u202c", 2),
    ],
)
def test_direction_marks_stay_only_where_a_line_from_right_to_left_uses_them(text: str, count: int) -> None:
    assert sum(run.end - run.start for run in hidden_spans(text, direction=True)) == count
    assert sum(run.end - run.start for run in hidden_spans(text)) == sum(
        unicodedata.category(c) == "Cf" for c in text
    ), "a name has no use for any of them"


def test_every_format_character_of_unicode_is_in_the_table() -> None:
    formats = [chr(number) for number in range(0x110000) if unicodedata.category(chr(number)) in ("Cf", "Cs")]
    assert [hex(ord(c)) for c in formats if not list(hidden_spans(f"a{c} "))] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[1;1Happroved", "\u27e8U+001B\u27e9[2J\u27e8U+001B\u27e9[1;1Happroved"),
        ("a\rb", "a\u27e8U+000D\u27e9b"),
        ("tab\there", "tab\u27e8U+0009\u27e9here"),
        ("ad\u200bmin", "ad\u27e8U+200B\u27e9min"),
        ("private\ue000", "private\u27e8U+E000\u27e9"),
        ("a\u2028b\u2029c", "a\u27e8U+2028\u27e9b\u27e8U+2029\u27e9c"),
        ("\u27e8U+200B\u27e9", "\u27e8U+200B\u27e9"),
        ("a" + "\ufe01" * 10, "a" + "\u27e8U+FE01\u27e9" * 8 + "\u27e8and 2 more that cannot be seen\u27e9"),
    ],
)
def test_what_hides_reorders_or_commands_is_drawn(text: str, shown: str) -> None:
    assert draw(text) == shown


def test_a_line_break_is_drawn_where_one_line_is_meant() -> None:
    assert draw("a\nb", keep="") == "a\u27e8U+000A\u27e9b"


def test_a_run_is_named_by_its_first_character_and_its_length() -> None:
    text = "Hi" + "\ufe01" * 61
    (run,) = hidden_spans(text)
    assert names_of(text, run) == "U+FE01 and 60 more"


def test_a_private_character_has_no_picture() -> None:
    assert not is_showable("\ue000")
    assert is_showable("Zo\u00eb")


@given(st.text(CHARACTERS), st.sampled_from(["\n", ""]))
def test_nothing_that_commands_a_terminal_passes(text: str, keep: str) -> None:
    shown = draw(text, keep=keep)
    assert {c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Co", "Zl", "Zp")} <= {"\n"}
    assert draw(shown, keep=keep) == shown
    assert ("\n" in shown) == ("\n" in text and keep == "\n")
