"""A server started as a chat starts it: what the prelude answers, when, and what becomes of the conversation.

The SDK waits at a gate in the tests about what happens before it is there: its import writes a byte and reads one.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from scripts.prelude import ENVELOPE, hello, request
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard
from tests.world.engine import until
from tests.world.loaded import product

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.last_start import last_start, note_start
from sequences_mcp.server.catalog import listed_tools

READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
KEYS = {"KALENT_API_KEY": "kalent_none", "CLARKY_API_KEY": "ck_live_none", "TOPO_API_KEY": "topo_none"}
ALL_VENDORS = ("kalent", "clarky", "topo")
PROTOCOL = "2025-11-25"
GATED = """
import signal, socket, sys
gate = socket.socket(fileno=GATE)

class Gate:
    def find_spec(self, name, path=None, target=None):
        if name == "mcp":
            sys.meta_path.remove(self)
            gate.send(b".")
            gate.recv(1)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Gate())
sys.argv = ["sequences-mcp"]
from sequences_mcp.cli import main
main()
"""


class Chat:
    """A client of a server that was started, and the gate at which its SDK waits, where there is one."""

    def __init__(self, process: subprocess.Popen[bytes], gate: socket.socket) -> None:
        self.process = process
        self._gate = gate

    def send(self, *messages: dict[str, Any] | bytes) -> None:
        """Write messages at once."""
        lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in messages]
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.flush()

    def read(self, count: int = 1) -> list[dict[str, Any]]:
        """Return the next messages of the server."""
        assert self.process.stdout is not None
        lines = [heard("what the server said", self.process.stdout.readline()) for _ in range(count)]
        return [json.loads(line) for line in lines]

    def wait_at_gate(self) -> None:
        """Return once the SDK is about to be loaded."""
        assert self._gate.recv(1)

    def open_gate(self) -> None:
        """Let the SDK be loaded."""
        self._gate.send(b".")

    def unread(self) -> int:
        """Return how many bytes of the input the server has not read."""
        assert self.process.stdin is not None
        counted = fcntl.ioctl(self.process.stdin, termios.FIONREAD, bytes(4))
        return int.from_bytes(counted, sys.byteorder)

    def rest(self) -> bytes:
        """Close the input and return what comes until the server has ended, by itself."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        rest = heard("what the server said at its end", self.process.stdout.read())
        assert self.process.wait(60) == 0
        return rest


@contextmanager
def chat(folder: Path, command: Sequence[str] = (), **environ: str) -> Iterator[Chat]:
    """Start a server, or with ``command`` another program; without that its SDK waits at the gate."""
    inner, outer = socket.socketpair()
    whole = command or (sys.executable, "-c", GATED.replace("GATE", str(inner.fileno())))
    settings = {"SEQUENCES_DATA_DIR": str(folder / "data"), "SEQUENCES_REVIEW_PAGE": "off", **environ}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            whole,
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=(inner.fileno(),),
        )
    inner.close()
    try:
        yield Chat(process, outer)
    finally:
        outer.close()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()
        heard("what the server logged", (folder / "log").read_bytes())


def call(number: int, tool: str = "list_tasks", **params: Any) -> dict[str, Any]:
    """Return the call of a tool."""
    return request("tools/call", number, name=tool, arguments={}, **params)


def test_everything_a_chat_begins_with_is_answered_before_the_sdk_is_there(tmp_path: Path) -> None:
    with chat(tmp_path) as host:
        host.send(hello(PROTOCOL))
        assert host.read()[0]["result"]["protocolVersion"] == PROTOCOL
        host.send(READY, request("tools/list", 2), request("prompts/list", 3), request("resources/list", 4))
        assert [answer["id"] for answer in host.read(3)] == [2, 3, 4]
        host.send(request("resources/templates/list", 5), request("ping", 6))
        assert [answer["id"] for answer in host.read(2)] == [5, 6]
        host.send(call(7), request("ping", 8))
        host.wait_at_gate()
        assert host.unread() == 0
        host.open_gate()
        answers = host.read(2)
        assert sorted(answer["id"] for answer in answers) == [7, 8]
        assert next(answer for answer in answers if answer["id"] == 7)["result"]["structuredContent"] is not None
        assert host.rest() == b""


def test_the_modern_era_goes_on_as_it_began(tmp_path: Path) -> None:
    with chat(tmp_path, **KEYS) as host:
        host.send(request("tools/list", 1, _meta=ENVELOPE))
        names = [tool["name"] for tool in host.read()[0]["result"]["tools"]]
        assert names == [tool.name for tool in listed_tools(ALL_VENDORS)]
        host.send(call(1, _meta={**ENVELOPE, "progressToken": "p"}), hello(PROTOCOL))
        host.open_gate()
        answers = host.read(2)
        called = next(answer for answer in answers if "result" in answer)
        refused = next(answer for answer in answers if "error" in answer)
        assert called["id"] == 1 and called["result"]["structuredContent"]["items"] == []
        assert refused["error"]["code"] == -32022
        assert host.rest() == b""


def test_a_chat_that_only_looks_leaves_at_once_and_nothing_was_opened(tmp_path: Path) -> None:
    with chat(tmp_path) as host:
        host.send(hello(PROTOCOL), READY, request("tools/list", 2))
        host.read(2)
        assert host.rest() == b""
    assert not (tmp_path / "data").exists()


def test_what_waits_when_the_input_ends_is_still_the_sdks(tmp_path: Path) -> None:
    with chat(tmp_path) as host:
        host.send(hello(PROTOCOL), READY, b"[]", call(2, "no_such_tool"))
        host.read()
        host.open_gate()
        assert host.process.stdin is not None
        host.rest()
    assert (tmp_path / "data").exists()
    assert "cannot be read" in (tmp_path / "log").read_text("utf-8")


@pytest.mark.parametrize("wrong", [{"SEQUENCES_DAILY_CAP": "many"}, {**KEYS, "KALENT_API_KEY": "two words"}])
def test_with_settings_that_are_wrong_no_vendor_is_connected_and_each_call_says_so(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    with chat(tmp_path, (*product(),), **wrong) as host:
        host.send(hello(PROTOCOL), READY, request("tools/list", 2), call(3))
        greeting, listed, called = sorted(host.read(3), key=lambda answer: str(answer["id"]))
        assert greeting["id"] == 1
        assert [tool["name"] for tool in listed["result"]["tools"]] == [tool.name for tool in listed_tools()]
        assert "settings are wrong" in str(called["result"])
        assert host.rest() == b""


def test_a_call_in_the_first_millisecond_is_answered_in_its_place(tmp_path: Path) -> None:
    with chat(tmp_path, product()) as host:
        host.send(call(5), hello(PROTOCOL), READY, call(6))
        first, greeting, called = host.read(3)
        assert first["error"]["message"] == "Invalid request parameters"
        assert greeting["id"] == 1 and called["result"]["structuredContent"]["items"] == []
        assert host.rest() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="what a pipe holds is told to its writer on Linux")
def test_switched_off_nothing_is_even_read_before_the_sdk_is_there(tmp_path: Path) -> None:
    with chat(tmp_path, SEQUENCES_PRELUDE="off") as host:
        host.send(hello(PROTOCOL))
        host.wait_at_gate()
        assert host.unread() == len(json.dumps(hello(PROTOCOL))) + 1
        host.open_gate()
        assert host.read()[0]["id"] == 1
        assert host.rest() == b""


@pytest.mark.parametrize(
    ("switch", "words"),
    [("on", "the last server here began with 2 early answers, "), ("off", "began without early answers, ")],
)
def test_doctor_says_what_the_last_server_used(tmp_path: Path, switch: str, words: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with chat(tmp_path, SEQUENCES_PRELUDE=switch) as host:
        host.send(hello(PROTOCOL), READY, request("tools/list", 2))
        if switch == "on":
            host.read(2)
        host.open_gate()
        if switch == "off":
            host.read(2)
        until(Workspace(data).last_start.exists)
        assert host.rest() == b""
    told = subprocess.run(
        [*product(), "doctor"],
        env={**os.environ, "SEQUENCES_DATA_DIR": str(data)},
        capture_output=True,
        check=False,
        text=True,
    )
    [line] = [line for line in heard("what doctor said", told.stdout).splitlines() if "start:" in line]
    assert words in line


def test_what_is_noted_of_a_start_in_another_way_is_not_told(tmp_path: Path) -> None:
    noted = Workspace(tmp_path).last_start
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    for answers in (0, 1):
        note_start(noted, answers=answers, now=now)
        assert last_start(noted).endswith(", 2026-03-02 09:00 UTC")
    for wrong in (
        "",
        "[]",
        '{"at": "now", "answers": 1}',
        '{"at": "2026-03-02T09:00:00+00:00", "answers": "many"}',
    ):
        noted.write_text(wrong)
        assert last_start(noted) == ""
    note_start(tmp_path / "nowhere" / "last-start.json", answers=1, now=now)
    assert not (tmp_path / "nowhere").exists()


def test_an_interrupt_while_the_sdk_is_loaded_ends_the_server_as_ever(tmp_path: Path) -> None:
    with chat(tmp_path) as host:
        host.send(hello(PROTOCOL), READY, request("tools/list", 2))
        host.read(2)
        host.process.send_signal(signal.SIGINT)
        assert host.process.wait(60) == 130
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")


def test_a_file_of_settings_connects_vendors_too(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings = tmp_path / "data" / "settings.toml"
    settings.write_text('[topo]\napi_key = { env = "OF_MY_OWN" }\n', encoding="utf-8")
    settings.chmod(0o600)
    with chat(tmp_path, OF_MY_OWN="topo_none") as host:
        host.send(hello(PROTOCOL), READY, request("tools/list", 2))
        names = [tool["name"] for tool in host.read(2)[1]["result"]["tools"]]
        assert names == [tool.name for tool in listed_tools(("topo",))]


@pytest.mark.parametrize("switch", ["on", "off"])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_real_client_sees_the_frozen_list_either_way(tmp_path: Path, mode: str, switch: str) -> None:
    command, *arguments = product()
    environ = {**os.environ, "SEQUENCES_DATA_DIR": str(tmp_path), "SEQUENCES_REVIEW_PAGE": "off", **KEYS}
    server = StdioServerParameters(command=command, args=arguments, env={**environ, "SEQUENCES_PRELUDE": switch})
    async with Client(server, mode=mode) as client:
        assert (await client.list_tools()).tools == listed_tools(ALL_VENDORS)
        assert len((await client.list_prompts()).prompts) > 2
        assert (await client.list_resources()).resources
        assert (await client.list_resource_templates()).resource_templates
        result = await client.call_tool("list_tasks", {})
        assert not result.is_error
