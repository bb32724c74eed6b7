"""The tool ``pause_sequence``."""

from __future__ import annotations

from datetime import timedelta

from sequences_mcp.context import AppContext
from sequences_mcp.server.arguments import Instant
from sequences_mcp.server.catalog import PAUSE, Definition
from sequences_mcp.server.views.sequences import SequenceWritten, sequence_written
from sequences_mcp.services import sequences as verb

UNDER_WAY = "It goes on by itself at that time; resume_sequence ends the pause."
LATE = (
    " A text that leaves many days later than it was approved for (SEQUENCES_LATE_DAYS, 7 unless set otherwise) "
    "is held then until a person approves it again."
)
A_DAY = timedelta(days=1)  # the least that SEQUENCES_LATE_DAYS can be
UNAPPROVED = (
    "It still waits for a person's approval of its plan; after that nothing of it leaves before that time, unless "
    "resume_sequence takes the pause away."
)


async def pause_sequence(app: AppContext, sequence_id: str, paused_until: Instant) -> SequenceWritten:
    """Hold one run until a future time; it then goes on by itself. Delays stand still meanwhile."""
    detail = await verb.pause_sequence(app, sequence_id=sequence_id, paused_until=paused_until)
    if detail.sequence.waits_for_plan:
        return sequence_written(detail, next_step=UNAPPROVED)
    may_be_late = not detail.sequence.is_at_vendor and paused_until - app.clock() > A_DAY
    return sequence_written(detail, next_step=UNDER_WAY + (LATE if may_be_late else ""))


TOOL = Definition(pause_sequence, title="Pause a sequence", hints=PAUSE, moves_runs=True)
