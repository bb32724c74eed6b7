"""`sequences-mcp work` as a process whose clock is a real Temporal server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.test_processes import _statuses
from tests.e2e.test_saying_yes import blueprint_of
from tests.e2e.test_story import HELLO, PEOPLE
from tests.world.installation import Installation, until
from tests.world.mail_servers import PostOffice
from tests.world.product import yes
from tests.world.temporal import dev_server, needs_temporal

from sequences_mcp.doctor import examine


@needs_temporal
async def test_a_start_in_a_chat_is_sent_by_a_worker_that_temporal_wakes(
    installation: Installation, office: PostOffice, tmp_path: Path
) -> None:
    with dev_server(tmp_path) as server:
        timed = installation.having(WORKER="off", TEMPORAL=server.target)
        async with timed.client("auto", yes) as desktop, timed.working():
            blueprint = await blueprint_of(desktop, HELLO)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=PEOPLE[:1])
            await asyncio.to_thread(office.wait_for, 1)
            await until(lambda: _statuses(desktop), lambda statuses: statuses == ["COMPLETED"])
            compared, doctor = await asyncio.gather(timed.run("clock", "reconcile"), timed.run("doctor"))
            assert compared[:2] == (0, "0 live runs; 0 workflows begun, 0 ended.\n")
            assert f"ok   timers: kept by Temporal at {server.target}, which answers" in doctor[1]
        server.kill()
        lines, _ = await asyncio.to_thread(examine, timed.environ, sends_test=False, asks_dns=False)
        refused = f"timers: Temporal at {server.target} does not answer: the connection was refused."
        assert any(refused in str(line) for line in lines)
    assert len(office.sent) == 1
