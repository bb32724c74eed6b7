"""The clock on Temporal: a run's timers are a workflow's, and nobody is mailed twice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from tests.world.engine import EMAIL, LATER, EngineWorld
from tests.world.mail_servers import CALM, mail_server
from tests.world.temporal import ServedProcess, SkippingServer, needs_skipping, skipping_server, until

from sequences_mcp.domain.blueprint import Delay, DelayUnit
from sequences_mcp.engine.channels.smtp import deliver_by_smtp

pytestmark = needs_skipping
WEEK = LATER.model_copy(update={"id": "s3", "name": "Last", "delay": Delay(value=7, unit=DelayUnit.DAY)})


@pytest.fixture
def temporal() -> Iterator[SkippingServer]:
    """A server of Temporal that skips time."""
    with skipping_server() as server:
        yield server


@pytest.fixture
def timed(world: EngineWorld, temporal: SkippingServer) -> EngineWorld:
    """The world at the time of the server."""
    world.clock.now = temporal.now()
    return world


async def test_three_steps_over_ten_days_leave_by_smtp_each_once(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    ann = await timed.contact("ann@example.org")
    blueprint = await timed.blueprint(EMAIL, LATER, WEEK)
    await timed.approved(ann, blueprint=blueprint)
    with mail_server() as running:
        deliver = partial(deliver_by_smtp, running.server(), timeouts=CALM)
        with ServedProcess(world=timed, target=temporal.target, now=temporal.now, deliver=deliver):
            until(lambda: len(running.inbox.taken) == 1)
            temporal.forward(days=4)
            until(lambda: len(running.inbox.taken) == 2)
            temporal.forward(days=8)
            until(lambda: len(running.inbox.taken) == 3)
            [run] = await timed.runs()
            assert [step.state for step in run.steps] == ["sent", "sent", "sent"]
