"""The server as a host starts it: a process that speaks MCP on its standard streams."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mcp import StdioServerParameters
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard
from tests.world.loaded import product
from tests.world.product import GRACE, MAIL, Desktop, yes

from sequences_mcp.server.catalog import TOOLS


async def test_the_whole_start_works_over_standard_streams(tmp_path: Path, era: str) -> None:
    async def dialog(context: object, params: object) -> object:
        return yes("")

    environment = {
        "SEQUENCES_DATA_DIR": str(tmp_path),
        "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>",
        "SEQUENCES_WORKER": "off",
    }
    server = StdioServerParameters(command=sys.executable, args=["-m", "sequences_mcp"], env=environment)
    async with Client(server, mode=era, elicitation_callback=dialog) as client:  # type: ignore[arg-type]
        desktop = Desktop(client)
        assert [tool.name for tool in (await client.list_tools()).tools] == list(TOOLS)
        blueprint = await desktop.blueprint(MAIL)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        assert (await desktop.refused("get_sequence", sequence_id=blueprint))["code"] == "wrong_id"
    assert (started["approval"], started["outcome"]) == ("given", "done")


@pytest.mark.parametrize(("setting", "served"), [("on", True), ("off", False)])
async def test_the_operator_can_keep_the_page_out_of_a_server(tmp_path: Path, setting: str, served: bool) -> None:
    environment = {
        "SEQUENCES_DATA_DIR": str(tmp_path),
        "SEQUENCES_WORKER": "off",
        "SEQUENCES_REVIEW_PAGE": setting,
    }
    command, *arguments = product()
    server = StdioServerParameters(command=command, args=arguments, env=environment)
    async with Client(server) as client:
        ways = (await Desktop(client).call("list_providers"))["approval"]
    assert any("http://localhost:" in way for way in ways) == served


HEAVY = ("jinja2", "sqlite3", "phonenumbers", "smtplib", "sequences_mcp.guards", "sequences_mcp.engine")


def test_a_server_is_built_and_lists_its_tools_without_anything_heavy() -> None:
    program = (
        "import asyncio, sys\n"
        "from sequences_mcp.server.app import build_server\n"
        "server = build_server(lambda: None)\n"
        "asyncio.run(server.list_tools()); asyncio.run(server.list_prompts())\n"
        f"print([name for name in sys.modules if name.startswith({HEAVY!r})])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heard("what the server said", ran.stdout + ran.stderr)
    assert ran.stdout == "[]\n"


def test_what_a_first_call_needs_is_loaded_before_anybody_calls(tmp_path: Path) -> None:
    environment = {**os.environ, "SEQUENCES_DATA_DIR": str(tmp_path), "SEQUENCES_REVIEW_PAGE": "off"}
    command = (sys.executable, "-X", "importtime", "-m", "sequences_mcp")
    wanted = {"sequences_mcp.engine.plans", "sequences_mcp.server.arguments"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as server:
        assert server.stderr is not None
        bound = threading.Timer(120, server.kill)
        bound.start()
        for line in server.stderr:  # ends with the process
            wanted.discard(line.rpartition("|")[2].strip())
            if not wanted:
                break
        server.communicate()
        bound.cancel()
    assert not wanted
