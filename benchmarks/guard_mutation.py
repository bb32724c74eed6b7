"""Small faults put into the guards one at a time: how many of them do the tests notice?

    python benchmarks/guard_mutation.py [--sample N] [--seed S] [--only PART-OF-A-PATH]

A fault is a comparison, a connective, a sign, a number, a condition, a returned truth or a yielded finding turned
around. Nothing is written to the checkout: each fault is compiled and run in a process forked for it, in which
the faulty module takes the place of the right one. Regular expressions and sentences are left as they are. The
faults are taken in a random order, so that what is done when it is interrupted is a sample. Exits with 1 when less
than 85 % are noticed; prints every fault that was not.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import os
import random
import resource
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GUARDS = ROOT / "src" / "sequences_mcp" / "guards"
TESTS = ROOT / "tests" / "guards"
ORDER = [
    *("shapes", "edges", "rules", "check", "rendered", "policy", "views", "corpora"),
    *("names", "markup", "homographs", "encodings", "fact_names", "vocabulary"),
]
SECONDS = 120  # of processor time for all of the tests, ten times what they take: a fault may loop for ever
LEAST = 0.85

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}


def turned(node: ast.AST) -> Iterator[ast.AST]:
    """Return the faulty forms of one node."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            yield ast.Compare(node.left, [SWAPS[type(op)]()], node.comparators)  # type: ignore[list-item]
        case ast.BoolOp():
            yield ast.BoolOp(SWAPS[type(node.op)](), node.values)  # type: ignore[arg-type]
        case ast.BinOp() if type(node.op) in SWAPS:
            yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right)  # type: ignore[arg-type]
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int()):
            assert isinstance(node.value, int)
            yield ast.Constant(node.value + 1)
        case ast.If():
            yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.IfExp():
            yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Return(value=ast.expr() as value):
            yield ast.Return(ast.UnaryOp(ast.Not(), value))
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Return every place a node can be replaced at; what runs only for a type checker or a reader is left out."""
    for parent in ast.walk(tree):
        if isinstance(parent, ast.If) and "TYPE_CHECKING" in ast.unparse(parent.test):
            parent.body.clear()
            continue
        for name, value in ast.iter_fields(parent):
            if name in ("annotation", "returns", "decorator_list", "keywords"):
                continue
            if isinstance(value, list):
                yield from ((parent, name, place) for place in range(len(value)))
            elif isinstance(value, ast.AST):
                yield parent, name, None


def faults(path: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Return each fault of a file: where and what it is, and what gives the source of the whole module with it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for parent, name, place in list(places(tree)):
        node = getattr(parent, name) if place is None else getattr(parent, name)[place]
        for form in turned(node) if isinstance(node, ast.AST) else ():
            what = (
                f"{path.relative_to(GUARDS)}:{node.lineno} {ast.unparse(node)!r:.60} -> {ast.unparse(form)!r:.60}"
            )
            yield what, partial(_with, tree, parent, name, place, copy.deepcopy(form))


def _with(tree: ast.Module, parent: ast.AST, name: str, place: int | None, form: ast.AST) -> str:
    """Return the source of a module with another node at one place; the tree is as before afterwards."""
    holder: Any = vars(parent) if place is None else getattr(parent, name)
    key: Any = name if place is None else place
    node, holder[key] = holder[key], form
    try:
        return ast.unparse(ast.fix_missing_locations(tree))
    finally:
        holder[key] = node


class Faulty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from a source of its own."""

    def __init__(self, name: str, source: str, path: Path) -> None:
        self.name, self.source, self.path = name, source, path

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(self.path))

    def exec_module(self, module: types.ModuleType) -> None:
        module.__file__ = str(self.path)
        exec(compile(self.source, str(self.path), "exec"), module.__dict__)


def is_noticed(path: Path, source: str) -> bool:
    """Say whether the tests fail, crash or hang with a module of this source."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        sys.meta_path.insert(0, Faulty(name, source, path))
        import pytest

        # A file's own tests first, and each file by itself: most faults are noticed before the rest is even read.
        for part in sorted(ORDER, key=lambda part: part not in path.stem):
            file = str(TESTS / f"test_guard_{part}.py")
            if pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), file]):
                os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--sample", type=int)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="")
    given = options.parse_args()
    import pytest  # noqa: F401 - loaded once, before the forks

    import sequences_mcp.domain.blueprint
    import sequences_mcp.domain.run  # noqa: F401

    files = [
        path for path in sorted(GUARDS.rglob("*.py")) if path.name != "__init__.py" and given.only in str(path)
    ]
    if not is_noticed(files[0], "raise SystemExit") or is_noticed(files[0], files[0].read_text(encoding="utf-8")):
        sys.exit("The tests must pass without a fault, and fail with the plainest one.")
    found = [(path, *fault) for path in files for fault in faults(path)]
    chosen = random.Random(given.seed).sample(found, min(given.sample or len(found), len(found)))
    missed, done = [], 0
    with suppress(KeyboardInterrupt):  # what was drawn so far is a sample too
        for path, what, source in chosen:
            if not is_noticed(path, source()):
                missed.append(what)
                print(f"{done + 1}: {what}", flush=True)
            done += 1
            if done % 50 == 0:
                print(f"# {done} of {len(chosen)}: {len(missed)} not noticed", flush=True)
    share = 1 - len(missed) / max(done, 1)
    print(f"{done} of {len(found)} faults: {done - len(missed)} noticed, {share:.1%}")
    sys.exit(share < LEAST)


if __name__ == "__main__":
    main()
