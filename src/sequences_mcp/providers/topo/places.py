"""Topo's contact lists as places to put people, as far as that starts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.contact import ContactFields, facts_of
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError, UnexpectedAnswerError
from sequences_mcp.providers.remote import ItemOutcome, RemoteEntry, RemoteList
from sequences_mcp.providers.topo import limits
from sequences_mcp.providers.topo.client import Topo
from sequences_mcp.providers.topo.lists import KEPT
from sequences_mcp.providers.vendor_port import Misfit, Newcomer, Placed

LISTS_NAMED = 10


@dataclass(frozen=True, slots=True)
class TopoLists:
    """``providers.vendor_port.Places`` over Topo."""

    topo: Topo
    a_request: int = limits.BATCH
    most: int = 10 * limits.BATCH

    def misfit(self, one: Newcomer) -> Misfit | None:
        """Return why Topo cannot take somebody: no address and no profile, or more than its lists keep."""
        if one.id is not None:
            return Misfit("it is an id", "Topo takes people by their facts: email, first_name …")
        if not (one.fields.email or one.fields.linkedin_url):
            return Misfit("it has neither email nor linkedin_url", "Topo can reach nobody without one of the two.")
        if more := list(_not_kept(one.fields)):
            return Misfit(f"Topo's lists keep no {', '.join(more)}", "Leave that out.")
        return None

    async def look_into(self, place_id: str, people: Items[Newcomer]) -> tuple[Placed | None, ...]:
        """Return None for each: Topo merges whoever is there; ApprovalError for a list that enrols."""
        if place_id == "topo":
            raise await self._which_list()
        found = await self.topo.get_contact_list(place_id)
        if found.enrols is None:
            raise UnexpectedAnswerError(
                "Topo's answer does not say whether this list enrols whoever is put on it.",
                next_step="Nothing was done. Topo's own app shows the list.",
            )
        if found.enrols:
            raise _is_a_start(found)
        return (None,) * len(people)

    async def put(self, place_id: str, people: Items[Newcomer]) -> tuple[Placed, ...]:
        """Put up to 100 people on the list."""
        done = await self.topo.create_entries(place_id, people=[one.fields for one in people])
        return tuple(map(_placed, done))

    async def count_in(self, place_id: str, people: Items[Newcomer]) -> tuple[int | None, str]:
        """Return None: a list tells how many it has, not whom."""
        found = await self.topo.get_contact_list(place_id)
        count = "an unknown number of" if found.entries_count is None else f"{found.entries_count:,}"
        return None, f"The list has {count} entries now, and Topo's API does not tell whom."

    async def _which_list(self) -> InvalidArgumentsError:
        page = await self.topo.list_contact_lists(size=LISTS_NAMED)
        rows = [{"id": one.id, "name": one.name, "enrols": one.enrols is not False} for one in page.items]
        return InvalidArgumentsError(
            "Topo takes people into one of its contact lists, and none is named.",
            next_step="Give the id of a list that does not enrol as the provider.",
            data={"lists": rows, "more_lists": page.has_more},
        )


def _not_kept(known: ContactFields) -> Iterator[str]:
    return (name for name, value in facts_of(known).items() if value and name not in KEPT)


def _is_a_start(found: RemoteList) -> ApprovalError:
    return ApprovalError(
        "This list enrols whoever is put on it in a sequence at once: that is a start, and needs a person's yes.",
        next_step="Nothing was done. start_sequence with this blueprint_id plans it; a list that does not enrol "
        "can be filled here.",
        data={"list_id": found.id, "blueprint_id": found.blueprint_id},
    )


def _placed(one: ItemOutcome[RemoteEntry]) -> Placed:
    return Placed(
        outcome=one.outcome,
        contact_id=one.item.contact_id if one.item else None,
        was_there=one.provider_status == "UPDATED",
        vendor_code=one.vendor_code,
        vendor_message=one.vendor_message,
    )
