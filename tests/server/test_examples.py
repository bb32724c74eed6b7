"""The page of example calls shows what the server answers today."""

from __future__ import annotations

import pytest
from scripts.examples import PAGE, page, written


def test_the_page_has_a_call_of_every_tool_with_the_answer_that_it_gets_now() -> None:
    assert written() == PAGE.read_text(encoding="utf-8"), "Run `python -m scripts.examples`."


def test_a_tool_that_nobody_called_is_found() -> None:
    with pytest.raises(ValueError, match="does not call list_tasks"):
        page({}, ["list_tasks"])
