"""Render, guard and store new texts for one run."""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Finding, errors_in
from sequences_mcp.domain.sequence import StepState
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.person import planned_step, values_for
from sequences_mcp.providers.port import Draft, SequenceDetail, Text

PENDING = frozenset({StepState.PLANNED, StepState.HELD})


async def rendered(
    desk: Desk, draft: SequenceDetail | Draft, step: Step, *, variables: Mapping[str, str], text: Text | None
) -> Text:
    """Return one step's final text with these variables; RefusedByGuardsError when a finding refuses it.

    ``text`` stands for the step's own template where it is given.
    """
    new, found = await checked(desk, draft, step, variables=variables, text=text)
    _refuse(found)
    return new


async def checked(
    desk: Desk, draft: SequenceDetail | Draft, step: Step, *, variables: Mapping[str, str], text: Text | None
) -> tuple[Text, list[Finding]]:
    """Return one step's final text with these variables, and everything the guards find in it."""
    sequence = draft.sequence
    blueprints = offered(desk.local.blueprints, desk.local, verb="read blueprints")
    blueprint = await blueprints.get_blueprint(sequence.blueprint_id, sequence.blueprint_version)
    values = values_for(draft.contact, sourcing=blueprint.sourcing, sender=desk.sender, variables=variables)
    planned, found = planned_step(
        desk, step, draft.contact, values=values, text=text, full=True, earlier=sequence.before(step.id)
    )
    return Text(subject=planned.subject, content=planned.content or ""), found


def _refuse(found: list[Finding]) -> None:
    if errors := errors_in(found):
        raise RefusedByGuardsError(
            f"The guards refuse this text: {errors[0].message}",
            next_step="Mend each finding, then call again.",
            data={"findings": tuple(found)},
        )
