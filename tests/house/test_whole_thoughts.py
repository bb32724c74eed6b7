"""A file holds a whole thought: no name twice, no crumbs of files, few lines that only fetch from elsewhere."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, SRC, Law, Source, package, plant

SANDBOX = "src/sequences_sandbox"
LEAST = 30  # lines of a file
IMPORTS = 7.0  # lines of a hundred
# A tool is its declaration, whose name is the tool's; a rule is data with its own small function.
OWN_NAMES = (f"{SRC}/server/tools/", f"{SRC}/guards/rules/")
# The file that Python asks for, and tools that say all they do in fewer lines.
SMALL = (f"{SRC}/__main__.py", f"{SRC}/server/tools/")


def names_defined_twice(root: Path) -> list[str]:
    """Return a sentence for each class or public function whose name stands in two files."""
    places: dict[str, set[str]] = defaultdict(set)
    for source in package(root):
        if not source.path.startswith(OWN_NAMES):
            for name in _public(source):
                places[name].add(source.path)
    return [
        f"{name} is defined in {' and in '.join(sorted(where))}: one name, one thing."
        for name, where in sorted(places.items())
        if len(where) > 1
    ]


def _public(source: Source) -> list[str]:
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        node.name for node in source.tree.body if isinstance(node, definitions) and not node.name.startswith("_")
    ]


def crumbs(root: Path) -> list[str]:
    """Return a sentence for each file that is too small to be read by itself; a package's face may be small."""
    return [
        f"{source.path} has {lines} lines: let it stand with what it is read with."
        for source in package(root)
        if not source.is_package and not source.path.startswith(SMALL)
        if (lines := source.text.count("\n")) < LEAST
    ]


def share_of_imports(root: Path) -> float:
    """Return how many of a hundred lines of the package are imports."""
    lines = imports = 0
    for source in package(root):
        lines += source.text.count("\n")
        for node in source.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports += (node.end_lineno or node.lineno) - node.lineno + 1
    return 100 * imports / lines


LAWS = (names_defined_twice, crumbs)


@pytest.mark.parametrize("law", LAWS)
def test_files_are_whole_thoughts(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


def test_few_lines_are_imports() -> None:
    assert share_of_imports(ROOT) <= IMPORTS


def test_a_name_defined_twice_is_found(tmp_path: Path) -> None:
    files = {f"{SRC}/engine/a.py": "class Run: ...\n", f"{SRC}/store/b.py": "def Run(): ...\n"}
    assert names_defined_twice(plant(tmp_path, files)) == [
        f"Run is defined in {SRC}/engine/a.py and in {SRC}/store/b.py: one name, one thing."
    ]


def test_an_overload_and_a_private_name_are_left_alone(tmp_path: Path) -> None:
    files = {
        f"{SRC}/engine/a.py": "def run(): ...\ndef run(): ...\ndef _row(): ...\n",
        f"{SRC}/b.py": "def _row(): ...\n",
    }
    assert not names_defined_twice(plant(tmp_path, files))


def test_a_crumb_is_found(tmp_path: Path) -> None:
    assert crumbs(plant(tmp_path, {f"{SRC}/engine/a.py": "x = 1\n"}))
    assert not crumbs(
        plant(tmp_path / "whole", {f"{SRC}/engine/a.py": "x = 1\n" * LEAST, f"{SRC}/b/__init__.py": ""})
    )


def test_the_share_of_imports_counts_every_line_of_one(tmp_path: Path) -> None:
    text = "from a import (\n    b,\n    c,\n)\n" + "x = 1\n" * 12
    assert share_of_imports(plant(tmp_path, {f"{SRC}/a.py": text})) == 25
