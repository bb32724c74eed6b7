"""Merge variable overrides into one run; texts that change with them wait for a person again."""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.ids import LOCAL, Kind
from sequences_mcp.domain.sequence import StepRun
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.asked_change import ask_for
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.entry import variable_faults
from sequences_mcp.flows.given import MOST, Given, require_none_unsound, require_sound, unsound
from sequences_mcp.flows.rewrite import PENDING, rendered, store
from sequences_mcp.providers.port import SequenceDetail, Text

REMOVED = "x"  # stands for the value of a variable that is taken away: only its name is looked at


async def update_sequence(desk: Desk, *, sequence_id: str, variables: Mapping[str, str | None]) -> SequenceDetail:
    """Return the run with the overrides merged: a value sets one, None removes it, the others stay.

    At a vendor that changes what leaves, so it waits for a person unless one has approved it: ApprovalError.
    Raises RefusedByGuardsError when a pending text would come out blank or refused.
    """
    if not variables:
        raise InvalidArgumentsError("variables is empty.", next_step="Name at least one variable.")
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    if provider.name != LOCAL:  # a vendor's variables have names of its own
        overrides = offered(provider.overrides, provider, verb="change variables")
        require_sound((Given("", name, value) for name, value in variables.items()), policy=desk.policy)
        if not desk.is_approved:
            await overrides.require_used(
                sequence_id, variables=variables
            )  # nobody is asked about a useless change
            earlier = await present_variables(desk, sequence_id, variables)
            await ask_for(
                desk,
                "update_sequence",
                sequence_id,
                arguments={"sequence_id": sequence_id, "variables": dict(variables)},
                earlier=earlier,
            )
        return await overrides.update_variables(sequence_id, variables=variables)
    given = _read(desk, variables)
    sequences = offered(provider.sequences, provider, verb="read sequences")
    detail = await sequences.get_sequence(sequence_id)
    kept = {k: v for k, v in detail.sequence.variables.items() if k not in variables}
    merged = {**kept, **given}
    await store(desk, detail, await _changed(desk, detail, merged), variables=merged)
    return await sequences.get_sequence(sequence_id)


def _read(desk: Desk, variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return the overrides to set; one error names every name that is no variable and every bad value."""
    named = {name: REMOVED if value is None else value for name, value in variables.items()}
    faults = list(variable_faults(named))
    refused = unsound((Given("", name, value) for name, value in variables.items()), policy=desk.policy)
    if not faults:
        require_none_unsound(refused)
        return {name: value.strip() for name, value in variables.items() if value is not None}
    told = [*(f"{one.why}." for one in faults), *(found.message for _, found in refused)]
    more = [f"And {len(told) - MOST:,} more."] if len(told) > MOST else []
    raise InvalidArgumentsError(
        " ".join([*told[:MOST], *more]), next_step=" ".join(dict.fromkeys(one.remedy for one in faults))
    )


async def present_variables(
    desk: Desk, sequence_id: str, variables: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return what a vendor has now for each of these variables."""
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    sequences = offered(provider.sequences, provider, verb="read sequences")
    known = (await sequences.get_sequence(sequence_id)).sequence.variables
    return {name: known.get(name) for name in variables}


async def _changed(desk: Desk, detail: SequenceDetail, variables: Mapping[str, str]) -> dict[str, Text]:
    changed = {}
    for run in detail.sequence.steps:
        if run.state not in PENDING or run.step.is_written_per_contact or await _is_edited(desk, detail, run):
            continue  # a text written or edited for this person is theirs; variables no longer occur in it
        new = await rendered(desk, detail, run, variables=variables)
        if (new.subject, new.content) != (run.subject, run.content):
            changed[run.step.id] = new
    return changed


async def _is_edited(desk: Desk, detail: SequenceDetail, run: StepRun) -> bool:
    """Say whether a text, changed since it was planned, is more than its template under the present overrides."""
    if not run.generation:
        return False
    own = await rendered(desk, detail, run, variables=detail.sequence.variables)
    return (own.subject, own.content) != (run.subject, run.content)
