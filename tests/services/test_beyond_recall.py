"""Whoever stops, pauses or suppresses while an e-mail is past its point of no return is told so."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.product import LINKEDIN, MAIL, Bureau, Desktop, people, tomorrow, yes

from sequences_mcp.bootstrap import open_worker

DEEDS: dict[str, dict[str, Any]] = {
    "stop_sequence": {"reason": "LOSE"},
    "pause_sequence": {"paused_until": tomorrow()},
    "suppress_contact": {"reason": "asked"},
    "record_reply": {"answer": "replied"},
}


async def in_flight(bureau: Bureau, desktop: Desktop, point: str) -> str:
    """Start a run whose worker ends at a point of the delivery; return its id."""
    blueprint = await desktop.blueprint(MAIL, LINKEDIN)
    begun = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(1))

    def die(here: str) -> None:
        if here == point:
            raise KeyboardInterrupt  # as final for a worker as a kill

    with open_worker(bureau.settings, clock=bureau.clock) as worker:
        worker.at = die
        with pytest.raises(KeyboardInterrupt):
            worker.run_due()
    return str(begun["sample"]["sequence_id"])


def who(tool: str, run: str) -> dict[str, str]:
    """Return whom a tool is to be told of."""
    names = {"suppress_contact": "contact", "record_reply": "who"}
    return {names.get(tool, "sequence_id"): "person0@hopper.example" if tool == "suppress_contact" else run}


@pytest.mark.parametrize("tool", DEEDS)
async def test_what_is_past_the_point_of_no_return_is_said_to_be(bureau: Bureau, tool: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await in_flight(bureau, desktop, "handed_over")
        done = await desktop.call(tool, **who(tool, run), **DEEDS[tool])
    assert done["outcome"] == "done"
    assert done["sent"].startswith("unknown: 1 e-mail was already with the mail server and may arrive")


@pytest.mark.parametrize("tool", DEEDS)
async def test_what_was_only_begun_is_taken_back_and_nothing_was_sent(bureau: Bureau, tool: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await in_flight(bureau, desktop, "claimed")
        done = await desktop.call(tool, **who(tool, run), **DEEDS[tool])
    assert done["sent"] == "nothing"
    bureau.forward(minutes=15)
    bureau.work()
    assert bureau.outbox == []
