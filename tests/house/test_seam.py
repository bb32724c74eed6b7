"""Rows, their numbers, statements and SQL stay in the store: everything else speaks to its unit of work.

A protocol stands only where the product has, or will have, several implementations: a way to deliver e-mails, and
what a vendor is given to remember its blueprints with.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, SRC, Law, Source, package, plant

STORE = f"{SRC}/store/"
ENGINE = f"{SRC}/engine/"
# The one place that chooses a database; everything else in the store is the same for all of them.
CHOOSES = f"{STORE}unit_of_work.py"
# A verb is one unit of work: what it calls is given that, and begins none of its own.
MOST_TRANSACTIONS = 46
SQL = re.compile(r"\b(SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET|PRAGMA)\b")
OF_THE_DATABASE = {"rows", "row", "pieced", "write_many", "database", "joined"}
SEAMS = {
    f"{SRC}/engine/worker.py": {"Deliver"},
    f"{SRC}/vendors/vendor.py": {"BlueprintCache"},
}
MOVES = f"{STORE}moving.py"  # from one of them to the other
ADAPTERS = (f"{STORE}sqlite/", f"{STORE}postgres/", CHOOSES, MOVES)  # they share how migrations are numbered
OF_A_ROW = {"plan_no", "version_no", "sequence_no", "contact_no", "to_micros", "from_micros"}


def statements(root: Path) -> set[str]:
    """Return the names of all statements: ``file.name``."""
    return {
        f"{file.stem}.{name}"
        for file in (root / STORE / "queries").glob("*.sql")
        for name in re.findall(r"^-- ([a-z_]+) --$", file.read_text("utf-8"), re.MULTILINE)
    }


def _outside(root: Path) -> Iterator[Source]:
    return (source for source in package(root) if not source.path.startswith(STORE))


def statements_named_outside(root: Path) -> list[str]:
    """Return a sentence for each name of a statement, and each piece of SQL, that stands outside the store."""
    known = statements(root)
    return [
        f"{source.path}:{node.lineno} names {node.value[:40]!r}: give a repository of the store a method for it."
        for source in _outside(root)
        for node in source.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value in known or (source.path.startswith(ENGINE) and SQL.search(node.value))
    ]


def rows_outside(root: Path) -> list[str]:
    """Return a sentence for each use of a row, of its number or of the database itself in the engine."""
    return [
        f"{source.path}:{line} uses {name}: a repository of the store takes and gives values."
        for source in sources_of_engine(root)
        for line, name in _used(source)
    ]


def sources_of_engine(root: Path) -> list[Source]:
    """Return the files of the engine."""
    return [source for source in package(root) if source.path.startswith(ENGINE)]


def _used(source: Source) -> Iterator[tuple[int, str]]:
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in OF_THE_DATABASE | OF_A_ROW:
            yield node.lineno, node.attr
        elif isinstance(node, ast.Name) and node.id in OF_A_ROW:
            yield node.lineno, node.id
        elif isinstance(node, ast.keyword | ast.arg) and node.arg in OF_A_ROW:
            yield node.lineno, node.arg or ""


def repositories_that_know_their_database(root: Path) -> list[str]:
    """Return a sentence for each file of the store, but for the one that chooses, that knows one database."""
    return [
        f"{source.path} names sqlite: a repository is written over the port in store/database.py."
        for source in package(root)
        if source.path.startswith(STORE) and not source.path.startswith(ADAPTERS)
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and "sqlite" in f"{node.module}.{[alias.name for alias in node.names]}"
    ]


def transactions(root: Path) -> int:
    """Return how many places of the engine begin a unit of work."""
    return sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transaction"
        for source in sources_of_engine(root)
        for node in source.nodes
    )


def protocols_outside_the_seams(root: Path) -> list[str]:
    """Return a sentence for each protocol that is no seam."""
    return [
        f"{source.path} has the protocol {node.name}: name the class that there is, or take a callable."
        for source in package(root)
        for node in source.nodes
        if isinstance(node, ast.ClassDef) and node.name not in SEAMS.get(source.path, ())
        if any(ast.unparse(base).partition("[")[0].split(".")[-1] == "Protocol" for base in node.bases)
    ]


LAWS = (
    statements_named_outside,
    rows_outside,
    repositories_that_know_their_database,
    protocols_outside_the_seams,
)


@pytest.mark.parametrize("law", LAWS)
def test_only_the_store_knows_its_rows(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


def test_a_verb_is_one_unit_of_work() -> None:
    assert transactions(ROOT) <= MOST_TRANSACTIONS


STATEMENT = {f"{STORE}queries/plans.sql": "-- find --\n-- One plan.\nSELECT 1\n"}
BAD = {
    "a statement's name": ("engine/a.py", "work.write('plans.find')", statements_named_outside),
    "a statement's name in a tool": ("server/tools/a.py", "store.rows('plans.find')", statements_named_outside),
    "SQL": ("engine/a.py", "sql = 'SELECT no FROM plan'", statements_named_outside),
    "the database's rows": ("engine/a.py", "found = store.rows(name)", rows_outside),
    "the database behind the unit of work": ("engine/a.py", "work.database.check()", rows_outside),
    "a row's number": ("engine/a.py", "work.runs.insert(runs, plan_no=1)", rows_outside),
    "an instant as it is stored": ("engine/a.py", "at = from_micros(1)", rows_outside),
    "SQLite in a repository": (
        "store/plans.py",
        "from sequences_mcp.store.sqlite.database import SqliteDatabase",
        repositories_that_know_their_database,
    ),
    "a protocol": ("engine/a.py", "class Runs(Protocol): ...", protocols_outside_the_seams),
    "a generic protocol": ("vendors/a.py", "class Route(typing.Protocol[T]): ...", protocols_outside_the_seams),
}


@pytest.mark.parametrize(("path", "text", "law"), BAD.values(), ids=BAD.keys())
def test_what_crosses_the_seam_is_found(tmp_path: Path, path: str, text: str, law: Law) -> None:
    assert len(law(plant(tmp_path, {**STATEMENT, f"{SRC}/{path}": text}))) == 1


def test_what_stays_in_the_store_is_left_alone(tmp_path: Path) -> None:
    inside = "row = database.row('plans.find', plan_no=1)"
    root = plant(tmp_path, {**STATEMENT, f"{STORE}plans.py": inside, f"{ENGINE}a.py": "work.plans.find(plan_id)"})
    assert not [offence for law in LAWS for offence in law(root)]


def test_each_place_that_begins_a_transaction_is_counted(tmp_path: Path) -> None:
    text = (
        "with store.transaction() as work, store.snapshot():\n    pass\nwith self.store.transaction():\n    pass\n"
    )
    assert transactions(plant(tmp_path, {f"{ENGINE}a.py": text, f"{STORE}a.py": text})) == 2
