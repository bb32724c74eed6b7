"""The guards measured on texts that people labelled."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.guards.guard_examples import Case, cases, verdict

from sequences_mcp.guards.check import check_text

CORPORA = ["corpus.jsonl", "own_cases.jsonl"]


def verdicts(name: str) -> list[tuple[Case, str]]:
    return [(case, verdict(check_text(case.text, field=case.field))) for case in cases(name)]


@pytest.mark.parametrize("name", CORPORA)
def test_no_bad_text_is_accepted_or_left_to_a_person(name: str) -> None:
    assert [case.id for case, given in verdicts(name) if case.expected == "reject" and given != "reject"] == []


@pytest.mark.parametrize("name", CORPORA)
def test_at_most_two_in_a_hundred_good_texts_are_held_up(name: str) -> None:
    good = [(case.id, given) for case, given in verdicts(name) if case.expected == "accept"]
    assert len([case for case, given in good if given != "accept"]) <= len(good) * 0.02


@pytest.mark.parametrize("name", CORPORA)
def test_a_person_is_asked_about_every_text_whose_shape_does_not_decide(name: str) -> None:
    assert [
        case.id for case, given in verdicts(name) if case.expected == "ambiguous" and given != "ambiguous"
    ] == []


def test_the_corpora_are_large_enough_to_measure_with() -> None:
    sizes = Counter(case.expected for name in CORPORA for case in cases(name))
    assert sizes["reject"] > 500
    assert sizes["accept"] > 250
    assert sizes["ambiguous"] > 70
    assert len(cases("own_cases.jsonl")) >= 150
