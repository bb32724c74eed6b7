"""The sandbox is served by a command, and says what a client needs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile

import httpx
from tests.secrecy.hearing import heard

from sequences_sandbox.seeds import KEYS_KEYS


def test_the_command_prints_a_block_that_works_and_ends_when_told_to() -> None:
    command = [sys.executable, "-u", "-m", "sequences_mcp", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as serving:
        assert serving.stdout is not None
        opening = iter(serving.stdout.readline, "")
        block = "{\n" + "".join(takewhile(lambda line: line != "\n", _after_brace(opening)))
        heard("the sandbox's welcome", block)
        environment = json.loads(block)["mcpServers"]["sequences"]["env"]
        answer = httpx.get(
            environment["TOPO_BASE_URL"] + "/me",
            headers={"authorization": f"Bearer {KEYS_KEYS['topo'][0].token}"},
            trust_env=False,
        )
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=60)
    assert answer.status_code == 200
    assert environment["TOPO_API_KEY"] == KEYS_KEYS["topo"][0].token


def _after_brace(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == "{\n":
            return lines
    raise AssertionError("no block was printed")
