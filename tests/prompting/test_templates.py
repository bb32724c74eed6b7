"""Templates are found, strict, and keep strangers' text inside its fence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from tests.world.texts import CHARACTERS

from sequences_mcp.prompting import fenced, folder, render_template

FACTS = {
    "variables": {"firstname": "the first name"},
    "limits": ["short"],
    "rules": {},
    "channel": "EMAIL",
    "purpose": "A <b>first</b> & short hello",
    "tone": "plain",
    "language": "English",
    "needs_subject": True,
}


def test_the_templates_are_where_they_are_looked_for() -> None:
    assert {path.stem for path in folder().glob("[a-z]*.j2")} == {
        "draft_sequence",
        "draft_step",
        "personalise_step",
        "fix_findings",
        "weekly_review",
        "playbook",
    }


def test_a_template_fills_in_facts_as_they_are() -> None:
    text = render_template("draft_step", **FACTS)
    assert "Purpose: A <b>first</b> & short hello" in text
    assert "- {{firstname}}: the first name" in text


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_missing_fact_is_an_error_and_never_a_blank(name: str) -> None:
    with pytest.raises(UndefinedError, match=name):
        render_template("draft_step", **{key: value for key, value in FACTS.items() if key != name})


def test_a_value_that_looks_like_a_template_stays_text() -> None:
    text = render_template("draft_step", **{**FACTS, "purpose": "{{ language }} {% raw %}"})
    assert "Purpose: {{ language }} {% raw %}" in text


@given(st.text(CHARACTERS))
def test_no_text_can_close_its_own_fence(text: str) -> None:
    opening, *_, closing = fenced("notes", text).split("\n")
    assert closing == opening.replace("--- notes", "--- end of notes")
    assert closing not in text


def test_the_same_text_always_gets_the_same_fence() -> None:
    assert fenced("notes", "hello") == fenced("notes", "hello") != fenced("notes", "hello!")
