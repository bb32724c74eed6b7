"""A word that no rule knows changes nothing of what is found in a text, wherever it stands."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.salutations import DEGREES, GENERATIONS, GREETINGS, TITLES
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.check import check_value
from sequences_mcp.guards.inspect import _OF_VALUES, of_text
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy
from sequences_mcp.guards.text import GuardedText
from sequences_mcp.guards.views import _CHANGES, TextView, _usual, views_of
from sequences_mcp.guards.vocabulary import OF_VALUES_ALONE, _sources, is_unheard_of
from sequences_mcp.guards.words import lines

PLACES = [
    "Hi {},\n\nWhat you do is close.",
    "{}",
    "Dear {} {}, a word",
    "Hello, {}!\n{}\n- {}\n",
    "* {} *",
    "({}) at {}. {}: {}",
    "Your {} is",
    "{} {} here",
    "insert {} here",
    '"{}" and _{}_',
    "<{}> %{}% #{}: {}",
    "Option {}:\nHi",
    "the {} {}\n\n{}\n",
    "{}/{} - {}",
    "Re {}: {}",
    "about {} and {}.\nBest,\n{}",
    "Mr {} {}",
    "note: {} {}",
    "Here is {} {}:\n",
    "https://{}.com/{} or {}@acme.com",
    "…{}…",
    "--- {} ---",
    "Sure! {} is {}",
]
OF_VALUES = {rest for kind in OF_VALUES_ALONE for _, rest in lines(kind)} | {
    *(GREETINGS | TITLES | DEGREES | GENERATIONS),
}
KNOWN = sorted(
    {
        word
        for text in {*_sources(), *OF_VALUES}
        for word in re.findall(r"[^\W\d_]{2,12}", text)
        if word[0] < "\u0180"
    }
)
SYLLABLES = st.lists(
    st.sampled_from(["ba", "ri", "mé", "lo", "kun", "st", "ver", "ge", "dy", "öl"]), min_size=2, max_size=4
)
PIECES = st.builds(
    lambda one, other, start, end, more: one[start : start + end] + other[:3] + more,
    st.sampled_from(KNOWN),
    st.sampled_from(KNOWN),
    st.integers(0, 6),
    st.integers(1, 4),
    st.sampled_from(["", "a", "on", "er", "x"]),
)


def _is_unknown(word: str) -> bool:
    return is_unheard_of(word, DEFAULT)


WORD = st.builds(
    lambda word, turn: turn(word),
    # Each filtered by itself: of whole values, two in three would be drawn in vain.
    st.one_of(
        SYLLABLES.map("".join).filter(_is_unknown),
        PIECES.filter(_is_unknown),
        st.sampled_from(KNOWN).filter(_is_unknown),
    ),
    st.sampled_from([str.capitalize, str.upper, str.lower]),
)
VALUE = st.one_of(WORD, st.builds("{}{}{}".format, WORD, st.sampled_from([" ", "-", "’", " & "]), WORD))


@given(VALUE, st.sampled_from(PLACES), st.booleans())
@settings(max_examples=400, deadline=None)
def test_what_no_rule_knows_is_found_as_little_as_any_other_word(value: str, place: str, is_subject: bool) -> None:
    assume(is_unheard_of(value, DEFAULT))
    plain = re.sub(r"[^\W\d_]+", lambda word: ("Brogulfam" * 3)[: len(word[0])], value)

    def found(word: str) -> list[str]:
        text = GuardedText(
            original=place.replace("{}", word), field="subject" if is_subject else "content", rendered=True
        )
        return [finding.rule for finding in of_text(text) if finding.severity is Severity.ERROR]

    assert found(plain) or not found(value)


@pytest.mark.parametrize("place", PLACES)
def test_no_rule_about_texts_reads_the_word_lists_of_values(place: str) -> None:
    passed_over = {
        word.capitalize()
        for row in OF_VALUES
        for word in re.findall(r"[^\W\d_]+", row)
        if is_unheard_of(word.capitalize(), DEFAULT)
    }
    assert len(passed_over) > 50
    for word in sorted(passed_over):
        plain = ("Brogulfam" * 3)[: len(word)]
        found, usual = (
            {finding.rule for finding in of_text(GuardedText(original=place.replace("{}", one), rendered=True))}
            for one in (word, plain)
        )
        assert found <= usual, word


@given(VALUE)
@settings(max_examples=300, deadline=None)
def test_no_rule_about_texts_says_anything_of_a_value_that_none_knows(value: str) -> None:
    assume(is_unheard_of(value, DEFAULT))
    assert list(of_text(GuardedText(original=value, rendered=True), rules=_OF_VALUES)) == []
    assert list(of_text(GuardedText(original=f"Hi {value},", rendered=True), rules=_OF_VALUES)) == []


@pytest.mark.parametrize(
    "value",
    [
        *(
            "Prénom",
            "INSERT",
            "Personalise",
            "Personalize",
            "Version",
            "Opção",
            "Nombre",
            "null",
            "Company",
            "Rép",
        ),
        *(
            "Xxx",
            "Иван",
            "李小龍",
            "3 Brothers",
            "42",
            "Smith, Inc.",
            "Mary (she)",
            "Mc",
            "Ada  Lovelace",
            " Grace",
        ),
        "",
    ],
)
def test_a_word_that_a_rule_looks_for_or_a_sign_is_never_passed_over(value: str) -> None:
    assert not is_unheard_of(value, DEFAULT)


@pytest.mark.parametrize("value", ["Grace", "GRACE", "Anne-Marie", "Nguyen", "Globex 12", "Smith & Globex"])
def test_ordinary_names_need_no_second_look(value: str) -> None:
    assert is_unheard_of(value, DEFAULT)


def test_a_word_that_the_house_forbids_is_not_passed_over() -> None:
    assert not is_unheard_of("Grace", GuardPolicy(forbidden=("amazing Grace",)))
    assert is_unheard_of("Grace", GuardPolicy(forbidden=("rock star",)))


def test_what_is_said_of_a_value_in_capitals_is_said_although_no_rule_knows_it() -> None:
    assert [found.rule for found in check_value("firstname", "GRACE")] == ["values.casing"]
    assert check_value("firstname", "Grace") == ()


@given(st.text(st.sampled_from(sorted(_usual())), max_size=60))
@settings(max_examples=200, deadline=None)
def test_a_text_of_usual_characters_has_one_view_because_no_change_changes_it(text: str) -> None:
    (only,) = views_of(text, covered=False)
    assert all(change(TextView("raw", only.text)) == only.text for change in _CHANGES.values())


def test_every_character_that_a_view_shows_otherwise_is_unusual() -> None:
    for sign in ("&", "<", "\u00ad", "\u200b", "\u00a0", "ﬁ", "а", "\x00", "\u2028"):
        assert sign not in _usual()


@given(
    st.lists(st.sampled_from([*KNOWN, "[x]", "{a}", "www.", ":", "\n", "*", "=", "#"]), max_size=30), st.booleans()
)
@settings(max_examples=200, deadline=None)
def test_a_rule_that_only_warns_refuses_nothing_but_with_its_only_hit(words: list[str], is_long: bool) -> None:
    text = GuardedText(original=" ".join(words) + " a" * (2_500 if is_long else 0))
    for rule in RULES:
        if rule.check and rule.severity is not Severity.ERROR:
            severities = [hit.severity for hit in rule.check(text)]
            assert Severity.ERROR not in severities or len(severities) == 1


@given(st.lists(st.sampled_from([*KNOWN, "[x]", "www.", ":", "\n", "#", "@", "..", "-"]), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_a_long_text_is_searched_as_a_short_one(words: list[str]) -> None:
    short = " ".join(words)
    padded = short + "\n" + "e a\n" * 1_200
    findings = [
        {
            (found.rule, found.start, found.end)
            for found in of_text(GuardedText(original=text))
            if found.end <= len(short)
        }
        for text in (short + "\ne a\n", padded)
    ]
    assert findings[0] == findings[1]
