"""Page "Get candidate dynamic sequence status".

Published: the fields of ``data``, ``sequenceId``, ``name``, ``rawStatus``, ``displayStatus`` and its seven words.
The names of the progress fields, the words of ``rawStatus`` and the shape of ``actionRequired`` were chosen.
"""

from __future__ import annotations

from typing import Any

from sequences_mcp.sandbox.kalent.candidates import candidate_of
from sequences_mcp.sandbox.kalent.envelope import success
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.world.kalent import DynamicSequence, latest_sequence
from sequences_mcp.sandbox.world.run import Run, RunState, is_waiting_for_acceptance

DISPLAY = {
    RunState.RUNNING: "SCHEDULED",
    RunState.PAUSED: "PAUSED",
    RunState.BLOCKED: "ACTION_REQUIRED",
    RunState.REPLIED: "TALENT_REPLIED",
    RunState.COMPLETED: "COMPLETED",
    RunState.FAILED: "ERROR",
    RunState.STOPPED: "COMPLETED",
}


def shown(call: Call) -> Reply:
    """Show the candidate's latest run, or null."""
    candidate = candidate_of(call)
    sequence = latest_sequence(call.world.kalent, candidate.id)
    return success(
        {
            "candidateId": candidate.id,
            "talentId": candidate.talent_id,
            "sourcingId": candidate.sourcing_id,
            "sequence": _sequence(sequence) if sequence else None,
        }
    )


def _sequence(sequence: DynamicSequence) -> dict[str, Any]:
    run = sequence.run
    row: dict[str, Any] = {
        "sequenceId": sequence.id,
        "name": sequence.name,
        "rawStatus": run.state.value,
        "displayStatus": "WAITING_FOR_ACCEPTANCE" if is_waiting_for_acceptance(run) else DISPLAY[run.state],
        "currentStep": len(run.executed),
        "totalSteps": len(run.touches),
    }
    return row | ({"actionRequired": _action(run)} if run.state is RunState.BLOCKED else {})


def _action(run: Run) -> dict[str, Any]:
    touch = run.current
    return {"type": touch.block, "stepId": touch.id} if touch else {}
