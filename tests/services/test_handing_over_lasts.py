"""Approved starts are handed over for as long as the process lives, whatever one look meets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.supervisor import VENDORS, Heartbeat, in_files
from sequences_mcp.services.enrolment import enrol_until_cancelled

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


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


async def test_a_fault_does_not_end_the_handing_over_and_is_shown(tmp_path: Path) -> None:
    app = FakeDesk()
    pulse = Heartbeat(Workspace(tmp_path), VENDORS, lambda: NOON)
    task = asyncio.create_task(enrol_until_cancelled(cast("Any", app), beat=pulse.beat, trouble=pulse.trouble))
    await app.vendor_runs.asked.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    [shown] = in_files(Workspace(tmp_path), now=NOON)
    assert (shown.label, shown.error_since) == ("vendors", NOON)
    assert "FileNotFoundError" in (shown.error or "")
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
