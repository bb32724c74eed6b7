"""Resuming says what is known of what leaves then, and changes no text."""

from __future__ import annotations

from tests.world.product import GRACE, MAIL, Bureau, yes

LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 2, "unit": "day"}}


async def test_resuming_names_the_step_its_recipient_and_when_it_leaves(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LATER)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        run = started["sample"]["sequence_id"]
        until = bureau.clock.now.replace(year=2027).isoformat()
        await desktop.call("pause_sequence", sequence_id=run, paused_until=until)
        first = await desktop.call("resume_sequence", sequence_id=run)
        bureau.work()
        await desktop.call("pause_sequence", sequence_id=run, paused_until=until)
        second = await desktop.call("resume_sequence", sequence_id=run)
    assert first["next"].startswith("Next: step hello to grace@hopper.example")
    assert second["next"].startswith("Next: step later to grace@hopper.example on 2026-11-25 12:00 UTC")
    assert len(bureau.outbox) == 1
