"""Kalent's sourcings as places to put people.

An add is an upsert that puts the status back to TO_BE_CONTACTED, so whoever is there is left alone: also those
whom a recruiter has turned down (NOT_RETAINED), whom a list without a filter leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.errors import ConflictError, UnexpectedAnswerError
from sequences_mcp.providers.kalent import limits
from sequences_mcp.providers.kalent.client import CandidateFilter, Kalent
from sequences_mcp.providers.remote import RemoteContact
from sequences_mcp.providers.vendor_port import Misfit, Newcomer, Placed

PAGES_AT_MOST = 40  # two thousand candidates a filter
TURNED_DOWN = CandidateFilter(status_handles=("NOT_RETAINED",), sort_field="createdAt", sort_order="asc")
EVERYBODY_ELSE = CandidateFilter(sort_field="createdAt", sort_order="asc")


@dataclass(frozen=True, slots=True)
class KalentPlaces:
    """``providers.vendor_port.Places`` over Kalent."""

    kalent: Kalent
    a_request: int = 1
    most: int = 100

    def misfit(self, one: Newcomer) -> Misfit | None:
        """Return why Kalent cannot take somebody: they are not named by a talent's id alone."""
        if one.id is not None and one.fields == ContactFields():
            return None
        return Misfit(
            "it is not the id of a talent alone",
            'Kalent takes people by the id of their talent: {"id": "kalent:…"}; the notes of find_contacts in '
            "another sourcing name it.",
        )

    async def look_into(self, place_id: str, people: Items[Newcomer]) -> tuple[Placed | None, ...]:
        """Return those who are in the sourcing already, to be left untouched."""
        there = await self._known_in(place_id)
        return tuple(_was_there(there.get(one.id or "")) for one in people)

    async def put(self, place_id: str, people: Items[Newcomer]) -> tuple[Placed, ...]:
        """Add one talent."""
        [one] = people
        made = await self.kalent.add_talent(place_id, talent_id=one.id or "")
        return (Placed(outcome="done", contact_id=made.id),)

    async def count_in(self, place_id: str, people: Items[Newcomer]) -> tuple[int | None, str]:
        """Return how many of these are in the sourcing."""
        there = await self._known_in(place_id)
        count = sum(one.id in there for one in people)
        return (
            count,
            f"{count} of {len(people)} are in the sourcing; whoever is there is left untouched by a repeat.",
        )

    async def _known_in(self, sourcing_id: str) -> dict[str, RemoteContact]:
        """Return the candidates by the id of their talent and by their own."""
        people = [*await self._all(sourcing_id, EVERYBODY_ELSE), *await self._all(sourcing_id, TURNED_DOWN)]
        if any(one.talent_id is None for one in people):
            raise _untold("a candidate without a talent")
        return {key: one for one in people for key in (one.talent_id or "", one.id)}

    async def _all(self, sourcing_id: str, wanted: CandidateFilter) -> list[RemoteContact]:
        found: list[RemoteContact] = []
        for number in range(1, PAGES_AT_MOST + 1):
            page = await self.kalent.list_candidates(
                sourcing_id, wanted=wanted, page=number, size=limits.PAGE_SIZE
            )
            if page.unreadable:
                raise _untold("a candidate that cannot be read")
            found += page.items
            if not page.items or (len(found) >= (page.total_count or 0) and not page.has_more):
                return found
        raise ConflictError(
            "This sourcing has too many candidates to find out who is there already.",
            next_step="Add them in Kalent's own app: an add from here could turn a candidate's status back.",
        )


def _was_there(known: RemoteContact | None) -> Placed | None:
    return None if known is None else Placed(outcome="done", contact_id=known.id, was_there=True)


def _untold(what: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"Kalent's list of candidates has {what}, so nobody can tell who is there already.",
        next_step="Nothing was done: an add could turn a candidate's status back. Kalent's own app shows them.",
    )
