"""A yes covers the warnings too, so whoever says it has read them."""

from __future__ import annotations

from pathlib import Path

from sequences_mcp.bootstrap import open_context
from sequences_mcp.review.decide import look_up
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.starts import start_sequence
from sequences_mcp.settings import read_settings

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
    async with open_context(read_settings(environ), worker=False) as app:
        report = await create_blueprint(app, name="Engineers", steps=[TAGGED], job_title="Engineer")
        started = await start_sequence(
            app, blueprint_id=report.blueprint.id, contacts=[GRACE, ODD], progress=_silent
        )

        lines = (await look_up(app, started.plan.id)).lines

    warned = [line for line in lines if line.startswith("  Warning: ")]
    assert any("⟦[Remote]⟧" in line for line in lines)
    assert sum("{{candidateJobTitle}}" in line for line in warned) >= 1
    assert len(warned) == len(started.warnings)
