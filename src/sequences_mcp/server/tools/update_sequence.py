"""The tool ``update_sequence``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.run import StepState
from sequences_mcp.planning.recipient_rows import GivenValue, value_warnings
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.views.sequences import SequenceWritten, sequence_written
from sequences_mcp.services import changed_texts as verb

SEEN = "get_sequence shows the texts; list_reviews what waits for a person."
WAITS = "A changed text leaves only once a person has approved it: list_reviews names it and says where."


async def update_sequence(
    app: AppContext,
    sequence_id: str,
    variables: Annotated[dict[str, str | None], Field(description="By name; null removes one")],
) -> SequenceWritten:
    """Merge variable overrides into one run. Pending texts that change need a person's approval again."""
    detail = await verb.update_sequence(app, sequence_id=sequence_id, variables=variables)
    given = (GivenValue("", name, value) for name, value in variables.items())
    return sequence_written(
        detail,
        next_step=WAITS if any(run.state is StepState.HELD for run in detail.sequence.steps) else SEEN,
        warnings=value_warnings(given, policy=app.policy),
    )


TOOL = Definition(update_sequence, title="Change variables", hints=WRITE, moves_runs=True)
