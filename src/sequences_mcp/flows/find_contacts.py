"""Search people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.flows.desk import Desk, offered


class FoundContacts(NamedTuple):
    """A page of people, and why those of them who must never be contacted are on the list, by contact id."""

    page: Page[Contact]
    never: Mapping[str, str]


async def find_contacts(
    desk: Desk, *, query: str = "", provider: str = LOCAL, page: int = 1, size: int = DEFAULT_SIZE
) -> FoundContacts:
    """Return people whose name, address, company or title contains the query; everybody for an empty one.

    ``provider`` is a name, or the id of a Kalent sourcing.
    """
    where = desk.named(provider_of(provider))
    if where.sourcings is not None:
        found = await where.sourcings.find_candidates(provider, query.strip(), page=page, size=size)
    else:
        contacts = offered(where.contacts, where, verb="search contacts")
        found = await contacts.find_contacts(query.strip(), page=page, size=size)
    return FoundContacts(found, await desk.suppressions.suppressed_among(found.items))
