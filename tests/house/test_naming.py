"""Names say what a thing is for; a drawer called utils does not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, SRC, Law, package, plant, suite, tracked

from sequences_mcp.domain.workspace import Workspace

DRAWERS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "process",
    "handle",
    "base",
    "misc",
    "shared",
}
EMPTY_VERBS = ("handle_", "process_", "manage_", "do_")
OVERRIDDEN = ("handle_starttag", "handle_endtag", "handle_data")  # the names of html.parser


def drawers(root: Path) -> list[str]:
    """Return a sentence for each tracked file or folder that is named after nothing in particular."""
    names = sorted({part for path in tracked(root) for part in _steps(path.relative_to(root))})
    return [f"Nothing may be called {name}: say what is in it." for name in names if _words(name) & DRAWERS]


def _steps(path: Path) -> tuple[str, ...]:
    return (*path.parts[:-1], path.stem)


def _words(name: str) -> set[str]:
    return {name.lower(), *name.lower().strip("_").split("_")} if "." not in name else set()


def empty_verbs(root: Path) -> list[str]:
    """Return a sentence for each function whose verb says nothing; ``handle_DATA`` is a library's name for it."""
    return [
        f"{source.path}:{function.lineno} {function.name}: say what it does, not that it does."
        for source in [*package(root), *suite(root)]
        for function in source.functions
        if function.name.lstrip("_").startswith(EMPTY_VERBS) and function.name.islower()
        if function.name not in OVERRIDDEN
    ]


def rooms_repeated_in_names(root: Path) -> list[str]:
    """Return a sentence for each file that repeats the name of its folder: ``store/store_audit.py``."""
    return [
        f"{source.path}: the folder already says {folder}."
        for source in package(root)
        for folder in source.path.split("/")[2:-1]
        if Path(source.path).name.startswith(f"{folder}_")
    ]


def spelled_files(root: Path) -> list[str]:
    """Return a sentence for each name of a file of the data folder that another file than its own list spells."""
    facts = [getattr(Workspace(Path("data")), name) for name, it in vars(Workspace).items() if hasattr(it, "fget")]
    names = {path.name for path in facts if isinstance(path, Path) and path.suffix}
    return [
        f"{source.path}:{node.lineno} spells {node.value}: ask a Workspace where it is."
        for source in package(root)
        if source.path != f"{SRC}/domain/workspace.py"
        for node in source.nodes
        if isinstance(node, ast.Constant) and node.value in names
    ]


def actors_as_texts(root: Path) -> list[str]:
    """Return a sentence for each parameter and field of an actor that takes any text."""
    named = ("actor", "decided_by", "approved_by", "refused_by", "recorded_by")
    return [
        f"{source.path}:{type_.lineno} takes {name} as text: domain/actors.py has Actor, made where a call enters."
        for source in package(root)
        if not source.path.startswith(f"{SRC}/server/views/")  # results, which are JSON
        for node in ast.walk(source.tree)
        for name, type_ in _annotated(node)
        if name in named and "str" in ast.unparse(type_).replace("|", " ").split()
    ]


def _annotated(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.arg(arg=name, annotation=ast.expr() as type_):
            yield name, type_
        case ast.AnnAssign(target=ast.Name(id=name), annotation=type_):
            yield name, type_


LAWS = (drawers, empty_verbs, rooms_repeated_in_names, spelled_files, actors_as_texts)


@pytest.mark.parametrize("law", LAWS)
def test_names_say_what_things_are_for(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


@pytest.mark.parametrize("path", ["utils.py", "engine/common/a.py", "text_helpers.py", "_base.py"])
def test_a_drawer_is_found(tmp_path: Path, path: str) -> None:
    assert drawers(plant(tmp_path, {f"{SRC}/{path}": ""}))


def test_a_name_that_merely_contains_a_drawer_is_left_alone(tmp_path: Path) -> None:
    assert not drawers(plant(tmp_path, {f"{SRC}/database.py": "", "docs/baseline.md": ""}))


@pytest.mark.parametrize("name", ["handle_call", "_process_row", "do_send"])
def test_an_empty_verb_is_found(tmp_path: Path, name: str) -> None:
    assert empty_verbs(plant(tmp_path, {f"{SRC}/a.py": f"def {name}(): ...\n"}))


def test_a_room_repeated_in_a_name_is_found(tmp_path: Path) -> None:
    assert rooms_repeated_in_names(plant(tmp_path, {f"{SRC}/engine/store/store_audit.py": ""}))


def test_a_spelled_file_of_the_data_folder_is_found(tmp_path: Path) -> None:
    files = {
        f"{SRC}/a.py": "path = folder / 'sequences.db'\n",
        f"{SRC}/domain/workspace.py": "A = 'sequences.db'\n",
    }
    assert spelled_files(plant(tmp_path, files)) == [
        f"{SRC}/a.py:1 spells sequences.db: ask a Workspace where it is."
    ]


@pytest.mark.parametrize(
    "text", ["def stop(*, actor: str): ...", "class Plan:\n    decided_by: str | None = None"]
)
def test_an_actor_that_is_any_text_is_found(tmp_path: Path, text: str) -> None:
    assert len(actors_as_texts(plant(tmp_path, {f"{SRC}/a.py": text + "\n"}))) == 1
