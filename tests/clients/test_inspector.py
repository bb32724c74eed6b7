"""The MCP Inspector's command line as a client, over standard input and output and over HTTP, where it is."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.hosting.test_serve_command import begun
from tests.secrecy.hearing import heard
from tests.world.installation import PATIENCE, Installation
from tests.world.product import GRACE

from sequences_mcp.server.catalog import TOOLS
from sequences_mcp.server.skills import SKILLS


async def inspected(installation: Installation, *arguments: str) -> list[Any]:
    """Run the Inspector and return what it prints, a line of JSON each."""
    inspector, node = os.environ.get("MCP_INSPECTOR"), os.environ.get("NODE_22")
    if not inspector or not node:
        pytest.skip("MCP_INSPECTOR and NODE_22 do not name the Inspector and the node it needs")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(installation.folder),
        "MCP_INSPECTOR_SECRET_STORE": "memory",
    }
    pipe = asyncio.subprocess.PIPE
    command = [node, inspector, "--cli", *arguments, "--format", "json"]
    running = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(PATIENCE):
        out, err = await running.communicate()
    assert running.returncode == 0, err.decode()[-2000:]
    return [json.loads(line) for line in heard("the Inspector", out).splitlines()]


async def seen(installation: Installation, *server: str) -> tuple[list[str], str, set[str], int]:
    """Return the tools, whom a call found, the resources, and of how many skills every digest was right.

    The skills are those of the newer era, in which alone a server declares the extension.
    """
    [tools] = await inspected(installation, *server, "--method", "tools/list", "--strict")
    call = ("--method", "tools/call", "--tool-name", "find_contacts", "--tool-arg", "query=hopper")
    [called] = await inspected(installation, *server, *call)
    [resources] = await inspected(installation, *server, "--method", "resources/list")
    verified = ("--protocol-era", "modern", "--method", "skills/list", "--verify", "--require-digests")
    skills = await inspected(installation, *server, *verified)
    return (
        [tool["name"] for tool in tools["result"]["tools"]],
        called["result"]["structuredContent"]["items"][0]["first_name"],
        {one["uri"] for one in resources["result"]["resources"]},
        len(skills),
    )


@pytest.fixture
async def installation(tmp_path: Path) -> Installation:
    """An installation that knows one person."""
    made = Installation(tmp_path)
    async with made.client() as desktop:
        await desktop.contact(**GRACE)
    return made


async def test_the_inspector_sees_all_over_standard_input_and_output(installation: Installation) -> None:
    given = [part for name, value in installation.environ.items() for part in ("-e", f"{name}={value}")]
    tools, found, resources, skills = await seen(installation, *given, sys.executable, "-m", "sequences_mcp")
    assert (tools, found, skills) == (list(TOOLS), "Grace", len(SKILLS))
    assert "profile://sender" in resources


async def test_the_inspector_sees_all_over_http(installation: Installation) -> None:
    async with begun(installation) as serving:
        header = f"Authorization: Bearer {serving.token}"
        tools, found, resources, skills = await seen(installation, serving.url, "--header", header)
    assert (tools, found, skills) == (list(TOOLS), "Grace", len(SKILLS))
    assert "profile://sender" in resources
