"""Let a paused run go on, and say what is known of what leaves then."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.sequence import LIVE
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.rewrite import PENDING
from sequences_mcp.providers.port import SequenceDetail


async def resume_sequence(desk: Desk, *, sequence_id: str) -> SequenceDetail:
    """Return the run as it goes on; ConflictError when it is not paused."""
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    return await offered(provider.sequences, provider, verb="resume sequences").resume_sequence(sequence_id)


def leaves_next(detail: SequenceDetail, *, vendor: str = "") -> str:
    """Return what is known of what a resumed run sends next: to whom, and when; ``vendor`` carries it out."""
    sequence, at = detail.sequence, detail.outlook.next_at
    when = f" on {at:%Y-%m-%d %H:%M} UTC at the earliest" if at else ""
    if vendor:
        known = [run for run in sequence.steps if run.state in PENDING]
        told = f"{vendor} goes on{when}"
        if not known:
            return f"{told}; which text leaves next, its API does not tell."
        return f"{told}, next with step {known[0].step.id} as get_sequence shows it."
    pending = [run for run in sequence.steps if run.state in PENDING]
    if sequence.status not in LIVE or not pending:
        return f"Nothing of it is to leave: {detail.outlook.why}"
    run = pending[0]
    to = f" to {run.recipient}" if run.recipient else ", which reaches nobody,"
    return f"Next: step {run.step.id}{to}{when or ' once it is due'} ({detail.outlook.why})."
