"""What a registry, a package index and a reader are told is one and the same."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, ValidationError
from tests.house.house_tree import PACKAGE, ROOT, Law, plant

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
INIT = f"src/{PACKAGE}/__init__.py"
RANGE = re.compile(r"[\^~*<>=|]|\.x\b| - |^latest$")


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Variable(_Closed):
    """``KeyValueInput`` of the schema, as far as an environment variable needs it."""

    name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    description: str = Field(min_length=1)
    isRequired: bool = False  # noqa: N815 - the wire's spelling
    isSecret: bool = False  # noqa: N815 - the wire's spelling
    format: Literal["string", "number", "boolean", "filepath"] = "string"
    default: str | None = None
    placeholder: str | None = None
    choices: list[str] = Field(default_factory=list)


class Stdio(_Closed):
    """``StdioTransport``."""

    type: Literal["stdio"]


class Asked(_Closed):
    """``Input``, as far as a variable of an address or a header needs it."""

    description: str = Field(min_length=1)
    isRequired: bool = False  # noqa: N815 - the wire's spelling
    isSecret: bool = False  # noqa: N815 - the wire's spelling
    placeholder: str | None = None


class Header(_Closed):
    """``KeyValueInput`` with variables, of a header."""

    name: str
    value: str
    variables: dict[str, Asked]


class Streamable(_Closed):
    """``StreamableHttpTransport``, and ``RemoteTransport`` with its variables."""

    type: Literal["streamable-http"]
    url: str = Field(pattern=r"^https?://[^\s]+$")
    headers: list[Header] = Field(default_factory=list)
    variables: dict[str, Asked] = Field(default_factory=dict)


class Positional(_Closed):
    """``PositionalArgument`` with a fixed value."""

    type: Literal["positional"]
    value: str


class Package(_Closed):
    """``Package`` for PyPI; the registry asks for a version and verifies the mark in the README."""

    registryType: Literal["pypi"]  # noqa: N815 - the wire's spelling
    identifier: str
    version: str = Field(min_length=1)
    runtimeHint: Literal["uvx"]  # noqa: N815 - the wire's spelling
    transport: Stdio | Streamable
    packageArguments: list[Positional] = Field(default_factory=list)  # noqa: N815 - the wire's spelling
    environmentVariables: list[Variable] = Field(default_factory=list)  # noqa: N815 - the wire's spelling


class Repository(_Closed):
    """``Repository``."""

    url: AnyUrl
    source: Literal["github"]


class ServerDetail(_Closed):
    """``ServerDetail`` of schema 2025-12-11, narrowed to what this product says.

    Narrower and closed, so whatever passes here passes there, and a field the registry does not know is found.
    The file was held against the schema itself, as published, on 2026-11-28: it had nothing to say.
    """

    schema_: Literal["https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"] = Field(
        alias="$schema"
    )
    name: str = Field(min_length=3, max_length=200, pattern=r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$")
    title: str = Field(min_length=1, max_length=100)
    description: str = Field(min_length=1, max_length=100)
    version: str = Field(min_length=1, max_length=255)
    repository: Repository
    websiteUrl: AnyUrl | None = None  # noqa: N815 - the wire's spelling
    packages: list[Package] = Field(min_length=1)
    remotes: list[Streamable] = Field(default_factory=list)


def _text(root: Path, name: str) -> str:
    path = root / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _server(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_text(root, "server.json") or "{}")
    return found


def _project(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(_text(root, "pyproject.toml")).get("project", {})
    return found


def registry_refusals(root: Path) -> list[str]:
    """Return a sentence for each thing in server.json that the registry would refuse."""
    server = _server(root)
    try:
        ServerDetail.model_validate(server)
    except ValidationError as error:
        return [f"server.json {'/'.join(map(str, e['loc']))}: {e['msg']}." for e in error.errors()]
    versions = [server["version"], *(package["version"] for package in server["packages"])]
    ranges = [version for version in versions if RANGE.search(version)]
    found = [f"server.json: {version} is a range; the registry wants one version." for version in ranges]
    return [*found, *_remote_refusals(server.get("remotes", []))]


def _remote_refusals(remotes: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with the addresses of servers on the network.

    No two entries of the registry may have one address, so that a template needs a variable named after this
    product; and each variable is described.
    """
    for remote in remotes:
        named = set(re.findall(r"\{([a-z_]+)\}", remote["url"]))
        if named != set(remote.get("variables", {})):
            yield f"server.json: {remote['url']} and its variables name different things."
        if named and not any(name.startswith("sequences_") for name in named):
            yield f"server.json: {remote['url']} could be any product's address."


def versions(root: Path) -> Iterator[tuple[str, str]]:
    """Yield every place that states the version, and what it states."""
    server = _server(root)
    yield "pyproject.toml", _project(root).get("version", "none")
    yield INIT, _first(r'^__version__ = "(.+)"$', _text(root, INIT))
    yield "CHANGELOG.md", _first(r"^## \[(\d[^\]]*)\]", _text(root, "CHANGELOG.md"))
    yield "server.json", server.get("version", "none")
    for number, package in enumerate(server.get("packages", [])):
        yield f"server.json packages/{number}", package.get("version", "none")


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else "none"


def versions_apart(root: Path) -> list[str]:
    """Return a sentence for each place whose version is not pyproject.toml's."""
    (_, wanted), *others = versions(root)
    return [f"{place} says {found}, pyproject.toml {wanted}." for place, found in others if found != wanted]


def names_apart(root: Path) -> list[str]:
    """Return a sentence for each name by which the product cannot be found."""
    server, project = _server(root), _project(root)
    mark = f"<!-- mcp-name: {server.get('name')} -->"
    identifiers = {package.get("identifier") for package in server.get("packages", [])}
    checks = (
        (mark in _text(root, "README.md"), f"README.md needs the line {mark}: the registry's proof of ownership."),
        (identifiers == {project.get("name")}, "server.json and pyproject.toml name different packages."),
        (
            project.get("readme") == "README.md",
            "pyproject.toml: the mark counts only in README.md.",
        ),
    )
    return [sentence for holds, sentence in checks if not holds]


def unpinned(root: Path) -> list[str]:
    """Return a sentence for each tool of the dev extra that another machine might have in another version."""
    extras = _project(root).get("optional-dependencies", {})
    return [f"pyproject.toml: pin {tool} with ==." for tool in extras.get("dev", []) if "==" not in tool]


LAWS = (registry_refusals, versions_apart, names_apart, unpinned)


@pytest.mark.parametrize("law", LAWS)
def test_a_release_says_one_thing(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


PYPI: dict[str, Any] = {
    "registryType": "pypi",
    "identifier": "chat",
    "version": "1.2.3",
    "runtimeHint": "uvx",
    "transport": {"type": "stdio"},
}
VALID: dict[str, Any] = {
    "$schema": SCHEMA,
    "name": "io.github.acme/chat",
    "title": "Chat",
    "description": "Chats.",
    "version": "1.2.3",
    "repository": {"url": "https://github.com/acme/chat", "source": "github"},
    "packages": [PYPI],
}
TREE = {
    "pyproject.toml": '[project]\nname = "chat"\nversion = "1.2.3"\nreadme = "README.md"\n',
    INIT: '__version__ = "1.2.3"\n',
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-01\n",
    "README.md": "# chat\n<!-- mcp-name: io.github.acme/chat -->\n",
    "server.json": json.dumps(VALID),
}


@pytest.mark.parametrize("law", LAWS)
def test_a_release_of_one_mind_is_left_alone(tmp_path: Path, law: Law) -> None:
    assert not law(plant(tmp_path, TREE))


REFUSED = {
    "an old schema": {"$schema": SCHEMA.replace("2025-12-11", "2025-09-29")},
    "a name without a namespace": {"name": "chat"},
    "a description over 100 characters": {"description": "x" * 101},
    "a field the registry does not know": {"homepage": "https://example.com"},
    "a range": {"version": ">=1.2.3"},
    "a wildcard": {"version": "1.x"},
    "a package without a transport": {"packages": [{"registryType": "pypi", "identifier": "chat"}]},
    "the latest package": {"packages": [{**PYPI, "version": "latest"}]},
    "no package": {"packages": []},
    "a remote without an address": {"remotes": [{"type": "streamable-http"}]},
    "a remote by a transport of old": {"remotes": [{"type": "sse", "url": "https://example.com/sse"}]},
    "a variable that nobody describes": {
        "remotes": [{"type": "streamable-http", "url": "https://{sequences_host}/mcp"}]
    },
    "an address that others have too": {
        "remotes": [
            {
                "type": "streamable-http",
                "url": "https://{host}/mcp",
                "variables": {"host": {"description": "Host."}},
            }
        ]
    },
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_registry_refuses_is_found(tmp_path: Path, change: dict[str, Any]) -> None:
    assert registry_refusals(plant(tmp_path, {"server.json": json.dumps({**VALID, **change})}))


@pytest.mark.parametrize("name", [name for name in TREE if name not in ("pyproject.toml", "README.md")])
def test_one_version_out_of_step_is_found(tmp_path: Path, name: str) -> None:
    assert versions_apart(plant(tmp_path, {**TREE, name: TREE[name].replace("1.2.3", "1.2.4")}))


def test_a_readme_without_its_mark_is_found(tmp_path: Path) -> None:
    assert names_apart(plant(tmp_path, {**TREE, "README.md": "# chat\n"}))


def test_a_tool_without_its_version_is_found(tmp_path: Path) -> None:
    project = '[project.optional-dependencies]\ndev = ["ruff>=0.17"]\n'
    assert unpinned(plant(tmp_path, {"pyproject.toml": project}))
