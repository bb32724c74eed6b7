"""Runs under way whose texts change: other variables, or a person's edit; checked by the guards as a plan is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sequences_mcp.context import AppContext
from sequences_mcp.domain.findings import Finding, errors_in
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.run import Run, StepRun
from sequences_mcp.domain.threads import answer_subject, steps_so_far, takes_thread_subject, thread_subject
from sequences_mcp.errors import InvalidArgumentsError, RefusedByGuardsError
from sequences_mcp.planning import recipient_rows
from sequences_mcp.planning.reminders import refusals_of_text
from sequences_mcp.planning.rendering import planned_text, values_for
from sequences_mcp.planning.warnings import own_warnings, sourcing_of_run
from sequences_mcp.ports.embedded import Draft, SequenceDetail, StepText
from sequences_mcp.ports.provider import Provider
from sequences_mcp.services.sequences import PENDING
from sequences_mcp.services.vendor_writes import request_change


async def render_texts(
    app: AppContext,
    draft: SequenceDetail | Draft,
    run: StepRun,
    *,
    variables: Mapping[str, str],
    text: StepText | None = None,
) -> StepText:
    """Return one step's final text with these variables; RefusedByGuardsError when a finding refuses it.

    ``text`` stands for the step's own template where it is given.
    """
    new, findings = await require_allowed_texts(app, draft, run, variables=variables, text=text)
    _refuse(findings)
    return new


async def require_allowed_texts(
    app: AppContext,
    draft: SequenceDetail | Draft,
    run: StepRun,
    *,
    variables: Mapping[str, str],
    text: StepText | None,
) -> tuple[StepText, list[Finding]]:
    """Return one step's final text with these variables, and everything the guards find in it.

    A ``text`` without a subject leaves the present one, which is final already.
    """
    sequence, step = draft.sequence, run.step
    app = await app.sending_for(sequence)
    values = values_for(
        draft.contact,
        sourcing=await sourcing_of_run(app, sequence),
        sender=app.sender,
        variables=variables,
    )
    stays = text is not None and text.subject is None and run.content is not None
    planned = planned_text(
        app,
        step,
        draft.contact,
        values=values,
        text=replace(text, subject=run.subject, keeps_subject=True) if text and stays else text,
        earlier=steps_so_far((other.step, other.subject) for other in sequence.steps_before(step.id)),
        rewritten=True,
    )
    if text is not None:
        waivers = await app.waivers.waivers_of(sequence.blueprint_id)
        new = planned.of(step, key=run.key)
        planned.findings.extend(refusals_of_text(app, sequence, draft.contact, waivers=waivers, text=new))
    return StepText(subject=planned.subject, content=planned.content or ""), planned.findings


async def store_texts(
    app: AppContext,
    detail: SequenceDetail | Draft,
    texts: Mapping[str, StepText],
    *,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Store new texts of a run, which voids their approvals, with the warnings that a person then sees."""
    merged = detail.sequence.variables if variables is None else variables
    texts = _with_answers(detail.sequence, texts)
    steps = tuple(
        replace(run, subject=new.subject, content=new.content, generation=run.generation + 1, same_as=None)
        if (new := texts.get(run.step.id)) and (new.subject, new.content) != (run.subject, run.content)
        else run
        for run in detail.sequence.steps
    )
    after = replace(detail, sequence=replace(detail.sequence, steps=steps, variables=merged))
    sending = await app.sending_for(after.sequence)
    findings = own_warnings(sending, after, sourcing=await sourcing_of_run(app, after.sequence))
    await app.local.rewrite_texts(detail.sequence.id, texts, variables=variables, findings=findings)


def _with_answers(sequence: Run, texts: Mapping[str, StepText]) -> dict[str, StepText]:
    """Return the texts, with those of later e-mails whose subject is that of a conversation which they rename."""
    result = dict(texts)
    for run in sequence.steps:
        before = sequence.steps_before(run.step.id)
        old = thread_subject((step.step, step.subject) for step in before)
        new = thread_subject((step.step, _subject_of(result, step)) for step in before)
        if old == new or new is None or run.content is None or run.state not in PENDING:
            continue
        has_taken = run.subject is None or (old is not None and run.subject == answer_subject(old))
        if has_taken and takes_thread_subject(run.step, sequence.before(run.step.id)):
            text = result.get(run.step.id)
            if text is None or text.subject == run.subject:
                content = run.content if text is None else text.content
                result[run.step.id] = StepText(subject=answer_subject(new), content=content)
    return result


def _subject_of(texts: Mapping[str, StepText], run: StepRun) -> str | None:
    return texts[run.step.id].subject if run.step.id in texts else run.subject


def _refuse(findings: list[Finding]) -> None:
    if errors := errors_in(findings):
        raise RefusedByGuardsError(
            f"The guards refuse this text: {errors[0].message}",
            next_step="Mend each finding, then call again.",
            data={"findings": tuple(findings)},
        )


REMOVED = "x"  # stands for the value of a variable that is taken away: only its name is looked at


async def update_sequence(
    app: AppContext, *, sequence_id: str, variables: Mapping[str, str | None]
) -> SequenceDetail:
    """Return the run with the overrides merged: a value sets one, None removes it, the others stay.

    At a vendor that changes what leaves, so it waits for a person unless one has approved it: ApprovalError.
    Raises RefusedByGuardsError when a pending text would come out blank or refused.
    """
    if not variables:
        raise InvalidArgumentsError("variables is empty.", next_step="Name at least one variable.")
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    if provider.name != LOCAL:  # a vendor's variables have names of its own
        provider.require(Provider.update_variables)
        recipient_rows.require_sound_values(
            (recipient_rows.GivenValue("", name, value) for name, value in variables.items()), policy=app.policy
        )
        if not app.is_approved:
            await provider.require_used(sequence_id, variables=variables)  # a change of nothing needs no approval
            earlier = await present_variables(app, sequence_id, variables)
            await request_change(
                app,
                "update_sequence",
                sequence_id,
                arguments={"sequence_id": sequence_id, "variables": dict(variables)},
                earlier=earlier,
            )
        return await provider.update_variables(sequence_id, variables=variables)
    given = read_variables(app, variables)
    detail = await provider.get_sequence(sequence_id)
    remaining = {k: v for k, v in detail.sequence.variables.items() if k not in variables}
    merged = {**remaining, **given}
    await store_texts(app, detail, await _changed(app, detail, merged), variables=merged)
    return await provider.get_sequence(sequence_id)


def read_variables(app: AppContext, variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return the overrides to set; one error names every name that is no variable and every bad value."""
    named = {name: REMOVED if value is None else value for name, value in variables.items()}
    faults = list(recipient_rows.variable_faults(named))
    refused = recipient_rows.unsound(
        (recipient_rows.GivenValue("", name, value) for name, value in variables.items()), policy=app.policy
    )
    if not faults:
        recipient_rows.require_none_unsound(refused)
        return {name: value.strip() for name, value in variables.items() if value is not None}
    sentences = [*(f"{fault.why}." for fault in faults), *(finding.message for _, finding in refused)]
    unsaid = len(sentences) - recipient_rows.MOST_GIVEN
    more = [f"And {unsaid:,} more."] if unsaid > 0 else []
    raise InvalidArgumentsError(
        " ".join([*sentences[: recipient_rows.MOST_GIVEN], *more]),
        next_step=" ".join(dict.fromkeys(fault.remedy for fault in faults)),
    )


async def present_variables(
    app: AppContext, sequence_id: str, variables: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return what a vendor has now for each of these variables."""
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    known = (await provider.get_sequence(sequence_id)).sequence.variables
    return {name: known.get(name) for name in variables}


async def _changed(app: AppContext, detail: SequenceDetail, variables: Mapping[str, str]) -> dict[str, StepText]:
    changed = {}
    for run in detail.sequence.steps:
        if run.state not in PENDING or run.step.is_written_per_contact or await _is_edited(app, detail, run):
            continue  # a text written or edited for this person is theirs; variables no longer occur in it
        new = await render_texts(app, detail, run, variables=variables)
        if (new.subject, new.content) != (run.subject, run.content):
            changed[run.step.id] = new
    return changed


async def _is_edited(app: AppContext, detail: SequenceDetail, run: StepRun) -> bool:
    """Say whether a text, changed since it was planned, is more than its template under the present overrides."""
    if not run.generation:
        return False
    text = await render_texts(app, detail, run, variables=detail.sequence.variables)
    return (text.subject, text.content) != (run.subject, run.content)
