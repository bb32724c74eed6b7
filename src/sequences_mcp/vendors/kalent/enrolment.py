"""Starts at Kalent: a blueprint for up to 100 candidates of its own sourcing (page "Start sequence blueprint").

Nothing published says that a repeated start is recognised, or what one that failed half-way has done. So each
candidate's newest run is read before the request, and a later look compares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import TypeVar

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import TALENT, Run
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.ports import vendor
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.vendors.adapters import BlueprintCache
from sequences_mcp.vendors.kalent.client import KalentClient
from sequences_mcp.vendors.kalent.wire import CANDIDATES_A_CALL
from sequences_mcp.vendors.translation import RemoteContact, RemoteSequence, contact_of_remote, detail_of

CANDIDATE = "candidate"
NONE = ""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KalentEnrolment:
    """``ports.vendor.Enroller`` over Kalent."""

    kalent: KalentClient
    memory: BlueprintCache

    @property
    def people_a_call(self) -> int:
        """Return how many candidates one start takes."""
        return CANDIDATES_A_CALL

    @property
    def takes_several(self) -> bool:
        """Return False: one address and one number a person."""
        return False

    @property
    def has_review(self) -> bool:
        """Return False: whether a draft waits for a person is a step's own policy."""
        return False

    @property
    def names_sender(self) -> bool:
        """Return True: its sequences have senders."""
        return True

    async def offer(self, blueprint_id: str) -> Blueprint:
        """Return a blueprint as it was last written here, or as one that nobody here has seen.

        InvalidArgumentsError for one that was made here and has no steps yet: Kalent starts none without.
        """
        try:
            known = await self.memory.get_blueprint(blueprint_id)
        except NotFoundError:
            return await self.memory.note(blueprint_id, name=blueprint_id.partition(":")[2])
        if known.sourcing.id is not None and not known.steps:
            raise InvalidArgumentsError(
                "This blueprint has no steps yet.", next_step="Add them with update_blueprint, then start it."
            )
        return known

    async def candidate(
        self, asked: vendor.PersonRequest, *, blueprint: Blueprint, reviewed_there: bool
    ) -> vendor.VendorPerson:
        """Return one candidate with what Kalent knows; NotFoundError, InvalidArgumentsError for facts."""
        if asked.vendor_id is None:
            raise InvalidArgumentsError(
                "Kalent starts its own candidates only, not people given as facts.",
                next_step="Give ids from find_contacts in the blueprint's sourcing (`kalent:…`).",
            )
        person, run = await self._as_they_are(asked.vendor_id)
        home = blueprint.sourcing.id
        elsewhere = home is not None and person.sourcing_id not in (None, home)
        obstacle = f"a candidate of {person.sourcing_id}, not of {home}" if elsewhere else _running(run)
        return vendor.VendorPerson(
            contact=contact_of_remote(replace(person, id=asked.vendor_id)),
            handover={CANDIDATE: asked.vendor_id, **({TALENT: person.talent_id} if person.talent_id else {})},
            obstacle=obstacle,
            addresses=person.emails,
        )

    async def standings(self, people: Items[vendor.VendorPerson]) -> list[vendor.PersonStanding]:
        """Return nothing more: what keeps somebody out is read with each of them."""
        return [vendor.PersonStanding()] * len(people)

    async def before(self, plan: Plan, people: Items[Run]) -> vendor.PreflightSnapshot:
        """Return the id of each candidate's newest run, who is in one by now, and the addresses of each."""
        calls = [lambda own=one.handover[CANDIDATE]: self._if_there(own) for one in people]
        seen = {one.id: there for one, there in zip(people, await vendor.gather_limited(calls), strict=True)}
        return vendor.PreflightSnapshot(
            marks={own: run.id if run else NONE for own, (_, run) in seen.items()},
            obstacles={
                own: why
                for own, (person, run) in seen.items()
                if (why := _running(run) if person else "Kalent has no such candidate any more")
            },
            addresses={own: person.emails for own, (person, _) in seen.items() if person},
        )

    async def enrol(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Start everybody in one call: all of them or, where Kalent refuses, nobody."""
        people = [one.handover[CANDIDATE] for one in order.people]
        await self.kalent.start(order.plan.header.blueprint_id, candidate_ids=people)
        return tuple(_done(one) for one in order.people)

    async def read_back(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Return, for each candidate, whether another run is the newest now."""
        runs = await self._runs(order.people)
        return tuple(
            _done(one) if _is_new(run, order.before.get(one.id)) else _not_done(one)
            for one, run in zip(order.people, runs, strict=True)
        )

    async def follow(self, run: Run, *, mark: str | None) -> SequenceDetail | None:
        """Return the candidate's newest run, or None while that is the one from before this start."""
        own = run.handover[CANDIDATE]
        found = await self.kalent.get_dynamic_sequence(own)
        if found is None or not _is_new(found, mark):
            return None
        return detail_of(replace(found, id=own))

    async def _as_they_are(self, own: str) -> tuple[RemoteContact, RemoteSequence | None]:
        return await asyncio.gather(self.kalent.get_candidate(own), self.kalent.get_dynamic_sequence(own))

    async def _if_there(self, own: str) -> tuple[RemoteContact | None, RemoteSequence | None]:
        try:
            return await self._as_they_are(own)
        except NotFoundError:
            return None, None

    async def _runs(self, people: Items[Run]) -> list[RemoteSequence | None]:
        calls = [lambda own=one.handover[CANDIDATE]: self.kalent.get_dynamic_sequence(own) for one in people]
        return await vendor.gather_limited(calls)


def _running(run: RemoteSequence | None) -> str | None:
    if run is None or not run.may_be_live:
        return None
    return f"in a sequence at Kalent already ({run.provider_status or 'of unknown status'})"


def _is_new(run: RemoteSequence | None, before: str | None) -> bool:
    return run is not None and run.id != before


def _done(one: Run) -> vendor.EnrolmentOutcome:
    return vendor.EnrolmentOutcome(sequence_id=one.id, outcome="done", remote_id=one.handover[CANDIDATE])


def _not_done(one: Run) -> vendor.EnrolmentOutcome:
    return vendor.EnrolmentOutcome(
        sequence_id=one.id, outcome="not_done", why="Kalent shows no new sequence for this candidate."
    )
