"""What a client sends is measured before anything is made of it: answers come soon and use little memory."""

from __future__ import annotations

import asyncio
import re
import tracemalloc
from collections.abc import Callable

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from tests.effort import at_most

from sequences_mcp.domain.word_diff import diff_spans
from sequences_mcp.errors import SequencesError
from sequences_mcp.server import boundary, catalog

BIG = "start_sequence" * 1_000_000  # 14 MB
NAMES = catalog.tool_names(frozenset())


class Arguments(BaseModel):
    """Arguments of a tool, to be refused."""

    model_config = ConfigDict(extra="forbid")
    number: int
    names: list[int] = []


def invalid(given: dict[str, object]) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Arguments).validate_python(given)
    return caught.value


def cheap(make: Callable[[], SequencesError]) -> SequencesError:
    """Return an error whose making uses less memory than two copies of what was sent."""
    tracemalloc.start()
    try:
        found = make()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * len(BIG)
    assert len(str(found)) < 2_000
    return found


def test_a_tool_name_of_any_length_is_refused_without_being_compared() -> None:
    assert "is no tool" in str(cheap(lambda: boundary.unknown_tool(BIG, NAMES))).replace("There is no", "is no")
    assert "Did you mean start_sequence?" in str(boundary.unknown_tool("start_sequnce", NAMES))


@pytest.mark.parametrize(
    "given",
    [
        {BIG: 1, "number": 1},
        {"number": BIG},
        {"number": {BIG: BIG}},
        {"number": [[[[BIG] * 3] * 3] * 3]},
        {"number": 10**4_000, "names": ["x"]},
        {"number": 1, "names": ["x"] * 50_000},
    ],
)
def test_arguments_of_any_size_get_a_short_answer(given: dict[str, object]) -> None:
    error = invalid(given)
    schema = Arguments.model_json_schema()
    assert len(str(boundary.invalid_arguments(error, schema))) < 2_000


def words_of(text: str) -> list[str]:
    """Return the words, spaces and punctuation of a text; joined, they are the text."""
    return re.findall(r"\s+|\w+|[^\w\s]+", text)


def test_two_long_texts_are_compared_at_a_cost_that_stays_small() -> None:
    ours, theirs = (" ".join(f"{letter}{number}" for number in range(20_000)) for letter in "ab")
    with at_most(100):
        assert diff_spans(words_of(ours), words_of(theirs)) is None
        alike = ours.replace("a500 ", "other ")
        found = diff_spans(words_of(ours), words_of(alike)) or []
        assert [one.text for one in found if one.differs] == ["other"]


def test_what_differs_is_found_word_by_word() -> None:
    before, after = "Hi Grace Hopper, hello.", "Hi Linus Torvalds, hello."
    found = diff_spans(words_of(before), words_of(after)) or []
    assert [one.text for one in found if one.differs] == ["Linus", "Torvalds"]
    assert "".join(one.text for one in found) == "Hi Linus Torvalds, hello."
    assert diff_spans([], []) == []
    assert [one.same for one in diff_spans(["a"], []) or []] == [False]


def test_completion_looks_at_the_beginning_of_what_was_typed() -> None:
    from mcp.types import CompletionArgument, PromptReference

    from sequences_mcp.server.prompts import complete_argument

    reference = PromptReference(type="ref/prompt", name="draft_step")
    argument = CompletionArgument(name="channel", value="E" * 10_000_000)
    found = asyncio.run(complete_argument(reference, argument, None, app=None))  # type: ignore[arg-type]  # choices need none
    assert found.values == []
