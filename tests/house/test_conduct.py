"""How the product's code behaves: typed, documented, quiet, with one clock and one reader of the environment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, SRC, Function, Law, Source, called, package, plant, suite

# Where an exception of any kind may be caught, and how often; each place writes its reason beside it.
CATCHES_ALL = {
    f"{SRC}/engine/worker.py": 1,
    f"{SRC}/engine/supervisor.py": 1,
    f"{SRC}/engine/inbound/reader.py": 1,
    f"{SRC}/services/enrolment.py": 2,
    f"{SRC}/server/app.py": 1,
    f"{SRC}/server/boundary.py": 1,
    f"{SRC}/server/http/tenancy.py": 2,
    f"{SRC}/server/notices.py": 1,
    f"{SRC}/server/prelude/standard_input.py": 1,
    f"{SRC}/review/page/serving.py": 1,
}
# Where the time of day is read; everywhere else it is passed in.
READS_THE_CLOCK = {f"{SRC}/bootstrap.py", f"{SRC}/cli/upkeep.py", f"{SRC}/demo/stage.py"}
READS_THE_ENVIRONMENT = {
    f"{SRC}/settings.py",
    f"{SRC}/bootstrap.py",
    *(f"{SRC}/cli/{name}.py" for name in ("__init__", "keyboard", "upkeep")),
    f"{SRC}/demo/stage.py",
}
MAKES_DATACLASSES = {f"{SRC}/lazy_dataclasses.py"}
PRINTS = {f"{SRC}/cli/__init__.py", f"{SRC}/demo/stage.py"}

CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
# A noqa without a rule, or with a rule and no reason; an ignore without a rule (mypy's own words are the reason).
UNEXPLAINED = re.compile(r"#\s*(?:noqa(?!: [A-Z]+\d)|noqa: [A-Z0-9, ]+$|type:\s*ignore(?!\[))")
DRAFT = r"\.(?:new|tmp|part)\b"
GATHERS = ("asyncio.gather", "gather")
ENVIRONMENT = ("os.environ", "os.environb", "os.getenv")
ANY_ERROR = {"Exception", "BaseException"}

Definition = Function | ast.ClassDef


def old_annotations(root: Path) -> list[str]:
    """Return a sentence for each file with code that lacks the future import."""
    return [
        f"{source.path} needs `from __future__ import annotations`."
        for source in [*package(root), *suite(root)]
        if _has_code(source) and "from __future__ import annotations" not in source.text
    ]


def _has_code(source: Source) -> bool:
    return any(not isinstance(node, ast.Expr | ast.Assign) for node in source.tree.body)


def undocumented(root: Path) -> list[str]:
    """Return a sentence for each module and each public function, class or method without a docstring."""
    modules = [f"{s.path} needs a docstring." for s in package(root) if not ast.get_docstring(s.tree)]
    return modules + [
        f"{source.path}:{node.lineno} {node.name} needs a docstring."
        for source in package(root)
        for node in _public(source.tree.body)
        if not ast.get_docstring(node)
    ]


def _public(body: list[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_") and not _is_overload(node):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def _is_overload(node: Definition) -> bool:
    return any(ast.unparse(mark).endswith(("overload", ".setter")) for mark in node.decorator_list)


def catches_everything(root: Path) -> list[str]:
    """Return a sentence for each file that catches any exception more often than its named places allow."""
    counts = {source.path: sum(map(_catches_all, source.nodes)) for source in package(root)}
    return [
        f"{path} catches every exception {count} times; {CATCHES_ALL.get(path, 0)} are named in CATCHES_ALL."
        for path, count in counts.items()
        if count > CATCHES_ALL.get(path, 0)
    ]


def _catches_all(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        suppressed = node.args if isinstance(node, ast.Call) and called(node).endswith("suppress") else []
        return bool({ast.unparse(arg) for arg in suppressed} & ANY_ERROR)
    if any(isinstance(inner, ast.Raise) and inner.exc is None for inner in node.body):
        return False  # it cleans up and lets the exception go on
    if node.type is None:
        return True
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return bool({ast.unparse(kind) for kind in kinds} & ANY_ERROR)


def _calls(root: Path, names: tuple[str, ...], *, allowed: set[str]) -> Iterator[tuple[Source, int, str]]:
    suffixes = tuple(f".{name}" for name in names)
    for source in package(root):
        for node in source.nodes:
            if isinstance(node, ast.Call) and source.path not in allowed and f".{called(node)}".endswith(suffixes):
                yield source, node.lineno, called(node)


def prints(root: Path) -> list[str]:
    """Return a sentence for each print: standard output is the wire."""
    found = _calls(root, ("print",), allowed=PRINTS)
    return [f"{source.path}:{line} prints; standard output is the wire." for source, line, _ in found]


def reads_the_clock(root: Path) -> list[str]:
    """Return a sentence for each place that asks for the time instead of being told."""
    found = _calls(root, CLOCKS, allowed=READS_THE_CLOCK)
    return [f"{source.path}:{line} calls {name}; take the clock as an argument." for source, line, name in found]


def reads_the_environment(root: Path) -> list[str]:
    """Return a sentence for each place besides the settings that looks at the environment."""
    return [
        f"{source.path}:{node.lineno} reads the environment; settings.py is its only reader."
        for source in package(root)
        for node in source.nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ENVIRONMENT
        if source.path not in READS_THE_ENVIRONMENT
    ]


def unexplained_exemptions(root: Path) -> list[str]:
    """Return a sentence for each silenced check that names no rule or gives no reason."""
    return [
        f"{source.path}:{number} silences a check: name the rule and say why, as in `# noqa: S324 - not a secret`."
        for source in package(root)
        for number, line in enumerate(source.text.splitlines(), start=1)
        if UNEXPLAINED.search(line.rstrip())
    ]


def dataclasses_compiled_at_once(root: Path) -> list[str]:
    """Return a sentence for each file that has dataclasses compile all their methods while it is imported."""
    return [
        f"{source.path}:{node.lineno} has methods compiled at every start; import dataclass from lazy_dataclasses."
        for source in package(root)
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if source.path not in MAKES_DATACLASSES and "dataclass" in {alias.name for alias in node.names}
    ]


def calls_that_go_on_for_nobody(root: Path) -> list[str]:
    """Return a sentence for each gather that leaves the other calls under way when one fails."""
    return [
        f"{source.path}:{node.lineno} leaves calls behind when one fails; use gather_limited or return_exceptions."
        for source in package(root)
        for node in source.nodes
        if isinstance(node, ast.Call)
        and called(node) in GATHERS
        and not any(given.arg == "return_exceptions" for given in node.keywords)
    ]


def drafts_under_fixed_names(root: Path) -> list[str]:
    """Return a sentence for each file written under a name that may be somebody else's."""
    return [
        f"{source.path}:{node.lineno} writes over what may lie there; use private_files.replacing."
        for source in package(root)
        for node in source.nodes
        if (isinstance(node, ast.Attribute) and node.attr == "O_TRUNC")
        or (
            (isinstance(node, ast.Call) and re.search(DRAFT, " ".join(map(ast.unparse, node.args))))
            and called(node).endswith((".with_suffix", ".with_name"))
        )
    ]


LAWS = (
    old_annotations,
    undocumented,
    catches_everything,
    prints,
    reads_the_clock,
    reads_the_environment,
    unexplained_exemptions,
    dataclasses_compiled_at_once,
    drafts_under_fixed_names,
    calls_that_go_on_for_nobody,
)


@pytest.mark.parametrize("law", LAWS)
def test_the_product_behaves(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


def test_no_place_is_named_for_a_catch_that_is_gone() -> None:
    present = {s.path: sum(map(_catches_all, s.nodes)) for s in package(ROOT)}
    stale = {path for path, count in CATCHES_ALL.items() if present.get(path) != count}
    assert not stale, f"CATCHES_ALL names more than there is: {stale}"


BAD = {
    "no future import": (old_annotations, "def f(): ..."),
    "no module docstring": (undocumented, "x = 1"),
    "no docstring on a function": (undocumented, '"""M."""\ndef f(): ...'),
    "no docstring on a method": (undocumented, '"""M."""\nclass A:\n  """A."""\n  def f(self): ...'),
    "except Exception": (catches_everything, "try: ...\nexcept Exception: ..."),
    "a bare except": (catches_everything, "try: ...\nexcept: ..."),
    "one of several": (catches_everything, "try: ...\nexcept (KeyError, BaseException): ..."),
    "suppress(Exception)": (catches_everything, "with contextlib.suppress(Exception): ..."),
    "a print": (prints, "print(1)"),
    "datetime.now": (reads_the_clock, "now = datetime.now(UTC)"),
    "time.time by its module": (reads_the_clock, "import time\nnow = time.time()"),
    "os.environ": (reads_the_environment, "import os\nhome = os.environ['HOME']"),
    "os.getenv": (reads_the_environment, "import os\nhome = os.getenv('HOME')"),
    "a draft under a fixed name": (drafts_under_fixed_names, "draft = path.with_suffix('.tmp')"),
    "a draft named after its file": (drafts_under_fixed_names, "draft = path.with_name(f'{path.name}.new')"),
    "a file that is truncated": (drafts_under_fixed_names, "import os\nos.open(path, os.O_WRONLY | os.O_TRUNC)"),
    "a gather": (calls_that_go_on_for_nobody, "import asyncio\ngot = asyncio.gather(one(), other())"),
    "a dataclass compiled at once": (dataclasses_compiled_at_once, "from dataclasses import dataclass, field"),
    "a bare noqa": (unexplained_exemptions, "x = 1  # noqa"),
    "a noqa without a reason": (unexplained_exemptions, "x = 1  # noqa: S324"),
    "an ignore without a rule": (unexplained_exemptions, "x = 1  # type: ignore"),
}


@pytest.mark.parametrize(("law", "text"), BAD.values(), ids=BAD.keys())
def test_misconduct_is_found(tmp_path: Path, law: Law, text: str) -> None:
    assert law(plant(tmp_path, {f"{SRC}/flows/a.py": text}))


GOOD = '''"""Say something."""

from __future__ import annotations


class A:
    """Hold something."""

    def known(self) -> int:
        """Return one."""
        try:
            return self._hidden()
        except BaseException:
            self._hidden()
            raise

    def safe(self) -> int:
        """Return another."""
        try:
            return self._hidden()
        except KeyError:
            return hash("x")  # noqa: S324 - not a secret

    def _hidden(self) -> int:
        return 1
'''


@pytest.mark.parametrize("law", LAWS)
def test_good_conduct_is_left_alone(tmp_path: Path, law: Law) -> None:
    assert not law(plant(tmp_path, {f"{SRC}/flows/a.py": GOOD}))
