"""Raw JSON-RPC over a child's pipes, in both protocol eras: no client library inside a measurement.

Linux only: memory and processor time are read from /proc.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

Era = Literal["legacy", "modern"]
ERAS: tuple[Era, ...] = ("legacy", "modern")
LEGACY, MODERN = "2025-11-25", "2026-07-28"
CLIENT = {"name": "bench", "version": "0"}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}
BARE = (sys.executable, str(Path(__file__).with_name("bare.py")))
PRODUCT = (sys.executable, "-m", "sequences_mcp")


class Child:
    """A server in its own process; ``notices`` keeps the notifications it sent."""

    def __init__(self, command: Sequence[str], *, era: Era = "modern", settings: Mapping[str, str] | None = None):
        self.era = era
        self.notices: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(settings or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def list_tools(self) -> list[dict[str, Any]]:
        """Connect as a host of this era does and return the first tools/list answer."""
        if self.era == "legacy":
            self.request("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT})
            self._send(_line({"method": "notifications/initialized"}))
        tools: list[dict[str, Any]] = self.request("tools/list", {})["tools"]
        return tools

    def call(self, tool: str, arguments: Mapping[str, Any], *, progress: bool = False) -> dict[str, Any]:
        """Call a tool and return its result, an error result included."""
        params: dict[str, Any] = {"name": tool, "arguments": arguments}
        return self.request("tools/call", {**params, "_meta": {"progressToken": "p"}} if progress else params)

    def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request and return its result; RuntimeError for a protocol error or a server that is gone."""
        number, line = self.ready(method, params)
        self._send(line)
        while True:
            message: dict[str, Any] = json.loads(self._receive())
            if message.get("id") != number:
                self.notices.append(message)
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error']}")
            else:
                result: dict[str, Any] = message["result"]
                return result

    def ready(self, method: str, params: Mapping[str, Any]) -> tuple[int, bytes]:
        """Return the number and the line of a request that ``exchange`` may send any number of times."""
        number = next(self._ids)
        meta = {**(META if self.era == "modern" else {}), **params.get("_meta", {})}
        whole = {**params, "_meta": meta} if meta else params
        return number, _line({"id": number, "method": method, "params": whole})

    def exchange(self, line: bytes) -> bytes:
        """Send one line and return the line that comes back, unread: what a latency is measured with."""
        self._send(line)
        return self._receive()

    def _send(self, line: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _receive(self) -> bytes:
        assert self._process.stdout
        if not (line := self._process.stdout.readline()):
            raise RuntimeError("the server closed its output")
        return line

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def memory_mb(self) -> float:
        """Resident memory, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def precise_processor_ms(self) -> float:
        """Processor time of all threads that run so far in ms, as the scheduler counts it."""
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((one / "schedstat").read_text(encoding="ascii").split()[0]) for one in threads) / 1e6

    def processor_ms(self) -> float:
        """Processor time used so far in ms, in steps of 10: steadier than the clock on a busy machine."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
