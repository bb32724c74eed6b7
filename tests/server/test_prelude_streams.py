"""The descriptors of the prelude: what it writes while nobody reads, what it leaves to the SDK and hands over."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from scripts.prelude import hello, request
from tests.secrecy.hearing import heard
from tests.world.engine import until

from sequences_mcp.server.prelude.early_output import EarlyOutput
from sequences_mcp.server.prelude.opening import Opening
from sequences_mcp.server.prelude.snapshot import FrozenAnswers
from sequences_mcp.server.prelude.standard_input import InputLines

LONG = b"x" * 200_000 + b"\n"


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Yield a pipe's two ends, which whoever is given them may close."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            try:
                os.close(end)
            except OSError:
                continue


def line(message: Mapping[str, object]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message).encode() + b"\n"


def test_answers_that_nobody_reads_yet_are_written_in_order_once_somebody_does() -> None:
    with pipe() as (reading, writing):
        output = EarlyOutput(writing)
        for answer in (b"short\n", LONG, b"last\n"):
            output.write(answer)
        output.end()
        assert not output.is_written.is_set()
        os.close(writing)
        with os.fdopen(os.dup(reading), "rb") as answers:
            assert heard("early answers", answers.read()) == b"short\n" + LONG + b"last\n"
        assert output.is_written.wait(60)


def test_short_answers_are_written_at_once_and_by_no_thread() -> None:
    with pipe() as (reading, writing):
        before = threading.active_count()
        output = EarlyOutput(writing)
        output.write(b"short\n")
        assert os.read(reading, 100) == b"short\n"
        output.end()
        output.end()
        assert output.is_written.is_set() and threading.active_count() == before


def test_a_client_that_is_gone_keeps_nobody_waiting() -> None:
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN  # as Python has it
    with pipe() as (reading, writing):
        output = EarlyOutput(writing)
        output.write(LONG)
        os.close(reading)
        output.end()
        assert output.is_written.wait(60)


def test_a_request_taken_back_in_the_same_write_is_left_to_the_sdk_with_all_that_follows() -> None:
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
    with pipe() as (reading, to_server), pipe() as (from_server, writing):
        source = InputLines(Opening(FrozenAnswers.load()))
        source.open(reading=reading, writing=writing)
        source.connected(())
        os.write(to_server, line(hello("2025-11-25")))
        assert b'"id":1' in os.read(from_server, 65_536)
        rest = [line(request("tools/list", 2)), line(cancelled), line(request("ping", 3))]
        os.write(to_server, b"".join(rest))
        os.close(to_server)
        passed: list[bytes | None] = []
        source.hand_over(passed.append)
        until(lambda: None in passed)
        assert [bytes(one or b"") for one in passed] == [
            line(hello("2025-11-25")).strip(),
            *(one.strip() for one in rest),
            b"",
        ]
        assert source.answered_before == 1
        source.close()


def test_a_list_that_depends_on_the_settings_waits_for_them_and_nothing_else_does() -> None:
    with pipe() as (reading, to_server), pipe() as (from_server, writing):
        source = InputLines(Opening(FrozenAnswers.load()))
        source.open(reading=reading, writing=writing)
        os.write(to_server, line(hello("2025-11-25")) + line(request("ping", 2)))
        with os.fdopen(os.dup(from_server), "rb") as answers:
            assert [json.loads(answers.readline())["id"] for _ in range(2)] == [1, 2]
            os.write(to_server, line(request("tools/list", 3)))
            source.connected(("clarky",))
            listed = json.loads(heard("the list", answers.readline()))
        assert "check_operation" in [tool["name"] for tool in listed["result"]["tools"]]
        source.begin_work()
        os.close(to_server)
        source.hand_over(lambda _: None)
        source.close()
