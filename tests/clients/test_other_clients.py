"""Clients that others wrote, each in an environment of its own, over standard input and output and over HTTP.

``CLIENTS`` is a folder with an environment for each client of Python, ``CLIENTS_NPM`` one with packages of npm; CI
makes both. Every client lists the tools, finds somebody, plans a start and reads why a text is refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from tests.hosting.test_serve_command import begun
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard
from tests.world.installation import PATIENCE, Installation
from tests.world.product import GRACE, MAIL, Desktop, text_of

HERE = Path(__file__).parent
PYTHON = {"fastmcp": "fastmcp_client.py", "langchain": "langchain_adapter.py", "openai": "openai_agents.py"}
TYPESCRIPT = ("@modelcontextprotocol/sdk", "@modelcontextprotocol/client")
BLANK = {**MAIL, "content": "Hi [first name], may I call you?"}


def command_of(client: str) -> list[str]:
    """Return the command of a client's program; the test is skipped where the client is not installed."""
    if client in PYTHON:
        interpreter = Path(os.environ.get("CLIENTS", "")) / client / "bin" / "python"
        if not os.environ.get("CLIENTS") or not interpreter.exists():
            pytest.skip(f"CLIENTS names no folder with an environment for {client}")
        return [str(interpreter), str(HERE / PYTHON[client])]
    return ["node", str(HERE / "typescript_sdk.mjs"), require_npm(client)]


def require_npm(package: str) -> str:
    """Return the package; the test is skipped where it is not installed."""
    if not (Path(os.environ.get("CLIENTS_NPM", "")) / "node_modules" / package / "package.json").exists():
        pytest.skip(f"CLIENTS_NPM names no folder with {package}")
    return package


@dataclass
class Office:
    """An installation with a blueprint and a person, and how a client is told to connect to it."""

    installation: Installation
    blueprint: str

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """What every client calls."""
        return [
            ("find_contacts", {"query": "hopper"}),
            ("start_sequence", {"blueprint_id": self.blueprint, "contacts": [GRACE["email"]]}),
            ("create_blueprint", {"name": "Blank", "steps": [BLANK]}),
        ]

    def started(self) -> dict[str, Any]:
        """Return how a client that starts a server itself is told to."""
        environment = {"PATH": os.environ["PATH"], **self.installation.environ}
        return {"command": [sys.executable, "-m", "sequences_mcp"], "environment": environment}

    @asynccontextmanager
    async def served(self) -> AsyncIterator[dict[str, str]]:
        """Serve over HTTP, and return how a client is told to connect."""
        async with begun(self.installation) as serving:
            yield {"url": serving.url, "token": serving.token}
            assert await serving.ended() == 0


@pytest.fixture
async def office(tmp_path: Path) -> Office:
    """An office that a client of this suite has prepared."""
    installation = Installation(tmp_path)
    async with installation.client() as desktop:
        blueprint = await desktop.blueprint()
        await desktop.contact()
    return Office(installation, blueprint)


async def seen_by(command: list[str], wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Run a client's program and return what it saw by each way to connect."""
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(PATIENCE):
        out, err = await running.communicate(json.dumps(wanted).encode())
    assert running.returncode == 0, err.decode()[-3000:]
    saw: list[dict[str, Any]] = json.loads(heard("what another client saw", out).decode().strip().splitlines()[-1])
    return saw


def require_seen(office: Office, saw: Mapping[str, Any]) -> None:
    """Require that the answers came whole, that the errors have their words, and that nothing was sent."""
    assert {"find_contacts", "start_sequence", "stop_sequence"} <= set(saw["tools"])
    found, planned, refused = (json.loads(answer["text"]) for answer in saw["answers"])
    assert [one["first_name"] for one in found["items"]] == ["Grace"]
    assert (planned["outcome"], planned["sent"]) == ("waiting_for_approval", "nothing")
    assert "review" in planned["next"]
    assert (refused["outcome"], refused["code"]) == ("refused", "refused_by_guards")
    assert "[first name]" in json.dumps(refused) and refused["next"]
    assert [answer.get("is_error", which == 2) for which, answer in enumerate(saw["answers"])] == [
        False,
        False,
        True,
    ]
    assert not list((office.installation.data / "outbox").glob("*.eml"))


@pytest.mark.parametrize("client", [*PYTHON, *TYPESCRIPT])
async def test_a_client_of_others_reads_every_answer_and_nothing_is_sent(client: str, office: Office) -> None:
    command = command_of(client)
    async with office.served() as address:
        ways = [office.started(), address]
        saw = await seen_by(command, [{**way, "calls": office.calls()} for way in ways])
    for each in saw:
        require_seen(office, each)
    assert len(saw) == len(ways)


async def test_mcp_remote_hands_everything_on_from_a_host_that_only_starts_programs(office: Office) -> None:
    package = Path(os.environ.get("CLIENTS_NPM", "")) / "node_modules" / require_npm("mcp-remote")
    async with office.served() as address:
        header = office.installation.folder / "header.txt"
        header.write_text(f"Authorization: Bearer {address['token']}\n", encoding="utf-8")
        options = ["--header-file", str(header), "--transport", "http-only"]
        server = StdioServerParameters(
            command="node",
            args=[str(package / "dist/proxy.js"), address["url"], *options],
            env={"PATH": os.environ["PATH"], "HOME": str(office.installation.folder)},
        )
        async with Client(server, mode="legacy") as client:
            desktop = Desktop(client)
            tools = [tool.name for tool in (await client.list_tools()).tools]
            answers = [await desktop.raw(name, **arguments) for name, arguments in office.calls()]
        header.unlink()
    texts = [{"text": text_of(answer), "is_error": bool(answer.is_error)} for answer in answers]
    require_seen(office, {"tools": tools, "answers": texts})
