"""Small faults put into the guards one at a time: how many of them do the tests notice?

    python -m benchmarks.guard_mutation [--sample N] [--seed S] [--only PART-OF-A-PATH] [--keep FILE]
    python -m benchmarks.guard_mutation --compare N     # the verdicts of N faults, beside those of pytest itself

A fault is a comparison, a connective, a sign, a number, a condition, a returned truth or a yielded finding turned
around. Nothing is written to the checkout: each fault is compiled and run in a process forked for it, in which
the faulty module takes the place of the right one. Regular expressions and sentences are left as they are. The
faults are taken in a random order, so that what is done when it is interrupted is a sample; with ``--keep`` the
verdicts are kept in a file, and a run that finds them there goes on. Exits with 1 when less than 85 % are noticed;
prints every fault that was not.

Each test of the guards is a function without more fixtures than a folder, so it is called here without pytest,
whose start takes longer than all that most faults need. First it is seen once, without a fault, which functions of
the guards each test runs: a fault in a function is only looked for by the tests that run it. Those that noticed
the most in the least time come first.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import importlib
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import random
import re
import resource
import sys
import tempfile
import time
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import groupby, product
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
GUARDS = ROOT / "src" / "sequences_mcp" / "guards"
TESTS = ROOT / "tests" / "guards"
# What holds for every text there is is tried with random ones, which notice a fault one time and not the next.
TEST_FILES = sorted(path for path in TESTS.glob("test_*.py") if path.stem != "test_guard_properties")
STAYS = ("sequences_mcp.domain", "sequences_mcp.errors")  # what imports nothing of the guards
PATIENCE, TIMES = 20, 10  # seconds of processor time, and times what the tests take: a fault may loop for ever
MEMORY = 3 * 1024**3
LEAST = 0.85
Place = tuple[str, int]  # a function: its file below the guards, and its first line
OUTSIDE: Place = ("", 0)  # what runs while a module is imported

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


class Fault(NamedTuple):
    """One fault: its number, where and what it is, the function it stands in, the source of the module with it."""

    number: int
    path: Path
    what: str
    place: Place
    source: Callable[[], str]


def faults(path: Path) -> Iterator[tuple[str, Place, Callable[[], str]]]:
    """Return each fault of a file: where and what it is, its function, and what gives the source with it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = dict(_owners(tree, OUTSIDE, str(path.relative_to(GUARDS))))
    for parent, name, place in list(places(tree)):
        node = getattr(parent, name) if place is None else getattr(parent, name)[place]
        for form in turned(node) if isinstance(node, ast.AST) else ():
            what = (
                f"{path.relative_to(GUARDS)}:{node.lineno} {ast.unparse(node)!r:.60} -> {ast.unparse(form)!r:.60}"
            )
            yield what, owners[node], partial(_with, tree, parent, name, place, copy.deepcopy(form))


def _owners(node: ast.AST, owner: Place, file: str) -> Iterator[tuple[ast.AST, Place]]:
    """Yield each node with the function in which it runs; a default and what decorates run outside of theirs."""
    yield node, owner
    for name, value in ast.iter_fields(node):
        inside = owner
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and name == "body":
            inside = (file, min([node.lineno, *(mark.lineno for mark in node.decorator_list)]))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _owners(child, inside, file)


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


class Case(NamedTuple):
    """One test with one set of arguments: its file, its name, and which set it is."""

    file: str
    test: str
    number: int

    def run(self) -> None:
        """Call it; whatever it raises is a fault that it noticed."""
        import pytest

        test = getattr(importlib.import_module(f"tests.guards.{self.file}"), self.test)
        arguments = argument_sets(test)[self.number]
        with tempfile.TemporaryDirectory() as folder, suppress(pytest.skip.Exception):
            needs_folder = "tmp_path" in inspect.signature(test).parameters
            test(**arguments, **({"tmp_path": Path(folder)} if needs_folder else {}))


def argument_sets(test: Callable[..., None]) -> list[dict[str, Any]]:
    """Return the arguments that a test is called with, one after the other."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    choices = [[_named(mark.args[0], values) for values in mark.args[1]] for mark in reversed(marks)]
    return [{name: value for part in chosen for name, value in part.items()} for chosen in product(*choices)]


def _named(names: str | tuple[str, ...], values: Any) -> dict[str, Any]:
    each = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    given = values.values if type(values).__name__ == "ParameterSet" else values
    several = given if len(each) > 1 or type(values).__name__ == "ParameterSet" else (given,)
    return dict(zip(each, several, strict=True))


def all_cases() -> Iterator[Case]:
    """Yield every test of the guards, with each set of its arguments."""
    for path in TEST_FILES:
        module = importlib.import_module(f"tests.guards.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_") and callable(test):
                yield from (Case(path.stem, name, number) for number in range(len(argument_sets(test))))


class Chart(NamedTuple):
    """What each test runs when nothing is wrong: its seconds, and the functions of the guards."""

    seconds: Mapping[Case, float]
    runs: Mapping[Case, frozenset[Place]]
    imported: frozenset[Place]  # what runs while the guards and their tests are imported

    def cases_for(self, place: Place) -> list[Case]:
        """Return the tests that can notice a fault in a function."""
        if place == OUTSIDE or place in self.imported:
            return list(self.seconds)
        return [case for case, places in self.runs.items() if place in places]


def charted() -> Chart:
    """Run every test once, with nothing remembered from those before, and see what it runs with any arguments."""
    seen: set[types.CodeType] = set()

    def note(frame: types.FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    sys.setprofile(note)
    cases = list(all_cases())
    imported = _places(list(seen))
    seconds: dict[Case, float] = {}
    runs: dict[Case, frozenset[Place]] = {}
    for _, group in groupby(cases, key=lambda case: (case.file, case.test)):
        alike = list(group)
        _forget()
        seen.clear()
        for case in alike:
            begun = time.process_time()
            case.run()
            seconds[case] = time.process_time() - begun
        runs |= dict.fromkeys(alike, _places(list(seen)))
    sys.setprofile(None)
    return Chart(seconds, runs, imported)


def _places(seen: Iterable[types.CodeType]) -> frozenset[Place]:
    ours = [code for code in seen if code.co_filename.startswith(str(GUARDS))]
    return frozenset((str(Path(code.co_filename).relative_to(GUARDS)), code.co_firstlineno) for code in ours)


def _forget() -> None:
    """Empty what functions remember, so that a test runs whatever its result depends on."""
    for module in [module for name, module in sys.modules.items() if name.startswith("sequences_mcp.")]:
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def chart(keep: Path | None) -> Chart:
    """Return what each test runs, seen in a process of its own, or read where it was kept."""
    sources = sorted([*GUARDS.rglob("*.py"), *GUARDS.rglob("*.txt"), *TESTS.iterdir()])
    state = sha256(b"".join(path.read_bytes() for path in sources if path.is_file())).hexdigest()
    kept = keep.with_suffix(f".{state[:12]}.chart") if keep else Path(tempfile.mkdtemp()) / "chart"
    if not kept.exists():
        if (child := os.fork()) == 0:
            made = charted()
            rows = [[*case, made.seconds[case], sorted(made.runs[case])] for case in made.seconds]
            kept.write_text(json.dumps([sorted(made.imported), rows]), encoding="utf-8")
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit("The tests must pass without a fault.")
    imported, rows = json.loads(kept.read_text(encoding="utf-8"))
    return Chart(
        {Case(*row[:3]): row[3] for row in rows},
        {Case(*row[:3]): frozenset((file, line) for file, line in row[4]) for row in rows},
        frozenset((file, line) for file, line in imported),
    )


def begin(fault: Fault, cases: list[Case], *, seconds: float) -> tuple[int, int]:
    """Fork a process that runs the tests on a fault; return its id and where it tells which one noticed it."""
    told, tells = os.pipe()
    if (child := os.fork()) == 0:
        limit = int(PATIENCE + TIMES * seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        _take_place(fault.path, fault.source())
        warnings.simplefilter("error")
        for number, case in enumerate(cases):
            try:
                case.run()
            except BaseException:  # noqa: BLE001 - whatever it is, the test has noticed the fault
                os.write(tells, str(number).encode())
                os._exit(1)
        os._exit(0)
    os.close(tells)
    return child, told


def _take_place(path: Path, source: str) -> None:
    """Let a source be imported in place of a file; all that is said goes nowhere."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    sys.meta_path.insert(0, Faulty(name, source, path))


def is_noticed_by_pytest(fault: Fault) -> bool:
    """Say whether pytest fails, crashes or hangs on the tests of the guards with a fault."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
        _take_place(fault.path, fault.source())
        import pytest

        files = sorted(TEST_FILES, key=lambda path: (path.stem[11:] not in fault.path.stem, path))
        options = ["-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is here before
        os._exit(int(any(pytest.main([*options, str(file)]) for file in files)))
    return os.waitpid(child, 0)[1] != 0


def warm_up() -> None:
    """Load what every forked process needs, and nothing of the guards; their patterns are compiled once."""
    from hypothesis import settings
    from tests import effort

    settings.register_profile("the same each time", deadline=None, derandomize=True, database=None)
    settings.load_profile("the same each time")
    effort.one_effort()
    re._MAXCACHE = 100_000  # type: ignore[attr-defined]
    for _ in all_cases():
        pass
    from sequences_mcp.domain.patterns import LazyPattern

    for value in gc.get_objects():
        if isinstance(value, LazyPattern):
            assert value.compiled
    ours = [name for name in sys.modules if name.startswith(("sequences_mcp.", "tests.guards."))]
    for name in ours:
        if not name.startswith(STAYS):
            del sys.modules[name]
    gc.collect()
    gc.freeze()


class Verdicts:
    """What became of each fault, kept in a file where there is one."""

    def __init__(self, keep: Path | None) -> None:
        self.keep = keep
        self.noticed: dict[str, bool] = {}
        self.best: Counter[Case] = Counter()
        if keep and keep.exists():
            for line in keep.read_text(encoding="utf-8").splitlines():
                self._take(**json.loads(line))

    def note(self, fault: Fault, by: Case | None, *, noticed: bool) -> None:
        """Note what became of a fault."""
        facts: dict[str, Any] = {"fault": key_of(fault), "noticed": noticed, "by": by}
        self._take(**facts)
        if self.keep:
            with self.keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(facts) + "\n")
        if not noticed:
            print(f"{len(self.noticed)}: {key_of(fault)}", flush=True)

    def _take(self, *, fault: str, noticed: bool, by: list[Any] | None) -> None:
        self.noticed[fault] = noticed
        if by:
            self.best[Case(*by)] += 1


def key_of(fault: Fault) -> str:
    """Return what a fault is called in a file: what it is, and its number, as a line may have two alike."""
    return f"{fault.what} (#{fault.number})"


def run_all(chosen: list[Fault], known: Chart, verdicts: Verdicts, *, processes: int) -> None:
    """Try the faults that have no verdict yet, some at a time."""
    under_way: dict[int, tuple[Fault, list[Case], int]] = {}
    waiting = [fault for fault in chosen if key_of(fault) not in verdicts.noticed]
    done = 0
    while waiting or under_way:
        while waiting and len(under_way) < processes:
            fault = waiting.pop(0)
            cases = known.cases_for(fault.place)
            cases.sort(key=lambda case: (-verdicts.best[case] / (known.seconds[case] + 0.01), known.seconds[case]))
            child, told = begin(fault, cases, seconds=sum(known.seconds[case] for case in cases))
            under_way[child] = (fault, cases, told)
        child, status = os.wait()
        fault, cases, told = under_way.pop(child)
        with os.fdopen(told) as answer:
            number = answer.read()
        verdicts.note(fault, cases[int(number)] if number else None, noticed=status != 0)
        if (done := done + 1) % 50 == 0:
            missed = sum(not noticed for noticed in verdicts.noticed.values())
            print(f"# {len(verdicts.noticed)} verdicts, {len(waiting)} to come: {missed} not noticed", flush=True)


def compare(chosen: list[Fault], known: Chart) -> int:
    """Print where the verdicts differ from pytest's own; return how many do."""
    right = chosen[0].path.read_text(encoding="utf-8")
    if is_noticed_by_pytest(chosen[0]._replace(source=lambda: right)):
        sys.exit("The tests must pass without a fault.")
    differ = 0
    for number, fault in enumerate(chosen, start=1):
        verdicts = Verdicts(None)
        begun = time.perf_counter()
        run_all([fault], known, verdicts, processes=1)
        middle = time.perf_counter()
        here, there = verdicts.noticed[key_of(fault)], is_noticed_by_pytest(fault)
        took = f"{middle - begun:.1f} s against {time.perf_counter() - middle:.1f} s"
        print(f"{number}: {key_of(fault)}: {here} and {there}, {took}", flush=True)
        differ += here != there
    print(f"{differ} of {len(chosen)} verdicts differ")
    return differ


def main() -> None:
    """Try the faults, and say how many were noticed, file by file and over all."""
    options = argparse.ArgumentParser()
    options.add_argument("--sample", type=int)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="")
    options.add_argument("--keep", type=Path)
    options.add_argument("--compare", type=int)
    options.add_argument("--processes", type=int, default=1)
    given = options.parse_args()
    sys.path.insert(0, str(ROOT))
    warm_up()
    known = chart(given.keep)
    files = [path for path in sorted(GUARDS.rglob("*.py")) if path.name != "__init__.py"]
    each = [(path, *fault) for path in files for fault in faults(path)]
    found = [Fault(number, *fault) for number, fault in enumerate(each)]
    found = [fault for fault in found if given.only in str(fault.path)]
    size = given.compare or given.sample or len(found)
    chosen = random.Random(given.seed).sample(found, min(size, len(found)))
    if given.compare:
        sys.exit(compare(chosen, known) > 0)
    verdicts = Verdicts(given.keep)
    with suppress(KeyboardInterrupt):  # what was drawn so far is a sample too
        run_all(chosen, known, verdicts, processes=given.processes)
    sys.exit(told(chosen, verdicts) < LEAST)


def told(chosen: list[Fault], verdicts: Verdicts) -> float:
    """Print how many faults were noticed in each file and over all; return the share."""
    done: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for fault in chosen:
        if (verdict := verdicts.noticed.get(key_of(fault))) is not None:
            for file in (str(fault.path.relative_to(GUARDS)), "over all"):
                done[file] += 1
                noticed[file] += verdict
    for file in [*sorted(done.keys() - {"over all"}), "over all"]:
        print(f"{file}: {noticed[file]} of {done[file]}, {noticed[file] / max(done[file], 1):.1%}")
    return noticed["over all"] / max(done["over all"], 1)


if __name__ == "__main__":
    main()
