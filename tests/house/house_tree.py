"""The tree the laws are about, and tiny trees that prove a law can fail.

A law is a function that takes the root of a repository and returns one sentence for each offence, so the same
law runs over this repository and over a bad tree of three lines.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "sequences_mcp"
SRC = f"src/{PACKAGE}"

Law = Callable[[Path], list[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path from the root, with forward slashes, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return _parsed(self.text)

    @property
    def module(self) -> str:
        """The dotted name inside the package: ``engine.store.audit``; empty for the package itself."""
        parts = self.path.removeprefix(f"{SRC}/").removesuffix(".py").split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def is_package(self) -> bool:
        """Whether this is an ``__init__.py``."""
        return self.path.endswith("__init__.py")

    @property
    def functions(self) -> list[Function]:
        """Every function of the file, methods and nested ones included."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """The parsed file and everything in it, in the order of ``ast.walk``, walked once for all laws."""
        return _walked(self.text)


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _walked(text: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(_parsed(text)))


def sources(root: Path, under: str) -> Iterator[Source]:
    """Yield the Python files below a folder, in order; none when the folder is not there."""
    for path in sorted((root / under).rglob("*.py")):
        yield Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def package(root: Path) -> Iterator[Source]:
    """Yield the files of the product."""
    return sources(root, SRC)


def suite(root: Path) -> Iterator[Source]:
    """Yield the files of the test suite."""
    return sources(root, "tests")


def tracked(root: Path) -> list[Path]:
    """Return the files under version control; every file where there is no repository."""
    if not (root / ".git").exists():
        return sorted(path for path in root.rglob("*") if path.is_file())
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    return sorted(path for name in names.split("\0") if name and (path := root / name).is_file())


def called(node: ast.AST) -> str:
    """Return the dotted name of what a call calls, or an empty string."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def plant(root: Path, files: Mapping[str, str]) -> Path:
    """Write a tiny tree and return its root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
