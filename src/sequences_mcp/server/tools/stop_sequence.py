"""The tool ``stop_sequence``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.run import StopReason, StopScope
from sequences_mcp.server.catalog import STOP, Definition
from sequences_mcp.server.views.sequences import SequencesStopped, left_alone, stopped_facts
from sequences_mcp.services import sequences as verb

NEXT = "Nothing more leaves for them. suppress_contact also keeps someone out of later starts."


async def stop_sequence(
    app: AppContext,
    sequence_id: str,
    reason: StopReason,
    scope: Annotated[
        StopScope, Field(description="COMPANY: also every live run of this blueprint at the contact's company")
    ] = StopScope.CONTACT,
) -> SequencesStopped:
    """End a run for good, as won or lost; names every run it stopped. What was already sent stays sent."""
    details = await verb.stop_sequence(app, sequence_id=sequence_id, reason=reason, scope=scope)
    return SequencesStopped(
        **stopped_facts(details),
        not_stopped=left_alone(await verb.not_stopped(app, sequence_id=sequence_id, scope=scope)),
        next=details[0].unavailable_because or NEXT,
    )


TOOL = Definition(stop_sequence, title="Stop a sequence", hints=STOP, moves_runs=True)
