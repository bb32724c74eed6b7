"""Kalent's sourcings as places to put people.

An add is an upsert that puts the status back to TO_BE_CONTACTED, so whoever is there is left alone: also those
whom a recruiter has turned down (NOT_RETAINED), whom a list without a filter leaves out.

Kalent as the product's verbs see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import Any

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.page import Page
from sequences_mcp.errors import ConflictError, NotFoundError, UnexpectedAnswerError
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import ContactInput, Misfit, PlacedContact, SourcingRow
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.adapters import BlueprintCache, ReadOnlyRuns, VendorIdentityLookup
from sequences_mcp.vendors.kalent import DESCRIPTION, wire
from sequences_mcp.vendors.kalent.client import CandidateFilter, KalentClient
from sequences_mcp.vendors.kalent.enrolment import KalentEnrolment
from sequences_mcp.vendors.transport import Transport

PAGES_AT_MOST = 40  # two thousand candidates a filter
TURNED_DOWN = CandidateFilter(status_handles=("NOT_RETAINED",), sort_field="createdAt", sort_order="asc")
EVERYBODY_ELSE = CandidateFilter(sort_field="createdAt", sort_order="asc")


@dataclass(frozen=True, slots=True)
class KalentContactLists:
    """``ports.vendor.ContactLists`` over Kalent."""

    kalent: KalentClient
    a_request: int = 1
    most: int = 100

    def misfit(self, one: ContactInput) -> Misfit | None:
        """Return why Kalent cannot take somebody: they are not named by a talent's id alone."""
        if one.id is not None and one.fields == ContactFields():
            return None
        return Misfit(
            "it is not the id of a talent alone",
            'Kalent takes people by the id of their talent: {"id": "kalent:…"}; the notes of find_contacts in '
            "another sourcing name it.",
        )

    async def look_into(self, place_id: str, people: Items[ContactInput]) -> tuple[PlacedContact | None, ...]:
        """Return those who are in the sourcing already, to be left untouched."""
        there = await self._known_in(place_id)
        return tuple(_was_there(there.get(one.id or "")) for one in people)

    async def put(self, place_id: str, people: Items[ContactInput]) -> tuple[PlacedContact, ...]:
        """Add one talent."""
        [one] = people
        made = await self.kalent.add_talent(place_id, talent_id=one.id or "")
        return (PlacedContact(outcome="done", contact_id=made.id),)

    async def count_in(self, place_id: str, people: Items[ContactInput]) -> tuple[int | None, str]:
        """Return how many of these are in the sourcing."""
        there = await self._known_in(place_id)
        count = sum(one.id in there for one in people)
        return (
            count,
            f"{count} of {len(people)} are in the sourcing; whoever is there is left untouched by a repeat.",
        )

    async def _known_in(self, sourcing_id: str) -> dict[str, translation.RemoteContact]:
        """Return the candidates by the id of their talent and by their own."""
        people = [*await self._all(sourcing_id, EVERYBODY_ELSE), *await self._all(sourcing_id, TURNED_DOWN)]
        if any(one.talent_id is None for one in people):
            raise _unavailable("a candidate without a talent")
        return {key: one for one in people for key in (one.talent_id or "", one.id)}

    async def _all(self, sourcing_id: str, wanted: CandidateFilter) -> list[translation.RemoteContact]:
        found: list[translation.RemoteContact] = []
        for number in range(1, PAGES_AT_MOST + 1):
            page = await self.kalent.list_candidates(sourcing_id, wanted=wanted, page=number, size=wire.PAGE_SIZE)
            if page.unreadable:
                raise _unavailable("a candidate that cannot be read")
            found += page.items
            if not page.items or (len(found) >= (page.total_count or 0) and not page.has_more):
                return found
        raise ConflictError(
            "This sourcing has too many candidates to find out who is there already.",
            next_step="Add them in Kalent's own app: an add from here could turn a candidate's status back.",
        )


def _was_there(known: translation.RemoteContact | None) -> PlacedContact | None:
    return None if known is None else PlacedContact(outcome="done", contact_id=known.id, was_there=True)


def _unavailable(what: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"Kalent's list of candidates has {what}, so nobody can tell who is there already.",
        next_step="Nothing was done: an add could turn a candidate's status back. Kalent's own app shows them.",
    )


NAME = DESCRIPTION.name


@dataclass(frozen=True, slots=True)
class KalentBlueprints:
    """``ports.embedded.Blueprints`` over Kalent and what was last written to it from here."""

    kalent: KalentClient
    memory: BlueprintCache

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return those this server has seen, newest first: Kalent's API has no list."""
        return await self.memory.list_known(NAME, page=page, size=size)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return a blueprint as it was last written here; NotFoundError."""
        return await self.memory.get_blueprint(blueprint_id, version)

    async def create_blueprint(self, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Raise NotSupportedError: Kalent needs a sourcing."""
        translation.not_supported(
            NAME, "create a blueprint outside a sourcing", instead="Give the id of a sourcing."
        )

    async def update_blueprint(
        self,
        blueprint_id: str,
        *,
        expected_version: int,
        name: str,
        steps: Items[Step],
        sourcing: Sourcing,
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
        kept = sourcing.model_copy(update={"id": known.sourcing.id})
        return await self.memory.remember(blueprint_id, name=name, steps=steps, sourcing=kept)


@dataclass(frozen=True, slots=True)
class KalentSourcings:
    """``ports.embedded.Sourcings`` over Kalent."""

    kalent: KalentClient
    memory: BlueprintCache

    async def list_sourcings(self, *, page: int, size: int) -> Page[SourcingRow]:
        """Return one page of the sourcings that are in progress."""
        found = (await self.kalent.list_sourcings(page=page, size=size, ownership="all")).counted()
        return found.map(lambda one: SourcingRow(id=one.id, name=one.name))

    async def find_candidates(self, sourcing_id: str, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return one page of a sourcing's candidates."""
        wanted = CandidateFilter(search=query or None)
        found = await self.kalent.list_candidates(sourcing_id, wanted=wanted, page=page, size=size)
        return translation.people_of_remote(replace(found, items=tuple(map(_noted, found.items))))

    async def create_blueprint(
        self, sourcing_id: str, *, name: str, steps: Items[Step], config: Mapping[str, Any] | None = None
    ) -> Blueprint:
        """Create a blueprint there, under exactly this name, and remember it as version 1."""
        made = await self.kalent.create_blueprint(sourcing_id, name=name, steps=steps, config=config)
        return await self.memory.remember(made.id, name=name, steps=steps, sourcing=Sourcing(id=sourcing_id))

    async def configure_blueprint(
        self, known: Blueprint, *, name: str, steps: Items[Step], config: Mapping[str, Any]
    ) -> Blueprint:
        """Change a blueprint there together with its configuration."""
        return await KalentBlueprints(self.kalent, self.memory).update_blueprint(
            known.id,
            expected_version=known.version,
            name=name,
            steps=steps,
            sourcing=known.sourcing,
            config=config,
        )


@dataclass(frozen=True, slots=True)
class KalentReach:
    """``ports.vendor.Reach`` over Kalent, which tells of a candidate's newest run alone."""

    kalent: KalentClient

    def covers(self, marks: Items[tuple[str, str]]) -> bool:
        """Say whether one of them is an id of Kalent's."""
        return any(kind == "contact" and value.startswith(f"{NAME}:") for kind, value in marks)

    async def live_of(self, marks: Items[tuple[str, str]]) -> list[SequenceDetail]:
        """Return the live run of each candidate; nobody is found by an address or a domain."""
        found = []
        for kind, value in marks:
            if kind != "contact" or not value.startswith(f"{NAME}:"):
                continue
            try:
                run = await self.kalent.get_dynamic_sequence(value)
            except NotFoundError:  # the id of a talent, or of nobody
                continue
            if run is not None and run.may_be_live:
                found.append(translation.detail_of(replace(run, id=value)))
        return found


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


def kalent_provider(opened: Transport, *, memory: BlueprintCache, further: Mapping[str, str]) -> Provider:
    """Return Kalent with what its API can do."""
    kalent = KalentClient(opened)

    async def read(candidate_id: str) -> translation.RemoteSequence:
        run = await kalent.get_dynamic_sequence(candidate_id)
        if run is None:
            raise NotFoundError("This candidate has no sequence at Kalent.", next_step="find_contacts has others.")
        return replace(run, id=candidate_id)  # it is read by the candidate, not by its own id

    return Provider(
        name=NAME,
        lists_runs=False,
        blueprints=KalentBlueprints(kalent, memory),
        sequences=ReadOnlyRuns(name=NAME, by_id="a candidate's id, from find_contacts", read=read),
        sourcings=KalentSourcings(kalent, memory),
        enrolment=KalentEnrolment(kalent, memory),
        places=KalentContactLists(kalent),
        traces=VendorIdentityLookup(kalent.get_candidate),
        reach=KalentReach(kalent),
    )
