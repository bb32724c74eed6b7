"""The tool ``update_sequence``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.flows import update_sequence as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.given import Given, doubts
from sequences_mcp.server.definition import WRITE, Definition
from sequences_mcp.server.views.sequence import SequenceWritten, sequence_written


async def update_sequence(
    desk: Desk,
    sequence_id: str,
    variables: Annotated[dict[str, str | None], Field(description="By name, e.g. firstname; null removes one")],
) -> SequenceWritten:
    """Merge variable overrides into one run. Pending texts that change need a person's yes again."""
    detail = await verb.update_sequence(desk, sequence_id=sequence_id, variables=variables)
    given = (Given("", name, value) for name, value in variables.items())
    return sequence_written(
        detail,
        next_step="get_sequence shows the texts; list_reviews what waits for a person.",
        warnings=doubts(given, policy=desk.policy),
    )


TOOL = Definition(update_sequence, title="Change variables", hints=WRITE, moves_runs=True)
