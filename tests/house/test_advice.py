"""Advice names only what exists: tools and their arguments, settings, and commands of the terminal."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.house.house_tree import ROOT, SRC, Source, sources

from sequences_mcp.cli import command_line
from sequences_mcp.domain.ids import PROVIDERS
from sequences_mcp.server.boundary import without_tools
from sequences_mcp.server.catalog import INSTEAD, TOOLS, VENDOR_TOOLS, listed_tools, tool_names
from sequences_mcp.settings import TABLE

VERBS = {name.partition("_")[0] for name in (*TOOLS, *VENDOR_TOOLS)}
SCHEMAS = {tool.name: set(tool.input_schema.get("properties", {})) for tool in listed_tools(PROVIDERS)}
NAMED = re.compile(rf"(?<![\w.:/`{{-])((?:{'|'.join(sorted(VERBS))})_[a-z_]+)\b(?!\()")
WITH = re.compile(r"\b([a-z]+_[a-z_]+) with (?:(?:a|an|another|the|its|no) )?(?:new )?`?([a-z]+_[a-z_]+)\b")
SETTING = re.compile(r"\b(?:SEQUENCES|KALENT|CLARKY|TOPO)_[A-Z_]+\b")
COMMAND = re.compile(r"\bsequences-mcp((?: [a-z][a-z-]*| --[a-z-]+)*)")
# Words of ours that begin like a tool's name and are none: fields of results, settings, ids of rules.
NO_TOOLS = frozenset(
    {"start_at", "check_id", "list_id", "list_ids", "record_id", "update_time", "find_by", "import_folders"}
)
PROSE = frozenset({"is", "and", "or", "shows", "does"})  # a sentence goes on after the command


def words(source: Source) -> Iterator[str]:
    """Yield the texts of a file, docstrings left out; what a text takes in from elsewhere stands as ``…``."""
    documents = {
        id(node.body[0].value)
        for node in source.nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {id(part) for node in source.nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | documents:
            yield node.value


def unknown_names(root: Path) -> list[str]:
    """Return each tool, argument, setting or command that a sentence names and that does not exist."""
    return [
        f"{source.path}: {what}, in {text[:90]!r}"
        for source in sources(root, SRC)
        for text in words(source)
        if " " in text
        for what in (*_tools(text), *_settings(text), *_commands_in(text))
    ]


def _tools(text: str) -> Iterator[str]:
    for name in NAMED.findall(text):
        if name not in SCHEMAS and name not in NO_TOOLS:
            yield f"no tool is called {name}"
    for tool, argument in WITH.findall(text):
        if tool in SCHEMAS and argument not in SCHEMAS[tool]:
            yield f"{tool} takes no {argument}"


def _settings(text: str) -> Iterator[str]:
    known = {one.name for one in TABLE}
    yield from (f"no setting is called {name}" for name in SETTING.findall(text) if name not in known)


def _commands_in(text: str) -> Iterator[str]:
    for line in COMMAND.findall(text):
        present: click.Command = command_line()
        for word in line.split():
            if word.startswith("--"):
                if word not in {one for parameter in present.params for one in parameter.opts} | {"--help"}:
                    yield f"`sequences-mcp{line}` has no option {word}"
                break
            if not isinstance(present, click.Group):
                break
            found = present.get_command(click.Context(present), word)
            if found is None and word in PROSE:
                break
            if found is None:
                yield f"there is no command sequences-mcp{line}"
                break
            present = found


def test_every_tool_argument_setting_and_command_named_in_a_sentence_exists() -> None:
    assert unknown_names(ROOT) == []


def test_no_sentence_sends_to_a_tool_that_is_served_only_with_a_vendor_where_none_is_connected() -> None:
    missing = [name for name in VENDOR_TOOLS if name not in tool_names()]
    found = [text for source in sources(ROOT, SRC) for text in words(source) if " " in text]
    told = {text: without_tools(text, missing) for text in found if any(name in text for name in missing)}
    assert len(told) > 5 and set(INSTEAD) == set(VENDOR_TOOLS)
    assert not [one for one in told.values() if any(name in one for name in missing)]


@pytest.mark.parametrize(
    "text",
    [
        "Call start_sequences once more.",
        "list_sequences with stage_name shows them.",
        "Set SEQUENCES_SMTP_ADDRESS first.",
        "Run `sequences-mcp reviews list`.",
        "Run `sequences-mcp review list --everything`.",
    ],
)
def test_a_name_that_is_wrong_is_found(tmp_path: Path, text: str) -> None:
    file = tmp_path / SRC / "bad.py"
    file.parent.mkdir(parents=True)
    file.write_text(f"NEXT = {text!r}\n")
    assert len(unknown_names(tmp_path)) == 1
