"""What a text is reckoned to cost is near what it costs, and texts are cut by it, in whatever script they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from benchmarks import tokens
from hypothesis import given
from hypothesis import strategies as st
from tests.server.writings import ORDINARY, WORST

from sequences_mcp.server.text import cut, fair_limit, fitted, size
from sequences_mcp.server.weight import weight

ID = "local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV"
exactly = pytest.mark.skipif(not tokens.has_vocabulary(), reason="the vocabulary is not here to count with")


@exactly
@pytest.mark.parametrize("script", WORST)
def test_the_worst_of_texts_costs_hardly_more_than_it_is_reckoned_to(script: str) -> None:
    text = WORST[script][:4_000]
    assert tokens.counter().count(text) <= weight(text) * 1.05


@exactly
@pytest.mark.parametrize("language", ORDINARY)
def test_an_ordinary_text_is_not_reckoned_to_cost_much_more_than_it_does(language: str) -> None:
    text = ORDINARY[language][:4_000]
    assert 0.9 <= weight(text) / tokens.counter().count(text) <= 1.75


@exactly
def test_no_block_of_characters_costs_three_times_what_it_is_reckoned_to() -> None:
    ratios = {}
    for first in range(0x100, 0x1FB00, 0x100):
        words = ("".join(map(chr, range(start, start + 8))) for start in range(first, first + 0x100, 8))
        text = " ".join(words).encode("utf-8", "ignore").decode()
        ratios[f"{first:04X}"] = tokens.counter().count(text) / max(weight(text), 1)
    assert {block: ratio for block, ratio in ratios.items() if ratio > 3} == {}


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(1, 200))
def test_a_text_cut_to_a_size_has_it_and_says_how_much_is_gone(text: str, limit: int) -> None:
    shown = cut(text, limit)
    if size(text) <= limit:
        assert shown == text
        return
    kept, _, left = shown.rpartition("… [")
    if shown == text:
        assert size(text) <= limit + size(f"… [{len(text)} more characters]")
        return
    assert (text.startswith(kept), size(kept) <= limit) == (True, True)
    assert left == f"{len(text) - len(kept):,} more characters]"


def test_texts_of_latin_letters_and_of_chinese_are_cut_by_their_characters_alone() -> None:
    for text in (ORDINARY["en"], ORDINARY["pl"], WORST["zh"], WORST["base64"]):
        assert size(text[:1_000]) == 1_000


@pytest.mark.parametrize("script", WORST)
def test_the_longest_texts_of_a_result_are_cut_to_fit_and_nothing_else_is(script: str) -> None:
    text = WORST[script]
    facts: dict[str, Any] = {
        "items": [{"id": ID, "name": text[:20], "notes": text, "step_id": "hello"} for _ in range(10)],
        "variables": {text[:300]: text[:3_000]},
        "next": "What to do, in this program's own words. " * 5,
        "digest": "0123456789abcdef" * 4,
    }
    shown = fitted(facts, most=2_000)
    assert tokens.counter().count(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))) <= 2_000
    assert [(row["id"], row["name"], row["step_id"]) for row in shown["items"]] == [(ID, text[:20], "hello")] * 10
    assert (shown["next"], shown["digest"]) == (facts["next"], facts["digest"])
    [value] = shown["variables"].values()
    kept, _, left = value.rpartition("… [")
    assert text.startswith(kept)
    assert left == f"{3_000 - len(kept):,} more characters]"


def test_of_a_text_that_was_cut_before_all_that_is_left_out_is_counted() -> None:
    once = cut(WORST["am"], 2_000)
    again = fitted({"text": once}, most=300)["text"]
    kept, _, left = again.rpartition("… [")
    assert left == f"{len(WORST['am']) - len(kept):,} more characters]"


def test_what_fits_stays_as_it_is() -> None:
    facts = {"items": [{"id": ID, "text": ORDINARY["en"][:3_000], "n": 5, "is": True, "none": None}]}
    assert fitted(facts, most=2_000) == facts


def test_keys_that_would_become_one_are_left_whole() -> None:
    words = WORST["am"][:150]
    facts = {"subjects": {f"{words}{number}": "1 of 2" for number in range(9)}}
    assert len(fitted(facts, most=500)["subjects"]) == 9


def test_texts_share_a_budget_fairly() -> None:
    assert fair_limit([10, 10, 500, 900], budget=220) == 100
