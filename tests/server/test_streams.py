"""What comes in over standard input that no client should send: it is answered, and an interrupt is obeyed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter
from tests.secrecy.hearing import heard
from tests.world.engine import until
from tests.world.loaded import product, python

from sequences_mcp.server.prelude.standard_input import LONGEST_LINE
from sequences_mcp.server.streams import id_of, read_message

HELLO: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
READY = b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'


# A test that runs in the background inherits an ignored SIGINT; a terminal gives its own.
INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import sys; "
    "sys.argv = ['sequences-mcp']; from sequences_mcp.cli import main; main()"
)


class Wire:
    """A server's standard streams, as a host has them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def send(self, line: bytes) -> None:
        """Write one line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def answer(self, number: int | str) -> dict[str, Any]:
        """Return the answer to a request."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            heard("what the server said", line.decode())
            said: dict[str, Any] = json.loads(line)
            if said.get("id") == number:
                return said
        raise AssertionError("the server ended")


@contextmanager
def server(folder: Path, *, hello: bytes = b"") -> Iterator[Wire]:
    """Yield a server that has been greeted; at the end it must end by itself once nobody talks to it."""
    environ = {**os.environ, "SEQUENCES_DATA_DIR": str(folder / "data"), "SEQUENCES_REVIEW_PAGE": "off"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            product(), env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
    wire = Wire(process)
    try:
        wire.send((hello or json.dumps(HELLO).encode()) + b"\n")
        assert "result" in wire.answer(1)
        wire.send(READY)
        yield wire
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def call(number: int, tool: str, arguments: str) -> bytes:
    """Return the line of a call, its arguments as they stand."""
    params = f'{{"name":"{tool}","arguments":{arguments}}}'
    return f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{params}}}\n'.encode()


UNREADABLE = {
    "half an emoji": (call(7, "find_contacts", r'{"query":"Mar\ud83d"}'), "half of an emoji"),
    "the other half": (call(7, "find_contacts", r'{"query":"\udc00 Mar"}'), "half of an emoji"),
    "much too deep": (call(7, "find_contacts", '{"query":' + "[" * 5000 + "]" * 5000 + "}"), "too deeply"),
    "a comma too many": (call(7, "find_contacts", '{"query":"a",}'), "no JSON"),
    "no method": (b'{"jsonrpc":"2.0","id":7,"verb":"x"}\n', "no request"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_call_that_cannot_be_read_is_answered_and_the_next_one_works(tmp_path: Path, case: str) -> None:
    line, words = UNREADABLE[case]
    with server(tmp_path) as wire:
        wire.send(line)
        said = wire.answer(7)
        wire.send(call(8, "list_providers", "{}"))
        assert "providers" in str(wire.answer(8)["result"])
    assert words in said["error"]["message"]
    assert "Nothing was done" in said["error"]["message"]


def test_a_number_of_ten_thousand_digits_is_answered(tmp_path: Path) -> None:
    with server(tmp_path) as wire:
        wire.send(call(7, "list_tasks", '{"page":' + "9" * 10_000 + "}"))
        assert wire.answer(7)


def test_a_byte_order_mark_before_the_first_line_is_passed_over(tmp_path: Path) -> None:
    with server(tmp_path, hello=b"\xef\xbb\xbf" + json.dumps(HELLO).encode()):
        pass


def test_a_line_that_is_no_json_is_told_in_the_log(tmp_path: Path) -> None:
    with server(tmp_path) as wire:
        wire.send(b"hello?\n\n")
        wire.send(call(8, "list_providers", "{}"))
        wire.answer(8)
    log = (tmp_path / "log").read_text("utf-8")
    heard("what the server logged", log)
    assert log.count("A message that cannot be read") == 1
    assert "hello" not in log


@pytest.mark.parametrize(("method", "number"), [("tools/list", 30), ("ping", 3_000)])
def test_while_nobody_reads_its_answers_a_server_goes_on_reading_and_none_is_lost(
    tmp_path: Path, method: str, number: int
) -> None:
    with server(tmp_path) as wire:
        for count in range(number):  # far more than a pipe holds, in long answers and in short ones
            wire.send(f'{{"jsonrpc":"2.0","id":"{count}","method":"{method}"}}\n'.encode())
        wire.send(b"hello?\n")
        until(lambda: "A message that cannot be read" in (tmp_path / "log").read_text("utf-8"))
        stdout = wire.process.stdout
        assert stdout is not None
        assert sorted(int(json.loads(stdout.readline())["id"]) for _ in range(number)) == [*range(number)]


def test_an_interrupt_ends_a_server_that_waits_for_its_next_line(tmp_path: Path) -> None:
    with_log = (tmp_path / "log").open("wb")
    environ = {**os.environ, "SEQUENCES_DATA_DIR": str(tmp_path / "data"), "SEQUENCES_REVIEW_PAGE": "off"}
    process = subprocess.Popen(
        [*python(), "-c", INTERRUPTIBLE],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=with_log,
    )
    wire = Wire(process)
    try:
        wire.send(json.dumps(HELLO).encode() + b"\n")
        wire.answer(1)
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout, with_log):
            if stream:
                stream.close()
    log = heard("what the server logged", (tmp_path / "log").read_text("utf-8"))
    assert status == 130, log
    assert "Traceback" not in log


@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own is POSIX's")
def test_started_by_hand_in_a_terminal_it_says_what_it_is_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    import pty

    keyboard, terminal = pty.openpty()
    environ = {**os.environ, "SEQUENCES_DATA_DIR": str(tmp_path / "data"), "SEQUENCES_REVIEW_PAGE": "off"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*python(), "-c", INTERRUPTIBLE],
            env=environ,
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
        try:
            give_up = time.monotonic() + 60
            while not (tmp_path / "data" / "sequences.db").exists() and time.monotonic() < give_up:
                os.sched_yield() if hasattr(os, "sched_yield") else None
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()
            process.wait()
            os.close(keyboard)
            os.close(terminal)
    said = (tmp_path / "log").read_text("utf-8")
    heard("what the server said", said)
    assert "is an MCP server" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ('{"id": 3, "params": {"id": 4}}', 3),
        ('{"params": {"id": 4, "x": [{"id": 5}]}, "id": "six"}', "six"),
        ('{"params": {"text": "\\"id\\": 9"}, "id": 7', 7),
        ('{"method": "id", "params": {"id": 1}}', None),
        ('[{"id": 1}]', None),
        ("no json", None),
        ('{"id": null}', None),
    ],
)
def test_the_id_of_a_request_is_found_past_what_cannot_be_read(line: str, own: int | str | None) -> None:
    assert id_of(line) == own


def test_a_whole_emoji_is_readable_and_the_limit_holds_a_start_of_ten_thousand_people() -> None:
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"a": "Mar😀"}})
    assert isinstance(read_message(text), SessionMessage)
    assert LONGEST_LINE > 10_000 * 3_000


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc":"2.0","id":7,"method":"x","params":{"p":[1,2.5,null,true,"é😀"]}}',
        '{"jsonrpc":"2.0","id":1.0,"method":"x"}',
        '{"jsonrpc":"2.0","id":true,"method":"x"}',
        '{"jsonrpc":"2.0","id":"7","method":"x","result":{}}',
        '{"jsonrpc":"2.0","id":7,"result":{}}',
        '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"s","data":[{"a":1}]}}',
        '{"jsonrpc":"2.0","method":"x"}',
        '{"jsonrpc":"2.0","id":7,"id":8,"method":"x","params":{"a":1,"a":2}}',
        '{"jsonrpc":"2.0","id":12345678901234567890123,"method":"x"}',
    ],
)
def test_a_line_is_the_message_that_the_sdk_makes_of_it(line: str) -> None:
    read = read_message(line)
    assert isinstance(read, SessionMessage)
    assert repr(read.message) == repr(jsonrpc_message_adapter.validate_json(line, by_name=False))
