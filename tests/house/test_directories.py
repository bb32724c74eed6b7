"""The page about directories names a test for each requirement, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, plant

PAGE = "docs/directories.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)


def unheld(root: Path) -> list[str]:
    """Return a sentence for each requirement of the page without a test, and for each test that is not there."""
    page = (root / PAGE).read_text(encoding="utf-8")
    rows = [row for row in ROW.findall(page) if not row.startswith(("| ---", "| asked |"))]
    found = [f"No test holds this: {row}" for row in rows if not NAMED.search(row)]
    for file, name in NAMED.findall(page):
        path = root / file
        if not path.is_file():
            found.append(f"There is no {file}.")
        elif name and name not in _functions(path):
            found.append(f"{file} has no {name}.")
    return found if rows else ["The page has no requirements."]


def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_requirement_of_the_directories_has_a_test_that_exists() -> None:
    assert unheld(ROOT) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("| asked for | so |", "No test holds this"),
        ("| asked for | `tests/x.py` |", "There is no tests/x.py."),
        ("| asked for | `tests/y.py::test_b` |", "tests/y.py has no test_b."),
        ("", "no requirements"),
    ],
)
def test_a_requirement_that_nothing_holds_is_found(tmp_path: Path, row: str, fault: str) -> None:
    root = plant(tmp_path, {PAGE: f"# Page\n\n{row}\n", "tests/y.py": "def test_a() -> None: ...\n"})
    [found] = unheld(root)
    assert fault in found
