"""Render, guard and store new texts for one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sequences_mcp.domain.finding import Finding, errors_in
from sequences_mcp.domain.sequence import StepRun, StepState
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.last_check import values_for
from sequences_mcp.flows.person import planned_step
from sequences_mcp.flows.plan_warnings import own_warnings, sourcing_of_run
from sequences_mcp.providers.port import Draft, SequenceDetail, Text

PENDING = frozenset({StepState.PLANNED, StepState.HELD})


async def rendered(
    desk: Desk,
    draft: SequenceDetail | Draft,
    run: StepRun,
    *,
    variables: Mapping[str, str],
    text: Text | None = None,
) -> Text:
    """Return one step's final text with these variables; RefusedByGuardsError when a finding refuses it.

    ``text`` stands for the step's own template where it is given.
    """
    new, found = await checked(desk, draft, run, variables=variables, text=text)
    _refuse(found)
    return new


async def checked(
    desk: Desk, draft: SequenceDetail | Draft, run: StepRun, *, variables: Mapping[str, str], text: Text | None
) -> tuple[Text, list[Finding]]:
    """Return one step's final text with these variables, and everything the guards find in it.

    A ``text`` without a subject leaves the present one, which is final already.
    """
    sequence, step = draft.sequence, run.step
    values = values_for(
        draft.contact,
        sourcing=await sourcing_of_run(desk, sequence),
        sender=desk.sender,
        variables=variables,
    )
    stays = text is not None and text.subject is None and run.content is not None
    planned, found = planned_step(
        desk,
        step,
        draft.contact,
        values=values,
        text=replace(text, subject=run.subject, keeps_subject=True) if text and stays else text,
        earlier=sequence.before(step.id),
        rewritten=True,
    )
    return Text(subject=planned.subject, content=planned.content or ""), found


async def store(
    desk: Desk,
    detail: SequenceDetail | Draft,
    texts: Mapping[str, Text],
    *,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Store new texts of a run, which voids their approvals, with the warnings that a person then sees."""
    drafts = offered(desk.local.drafts, desk.local, verb="change texts")
    merged = detail.sequence.variables if variables is None else variables
    steps = tuple(
        replace(run, subject=new.subject, content=new.content, generation=run.generation + 1, same_as=None)
        if (new := texts.get(run.step.id)) and (new.subject, new.content) != (run.subject, run.content)
        else run
        for run in detail.sequence.steps
    )
    after = replace(detail, sequence=replace(detail.sequence, steps=steps, variables=merged))
    found = own_warnings(desk, after, sourcing=await sourcing_of_run(desk, after.sequence))
    await drafts.rewrite(detail.sequence.id, texts, variables=variables, findings=found)


def _refuse(found: list[Finding]) -> None:
    if errors := errors_in(found):
        raise RefusedByGuardsError(
            f"The guards refuse this text: {errors[0].message}",
            next_step="Mend each finding, then call again.",
            data={"findings": tuple(found)},
        )
