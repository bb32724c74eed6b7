"""The benchmark of the playbooks scores what it says, and the docs have its figures."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.drafting import briefs, prompt, scores, table
from scripts.readme import DOCS, filled
from tests.world.product import MAIL

GOOD = {**MAIL, "subject": "Engineer in Lisbon", "content": "Hi {{firstname}}, " + "a word " * 30 + "does it fit?"}
NEXT = {**GOOD, "id": "later", "subject": "", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}


def failed(*steps: dict[str, Any]) -> list[str]:
    """Return the checks that one sequence does not pass."""
    return [score.name for score in scores([list(steps)], ["English"]) if score.passed < score.total]


def test_a_good_sequence_passes_every_check() -> None:
    assert failed(GOOD, NEXT) == []


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"content": GOOD["content"] + " [company]"}, "accept"),
        ({"content": "Hi {{firstname}}, short."}, "50 to 120 words"),
        ({"subject": "One two three four five six seven"}, "2 to 6 words"),
        ({"content": GOOD["content"] + " Or this?"}, "one question"),
        ({"content": GOOD["content"] + " I hope this finds you well."}, "phrase"),
        ({"id": "later", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}, "thread"),
    ],
)
def test_each_check_finds_what_it_is_for(change: dict[str, Any], check: str) -> None:
    steps = [GOOD, {**GOOD, **change}] if "id" in change else [{**GOOD, **change}]
    assert any(check in name for name in failed(*steps))


def test_the_docs_have_the_figures_of_the_drafts_that_are_kept() -> None:
    page = (DOCS / "writing.md").read_text(encoding="utf-8")
    assert filled(page, {"drafting": table()}) == page


def test_both_sides_are_asked_for_the_same_and_only_one_has_the_playbook() -> None:
    for brief in briefs():
        ours, bare = prompt(brief, "with"), prompt(brief, "without")
        assert all(brief["goal"] in text and brief["audience"] in text for text in (ours, bare))
        assert "Playbook" in ours and "Playbook" not in bare
