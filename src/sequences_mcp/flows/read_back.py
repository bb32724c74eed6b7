"""What a vendor shows of a write whose answer was lost: whether it has happened, None where nothing tells."""

from __future__ import annotations

from typing import Any, NamedTuple

from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.sequence import TERMINAL, SequenceStatus
from sequences_mcp.flows.carry_out import SAME_AGAIN
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.newcomers import read_newcomers
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.providers.vendor_port import Operation

AGAIN_SETTLES = "That sends the very same change again: it does no harm and settles this. Do not ask for it anew."
A_PERSON = "A person looks in its app, then: sequences-mcp review settle."


class ReadBack(NamedTuple):
    """Whether it has happened, one line about how that is known, and what to do where nothing tells."""

    happened: bool | None
    why: str
    next_step: str | None = None


async def read_back_exclusion(desk: Desk, operation: Operation) -> ReadBack:
    """Return whether somebody is on the vendor's own list."""
    provider = desk.named(operation.provider)
    exclusions = offered(provider.exclusions, provider, verb="exclude people")
    given = operation.arguments
    happened = await exclusions.is_excluded(str(given["kind"]), str(given["value"]))
    return ReadBack(happened, f"It is{'' if happened else ' not'} excluded there.")


async def read_back_people(desk: Desk, operation: Operation) -> ReadBack:
    """Return whether everybody of a save is where they were to be put."""
    provider = desk.named(operation.provider)
    places = offered(provider.places, provider, verb="take people in")
    given: Any = operation.arguments.get("contacts")
    people = read_newcomers(given, most=places.most, misfit=places.misfit, policy=None)
    count, why = await places.count_in(operation.subject, people)
    if count is None:
        return ReadBack(None, f"{why} {A_PERSON}")
    return ReadBack(count == len(people), why)


async def read_back_skip(desk: Desk, operation: Operation) -> ReadBack:
    """Return whether a task counts as skipped."""
    provider = desk.provider_of(operation.subject, Kind.TASK)
    status = await offered(provider.vendor_tasks, provider, verb="list tasks").status_of(operation.subject)
    if status is None:
        return ReadBack(None, f"The task is not among the newest that {provider.title} lists. {A_PERSON}")
    if status == "COMPLETED":
        return ReadBack(None, f"The task is COMPLETED, which somebody did in {provider.title}'s app. {A_PERSON}")
    return ReadBack(status == "SKIPPED", f"The task is {status}.")


async def read_back_created(desk: Desk, operation: Operation) -> ReadBack:
    """Return that nothing tells: the vendor has no list, and a copy may exist."""
    title = desk.named(operation.provider).title
    why = f"{title}'s API lists no blueprints, so nothing was read; one of this name may exist. {A_PERSON}"
    return ReadBack(None, why)


async def read_back_updated(desk: Desk, operation: Operation) -> ReadBack:
    """Return that nothing tells, and what settles it: the same call, or, where a person gave one, the same yes."""
    why = f"{desk.named(operation.provider).title}'s API does not show a blueprint. {A_PERSON}"
    change = await desk.changes.of_request(operation.subject, operation.fingerprint)
    if change is None:
        return ReadBack(None, why, SAME_AGAIN)
    ways = desk.ways_to_review(path=f"/changes/{change.id}", command=f"approve {change.id}")
    return ReadBack(
        None, why, f"A person approved this change and may approve it once more {ways}. {AGAIN_SETTLES}"
    )


async def read_back_run(desk: Desk, operation: Operation) -> ReadBack:
    """Return whether a run is as a pause, a resume, a stop or other variables would have left it."""
    provider = desk.provider_of(operation.subject, Kind.SEQUENCE)
    detail = await offered(provider.sequences, provider, verb="read sequences").get_sequence(operation.subject)
    happened = _happened(operation, detail)
    why = f"The sequence is {detail.provider_status or detail.sequence.status.value}."
    return ReadBack(happened, f"{why} That does not tell. {A_PERSON}" if happened is None else why)


def _happened(operation: Operation, detail: SequenceDetail) -> bool | None:
    """Say whether the present state shows the effect; None where it shows nothing."""
    status = detail.sequence.status
    if detail.provider_status != status.value:
        return None  # a word whose meaning nobody here knows
    if operation.tool == "stop_sequence":
        return None if operation.arguments.get("scope") == "COMPANY" else status in TERMINAL
    if operation.tool == "update_sequence":
        return _merged(operation.arguments.get("variables"), detail)
    if status in TERMINAL:
        return None
    is_paused = status is SequenceStatus.WAITING_FOR_LEAD
    return is_paused if operation.tool == "pause_sequence" else not is_paused


def _merged(wanted: Any, detail: SequenceDetail) -> bool:
    return all(detail.sequence.variables.get(name) == value for name, value in dict(wanted or {}).items())


READERS = {
    **dict.fromkeys(("pause_sequence", "resume_sequence", "stop_sequence", "update_sequence"), read_back_run),
    "suppress_contact": read_back_exclusion,
    "save_contacts": read_back_people,
    "complete_task": read_back_skip,
    "create_blueprint": read_back_created,
    "update_blueprint": read_back_updated,
}
