"""Files and functions stay within their limits. A named exception may only shrink."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, SRC, Function, package, plant, suite

BODY = 60
ARGUMENTS = 7
POSITIONAL = 3  # two is the habit; the machine's own signature has three: sequence, event, now
FILE = 700
TEST_FILE = 700
TOOLS = f"{SRC}/server/tools/"

Sizes = Iterator[tuple[str, int, int]]
Measure = Callable[[Path], Sizes]
Exceptions = dict[str, tuple[int, str]]

# Path, or path:function, to its present size and the reason it is allowed. A size may only go down.
LONGER: Exceptions = {}
MORE_ARGUMENTS: Exceptions = {
    f"{TOOLS}list_sequences.py:list_sequences": (
        14,
        "the filters of a list, flat as in Topo's API, and whose list",
    ),
    f"{TOOLS}list_replies.py:list_replies": (10, "the filters of a list, flat as list_sequences has them"),
    f"{TOOLS}import_contacts.py:import_contacts": (8, "six of its schema; the two contexts are injected"),
    f"{TOOLS}start_sequence.py:start_sequence": (8, "six of its schema; the two contexts are injected"),
    f"{TOOLS}create_blueprint.py:create_blueprint": (11, "what a blueprint has, flat as in Kalent's API"),
    f"{SRC}/services/blueprints.py:create_blueprint": (10, "the same, each of them named by the caller"),
    f"{TOOLS}update_blueprint.py:update_blueprint": (
        13,
        "all that can change in a blueprint, flat as in Kalent's API",
    ),
    f"{SRC}/services/blueprints.py:update_blueprint": (12, "the same, each of them named by the caller"),
}
MORE_POSITIONAL: Exceptions = {}


def over_the_limit(sizes: Sizes, exceptions: Exceptions, *, what: str) -> list[str]:
    """Return a sentence for each size over its limit, or over what its exception allows."""
    return [
        f"{name} has {size} {what}; the limit is {allowed}."
        for name, size, limit in sizes
        if size > (allowed := max(limit, exceptions.get(name, (0, ""))[0]))
    ]


def file_limit(path: str) -> int:
    """Return how many lines a file may have."""
    return TEST_FILE if path.startswith("tests/") else FILE


def file_sizes(root: Path) -> Sizes:
    """Yield each file, its lines and its limit."""
    for source in [*package(root), *suite(root)]:
        yield source.path, source.text.count("\n"), file_limit(source.path)


def body_sizes(root: Path) -> Sizes:
    """Yield each function, the lines of its body without the docstring, and the limit."""
    for source in [*package(root), *suite(root)]:
        for function in source.functions:
            yield f"{source.path}:{function.name}", _body_lines(function), BODY


def _body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def argument_counts(root: Path) -> Sizes:
    """Yield each function of the product, its arguments without self, and the limit."""
    for source in package(root):
        for function in source.functions:
            count = len(_positional(function)) + len(function.args.kwonlyargs)
            yield f"{source.path}:{function.name}", count, ARGUMENTS


def positional_counts(root: Path) -> Sizes:
    """Yield each function of the product, its positional parameters without self, and the limit.

    The parameters of a dunder are Python's own; a tool and a command are called by the names of their arguments.
    """
    for source in package(root):
        for function in source.functions:
            by_name = source.path.startswith(TOOLS) or any(map(_is_command, function.decorator_list))
            if not function.name.endswith("__") and not by_name:
                yield f"{source.path}:{function.name}", len(_positional(function)), POSITIONAL


def _positional(function: Function) -> list[ast.arg]:
    names = [*function.args.posonlyargs, *function.args.args]
    return names[1:] if names and names[0].arg in ("self", "cls") else names


def _is_command(mark: ast.expr) -> bool:
    return ast.unparse(mark).startswith(("click.option", "click.argument"))


def test_files_fit_their_limits() -> None:
    assert not (over := over_the_limit(file_sizes(ROOT), LONGER, what="lines")), "\n".join(over)


def test_function_bodies_fit_on_a_screen() -> None:
    assert not (over := over_the_limit(body_sizes(ROOT), LONGER, what="lines")), "\n".join(over)


def test_functions_take_few_arguments() -> None:
    assert not (over := over_the_limit(argument_counts(ROOT), MORE_ARGUMENTS, what="arguments")), "\n".join(over)


def test_arguments_past_the_third_are_named_by_the_caller() -> None:
    counts = positional_counts(ROOT)
    over = over_the_limit(counts, MORE_POSITIONAL, what="positional parameters")
    assert not over, "\n".join(over)


@pytest.mark.parametrize(
    ("exceptions", "measures"),
    [
        (LONGER, (file_sizes, body_sizes)),
        (MORE_ARGUMENTS, (argument_counts,)),
        (MORE_POSITIONAL, (positional_counts,)),
    ],
    ids=["lines", "arguments", "positional"],
)
def test_an_exception_names_what_is_there_at_its_present_size(
    exceptions: Exceptions, measures: tuple[Measure, ...]
) -> None:
    present: dict[str, int] = {}
    for name, size, _ in (row for measure in measures for row in measure(ROOT)):
        present[name] = max(size, present.get(name, 0))
    stale = {name: allowed for name, (allowed, _) in exceptions.items() if present.get(name) != allowed}
    assert not stale, f"These exceptions are no longer true; shrink or remove them: {stale}"


TOO_LONG = {
    "a source file": (f"{SRC}/flows/a.py", FILE),
    "a test file": ("tests/services/test_a.py", TEST_FILE),
}


@pytest.mark.parametrize(("path", "limit"), TOO_LONG.values(), ids=TOO_LONG.keys())
def test_a_file_one_line_over_its_limit_is_found(tmp_path: Path, path: str, limit: int) -> None:
    plant(tmp_path, {path: "x = 1\n" * limit})
    assert not over_the_limit(file_sizes(tmp_path), {}, what="lines")
    plant(tmp_path, {path: "x = 1\n" * (limit + 1)})
    assert over_the_limit(file_sizes(tmp_path), {}, what="lines")


def test_a_body_one_line_over_its_limit_is_found(tmp_path: Path) -> None:
    head = 'def f():\n    """Say something."""\n'
    plant(tmp_path, {f"{SRC}/a.py": head + "    x = 1\n" * BODY})
    assert not over_the_limit(body_sizes(tmp_path), {}, what="lines")
    plant(tmp_path, {f"{SRC}/a.py": head + "    x = 1\n" * (BODY + 1)})
    assert over_the_limit(body_sizes(tmp_path), {}, what="lines")


def test_one_argument_too_many_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {f"{SRC}/a.py": "class A:\n    def f(self, a, b, *, c, d, e, f, g, h): ...\n"})
    assert over_the_limit(argument_counts(tmp_path), {}, what="arguments")
    assert not over_the_limit(positional_counts(tmp_path), {}, what="positional parameters")


def test_a_fourth_positional_parameter_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {f"{SRC}/a.py": "def f(a, b, c, d): ...\n"})
    assert over_the_limit(positional_counts(tmp_path), {}, what="positional parameters")


def test_an_exception_allows_its_size_and_no_more(tmp_path: Path) -> None:
    name = f"{SRC}/a.py"
    plant(tmp_path, {name: "x = 1\n" * (FILE + 2)})
    assert not over_the_limit(file_sizes(tmp_path), {name: (FILE + 2, "")}, what="lines")
    assert over_the_limit(file_sizes(tmp_path), {name: (FILE + 1, "")}, what="lines")
