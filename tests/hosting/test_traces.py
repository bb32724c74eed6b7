"""Spans reach a collector over OTLP, and have nothing of what a caller wrote."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.hosting.test_serve_command import begun
from tests.secrecy.hearing import heard
from tests.world.installation import Installation

SECRETIVE = "Quetzalcoatl-4711"


class FakeCollector(ThreadingHTTPServer):
    """A collector that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Collecting)
        self.kept: list[bytes] = []

    @property
    def spans(self) -> list[Any]:
        """Every span that came."""
        found = []
        for body in self.kept:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


class _Collecting(BaseHTTPRequestHandler):
    server: FakeCollector

    def do_POST(self) -> None:
        self.server.kept.append(heard("spans", self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    """A collector on loopback."""
    server = FakeCollector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(60)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_each_request_and_call_has_a_span_without_a_word_of_the_caller(
    tmp_path: Path, collector: FakeCollector, mode: str
) -> None:
    address = f"http://127.0.0.1:{collector.server_address[1]}/v1/traces"
    async with begun(Installation(tmp_path), "--traces", address) as serving:
        async with serving.client(mode) as desktop:
            await desktop.call("find_contacts", query=SECRETIVE)
            await desktop.refused("get_blueprint", blueprint_id=SECRETIVE)
            with pytest.raises(MCPError):
                await desktop.client.get_prompt(SECRETIVE)
            await desktop.raw(SECRETIVE)
        assert await serving.ended() == 0
    names = [span.name for span in collector.spans]
    assert {
        "tools/call find_contacts",
        "tools/call get_blueprint",
        "tools/call",
        "prompts/get",
        "POST /mcp",
    } <= set(names)
    failed = {span.name for span in collector.spans if span.status.code == 2}
    assert {"tools/call get_blueprint", "tools/call", "prompts/get"} <= failed
    assert "tools/call find_contacts" not in failed
    whole = b"".join(collector.kept)
    assert SECRETIVE.encode() not in whole
    assert serving.token.encode() not in whole
    assert not any(span.events or span.status.message for span in collector.spans)


def test_an_address_that_is_none_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sequences_mcp", "serve", "--traces", "collector"]
    environment = {**Installation(tmp_path).environ, "PATH": ""}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode != 0
    assert "--traces is the address that spans are sent to" in heard("serve", ran.stderr)


def test_nothing_of_opentelemetrys_sdk_is_loaded_where_no_spans_are_asked_for() -> None:
    loads = "import sys, sequences_mcp.serve, sequences_mcp.cli.serve, sequences_mcp.server.http.app as _; "
    listed = (
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    ran = subprocess.run([sys.executable, "-c", loads + listed], capture_output=True, text=True, timeout=120)
    assert ran.stdout == "[]\n", ran.stderr
