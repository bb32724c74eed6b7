"""Findings in a file point at the very place, whatever the writer's JSON looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world.texts import CHARACTERS

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.guards.policy import DEFAULT
from sequences_mcp.services.blueprints import JsonMap, JsonPlace, Located, check_file

STEP = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "Hello",
    "content": "Hi {{firstname}}.",
    "temporalityType": "ASAP",
}


def located(text: str, rule: str) -> list[Located]:
    """Return where a rule found something."""
    return [one for one in check_file(text, policy=DEFAULT) if one.finding.rule == rule]


def cut(text: str, one: Located) -> str:
    """Return what lies between the two places a finding names, on one line."""
    lines = text.split("\n")
    assert one.start.line == one.end.line
    return lines[one.start.line - 1][one.start.column - 1 : one.end.column - 1]


@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "as it is"])
@pytest.mark.parametrize("indent", [None, 0, 4])
@pytest.mark.parametrize("wrapped", [True, False], ids=["an object", "a list"])
def test_a_finding_points_at_its_token_past_escapes_pairs_and_line_breaks(
    ascii_only: bool, indent: int | None, wrapped: bool
) -> None:
    steps = [STEP, {**STEP, "id": "two", "content": 'Ω "😀"\t\\ \n/ 👩‍💻 Hi {{firstName}}!'}]
    text = json.dumps({"name": "B", "steps": steps} if wrapped else steps, ensure_ascii=ascii_only, indent=indent)
    [found] = located(text, "variables.spelling")
    assert cut(text, found) == "{{firstName}}"
    assert found.finding.step_id == "two"


def test_an_escaped_token_is_found_where_it_begins() -> None:
    text = json.dumps([{**STEP, "content": "X"}]).replace('"X"', r'"Hi \u007b\u007bfirstName\u007d\u007d!"')
    [found] = located(text, "variables.spelling")
    assert cut(text, found) == r"\u007b\u007bfirstName\u007d\u007d"


def test_a_finding_about_a_field_points_at_its_value_and_one_about_a_missing_field_at_the_step() -> None:
    text = (
        '[\n  {"id": "a", "name": "A", "type": "EMAIL", "subject": "S",\n   "content": "Hi", "delay": {"value": 0,'
    )
    text += ' "unit": "day"}, "temporalityType": "DELAYED"},\n  {"id": "b", "type": "EMAIL"}\n]'
    found = check_file(text, policy=DEFAULT)
    delay = [one.start for one in found if (one.finding.field or "").startswith("delay")]
    assert {place.line for place in delay} == {3}
    missing = [one.start for one in found if one.finding.step_id == "b"]
    assert set(missing) == {JsonPlace(4, 3)}


def test_a_step_without_an_id_is_pointed_at_by_its_place() -> None:
    text = json.dumps([STEP, {"name": "B", "type": "PIGEON"}], indent=1)
    found = [one for one in check_file(text, policy=DEFAULT) if one.finding.step_id is None]
    second = text[: text.index('"B"')].count("\n")
    assert found
    assert all(one.start.line >= second for one in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Line 1, column 1: this is not JSON"),
        ('[{"id" "a"}]', "Line 1, column 8: this is not JSON"),
        ("{}\n\n}", "Line 3, column 1: this is not JSON"),
        ("{}", "The file holds no steps."),
        ("7", "The file holds no steps."),
        ('"steps"', "The file holds no steps."),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=["empty", "colon", "rest", "no steps", "number", "text", "deep"],
)
def test_a_file_that_holds_no_steps_says_where_it_goes_wrong(text: str, words: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        check_file(text, policy=DEFAULT)
    assert words in caught.value.message
    assert caught.value.next_step


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(CHARACTERS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(CHARACTERS, max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """Return every place in a JSON value with what is there."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [(path, value), *(found for key, child in children for found in paths(child, (*path, key)))]


def offset_of(text: str, place: JsonPlace) -> int:
    """Return the offset of a line and column."""
    return sum(len(line) + 1 for line in text.split("\n")[: place.line - 1]) + place.column - 1


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
def test_every_value_is_found_where_it_stands(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    source = JsonMap(text)
    assert source.value == value
    for path, wanted in paths(value):
        offset = offset_of(text, source.place(path))
        if isinstance(wanted, str):
            assert text[offset - 1] == '"'  # inside the quotes, where its first letter is
            offset -= 1
        assert json.JSONDecoder().raw_decode(text, offset)[0] == wanted


@given(st.text(CHARACTERS, min_size=1), st.booleans(), st.data())
def test_every_letter_of_a_text_is_found_where_it_stands(text: str, ascii_only: bool, data: st.DataObject) -> None:
    source = json.dumps([text], ensure_ascii=ascii_only)
    point = data.draw(st.integers(0, len(text)))
    start = offset_of(source, JsonMap(source).place((0,), point))
    assert json.loads(f'"{source[start:-2]}"') == text[point:]
