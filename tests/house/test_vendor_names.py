"""Outside a vendor's folder nothing is decided by a vendor's name: its description is asked.

Another vendor is then a folder of its own and a line in ``vendors/registry.py``: test_fifth_vendor plants one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.house_tree import PACKAGE, ROOT, SRC, Law, Source, package, plant

from sequences_mcp.vendors.registry import DESCRIPTIONS

NAMES = re.compile("|".join(DESCRIPTIONS), re.IGNORECASE)
REGISTRY = f"{SRC}/vendors/registry.py"
# Prose, where a vendor is named to a reader: the demo's story, and what the tools say of their arguments, whose
# every token is counted and frozen in server/wire.
PROSE = (f"{SRC}/demo/", f"{SRC}/server/arguments.py", f"{SRC}/server/tools/")
STEP_FORMAT = "suggestedByKalent"  # a word of the step format, which is Kalent's
CITED = "source"  # the argument of a rule that says where the rule is from
DESCRIBES = ("vendors.description", "vendors.registry", *(f"vendors.{name}" for name in DESCRIPTIONS))


def names_of_vendors(root: Path) -> list[str]:
    """Return a sentence for each vendor's name in code outside the vendor's own folder and the one list."""
    return [
        f"{source.path}:{line} names a vendor ({text[:40]!r}): ask its description in vendors/ instead."
        for source in package(root)
        if not source.path.startswith(PROSE) and source.path != REGISTRY and not _is_a_vendors(source)
        for line, text in _named(source.tree)
        if NAMES.search(re.sub(f"{STEP_FORMAT}|topOrigin", "", text))
    ]


def _is_a_vendors(source: Source) -> bool:
    return any(source.path.startswith(f"{SRC}/vendors/{name}/") for name in DESCRIPTIONS)


def _named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every name and every text of the code but docstrings and citations, with its line."""
    prose = {id(node) for statement in ast.walk(tree) for node in _prose_of(statement)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose:
                yield node.lineno, text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ImportFrom(module=module, names=aliases):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in aliases)


def _prose_of(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr):  # a docstring, or the text below a constant
        yield node.value
    if isinstance(node, ast.keyword) and node.arg == CITED:
        yield from ast.walk(node.value)


def sql_that_names_a_vendor(root: Path) -> list[str]:
    """Return a sentence for each SQL file that names a vendor; the migrations that did are applied and stay."""
    return [
        f"{path} names a vendor: the program knows which there are, and the database keeps any."
        for file in sorted((root / SRC / "store").rglob("*.sql"))
        if (path := file.relative_to(root).as_posix()) not in APPLIED
        if NAMES.search(re.sub("--.*", "", file.read_text(encoding="utf-8")))
    ]


APPLIED = tuple(
    f"{SRC}/store/migrations/{name}.sql" for name in ("0004_vendor_operations", "0005_runs_at_vendors")
)


def descriptions_that_import(root: Path) -> list[str]:
    """Return a sentence for each import of a description that is not of the standard library or another one."""
    return [
        f"{source.path}:{node.lineno} imports {node.module}: a description is read at every start."
        for source in package(root)
        if source.module in DESCRIBES
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and node.module not in ALLOWED
    ]


ALLOWED = (
    *("__future__", "collections.abc"),
    *(f"{PACKAGE}.{name}" for name in ("lazy_dataclasses", "vendors", "vendors.description")),
)
LAWS = (names_of_vendors, sql_that_names_a_vendor, descriptions_that_import)


@pytest.mark.parametrize("law", LAWS)
def test_vendors_are_known_by_their_descriptions_alone(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


BAD_NAMES = {
    "a decision": ("services/a.py", 'if provider == "kalent": ...'),
    "an identifier": ("engine/a.py", "def topo_runs(): ..."),
    "an id": ("planning/a.py", 'own = text.removeprefix("clarky:")'),
    "a title": ("review/a.py", 'message = "Kalent fills it in."'),
    "an import": ("bootstrap.py", "from sequences_mcp.vendors.topo import wire"),
    "a shared part of the vendors": ("vendors/outcome.py", 'WORDS = {("kalent", "SCHEDULED"): "x"}'),
}


@pytest.mark.parametrize(("path", "text"), BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_a_vendors_name_in_code_is_found(tmp_path: Path, path: str, text: str) -> None:
    assert names_of_vendors(plant(tmp_path, {f"{SRC}/{path}": text}))


GOOD_NAMES = {
    "in a docstring": ("services/a.py", 'def f():\n    """Kalent has no list."""'),
    "in the vendor's folder": ("vendors/topo/a.py", 'NAME = "topo"'),
    "as a source": ("guards/rules/a.py", 'RULE = Rule(source="Kalent, step format")'),
    "the word of the step format": ("domain/a.py", 'SUGGESTED = "suggestedByKalent"'),
}


@pytest.mark.parametrize(("path", "text"), GOOD_NAMES.values(), ids=GOOD_NAMES.keys())
def test_a_vendors_name_in_prose_is_left_alone(tmp_path: Path, path: str, text: str) -> None:
    assert not names_of_vendors(plant(tmp_path, {f"{SRC}/{path}": text}))


def test_a_vendors_name_in_sql_is_found_and_one_in_a_comment_is_left_alone(tmp_path: Path) -> None:
    check, comment = "CHECK (provider IN ('topo'))", "-- Topo tells none."
    files = {f"{SRC}/store/migrations/0099_a.sql": check, f"{SRC}/store/queries/a.sql": comment}
    assert len(sql_that_names_a_vendor(plant(tmp_path, files))) == 1


def test_a_description_that_fetches_an_adapter_is_found(tmp_path: Path) -> None:
    text = "from sequences_mcp.vendors.outcome import VendorApi"
    assert descriptions_that_import(plant(tmp_path, {f"{SRC}/vendors/topo/__init__.py": text}))
