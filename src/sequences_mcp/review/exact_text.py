"""One person's exact texts as they are shown: when each leaves, where it differs, what was found in it."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.finding import Finding
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import StepRun
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.plan_warnings import person_findings, person_warnings, sourcing_of
from sequences_mcp.flows.timetable import Slot, timetable
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.review.differences import Segment, segments

EDITABLE = ("planned", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactText:
    """One step's exact text: what differs from somebody else's is marked, what was found stands beside it."""

    run: StepRun
    slot: Slot
    subject: tuple[Segment, ...]
    content: tuple[Segment, ...]
    findings: tuple[Finding, ...]
    editable: bool


async def doubts_of(desk: Desk, plan: Plan, detail: SequenceDetail) -> tuple[Finding, ...]:
    """Return the warnings about a person that are about no step of theirs: their facts, their address."""
    found = person_warnings(desk, detail, sourcing=await sourcing_of(desk, plan))
    return tuple(one for one in found if one.step_id is None)


def texts_of(
    desk: Desk, detail: SequenceDetail, other: SequenceDetail | None, *, sourcing: Sourcing
) -> list[ExactText]:
    """Return a person's texts, compared with another's where there is one."""
    sequence = detail.sequence
    found = person_findings(desk, detail, sourcing=sourcing)
    slots = timetable(desk, [run.step for run in sequence.steps], zone=sequence.time_zone, start=desk.clock())
    others = other.sequence.steps if other else (None,) * len(sequence.steps)
    return [
        ExactText(
            run=run,
            slot=slot,
            subject=segments(run.subject or "", basis.subject if basis else None),
            content=segments(run.content or "", basis.content if basis else None),
            findings=tuple(one for one in found if one.step_id == run.step.id),
            editable=run.state.value in EDITABLE and not sequence.is_at_vendor,
        )
        for run, slot, basis in zip(sequence.steps, slots, others, strict=True)
    ]
