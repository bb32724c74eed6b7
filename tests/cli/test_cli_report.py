"""``report``: what came of blueprints at a terminal, as lines and as JSON."""

from __future__ import annotations

import asyncio
import json

from tests.cli.terminal import Terminal
from tests.world.product import MAIL, Bureau, people, yes


def started(bureau: Bureau, number: int = 3) -> str:
    """Start so many people and do what is due; return the blueprint's id."""

    async def run() -> str:
        async with bureau.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(number))
            bureau.work()
            await desktop.call("record_reply", who="person0@hopper.example", answer="won")
            return blueprint

    return asyncio.run(run())


def test_a_report_is_told_in_lines(terminal: Terminal) -> None:
    blueprint = started(terminal.bureau)
    told = terminal.run("report")
    assert (told.status, told.err) == (0, "")
    assert told.out.splitlines()[0] == f"{blueprint}  Engineers"
    assert "3 people, 0 sent something, 3 in the outbox folder, which reaches nobody, 0 replied" in told.out
    assert "1 interested, 1 won" in told.out
    whole = terminal.run("report", blueprint).out
    assert "  Version 1: 3 people" in whole
    assert "    1. Hello (EMAIL): 3 people" in whole


def test_a_report_as_json_has_null_for_what_is_unknown_and_0_for_what_is_not(terminal: Terminal) -> None:
    blueprint = started(terminal.bureau)
    facts = json.loads(terminal.run("report", blueprint, "--json").out)
    [item] = facts["items"]
    assert (item["people"], item["sent"], item["in_outbox"], item["won"], item["lost"]) == (3, 0, 3, 1, 0)
    assert item["time_to_reply"] is None
    assert item["reply_rate"] == {"number": 0, "of": 0, "low": 0.0, "high": 1.0, "too_few": True}
    assert item["versions"][0]["steps"][0]["step_id"] == "hello"


def test_before_anybody_was_started_it_says_so_and_an_unknown_blueprint_is_an_error(terminal: Terminal) -> None:
    assert terminal.run("report").out == "Nobody was started yet.\n"
    missing = terminal.run("report", "local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (missing.status, missing.out) == (2, "")
    assert "Nothing is known here of blueprint" in missing.err
