"""The README tells what the code tells, because its tables are made from it."""

from __future__ import annotations

import re

import pytest
from house_tree import ROOT
from scripts.readme import PARTS, filled, table

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {
    "run the main job": r"^python3 -m venv \.venv && .*pip install .*\.venv/bin/sequences-mcp demo$",
    "run the tests": r"^python3 -m venv \.venv && .*pip install .*\[dev\].*\.venv/bin/python -m pytest -n auto$",
}


@pytest.mark.parametrize("name", PARTS)
def test_a_table_of_the_readme_is_what_the_code_says(name: str) -> None:
    assert filled(README, {name: PARTS[name]()}) == README, "Run `python -m scripts.readme`."


@pytest.mark.parametrize("pattern", COMMANDS.values(), ids=COMMANDS.keys())
def test_one_line_does_it_all(pattern: str) -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert re.search(pattern, first_screen, re.MULTILINE), (
        "A newcomer gets one command line each, on the first screen."
    )


def test_an_outdated_part_is_replaced_and_the_rest_is_kept() -> None:
    text = "a\n<!-- x -->\nold\nolder\n<!-- /x -->\nb\n"
    assert filled(text, {"x": "new"}) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"


@pytest.mark.parametrize("text", ["", "<!-- x -->\n<!-- /x -->\n" * 2], ids=["missing", "twice"])
def test_a_part_that_is_not_there_once_is_found(text: str) -> None:
    with pytest.raises(ValueError, match="not one"):
        filled(text, {"x": "new"})


def test_a_bar_in_a_cell_does_not_end_the_cell() -> None:
    assert table(["a"], [["x|y"]]).splitlines()[-1] == "| x\\|y |"
