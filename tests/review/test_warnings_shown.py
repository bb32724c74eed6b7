"""A yes covers the warnings too, so whoever says it has read them."""

from __future__ import annotations

from pathlib import Path

from sequences_mcp.bootstrap import open_desk
from sequences_mcp.flows.create_blueprint import create_blueprint
from sequences_mcp.flows.start_sequence import start_sequence
from sequences_mcp.review.decide import look
from sequences_mcp.settings import read

TAGGED = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "[Remote] {{sourcingJobTitle}}",
    "content": "Hi {{firstname}}, you do fine work as {{candidateJobTitle}}. Would a short call suit you?",
    "temporalityType": "ASAP",
}
GRACE = {"email": "grace@hopper.example", "first_name": "Grace", "job_title": "Admiral"}
ODD = {"email": "ada@byron.example", "first_name": "Ada", "job_title": "null"}


async def _silent(done: int, total: int) -> None:
    return None


async def test_a_plan_in_the_terminal_shows_what_the_guards_warn_of(tmp_path: Path) -> None:
    environ = {"SEQUENCES_DATA_DIR": str(tmp_path), "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>"}
    async with open_desk(read(environ), worker=False) as desk:
        report = await create_blueprint(desk, name="Engineers", steps=[TAGGED], job_title="Engineer")
        started = await start_sequence(
            desk, blueprint_id=report.blueprint.id, contacts=[GRACE, ODD], progress=_silent
        )

        lines = (await look(desk, started.plan.id)).lines

    warned = [line for line in lines if line.startswith("  Warning: ")]
    assert any("⟦[Remote]⟧" in line for line in lines)
    assert sum("{{candidateJobTitle}}" in line for line in warned) >= 1
    assert len(warned) == len(started.warnings)
