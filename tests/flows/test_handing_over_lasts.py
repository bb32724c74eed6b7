"""Approved starts are handed over for as long as the process lives, whatever one look meets."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from sequences_mcp.flows.hand_over import hand_over_until_cancelled


class FakeRuns:
    """Runs at vendors that cannot be read."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def waiting(self) -> list[object]:
        """Fail in a way that nobody has thought of."""
        self.asked.set()
        raise FileNotFoundError("the data folder is gone")


class FakeDesk:
    """A desk with nothing but these runs."""

    def __init__(self) -> None:
        self.vendor_runs = FakeRuns()


async def test_a_fault_does_not_end_the_handing_over() -> None:
    desk = FakeDesk()
    task = asyncio.create_task(hand_over_until_cancelled(cast("Any", desk)))
    await desk.vendor_runs.asked.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
