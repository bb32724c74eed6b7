"""The texts of a plan: their digests, how many are missing, which a person has to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sequences_mcp.domain.blueprint import Sourcing, Step
from sequences_mcp.domain.digests import DIGEST_SIZE, digests_of_person, plan_digest, text_digest
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.engine.store import blueprints, plans, schedule
from sequences_mcp.engine.store.database import Store
from sequences_mcp.errors import NotFoundError

_BATCH = 500


def read_steps(store: Store, plan: Plan) -> list[int]:
    """Return the positions of the steps whose texts are to be read one by one; a vendor writes its own.

    ``policy.autoValidateAIDraft`` changes nothing here: it comes from whoever writes the texts.
    """
    if plan.header.is_at_vendor:
        return []
    return [number for number, step in enumerate(steps_of(store, plan)) if step.is_written_per_contact]


def steps_of(store: Store, plan: Plan) -> tuple[Step, ...]:
    """Return the steps of the plan's blueprint version; NotFoundError."""
    header = plan.header
    blueprint = blueprints.find(store, header.blueprint_id, version=header.blueprint_version)
    if blueprint is None:
        raise NotFoundError(
            f"There is no version {header.blueprint_version} of blueprint {header.blueprint_id}.",
            next_step="list_blueprints shows what there is.",
        )
    return blueprint.steps


def sourcing_of(store: Store, sequence: Sequence) -> Sourcing:
    """Return what the blueprint version of a run fills; nothing where that version is not kept here."""
    found = blueprints.find(store, sequence.blueprint_id, version=sequence.blueprint_version)
    return found.sourcing if found else Sourcing()


def digests_of(people: Iterable[Sequence]) -> bytes:
    """Return the digests of all their texts in order."""
    return b"".join(map(digests_of_person, people))


def split(digests: bytes) -> Iterator[bytes]:
    """Yield the single digests of a stored list."""
    for start in range(0, len(digests), DIGEST_SIZE):
        yield digests[start : start + DIGEST_SIZE]


def covers(digests: bytes, sequence: Sequence, run: StepRun) -> bool:
    """Say whether a plan's list of digests contains this text at its place."""
    place = (sequence.ordinal * len(sequence.steps) + sequence.steps.index(run)) * DIGEST_SIZE
    return digests[place : place + DIGEST_SIZE] == text_digest(sequence, run)


def recounted(store: Store, plan: Plan) -> Plan:
    """Return the plan with its people, their warnings, missing and to-be-read texts counted again."""
    missing, to_read = plans.count_texts(store, plan.id, read_steps=read_steps(store, plan))
    people, warnings = plans.people_left(store, plan.id)
    return replace(plan, people=people, warnings=warnings, missing_texts=missing, to_read=to_read)


def sealed_digest(plan: Plan, digests: bytes) -> str:
    """Return what a plan's digest is with these digests of its texts."""
    return plan_digest(plan.header, split(digests), version=plan.digest_version)


def resealed(store: Store, plan: Plan, digests: bytes) -> Plan:
    """Return the plan with the digest of these texts, and counted again."""
    return replace(recounted(store, plan), digest=sealed_digest(plan, digests))


def with_texts_of(digests: bytes, sequence: Sequence) -> bytes:
    """Return a plan's list of digests with those of one person replaced."""
    own = digests_of([sequence])
    place = sequence.ordinal * len(own)
    return digests[:place] + own + digests[place + len(own) :]


def present_digests(store: Store, plan: Plan) -> bytes:
    """Return the digests of what a plan's texts are now, read person by person."""
    found, page = [], 1
    while True:
        people = schedule.people_of(store, plan.id, page=page, size=_BATCH)
        found.append(digests_of(people.items))
        if not people.has_more:
            return b"".join(found)
        page += 1
