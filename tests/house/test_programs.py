"""Programs that tests write as text, to run them in a process of their own, import what there is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

from tests.house.house_tree import PACKAGE, ROOT, plant, sources


def imports_nothing(root: Path) -> list[str]:
    """Return a sentence for each name that a program in a string imports although it is gone."""
    return [
        f"{path}:{line} imports {name} from {module}, which has none: the program in this text fails."
        for path, line, program in _programs(root)
        for node in ast.walk(program)
        if isinstance(node, ast.ImportFrom) and (module := node.module or "").startswith(PACKAGE)
        for name in (alias.name for alias in node.names)
        if not _is_there(module, name)
    ]


def _programs(root: Path) -> Iterator[tuple[str, int, ast.Module]]:
    for source in [*sources(root, "tests"), *sources(root, "benchmarks")]:
        if source.path.startswith("tests/house/"):
            continue  # its texts are bad on purpose
        for node in source.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value:
                try:
                    yield source.path, node.lineno, ast.parse(dedent(node.value))
                except SyntaxError:  # prose
                    continue


def _is_there(module: str, name: str) -> bool:
    try:
        found = import_module(module)
    except ModuleNotFoundError:
        return False
    if hasattr(found, name):
        return True
    return hasattr(found, "__path__") and find_spec(f"{module}.{name}") is not None


def test_programs_in_texts_import_what_there_is() -> None:
    assert not (offences := imports_nothing(ROOT)), "\n".join(offences)


def test_a_program_that_imports_what_is_gone_is_found(tmp_path: Path) -> None:
    text = f'WORK = """\nfrom {PACKAGE}.errors import Gone, StoreError\nfrom {PACKAGE} import errors\n"""\n'
    assert imports_nothing(plant(tmp_path, {"tests/engine/test_a.py": text})) == [
        f"tests/engine/test_a.py:1 imports Gone from {PACKAGE}.errors, which has none:"
        " the program in this text fails."
    ]
