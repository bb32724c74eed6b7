"""Kalent as a provider.

Its sourcings are places to put people. An add is an upsert that puts the status back to TO_BE_CONTACTED, so
whoever is there is left alone: also those whom a recruiter has turned down (NOT_RETAINED), whom a list without a
filter leaves out.

A start is a blueprint for up to 100 candidates of its own sourcing (page "Start sequence blueprint"). Nothing
published says that a repeated start is recognised, or what one that failed half-way has done. So each candidate's
newest run is read before the request, and a later look compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from functools import partial
from typing import Any

from sequences_mcp.domain.blueprint import Blueprint, ReplyRules, Sourcing, Step
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import TALENT, Run
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError, UnexpectedAnswerError
from sequences_mcp.ports import vendor
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.kalent import DESCRIPTION, wire
from sequences_mcp.vendors.kalent.client import CandidateFilter, KalentClient
from sequences_mcp.vendors.transport import Transport
from sequences_mcp.vendors.vendor import BlueprintCache, Vendor

NAME = DESCRIPTION.name
PAGES_AT_MOST = 40  # two thousand candidates a filter
TURNED_DOWN = CandidateFilter(status_handles=("NOT_RETAINED",), sort_field="createdAt", sort_order="asc")
EVERYBODY_ELSE = CandidateFilter(sort_field="createdAt", sort_order="asc")
CANDIDATE = "candidate"
NONE = ""


class Kalent(Vendor):
    """Kalent with what its API can do."""

    name, title = DESCRIPTION.name, DESCRIPTION.title
    contacts_a_call = 100
    people_a_start = wire.CANDIDATES_A_CALL

    def __init__(self, transport: Transport, *, memory: BlueprintCache, further: Mapping[str, str]) -> None:
        super().__init__(memory)
        self.kalent = KalentClient(transport)

    async def get_sequence(self, sequence_id: str) -> SequenceDetail:
        """Return a candidate's newest run, which is read by the candidate's id; NotFoundError."""
        run = await self.kalent.get_dynamic_sequence(sequence_id)
        if run is None:
            raise NotFoundError("This candidate has no sequence at Kalent.", next_step="find_contacts has others.")
        return translation.detail_of(replace(run, id=sequence_id))

    async def identity_of(self, contact_id: str) -> vendor.Identity:
        """Read the candidate; NotFoundError."""
        return translation.identity_of_remote(await self.kalent.get_candidate(contact_id))

    async def update_blueprint(
        self,
        blueprint_id: str,
        *,
        expected_version: int,
        name: str,
        steps: Items[Step],
        sourcing: Sourcing,
        replies: ReplyRules | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Blueprint:
        """Send what has changed, of the steps all of them.

        Before the request: StaleVersionError when a newer version is known, ConflictError when its steps are not.
        """
        await self.memory.require_newest(blueprint_id, expected_version)
        known = await self.memory.get_blueprint(blueprint_id)
        if is_unseen(known):
            raise _unseen(blueprint_id)
        is_renamed, is_rewritten = name != known.name, tuple(steps) != known.steps
        await self.kalent.update_blueprint(
            blueprint_id,
            name=name if is_renamed else None,  # a person may have changed its name there
            steps=steps if is_rewritten or not (is_renamed or config) else None,
            config=config,
        )
        merged = sourcing.model_copy(update={"id": known.sourcing.id})
        return await self.memory.remember(blueprint_id, name=name, steps=steps, sourcing=merged)

    async def list_sourcings(self, *, page: int, size: int) -> Page[vendor.SourcingRow]:
        """Return one page of the sourcings that are in progress."""
        sourcings = (await self.kalent.list_sourcings(page=page, size=size, ownership="all")).counted()
        return sourcings.map(lambda sourcing: vendor.SourcingRow(id=sourcing.id, name=sourcing.name))

    async def find_candidates(self, sourcing_id: str, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return one page of a sourcing's candidates."""
        wanted = CandidateFilter(search=query or None)
        candidates = await self.kalent.list_candidates(sourcing_id, wanted=wanted, page=page, size=size)
        return translation.people_of_remote(replace(candidates, items=tuple(map(_noted, candidates.items))))

    async def create_in_sourcing(
        self, sourcing_id: str, *, name: str, steps: Items[Step], config: Mapping[str, Any] | None = None
    ) -> Blueprint:
        """Create a blueprint there, under exactly this name, and remember it as version 1."""
        blueprint_id = await self.kalent.create_blueprint(sourcing_id, name=name, steps=steps, config=config)
        return await self.memory.remember(blueprint_id, name=name, steps=steps, sourcing=Sourcing(id=sourcing_id))

    async def configure_blueprint(
        self, known: Blueprint, *, name: str, steps: Items[Step], config: Mapping[str, Any]
    ) -> Blueprint:
        """Change a blueprint there together with its configuration."""
        return await self.update_blueprint(
            known.id,
            expected_version=known.version,
            name=name,
            steps=steps,
            sourcing=known.sourcing,
            config=config,
        )

    def contact_misfit(self, person: vendor.ContactInput) -> vendor.Misfit | None:
        """Return why Kalent cannot take somebody: they are not named by a talent's id alone."""
        if person.id is not None and person.fields == ContactFields():
            return None
        return vendor.Misfit(
            "it is not the id of a talent alone",
            'Kalent takes people by the id of their talent: {"id": "kalent:…"}; the notes of find_contacts in '
            "another sourcing name it.",
        )

    async def placed_already(
        self, place_id: str, people: Items[vendor.ContactInput]
    ) -> tuple[vendor.PlacedContact | None, ...]:
        """Return those who are in the sourcing already, to be left untouched."""
        known = await self._known_in(place_id)
        return tuple(_placed_before(known.get(person.id or "")) for person in people)

    async def place_contacts(
        self, place_id: str, people: Items[vendor.ContactInput]
    ) -> tuple[vendor.PlacedContact, ...]:
        """Add one talent."""
        [person] = people
        candidate_id = await self.kalent.add_talent(place_id, talent_id=person.id or "")
        return (vendor.PlacedContact(outcome="done", contact_id=candidate_id),)

    async def count_placed(self, place_id: str, people: Items[vendor.ContactInput]) -> tuple[int | None, str]:
        """Return how many of these are in the sourcing."""
        known = await self._known_in(place_id)
        count = sum(person.id in known for person in people)
        return (
            count,
            f"{count} of {len(people)} are in the sourcing; whoever is there is left untouched by a repeat.",
        )

    async def _known_in(self, sourcing_id: str) -> dict[str, translation.RemoteContact]:
        """Return the candidates by the id of their talent and by their own."""
        people = [*await self._all(sourcing_id, EVERYBODY_ELSE), *await self._all(sourcing_id, TURNED_DOWN)]
        if any(candidate.talent_id is None for candidate in people):
            raise _unavailable("a candidate without a talent")
        return {key: candidate for candidate in people for key in (candidate.talent_id or "", candidate.id)}

    async def _all(self, sourcing_id: str, wanted: CandidateFilter) -> list[translation.RemoteContact]:
        candidates: list[translation.RemoteContact] = []
        for number in range(1, PAGES_AT_MOST + 1):
            page = await self.kalent.list_candidates(sourcing_id, wanted=wanted, page=number, size=wire.PAGE_SIZE)
            if page.unreadable:
                raise _unavailable("a candidate that cannot be read")
            candidates += page.items
            if not page.items or (len(candidates) >= (page.total_count or 0) and not page.has_more):
                return candidates
        raise ConflictError(
            "This sourcing has too many candidates to find out who is there already.",
            next_step="Add them in Kalent's own app: an add from here could turn a candidate's status back.",
        )

    def can_look_for(self, targets: Items[tuple[str, str]]) -> bool:
        """Say whether one of them is an id of Kalent's."""
        return any(kind == "contact" and value.startswith(f"{NAME}:") for kind, value in targets)

    async def live_runs_of(self, targets: Items[tuple[str, str]]) -> list[SequenceDetail]:
        """Return the live run of each candidate; nobody is found by an address or a domain."""
        runs = []
        for kind, value in targets:
            if kind != "contact" or not value.startswith(f"{NAME}:"):
                continue
            try:
                run = await self.kalent.get_dynamic_sequence(value)
            except NotFoundError:  # the id of a talent, or of nobody
                continue
            if run is not None and run.may_be_live:
                runs.append(translation.detail_of(replace(run, id=value)))
        return runs

    async def blueprint_to_start(self, blueprint_id: str) -> Blueprint:
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

    async def person_to_enrol(
        self, request: vendor.PersonRequest, *, blueprint: Blueprint, reviewed_there: bool
    ) -> vendor.VendorPerson:
        """Return one candidate with what Kalent knows; NotFoundError, InvalidArgumentsError for facts."""
        if request.vendor_id is None:
            raise InvalidArgumentsError(
                "Kalent starts its own candidates only, not people given as facts.",
                next_step="Give ids from find_contacts in the blueprint's sourcing (`kalent:…`).",
            )
        person, run = await self._as_they_are(request.vendor_id)
        home = blueprint.sourcing.id
        elsewhere = home is not None and person.sourcing_id not in (None, home)
        obstacle = f"a candidate of {person.sourcing_id}, not of {home}" if elsewhere else _running(run)
        return vendor.VendorPerson(
            contact=translation.contact_of_remote(replace(person, id=request.vendor_id)),
            vendor_facts={
                CANDIDATE: request.vendor_id,
                **({TALENT: person.talent_id} if person.talent_id else {}),
            },
            obstacle=obstacle,
            addresses=person.emails,
        )

    async def preflight(self, plan: Plan, people: Items[Run]) -> vendor.PreflightSnapshot:
        """Return the id of each candidate's newest run, who is in one by now, and the addresses of each."""
        calls = [
            lambda candidate_id=person_run.vendor_facts[CANDIDATE]: self._state_if_exists(candidate_id)
            for person_run in people
        ]
        seen = {
            person_run.id: state
            for person_run, state in zip(people, await vendor.gather_limited(calls), strict=True)
        }
        return vendor.PreflightSnapshot(
            baselines={run_id: run.id if run else NONE for run_id, (_, run) in seen.items()},
            obstacles={
                run_id: why
                for run_id, (person, run) in seen.items()
                if (why := _running(run) if person else "Kalent has no such candidate any more")
            },
            addresses={run_id: person.emails for run_id, (person, _) in seen.items() if person},
        )

    async def enrol(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Start everybody in one call: all of them or, where Kalent refuses, nobody."""
        people = [run.vendor_facts[CANDIDATE] for run in order.people]
        await self.kalent.start(order.plan.header.blueprint_id, candidate_ids=people)
        return tuple(_done(run) for run in order.people)

    async def read_enrolment_back(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Return, for each candidate, whether another run is the newest now."""
        runs = await self._runs(order.people)
        return tuple(
            _done(person) if _is_new(run, order.before.get(person.id)) else _not_done(person)
            for person, run in zip(order.people, runs, strict=True)
        )

    async def follow_run(self, run: Run, *, baseline: str | None) -> SequenceDetail | None:
        """Return the candidate's newest run, or None while that is the one from before this start."""
        candidate_id = run.vendor_facts[CANDIDATE]
        remote = await self.kalent.get_dynamic_sequence(candidate_id)
        if remote is None or not _is_new(remote, baseline):
            return None
        return translation.detail_of(replace(remote, id=candidate_id))

    async def _as_they_are(
        self, candidate_id: str
    ) -> tuple[translation.RemoteContact, translation.RemoteSequence | None]:
        return await vendor.gather_both(
            partial(self.kalent.get_candidate, candidate_id),
            partial(self.kalent.get_dynamic_sequence, candidate_id),
        )

    async def _state_if_exists(
        self, candidate_id: str
    ) -> tuple[translation.RemoteContact | None, translation.RemoteSequence | None]:
        try:
            return await self._as_they_are(candidate_id)
        except NotFoundError:
            return None, None

    async def _runs(self, people: Items[Run]) -> list[translation.RemoteSequence | None]:
        calls = [
            lambda candidate_id=run.vendor_facts[CANDIDATE]: self.kalent.get_dynamic_sequence(candidate_id)
            for run in people
        ]
        return await vendor.gather_limited(calls)


def _placed_before(known: translation.RemoteContact | None) -> vendor.PlacedContact | None:
    return None if known is None else vendor.PlacedContact(outcome="done", contact_id=known.id, was_there=True)


def _unavailable(what: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"Kalent's list of candidates has {what}, so nobody can tell who is there already.",
        next_step="Nothing was done: an add could turn a candidate's status back. Kalent's own app shows them.",
    )


def _noted(person: translation.RemoteContact) -> translation.RemoteContact:
    """Return a candidate with the two facts that only Kalent has of them, as a note."""
    facts = {"talent": person.talent_id, "status": person.provider_status}
    known = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
    return replace(person, notes=known or None)


def is_unseen(blueprint: Blueprint) -> bool:
    """Say whether nobody here knows a blueprint's steps: one made here belongs to a sourcing, even while empty."""
    return not blueprint.steps and blueprint.sourcing.id is None


def _unseen(blueprint_id: str) -> ConflictError:
    return ConflictError(
        "The steps of this blueprint are not known here, and a change would replace all of them unseen.",
        next_step="Change it in Kalent's own app, or make a new one with create_blueprint; nothing was done.",
        data={"blueprint_id": blueprint_id},
    )


def _running(run: translation.RemoteSequence | None) -> str | None:
    if run is None or not run.may_be_live:
        return None
    return f"in a sequence at Kalent already ({run.provider_status or 'of unknown status'})"


def _is_new(run: translation.RemoteSequence | None, before: str | None) -> bool:
    return run is not None and run.id != before


def _done(run: Run) -> vendor.EnrolmentOutcome:
    return vendor.EnrolmentOutcome(sequence_id=run.id, outcome="done", remote_id=run.vendor_facts[CANDIDATE])


def _not_done(run: Run) -> vendor.EnrolmentOutcome:
    return vendor.EnrolmentOutcome(
        sequence_id=run.id, outcome="not_done", why="Kalent shows no new sequence for this candidate."
    )


PROVIDER = Kalent
